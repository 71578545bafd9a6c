import { createHash } from 'node:crypto';
import { TAG_PREFIX, type Tag } from '../lib/private/user-resource';

/*
 * A user remembers in its own tags who declares it. Every resource that declares a user is a holder: RegisterUser writes
 * the first holder's tag in the same call, and the user is deleted when its last holder lets go, never before.
 */

const HELD_BY = `${TAG_PREFIX}held-by:`;

/** Marks a user that existed before any stack held it. */
export const ADOPTED = `${TAG_PREFIX}adopted`;

/** The resource that declares a user, as one event sees it. */
export interface Resource {
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly RootStackId: string;
}

/** Tags of a user by key. */
export type Tags = ReadonlyMap<string, string>;

export function readTags(tags: readonly { Key?: string; Value?: string }[] | undefined): Tags {
  return new Map((tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
}

export function holderKey({ StackId, LogicalResourceId }: Pick<Resource, 'StackId' | 'LogicalResourceId'>): string {
  // A stack id ends in a UUID: a stack made anew under an old name is another holder.
  return HELD_BY + createHash('sha256').update(`${StackId}/${LogicalResourceId}`).digest('hex').slice(0, 16);
}

/** The holder tag that this event writes: who holds the user, and since which request. */
export function holderTag(resource: Resource, epochSeconds: number): Tag {
  const { RequestId, RootStackId, StackId, LogicalResourceId } = resource;
  const value = [epochSeconds, RequestId, uuidOf(RootStackId), uuidOf(StackId), LogicalResourceId].join('/');
  return { Key: holderKey(resource), Value: fit(value) };
}

/** The request that wrote our holder tag; undefined when we hold no user with these tags. */
export function heldSince(tags: Tags, key: string): string | undefined {
  return tags.get(key)?.split('/')[1];
}

/** Keys of all holders' tags but our own. */
export function otherHolders(tags: Tags, ownKey: string): string[] {
  return [...tags.keys()].filter((key) => key.startsWith(HELD_BY) && key !== ownKey);
}

/** Who holds a user, in words for a person: `stack <uuid>, resource <logical id>`, or undefined. */
export function describeHolder(tags: Tags, key: string): string | undefined {
  const [, , , stack, logicalId] = tags.get(key)?.split('/') ?? [];
  return stack && logicalId ? `resource ${logicalId} of the stack with id ${stack}` : undefined;
}

/** `arn:…:stack/name/uuid` → uuid. */
function uuidOf(stackId: string): string {
  return stackId.split('/').pop()!;
}

/** A tag's value has at most 256 characters: a longer one is cut and closed with a hash, so that it stays distinct. */
function fit(value: string): string {
  if (value.length <= 256) return value;
  return `${value.slice(0, 239)}/${createHash('sha256').update(value).digest('hex').slice(0, 16)}`;
}
