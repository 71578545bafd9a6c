import {
  CreateGroupMembershipCommand,
  type CreateGroupMembershipCommandInput,
  type CreateGroupMembershipCommandOutput,
  DeleteGroupMembershipCommand,
  type DeleteGroupMembershipCommandInput,
  type DeleteGroupMembershipCommandOutput,
  DescribeGroupCommand,
  type DescribeGroupCommandInput,
  type DescribeGroupCommandOutput,
  ListUserGroupsCommand,
  type ListUserGroupsCommandInput,
  type ListUserGroupsCommandOutput,
  DeleteUserCommand,
  type DeleteUserCommandInput,
  type DeleteUserCommandOutput,
  DeleteUserByPrincipalIdCommand,
  type DeleteUserByPrincipalIdCommandInput,
  type DeleteUserByPrincipalIdCommandOutput,
  DescribeUserCommand,
  type DescribeUserCommandInput,
  type DescribeUserCommandOutput,
  ListTagsForResourceCommand,
  type ListTagsForResourceCommandInput,
  type ListTagsForResourceCommandOutput,
  ListUsersCommand,
  type ListUsersCommandInput,
  type ListUsersCommandOutput,
  RegisterUserCommand,
  type RegisterUserCommandInput,
  type RegisterUserCommandOutput,
  TagResourceCommand,
  type TagResourceCommandInput,
  type TagResourceCommandOutput,
  UntagResourceCommand,
  type UntagResourceCommandInput,
  type UntagResourceCommandOutput,
  UpdateUserCommand,
  type UpdateUserCommandInput,
  type UpdateUserCommandOutput,
  QuickSightClient,
} from '@aws-sdk/client-quicksight';
import { pause } from './execute';

/** The whole of QuickSight that this handler uses. Commands, because the aggregated client does not tree-shake. */
const COMMANDS = {
  RegisterUser: RegisterUserCommand,
  DescribeUser: DescribeUserCommand,
  UpdateUser: UpdateUserCommand,
  DeleteUser: DeleteUserCommand,
  DeleteUserByPrincipalId: DeleteUserByPrincipalIdCommand,
  ListUsers: ListUsersCommand,
  CreateGroupMembership: CreateGroupMembershipCommand,
  DeleteGroupMembership: DeleteGroupMembershipCommand,
  DescribeGroup: DescribeGroupCommand,
  ListUserGroups: ListUserGroupsCommand,
  TagResource: TagResourceCommand,
  UntagResource: UntagResourceCommand,
  ListTagsForResource: ListTagsForResourceCommand,
};

interface Calls {
  RegisterUser: [RegisterUserCommandInput, RegisterUserCommandOutput];
  DescribeUser: [DescribeUserCommandInput, DescribeUserCommandOutput];
  UpdateUser: [UpdateUserCommandInput, UpdateUserCommandOutput];
  DeleteUser: [DeleteUserCommandInput, DeleteUserCommandOutput];
  DeleteUserByPrincipalId: [DeleteUserByPrincipalIdCommandInput, DeleteUserByPrincipalIdCommandOutput];
  ListUsers: [ListUsersCommandInput, ListUsersCommandOutput];
  CreateGroupMembership: [CreateGroupMembershipCommandInput, CreateGroupMembershipCommandOutput];
  DeleteGroupMembership: [DeleteGroupMembershipCommandInput, DeleteGroupMembershipCommandOutput];
  DescribeGroup: [DescribeGroupCommandInput, DescribeGroupCommandOutput];
  ListUserGroups: [ListUserGroupsCommandInput, ListUserGroupsCommandOutput];
  TagResource: [TagResourceCommandInput, TagResourceCommandOutput];
  UntagResource: [UntagResourceCommandInput, UntagResourceCommandOutput];
  ListTagsForResource: [ListTagsForResourceCommandInput, ListTagsForResourceCommandOutput];
}
export type Operation = keyof Calls;
export type Input<O extends Operation> = Calls[O][0];
export type Output<O extends Operation> = Calls[O][1];

/**
 * The port: one call, answered, or refused with a QuickSightError. What may pass is repeated until the deadline.
 *
 * @param within milliseconds for which the decision to make this call holds. The call is not repeated later than that,
 * nor after an attempt that may have taken effect: it fails with an error that is `passing`, and the decision is due anew
 */
export type QuickSightApi = <O extends Operation>(operation: O, input: Input<O>, within?: number) => Promise<Output<O>>;

/** What QuickSight, or the way to it, made of a call in the end. */
export class QuickSightError extends Error {
  constructor(
    readonly operation: Operation,
    /** The service's error code, for example ResourceExistsException. */
    readonly code: string,
    message: string,
    /** HTTP status; undefined when no answer came. */
    readonly status: number | undefined,
    /** An attempt of this call got no clear answer: it may have taken effect. */
    readonly ambiguous: boolean,
    /** The same call may succeed later. */
    readonly passing = false,
  ) {
    super(message);
    this.name = 'QuickSightError';
  }

  /** QuickSight understood the call and said no. */
  get refused(): boolean {
    return this.status !== undefined && this.status >= 400 && this.status < 500 && this.status !== 429;
  }

  /** The user is not there, or nothing is left that could hold it (facts: namespace, directory, subscription). */
  get notFound(): boolean {
    return this.code === 'ResourceNotFoundException';
  }
}

/** How long to wait for what is known to pass; milliseconds. */
export interface Patience {
  /** A policy attached moments ago is not effective yet (seconds). From the beginning of the event on. */
  readonly freshPolicy: number;
  /**
   * An IAM role or user made in the same stack is not visible to QuickSight yet (seconds, rarely a minute). From the first
   * attempt of the call on, as the next one.
   */
  readonly freshIdentity: number;
  /** Group calls do not see a user that was registered moments ago (seconds). From the first refusal on. */
  readonly freshUser: number;
  /** An account subscribed, or a namespace created, moments ago is not ready yet. */
  readonly freshAccount: number;
  /** Upper bound of one attempt: a call that hangs is cut and repeated. */
  readonly attempt: number;
  /** Upper bound of the first pause before a call is repeated; it doubles with every attempt. */
  readonly backOff: number;
  /** Pauses between looks at a user that an attempt of ours may have registered. */
  readonly looks: readonly number[];
  /**
   * For how long a user may be deleted on the strength of the tags that were read. Less than all `looks` together: who
   * takes a user that is being left waits that long for it to go.
   */
  readonly tagsHold: number;
  /** Upper bound of asking CloudFormation for a stack while it throttles; a third of it when it cannot be reached. */
  readonly stack: number;
}

export const PATIENCE: Patience = {
  freshPolicy: 20_000,
  freshIdentity: 90_000,
  freshUser: 60_000,
  freshAccount: 90_000,
  attempt: 20_000,
  backOff: 200,
  looks: [500, 1_000, 2_000, 4_000],
  tagsHold: 3_000,
  stack: 30_000,
};

/** The identity region that QuickSight named, remembered for the life of the container. */
let discoveredRegion: string | undefined;
const clients = new Map<string, QuickSightClient>();

/** For tests: a container that has learnt nothing. */
export function forgetRegion(): void {
  discoveredRegion = undefined;
  clients.forEach((client) => client.destroy());
  clients.clear();
}

/**
 * QuickSight as this function reaches it: in the identity region, with retries until `signal` ends them.
 */
export function quickSightApi(signal: AbortSignal, patience: Patience): QuickSightApi {
  const invoked = Date.now();
  return async (operation, input, within = Infinity) => {
    const started = Date.now();
    let last: QuickSightError | undefined;
    let redirected = false;
    for (let attempt = 0; ; attempt++) {
      const region = currentRegion();
      try {
        return await send(region, operation, input, AbortSignal.any([signal, AbortSignal.timeout(patience.attempt)]));
      } catch (thrown) {
        if (signal.aborted) throw outOfTime(operation, last);
        last = toQuickSightError(operation, thrown, last?.ambiguous ?? false);
      }
      const named = namedIdentityRegion(last, region);
      if (named) {
        // Followed once. A second change of mind is nothing to build on, nor to remember.
        discoveredRegion = redirected ? undefined : named;
        if (redirected) throw last;
        redirected = true;
        continue;
      }
      const now = Date.now();
      if (!mayPass(last, input, { call: now - started, event: now - invoked }, patience)) throw last;
      if (within !== Infinity && (last.ambiguous || now - started > within)) throw passing(last);
      console.log(JSON.stringify({ operation, attempt: attempt + 1, again: last.code, status: last.status }));
      // Full jitter: many users of one stack are throttled together and must not come back together.
      await pause(Math.random() * Math.min(2_000, patience.backOff * 2 ** attempt), signal).catch(() => {
        throw outOfTime(operation, last);
      });
    }
  };
}

function passing({ operation, code, message, status, ambiguous }: QuickSightError): QuickSightError {
  return new QuickSightError(operation, code, message, status, ambiguous, true);
}

/** The failure of an event that the deadline caught at this operation. */
export function outOfTime(operation: Operation, last: QuickSightError | undefined): QuickSightError {
  const message = `the function ran out of time; ${last ? `the last answer was: ${last.message || last.code}` : 'no answer came'}`;
  return new QuickSightError(operation, last?.code ?? 'TimeoutError', message, last?.status, true);
}

function currentRegion(): string {
  // An empty variable is what a template with an empty parameter renders.
  return discoveredRegion ?? (process.env.QUICKSIGHT_IDENTITY_REGION || process.env.AWS_REGION!);
}

async function send<O extends Operation>(region: string, operation: O, input: Input<O>, abortSignal: AbortSignal) {
  const client =
    clients.get(region) ??
    new QuickSightClient({
      region,
      // Lambda gives them in the environment; the chain that would look elsewhere is a third of the bundle.
      credentials: async () => ({
        accessKeyId: process.env.AWS_ACCESS_KEY_ID!,
        secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY!,
        sessionToken: process.env.AWS_SESSION_TOKEN,
      }),
      // All retries are ours: the SDK hides whether an attempt before the last may have taken effect, repeats
      // LimitExceededException as if it were throttling, and knows nothing of the deadline.
      maxAttempts: 1,
      retryMode: 'standard',
    });
  clients.set(region, client);
  // TypeScript cannot follow that the command of an operation takes and gives that operation's shapes.
  const command = new (COMMANDS[operation] as unknown as new (input: Input<O>) => never)(input);
  return client.send<Input<O>, Output<O>>(command, { abortSignal });
}

function toQuickSightError(operation: Operation, thrown: unknown, ambiguousBefore: boolean): QuickSightError {
  const error = thrown as Error & { code?: string; $metadata?: { httpStatusCode?: number } };
  // A 5xx with an HTML body reaches us as a SyntaxError; only its status says what it was.
  const status = error.$metadata?.httpStatusCode;
  const code = (status === undefined && error.code) || error.name;
  const unclear = status === undefined || status >= 500 || status < 400;
  return new QuickSightError(operation, code, error.message, status, ambiguousBefore || unclear);
}

function isThrottle(error: QuickSightError): boolean {
  // By name or status: a throttle can come without a message.
  return error.status === 429 || /^(Throttling|TooManyRequests)/.test(error.code);
}

/** Whether the same call may succeed later, judged by an answer so many milliseconds after the call and the event began. */
function mayPass(
  error: QuickSightError,
  input: object,
  elapsed: { readonly call: number; readonly event: number },
  patience: Patience,
): boolean {
  // What is no refusal is a fault on the way, also an answer of status 200 that cannot be read.
  if (isThrottle(error) || !error.refused) return true;
  if (isMissingPermission(error)) return elapsed.event < patience.freshPolicy;
  if (error.operation !== 'RegisterUser') return false;
  if (error.code === 'PreconditionNotMetException') return elapsed.call < patience.freshAccount;
  const { IamArn } = input as Input<'RegisterUser'>;
  const aboutIdentity =
    /^(InvalidParameterValue|ResourceNotFound)Exception$/.test(error.code) &&
    !!IamArn &&
    error.message.includes(IamArn);
  return aboutIdentity && elapsed.call < patience.freshIdentity;
}

/** IAM's "no policy allows": the one denial that a policy attached a moment ago explains. */
export function isMissingPermission(error: QuickSightError): boolean {
  return (
    error.code === 'AccessDeniedException' &&
    /not authorized to perform/i.test(error.message) &&
    !/explicit deny|service control policy/i.test(error.message)
  );
}

/**
 * The region to go to instead, when the answer names another identity region of our own partition.
 *
 * The wording varies (a comma or none, "capacity region", a full stop or none), and the text comes from outside: only a
 * well-formed region of the same partition is followed.
 */
export function namedIdentityRegion(error: QuickSightError, current: string): string | undefined {
  if (error.code !== 'AccessDeniedException') return undefined;
  const named = /your (?:identity|capacity) region is ([a-z]{2,4}(?:-[a-z]+)+-\d)\b/i.exec(error.message)?.[1];
  return named && named !== current && partitionOf(named) === partitionOf(current) ? named : undefined;
}

/** Regions outside the commercial partition carry theirs in their name. */
function partitionOf(region: string): string {
  return /^(cn|us-gov|us-iso[a-z]?|eu-isoe|eusc)-/.exec(region)?.[1] ?? 'aws';
}
