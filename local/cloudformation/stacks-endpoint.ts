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

export interface StacksEndpointOptions {
  /** The stack with this name or id; of a deleted one only the id is asked for. */
  readonly find: (nameOrId: string) => StackDescription | undefined;
  /** IAM: the message of a denial, or undefined. Default: everything is allowed. */
  readonly authorize?: (request: AuthorizationRequest) => string | undefined;
  /** Owner of the stacks. Default 111122223333. */
  readonly accountId?: string;
  /** Default `aws`. */
  readonly partition?: string;
}

const VERSION = '2010-05-15';

/** CloudFormation's DescribeStacks over HTTP, for any stacks that can be found. Signatures are accepted unchecked. */
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
        if (action !== 'DescribeStacks' || form.get('Version') !== VERSION) {
          const message = `Could not find operation ${action} for version ${form.get('Version') ?? 'NO_VERSION_SPECIFIED'}`;
          throw new ErrorAnswer('InvalidAction', 400, message);
        }
        return this.describeStacks(name, caller);
      },
    };
  }

  private describeStacks(name: string, { accessKeyId, region }: Caller): Record<string, unknown> {
    const { accountId = '111122223333', partition = 'aws', authorize } = this.options;
    if (name === '') throw invalid('the embedded CloudFormation describes one stack at a time: StackName is required');
    const stack = this.find(name, region);
    const unknown = name.startsWith('arn:')
      ? name
      : `arn:${partition}:cloudformation:${region}:${accountId}:stack/${name}/*`;
    const denial = authorize?.({
      accessKeyId,
      action: 'cloudformation:DescribeStacks',
      resource: stack?.stackId ?? unknown,
    });
    if (denial !== undefined) throw new ErrorAnswer('AccessDenied', 403, denial);
    if (!stack) throw invalid(`Stack with id ${name} does not exist`);
    return { Stacks: [render(stack)] };
  }

  private find(name: string, region: string): StackDescription | undefined {
    const stack = this.options.find(name);
    if (!stack) return undefined;
    // The name of a deleted stack is free for another one.
    if (stack.status === 'DELETE_COMPLETE' && name !== stack.stackId) return undefined;
    const isHere = region === '' || region === stack.stackId.split(':')[3];
    return isHere ? stack : undefined;
  }
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
