import { Faults } from '../faults';
import { ServiceServer, type Caller, type HttpRequest, type Prepared, type RecordedCall } from '../service-server';
import { StateFile } from '../state-file';
import { accessDenied, invalid, notFound, ServiceError } from './errors';
import { Input } from './input';
import {
  authorizationRequest,
  changesPrincipals,
  isRegional,
  matchOperation,
  unsafeLabel,
  userNameOf,
  type AuthorizationRequest,
  type Match,
} from './operations';
import { REST_JSON } from './rest-json';
import {
  emptyContents,
  QuickSightState,
  type Account,
  type Contents,
  type StoredGroup,
  type StoredUser,
} from './state';
import { TokenBucket } from './token-bucket';

/** The account's settings default to an Enterprise account 111122223333 in us-east-1, without delays. */
export interface EmbeddedQuickSightOptions extends Partial<Account> {
  /** JSON file that keeps the state between runs. Default: in memory only. */
  readonly stateFile?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Requests a second that are served before ThrottlingException answers. Default: no limit. */
  readonly requestsPerSecond?: number;
  /** Requests served at once after a pause. Default: as many as a second allows. */
  readonly burst?: number;
  /** IAM: the message of a denial, or undefined. Asked before the region rule. Default: everything is allowed. */
  readonly authorize?: (request: AuthorizationRequest) => string | undefined;
}

/** A user as a test reads it. */
export interface UserRecord extends Omit<StoredUser, 'tags'> {
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly groups: readonly string[];
}

/** A group as a test reads it; members by user name. */
export interface GroupRecord extends Omit<StoredGroup, 'members'> {
  readonly members: readonly string[];
}

/** Amazon QuickSight's user management over HTTP, for one account, without AWS. Signatures are accepted unchecked. */
export class EmbeddedQuickSight {
  /** Starts a server that is ready to be called. */
  static async start(options: EmbeddedQuickSightOptions = {}): Promise<EmbeddedQuickSight> {
    const quickSight = new EmbeddedQuickSight(options);
    await quickSight.server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
    return quickSight;
  }

  readonly faults = new Faults();
  private readonly state: QuickSightState;
  private readonly file: StateFile<Contents>;
  private readonly server: ServiceServer;

  private constructor(private readonly options: EmbeddedQuickSightOptions) {
    const { stateFile, requestsPerSecond, burst = requestsPerSecond } = options;
    this.file = new StateFile(stateFile, () => this.state.contents, 100);
    this.state = new QuickSightState(accountOf(options), this.file.read());
    this.server = new ServiceServer({
      protocol: REST_JSON,
      prepare: (request) => this.prepare(request),
      defaultRegion: this.account.identityRegion,
      faults: this.faults,
      rateLimit: requestsPerSecond ? new TokenBucket(requestsPerSecond, Math.max(1, burst!)) : undefined,
    });
  }

  /** The endpoint, for AWS_ENDPOINT_URL_QUICKSIGHT or an SDK client's `endpoint`. */
  get url(): string {
    return this.server.url;
  }

  /** Every request, oldest first; the oldest are dropped when there are very many. */
  get calls(): RecordedCall[] {
    return this.server.calls;
  }

  /** The account's settings; a change counts from the next request. */
  get account(): Account {
    return this.state.account;
  }

  users(namespace?: string): UserRecord[] {
    return this.state
      .users()
      .filter((user) => namespace === undefined || user.namespace === namespace)
      .map((user) => this.record(user));
  }

  user(namespace: string, userName: string): UserRecord | undefined {
    const user = this.state.findUser(namespace, userName);
    return user && this.record(user);
  }

  groups(namespace?: string): GroupRecord[] {
    return this.state
      .groups()
      .filter((group) => namespace === undefined || group.namespace === namespace)
      .map((group) => ({ ...group, members: this.state.membersOf(group).map(({ userName }) => userName) }));
  }

  /** Out of band, as all that follow: nothing is checked or recorded. */
  deleteUser(namespace: string, userName: string): void {
    this.change(namespace, userName, (user) => this.state.removeUser(user));
  }

  setRole(namespace: string, userName: string, role: string): void {
    this.change(namespace, userName, (user) => void (user.role = role));
  }

  setActive(namespace: string, userName: string, active = true): void {
    this.change(namespace, userName, (user) => void (user.active = active));
  }

  /** Replaces all tags. */
  setTags(namespace: string, userName: string, tags: Readonly<Record<string, string>>): void {
    const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    this.change(namespace, userName, (user) => void (user.tags = list));
  }

  /** The IAM identity is deleted: name and ARN of its users become `N/A`; made again, it has another unique id. */
  removeIamIdentity(arn: string): void {
    this.state.removeIamIdentity(arn);
    this.file.changed();
  }

  /** An empty account, no calls and no faults. The account's settings stay. */
  reset(): void {
    this.state.contents = emptyContents();
    this.calls.length = 0;
    this.faults.clear();
    this.file.changed();
  }

  /** Ends all connections, also those with a call in flight, and writes the state. */
  async stop(): Promise<void> {
    await this.server.stop();
    this.file.flush();
  }

  private change(namespace: string, userName: string, apply: (user: StoredUser) => void): void {
    const user = this.state.findUser(namespace, userName);
    if (!user) throw new Error(`no user ${userName} in namespace ${namespace}`);
    apply(user);
    this.file.changed();
  }

  private record(user: StoredUser): UserRecord {
    return {
      ...user,
      userName: user.orphaned ? 'N/A' : user.userName,
      arn: this.state.userArn(user),
      tags: Object.fromEntries(user.tags.map(({ Key, Value }) => [Key, Value])),
      groups: this.state.groupsOf(user).map(({ groupName }) => groupName),
    };
  }

  /** Never throws: a request that cannot be understood is recorded too, and its error is the answer. */
  private prepare(request: HttpRequest): Prepared {
    const requestLine = `${request.method} ${request.path}`;
    const prepared = { operation: requestLine, parameters: {}, members: [] };
    try {
      const match = matchOperation(request.method, request.path);
      if (!match) throw new ServiceError('UnknownOperationException', `Unknown operation: ${requestLine}`);
      const { operation, labels: parameters } = match;
      const unsafe = unsafeLabel(match);
      if (unsafe !== undefined) {
        const error = invalid(`The path segment '${unsafe}' names no resource: ${requestLine}`);
        return { ...prepared, operation: operation.name, parameters, run: () => fail(error) };
      }
      const body = parseBody(request.body);
      const input = new Input({ ...body, ...queryMembers(request.query), ...match.labels });
      const userName = orUndefined(() => userNameOf(this.state, match, input));
      return {
        operation: operation.name,
        parameters: operation.scope === 'new-user' && userName ? { ...parameters, UserName: userName } : parameters,
        members: Object.keys(body),
        userName,
        run: () => this.run(match, input, request.caller),
      };
    } catch (error) {
      return { ...prepared, run: () => fail(error) };
    }
  }

  private run(match: Match, input: Input, caller: Caller): Record<string, unknown> {
    const denial = this.options.authorize?.(authorizationRequest(this.state, match, input, caller));
    if (denial !== undefined) throw accessDenied(denial);
    this.checkAccount(match, input, caller);
    const answer = match.operation.run(this.state, input);
    if (match.operation.method !== 'GET') this.file.changed();
    return answer;
  }

  /** The refusals that do not depend on what is in the account. */
  private checkAccount({ operation }: Match, input: Input, { region }: Caller): void {
    const { accountId, identityRegion, subscribed, edition, identityCenter } = this.account;
    if (input.has('AwsAccountId') && input.matching('AwsAccountId', /[0-9]{12}/) !== accountId) {
      throw accessDenied(`Not authorized to access account ${input.text('AwsAccountId')}`);
    }
    if (!subscribed) {
      const what = isRegional(operation) ? 'Directory' : 'Account';
      throw notFound('ACCOUNT', `${what} information for account ${accountId} is not found.`);
    }
    if (!isRegional(operation)) return;
    if (region !== identityRegion) {
      throw accessDenied(
        `Operation is being called from endpoint ${region}, but your identity region is ${identityRegion}. ` +
          `Please use the ${identityRegion} endpoint.`,
      );
    }
    if (edition === 'STANDARD') throw accessDenied('Operation is disabled for STANDARD Edition');
    if (identityCenter && changesPrincipals(operation)) {
      throw accessDenied('Operation is disabled for identities managed by IAM Identity Center');
    }
  }
}

function accountOf(options: EmbeddedQuickSightOptions): Account {
  return {
    accountId: options.accountId ?? '111122223333',
    partition: options.partition ?? 'aws',
    identityRegion: options.identityRegion ?? 'us-east-1',
    edition: options.edition ?? 'ENTERPRISE',
    identityCenter: options.identityCenter ?? false,
    subscribed: options.subscribed ?? true,
    checkCustomPermissions: options.checkCustomPermissions ?? false,
    caseInsensitiveNames: options.caseInsensitiveNames ?? false,
    visibilityDelayMs: options.visibilityDelayMs ?? 0,
    describeVisibilityDelayMs: options.describeVisibilityDelayMs ?? 0,
    namespaceDelayMs: options.namespaceDelayMs ?? 0,
    iamIdentity: options.iamIdentity,
  };
}

function parseBody(text: string): Record<string, unknown> {
  if (text === '') return {};
  const body: unknown = orUndefined(() => JSON.parse(text));
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new ServiceError('SerializationException', 'The request body is not a JSON object');
}

function queryMembers(query: URLSearchParams): Record<string, unknown> {
  return {
    MaxResults: query.get('max-results') ?? undefined,
    NextToken: query.get('next-token') ?? undefined,
    TagKeys: query.has('keys') ? query.getAll('keys') : undefined,
  };
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function fail(error: unknown): never {
  throw error;
}
