import type { User } from '@aws-sdk/client-quicksight';
import type { Tag, UserResourceProperties } from '../lib/private/user-resource';
import type { Step } from './execute';
import { heldSince, otherHolders, ADOPTED, type Tags } from './holder';
import type { Input } from './quicksight-api';

/*
 * Decisions, pure: from what is declared, what was declared and what is live to the calls that close the gap.
 */

/** What this handler will not do, and why. Nothing has been changed. */
export class RefusedByRule extends Error {}

export function registerRequest(properties: UserResourceProperties, holder: Tag): Input<'RegisterUser'> {
  const { Tags, RootStackId: _, ...request } = properties;
  return { ...request, Tags: [holder, ...(Tags ?? [])] } as Input<'RegisterUser'>;
}

const IDENTITY = ['AwsAccountId', 'Namespace', 'IdentityType', 'UserName', 'IamArn', 'SessionName'] as const;

/** Whether both declare the same identity, to the letter. */
export function sameIdentity(a: Partial<UserResourceProperties>, b: Partial<UserResourceProperties>): boolean {
  return IDENTITY.every((name) => a[name] === b[name]);
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
 * The UpdateUser that brings a live user to what is declared; undefined when it is there already.
 *
 * UpdateUser wants e-mail and role every time. What the template did not change keeps its live value: a user may have
 * been given a higher role by self-upgrade, and sending the declared one again would be an illegal downgrade.
 *
 * @param old what was declared before; undefined to assert everything that is declared
 * @throws RefusedByRule for a role that QuickSight cannot change in place
 */
export function updateRequest(
  properties: UserResourceProperties,
  old: Partial<UserResourceProperties> | undefined,
  live: User,
): Input<'UpdateUser'> | undefined {
  const changed = (...names: (keyof UserResourceProperties)[]) => names.some((n) => !old || properties[n] !== old[n]);
  const role = changed('UserRole') ? properties.UserRole : live.Role;
  refuseDowngrade(live, role);

  const request = {
    AwsAccountId: properties.AwsAccountId,
    Namespace: properties.Namespace,
    UserName: live.UserName,
    Email: properties.Email,
    Role: role,
    ...(changed('CustomPermissionsName') && customPermissions(properties, live)),
    ...(changed('ExternalLoginFederationProviderType', 'CustomFederationProviderUrl', 'ExternalLoginId') &&
      externalLogin(properties, live)),
  } as Input<'UpdateUser'>;
  const beyondRequired = Object.keys(request).length > 5;
  return beyondRequired || request.Email !== live.Email || request.Role !== live.Role ? request : undefined;
}

function customPermissions({ CustomPermissionsName }: UserResourceProperties, live: User): object {
  if (CustomPermissionsName === live.CustomPermissionsName) return {};
  // Leaving the name out would leave it set, and `false` is refused.
  return CustomPermissionsName ? { CustomPermissionsName } : { UnapplyCustomPermissions: true };
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

/** QuickSight changes any role in place but one kind: from author or administrator down to reader. */
function refuseDowngrade(live: User, role: string | undefined): void {
  const isReader = (name: string | undefined) => name === 'READER' || name === 'READER_PRO';
  if (live.Role && isReader(role) && !isReader(live.Role)) {
    throw new RefusedByRule(
      `user "${live.UserName}" is ${live.Role} and cannot become ${role}: QuickSight lowers an author or administrator ` +
        `to a reader only by deleting and registering the user, which orphans its assets. Keep the role, or remove the ` +
        `user from the code, deploy, and declare it anew`,
    );
  }
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

/** What a Delete does to a user, by the tags on it. */
export type LetGo =
  /** We are its last holder: it goes. */
  | 'delete'
  /** Others hold it, or it was there before any stack: only our tag goes. */
  | 'release'
  /** It is not ours. */
  | 'leave'
  /** Nobody holds it: our tags were stripped, or it is a stranger. Only its principal can tell. */
  | 'ask';

export function letGo(tags: Tags, ownKey: string): LetGo {
  const shared = otherHolders(tags, ownKey).length > 0 || tags.has(ADOPTED);
  if (heldSince(tags, ownKey)) return shared ? 'release' : 'delete';
  return shared ? 'leave' : 'ask';
}
