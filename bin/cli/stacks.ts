import { holderKey, holderKeys, holdOf, type Tags } from '../../lambda/holder';
import { SignedCallError } from '../../lambda/signed-call';
import { parsePhysicalId } from '../../lib/private/user-arn';
import { RESOURCE_TYPE, type UserResourceProperties } from '../../lib/private/user-resource';
import { partitionOf, type Account } from './account';
import type { Named } from './person';

/** A user as the deployed template of a stack declares it. */
export interface DeployedUser {
  readonly namespace: string;
  readonly name: string;
  /** As in the template: what is a token at synth is no string. */
  readonly properties: UserResourceProperties;
  /** It stays in QuickSight when the resource goes. */
  readonly retained: boolean;
  /** Tag key of this resource among the user's holders. */
  readonly holderKey: string;
  /** Principal id of the user that the resource registered or took; undefined when CloudFormation does not tell. */
  readonly principalId?: string;
  /** Number of the nested stack that the user is in; undefined when it is in none of those of `QuickSightUsers`. */
  readonly shard?: number;
}

/** What is deployed as a stack: users by `<namespace>/<name>`; `unknown` when CloudFormation may not be read, and why. */
export type Deployed =
  | {
      readonly users: ReadonlyMap<string, DeployedUser>;
      /** Groups that the stack made, by `<namespace>/<name>`. */
      readonly groups: ReadonlyMap<string, Named>;
      /** Custom permissions that the stack made, by name. */
      readonly profiles: ReadonlySet<string>;
      readonly stackId?: string;
      /** For example UPDATE_IN_PROGRESS: what is read now may be another thing soon. */
      readonly busy?: string;
      /** For example DELETE_FAILED: nothing can be deployed before somebody has repaired it. */
      readonly stuck?: string;
      readonly unknown?: undefined;
    }
  | { readonly unknown: string };

interface Template {
  readonly Resources?: Readonly<
    Record<string, { Type: string; DeletionPolicy?: string; Properties?: Record<string, unknown> }>
  >;
}

/** A stack in such a status has a template, but none of it exists: it is deleted and made anew. */
const NEVER_CAME_TO_BE =
  /^(REVIEW_IN_PROGRESS|CREATE_FAILED|ROLLBACK_(COMPLETE|FAILED|IN_PROGRESS)|DELETE_(COMPLETE|IN_PROGRESS))$/;

/** CloudFormation for reading, in the region that the command was told. */
export class Stacks {
  constructor(private readonly account: Account) {}

  /** What the deployed templates of a stack, and of those nested in it, declare. */
  async deployed(stackName: string, progress: (text: string) => void): Promise<Deployed> {
    try {
      const stack = await this.find(stackName);
      const users = new Map<string, DeployedUser>();
      const groups = new Map<string, Named>();
      const profiles = new Set<string>();
      if (!stack) return { users, groups, profiles };
      const { stackId, status } = stack;
      if (NEVER_CAME_TO_BE.test(status)) return { users, groups, profiles, stackId };
      const busy = status.endsWith('_IN_PROGRESS') ? status : undefined;
      const stuck = /^(DELETE|UPDATE_ROLLBACK)_FAILED$/.test(status) ? status : undefined;
      const open: { readonly id: string; readonly shard?: number }[] = [{ id: stackId }];
      for (let read = 0; open.length > 0; read++) {
        progress(`Reading the deployed stack ${stackName}: ${users.size} users`);
        const { id, shard } = open.pop()!;
        const { Resources = {} } = await this.template(id);
        const physicalIds = await this.physicalIds(id);
        for (const [logicalId, resource] of Object.entries(Resources)) {
          if (resource.Type === 'AWS::QuickSight::Group') {
            const { Namespace = 'default', GroupName } = resource.Properties ?? {};
            const [namespace, name] = [String(Namespace), String(GroupName)];
            groups.set(`${namespace}/${name}`, { namespace, name });
          }
          if (resource.Type === 'AWS::QuickSight::CustomPermissions') {
            profiles.add(String(resource.Properties?.CustomPermissionsName));
          }
          if (resource.Type !== RESOURCE_TYPE) continue;
          const user = this.deployedUser(resource, holderKey({ StackId: id, LogicalResourceId: logicalId }));
          const { principalId } = parsePhysicalId(physicalIds.get(logicalId) ?? '') ?? {};
          users.set(`${user.namespace}/${user.name}`, { ...user, principalId, shard });
        }
        for (const [logicalId, { Type }] of Object.entries(Resources)) {
          const nested = Type === 'AWS::CloudFormation::Stack' && physicalIds.get(logicalId);
          // As `QuickSightUsers` names its nested stacks.
          if (nested)
            open.push({ id: nested, shard: Number(/Shard(\d+)NestedStack/.exec(logicalId)?.[1]) || undefined });
        }
      }
      return { users, groups, profiles, stackId, busy, stuck };
    } catch (error) {
      if (!isDenied(error)) throw error;
      return { unknown: `${error.code}: ${error.message || 'no message'}` };
    }
  }

  /**
   * Tells of holders that the tags name whether their resource still exists by the tag key. A tag does not say
   * in which region its stack is: in any but these it counts as gone.
   */
  async holders(
    tags: Iterable<Tags>,
    regions: readonly string[],
    progress: (text: string) => void,
  ): Promise<(key: string) => boolean> {
    const named = new Set<string>();
    for (const some of tags) for (const key of holderKeys(some)) named.add(holdOf(some, key)!.stack);
    const existing = new Set<string>();
    if (named.size === 0) return () => false;
    for (const region of regions) {
      for await (const page of this.pages({ Action: 'DescribeStacks' }, region)) {
        for (const [, stackId = ''] of page.matchAll(/<StackId>([^<]+)<\/StackId>/g)) {
          if (!named.has(stackId.split('/').pop()!)) continue;
          progress(`Reading the stack ${stackId.split('/')[1]}`);
          const { Resources = {} } = await this.template(stackId, region);
          for (const id of Object.keys(Resources)) existing.add(holderKey({ StackId: stackId, LogicalResourceId: id }));
        }
      }
    }
    return (key) => existing.has(key);
  }

  /** Undefined when there is no such stack. */
  private async find(stackName: string): Promise<{ stackId: string; status: string } | undefined> {
    try {
      const answer = await this.account.query('cloudformation', { Action: 'DescribeStacks', StackName: stackName });
      const stackId = /<StackId>([^<]+)<\/StackId>/.exec(answer)?.[1];
      const status = /<StackStatus>([^<]+)<\/StackStatus>/.exec(answer)?.[1] ?? '';
      return stackId === undefined ? undefined : { stackId, status };
    } catch (error) {
      if (error instanceof SignedCallError && /does not exist/.test(error.message)) return undefined;
      throw error;
    }
  }

  private async template(stackId: string, region?: string): Promise<Template> {
    const answer = await this.account.query('cloudformation', { Action: 'GetTemplate', StackName: stackId }, region);
    const body = /<TemplateBody>([\s\S]*)<\/TemplateBody>/.exec(answer)?.[1] ?? '';
    try {
      return JSON.parse(unescape(body)) as Template;
    } catch {
      throw new SignedCallError('NotJson', 200, 'the template of the stack is not what CDK deploys');
    }
  }

  /** Physical ids by logical id. */
  private async physicalIds(stackId: string): Promise<ReadonlyMap<string, string>> {
    const ids = new Map<string, string>();
    for await (const page of this.pages({ Action: 'ListStackResources', StackName: stackId })) {
      for (const [, member = ''] of page.matchAll(/<member>([\s\S]*?)<\/member>/g)) {
        const logicalId = /<LogicalResourceId>([^<]+)<\/LogicalResourceId>/.exec(member)?.[1];
        const id = /<PhysicalResourceId>([^<]+)<\/PhysicalResourceId>/.exec(member)?.[1];
        if (logicalId && id) ids.set(logicalId, unescape(id));
      }
    }
    return ids;
  }

  private async *pages(parameters: Record<string, string>, region?: string): AsyncGenerator<string> {
    let NextToken: string | undefined;
    do {
      const asked = { ...parameters, ...(NextToken && { NextToken }) };
      const page = await this.account.query('cloudformation', asked, region);
      yield page;
      NextToken = unescape(/<NextToken>([^<]+)<\/NextToken>/.exec(page)?.[1] ?? '');
    } while (NextToken);
  }

  private deployedUser(
    { Properties = {}, DeletionPolicy = '' }: { Properties?: Record<string, unknown>; DeletionPolicy?: string },
    key: string,
  ): DeployedUser {
    const { id, region } = this.account;
    const pseudo = new Map([
      ['AWS::Partition', partitionOf(region)],
      ['AWS::AccountId', id],
      ['AWS::Region', region],
    ]);
    const properties = resolve(Properties, pseudo) as UserResourceProperties;
    const name = [properties.IamArn?.split?.('/').at(-1), properties.SessionName].filter(Boolean).join('/');
    return {
      namespace: properties.Namespace,
      name: properties.UserName ?? name,
      properties,
      retained: DeletionPolicy.startsWith('Retain'),
      holderKey: key,
    };
  }
}

/** Whoever may not read stacks can be helped all the same; anything else is a fault, with which a plan would be wrong. */
export function isDenied(error: unknown): error is SignedCallError {
  return error instanceof SignedCallError && /^AccessDenied/.test(error.code);
}

/** What the app writes around names: Ref to a pseudo parameter, and Fn::Join. Anything else stays as it is. */
function resolve(value: unknown, pseudo: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, pseudo));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref, 'Fn::Join': join } = value as { Ref?: string; 'Fn::Join'?: [string, unknown[]] };
  if (Ref !== undefined) return pseudo.get(Ref) ?? value;
  if (join) {
    const parts = join[1].map((part) => resolve(part, pseudo));
    return parts.every((part) => typeof part === 'string') ? parts.join(join[0]) : value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolve(inner, pseudo)]));
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Text of an XML answer. */
function unescape(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (entity, hex?: string, decimal?: string, name?: string) =>
    name ? (ENTITIES[name] ?? entity) : String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal)),
  );
}
