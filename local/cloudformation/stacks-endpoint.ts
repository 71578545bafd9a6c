import { Faults } from '../faults';
import type { AuthorizationRequest } from '../iam/iam-store';
import { ErrorAnswer, ServiceServer, type Caller, type HttpRequest, type Prepared } from '../service-server';
import { AWS_QUERY } from './aws-query';
import type { StackStatus } from './stack-state';

/** What DescribeStacks says about a stack. */
export interface StackDescription {
  readonly stackId: string;
  readonly stackName: string;
  readonly status: StackStatus;
  readonly statusReason?: string;
  /** ISO 8601, as all times here. */
  readonly creationTime: string;
  readonly lastUpdatedTime?: string;
  readonly parentId?: string;
  readonly rootId?: string;
}

/** What is in a stack. */
export interface StackContents {
  readonly template: unknown;
  readonly resources: readonly StackResource[];
}

export interface StackResource {
  readonly logicalId: string;
  readonly physicalId?: string;
  readonly type: string;
  readonly status: string;
}

export interface StacksEndpointOptions {
  /** The stack with this name or id; of a deleted one only the id is asked for. */
  readonly find: (nameOrId: string) => StackDescription | undefined;
  /** All stacks that exist. Default: the endpoint describes one stack at a time only. */
  readonly list?: () => readonly StackDescription[];
  /** Default: the endpoint knows no templates and resources. */
  readonly contents?: (stackId: string) => StackContents | undefined;
  /** IAM: the message of a denial, or undefined. Default: everything is allowed. */
  readonly authorize?: (request: AuthorizationRequest) => string | undefined;
  /** Owner of the stacks. Default 111122223333. */
  readonly accountId?: string;
  /** Default `aws`. */
  readonly partition?: string;
}

const VERSION = '2010-05-15';
const ACTIONS = ['DescribeStacks', 'GetTemplate', 'ListStackResources'];
const PAGE = 100;

/** CloudFormation's questions about stacks over HTTP, for any stacks that can be found. Signatures are accepted unchecked. */
export class StacksEndpoint {
  /** An endpoint that is ready to be called. */
  static async start(options: StacksEndpointOptions): Promise<StacksEndpoint> {
    const endpoint = new StacksEndpoint(options);
    await endpoint.listen();
    return endpoint;
  }

  readonly faults = new Faults();
  /** The StackName of each call that gave one, oldest first. */
  readonly calls: string[] = [];
  private readonly server: ServiceServer;
  private listening?: Promise<void>;

  constructor(private readonly options: StacksEndpointOptions) {
    this.server = new ServiceServer({
      protocol: AWS_QUERY,
      prepare: (request) => this.prepare(request),
      defaultRegion: '',
      faults: this.faults,
    });
  }

  /** The endpoint, for AWS_ENDPOINT_URL_CLOUDFORMATION, once it listens. */
  get url(): string {
    return this.server.url;
  }

  /** Begins to answer, at a free port; again does nothing. */
  listen(): Promise<void> {
    return (this.listening ??= this.server.listen(0, '127.0.0.1'));
  }

  async stop(): Promise<void> {
    await this.listening;
    if (this.listening) await this.server.stop();
  }

  private prepare({ query, body, caller }: HttpRequest): Prepared {
    const form = new URLSearchParams([...query, ...new URLSearchParams(body)]);
    const action = form.get('Action') ?? '';
    const name = form.get('StackName') ?? '';
    if (name !== '') this.calls.push(name);
    return {
      operation: action,
      parameters: { StackName: name },
      members: [...form.keys()],
      run: () => {
        if (action === '') throw new ErrorAnswer('MissingAction', 400, 'the request has no Action');
        if (!ACTIONS.includes(action) || form.get('Version') !== VERSION) {
          const message = `Could not find operation ${action} for version ${form.get('Version') ?? 'NO_VERSION_SPECIFIED'}`;
          throw new ErrorAnswer('InvalidAction', 400, message);
        }
        return this.answer(action, name, form.get('NextToken') ?? '', caller);
      },
    };
  }

  private answer(action: string, name: string, token: string, caller: Caller): Record<string, unknown> {
    const { accountId = '111122223333', partition = 'aws', authorize, list } = this.options;
    const { accessKeyId, region } = caller;
    const stack = this.find(name, region);
    const all = action === 'DescribeStacks' && name === '' && list;
    const unknown = name.startsWith('arn:')
      ? name
      : `arn:${partition}:cloudformation:${region}:${accountId}:stack/${name}/*`;
    const resource = all ? '*' : (stack?.stackId ?? unknown);
    const denial = authorize?.({ accessKeyId, action: `cloudformation:${action}`, resource });
    if (denial !== undefined) throw new ErrorAnswer('AccessDenied', 403, denial);
    if (all) {
      const { items, NextToken } = page(
        list().filter(({ stackId }) => isIn(region, stackId)),
        token,
      );
      return { Stacks: items.map(render), NextToken };
    }
    if (name === '') throw invalid('the embedded CloudFormation describes one stack at a time: StackName is required');
    if (!stack) throw invalid(`Stack with id ${name} does not exist`);
    if (action === 'DescribeStacks') return { Stacks: [render(stack)] };
    const contents = this.options.contents?.(stack.stackId);
    if (!contents) throw invalid(`the embedded CloudFormation knows no template of ${name}`);
    if (action === 'GetTemplate') {
      return { TemplateBody: JSON.stringify(contents.template, null, 1), StagesAvailable: ['Original', 'Processed'] };
    }
    const { items, NextToken } = page(contents.resources, token);
    return { StackResourceSummaries: items.map(renderResource), NextToken };
  }

  private find(name: string, region: string): StackDescription | undefined {
    const stack = this.options.find(name);
    if (!stack) return undefined;
    // The name of a deleted stack is free for another one.
    if (stack.status === 'DELETE_COMPLETE' && name !== stack.stackId) return undefined;
    return isIn(region, stack.stackId) ? stack : undefined;
  }
}

/** An unsigned call is about every region. */
function isIn(region: string, stackId: string): boolean {
  return region === '' || region === stackId.split(':')[3];
}

function page<T>(all: readonly T[], token: string): { items: readonly T[]; NextToken?: string } {
  const start = Number(token);
  const end = start + PAGE;
  return { items: all.slice(start, end), NextToken: end < all.length ? String(end) : undefined };
}

function renderResource({ logicalId, physicalId, type, status }: StackResource): Record<string, unknown> {
  return {
    LogicalResourceId: logicalId,
    PhysicalResourceId: physicalId,
    ResourceType: type,
    ResourceStatus: status,
    DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
  };
}

function invalid(message: string): ErrorAnswer {
  return new ErrorAnswer('ValidationError', 400, message);
}

function render(stack: StackDescription): Record<string, unknown> {
  return {
    StackId: stack.stackId,
    StackName: stack.stackName,
    CreationTime: stack.creationTime,
    LastUpdatedTime: stack.lastUpdatedTime,
    StackStatus: stack.status,
    StackStatusReason: stack.statusReason,
    ParentId: stack.parentId,
    RootId: stack.rootId,
    DisableRollback: false,
    EnableTerminationProtection: false,
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
    RollbackConfiguration: {},
    NotificationARNs: [],
    Parameters: [],
    Outputs: [],
    Tags: [],
  };
}
