import { parsePhysicalId, type UserId } from '../lib/private/user-arn';
import type { UserResourceProperties } from '../lib/private/user-resource';
import { Deployment } from './deployment';
import { EventError, type UserEvent } from './event';
import type { Plan } from './execute';
import { joinGroups, leaveGroups, listGroups } from './groups';
import { ADOPTED, holderKey, holdOf, isHeldWithin, type Tags } from './holder';
import { deleteUser, isNamedBy, letGoOfStray, remove } from './let-go';
import { describe, keyOfId, listTags, orNothing, type UserKey } from './live-user';
import { idsOf, succeed, succeedUnchanged, type Draft, type Outcome, type Scope, type Update } from './outcome';
import {
  differsInPathOnly,
  downgradeRefusal,
  identityRefusal,
  isDowngrade,
  keptTags,
  needsUpdate,
  reasonToKeep,
  RefusedByRule,
  sameIdentity,
  tagSteps,
  updateRequest,
  wantedRole,
} from './plan';
import type { Patience } from './quicksight-api';
import { refuse, updateUser } from './roll-back';
import { foreign, take } from './take';

/** The plan of one event. `draft` holds the physical id that a failure must answer with. */
export function onEvent(event: UserEvent, draft: Draft, patience: Patience): Plan<Outcome> {
  const scope = {
    draft,
    patience,
    deployment: new Deployment(event.StackId),
    arrivedAt: Math.floor(Date.now() / 1000),
  };
  switch (event.RequestType) {
    case 'Create':
      return take({ ...scope, event });
    case 'Update':
      return update({ ...scope, event });
    case 'Delete':
      return remove({ ...scope, event });
  }
}

function* update(scope: Scope<Update>): Plan<Outcome> {
  const { physicalId, properties } = scope.event;
  const id = parsePhysicalId(physicalId);
  if (!id)
    throw new EventError(`physical id "${physicalId}" is not <user ARN>;<principal id>, so not of this resource`);
  if (properties.AwsAccountId !== id.accountId) {
    throw new RefusedByRule(
      `a user cannot move from account ${id.accountId} to ${properties.AwsAccountId}: remove it from the code, deploy, ` +
        `and declare it in a stack of the other account`,
    );
  }
  return yield* bringTo(id, yield* withWhatIsKnown(scope));
}

/**
 * An Update that changes nothing can be a roll-back that failed half-way and is tried again: nobody knows how far the first
 * attempt came, so nothing is known of before, but the invitation, which must not be issued for that.
 */
function* withWhatIsKnown(scope: Scope<Update>): Plan<Scope<Update>> {
  const { event, deployment } = scope;
  if (!event.isUnchanged || !(yield* deployment.isRollingBack())) return scope;
  const { InvitationVersion } = event.properties;
  return { ...scope, event: { ...event, oldProperties: { InvitationVersion } } };
}

function* bringTo(id: UserId, scope: Scope<Update>): Plan<Outcome> {
  const { properties, oldProperties } = scope.event;
  // The old properties name another user in the roll-back of a change of name that failed, and the physical id does not.
  const isCurrent = sameIdentity(properties, oldProperties) || isNamedBy(id, properties);
  const outcome = isCurrent ? yield* updateInPlace(scope, id) : yield* take(scope, { current: id });
  yield* letGoOfStray(scope, id);
  return outcome;
}

/** What the template changed of a user whose name stays, and nothing else. */
function* updateInPlace(scope: Scope<Update>, id: UserId): Plan<Outcome> {
  const { physicalId, properties, oldProperties } = scope.event;
  const isSame = sameIdentity(properties, oldProperties) || !isNamedBy(id, oldProperties as UserResourceProperties);
  // In a roll-back, the update that asked for a new invitation may have deleted the user and come no further.
  const isInvitationSame = properties.InvitationVersion === oldProperties.InvitationVersion;
  if (isSame && isInvitationSame && !needsUpdate(properties, oldProperties)) {
    const changed = yield* orNothing(changeTagsAndGroups(scope, id.arn, keyOfId(id)));
    return changed ? yield* succeed(scope, physicalId, idsOf(id)) : yield* registerAgain(scope, id);
  }
  return (yield* orNothing(updateLive(scope, id, isSame))) ?? (yield* registerAgain(scope, id));
}

/** The user was deleted behind our back, unless this event comes so late that its own Delete came before it. */
function* registerAgain(scope: Scope<Update>, current: UserId): Plan<Outcome> {
  if ((yield* scope.deployment.isUnderWay()) === false) {
    throw new RefusedByRule(
      'the user is gone, and the deployment that this event belongs to has ended: nothing was done',
    );
  }
  return yield* take(scope, { current });
}

/** @param isSame the identity is the declared one, or QuickSight cannot show otherwise */
function* updateLive(scope: Scope<Update>, id: UserId, isSame: boolean): Plan<Outcome> {
  const { event } = scope;
  const { physicalId, properties, oldProperties } = event;
  const ownKey = holderKey(event);
  const user = yield* describe(keyOfId(id));
  const isOther = user.PrincipalId !== id.principalId;
  let isIdentityOther = !isSame || user.IdentityType !== properties.IdentityType;
  const isLower = isDowngrade(user.Role, wantedRole(properties, oldProperties, user));
  const asksAnew = asksForInvitation(scope);

  // A principal id of identity type QUICKSIGHT is unique for ever. One of IAM comes back when somebody else registers
  // the same IAM identity again, so that only the holder tag tells whose registration this is.
  const isDoubtful = isOther || user.IdentityType === 'IAM';
  let tags: Tags = new Map();
  if (isDoubtful || isIdentityOther || isLower || asksAnew) tags = yield* listTags(user.Arn);
  const hold = holdOf(tags, ownKey);
  if (isDoubtful && !hold) {
    // Another resource of this stack has registered the user again.
    if (isHeldWithin(tags, properties.RootStackId, ownKey)) return yield* take(scope, { current: id });
    yield* refuse(scope, foreign(scope, { user, tags }, true));
    return yield* succeedUnchanged(scope, id);
  }

  // QuickSight does not tell the ARN of an IAM identity: who adopted a user may have had to guess the path in it.
  if (tags.has(ADOPTED) && !isOther && differsInPathOnly(properties, oldProperties)) isIdentityOther = false;

  // An earlier delivery of this event may have registered the user anew already.
  const isDone = hold?.requestId === event.RequestId && user.IdentityType === properties.IdentityType;
  let role = wantedRole(properties, oldProperties, user);
  if (!isDone && (isIdentityOther || isLower || asksAnew)) {
    const reason = reasonToKeep(user, tags, ownKey);
    if (!reason) {
      const { GroupNames: former = [] } = oldProperties;
      const groups = (yield* listGroups(keyOfId(id))).filter((name) => !former.includes(name));
      yield* deleteUser(scope.patience, user.Arn, keyOfId(id), ownKey);
      return yield* take(scope, { current: id, kept: keptTags(tags, properties, oldProperties), groups });
    }
    if (isIdentityOther) yield* refuse(scope, identityRefusal(user, properties, reason));
    else if (isLower) yield* refuse(scope, downgradeRefusal(user, role!, reason));
    else if (user.IdentityType !== 'QUICKSIGHT' || user.Active !== false) {
      yield { note: `no new invitation: ${reason}` };
    } else {
      yield* refuse(
        scope,
        new RefusedByRule(
          `user "${user.UserName}" cannot get a new invitation, because it would have to be deleted and registered anew, ` +
            `and ${reason}. Leave invitationVersion as it is`,
        ),
      );
    }
    if (isLower) role = user.Role;
  }
  const request = updateRequest(properties, oldProperties, user, role);
  if (!(yield* updateUser(scope, request))) return yield* registerAgain(scope, id);
  yield* changeTagsAndGroups(scope, user.Arn, keyOfId(id), isOther);
  return yield* succeed(scope, physicalId, user);
}

function asksForInvitation({ event: { properties, oldProperties } }: Scope<Update>): boolean {
  const { InvitationVersion } = properties;
  return InvitationVersion !== undefined && InvitationVersion !== oldProperties.InvitationVersion;
}

/**
 * @param isAnew the user was registered anew since its first time, and perhaps by an event that came no further
 * @returns true, so that it can be told from a plan that came to nothing
 */
function* changeTagsAndGroups(scope: Scope<Update>, arn: string, key: UserKey, isAnew = false): Plan<true> {
  const { properties, oldProperties } = scope.event;
  for (const step of tagSteps(arn, properties.Tags, oldProperties.Tags)) yield step;
  const { GroupNames: declared = [] } = properties;
  const { GroupNames: former = [] } = oldProperties;
  yield* leaveGroups(
    key,
    former.filter((name) => !declared.includes(name)),
  );
  yield* joinGroups(
    scope,
    key,
    declared.filter((name) => isAnew || !former.includes(name)),
  );
  return true;
}
