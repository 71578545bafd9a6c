import { parsePhysicalId, userNameOf, type UserId } from '../lib/private/user-arn';
import type { UserResourceProperties } from '../lib/private/user-resource';
import { namesUser } from './event';
import { call, type Plan } from './execute';
import { ADOPTED, BEFORE, holderKey, holdOf, isShared, leavingTag, otherHolds, ownBefore, type Tags } from './holder';
import { describe, keyOf, keyOfId, listTags, lookUntil, orNothing, type Found, type UserKey } from './live-user';
import { holderOf, type Delete, type Outcome, type Scope, type Update } from './outcome';
import { restoreRequest } from './plan';
import { outOfTime, QuickSightError, type Patience } from './quicksight-api';
import { isDenied, nothingThere } from './remedy';

const SHARED = 'only our tags were removed: other resources hold the user';
const RELEASED =
  'only our tags were removed: the user existed before any stack held it, and was not taken out of the code';
const NOT_HELD = 'the user was left alone: this resource does not hold it';

/** Acts on a Delete: by the physical id and by who holds the user, never by wishes in the properties. */
export function* remove(scope: Scope<Delete>): Plan<Outcome> {
  const { physicalId } = scope.event;
  if (physicalId.startsWith('none:')) return { physicalId };
  const id = parsePhysicalId(physicalId);
  try {
    if (id) yield* removeKnown(scope, id);
    else yield* removeUnknown(scope);
  } catch (error) {
    // Gone already, or nothing is left that could hold it.
    if (!(error instanceof QuickSightError && nothingThere(error, !id))) throw error;
  }
  return { physicalId };
}

function* removeKnown(scope: Scope<Delete>, id: UserId): Plan<void> {
  const ownKey = holderKey(scope.event);
  const key = keyOfId(id);
  const isIam = id.principalId.startsWith('federated/');
  const tags = yield* orNothing(listTags(id.arn));
  const isHeld = tags && holdOf(tags, ownKey) !== undefined;
  const isOrphan = tags && !isHeld && otherHolds(tags, ownKey).length === 0 && !tags.has(ADOPTED);
  const user = tags && (isIam || isOrphan) ? yield* orNothing(describe(key)) : undefined;
  if (isHeld) yield* orNothing(letGo(scope, id.arn, key, tags));
  else if (isOrphan && user?.IdentityType === 'QUICKSIGHT' && user.PrincipalId === id.principalId) {
    // The tags were stripped by hand. A principal id of QuickSight's own is never given again, so this one is ours. It
    // goes like any other, for somebody may be adopting it at this moment.
    const { Key, Value } = holderOf(scope);
    try {
      yield* orNothing(letGo(scope, id.arn, key, new Map([[Key, Value]])));
    } catch (error) {
      // Fifty tags of others leave no room for ours, nor for those of anybody who could adopt it.
      if (!(error instanceof QuickSightError && error.code === 'LimitExceededException')) throw error;
      yield* unlessGone(call('DeleteUser', key));
    }
  } else if (tags) yield { note: NOT_HELD };
  // The identity was deleted, and perhaps made and registered anew: its former row has neither name nor ARN.
  if (isIam && user?.PrincipalId !== id.principalId) yield* removeNameless(key, id.principalId);
}

/** `maybe:`, or an id that CloudFormation invented for a Create it cancelled, perhaps while that Create still runs. */
function* removeUnknown(scope: Scope<Delete>): Plan<void> {
  const { event, deployment, patience } = scope;
  // What cannot name a user was never registered.
  if (!namesUser(event.properties)) return;
  const ownKey = holderKey(event);
  const request = /^maybe:(.+)$/.exec(event.physicalId)?.[1];
  const isOurs = (found: Found | undefined): found is Found => {
    const hold = found && holdOf(found.tags, ownKey);
    return hold !== undefined && (request === undefined || hold.requestId === request);
  };
  const found = yield* lookUntil(isOurs, event.properties, patience.looks);
  if (!isOurs(found)) {
    if (found) yield { note: NOT_HELD };
    return;
  }
  // An invented id does not tell which request it stands for. A user held since an earlier deployment was retained then;
  // and when this one has come to its clean-up, a user held since it began is the one that it made instead.
  const isRecent = request !== undefined || (yield* deployment.covers(holdOf(found.tags, ownKey)!.since));
  const isReplaced = request === undefined && (yield* deployment.isRemovingOnPurpose());
  if (isRecent !== undefined && isRecent === isReplaced) {
    yield { note: NOT_HELD };
    return;
  }
  yield* letGo(scope, found.user.Arn, keyOf(event.properties, found.user.UserName), found.tags);
}

/**
 * In a roll-back, lets go of the user that only the old properties name: the failed Update had taken it, and no clean-up
 * Delete will come for it. One that was ours before this deployment began is left alone.
 */
export function* letGoOfStray(scope: Scope<Update>, id: UserId): Plan<void> {
  const { event, deployment } = scope;
  const { properties, oldProperties } = event;
  if (!namesUser(oldProperties) || isNamed(properties, oldProperties) || isNamedBy(id, oldProperties)) return;
  if (!(yield* deployment.isRollingBack())) return;
  const ownKey = holderKey(event);
  // The failed Update may still run: CloudFormation does not wait for what it cancels.
  const isHeld = (found: Found | undefined): found is Found => !!found && holdOf(found.tags, ownKey) !== undefined;
  let found: Found | undefined;
  try {
    found = yield* lookUntil(isHeld, oldProperties, scope.patience.looks);
  } catch (error) {
    // The roll-back of the role comes first: it may have taken away what the failed Update was allowed, and a stack that
    // cannot roll back is worse than a user who is there with our tag.
    if (!(error instanceof QuickSightError && isDenied(error))) throw error;
    yield { note: `roll-back: a user of the failed update may be left, it cannot be looked for: ${error.code}` };
    return;
  }
  if (!isHeld(found) || !(yield* deployment.covers(holdOf(found.tags, ownKey)!.since))) return;
  yield* orNothing(letGo(scope, found.user.Arn, keyOf(oldProperties, found.user.UserName), found.tags));
}

/** Lets go of a user that we hold: the last holder's going deletes it. */
function* letGo(scope: Scope<Delete | Update>, arn: string, key: UserKey, seen: Tags): Plan<void> {
  const { event, deployment, patience } = scope;
  const ownKey = holderKey(event);
  // First said, then looked: of two holders that let go at the same moment, each sees that the other is leaving. And a
  // resource that takes the user now either is seen below, or sees us leaving and waits.
  if (!holdOf(seen, ownKey)!.leaving) {
    yield* call('TagResource', { ResourceArn: arn, Tags: [leavingTag(seen, ownKey)] });
  }
  // Before the tags are listed: what they say must not grow old while CloudFormation is asked.
  if (seen.has(ADOPTED)) yield* deployment.isRemovingOnPurpose();
  for (const wait of endlessly(patience.looks)) {
    const tags = yield* listTags(arn);
    if (!holdOf(tags, ownKey)) {
      yield { note: NOT_HELD };
      return;
    }
    const isLast = !isShared(tags, ownKey);
    if (!isLast || (tags.has(ADOPTED) && !(yield* deployment.isRemovingOnPurpose()))) {
      yield* release(scope, arn, key, tags, isLast);
      return;
    }
    try {
      yield* call('DeleteUser', key, patience.tagsHold);
      return;
    } catch (error) {
      if (!(error instanceof QuickSightError && error.passing)) throw error;
      yield { wait, atDeadline: outOfTime(error.operation, error) };
    }
  }
}

/** Takes our tags off. In a roll-back the user gets back what we had changed, as far as QuickSight allows. */
function* release(scope: Scope<Delete | Update>, arn: string, key: UserKey, tags: Tags, isLast: boolean): Plan<void> {
  const { event, deployment } = scope;
  const TagKeys = [holderKey(event)];
  if (tags.has(BEFORE)) {
    const own = ownBefore(tags, event);
    const rollingBack = yield* deployment.isRollingBack();
    if (own && rollingBack) yield* restore(key, own);
    // What another taker wrote is for its own roll-back.
    if (own || isLast || rollingBack === false) TagKeys.push(BEFORE);
  }
  yield* call('UntagResource', { ResourceArn: arn, TagKeys });
  yield { note: isLast ? RELEASED : SHARED };
}

function* restore(key: UserKey, before: { role: string; customPermissions: string }): Plan<void> {
  try {
    const request = restoreRequest(key, yield* describe(key), before);
    if (request) yield* call('UpdateUser', request);
    if (request && request.Role !== before.role) yield { note: 'roll-back: QuickSight does not allow the former role' };
  } catch (error) {
    if (!(error instanceof QuickSightError && error.refused)) throw error;
    yield { note: `roll-back: role and custom permissions of before could not be restored: ${error.code}` };
  }
}

/**
 * Deletes a user that we hold, and notices when it has become somebody else's meanwhile: an attempt whose answer was lost
 * may have deleted it, and another may have registered it anew since.
 */
export function* deleteUser({ looks, tagsHold }: Patience, arn: string, key: UserKey, ownKey: string): Plan<void> {
  for (const wait of endlessly(looks)) {
    try {
      yield* unlessGone(call('DeleteUser', key, tagsHold));
      return;
    } catch (error) {
      if (!(error instanceof QuickSightError && error.passing)) throw error;
      yield { wait, atDeadline: outOfTime(error.operation, error) };
    }
    const tags = yield* orNothing(listTags(arn));
    if (!tags || !holdOf(tags, ownKey)) return;
  }
}

/** Deletes the row of a user whose IAM identity is gone: it has no name, and is found on any page of all users. */
function* removeNameless({ AwsAccountId, Namespace }: UserKey, PrincipalId: string): Plan<void> {
  let NextToken: string | undefined;
  do {
    const page = yield* call('ListUsers', { AwsAccountId, Namespace, NextToken, MaxResults: 100 });
    if (page.UserList?.some((user) => user.PrincipalId === PrincipalId && user.UserName === 'N/A')) {
      yield* unlessGone(call('DeleteUserByPrincipalId', { AwsAccountId, Namespace, PrincipalId }));
      return;
    }
    NextToken = page.NextToken;
  } while (NextToken);
}

/** An attempt before the last may have deleted the user, so that the last found none. */
function* unlessGone(step: Plan<unknown>): Plan<void> {
  yield* orNothing(step);
}

function isNamed(one: UserResourceProperties, other: UserResourceProperties): boolean {
  return one.Namespace === other.Namespace && userNameOf(one) === userNameOf(other);
}

export function isNamedBy(id: UserId, properties: UserResourceProperties): boolean {
  return id.namespace === properties.Namespace && id.userName === userNameOf(properties);
}

/** The pauses, and the last of them for ever: only the deadline ends this. */
function* endlessly(pauses: readonly number[]): Generator<number, never> {
  yield* pauses;
  for (;;) yield pauses.at(-1)!;
}
