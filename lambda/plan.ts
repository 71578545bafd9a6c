import type { User } from '@aws-sdk/client-quicksight';
import type { Tag, UserResourceProperties } from '../lib/private/user-resource';
import type { Step } from './execute';
import { ADOPTED, isOwnTag, isShared, type Tags } from './holder';
import type { Input } from './quicksight-api';

/*
 * Decisions, pure: from what is declared, what was declared and what is live to the calls that close the gap.
 */

/** What this handler will not do, and why. Nothing has been changed. */
export class RefusedByRule extends Error {}

/** @param kept tags that an earlier registration of the user had, and nobody declared */
export function registerRequest(
  properties: UserResourceProperties,
  holder: Tag,
  kept: readonly Tag[] = [],
): Input<'RegisterUser'> {
  const request = Object.fromEntries([...IDENTITY, ...IN_PLACE].map((name) => [name, properties[name]]));
  return { ...request, Tags: [holder, ...kept, ...(properties.Tags ?? [])] } as Input<'RegisterUser'>;
}

/** Tags of people that a registration anew must bring back: neither ours, nor declared now or before. */
export function keptTags(
  live: Tags,
  { Tags: declared = [] }: UserResourceProperties,
  { Tags: before = [] }: Partial<UserResourceProperties>,
): Tag[] {
  const known = new Set([...declared, ...before].map(({ Key }) => Key));
  return [...live].filter(([key]) => !isOwnTag(key) && !known.has(key)).map(([Key, Value]) => ({ Key, Value }));
}

const IDENTITY = ['AwsAccountId', 'Namespace', 'IdentityType', 'UserName', 'IamArn', 'SessionName'] as const;

/** Whether both declare the same identity, to the letter. */
export function sameIdentity(a: Partial<UserResourceProperties>, b: Partial<UserResourceProperties>): boolean {
  return IDENTITY.every((name) => a[name] === b[name]);
}

/** Whether both declare an IAM identity of the same name and account, whatever its path: IAM has each name but once. */
export function differsInPathOnly(a: Partial<UserResourceProperties>, b: Partial<UserResourceProperties>): boolean {
  const withoutPath = (arn = '') => arn.replace(/\/.*\//, '/');
  return a.IamArn !== undefined && a.SessionName === b.SessionName && withoutPath(a.IamArn) === withoutPath(b.IamArn);
}

const IN_PLACE = [
  'Email',
  'UserRole',
  'CustomPermissionsName',
  'ExternalLoginFederationProviderType',
  'CustomFederationProviderUrl',
  'ExternalLoginId',
] as const;

/** Whether anything changed that UpdateUser can set. */
export function needsUpdate(properties: UserResourceProperties, old: Partial<UserResourceProperties>): boolean {
  return IN_PLACE.some((name) => properties[name] !== old[name]);
}

/**
 * The role that the live user is to have. What the template did not change keeps its live value: a user may have been
 * given a higher role by self-upgrade, and sending the declared one again would be an illegal downgrade.
 *
 * @param old what was declared before; undefined to assert what is declared
 */
export function wantedRole(
  { UserRole }: UserResourceProperties,
  old: Partial<UserResourceProperties> | undefined,
  live: User,
): string | undefined {
  return !old || UserRole !== old.UserRole ? UserRole : live.Role;
}

/** QuickSight changes any role in place but one kind: from author or administrator down to reader. */
export function isDowngrade(from: string | undefined, to: string | undefined): boolean {
  const isReader = (role: string) => /^READER(_PRO)?$/.test(role);
  return !!from && !!to && isReader(to) && !isReader(from);
}

/**
 * The UpdateUser that brings a live user to what is declared; undefined when it is there already. UpdateUser wants e-mail
 * and role every time.
 *
 * @param old what was declared before; undefined to assert everything that is declared
 */
export function updateRequest(
  properties: UserResourceProperties,
  old: Partial<UserResourceProperties> | undefined,
  live: User,
  role = wantedRole(properties, old, live),
): Input<'UpdateUser'> | undefined {
  const changed = (...names: (keyof UserResourceProperties)[]) => names.some((n) => !old || properties[n] !== old[n]);
  const request = {
    AwsAccountId: properties.AwsAccountId,
    Namespace: properties.Namespace,
    UserName: live.UserName,
    Email: properties.Email,
    Role: role,
    ...(changed('CustomPermissionsName') && customPermissions(properties.CustomPermissionsName, live)),
    ...(changed('ExternalLoginFederationProviderType', 'CustomFederationProviderUrl', 'ExternalLoginId') &&
      externalLogin(properties, live)),
  } as Input<'UpdateUser'>;
  return changesAnything(request, live) ? request : undefined;
}

/** The UpdateUser that gives a live user its role and custom permissions of before; undefined when it has them. */
export function restoreRequest(
  key: Pick<UserResourceProperties, 'AwsAccountId' | 'Namespace'>,
  live: User,
  before: { readonly role: string; readonly customPermissions: string },
): Input<'UpdateUser'> | undefined {
  const request = {
    AwsAccountId: key.AwsAccountId,
    Namespace: key.Namespace,
    UserName: live.UserName,
    Email: live.Email,
    Role: isDowngrade(live.Role, before.role) ? live.Role : before.role,
    ...customPermissions(before.customPermissions || undefined, live),
  } as Input<'UpdateUser'>;
  return changesAnything(request, live) ? request : undefined;
}

/** Beyond the three names, e-mail and role are always there. */
function changesAnything(request: Input<'UpdateUser'>, live: User): boolean {
  return Object.keys(request).length > 5 || request.Email !== live.Email || request.Role !== live.Role;
}

function customPermissions(name: string | undefined, live: User): object {
  if (name === live.CustomPermissionsName) return {};
  // Leaving the name out would leave it set, and `false` is refused.
  return name ? { CustomPermissionsName: name } : { UnapplyCustomPermissions: true };
}

function externalLogin(properties: UserResourceProperties, live: User): object {
  const { ExternalLoginFederationProviderType, CustomFederationProviderUrl, ExternalLoginId } = properties;
  if (
    ExternalLoginFederationProviderType === live.ExternalLoginFederationProviderType &&
    // For Cognito, QuickSight answers with a URL that nobody gave.
    (CustomFederationProviderUrl === undefined ||
      CustomFederationProviderUrl === live.ExternalLoginFederationProviderUrl) &&
    ExternalLoginId === live.ExternalLoginId
  ) {
    return {};
  }
  return ExternalLoginFederationProviderType
    ? { ExternalLoginFederationProviderType, CustomFederationProviderUrl, ExternalLoginId }
    : { ExternalLoginFederationProviderType: 'NONE' };
}

/**
 * Why a user may not be deleted and registered anew; undefined when nothing would be lost by it: nobody has signed in as
 * this user, so it owns nothing, and nobody else declares it.
 */
export function reasonToKeep(user: User, tags: Tags, ownKey: string): string | undefined {
  if (user.IdentityType !== 'QUICKSIGHT') return `it has identity type ${user.IdentityType}, and may own assets`;
  if (user.Active !== false) return 'it has been activated, and may own assets';
  if (isShared(tags, ownKey)) return 'another resource holds it, too';
  if (tags.has(ADOPTED)) return 'it existed before any stack held it';
  return undefined;
}

export function downgradeRefusal(user: User, role: string, reason: string): RefusedByRule {
  return new RefusedByRule(
    `user "${user.UserName}" is ${user.Role} and cannot become ${role}: QuickSight lowers an author or administrator ` +
      `to a reader only by deleting and registering the user, and ${reason}. Keep the role, or remove the user from ` +
      `the code, deploy, and declare it anew`,
  );
}

export function identityRefusal(user: User, { IdentityType }: UserResourceProperties, reason: string): RefusedByRule {
  const type = String(user.IdentityType);
  const what = type === IdentityType ? `another identity of type ${type}` : IdentityType;
  return new RefusedByRule(
    `user "${user.UserName}" has identity type ${type} and cannot become ${what} under the same name without being ` +
      `deleted and registered anew, and ${reason}. Declare the identity as before, or remove the user from the code, deploy, which deletes it, and ` +
      `declare it anew`,
  );
}

/** Untag, then Tag: in the other order a full set of 50 tags could not change. */
export function tagSteps(ResourceArn: string, tags: readonly Tag[] = [], old: readonly Tag[] = []): Step[] {
  const declared = byKey(tags);
  const before = byKey(old);
  const TagKeys = [...before.keys()].filter((key) => !declared.has(key));
  const Tags = tags.filter(({ Key, Value }) => before.get(Key) !== Value);
  const steps: Step[] = [];
  if (TagKeys.length > 0) steps.push({ call: 'UntagResource', input: { ResourceArn, TagKeys } });
  if (Tags.length > 0) steps.push({ call: 'TagResource', input: { ResourceArn, Tags } });
  return steps;
}

function byKey(tags: readonly Tag[]): Map<string, string> {
  return new Map(tags.map(({ Key, Value }) => [Key, Value]));
}
