import type { User } from '@aws-sdk/client-quicksight';
import { formatPhysicalId, parsePhysicalId, userNameOf, type UserId } from '../lib/private/user-arn';
import {
  INVITATION_UNAVAILABLE,
  type Tag,
  type UserResourceAttributes,
  type UserResourceProperties,
} from '../lib/private/user-resource';
import { EventError, namesUser, type UserEvent } from './event';
import { call, type Plan } from './execute';
import { describeHolder, heldSince, holderKey, holderTag, otherHolders, readTags, ADOPTED, type Tags } from './holder';
import { letGo, needsUpdate, RefusedByRule, registerRequest, sameIdentity, tagSteps, updateRequest } from './plan';
import { QuickSightError, type Patience } from './quicksight-api';
import { isDenied, nothingThere } from './remedy';

type Create = Extract<UserEvent, { RequestType: 'Create' }>;
type Update = Extract<UserEvent, { RequestType: 'Update' }>;
type Delete = Extract<UserEvent, { RequestType: 'Delete' }>;

/** What would be answered if the event had to stop now: kept up to date, because a deadline asks nobody. */
export interface Draft {
  physicalId: string;
}

export interface Outcome {
  readonly physicalId: string;
  readonly attributes?: UserResourceAttributes;
  /** Why a Delete left a user in QuickSight, in words that name nobody. */
  readonly kept?: string;
}

/** The plan of one event. `draft` holds the physical id that a failure must answer with. */
export function onEvent(event: UserEvent, draft: Draft, patience: Patience): Plan<Outcome> {
  switch (event.RequestType) {
    case 'Create':
      return take(event, draft, patience);
    case 'Update':
      return update(event, draft, patience);
    case 'Delete':
      return remove(event, patience);
  }
}

/**
 * Makes the declared user ours: registers it or, when it exists, recognises it as ours and brings it to what is declared.
 * A user that this resource does not hold is refused.
 *
 * @param current the user that an Update is about to leave
 */
function* take(event: Create | Update, draft: Draft, patience: Patience, current?: UserId): Plan<Outcome> {
  const { properties } = event;
  const holder = holderTag({ ...event, RootStackId: properties.RootStackId }, Math.floor(Date.now() / 1000));
  // A failed Update answers with the old id. Of a failed Create, `none:` tells the Delete that follows to call nothing,
  // `maybe:` to look first.
  const failWith = (id: string) => {
    if (event.RequestType === 'Create') draft.physicalId = id;
  };
  failWith(`maybe:${event.RequestId}`);

  let refusal: QuickSightError;
  try {
    const { User, UserInvitationUrl } = yield* call('RegisterUser', registerRequest(properties, holder));
    return taken(event, requireIds(User), UserInvitationUrl, current);
  } catch (error) {
    if (!(error instanceof QuickSightError && error.refused)) throw error;
    refusal = error;
  }

  if (isDenied(refusal)) {
    // Looking would most likely be denied as well, and so would the Delete that follows: the stack would be stuck. The
    // price: what an earlier delivery registered before the policy changed would stay, with our tag on it.
    failWith(`none:${event.RequestId}`);
    throw refusal;
  }

  // Refused, but perhaps not the first attempt: an earlier one, or an earlier delivery of this event, may have succeeded.
  const exists = refusal.code === 'ResourceExistsException';
  const found = yield* look(properties, holder.Key, refusal, patience);
  const since = found && heldSince(found.tags, holder.Key);
  const isRepeated = since === event.RequestId;
  const isCurrent = current !== undefined && found?.user.PrincipalId === current.principalId;
  if (!found && exists) throw refusal;
  if (!isRepeated) failWith(`none:${event.RequestId}`);
  if (!found || !(isRepeated || exists)) throw refusal;
  if (!since && !isCurrent) throw foreign(properties, found);

  if (isRepeated && refusal.ambiguous && mayRegisterAgain(found, holder.Key)) {
    // The answer with the invitation URL was lost, and QuickSight gives it only once.
    yield* unlessGone(call('DeleteUser', userKey(properties, found.user.UserName!)));
    return yield* take(event, draft, patience, current);
  }
  yield* assertDeclared(event, found, isRepeated ? [] : [holder], failWith);
  return taken(event, found.user, undefined, current);
}

/** Brings a user we hold to all that is declared. What cannot be is refused before anything is changed. */
function* assertDeclared(
  { RequestType, properties }: Create | Update,
  { user, tags }: Found,
  claim: Tag[],
  failWith: (id: string) => void,
): Plan<void> {
  refuseOtherType(properties, user);
  const request = updateRequest(properties, undefined, user);
  // Held since an earlier life of this resource (RemovalPolicy.RETAIN): it must outlive a Create that fails.
  if (RequestType === 'Create' && claim.length > 0) claim = [...claim, { Key: ADOPTED, Value: 'true' }];
  const Tags = [...claim, ...(properties.Tags ?? [])].filter(({ Key, Value }) => tags.get(Key) !== Value);
  if (Tags.length > 0) yield* call('TagResource', { ResourceArn: user.Arn, Tags });
  failWith(physicalIdOf(user));
  if (request) yield* call('UpdateUser', request);
}

function* update(event: Update, draft: Draft, patience: Patience): Plan<Outcome> {
  const { properties, oldProperties } = event;
  const id = parsePhysicalId(event.physicalId);
  if (!id)
    throw new EventError(`physical id "${event.physicalId}" is not <user ARN>;<principal id>, so not of this resource`);
  if (properties.AwsAccountId !== id.accountId) {
    throw new RefusedByRule(
      `a user cannot move from account ${id.accountId} to ${properties.AwsAccountId}: remove it from the code, deploy, ` +
        `and declare it in a stack of the other account`,
    );
  }
  // The old properties name another user in the roll-back of a change of name that failed, and the physical id does not.
  const isSame = sameIdentity(properties, oldProperties);
  const isCurrent = properties.Namespace === id.namespace && userNameOf(properties) === id.userName;
  if (!isSame && !isCurrent) return yield* take(event, draft, patience, id);

  try {
    const user = isSame && !needsUpdate(properties, oldProperties) ? asUser(id) : yield* updateUser(event, id);
    yield* inOrder(tagSteps(id.arn, properties.Tags, oldProperties.Tags));
    return { physicalId: event.physicalId, attributes: attributesOf(user) };
  } catch (error) {
    if (!(error instanceof QuickSightError && error.notFound)) throw error;
    // Deleted behind our back.
    return yield* take(event, draft, patience, id);
  }
}

function* updateUser(event: Update, id: UserId): Plan<User> {
  const { properties, oldProperties } = event;
  const { User } = yield* call('DescribeUser', userKey(properties, id.userName));
  const user = requireIds(User);
  // A principal id of identity type QUICKSIGHT is unique for ever. One of IAM comes back when somebody else registers
  // the same IAM identity again, so only the holder tag tells whose registration this is.
  if (user.PrincipalId !== id.principalId || user.IdentityType === 'IAM') {
    const { Tags } = yield* call('ListTagsForResource', { ResourceArn: id.arn });
    const tags = readTags(Tags);
    if (!heldSince(tags, holderKey(event))) throw foreign(properties, { user, tags });
  }
  refuseOtherType(properties, user);
  const request = updateRequest(properties, oldProperties, user);
  if (request) yield* call('UpdateUser', request);
  return user;
}

function* remove(event: Delete, patience: Patience): Plan<Outcome> {
  const { physicalId } = event;
  if (physicalId.startsWith('none:')) return { physicalId };
  try {
    return { physicalId, kept: yield* letGoOfUser(event, patience) };
  } catch (error) {
    // Gone already, or nothing is left that could hold it.
    if (!(error instanceof QuickSightError && nothingThere(error, !parsePhysicalId(physicalId)))) throw error;
    return { physicalId };
  }
}

const SHARED = 'only our tag was removed: other resources hold the user, or it existed before any did';
const NOT_HELD = 'this resource holds no user of that name';

/** @returns why there may still be a user; undefined when it was deleted */
function* letGoOfUser(event: Delete, patience: Patience): Plan<string | undefined> {
  const ownKey = holderKey(event);
  const id = parsePhysicalId(event.physicalId);
  if (!id) {
    // `maybe:`, or an id that CloudFormation invented for a Create it cancelled, perhaps while that Create still runs.
    // What cannot name a user was never registered.
    if (!namesUser(event.properties)) return NOT_HELD;
    const found = yield* lookUntil((user) => isHeld(user, ownKey), event.properties, patience);
    if (!isHeld(found, ownKey)) return NOT_HELD;
    return yield* letGoOf(found.user.Arn!, userKey(event.properties, found.user.UserName!), found.tags, ownKey);
  }

  const key = { AwsAccountId: id.accountId, Namespace: id.namespace, UserName: id.userName };
  const { Tags } = yield* call('ListTagsForResource', { ResourceArn: id.arn });
  const tags = readTags(Tags);
  if (letGo(tags, ownKey) !== 'ask') return yield* letGoOf(id.arn, key, tags, ownKey);
  const { User } = yield* call('DescribeUser', key);
  if (User?.IdentityType !== 'QUICKSIGHT' || User.PrincipalId !== id.principalId) return NOT_HELD;
  yield* call('DeleteUser', key);
  return undefined;
}

function* letGoOf(arn: string, key: ReturnType<typeof userKey>, tags: Tags, ownKey: string): Plan<string | undefined> {
  const what = letGo(tags, ownKey);
  if (what === 'release') {
    yield* call('UntagResource', { ResourceArn: arn, TagKeys: [ownKey] });
    return SHARED;
  }
  if (what !== 'delete') return NOT_HELD;
  yield* call('DeleteUser', key);
  return undefined;
}

/** An attempt before the last may have deleted the user, so that the last found none. */
function* unlessGone(step: Plan<unknown>): Plan<void> {
  try {
    yield* step;
  } catch (error) {
    if (!(error instanceof QuickSightError && error.notFound)) throw error;
  }
}

interface Found {
  readonly user: User;
  readonly tags: Tags;
}

/** The user of this name with its tags, looked at again for a while if an attempt of ours may have registered it. */
function* look(
  properties: UserResourceProperties,
  ownKey: string,
  refusal: QuickSightError,
  patience: Patience,
): Plan<Found | undefined> {
  try {
    if (refusal.ambiguous) return yield* lookUntil((found) => isHeld(found, ownKey), properties, patience);
    // RegisterUser knows a new user before DescribeUser does: it may be the one of an earlier delivery of this event.
    if (refusal.code === 'ResourceExistsException') return yield* lookUntil(Boolean, properties, patience);
    return yield* lookOnce(properties);
  } catch (error) {
    // The refusal itself is what a person can act on.
    throw error instanceof QuickSightError ? refusal : error;
  }
}

function* lookUntil(
  isEnough: (found: Found | undefined) => boolean,
  properties: UserResourceProperties,
  { looks }: Patience,
): Plan<Found | undefined> {
  for (const wait of looks) {
    const found = yield* lookOnce(properties);
    if (isEnough(found)) return found;
    yield { wait };
  }
  return yield* lookOnce(properties);
}

function isHeld(found: Found | undefined, ownKey: string): found is Found {
  return !!found && !!heldSince(found.tags, ownKey);
}

function* lookOnce(properties: UserResourceProperties): Plan<Found | undefined> {
  try {
    const { User } = yield* call('DescribeUser', userKey(properties, userNameOf(properties)));
    const user = requireIds(User);
    const { Tags } = yield* call('ListTagsForResource', { ResourceArn: user.Arn });
    return { user, tags: readTags(Tags) };
  } catch (error) {
    if (error instanceof QuickSightError && error.notFound) return undefined;
    throw error;
  }
}

function* inOrder(steps: ReturnType<typeof tagSteps>): Plan<void> {
  for (const step of steps) yield step;
}

function refuseOtherType({ IdentityType }: UserResourceProperties, user: User): void {
  if (user.IdentityType === IdentityType) return;
  throw new RefusedByRule(
    `user "${user.UserName}" has identity type ${user.IdentityType} and cannot become ${IdentityType}: ` +
      `remove the user from the code, deploy, and declare it anew`,
  );
}

/** Delete and register loses nothing: nobody has used this user, and nobody else declares it. */
function mayRegisterAgain({ user, tags }: Found, ownKey: string): boolean {
  return (
    user.IdentityType === 'QUICKSIGHT' &&
    user.Active === false &&
    otherHolders(tags, ownKey).length === 0 &&
    !tags.has(ADOPTED)
  );
}

function taken(event: Create | Update, user: User, invitationUrl: string | undefined, current?: UserId): Outcome {
  // A registration anew under the same name keeps its physical id: with another one CloudFormation would send a
  // clean-up Delete for the old id, which by its name is the new registration.
  const physicalId =
    event.RequestType === 'Update' && current?.arn === user.Arn ? event.physicalId : physicalIdOf(user);
  return { physicalId, attributes: attributesOf(user, invitationUrl) };
}

function physicalIdOf(user: User): string {
  return formatPhysicalId(user.Arn!, user.PrincipalId!);
}

function attributesOf(user: User, invitationUrl?: string): UserResourceAttributes {
  return {
    Arn: user.Arn!,
    UserName: user.UserName!,
    PrincipalId: user.PrincipalId!,
    InvitationUrl: invitationUrl || INVITATION_UNAVAILABLE,
  };
}

function asUser({ arn, userName, principalId }: UserId): User {
  return { Arn: arn, UserName: userName, PrincipalId: principalId };
}

function userKey({ AwsAccountId, Namespace }: UserResourceProperties, UserName: string) {
  return { AwsAccountId, Namespace, UserName };
}

/** An answer without its ids, or with the `N/A` of a user whose IAM identity is gone, would make a broken physical id. */
function requireIds(user: User | undefined): User & Required<Pick<User, 'Arn' | 'UserName' | 'PrincipalId'>> {
  for (const name of ['Arn', 'UserName', 'PrincipalId'] as const) {
    const value = user?.[name];
    if (!value || value === 'N/A')
      throw new Error(`QuickSight answered with ${name} ${value ? `"${value}"` : 'missing'}`);
  }
  return user as ReturnType<typeof requireIds>;
}

function foreign({ Namespace }: UserResourceProperties, { user, tags }: Found): RefusedByRule {
  const holder = [...tags.keys()].map((key) => describeHolder(tags, key)).find(Boolean);
  return new RefusedByRule(
    `user "${user.UserName}" of namespace "${Namespace}" exists already, and this resource does not hold it: ` +
      (holder
        ? `it belongs to ${holder}. Remove it there first, or use that declaration`
        : `no stack holds it. Delete the user in QuickSight if nobody needs it, or declare another name`) +
      `. The user was left untouched`,
  );
}
