import type { FunctionError, Outcome, Run } from './container';

/** What the context of an event tells a function. */
export interface InProcessContext extends Readonly<Record<string, unknown>> {
  readonly awsRequestId: string;
  readonly functionName: string;
  getRemainingTimeInMillis(): number;
}

/**
 * Runs an event in this process, in place of the function's own code.
 *
 * `environment` is what the function's process would have in its environment, the credentials of its role among it; a
 * line given to `log` goes to its log group. After the time-out nobody waits for it any more, but nothing ends it either.
 */
export type RunInProcess = (
  event: unknown,
  context: InProcessContext,
  environment: Readonly<Record<string, string>>,
  log: (line: string) => void,
) => Promise<unknown>;

export interface InProcessContainerOptions {
  readonly runInProcess: RunInProcess;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

/** A Container without a process of its own, for tests that send thousands of events. It has no memory to report. */
export class InProcessContainer {
  usable = true;
  #end: (error: FunctionError) => void = () => undefined;

  constructor(private readonly options: InProcessContainerOptions) {}

  async run({ event, context, timeoutMs }: Run): Promise<Outcome> {
    const { runInProcess, environment, log } = this.options;
    const deadline = Date.now() + timeoutMs;
    const ended = new Promise<Outcome>((resolve) => (this.#end = (error) => resolve({ error })));
    const timer = setTimeout(() => {
      const errorMessage = `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
      void this.kill({ errorType: 'Sandbox.Timedout', errorMessage });
    }, timeoutMs);
    const getRemainingTimeInMillis = () => Math.max(0, deadline - Date.now());
    const work = async () =>
      runInProcess(
        // As it would arrive in another process: a copy.
        JSON.parse(JSON.stringify(event)) as unknown,
        { ...context, functionName: String(context.functionName), getRemainingTimeInMillis },
        environment,
        log,
      );
    const outcome = await Promise.race([
      work().then(
        (result): Outcome => ({ result }),
        (error: unknown): Outcome => ({ error: described(error) }),
      ),
      ended,
    ]);
    clearTimeout(timer);
    if (outcome.error) log(`ERROR RequestId: ${context.awsRequestId} ${JSON.stringify(outcome.error)}`);
    return outcome;
  }

  async kill(cause: FunctionError = { errorType: 'Runtime.ExitError', errorMessage: 'ended' }): Promise<void> {
    this.usable = false;
    this.#end(cause);
  }
}

function described(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error) };
  return { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') };
}
