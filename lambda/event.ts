import { isDeepStrictEqual } from 'node:util';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import type { Tag, UserResourceProperties } from '../lib/private/user-resource';
import { userProblems } from '../lib/private/validate';

/** An event of one user resource, parsed. */
export type UserEvent = Envelope &
  (
    | { readonly RequestType: 'Create'; readonly properties: UserResourceProperties }
    | {
        readonly RequestType: 'Update';
        readonly physicalId: string;
        readonly properties: UserResourceProperties;
        /** As an earlier release may have written them: nothing in here is certain. */
        readonly oldProperties: Partial<UserResourceProperties>;
        /** Nothing changed at all, not even what is no business of this handler. */
        readonly isUnchanged: boolean;
      }
    | {
        readonly RequestType: 'Delete';
        readonly physicalId: string;
        readonly properties: Partial<UserResourceProperties>;
      }
  );

interface Envelope {
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
}

/** The event is not one that can be acted on. Nothing has been called. */
export class EventError extends Error {}

/**
 * Reads an event. Create and Update must be right to the last property, because what follows registers and changes
 * people's access; a Delete takes whatever there is, because a resource that cannot be deleted blocks its whole stack.
 *
 * @throws EventError with all problems at once
 */
export function parseEvent(event: CloudFormationCustomResourceEvent): UserEvent {
  const { RequestId, StackId, LogicalResourceId } = event;
  const envelope = { RequestId, StackId, LogicalResourceId };
  switch (event.RequestType) {
    case 'Create':
      return { ...envelope, RequestType: 'Create', properties: parseProperties(event.ResourceProperties) };
    case 'Update':
      return {
        ...envelope,
        RequestType: 'Update',
        physicalId: event.PhysicalResourceId,
        properties: parseProperties(event.ResourceProperties),
        oldProperties: readProperties(event.OldResourceProperties).properties,
        isUnchanged: isDeepStrictEqual(event.ResourceProperties, event.OldResourceProperties),
      };
    case 'Delete':
      return {
        ...envelope,
        RequestType: 'Delete',
        physicalId: event.PhysicalResourceId,
        properties: readProperties(event.ResourceProperties).properties,
      };
    default:
      throw new EventError(
        `RequestType "${(event as { RequestType?: unknown }).RequestType}" is not one of Create, Update and Delete`,
      );
  }
}

/** Whether properties name a user completely enough to look for it. */
export function namesUser(properties: Partial<UserResourceProperties>): properties is UserResourceProperties {
  const { AwsAccountId, Namespace, IdentityType, UserName, IamArn, SessionName } = properties;
  if (!AwsAccountId || !Namespace || !IdentityType) return false;
  return userProblems({ AwsAccountId, Namespace, IdentityType, UserName, IamArn, SessionName }).length === 0;
}

function parseProperties(raw: unknown): UserResourceProperties {
  const { properties, problems } = readProperties(raw);
  const all =
    problems.length > 0 ? problems : userProblems(properties).map(({ property, text }) => `${property} ${text}`);
  if (all.length > 0) throw new EventError(all.join('; '));
  return properties as UserResourceProperties;
}

const STRINGS = [
  'AwsAccountId',
  'Namespace',
  'IdentityType',
  'UserName',
  'IamArn',
  'SessionName',
  'Email',
  'UserRole',
  'CustomPermissionsName',
  'ExternalLoginFederationProviderType',
  'CustomFederationProviderUrl',
  'ExternalLoginId',
  'OnExisting',
  'InvitationVersion',
  'InvitationSecretArn',
  'RootStackId',
] as const satisfies readonly (keyof UserResourceProperties)[];

const REQUIRED: readonly string[] = ['AwsAccountId', 'Namespace', 'IdentityType', 'Email', 'UserRole', 'RootStackId'];

/** Takes over the named properties that have the right type, and tells which have not. Unknown ones are left aside. */
function readProperties(raw: unknown): { properties: Partial<UserResourceProperties>; problems: string[] } {
  const source = (raw ?? {}) as Record<string, unknown>;
  const properties: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const name of STRINGS) {
    const value = source[name];
    if (typeof value === 'string') properties[name] = value;
    else if (value !== undefined) problems.push(`${name} must be a string, got ${describe(value)}`);
    else if (REQUIRED.includes(name)) problems.push(`${name} is missing`);
  }
  if (isStrings(source.GroupNames)) properties.GroupNames = source.GroupNames;
  else if (source.GroupNames !== undefined) problems.push('GroupNames must be a list of strings');
  if (isTags(source.Tags)) properties.Tags = source.Tags.map(({ Key, Value }) => ({ Key, Value }));
  else if (source.Tags !== undefined) problems.push('Tags must be a list of { Key, Value } with strings in them');
  return { properties, problems };
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isTags(value: unknown): value is Tag[] {
  const isTag = (tag: Partial<Tag> | null) => typeof tag?.Key === 'string' && typeof tag.Value === 'string';
  return Array.isArray(value) && value.every(isTag);
}

function describe(value: unknown): string {
  return value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'a map'
        : `a ${typeof value}`;
}
