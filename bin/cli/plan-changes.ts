import type { Tags } from '../../lambda/holder';
import type { DeclaredUser } from '../users-declaration';
import { declaredLogin } from './drift';
import { compare, type LiveUser } from './live-users';
import { login } from './person';
import type { DeployedUser } from './stacks';

/*
 * What differs between a person as declared, as deployed and as live.
 */

/** One property of a person before and after. */
export interface Change {
  readonly property: string;
  readonly from?: string;
  readonly to?: string;
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

export const NOTHING: Properties = { groups: [], tags: {} };

export function declaredProperties(wanted: DeclaredUser): Properties {
  return {
    role: wanted.role,
    'e-mail': wanted.email,
    'custom permissions': wanted.customPermissionsName,
    'external login': login(declaredLogin(wanted)),
    groups: wanted.groups,
    tags: wanted.tags,
  };
}

export function deployedProperties({ properties }: DeployedUser): Properties {
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
export function liveProperties(
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

/** What one UpdateUser sets: what the files change, and the e-mail address always. It counts from what is live. */
export function fromLive(changes: readonly Change[], user: LiveUser, wanted: DeclaredUser): Change[] {
  if (!changes.some(isInPlace)) return [...changes];
  const [live, now] = [liveProperties(user, [], undefined, wanted), declaredProperties(wanted)];
  const set = IN_PLACE.filter((name) => name === 'e-mail' || changes.some(({ property }) => property === name));
  const changed = set.filter((name) => live[name] !== now[name]);
  return [
    ...changed.map((property) => ({ property, from: live[property], to: now[property] })),
    ...changes.filter((change) => !isInPlace(change)),
  ];
}

/** Whether UpdateUser sets it, for which the user is looked at first. */
export function isInPlace({ property }: Change): boolean {
  return (IN_PLACE as readonly string[]).includes(property);
}

const IN_PLACE = ['role', 'e-mail', 'custom permissions', 'external login'] as const;

export function differences(old: Properties, now: Properties): Change[] {
  const changes: Change[] = [];
  for (const property of IN_PLACE) {
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
