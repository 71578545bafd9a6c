import { randomBytes } from 'node:crypto';
import { exists, invalid } from './errors';
import { iamIdentityOf } from './iam-identity';
import type { Input } from './input';
import type { QuickSightState, StoredUser } from './state';
import { checkTagCount } from './tags';

const IDENTITY_TYPES = ['IAM', 'QUICKSIGHT', 'IAM_IDENTITY_CENTER'];
const ROLES = ['READER', 'AUTHOR', 'ADMIN', 'READER_PRO', 'AUTHOR_PRO', 'ADMIN_PRO'];
const RESTRICTED_ROLES = ['RESTRICTED_READER', 'RESTRICTED_AUTHOR'];
const LOGIN_TYPES = ['COGNITO', 'CUSTOM_OIDC'];
const CUSTOM_PERMISSIONS_NAME = /[a-zA-Z0-9+=,.@_\-]{1,64}/;
const COGNITO_URL = 'cognito-identity.amazonaws.com';

export function registerUser(state: QuickSightState, input: Input) {
  const identityType = input.oneOf('IdentityType', IDENTITY_TYPES);
  const namespace = input.text('Namespace');
  const email = input.text('Email');
  const role = readRole(input, 'UserRole');
  const customPermissionsName = readCustomPermissions(state, input);
  const externalLogin = readExternalLogin(input, LOGIN_TYPES);
  const tags = input.tags('Tags') ?? [];
  checkTagCount(tags);
  const iamArn = input.optionalText('IamArn');
  const userName = newUserName(state, input);
  state.usableNamespace(namespace);
  const principalId = iamArn ? iamPrincipalId(state, input, iamArn) : state.newPrincipalId('user', namespace);
  const taken = state.contents.users.some((user) => user.namespace === namespace && user.principalId === principalId);
  if (taken || state.findUser(namespace, userName)) {
    throw exists(
      'USER',
      `User ${userName} already exists in account ${state.account.accountId}, namespace ${namespace}.`,
    );
  }
  const user: StoredUser = {
    namespace,
    userName,
    identityType,
    principalId,
    registeredAt: Date.now(),
    iamArn,
    email,
    role,
    active: false,
    tags,
    customPermissionsName,
    externalLogin,
  };
  state.contents.users.push(user);
  return { Status: 201, User: render(state, user), UserInvitationUrl: invitationUrl(state, user) };
}

export function updateUser(state: QuickSightState, input: Input) {
  const user = named(state, input);
  const email = input.text('Email');
  const role = readRole(input, 'Role');
  const customPermissionsName = readCustomPermissions(state, input);
  const unapply = input.optionalFlag('UnapplyCustomPermissions');
  const externalLogin = readExternalLogin(input, [...LOGIN_TYPES, 'NONE']);
  if (unapply === false) throw invalid('UnapplyCustomPermissions must be true when it is given.');
  if (unapply && customPermissionsName !== undefined) {
    throw invalid('CustomPermissionsName and UnapplyCustomPermissions cannot be used together.');
  }
  // [?] The code is expected, the text is not known.
  if (!isReader(user.role) && isReader(role)) {
    throw invalid(`User ${user.userName} cannot be downgraded from ${user.role} to ${role}.`);
  }
  user.email = email;
  user.role = role;
  if (unapply) user.customPermissionsName = undefined;
  else if (customPermissionsName !== undefined) user.customPermissionsName = customPermissionsName;
  if (externalLogin) user.externalLogin = externalLogin.type === 'NONE' ? undefined : externalLogin;
  return { User: render(state, user) };
}

export function describeUser(state: QuickSightState, input: Input) {
  return { User: render(state, named(state, input, state.account.describeVisibilityDelayMs)) };
}

export function deleteUser(state: QuickSightState, input: Input) {
  state.removeUser(named(state, input));
  return {};
}

export function deleteUserByPrincipalId(state: QuickSightState, input: Input) {
  const namespace = input.text('Namespace');
  const principalId = input.text('PrincipalId');
  state.usableNamespace(namespace);
  const user = state.contents.users.find((one) => one.namespace === namespace && one.principalId === principalId);
  if (!user) throw state.userNotFound(namespace, principalId);
  state.removeUser(user);
  return {};
}

export function listUsers(state: QuickSightState, input: Input) {
  const namespace = input.text('Namespace');
  state.usableNamespace(namespace);
  const users = state.contents.users.filter((user) => user.namespace === namespace);
  const { items, nextToken } = input.page(users, ({ principalId }) => principalId);
  return { UserList: items.map((user) => render(state, user)), NextToken: nextToken };
}

export function updateUserCustomPermission(state: QuickSightState, input: Input) {
  const user = named(state, input);
  input.text('CustomPermissionsName');
  user.customPermissionsName = readCustomPermissions(state, input);
  return {};
}

export function deleteUserCustomPermission(state: QuickSightState, input: Input) {
  named(state, input).customPermissionsName = undefined;
  return {};
}

/**
 * The name that RegisterUser gives: its own argument, or derived from the IAM identity.
 *
 * Each identity type takes exactly its own arguments.
 */
export function newUserName(state: QuickSightState, input: Input): string {
  const iam = input.text('IdentityType') === 'IAM';
  const misplaced = (iam ? ['UserName'] : ['IamArn', 'SessionName']).filter((name) => input.has(name));
  if (misplaced.length > 0) {
    const names = misplaced.map((name) => name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ')).join(', ');
    throw invalid(
      `The following parameters are not applicable to this identity type: ${names}. ` +
        `AWS account ID: ${state.account.accountId}, Namespace: ${input.text('Namespace')}.`,
    );
  }
  if (iam && !input.has('IamArn')) {
    throw invalid('Invalid resource identifiers provided. Please check the documentation.');
  }
  // [?] What identity type IAM_IDENTITY_CENTER takes is not established; a user name is the likeliest.
  return iam ? iamIdentity(input).userName : input.name('UserName');
}

function iamIdentity(input: Input) {
  return iamIdentityOf(input.text('IamArn'), input.optionalMatching('SessionName', /[\w+=.@\-]{2,64}/));
}

function iamPrincipalId(state: QuickSightState, input: Input, iamArn: string): string {
  const uniqueId = state.iamUniqueId(iamArn);
  if (!uniqueId) throw invalid(`The IAM identity ${iamArn} was not found.`);
  return iamIdentity(input).principalId(uniqueId);
}

function named(state: QuickSightState, input: Input, hiddenForMs?: number): StoredUser {
  return state.user(input.text('Namespace'), input.name('UserName'), hiddenForMs);
}

function readRole(input: Input, member: string): string {
  const role = input.oneOf(member, [...ROLES, ...RESTRICTED_ROLES]);
  if (RESTRICTED_ROLES.includes(role)) throw invalid(`The role ${role} isn't currently available for use.`);
  return role;
}

function isReader(role: string): boolean {
  return role.startsWith('READER');
}

function readCustomPermissions(state: QuickSightState, input: Input): string | undefined {
  const name = input.optionalMatching('CustomPermissionsName', CUSTOM_PERMISSIONS_NAME);
  if (name !== undefined && state.account.checkCustomPermissions) state.customPermissions(name);
  return name;
}

function readExternalLogin(input: Input, types: readonly string[]): StoredUser['externalLogin'] {
  const url = input.optionalText('CustomFederationProviderUrl');
  const id = input.optionalText('ExternalLoginId');
  if (!input.has('ExternalLoginFederationProviderType')) {
    if (url === undefined && id === undefined) return undefined;
    throw invalid('ExternalLoginFederationProviderType is required with an external login.');
  }
  const type = input.oneOf('ExternalLoginFederationProviderType', types);
  if ((type === 'CUSTOM_OIDC') !== (url !== undefined)) {
    throw invalid('CustomFederationProviderUrl is required with provider type CUSTOM_OIDC, and only with that.');
  }
  if ((type === 'NONE') === (id !== undefined)) {
    throw invalid('ExternalLoginId is required with an external login, and only with that.');
  }
  return { type, url: type === 'COGNITO' ? COGNITO_URL : url, id: id ?? '' };
}

function invitationUrl(state: QuickSightState, user: StoredUser): string | undefined {
  if (user.identityType !== 'QUICKSIGHT') return undefined;
  const query = new URLSearchParams({ acct: state.account.accountId, invite: randomBytes(24).toString('base64url') });
  return `https://${state.account.identityRegion}.quicksight.aws.amazon.com/sn/invite?${query}`;
}

function render(state: QuickSightState, user: StoredUser) {
  return {
    Arn: state.userArn(user),
    UserName: user.orphaned ? 'N/A' : user.userName,
    Email: user.email,
    Role: user.role,
    IdentityType: user.identityType,
    Active: user.active,
    PrincipalId: user.principalId,
    CustomPermissionsName: user.customPermissionsName,
    ExternalLoginFederationProviderType: user.externalLogin?.type,
    ExternalLoginFederationProviderUrl: user.externalLogin?.url,
    ExternalLoginId: user.externalLogin?.id,
  };
}
