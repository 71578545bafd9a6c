import type { UserResourceProperties } from './user-resource';

/** What the ARN of a user says: `arn:<partition>:quicksight:<identity region>:<account>:user/<namespace>/<user name>`. */
export interface UserArn {
  readonly accountId: string;
  readonly namespace: string;
  readonly userName: string;
}

/** What the physical id of a user says. */
export interface UserId extends UserArn {
  readonly arn: string;
  readonly principalId: string;
}

/** CloudFormation keeps physical ids of at most 1 KB. */
const MAX_PHYSICAL_ID = 1024;

/** Reads the ARN of a user; undefined when it is not one. */
export function parseUserArn(arn: string): UserArn | undefined {
  // A namespace has no slash in it, a user name may have some.
  const [, accountId, namespace, userName] =
    /^arn:[^:]+:quicksight:[^:]*:([^:]+):user\/([^/]+)\/(.+)$/s.exec(arn) ?? [];
  return accountId && namespace && userName ? { accountId, namespace, userName } : undefined;
}

/**
 * `<userArn>;<principalId>`, where `;` cannot occur in a user name.
 *
 * CloudFormation hands characters beyond ASCII back as `?`. User names end at U+00FF, so `%` and one byte in hex stand
 * for each of them, and the longest name of 256 characters still fits.
 */
export function formatPhysicalId(userArn: string, principalId: string): string {
  const id = `${userArn};${principalId}`.replace(/[^\x20-\x7e]|%/g, (c) => `%${hexByte(c)}`);
  if (id.length > MAX_PHYSICAL_ID) {
    throw new Error(
      `physical id "${id.slice(0, 100)}…" has ${id.length} bytes, and CloudFormation keeps ${MAX_PHYSICAL_ID}`,
    );
  }
  return id;
}

/** Reads a physical id that formatPhysicalId made; undefined for any other, such as one that CloudFormation invented. */
export function parsePhysicalId(physicalId: string): UserId | undefined {
  const [, arn, principalId] = /^([^;]+);([^;]+)$/.exec(physicalId)?.map(decode) ?? [];
  const parsed = arn && parseUserArn(arn);
  return parsed && principalId && /^\d{12}$/.test(parsed.accountId) ? { ...parsed, arn, principalId } : undefined;
}

/** Service and resource of an ARN, such as `iam` and `user/analytics/bruno`; undefined when it is not one. */
export function resourceOfArn(arn: string): { service: string; resource: string } | undefined {
  const [, service, resource] = /^arn:[^:]*:([^:]*):[^:]*:[^:]*:(.+)$/s.exec(arn) ?? [];
  return service && resource ? { service, resource } : undefined;
}

/**
 * The name under which QuickSight registers the declared user. IAM users keep theirs and role sessions get
 * `<role name>/<session name>`, both without the path of the IAM entity.
 */
export function userNameOf(properties: Pick<UserResourceProperties, 'UserName' | 'IamArn' | 'SessionName'>): string {
  const { UserName, IamArn = '', SessionName } = properties;
  if (UserName !== undefined) return UserName;
  const name = IamArn.split('/').pop()!;
  return SessionName === undefined ? name : `${name}/${SessionName}`;
}

function hexByte(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
}

function decode(text: string): string {
  return text.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
