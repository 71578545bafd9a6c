import { holderKeys, holdOf, type Tags } from '../../lambda/holder';
import { table } from '../table';
import type { DeclaredUser, UsersDeclaration } from '../users-declaration';
import { compare, GONE, type LiveAccount, type LiveUser } from './live-users';
import { printable } from '../terminal';
import { login, type Named } from './person';

/** What differs between files and account. */
export type DriftKind =
  | 'missing'
  | 'extra'
  | 'identityGone'
  | 'identity'
  | 'email'
  | 'role'
  | 'groups'
  | 'customPermissions'
  | 'externalLogin'
  | 'tags'
  | 'notHeld'
  | 'holderGone'
  | 'neverSignedIn';

export interface Finding {
  readonly kind: DriftKind;
  readonly namespace: string;
  readonly user: string;
  /** The kind in words, or the property that differs. */
  readonly what: string;
  /** What the files say, and what QuickSight has; missing where one says nothing. */
  readonly declared?: string;
  readonly live?: string;
}

/** What the tags of users say, when they were read. */
export interface TagsRead {
  readonly tags: ReadonlyMap<LiveUser, Tags>;
  /** Whether the resource behind a holder's tag still exists; undefined when that cannot be told. */
  readonly holderExists?: (key: string) => boolean;
}

/** Whether a finding is drift, rather than good to know. */
export function isDrift({ kind }: Finding): boolean {
  return kind !== 'neverSignedIn';
}

/** All differences: users that are missing, then the account's users in its own order. */
export function drift(
  { users: declared, groups: listed }: Pick<UsersDeclaration, 'users' | 'groups'>,
  live: LiveAccount,
  { onlyDeclared = false, read }: { onlyDeclared?: boolean; read?: TagsRead } = {},
): Finding[] {
  const findings: Finding[] = [];
  const liveUsers = new Set(live.users.filter(({ name }) => name !== GONE).map(keyOf));
  const declaredUsers = new Map(declared.map((user) => [keyOf(user), user]));
  for (const user of declared) {
    if (liveUsers.has(keyOf(user))) continue;
    const noNamespace = live.missingNamespaces.includes(user.namespace);
    findings.push(finding('missing', user, noNamespace ? 'missing, with its namespace' : 'missing', user.role));
  }
  const managed = groupsNamed(declared, listed);
  for (const user of live.users) {
    const wanted = user.name === GONE ? undefined : declaredUsers.get(keyOf(user));
    if (!wanted && onlyDeclared) continue;
    if (wanted) findings.push(...differences(wanted, user, live, managed));
    else if (user.name !== GONE) findings.push(finding('extra', user, 'in no file', undefined, summary(user)));
    else findings.push(finding('identityGone', user, 'IAM identity gone', undefined, summary(user, user.principalId)));
    if (read && user.name !== GONE) findings.push(...tagFindings(wanted, user, read));
    if (wanted && user.identityType === 'QUICKSIGHT' && !user.active) {
      findings.push(finding('neverSignedIn', user, 'never signed in'));
    }
  }
  return findings;
}

function* differences(
  wanted: DeclaredUser,
  user: LiveUser,
  live: LiveAccount,
  managed: ReadonlyMap<string, ReadonlySet<string>>,
): Generator<Finding> {
  const { namespace, name } = user;
  const type = 'userName' in wanted.identity ? 'QUICKSIGHT' : 'IAM';
  const groups = live.groups.filter((group) => group.namespace === namespace && group.members.has(name));
  const inGroups = groups.map((group) => group.name).filter((group) => managed.get(namespace)?.has(group));
  const properties: [DriftKind, string, string | undefined, string | undefined][] = [
    ['identity', 'identity type', type, user.identityType],
    ['email', 'e-mail', wanted.email, user.email],
    ['role', 'role', wanted.role, user.role],
    ['groups', 'groups', list(wanted.groups), list(inGroups)],
    ['customPermissions', 'custom permissions', wanted.customPermissionsName, user.customPermissionsName],
    ['externalLogin', 'external login', login(declaredLogin(wanted)), login(user.externalLogin)],
  ];
  for (const [kind, what, declared, found] of properties) {
    if (declared !== found) yield finding(kind, user, what, declared ?? 'none', found ?? 'none');
  }
}

function* tagFindings(
  wanted: DeclaredUser | undefined,
  user: LiveUser,
  { tags, holderExists }: TagsRead,
): Generator<Finding> {
  const live: Tags = tags.get(user) ?? new Map<string, string>();
  if (wanted) {
    // Tags that nobody declared are left alone.
    for (const [key, value] of Object.entries(wanted.tags)) {
      if (live.get(key) !== value) yield finding('tags', user, `tag ${key}`, value, live.get(key) ?? 'none');
    }
    if (holderKeys(live).length === 0) yield finding('notHeld', user, 'held by no stack');
  }
  for (const key of holderExists ? holderKeys(live) : []) {
    const { stack } = holdOf(live, key)!;
    if (holderExists!(key)) continue;
    // The user stays when its last real holder lets go: the tag counts as one more.
    yield finding('holderGone', user, 'holder not found', undefined, `${key} of stack ${stack}`);
  }
}

function summary({ role, email }: LiveUser, ...more: string[]): string {
  return [role, email, ...more].filter(Boolean).join(', ');
}

function list(names: readonly string[]): string | undefined {
  return names.length > 0 ? [...names].sort(compare).join(', ') : undefined;
}

/** Groups that the files decide about: of all others, nobody declared who is in them. */
export function groupsNamed(
  users: UsersDeclaration['users'],
  listed: readonly Named[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const named = new Map<string, Set<string>>();
  const add = (namespace: string, name: string) =>
    named.set(namespace, (named.get(namespace) ?? new Set<string>()).add(name));
  for (const { namespace, name } of listed) add(namespace, name);
  for (const { namespace, groups } of users) for (const name of groups) add(namespace, name);
  return named;
}

export function declaredLogin({ externalLogin }: DeclaredUser) {
  if (externalLogin?.cognito) return { type: 'COGNITO' as const, loginId: externalLogin.cognito.loginId };
  if (!externalLogin?.customOidc) return undefined;
  return { type: 'CUSTOM_OIDC' as const, ...externalLogin.customOidc };
}

export function keyOf({ namespace, name }: Named): string {
  return `${namespace}/${name}`;
}

function finding(kind: DriftKind, { namespace, name }: Named, what: string, declared?: string, live?: string): Finding {
  return { kind, namespace, user: name, what, declared, live };
}

/** The findings as a table for people. */
export function findingTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ namespace, user, what, declared = '', live = '' }) =>
    [user, namespace, what, declared, live].map(printable),
  );
  return table(['USER', 'NAMESPACE', 'DRIFT', 'IN THE FILES', 'IN QUICKSIGHT'], rows);
}
