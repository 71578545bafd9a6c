import type { ExternalLoginFederationProviderType } from '../../lib/private/user-resource';
import { QuickSightReader, ReadError } from './quicksight-reader';

/** A user as QuickSight has it. */
export interface LiveUser {
  readonly namespace: string;
  /** `N/A` when the IAM identity behind it is gone. */
  readonly name: string;
  readonly arn: string;
  readonly principalId: string;
  readonly identityType: string;
  readonly email: string;
  readonly role: string;
  readonly active: boolean;
  readonly customPermissionsName?: string;
  readonly externalLogin?: {
    readonly type: ExternalLoginFederationProviderType;
    readonly providerUrl?: string;
    readonly loginId: string;
  };
}

export interface LiveGroup {
  readonly namespace: string;
  readonly name: string;
  readonly description?: string;
  /** User names. */
  readonly members: ReadonlySet<string>;
}

/** What the command line knows of an account. */
export interface LiveAccount {
  readonly users: readonly LiveUser[];
  readonly groups: readonly LiveGroup[];
  /** Namespaces that were asked for and do not exist. */
  readonly missingNamespaces: readonly string[];
}

export const GONE = 'N/A';

/** Reads under way at the same time, where no page waits for the one before. */
const CONCURRENCY = 8;

/** Reads users and groups of one account. */
export class LiveUsers {
  constructor(
    private readonly quickSight: QuickSightReader,
    private readonly accountId: string,
    /** Is told what goes on, to be shown on a terminal. */
    private readonly progress: (text: string) => void,
  ) {}

  async namespaces(): Promise<string[]> {
    const names: string[] = [];
    for await (const { Namespaces = [] } of this.quickSight.pages('ListNamespaces', { AwsAccountId: this.accountId })) {
      names.push(...Namespaces.flatMap(({ Name }) => Name ?? []));
    }
    return names.sort(compare);
  }

  /**
   * All users of the namespaces, by name.
   *
   * @param groups names of the groups of a namespace whose members count; undefined: all that there are
   */
  async read(namespaces: readonly string[], groups?: (namespace: string) => readonly string[]): Promise<LiveAccount> {
    const users: LiveUser[] = [];
    const found: LiveGroup[] = [];
    const missingNamespaces: string[] = [];
    for (const namespace of namespaces) {
      try {
        for await (const user of this.users(namespace)) users.push(user);
        const wanted = groups?.(namespace).map((name) => ({ name }));
        found.push(...(await this.groups(namespace, wanted ?? (await this.allGroups(namespace)))));
      } catch (error) {
        if (!isMissingNamespace(error)) throw error;
        missingNamespaces.push(namespace);
      }
    }
    // QuickSight's own order says nothing to anybody.
    users.sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
    return { users, groups: found, missingNamespaces };
  }

  /** Tags of each of the users. One that was deleted meanwhile has none. */
  async tags(users: readonly LiveUser[]): Promise<Map<LiveUser, ReadonlyMap<string, string>>> {
    const tags = new Map<LiveUser, ReadonlyMap<string, string>>();
    await atOnce(users, async (user) => {
      const { Tags = [] } = await this.quickSight
        .call('ListTagsForResource', { ResourceArn: user.arn })
        .catch((error: ReadError) => {
          if (error.code === 'ResourceNotFoundException') return { Tags: undefined };
          throw error;
        });
      tags.set(user, new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value])));
      this.progress(`Reading tags: ${tags.size} of ${users.length} users`);
    });
    return tags;
  }

  /** Which of these custom permissions do not exist. */
  async missingProfiles(names: readonly string[]): Promise<string[]> {
    const missing: string[] = [];
    await atOnce(names, async (CustomPermissionsName) => {
      await this.quickSight
        .call('DescribeCustomPermissions', { AwsAccountId: this.accountId, CustomPermissionsName })
        .catch((error: ReadError) => {
          if (error.code !== 'ResourceNotFoundException') throw error;
          missing.push(CustomPermissionsName);
        });
    });
    return missing.sort(compare);
  }

  private async *users(namespace: string): AsyncGenerator<LiveUser> {
    let count = 0;
    const input = { AwsAccountId: this.accountId, Namespace: namespace };
    for await (const { UserList = [] } of this.quickSight.pages('ListUsers', input)) {
      count += UserList.length;
      this.progress(`Reading users of ${namespace}: ${count}`);
      for (const user of UserList) {
        const type = user.ExternalLoginFederationProviderType as ExternalLoginFederationProviderType | undefined;
        yield {
          namespace,
          name: user.UserName ?? GONE,
          arn: user.Arn ?? GONE,
          principalId: user.PrincipalId ?? '',
          identityType: user.IdentityType ?? '',
          email: user.Email ?? '',
          role: user.Role ?? '',
          active: user.Active === true,
          customPermissionsName: user.CustomPermissionsName || undefined,
          externalLogin: type && {
            type,
            providerUrl: user.ExternalLoginFederationProviderUrl,
            loginId: user.ExternalLoginId ?? '',
          },
        };
      }
    }
  }

  private async allGroups(namespace: string): Promise<{ name: string; description?: string }[]> {
    const groups: { name: string; description?: string }[] = [];
    const input = { AwsAccountId: this.accountId, Namespace: namespace };
    for await (const { GroupList = [] } of this.quickSight.pages('ListGroups', input)) {
      groups.push(
        ...GroupList.map(({ GroupName = '', Description }) => ({ name: GroupName, description: Description })),
      );
    }
    return groups.sort((a, b) => compare(a.name, b.name));
  }

  /** The groups with their members; those that do not exist are left out. */
  private async groups(
    namespace: string,
    groups: readonly { name: string; description?: string }[],
  ): Promise<LiveGroup[]> {
    const found: LiveGroup[] = [];
    await atOnce(groups, async ({ name, description }) => {
      const members = new Set<string>();
      const input = { AwsAccountId: this.accountId, Namespace: namespace, GroupName: name };
      try {
        for await (const { GroupMemberList = [] } of this.quickSight.pages('ListGroupMemberships', input)) {
          for (const { MemberName } of GroupMemberList) if (MemberName) members.add(MemberName);
        }
      } catch (error) {
        if (isMissingNamespace(error) || (error as ReadError).code !== 'ResourceNotFoundException') throw error;
        return;
      }
      found.push({ namespace, name, description, members });
      this.progress(`Reading groups of ${namespace}: ${found.length} of ${groups.length}`);
    });
    return found.sort((a, b) => compare(a.name, b.name));
  }
}

/** By code unit, so that the order is the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** QuickSight says "not found" also of an account that it does not know. */
function isMissingNamespace(error: unknown): boolean {
  const { code, message } = error as ReadError;
  return (
    code === 'ResourceNotFoundException' &&
    /^(?:the )?namespace \S+ (?:was |is )?(?:not found|does not exist)/i.test(message)
  );
}

/** Works on all items, some at the same time, and stops at the first that fails. */
async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      await work(items[next++]!).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
}
