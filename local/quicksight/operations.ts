import * as customPermissions from './custom-permissions';
import { invalid } from './errors';
import * as groups from './groups';
import type { Input } from './input';
import * as namespaces from './namespaces';
import type { QuickSightState } from './state';
import * as tags from './tags';
import * as users from './users';

/** One operation of the service model. */
export interface Operation {
  readonly name: string;
  readonly method: string;
  /** Path segments; those in braces are labels. */
  readonly path: readonly string[];
  /** What the operation acts on. Decides the rules below and the ARN that IAM evaluates. */
  readonly scope: Scope;
  /** The members of the answer, and the status when it is not 200. */
  readonly run: (state: QuickSightState, input: Input) => Record<string, unknown>;
}

type Scope =
  'new-user' | 'user' | 'users' | 'group' | 'groups' | 'namespace' | 'namespaces' | 'tagged' | 'profile' | 'account';

const NAMESPACE = '/accounts/{AwsAccountId}/namespaces/{Namespace}';
const USERS = `${NAMESPACE}/users`;
const USER = `${USERS}/{UserName}`;
const GROUPS = `${NAMESPACE}/groups`;
const GROUP = `${GROUPS}/{GroupName}`;
const MEMBER = `${GROUP}/members/{MemberName}`;
const TAGS = '/resources/{ResourceArn}/tags';
const PROFILES = '/accounts/{AwsAccountId}/custom-permissions';
const PROFILE = `${PROFILES}/{CustomPermissionsName}`;

/** Every operation that this server knows. */
export const OPERATIONS: readonly Operation[] = [
  operation('RegisterUser', 'POST', USERS, 'new-user', users.registerUser),
  operation('ListUsers', 'GET', USERS, 'users', users.listUsers),
  operation('DescribeUser', 'GET', USER, 'user', users.describeUser),
  operation('UpdateUser', 'PUT', USER, 'user', users.updateUser),
  operation('DeleteUser', 'DELETE', USER, 'user', users.deleteUser),
  operation(
    'DeleteUserByPrincipalId',
    'DELETE',
    `${NAMESPACE}/user-principals/{PrincipalId}`,
    'users',
    users.deleteUserByPrincipalId,
  ),
  operation('UpdateUserCustomPermission', 'PUT', `${USER}/custom-permission`, 'user', users.updateUserCustomPermission),
  operation(
    'DeleteUserCustomPermission',
    'DELETE',
    `${USER}/custom-permission`,
    'user',
    users.deleteUserCustomPermission,
  ),
  operation('ListUserGroups', 'GET', `${USER}/groups`, 'user', groups.listUserGroups),
  operation('CreateGroup', 'POST', GROUPS, 'groups', groups.createGroup),
  operation('ListGroups', 'GET', GROUPS, 'groups', groups.listGroups),
  operation('DescribeGroup', 'GET', GROUP, 'group', groups.describeGroup),
  operation('UpdateGroup', 'PUT', GROUP, 'group', groups.updateGroup),
  operation('DeleteGroup', 'DELETE', GROUP, 'group', groups.deleteGroup),
  operation('ListGroupMemberships', 'GET', `${GROUP}/members`, 'group', groups.listGroupMemberships),
  operation('CreateGroupMembership', 'PUT', MEMBER, 'group', groups.createGroupMembership),
  operation('DescribeGroupMembership', 'GET', MEMBER, 'group', groups.describeGroupMembership),
  operation('DeleteGroupMembership', 'DELETE', MEMBER, 'group', groups.deleteGroupMembership),
  operation('TagResource', 'POST', TAGS, 'tagged', tags.tagResource),
  operation('UntagResource', 'DELETE', TAGS, 'tagged', tags.untagResource),
  operation('ListTagsForResource', 'GET', TAGS, 'tagged', tags.listTagsForResource),
  operation('CreateNamespace', 'POST', '/accounts/{AwsAccountId}', 'namespace', namespaces.createNamespace),
  operation('ListNamespaces', 'GET', '/accounts/{AwsAccountId}/namespaces', 'namespaces', namespaces.listNamespaces),
  operation('DescribeNamespace', 'GET', NAMESPACE, 'namespace', namespaces.describeNamespace),
  operation('DeleteNamespace', 'DELETE', NAMESPACE, 'namespace', namespaces.deleteNamespace),
  operation('CreateCustomPermissions', 'POST', PROFILES, 'profile', customPermissions.createCustomPermissions),
  operation('ListCustomPermissions', 'GET', PROFILES, 'account', customPermissions.listCustomPermissions),
  operation('DescribeCustomPermissions', 'GET', PROFILE, 'profile', customPermissions.describeCustomPermissions),
  operation('UpdateCustomPermissions', 'PUT', PROFILE, 'profile', customPermissions.updateCustomPermissions),
  operation('DeleteCustomPermissions', 'DELETE', PROFILE, 'profile', customPermissions.deleteCustomPermissions),
  operation('DescribeAccountSettings', 'GET', '/accounts/{AwsAccountId}/settings', 'account', describeAccountSettings),
];

function operation(name: string, method: string, path: string, scope: Scope, run: Operation['run']): Operation {
  return { name, method, path: path.split('/'), scope, run };
}

/** Lives in the account's identity region, and only there. */
export function isRegional({ scope }: Operation): boolean {
  return scope !== 'profile' && scope !== 'account';
}

/** Changes users or groups: what IAM Identity Center does instead in an account that it manages. */
export function changesPrincipals({ method, scope }: Operation): boolean {
  return method !== 'GET' && ['new-user', 'user', 'users', 'group', 'groups'].includes(scope);
}

export interface Match {
  readonly operation: Operation;
  readonly labels: Readonly<Record<string, string>>;
}

/** The operation behind a request line. `path` is the raw path: labels are decoded here, once. */
export function matchOperation(method: string, path: string): Match | undefined {
  const segments = path.split('/');
  for (const candidate of OPERATIONS) {
    if (candidate.method !== method || candidate.path.length !== segments.length) continue;
    const labels: Record<string, string> = {};
    const fits = candidate.path.every((expected, index) => {
      const segment = segments[index]!;
      if (!expected.startsWith('{')) return segment === expected;
      labels[expected.slice(1, -1)] = decode(segment);
      return true;
    });
    if (fits) return { operation: candidate, labels };
  }
  return undefined;
}

/** A label that a proxy on the way could normalise away: the request would then hit the parent resource. */
export function unsafeLabel({ labels }: Match): string | undefined {
  return Object.values(labels).find((value) => value === '' || value === '.' || value === '..');
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid(`Malformed percent-encoding in the path: ${segment}`);
  }
}

/** The user that a call is about, if it is about one. */
export function userNameOf(state: QuickSightState, { operation: { scope } }: Match, input: Input): string | undefined {
  if (scope === 'new-user') return users.newUserName(state, input);
  if (scope === 'tagged') return /:user\/[^/]+\/(.+)$/s.exec(input.text('ResourceArn'))?.[1];
  return input.optionalText('UserName') ?? input.optionalText('MemberName');
}

/** What IAM is asked before anything else happens. */
export interface AuthorizationRequest {
  readonly accessKeyId: string;
  /** For example `quicksight:RegisterUser`. */
  readonly action: string;
  /** An ARN, in the region that was called, or `*`. */
  readonly resource: string;
  /** Condition keys. */
  readonly context: Readonly<Record<string, string | string[]>>;
}

export function authorizationRequest(
  state: QuickSightState,
  match: Match,
  input: Input,
  caller: { readonly accessKeyId: string; readonly region: string },
): AuthorizationRequest {
  const { name, scope } = match.operation;
  const context: Record<string, string | string[]> = {};
  const set = (key: string, member: string) => {
    const value = input.optionalText(member);
    if (value !== undefined) context[key] = value;
  };
  set('quicksight:UserName', 'MemberName');
  if (scope === 'new-user') {
    set('quicksight:IamArn', 'IamArn');
    set('quicksight:SessionName', 'SessionName');
  }
  const requestTags = input.tags('Tags') ?? [];
  for (const { Key, Value } of requestTags) context[`aws:RequestTag/${Key}`] = Value;
  const keys = input.has('TagKeys') ? input.keys('TagKeys') : requestTags.map(({ Key }) => Key);
  if (keys.length > 0) context['aws:TagKeys'] = keys;
  for (const { Key, Value } of liveTags(state, match, input)) context[`aws:ResourceTag/${Key}`] = Value;
  return {
    accessKeyId: caller.accessKeyId,
    action: `quicksight:${name}`,
    resource: resourceArn(state, match, input, caller.region),
    context,
  };
}

function liveTags(state: QuickSightState, { operation: { scope } }: Match, input: Input) {
  try {
    if (scope === 'tagged') return tags.tagged(state, input.text('ResourceArn')).tags;
    if (scope === 'user') return state.user(input.text('Namespace'), input.text('UserName')).tags;
  } catch {
    // A resource that is not there has no tags; the operation itself says so if IAM lets it.
  }
  return [];
}

function resourceArn(state: QuickSightState, match: Match, input: Input, region: string): string {
  const namespace = input.optionalText('Namespace');
  switch (match.operation.scope) {
    case 'new-user':
    case 'user':
      return state.arn(`user/${namespace}/${userNameOf(state, match, input)}`, region);
    case 'users':
      return state.arn(`user/${namespace}/*`, region);
    case 'group':
    case 'groups':
      return state.arn(`group/${namespace}/${input.optionalText('GroupName') ?? '*'}`, region);
    case 'namespace':
      return state.arn(`namespace/${namespace}`, region);
    case 'profile':
      return state.arn(`custompermissions/${input.text('CustomPermissionsName')}`, region);
    case 'tagged':
      return input.text('ResourceArn');
    case 'namespaces':
    case 'account':
      return '*';
  }
}

function describeAccountSettings(state: QuickSightState) {
  return {
    AccountSettings: {
      AccountName: 'embedded-quicksight',
      Edition: state.account.edition,
      DefaultNamespace: 'default',
      NotificationEmail: 'quicksight@example.com',
      PublicSharingEnabled: false,
      TerminationProtectionEnabled: true,
    },
  };
}
