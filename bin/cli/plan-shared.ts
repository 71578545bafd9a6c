import type { UsersDeclaration } from '../users-declaration';
import { keyOf } from './drift';
import type { LiveAccount } from './live-users';
import { person } from './person';
import type { Entry, Plan } from './plan';
import type { Deployed } from './stacks';

/*
 * What a deployment does to groups and custom permissions, and what of them, and of namespaces, it would fail for.
 */

/** A group or a profile that the deployment makes or deletes, for all whom it concerns. */
export interface Shared {
  readonly action: 'made' | 'deleted';
  readonly what: 'group' | 'custom permissions';
  /** Of a group. */
  readonly namespace?: string;
  readonly name: string;
  /** Of a group that is deleted. */
  readonly members?: number;
}

/** Groups that the deployment makes: the others exist. */
export function madeGroups({ groups }: UsersDeclaration): UsersDeclaration['groups'] {
  return groups.filter(({ existing }) => !existing);
}

/** Groups and profiles that come and go with their entries. */
export function sharedOf(declaration: UsersDeclaration, live: LiveAccount, deployed: Deployed): Shared[] {
  if (deployed.unknown !== undefined) return [];
  const [groups, profiles] = [
    new Map(madeGroups(declaration).map((group) => [keyOf(group), group])),
    new Set(declaration.customPermissions.map(({ name }) => name)),
  ];
  const shared: Shared[] = [];
  for (const [key, group] of deployed.groups) {
    if (groups.has(key)) continue;
    const members = live.groups.find((one) => keyOf(one) === key)?.members.size;
    shared.push({ action: 'deleted', what: 'group', namespace: group.namespace, name: group.name, members });
  }
  for (const name of deployed.profiles) {
    if (!profiles.has(name)) shared.push({ action: 'deleted', what: 'custom permissions', name });
  }
  for (const [key, { namespace, name }] of groups) {
    if (!deployed.groups.has(key)) shared.push({ action: 'made', what: 'group', namespace, name });
  }
  for (const name of profiles) {
    if (!deployed.profiles.has(name)) shared.push({ action: 'made', what: 'custom permissions', name });
  }
  return shared;
}

/** What has to be there, or must not be, before the deployment. */
export function problemsOf(
  entries: readonly Entry[],
  declaration: UsersDeclaration,
  live: LiveAccount,
  deployed: Deployed,
): string[] {
  const found = live.missingNamespaces.map((name) => `there is no namespace ${name}: create it first`);
  const exists = new Set(live.groups.map(keyOf));
  const made = madeGroups(declaration);
  const [wanted, listed] = [new Set(made.map(keyOf)), new Set(declaration.groups.map(keyOf))];
  const joined = entries.flatMap(({ namespace, changes }) =>
    changes.flatMap(({ property, to }) => (property === 'group' && to !== undefined ? { namespace, name: to } : [])),
  );
  const missing = new Map(joined.filter((group) => !exists.has(keyOf(group))).map((group) => [keyOf(group), group]));
  for (const [key, group] of missing) {
    const isMade = deployed.unknown === undefined && deployed.groups.has(key);
    if (wanted.has(key) && !isMade) continue;
    const way = wanted.has(key)
      ? 'for the stack, which made it, does not make it again'
      : listed.has(key)
        ? 'or take existing: true away from its entry'
        : 'or list it under groups';
    found.push(`there is no group ${person(group)}: create it, ${way}`);
  }
  if (deployed.unknown !== undefined) return found;
  if (deployed.stuck) {
    found.push(`the stack is in ${deployed.stuck}, in which CloudFormation deploys nothing: finish or delete it first`);
  }
  for (const group of made) {
    if (!exists.has(keyOf(group)) || deployed.groups.has(keyOf(group))) continue;
    found.push(`the group ${person(group)} exists already, and the stack would make it: list it with existing: true`);
  }
  for (const [key, group] of deployed.groups) {
    const user = declaration.users.find(({ namespace, groups }) =>
      groups.some((name) => keyOf({ namespace, name }) === key),
    );
    if (wanted.has(key) || !user) continue;
    found.push(
      `the group ${person(group)} was made by the stack and would be deleted, though ${person(user)} is to be in it: ` +
        'list it under groups again, without existing',
    );
  }
  for (const name of deployed.profiles) {
    const user = declaration.users.find(({ customPermissionsName }) => customPermissionsName === name);
    if (declaration.customPermissions.some((profile) => profile.name === name) || !user) continue;
    found.push(
      `the custom permissions ${name} were made by the stack and would be deleted, though ${person(user)} is to have ` +
        'them: define them under customPermissions again',
    );
  }
  return found;
}

/** Custom permissions of which the account has to tell whether they exist. */
export function profilesInDoubt(declaration: UsersDeclaration, { entries }: Plan, deployed: Deployed): string[] {
  const { needed, made } = profilesOf(declaration, entries, deployed);
  return [...new Set([...needed, ...made])];
}

/** The plan, with what is wrong about custom permissions, when those of them are known that do not exist. */
export function withProfiles(
  plan: Plan,
  declaration: UsersDeclaration,
  deployed: Deployed,
  missing: readonly string[],
): Plan {
  const { needed, made } = profilesOf(declaration, plan.entries, deployed);
  const absent = needed
    .filter((name) => missing.includes(name))
    .map((name) => `there are no custom permissions ${name}: create them, or define them under customPermissions`);
  const present = made
    .filter((name) => !missing.includes(name))
    .map(
      (name) =>
        `the custom permissions ${name} exist already, and the stack would make them: name them at users only, and ` +
        'define them nowhere',
    );
  // Nobody has established that QuickSight refuses a name that it does not know.
  return { ...plan, problems: [...plan.problems, ...present], warnings: [...plan.warnings, ...absent] };
}

/** Profiles that have to be there, because the deployment gives them to somebody, and that must not be there. */
function profilesOf({ customPermissions }: UsersDeclaration, entries: readonly Entry[], deployed: Deployed) {
  const defined = customPermissions.map(({ name }) => name);
  const given = entries.flatMap(({ changes }) => changes.filter(({ property }) => property === 'custom permissions'));
  const names = new Set(given.flatMap(({ to }) => to ?? []));
  const made = deployed.unknown === undefined ? defined.filter((name) => !deployed.profiles.has(name)) : defined;
  return {
    needed: [...names].filter((name) => !made.includes(name)),
    made: deployed.unknown === undefined ? made : [],
  };
}
