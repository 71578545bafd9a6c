import type { User } from '@aws-sdk/client-quicksight';
import { ADOPTED, describeHolder, isHeldWithin, isShared, type Tags } from '../../lambda/holder';
import { isDowngrade, reasonToKeep } from '../../lambda/plan';
import type { DeclaredUser, UsersDeclaration } from '../users-declaration';
import { wireIdentity } from '../users-file-layers';
import { declaredLogin, keyOf } from './drift';
import { compare, GONE, type LiveAccount, type LiveUser } from './live-users';
import { count, login, person, type Named } from './person';
import type { Deployed, DeployedUser } from './stacks';

/** What a deployment does to a person. */
export type Action = 'joins' | 'changes' | 'adopted' | 'loses' | 'kept' | 'refused';

/** One property of a person before and after. */
export interface Change {
  readonly property: string;
  readonly from?: string;
  readonly to?: string;
}

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
  /** Declared users to whom nothing happens. */
  readonly unchanged: number;
  /** Users that neither the files nor the stack have. */
  readonly others: number;
  /** What the deployment would fail for, beside the people who are refused. */
  readonly problems: readonly string[];
  /** What the plan does not know. */
  readonly warnings: readonly string[];
}

const ORDER: readonly Action[] = ['refused', 'loses', 'joins', 'adopted', 'changes', 'kept'];

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
    return (
      isDowngrade(user.role, wanted.role) ||
      typeOf(wanted) !== user.identityType ||
      wanted.invitationVersion !== before.properties.InvitationVersion
    );
  });
}

/** What a deployment of the files would do to people. */
export function plan(
  { users: declared, groups: listed }: UsersDeclaration,
  live: LiveAccount,
  deployed: Deployed,
  tags: ReadonlyMap<LiveUser, Tags>,
): Plan {
  const entries: Entry[] = [];
  let unchanged = 0;
  const liveUsers = new Map(live.users.filter(({ name }) => name !== GONE).map((user) => [keyOf(user), user]));
  const stack = deployed.unknown === undefined ? deployed.users : new Map<string, DeployedUser>();
  for (const wanted of declared) {
    const key = keyOf(wanted);
    const user = liveUsers.get(key);
    const before = stack.get(key);
    const userTags: Tags = (user && tags.get(user)) ?? new Map<string, string>();
    const entry = before
      ? updated(wanted, before, user, userTags)
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
  const made = listed.filter(({ existing }) => !existing);
  const problems = problemsOf(entries, made, live, deployed);
  return {
    entries,
    unchanged,
    others,
    problems,
    warnings: [...warningsOf(deployed), ...lostGroups(made, live, deployed)],
  };
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
  if (wanted.onExisting === 'adopt') return entry('adopted', wanted, changes);
  // Moved or renamed within the stack, or retained by an earlier deployment of it.
  if (deployed.stackId && isHeldWithin(tags, deployed.stackId, '')) {
    return changes.length > 0 ? entry('changes', wanted, changes) : undefined;
  }
  const holder = describeHolder(tags);
  const whose = holder ? `, held by ${holder}` : '';
  const note = `exists already${whose}: declare another name, or onExisting: adopt`;
  return entry('refused', wanted, changes, note);
}

/** A user that the stack declares before and after. */
function updated(
  wanted: DeclaredUser,
  before: DeployedUser,
  user: LiveUser | undefined,
  tags: Tags,
): Entry | undefined {
  const { properties } = before;
  const changes = differences(deployedProperties(before), declaredProperties(wanted));
  const renewed = wanted.invitationVersion !== properties.InvitationVersion;
  const moved = isMoved(wanted, before);
  if (changes.length === 0 && !renewed && !moved) return undefined;
  if (!user) return joins(wanted, 'was declared already, but is gone from QuickSight');
  // A role that the files do not change stays as it is, also where it was raised by hand.
  const role = properties.UserRole === wanted.role ? user.role : wanted.role;
  const told = changes.map((change) => (change.property === 'role' ? { ...change, from: user.role } : change));
  const reason = reasonToKeep(asInApi(user), tags, before.holderKey);
  if (moved || typeOf(wanted) !== user.identityType) {
    if (reason) return entry('refused', wanted, told, moveRefusal(wanted, user, reason));
    return entry('changes', wanted, told, `never signed in: is deleted and registered again as ${typeOf(wanted)}`);
  }
  if (isDowngrade(user.role, role)) {
    if (reason) return entry('refused', wanted, told, downgradeNote(user, wanted, reason));
    return entry('changes', wanted, told, 'never signed in: is deleted and registered again, with a new invitation');
  }
  if (!renewed) return entry('changes', wanted, told);
  if (isShared(tags, before.holderKey) || tags.has(ADOPTED)) {
    return entry('refused', wanted, told, `cannot get a new invitation: ${reason}`);
  }
  if (!reason) return entry('changes', wanted, told, 'gets a new invitation');
  return told.length > 0 ? entry('changes', wanted, told) : undefined;
}

/** A user that the stack declares and the files do not. */
function removed(before: DeployedUser, user: LiveUser | undefined, tags: ReadonlyMap<LiveUser, Tags>): Entry {
  const { holderKey, retained } = before;
  if (!user) return entry('kept', before, [], 'is gone from QuickSight already');
  if (retained) return entry('kept', before, [], 'stays in QuickSight, no longer managed');
  const userTags = tags.get(user) ?? new Map<string, string>();
  if (isShared(userTags, holderKey)) {
    return entry('kept', before, [], 'stays in QuickSight: another resource holds the user, too');
  }
  const owns = /^READER/.test(user.role) ? undefined : 'what the user owns is left without an owner: transfer it first';
  return entry('loses', before, [{ property: 'role', from: user.role }], owns);
}

function asInApi({ identityType, active }: LiveUser): User {
  return { IdentityType: identityType as User['IdentityType'], Active: active };
}

/** QuickSight has a person of another kind under this name. */
function identityRefusal(wanted: DeclaredUser, { identityType }: LiveUser): string | undefined {
  const type = typeOf(wanted);
  if (type === identityType) return undefined;
  return `exists with identity type ${identityType} and is declared as ${type}: remove the user, deploy, and declare it anew`;
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
function isMoved(wanted: DeclaredUser, { properties }: DeployedUser): boolean {
  const { IdentityType, IamArn } = wireIdentity(wanted.identity);
  if (IdentityType !== properties.IdentityType) return true;
  // What is a token in the template says nothing.
  if (IamArn === undefined || typeof properties.IamArn !== 'string') return false;
  const whole = Object.values(wanted.identity).includes(IamArn);
  // A name, unlike an ARN, leaves open which account it is of.
  const compared = (arn: string) => (whole ? arn : arn.split(':').at(-1));
  return compared(IamArn) !== compared(properties.IamArn);
}

function downgradeRefusal(wanted: DeclaredUser, user: LiveUser): string | undefined {
  if (!isDowngrade(user.role, wanted.role)) return undefined;
  return downgradeNote(user, wanted, 'it existed before');
}

function downgradeNote(user: LiveUser, wanted: DeclaredUser, reason: string): string {
  return (
    `is ${user.role} and cannot become ${wanted.role}: QuickSight lowers it only by deleting the user, and ${reason}. ` +
    'Keep the role, or remove the user, deploy, and declare it anew'
  );
}

/** What has to be there, or must not be, before the deployment. */
function problemsOf(
  entries: readonly Entry[],
  made: UsersDeclaration['groups'],
  live: LiveAccount,
  deployed: Deployed,
): string[] {
  const found = live.missingNamespaces.map((name) => `there is no namespace ${name}: create it first`);
  const exists = new Set(live.groups.map(keyOf));
  const wanted = new Set(made.map(keyOf));
  const joined = entries.flatMap(({ namespace, changes }) =>
    changes.flatMap(({ property, to }) => (property === 'group' && to !== undefined ? { namespace, name: to } : [])),
  );
  const missing = joined.filter((group) => !exists.has(keyOf(group)) && !wanted.has(keyOf(group)));
  for (const name of new Set(missing.map(person))) {
    found.push(`there is no group ${name}: create it, or list it under groups`);
  }
  if (deployed.unknown !== undefined) return found;
  for (const group of made) {
    if (!exists.has(keyOf(group)) || deployed.groups.has(keyOf(group))) continue;
    found.push(`the group ${person(group)} exists already, and the stack would make it: list it with existing: true`);
  }
  return found;
}

/** Custom permissions that the deployment gives to somebody and does not make: they have to be there. */
export function profilesNeeded({ customPermissions }: UsersDeclaration, { entries }: Plan): string[] {
  const made = new Set(customPermissions.map(({ name }) => name));
  const given = entries.flatMap(({ changes }) => changes.filter(({ property }) => property === 'custom permissions'));
  return [...new Set(given.flatMap(({ to }) => to ?? []))].filter((name) => !made.has(name));
}

/** The plan, with what is known of profiles that it needs. */
export function withoutProfiles(plan: Plan, missing: readonly string[]): Plan {
  const problem = (name: string) =>
    `there are no custom permissions ${name}: create them, or define them under customPermissions`;
  return { ...plan, problems: [...plan.problems, ...missing.map(problem)] };
}

/** Groups that go with their entry, and what that does to people of whom no entry says it. */
function lostGroups(made: UsersDeclaration['groups'], live: LiveAccount, deployed: Deployed): string[] {
  if (deployed.unknown !== undefined) return [];
  const kept = new Set(made.map(keyOf));
  return live.groups
    .filter((group) => deployed.groups.has(keyOf(group)) && !kept.has(keyOf(group)))
    .map(
      (group) =>
        `the group ${person(group)} is deleted: ${count(group.members.size, 'member')} will not be in it any more`,
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

function groupsOf({ namespace, name }: LiveUser, { groups }: LiveAccount): string[] {
  return groups.filter((group) => group.namespace === namespace && group.members.has(name)).map((group) => group.name);
}

/** All of a person that a deployment can change. */
interface Properties {
  readonly role?: string;
  readonly 'e-mail'?: string;
  readonly 'custom permissions'?: string;
  readonly 'external login'?: string;
  readonly groups: readonly string[];
  /** Undefined when they are not known. */
  readonly tags?: Readonly<Record<string, string>>;
}

const NOTHING: Properties = { groups: [], tags: {} };

function declaredProperties(wanted: DeclaredUser): Properties {
  return {
    role: wanted.role,
    'e-mail': wanted.email,
    'custom permissions': wanted.customPermissionsName,
    'external login': login(declaredLogin(wanted)),
    groups: wanted.groups,
    tags: wanted.tags,
  };
}

function deployedProperties({ properties }: DeployedUser): Properties {
  const { ExternalLoginFederationProviderType: type, CustomFederationProviderUrl, ExternalLoginId = '' } = properties;
  return {
    role: properties.UserRole,
    'e-mail': properties.Email,
    'custom permissions': properties.CustomPermissionsName,
    'external login': login(type && { type, providerUrl: CustomFederationProviderUrl, loginId: ExternalLoginId }),
    groups: properties.GroupNames ?? [],
    tags: Object.fromEntries((properties.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
  };
}

/** Of a user that is taken: groups and tags that nobody declared stay. */
function liveProperties(
  user: LiveUser,
  groups: readonly string[],
  tags: Tags | undefined,
  wanted: DeclaredUser,
): Properties {
  return {
    role: user.role,
    'e-mail': user.email,
    'custom permissions': user.customPermissionsName,
    'external login': login(user.externalLogin),
    groups: groups.filter((name) => wanted.groups.includes(name)),
    tags: tags && Object.fromEntries([...tags].filter(([key]) => Object.hasOwn(wanted.tags, key))),
  };
}

function differences(old: Properties, now: Properties): Change[] {
  const changes: Change[] = [];
  for (const property of ['role', 'e-mail', 'custom permissions', 'external login'] as const) {
    if (old[property] !== now[property]) changes.push({ property, from: old[property], to: now[property] });
  }
  for (const to of now.groups) if (!old.groups.includes(to)) changes.push({ property: 'group', to });
  for (const from of old.groups) if (!now.groups.includes(from)) changes.push({ property: 'group', from });
  if (!old.tags || !now.tags) return changes;
  for (const key of [...new Set([...Object.keys(old.tags), ...Object.keys(now.tags)])].sort(compare)) {
    const [from, to] = [old.tags[key], now.tags[key]];
    if (from !== to) changes.push({ property: `tag ${key}`, from, to });
  }
  return changes;
}

function entry(action: Action, { namespace, name }: Named, changes: readonly Change[], note?: string): Entry {
  return { action, namespace, user: name, changes, note };
}
