import { formatPhysicalId, type UserId } from '../lib/private/user-arn';
import type { Tag } from '../lib/private/user-resource';
import { call, type Plan } from './execute';
import { ADOPTED, beforeTag, describeHolder, holdOf, isBeingLeft, isHeldWithin, isShared, type Hold } from './holder';
import { joinGroups, listGroups } from './groups';
import { deleteUser } from './let-go';
import {
  keyOf,
  listTags,
  lookOnce,
  lookUntil,
  orNothing,
  physicalIdOf,
  requireIds,
  type Found,
  type LiveUser,
} from './live-user';
import { holderOf, keepInvitation, succeed, type Create, type Outcome, type Scope, type Update } from './outcome';
import {
  downgradeRefusal,
  identityRefusal,
  isDowngrade,
  reasonToKeep,
  RefusedByRule,
  registerRequest,
  updateRequest,
} from './plan';
import { QuickSightError } from './quicksight-api';
import { isDenied } from './remedy';
import { isRollingBack, isUpdate, refuse, updateUser } from './roll-back';

/** A user that is to become ours. */
interface Taking {
  /** The user that an Update is about to leave. */
  readonly current?: UserId;
  /** Tags of people that a registration must bring back. */
  readonly kept?: readonly Tag[];
  /** QuickSight said once that the user exists, and then that it does not: enough. */
  readonly vacated?: boolean;
  /** Groups that a registration must bring back. */
  readonly groups?: readonly string[];
  /** How often a lost invitation has been issued anew. */
  readonly reissued?: number;
}

/** Answers of RegisterUser that are lost in a row: more is not bad luck. */
const MAX_REISSUES = 3;

/** Makes the declared user ours: registers it or, when it exists, does what the table of ownership says. */
export function* take(scope: Scope<Create | Update>, taking: Taking = {}): Plan<Outcome> {
  const { event } = scope;
  const holder = holderOf(scope);
  failWith(scope, `maybe:${event.RequestId}`);
  let refusal: QuickSightError;
  try {
    const request = registerRequest(event.properties, holder, taking.kept);
    const { User, UserInvitationUrl } = yield* call('RegisterUser', request);
    const user = requireIds(User);
    return yield* registered(scope, taking, user, UserInvitationUrl);
  } catch (error) {
    if (!(error instanceof QuickSightError && error.refused && error.operation === 'RegisterUser')) throw error;
    refusal = error;
  }

  // Refused, but perhaps not the first attempt: an earlier one, or an earlier delivery of this event, may have succeeded.
  const found = yield* look(scope, holder.Key, refusal);
  const hold = found && holdOf(found.tags, holder.Key);
  const exists = refusal.code === 'ResourceExistsException';
  // Who had the name has let it go between the two calls.
  if (!found && exists && !taking.vacated) return yield* take(scope, { ...taking, vacated: true });
  if (!found && exists) throw refusal;
  const isRepeated = hold?.requestId === event.RequestId;
  // Our tag of this request is not there, so there is nothing that the Delete after a failed Create would have to undo.
  if (!isRepeated) failWith(scope, `none:${event.RequestId}`);
  if (!found || !(isRepeated || exists)) throw refusal;
  return isRepeated
    ? yield* finish(scope, found, hold, taking, refusal)
    : yield* takeExisting(scope, found, hold, taking);
}

function* registered(
  scope: Scope<Create | Update>,
  taking: Taking,
  user: LiveUser,
  url: string | undefined,
): Plan<Outcome> {
  const { properties } = scope.event;
  failWith(scope, physicalIdOf(user));
  yield* keepInvitation(scope, user, url);
  const groups = new Set([...(properties.GroupNames ?? []), ...(taking.groups ?? [])]);
  yield* joinGroups(scope, keyOf(properties, user.UserName), [...groups]);
  return yield* succeed(scope, idFor(scope, user, taking), user, url);
}

/**
 * A repeated event, or an attempt whose answer was lost: the user is as this event left it. Changes what is missing, and
 * fails for nothing.
 */
function* finish(
  scope: Scope<Create | Update>,
  found: Found,
  hold: Hold,
  taking: Taking,
  refusal: QuickSightError,
): Plan<Outcome> {
  const { event, deployment } = scope;
  const { user, tags } = found;
  failWith(scope, physicalIdOf(user));
  const holder = holderOf(scope);
  const isOfThisInvocation = refusal.ambiguous && tags.get(holder.Key) === holder.Value;
  const { reissued = 0 } = taking;
  if (isOfThisInvocation && reissued < MAX_REISSUES && !reasonToKeep(user, tags, holder.Key)) {
    // The answer with the invitation URL was lost, and QuickSight gives it only once.
    yield* deleteUser(scope.patience, user.Arn, keyOf(event.properties, user.UserName), holder.Key);
    return yield* take(scope, { ...taking, reissued: reissued + 1 });
  }
  const role = isDowngrade(user.Role, event.properties.UserRole) ? user.Role : event.properties.UserRole;
  const request = updateRequest(event.properties, undefined, user, role);
  const Tags = missingTags(scope, found);
  if (hold.leaving) return yield* succeed(scope, idFor(scope, user, taking), user);
  const groups = yield* missingGroups(scope, user);
  if (request || Tags.length > 0 || groups.length > 0) {
    if ((yield* deployment.isUnderWay()) === false || (yield* deployment.covers(hold.since)) === false) {
      yield { note: 'this event comes again after its deployment: what has been changed since is left as it is' };
      return yield* succeed(scope, idFor(scope, user, taking), user);
    }
    if (Tags.length > 0) yield* call('TagResource', { ResourceArn: user.Arn, Tags });
  }
  if (isBeingLeft(tags, holder.Key) && !(yield* outlivesLeavers(scope, user.Arn))) return yield* take(scope, taking);
  if (!(yield* updateUser(scope, request))) return yield* take(scope, taking);
  yield* joinGroups(scope, keyOf(event.properties, user.UserName), groups);
  return yield* succeed(scope, idFor(scope, user, taking), user);
}

/** The user exists, and this event did not make it so. */
function* takeExisting(
  scope: Scope<Create | Update>,
  found: Found,
  hold: Hold | undefined,
  taking: Taking,
): Plan<Outcome> {
  const { event } = scope;
  const { user, tags } = found;
  const { current } = taking;
  // A principal id of identity type QUICKSIGHT is unique for ever. One of IAM comes back with its identity, so that only
  // the holder tag tells whose registration this is.
  const isCurrent = current?.principalId === user.PrincipalId && (hold !== undefined || user.IdentityType !== 'IAM');
  const isWithinReach = hold !== undefined || isHeldWithin(tags, event.properties.RootStackId, holderOf(scope).Key);
  if (isCurrent) return yield* bringBack(scope, found, taking);
  if (hold && (yield* isRollingBack(scope))) return yield* bringBack(scope, found, taking);
  if (!isWithinReach) {
    // Never adopted back: what somebody else registered meanwhile stays theirs, and the roll-back goes on without it.
    if (isUpdate(scope) && current && (yield* scope.deployment.isRollingBack())) {
      yield { note: 'roll-back: the former user is somebody else’s now, and was left alone' };
      return yield* succeed(scope, nobodysId(user), user);
    }
    if (event.properties.OnExisting !== 'ADOPT') throw foreign(scope, found);
  }
  // A take-over within the root stack marks nobody: the user was registered for it. A holder of our own does not count:
  // it was retained or abandoned by an earlier deployment, and must outlive a roll-back of this one.
  const isTakeOver = hold === undefined && isWithinReach;
  const adopted = !isTakeOver && !isShared(tags, holderOf(scope).Key);
  return yield* claim(scope, found, adopted, taking);
}

/** Becomes a holder of a user that others hold, or nobody, and brings it to what is declared. */
function* claim(scope: Scope<Create | Update>, found: Found, adopted: boolean, taking: Taking): Plan<Outcome> {
  const { event } = scope;
  const { properties } = event;
  const { user, tags } = found;
  const holder = holderOf(scope);
  const reason = reasonToKeep(user, tags, holder.Key) ?? 'this resource is only about to take it';
  if (user.IdentityType !== properties.IdentityType) {
    yield* refuse(scope, identityRefusal(user, properties, reason));
    return yield* succeed(scope, nobodysId(user), user);
  }
  let role: string | undefined = properties.UserRole;
  if (isDowngrade(user.Role, role)) {
    yield* refuse(scope, downgradeRefusal(user, role, reason));
    role = user.Role;
  }
  const request = updateRequest(properties, undefined, user, role);

  const resource = { ...event, RootStackId: properties.RootStackId };
  const Tags = [
    holder,
    beforeTag(resource, user.Role, user.CustomPermissionsName),
    ...(adopted ? [{ Key: ADOPTED, Value: 'true' }] : []),
    ...missingTags(scope, found),
  ];
  // Not the real id before our tag is known to be there: without it, a Delete would take the user for one of ours whose
  // tags were stripped.
  failWith(scope, `maybe:${event.RequestId}`);
  if (!(yield* orNothing(call('TagResource', { ResourceArn: user.Arn, Tags })))) return yield* take(scope, taking);
  failWith(scope, physicalIdOf(user));
  if (!(yield* outlivesLeavers(scope, user.Arn))) return yield* take(scope, taking);
  if (!(yield* updateUser(scope, request))) return yield* take(scope, taking);
  yield* joinGroups(scope, keyOf(properties, user.UserName), yield* missingGroups(scope, user));
  return yield* succeed(scope, idFor(scope, user, taking), user);
}

/** Brings a user that is ours to what is declared, without becoming a holder anew. */
function* bringBack(scope: Scope<Create | Update>, found: Found, taking: Taking): Plan<Outcome> {
  const { event } = scope;
  const { user, tags } = found;
  const holder = holderOf(scope);
  const reason = reasonToKeep(user, tags, holder.Key) ?? 'a roll-back changes no more than it must';
  const physicalId = idFor(scope, user, taking);
  if (user.IdentityType !== event.properties.IdentityType) {
    yield* refuse(scope, identityRefusal(user, event.properties, reason));
    return yield* succeed(scope, physicalId, user);
  }
  let role: string | undefined = event.properties.UserRole;
  if (isDowngrade(user.Role, role)) {
    yield* refuse(scope, downgradeRefusal(user, role, reason));
    role = user.Role;
  }
  const request = updateRequest(event.properties, undefined, user, role);
  const Tags = [...(holdOf(tags, holder.Key)?.leaving ? [holder] : []), ...missingTags(scope, found)];
  const tagged = Tags.length === 0 || (yield* orNothing(call('TagResource', { ResourceArn: user.Arn, Tags })));
  const updated = tagged && (yield* updateUser(scope, request));
  if (!updated) return yield* take(scope, taking);
  yield* joinGroups(scope, keyOf(event.properties, user.UserName), yield* missingGroups(scope, user));
  return yield* succeed(scope, physicalId, user);
}

/**
 * Reads the tags after ours was written: whoever is leaving by then may not have seen it, and is given time to go.
 *
 * @returns whether the user is still there, and ours
 */
function* outlivesLeavers(scope: Scope<Create | Update>, arn: string): Plan<boolean> {
  const { Key } = holderOf(scope);
  let isHeld = false;
  for (const wait of [...scope.patience.looks, 0]) {
    const tags = yield* orNothing(listTags(arn));
    if (!tags) return false;
    isHeld = holdOf(tags, Key) !== undefined;
    if (isHeld && !isBeingLeft(tags, Key)) return true;
    yield { wait };
  }
  return isHeld;
}

/** The user of this name with its tags, looked at again for a while if an attempt of ours may have registered it. */
function* look(scope: Scope<Create | Update>, ownKey: string, refusal: QuickSightError): Plan<Found | undefined> {
  const { properties, RequestId } = scope.event;
  const { looks } = scope.patience;
  const isOurs = (found: Found | undefined) => !!found && holdOf(found.tags, ownKey)?.requestId === RequestId;
  try {
    if (refusal.ambiguous) return yield* lookUntil(isOurs, properties, looks);
    // RegisterUser knows a new user before DescribeUser does: it may be the one of an earlier delivery of this event.
    if (refusal.code === 'ResourceExistsException') return yield* lookUntil(Boolean, properties, looks);
    return yield* lookOnce(properties);
  } catch (error) {
    if (!(error instanceof QuickSightError)) throw error;
    // With `maybe:`, the Delete that follows would be denied just as this look was, and the stack would be stuck.
    if (isDenied(refusal)) failWith(scope, `none:${RequestId}`);
    // The refusal itself is what a person can act on.
    throw refusal;
  }
}

/** A failed Update answers with the old id, whatever has been done. */
function failWith({ event, draft }: Scope<Create | Update>, physicalId: string): void {
  if (event.RequestType === 'Create') draft.physicalId = physicalId;
}

function missingTags({ event }: Scope<Create | Update>, { tags }: Found): Tag[] {
  return (event.properties.Tags ?? []).filter(({ Key, Value }) => tags.get(Key) !== Value);
}

function* missingGroups({ event }: Scope<Create | Update>, { UserName }: LiveUser): Plan<string[]> {
  const { GroupNames = [] } = event.properties;
  if (GroupNames.length === 0) return [];
  const live = yield* listGroups(keyOf(event.properties, UserName));
  return GroupNames.filter((name) => !live.includes(name));
}

/**
 * A registration anew under the same name keeps its physical id: with another one CloudFormation would send a clean-up
 * Delete for the old id, which by its name is the new registration.
 */
function idFor({ event }: Scope<Create | Update>, user: Found['user'], { current }: Taking): string {
  return event.RequestType === 'Update' && current?.arn === user.Arn ? event.physicalId : physicalIdOf(user);
}

/**
 * The answer of a roll-back that does not get its former user back. CloudFormation must be told another id than that of the
 * user which is rolled back, or it would send no Delete for that one. By its principal it is nobody's: with the real one,
 * a Delete would take the user for one of ours whose tags were stripped.
 */
function nobodysId({ Arn }: Found['user']): string {
  return formatPhysicalId(Arn, 'not-ours');
}

/** @param isReplaced the user under the name of ours is another one by now, which ADOPT does not take back */
export function foreign({ event }: Scope<Create | Update>, { user, tags }: Found, isReplaced = false): RefusedByRule {
  const { Namespace } = event.properties;
  const holder = describeHolder(tags);
  const whose = holder ? `it belongs to ${holder}` : 'no stack holds it';
  const way = isReplaced
    ? 'Remove the user from the code, deploy, and declare it anew, with onExisting ADOPT if this one is to be taken over'
    : holder
      ? 'Remove it there first, or use that declaration, or take it over with onExisting ADOPT'
      : 'Take it over with onExisting ADOPT, or delete it in QuickSight if nobody needs it';
  return new RefusedByRule(
    `user "${user.UserName}" of namespace "${Namespace}" exists already, and this resource does not hold it: ${whose}. ` +
      `${way}. The user was left untouched`,
  );
}
