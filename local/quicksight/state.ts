import { createHash, randomUUID } from 'node:crypto';
import { notFound, ServiceError } from './errors';
import type { Tag } from './input';

/** What an account is, as opposed to what is in it. Tests change it while the server runs. */
export interface Account {
  readonly accountId: string;
  readonly partition: string;
  readonly identityRegion: string;
  edition: 'ENTERPRISE' | 'STANDARD';
  /** Users are managed by IAM Identity Center. */
  identityCenter: boolean;
  /** Signed up with QuickSight. */
  subscribed: boolean;
  /** Whether a custom-permissions name must exist when a user gets it; what QuickSight does is not established. */
  checkCustomPermissions: boolean;
  /** Whether user names that differ only in case are one user; what QuickSight does is not established. */
  caseInsensitiveNames: boolean;
  /** How long group calls do not see a new user. */
  visibilityDelayMs: number;
  /** How long DescribeUser does not see a new user. */
  describeVisibilityDelayMs: number;
  /** How long a namespace takes to come and to go. */
  namespaceDelayMs: number;
  /** The unique id of an IAM user or role; undefined when QuickSight cannot see it. Default: derived from the ARN. */
  iamIdentity?: (arn: string) => string | undefined;
}

export interface StoredUser {
  readonly namespace: string;
  readonly userName: string;
  readonly identityType: string;
  readonly principalId: string;
  readonly registeredAt: number;
  readonly iamArn?: string;
  email: string;
  role: string;
  active: boolean;
  tags: Tag[];
  customPermissionsName?: string;
  externalLogin?: { readonly type: string; readonly url?: string; readonly id: string };
  /** The IAM identity is gone: name and ARN read `N/A`, and no call finds the user by name. */
  orphaned?: boolean;
}

export interface StoredGroup {
  readonly namespace: string;
  readonly groupName: string;
  readonly principalId: string;
  description?: string;
  /** Principal ids. */
  members: string[];
}

export interface StoredNamespace {
  readonly name: string;
  readonly readyAt: number;
  tags: Tag[];
  /** Set once it is being deleted. */
  goneAt?: number;
}

export interface StoredCustomPermissions {
  readonly name: string;
  capabilities: Record<string, unknown>;
  tags: Tag[];
}

/** Everything that outlives a restart. Plain data: it is the state file. */
export interface Contents {
  users: StoredUser[];
  groups: StoredGroup[];
  namespaces: StoredNamespace[];
  customPermissions: StoredCustomPermissions[];
  /** How many times an IAM identity was removed: one made again under the same ARN has another unique id. */
  removedIamIdentities: Record<string, number>;
}

export function emptyContents(): Contents {
  return {
    users: [],
    groups: [],
    namespaces: [{ name: 'default', readyAt: 0, tags: [] }],
    customPermissions: [],
    removedIamIdentities: {},
  };
}

/** A QuickSight account and what is in it. */
export class QuickSightState {
  constructor(
    readonly account: Account,
    public contents: Contents = emptyContents(),
  ) {}

  /** `resource` is the part after the account, for example `user/default/ana`. */
  arn(resource: string, region: string = this.account.identityRegion): string {
    return `arn:${this.account.partition}:quicksight:${region}:${this.account.accountId}:${resource}`;
  }

  userArn(user: StoredUser): string {
    return user.orphaned ? 'N/A' : this.arn(`user/${user.namespace}/${user.userName}`);
  }

  /** A principal id of the namespace's own directory, as QuickSight users and groups have. */
  newPrincipalId(kind: 'user' | 'group', namespace: string): string {
    const directory = createHash('sha256').update(`${this.account.accountId}/${namespace}`).digest('hex').slice(0, 10);
    return `${kind}/d-${directory}/${randomUUID()}`;
  }

  namespaces(): StoredNamespace[] {
    this.dropGoneNamespaces();
    return this.contents.namespaces;
  }

  users(): StoredUser[] {
    this.dropGoneNamespaces();
    return this.contents.users;
  }

  groups(): StoredGroup[] {
    this.dropGoneNamespaces();
    return this.contents.groups;
  }

  namespace(name: string): StoredNamespace {
    const namespace = this.namespaces().find((candidate) => candidate.name === name);
    if (!namespace) {
      throw notFound('NAMESPACE', `Namespace ${name} not found in account ${this.account.accountId}.`);
    }
    return namespace;
  }

  /** A namespace that users and groups can be in. */
  usableNamespace(name: string): StoredNamespace {
    const namespace = this.namespace(name);
    const status = namespaceStatus(namespace);
    if (status !== 'CREATED') {
      // [?] Which error the service answers meanwhile is not established.
      throw new ServiceError('PreconditionNotMetException', `Namespace ${name} is in state ${status}.`);
    }
    return namespace;
  }

  findUser(namespace: string, userName: string): StoredUser | undefined {
    const fold = (name: string) => (this.account.caseInsensitiveNames ? name.toLowerCase() : name);
    return this.users().find(
      (user) => !user.orphaned && user.namespace === namespace && fold(user.userName) === fold(userName),
    );
  }

  user(namespace: string, userName: string, hiddenForMs = 0): StoredUser {
    this.usableNamespace(namespace);
    const user = this.findUser(namespace, userName);
    if (!user || Date.now() < user.registeredAt + hiddenForMs) {
      throw this.userNotFound(namespace, userName);
    }
    return user;
  }

  userNotFound(namespace: string, name: string): ServiceError {
    return notFound('USER', `User ${name} not found in account ${this.account.accountId}, namespace ${namespace}.`);
  }

  removeUser(user: StoredUser): void {
    this.contents.users = this.contents.users.filter((candidate) => candidate !== user);
    for (const group of this.contents.groups) {
      if (group.namespace === user.namespace) group.members = group.members.filter((id) => id !== user.principalId);
    }
  }

  group(namespace: string, groupName: string): StoredGroup {
    this.usableNamespace(namespace);
    const group = this.findGroup(namespace, groupName);
    if (!group) {
      throw notFound(
        'GROUP',
        `Group ${groupName} not found in account ${this.account.accountId}, namespace ${namespace}.`,
      );
    }
    return group;
  }

  findGroup(namespace: string, groupName: string): StoredGroup | undefined {
    return this.groups().find((group) => group.namespace === namespace && group.groupName === groupName);
  }

  groupsOf(user: StoredUser): StoredGroup[] {
    return this.contents.groups.filter(
      (group) => group.namespace === user.namespace && group.members.includes(user.principalId),
    );
  }

  findCustomPermissions(name: string): StoredCustomPermissions | undefined {
    return this.contents.customPermissions.find((candidate) => candidate.name === name);
  }

  customPermissions(name: string): StoredCustomPermissions {
    const found = this.findCustomPermissions(name);
    if (!found) throw notFound('CUSTOM_PERMISSIONS', `Custom permissions profile ${name} not found.`);
    return found;
  }

  membersOf(group: StoredGroup): StoredUser[] {
    return this.contents.users.filter(
      (user) => user.namespace === group.namespace && group.members.includes(user.principalId),
    );
  }

  /** Users of a removed identity stay, without name and ARN. */
  removeIamIdentity(arn: string): void {
    const { users, removedIamIdentities } = this.contents;
    removedIamIdentities[arn] = (removedIamIdentities[arn] ?? 0) + 1;
    for (const user of users) if (user.iamArn === arn) user.orphaned = true;
  }

  /** The unique id behind an ARN; it changes when the identity was removed and made again. */
  iamUniqueId(arn: string): string | undefined {
    const { iamIdentity } = this.account;
    return iamIdentity ? iamIdentity(arn) : derivedId(arn, this.contents.removedIamIdentities[arn] ?? 0);
  }

  private dropGoneNamespaces(): void {
    const now = Date.now();
    const stays = ({ goneAt }: StoredNamespace) => goneAt === undefined || goneAt > now;
    if (this.contents.namespaces.every(stays)) return;
    this.contents.namespaces = this.contents.namespaces.filter(stays);
    const names = this.contents.namespaces.map(({ name }) => name);
    this.contents.users = this.contents.users.filter(({ namespace }) => names.includes(namespace));
    this.contents.groups = this.contents.groups.filter(({ namespace }) => names.includes(namespace));
  }
}

export function namespaceStatus({ readyAt, goneAt }: StoredNamespace): 'CREATED' | 'CREATING' | 'DELETING' {
  if (goneAt !== undefined) return 'DELETING';
  return Date.now() < readyAt ? 'CREATING' : 'CREATED';
}

function derivedId(arn: string, generation: number): string {
  const hash = createHash('sha256').update(`${arn}#${generation}`).digest('hex').toUpperCase().slice(0, 17);
  return `${arn.includes(':role/') ? 'AROA' : 'AIDA'}${hash}`;
}
