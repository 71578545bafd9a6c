import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { IamStore } from '../iam/iam-store';
import { Container, type Outcome } from './container';
import { InProcessContainer, type RunInProcess } from './in-process-container';
import { LogGroups } from './log-groups';
import { Semaphore } from './semaphore';

export interface FunctionConfiguration {
  readonly name: string;
  readonly arn: string;
  readonly region: string;
  readonly roleArn: string;
  readonly handler: string;
  readonly runtime: string;
  readonly codeDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly logGroup: string;
}

export interface EmbeddedLambdaOptions {
  readonly iam: IamStore;
  /** Added to the environment of every function: where the AWS services are, such as `AWS_ENDPOINT_URL_QUICKSIGHT`. */
  readonly endpoints?: Readonly<Record<string, string>>;
  /**
   * Function runs at the same time, over all functions.
   * @default 4
   */
  readonly concurrency?: number;
  /**
   * Waiting time before each repetition of an asynchronous event whose function failed.
   * @default - Lambda's own: one minute, then two
   */
  readonly retryDelaysMs?: readonly number[];
  /**
   * The Node.js that runs the functions.
   * @default - the one that runs this process
   */
  readonly nodeExecutable?: string;
  /**
   * Runs every event of every function instead of the functions' own code.
   * @default - functions run in processes of their own
   */
  readonly runInProcess?: RunInProcess;
}

export interface AsynchronousInvocation {
  readonly requestId: string;
  /** How the last attempt ended. */
  readonly done: Promise<Outcome>;
}

type FunctionContainer = Container | InProcessContainer;

interface DeployedFunction {
  readonly configuration: FunctionConfiguration;
  readonly idle: FunctionContainer[];
}

/** The Lambda of the embedded AWS: each function runs from its own bundle in Node processes of its own. */
export class EmbeddedLambda {
  readonly logGroups = new LogGroups();
  readonly #iam: IamStore;
  #endpoints: Readonly<Record<string, string>>;
  readonly #retryDelaysMs: readonly number[];
  readonly #nodeExecutable: string;
  readonly #runInProcess?: RunInProcess;
  readonly #slots: Semaphore;
  readonly #functions = new Map<string, DeployedFunction>();
  readonly #containers = new Set<FunctionContainer>();
  readonly #stopping = new AbortController();

  constructor(options: EmbeddedLambdaOptions) {
    this.#iam = options.iam;
    this.#endpoints = options.endpoints ?? {};
    this.#retryDelaysMs = options.retryDelaysMs ?? [60_000, 120_000];
    this.#nodeExecutable = options.nodeExecutable ?? process.execPath;
    this.#runInProcess = options.runInProcess;
    this.#slots = new Semaphore(options.concurrency ?? 4);
  }

  /** Tells functions that start from now on where more AWS services are, unless the options say it otherwise. */
  addEndpoints(endpoints: Readonly<Record<string, string>>): void {
    this.#endpoints = { ...endpoints, ...this.#endpoints };
  }

  /** Creates a function or gives it a new configuration; events from now on run with that. */
  put(configuration: FunctionConfiguration): void {
    const role = this.#iam.findByArn(configuration.roleArn);
    if (!role || !this.#iam.trusts(role, 'lambda.amazonaws.com')) {
      throw new Error(
        `the role ${configuration.roleArn} defined for the function cannot be assumed by Lambda: ` +
          'it must exist in the embedded IAM and trust lambda.amazonaws.com',
      );
    }
    this.delete(configuration.name);
    this.#functions.set(configuration.name, { configuration, idle: [] });
  }

  delete(name: string): void {
    for (const container of this.#functions.get(name)?.idle ?? []) void this.#discard(container);
    this.#functions.delete(name);
  }

  has(name: string): boolean {
    return this.#functions.has(name);
  }

  configurations(): FunctionConfiguration[] {
    return [...this.#functions.values()].map(({ configuration }) => configuration);
  }

  restore(configurations: readonly FunctionConfiguration[]): void {
    for (const configuration of configurations) this.#functions.set(configuration.name, { configuration, idle: [] });
  }

  /** Hands an event over without waiting for its end; a failing function gets it twice more. */
  invokeAsync(functionArn: string, event: unknown): AsynchronousInvocation {
    this.#find(functionArn);
    const requestId = randomUUID();
    return { requestId, done: this.#attempt(functionArn, event, requestId) };
  }

  /** Runs a function once and waits for its result. */
  async invoke(functionArn: string, event: unknown, requestId: string = randomUUID()): Promise<Outcome> {
    return this.#slots.run(async () => {
      if (this.#stopping.signal.aborted) return STOPPED;
      const deployed = this.#find(functionArn);
      const { configuration, idle } = deployed;
      const container = idle.pop() ?? this.#start(configuration);
      const outcome = await container.run({
        event,
        timeoutMs: configuration.timeoutSeconds * 1000,
        context: {
          awsRequestId: requestId,
          functionName: configuration.name,
          functionVersion: '$LATEST',
          invokedFunctionArn: functionArn,
          memoryLimitInMB: String(configuration.memoryMb),
          logGroupName: configuration.logGroup,
          logStreamName: LOG_STREAM,
        },
      });
      const current = this.#functions.get(configuration.name) === deployed;
      if (container.usable && current) idle.push(container);
      else await this.#discard(container);
      return outcome;
    });
  }

  /** Ends every process. Events that wait are dropped. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#containers].map((container) => container.kill()));
  }

  async #attempt(functionArn: string, event: unknown, requestId: string): Promise<Outcome> {
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.invoke(functionArn, event, requestId).catch(asOutcome);
      const retryDelay = this.#retryDelaysMs[attempt];
      if (!outcome.error || retryDelay === undefined) return outcome;
      try {
        await delay(retryDelay, undefined, { signal: this.#stopping.signal });
      } catch {
        return STOPPED;
      }
    }
  }

  #find(functionArn: string): DeployedFunction {
    const name = functionArn.split(':')[6];
    const deployed = name === undefined ? undefined : this.#functions.get(name);
    if (deployed?.configuration.arn === functionArn) return deployed;
    throw new Error(`function not found: ${functionArn}: only functions that a stack here made can be invoked`);
  }

  #start(configuration: FunctionConfiguration): FunctionContainer {
    const { codeDirectory, logGroup } = configuration;
    const environment = this.#environment(configuration);
    const log = (line: string) => this.logGroups.append(logGroup, line);
    const container = this.#runInProcess
      ? new InProcessContainer({ runInProcess: this.#runInProcess, environment, log })
      : new Container({ codeDirectory, environment, nodeExecutable: this.#nodeExecutable, log });
    this.#containers.add(container);
    return container;
  }

  /** What a function finds in its environment, with credentials of a new session of its role. */
  #environment(configuration: FunctionConfiguration): Record<string, string> {
    const { name, region, codeDirectory, logGroup } = configuration;
    const credentials = this.#iam.assumeRole(configuration.roleArn, name);
    return {
      _HANDLER: configuration.handler,
      LAMBDA_TASK_ROOT: codeDirectory,
      AWS_EXECUTION_ENV: `AWS_Lambda_${configuration.runtime}`,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(configuration.memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: LOG_STREAM,
      TZ: ':UTC',
      // Lambda's Node.js is newer than what may run this: the advice to upgrade would only fill the function's log.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...this.#endpoints,
      ...configuration.environment,
    };
  }

  async #discard(container: FunctionContainer): Promise<void> {
    this.#containers.delete(container);
    await container.kill();
  }
}

const LOG_STREAM = 'embedded/[$LATEST]';

const STOPPED: Outcome = { error: { errorType: 'Stopped', errorMessage: 'the embedded Lambda was stopped' } };

function asOutcome(error: unknown): Outcome {
  return { error: { errorType: 'Error', errorMessage: error instanceof Error ? error.message : String(error) } };
}
