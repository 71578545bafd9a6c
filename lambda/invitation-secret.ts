import { randomUUID } from 'node:crypto';
import type { Patience } from './quicksight-api';
import { signedCall } from './signed-call';

/** What is kept in the secret of a user's invitation, as JSON. */
export interface Invitation {
  readonly url: string;
  readonly userName: string;
  readonly arn: string;
  /** ISO 8601. */
  readonly registeredAt: string;
}

/** What the secret says; undefined when it holds something else. Rejects with a SignedCallError when it cannot be read. */
export async function readInvitation(
  secretArn: string,
  patience: Patience,
  signal: AbortSignal,
): Promise<Invitation | undefined> {
  const answer = await ask('GetSecretValue', secretArn, {}, patience, patience.stack, signal);
  return asInvitation((parse(answer) as { SecretString?: string } | undefined)?.SecretString);
}

/** Makes the invitation the secret's value. Rejects with a SignedCallError. */
export async function writeInvitation(
  secretArn: string,
  invitation: Invitation,
  patience: Patience,
  signal: AbortSignal,
): Promise<void> {
  // One token for all attempts: an attempt whose answer was lost must not make another version.
  const input = { ClientRequestToken: randomUUID(), SecretString: JSON.stringify(invitation) };
  // What is not written now is lost for ever, so until the deadline.
  await ask('PutSecretValue', secretArn, input, patience, Infinity, signal);
}

function ask(
  operation: string,
  arn: string,
  input: object,
  patience: Patience,
  bound: number,
  signal: AbortSignal,
): Promise<string> {
  const call = {
    service: 'secretsmanager',
    endpointId: 'SECRETS_MANAGER',
    arn,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `secretsmanager.${operation}` },
    body: JSON.stringify({ SecretId: arn, ...input }),
    answer: /^\s*{.*"ARN"/s,
  };
  return signedCall(call, { throttled: bound, faulty: bound, denied: patience.freshPolicy }, patience, signal);
}

function asInvitation(text: string | undefined): Invitation | undefined {
  const value = parse(text ?? '') as Partial<Invitation> | undefined | null;
  return typeof value?.url === 'string' && typeof value.arn === 'string' ? (value as Invitation) : undefined;
}

/** A secret may hold anything, such as the password that it was generated with. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
