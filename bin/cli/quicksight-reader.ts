import { setTimeout as pause } from 'node:timers/promises';
import {
  DescribeCustomPermissionsCommand,
  type DescribeCustomPermissionsCommandInput,
  type DescribeCustomPermissionsCommandOutput,
  ListGroupMembershipsCommand,
  type ListGroupMembershipsCommandInput,
  type ListGroupMembershipsCommandOutput,
  ListGroupsCommand,
  type ListGroupsCommandInput,
  type ListGroupsCommandOutput,
  ListNamespacesCommand,
  type ListNamespacesCommandInput,
  type ListNamespacesCommandOutput,
  ListTagsForResourceCommand,
  type ListTagsForResourceCommandInput,
  type ListTagsForResourceCommandOutput,
  ListUsersCommand,
  type ListUsersCommandInput,
  type ListUsersCommandOutput,
  QuickSightClient,
  type QuickSightClientConfig,
} from '@aws-sdk/client-quicksight';
import { namedIdentityRegion, type QuickSightError } from '../../lambda/quicksight-api';

/** All that the command line asks QuickSight: it only ever reads. */
const COMMANDS = {
  DescribeCustomPermissions: DescribeCustomPermissionsCommand,
  ListNamespaces: ListNamespacesCommand,
  ListUsers: ListUsersCommand,
  ListGroups: ListGroupsCommand,
  ListGroupMemberships: ListGroupMembershipsCommand,
  ListTagsForResource: ListTagsForResourceCommand,
};

interface Reads {
  DescribeCustomPermissions: [DescribeCustomPermissionsCommandInput, DescribeCustomPermissionsCommandOutput];
  ListNamespaces: [ListNamespacesCommandInput, ListNamespacesCommandOutput];
  ListUsers: [ListUsersCommandInput, ListUsersCommandOutput];
  ListGroups: [ListGroupsCommandInput, ListGroupsCommandOutput];
  ListGroupMemberships: [ListGroupMembershipsCommandInput, ListGroupMembershipsCommandOutput];
  ListTagsForResource: [ListTagsForResourceCommandInput, ListTagsForResourceCommandOutput];
}
export type Read = keyof Reads;
type Input<R extends Read> = Reads[R][0];
type Output<R extends Read> = Reads[R][1];

/** A read that QuickSight, or the way to it, did not answer. */
export class ReadError extends Error {
  constructor(
    readonly operation: Read,
    /** For example ThrottlingException, or ECONNREFUSED when no answer came. */
    readonly code: string,
    message: string,
    /** HTTP status; undefined when no answer came. */
    readonly status: number | undefined,
    /** The region that was asked. */
    readonly region: string,
  ) {
    super(message);
    this.name = 'ReadError';
  }

  get throttled(): boolean {
    // By name or status: a throttle can come without a message.
    return this.status === 429 || /^(Throttling|TooManyRequests)/.test(this.code);
  }

  /** No verdict of the service but a fault on the way, also an answer of status 200 that cannot be read. */
  get faulty(): boolean {
    const local = /^(CredentialsProviderError|TokenProviderError|ENOTFOUND)$/.test(this.code);
    return !local && (this.status === undefined || this.status >= 500 || this.status < 400);
  }
}

/** For how long one read is repeated; milliseconds. */
export interface Patience {
  readonly throttled: number;
  readonly faulty: number;
  /** Upper bound of the first pause; it doubles with every attempt. */
  readonly backOff: number;
}

const PATIENCE: Patience = { throttled: 120_000, faulty: 10_000, backOff: 200 };

const LONGEST_PAUSE = 10_000;
const ATTEMPT = 30_000;

/** Lists hold at most this many. */
export const PAGE = 100;

/** QuickSight for reading, in the identity region, with retries. */
export class QuickSightReader {
  /** Where QuickSight keeps the users, as far as is known by now. */
  region: string;
  private followed = false;
  private client?: { readonly region: string; readonly client: QuickSightClient };

  constructor(
    region: string,
    private readonly credentials: QuickSightClientConfig['credentials'],
    private readonly patience = PATIENCE,
  ) {
    this.region = region;
  }

  async call<R extends Read>(read: R, input: Input<R>): Promise<Output<R>> {
    const started = Date.now();
    for (let attempt = 0; ; attempt++) {
      const { region } = this;
      try {
        return await this.send(region, read, input);
      } catch (thrown) {
        const error = toReadError(read, thrown, region);
        if (this.follows(error, region)) continue;
        const { throttled, faulty, backOff } = this.patience;
        const bound = error.throttled ? throttled : error.faulty ? faulty : 0;
        if (Date.now() - started >= bound) throw error;
        // Full jitter: what reads beside this one is throttled at the same moment and must not come back with it.
        await pause(Math.random() * Math.min(LONGEST_PAUSE, backOff * 2 ** attempt));
      }
    }
  }

  /** All items of a list, page by page. */
  async *pages<R extends Exclude<Read, 'DescribeCustomPermissions' | 'ListTagsForResource'>>(
    read: R,
    input: Input<R>,
  ): AsyncGenerator<Output<R>> {
    let NextToken: string | undefined;
    do {
      const page: Output<R> = await this.call(read, { ...input, MaxResults: PAGE, NextToken });
      yield page;
      NextToken = page.NextToken;
    } while (NextToken);
  }

  close(): void {
    this.client?.client.destroy();
  }

  /** Whether the read is to be sent again, to another region that QuickSight named. That is followed once. */
  private follows(error: ReadError, asked: string): boolean {
    const named = namedIdentityRegion(error as unknown as QuickSightError, asked);
    if (!named) return false;
    if (!this.followed) {
      this.followed = true;
      this.region = named;
    }
    // Another read may have followed it meanwhile.
    return this.region === named;
  }

  private send<R extends Read>(region: string, read: R, input: Input<R>): Promise<Output<R>> {
    if (this.client?.region !== region) {
      this.close();
      // All retries are ours: the SDK's give up after three attempts, which thousands of reads outlast.
      const client = new QuickSightClient({ region, credentials: this.credentials, maxAttempts: 1 });
      this.client = { region, client };
    }
    // TypeScript cannot follow that the command of an operation takes and gives that operation's shapes.
    const command = new (COMMANDS[read] as unknown as new (input: Input<R>) => never)(input);
    return this.client.client.send<Input<R>, Output<R>>(command, { abortSignal: AbortSignal.timeout(ATTEMPT) });
  }
}

function toReadError(read: Read, thrown: unknown, region: string): ReadError {
  const error = thrown as Error & { code?: string; $metadata?: { httpStatusCode?: number } };
  const status = error.$metadata?.httpStatusCode;
  return new ReadError(read, (status === undefined && error.code) || error.name, error.message, status, region);
}
