import type { User } from '@aws-sdk/client-quicksight';
import { ADOPTED, describeHolder, holderKeys, isHeldWithin, isOwnTag, isShared, type Tags } from '../../lambda/holder';
import { differsInPathOnly, isDowngrade, reasonToKeep } from '../../lambda/plan';
import { shardCount, shardOf } from '../../lib/private/shards';
import type { DeclaredUser, UsersDeclaration } from '../users-declaration';
import { wireIdentity } from '../users-file-layers';
import { keyOf } from './drift';
import { compare, GONE, type LiveAccount, type LiveUser } from './live-users';
import type { Named } from './person';
import {
  declaredProperties,
  deployedProperties,
  differences,
  fromLive,
  isInPlace,
  liveProperties,
  NOTHING,
  type Change,
} from './plan-changes';
import { madeGroups, problemsOf, sharedOf, type Shared } from './plan-shared';
import type { Deployed, DeployedUser } from './stacks';

/** What a deployment does to a person. */
export type Action = 'joins' | 'changes' | 'adopted' | 'loses' | 'kept' | 'gone' | 'refused';

export interface Entry {
  readonly action: Action;
  readonly namespace: string;
  readonly user: string;
  readonly changes: readonly Change[];
  /** What else a person has to know: of what is refused, why. */
  readonly note?: string;
}

export interface Plan {
  readonly entries: readonly Entry[];
  readonly shared: readonly Shared[];
  /** Declared users to whom nothing happens. */
  readonly unchanged: number;
  /** Users that neither the files nor the stack have. */
  readonly others: number;
  /** What the deployment would fail for, beside the people who are refused. */
  readonly problems: readonly string[];
  /** What the plan does not know. */
  readonly warnings: readonly string[];
}

const ORDER: readonly Action[] = ['refused', 'loses', 'joins', 'adopted', 'changes', 'kept', 'gone'];

/** Users whose tags decide what happens to them; of all others they need not be read. */
export function usersInDoubt({ users }: UsersDeclaration, live: LiveAccount, deployed: Deployed): LiveUser[] {
  if (deployed.unknown !== undefined) return [];
  const declared = new Map(users.map((user) => [keyOf(user), user]));
  return live.users.filter((user) => {
    if (user.name === GONE) return false;
    const wanted = declared.get(keyOf(user));
    const before = deployed.users.get(keyOf(user));
    if (!wanted) return before !== undefined;
    // What is adopted gets the tags that are declared.
    if (!before) return wanted.onExisting === 'fail' || Object.keys(wanted.tags).length > 0;
    if (!isLookedAt(wanted, before)) return false;
    return (
      isDoubtful(user, before) ||
      isDowngrade(user.role, wanted.role) ||
      isMoved(wanted, before, new Map()) ||
      typeOf(wanted) !== user.identityType ||
      isRenewed(wanted, before)
    );
  });
}

/** Whether the deployment looks at the user before it changes it: it does not for tags and groups. */
function isLookedAt(wanted: DeclaredUser, before: DeployedUser): boolean {
  const changes = differences(deployedProperties(before), declaredProperties(wanted));
  return changes.some(isInPlace) || isRenewed(wanted, before) || isMoved(wanted, before, new Map());
}

/** Only the tags tell whether it is the user that the stack declared: IAM gives a principal id again. */
function isDoubtful(user: LiveUser, before: DeployedUser): boolean {
  return user.identityType === 'IAM' || isAnother(user, before);
}

function isAnother({ principalId }: LiveUser, before: DeployedUser): boolean {
  return before.principalId !== undefined && before.principalId !== principalId;
}

function isRenewed({ invitationVersion }: DeclaredUser, { properties }: DeployedUser): boolean {
  return invitationVersion !== undefined && invitationVersion !== properties.InvitationVersion;
}

/** What a deployment of the files would do to people. */
export function plan(
  declaration: UsersDeclaration,
  live: LiveAccount,
  deployed: Deployed,
  tags: ReadonlyMap<LiveUser, Tags>,
  shards?: number,
): Plan {
  const { users: declared } = declaration;
  const count = shardCount(resourcesOf(declaration), shards);
  const entries: Entry[] = [];
  let unchanged = 0;
  const liveUsers = new Map(live.users.filter(({ name }) => name !== GONE).map((user) => [keyOf(user), user]));
  const { users: stack = new Map<string, DeployedUser>(), stackId = '' } =
    deployed.unknown === undefined ? deployed : {};
  for (const wanted of declared) {
    const key = keyOf(wanted);
    const user = liveUsers.get(key);
    const before = stack.get(key);
    const userTags: Tags = (user && tags.get(user)) ?? new Map<string, string>();
    const entry =
      before && before.shard !== shardNumber(wanted, count)
        ? relocated(wanted, user, live)
        : before
          ? updated(wanted, before, user, userTags, stackId)
          : user
            ? taken(wanted, user, tags.get(user), groupsOf(user, live), deployed)
            : joins(wanted);
    if (entry) entries.push(entry);
    else unchanged++;
  }
  const declaredKeys = new Set(declared.map(keyOf));
  for (const before of stack.values()) {
    const key = keyOf(before);
    if (!declaredKeys.has(key)) entries.push(removed(before, liveUsers.get(key), tags));
  }
  entries.sort(
    (a, b) =>
      ORDER.indexOf(a.action) - ORDER.indexOf(b.action) || compare(a.namespace, b.namespace) || compare(a.user, b.user),
  );
  const others = live.users.filter((user) => !declaredKeys.has(keyOf(user)) && !stack.has(keyOf(user))).length;
  const shared = sharedOf(declaration, live, deployed);
  const problems = problemsOf(entries, declaration, live, deployed);
  return { entries, shared, unchanged, others, problems, warnings: warningsOf(deployed) };
}

function joins(wanted: DeclaredUser, note?: string): Entry {
  return entry('joins', wanted, differences(NOTHING, declaredProperties(wanted)), note);
}

/** A user that exists and that this stack does not declare yet. */
function taken(
  wanted: DeclaredUser,
  user: LiveUser,
  read: Tags | undefined,
  groups: readonly string[],
  deployed: Deployed,
): Entry | undefined {
  const tags: Tags = read ?? new Map<string, string>();
  const changes = differences(liveProperties(user, groups, read, wanted), declaredProperties(wanted));
  const refusal = identityRefusal(wanted, user) ?? downgradeRefusal(wanted, user);
  if (refusal) return entry('refused', wanted, changes, refusal);
  if (deployed.unknown !== undefined) return changes.length > 0 ? entry('changes', wanted, changes) : undefined;
  if (wanted.onExisting === 'adopt') {
    const surplus = tagsTooMany([...tags.keys(), ...Object.keys(wanted.tags)]);
    return surplus ? entry('refused', wanted, changes, surplus) : entry('adopted', wanted, changes);
  }
  // Moved or renamed within the stack, or retained by an earlier deployment of it.
  if (deployed.stackId && isHeldWithin(tags, deployed.stackId, '')) {
    return changes.length > 0 ? entry('changes', wanted, changes) : undefined;
  }
  const note = `exists already${heldBy(tags)}: declare another name, or onExisting: adopt`;
  return entry('refused', wanted, changes, note);
}

/** A user that moves to another nested stack: its new resource takes it over, and asserts all that is declared. */
function relocated(wanted: DeclaredUser, user: LiveUser | undefined, live: LiveAccount): Entry | undefined {
  if (!user) return joins(wanted, 'was declared already, but is gone from QuickSight');
  const changes = differences(
    liveProperties(user, groupsOf(user, live), undefined, wanted),
    declaredProperties(wanted),
  );
  const refusal = identityRefusal(wanted, user) ?? downgradeRefusal(wanted, user);
  if (refusal) return entry('refused', wanted, changes, refusal);
  return changes.length > 0 ? entry('changes', wanted, changes) : undefined;
}

function shardNumber({ namespace, name }: DeclaredUser, shards: number | undefined): number | undefined {
  return shards && shardOf(namespace, name, shards) + 1;
}

/** QuickSight allows 50 tags, of which an adoption takes three. Those of AWS itself do not count. */
const MOST_TAGS_OF_OTHERS = 47;

/** Why a user with tags of these keys, some of them perhaps twice, cannot be adopted. */
export function tagsTooMany(keys: readonly string[]): string | undefined {
  const others = new Set(keys.filter((key) => !isOwnTag(key) && !key.startsWith('aws:'))).size;
  const surplus = others - MOST_TAGS_OF_OTHERS;
  if (surplus <= 0) return undefined;
  return `has ${others} tags with those declared, and an adoption takes 3 of the 50 that QuickSight allows: take ${surplus} off first`;
}

/** A user that the stack declares before and after. */
function updated(
  wanted: DeclaredUser,
  before: DeployedUser,
  user: LiveUser | undefined,
  tags: Tags,
  stackId: string,
): Entry | undefined {
  const { properties } = before;
  const changes = differences(deployedProperties(before), declaredProperties(wanted));
  const renewed = isRenewed(wanted, before);
  const moved = isMoved(wanted, before, tags);
  if (!user && changes.length === 0 && !renewed && !moved) {
    return entry(
      'gone',
      wanted,
      [],
      'is gone from QuickSight; nothing of the entry changes, so nobody is registered again',
    );
  }
  if (!user) return joins(wanted, 'was declared already, but is gone from QuickSight');
  // A role that the files do not change stays as it is, also where it was raised by hand.
  const role = properties.UserRole === wanted.role ? user.role : wanted.role;
  const told = fromLive(changes, user, wanted);
  if (told.length === 0 && !renewed && !moved) return undefined;
  const isLost = isLookedAt(wanted, before) && isDoubtful(user, before) && !tags.has(before.holderKey);
  if (isLost && !isHeldWithin(tags, stackId, before.holderKey)) {
    const note = `is not marked as this stack's${heldBy(tags)}: remove the entry, deploy, and add it again with onExisting: adopt`;
    return entry('refused', wanted, told, note);
  }
  const reason = reasonToKeep(asInApi(user), tags, before.holderKey);
  if (moved || typeOf(wanted) !== user.identityType) {
    if (reason) return entry('refused', wanted, told, moveRefusal(wanted, user, reason));
    return entry('changes', wanted, told, `never signed in: is deleted and registered again as ${typeOf(wanted)}`);
  }
  if (isDowngrade(user.role, role)) {
    if (reason) return entry('refused', wanted, told, downgradeNote(user, wanted, reason));
    return entry('changes', wanted, told, 'never signed in: is deleted and registered again, with a new invitation');
  }
  // Who has signed in needs none.
  if (renewed && user.identityType === 'QUICKSIGHT' && !user.active) {
    if (reason) return entry('refused', wanted, told, `cannot get a new invitation: ${reason}`);
    return entry('changes', wanted, told, 'gets a new invitation');
  }
  return told.length > 0 ? entry('changes', wanted, told) : undefined;
}

/** A user that the stack declares and the files do not. */
function removed(before: DeployedUser, user: LiveUser | undefined, tags: ReadonlyMap<LiveUser, Tags>): Entry {
  const { holderKey, retained } = before;
  if (!user) return entry('gone', before, [], 'is gone from QuickSight already');
  if (retained) return entry('kept', before, [], 'stays in QuickSight, no longer managed');
  const userTags = tags.get(user) ?? new Map<string, string>();
  if (isShared(userTags, holderKey)) {
    return entry('kept', before, [], 'stays in QuickSight: another resource holds the user, too');
  }
  const isStripped = holderKeys(userTags).length === 0 && !userTags.has(ADOPTED);
  if (!userTags.has(holderKey) && !(isStripped && !isDoubtful(user, before))) {
    return entry('kept', before, [], "stays in QuickSight: it is not marked as this stack's");
  }
  const owns = /^READER/.test(user.role) ? undefined : 'what the user owns is left without an owner: transfer it first';
  return entry('loses', before, [{ property: 'role', from: user.role }], owns);
}

function heldBy(tags: Tags): string {
  const holder = describeHolder(tags);
  return holder ? `, held by ${holder}` : '';
}

function asInApi({ identityType, active }: LiveUser): User {
  return { IdentityType: identityType as User['IdentityType'], Active: active };
}

/** QuickSight has a person of another kind under this name. */
function identityRefusal(wanted: DeclaredUser, { identityType }: LiveUser): string | undefined {
  const type = typeOf(wanted);
  if (type === identityType) return undefined;
  return `exists with identity type ${identityType} and is declared as ${type}: declare it as it is, or delete it in QuickSight, which leaves what it owns without an owner`;
}

function moveRefusal(wanted: DeclaredUser, user: LiveUser, reason: string): string {
  const type = typeOf(wanted);
  const what = type === user.identityType ? `another identity of type ${type}` : `${type}, from ${user.identityType},`;
  return `cannot become ${what} under the same name, as ${reason}: remove the user, deploy, and declare it anew`;
}

function typeOf({ identity }: DeclaredUser): 'QUICKSIGHT' | 'IAM' {
  return 'userName' in identity ? 'QUICKSIGHT' : 'IAM';
}

/** The user is declared by another identity, such as a role of another path, that makes the same user name. */
function isMoved(wanted: DeclaredUser, { properties }: DeployedUser, tags: Tags): boolean {
  const { IdentityType, IamArn } = wireIdentity(wanted.identity);
  if (IdentityType !== properties.IdentityType) return true;
  // What is a token in the template says nothing.
  if (IamArn === undefined || typeof properties.IamArn !== 'string') return false;
  const whole = Object.values(wanted.identity).includes(IamArn);
  // A name, unlike an ARN, leaves open which account it is of.
  const [now, before] = [IamArn, properties.IamArn].map((arn) => ({ IamArn: whole ? arn : arn.split(':').at(-1)! }));
  // Who adopted the user may have had to guess the path.
  return now!.IamArn !== before!.IamArn && !(tags.has(ADOPTED) && differsInPathOnly(now!, before!));
}

function downgradeRefusal(wanted: DeclaredUser, user: LiveUser): string | undefined {
  if (!isDowngrade(user.role, wanted.role)) return undefined;
  return (
    `is ${user.role} and cannot become ${wanted.role}: QuickSight lowers it only by deleting the user. Declare it as ${user.role}, ` +
    'or delete it in QuickSight, which leaves what it owns without an owner'
  );
}

function downgradeNote(user: LiveUser, wanted: DeclaredUser, reason: string): string {
  return (
    `is ${user.role} and cannot become ${wanted.role}: QuickSight lowers it only by deleting the user, and ${reason}. ` +
    'Keep the role, or remove the user, deploy, and declare it anew'
  );
}

function warningsOf(deployed: Deployed): string[] {
  if (deployed.unknown !== undefined) {
    return [
      `the deployed stack cannot be read (${deployed.unknown}): who would lose access is not known, and users that ` +
        'exist are taken for its own',
    ];
  }
  return deployed.busy ? [`the stack is being deployed (${deployed.busy}): plan again when that has ended`] : [];
}

/** Whether the deployment would fail, as far as can be told. */
export function isRefused({ entries, problems }: Plan): boolean {
  return problems.length > 0 || entries.some(({ action }) => action === 'refused');
}

/** How many resources the files make, beside the provider. */
function resourcesOf(declaration: UsersDeclaration): number {
  return declaration.users.length + madeGroups(declaration).length + declaration.customPermissions.length;
}

function groupsOf({ namespace, name }: LiveUser, { groups }: LiveAccount): string[] {
  return groups.filter((group) => group.namespace === namespace && group.members.has(name)).map((group) => group.name);
}

function entry(action: Action, { namespace, name }: Named, changes: readonly Change[], note?: string): Entry {
  return { action, namespace, user: name, changes, note };
}
