import { createHash } from 'node:crypto';
import { TAG_PREFIX, type Tag } from '../lib/private/user-resource';

/*
 * A user remembers in its own tags who declares it. Every resource that declares a user is a holder: RegisterUser writes
 * the first holder's tag in the same call, and the user is deleted when its last holder lets go, never before.
 */

const HELD_BY = `${TAG_PREFIX}held-by:`;
const LEAVING = 'leaving/';

/** Marks a user that existed before any stack held it. */
export const ADOPTED = `${TAG_PREFIX}adopted`;

/** What a user was before its latest taker changed it, for that taker's roll-back. */
export const BEFORE = `${TAG_PREFIX}before`;

/** The resource that declares a user, as one event sees it. */
export interface Resource {
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly RootStackId: string;
}

/** Tags of a user by key. */
export type Tags = ReadonlyMap<string, string>;

/** What a holder's tag says. */
export interface Hold {
  /** When it was written, in seconds since the epoch. */
  readonly since: number;
  /** The request that wrote it. */
  readonly requestId: string;
  /** Its Delete has begun: it counts as a holder no more. */
  readonly leaving: boolean;
  /** UUID of the root stack that the holder is deployed with. */
  readonly root: string;
  /** UUID of the stack that the holder is in. */
  readonly stack: string;
}

export function readTags(tags: readonly { Key?: string; Value?: string }[] | undefined): Tags {
  return new Map((tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
}

export function holderKey(resource: Pick<Resource, 'StackId' | 'LogicalResourceId'>): string {
  return HELD_BY + hashOf(resource);
}

/** The holder tag that this event writes: who holds the user, and since which request. */
export function holderTag(resource: Resource, epochSeconds: number): Tag {
  const { RequestId, RootStackId, StackId, LogicalResourceId } = resource;
  const value = [epochSeconds, RequestId, uuidOf(RootStackId), uuidOf(StackId), LogicalResourceId].join('/');
  return { Key: holderKey(resource), Value: fit(value) };
}

/** The same holder, about to let go. */
export function leavingTag(tags: Tags, key: string): Tag {
  return { Key: key, Value: fit(LEAVING + tags.get(key)) };
}

/** What the holder tag of this key says; undefined when the user is not held under it. */
export function holdOf(tags: Tags, key: string): Hold | undefined {
  const value = tags.get(key);
  if (value === undefined) return undefined;
  const leaving = value.startsWith(LEAVING);
  const [since, requestId = '', root = '', stack = ''] = (leaving ? value.slice(LEAVING.length) : value).split('/');
  return { since: Number(since), requestId, leaving, root, stack };
}

/** Tag keys of all holders; of those that are leaving, too. */
export function holderKeys(tags: Tags): string[] {
  return [...tags.keys()].filter((key) => key.startsWith(HELD_BY));
}

/** All holders but the one of this key; those that are leaving, too. */
export function otherHolds(tags: Tags, ownKey: string): Hold[] {
  return holderKeys(tags)
    .filter((key) => key !== ownKey)
    .map((key) => holdOf(tags, key)!);
}

/** Whether anybody but the holder of this key counts as a holder. */
export function isShared(tags: Tags, ownKey: string): boolean {
  return otherHolds(tags, ownKey).some(({ leaving }) => !leaving);
}

/** Whether all other holders, of which there are some, are about to let go: the user may be about to go with them. */
export function isBeingLeft(tags: Tags, ownKey: string): boolean {
  return otherHolds(tags, ownKey).length > 0 && !isShared(tags, ownKey);
}

/** Whether another resource of the same root stack holds the user: a construct that was renamed or moved. */
export function isHeldWithin(tags: Tags, rootStackId: string, ownKey: string): boolean {
  return otherHolds(tags, ownKey).some(({ root }) => root === uuidOf(rootStackId));
}

/** Whether this is a tag of ours: no person's, and not to be carried over to another registration. */
export function isOwnTag(key: string): boolean {
  return key.startsWith(TAG_PREFIX);
}

/** Role and custom permissions of a user at the moment that this resource takes it. */
export function beforeTag(resource: Resource, role = '', customPermissions = ''): Tag {
  return { Key: BEFORE, Value: [hashOf(resource), role, customPermissions].join('/') };
}

/** What a user was before this very resource took it; undefined when another did last, or nobody. */
export function ownBefore(
  tags: Tags,
  resource: Pick<Resource, 'StackId' | 'LogicalResourceId'>,
): { role: string; customPermissions: string } | undefined {
  const [writer, role = '', customPermissions = ''] = tags.get(BEFORE)?.split('/') ?? [];
  return writer === hashOf(resource) ? { role, customPermissions } : undefined;
}

/** Who holds a user, in words for a person; undefined when nobody does. */
export function describeHolder(tags: Tags): string | undefined {
  for (const [key, value] of tags) {
    if (!key.startsWith(HELD_BY)) continue;
    const [, , , stack, ...logicalId] = value.replace(LEAVING, '').split('/');
    if (stack && logicalId.length > 0) return `resource ${logicalId.join('/')} of the stack whose id ends in ${stack}`;
  }
  return undefined;
}

function hashOf({ StackId, LogicalResourceId }: Pick<Resource, 'StackId' | 'LogicalResourceId'>): string {
  // A stack id ends in a UUID: a stack made anew under an old name is another holder.
  return createHash('sha256').update(`${StackId}/${LogicalResourceId}`).digest('hex').slice(0, 16);
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
