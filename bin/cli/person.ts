/*
 * How people and their properties are written, whatever the command.
 */

/** A user or a group. */
export interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** What QuickSight calls a user or a group, with the namespace where that is not the default one. */
export function person({ name, namespace }: Named): string {
  return namespace === 'default' ? name : `${name} (${namespace})`;
}

/** Names and addresses come from the account: one with an escape sequence in it must not reach the terminal as such. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? noun : plural}`;
}

/** An external login in one word for each part. */
export function login(
  externalLogin: { readonly type: string; readonly providerUrl?: string; readonly loginId: string } | undefined,
): string | undefined {
  if (!externalLogin) return undefined;
  const { type, providerUrl, loginId } = externalLogin;
  // For Cognito, QuickSight answers with a URL that nobody gave.
  return type === 'COGNITO' ? `cognito ${loginId}` : [type.toLowerCase(), providerUrl, loginId].join(' ');
}
