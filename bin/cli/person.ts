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
