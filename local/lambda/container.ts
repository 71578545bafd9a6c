import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';

/** An error as Lambda reports it. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** How one run of a function ended. */
export type Outcome = { readonly result?: unknown; readonly error?: undefined } | { readonly error: FunctionError };

export interface ContainerOptions {
  readonly codeDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly nodeExecutable: string;
  readonly log: (line: string) => void;
}

export interface Run {
  readonly event: unknown;
  readonly context: Readonly<Record<string, unknown>> & { readonly awsRequestId: string };
  readonly timeoutMs: number;
}

interface Answer {
  readonly answer: Outcome;
  readonly maxMemoryMb: number;
}

type Message = Answer | { readonly ready: true } | { readonly log: string } | { readonly failed: FunctionError };

/** One Node process that holds a loaded function and runs one event at a time, as a Lambda execution environment does. */
export class Container {
  /** False once the process has ended or must not be given another event. */
  usable = true;
  readonly #process: ChildProcess;
  readonly #log: (line: string) => void;
  readonly #ready: Promise<void>;
  readonly #ended: Promise<Answer>;
  #cause?: FunctionError;
  #onAnswer: (answer: Answer) => void = () => undefined;

  constructor({ codeDirectory, environment, nodeExecutable, log }: ContainerOptions) {
    this.#log = log;
    this.#process = fork(path.join(__dirname, 'runtime-client.cjs'), [], {
      cwd: codeDirectory,
      env: { ...environment },
      // The loaders of the parent (tsx, jest) would slow the child and are not there on Lambda.
      execArgv: [],
      execPath: nodeExecutable,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => this.#write(String(chunk)));

    let becomeReady: () => void;
    this.#ready = new Promise((resolve) => (becomeReady = resolve));
    this.#process.on('message', (message: Message) => {
      if ('log' in message) this.#write(message.log);
      else if ('ready' in message) becomeReady();
      else if ('failed' in message) this.#cause = message.failed;
      else this.#onAnswer(message);
    });
    this.#ended = new Promise((resolve) => {
      const end = (errorMessage: string) => {
        this.usable = false;
        resolve({ answer: { error: this.#cause ?? { errorType: 'Runtime.ExitError', errorMessage } }, maxMemoryMb: 0 });
      };
      this.#process.on('error', (error) => end(error.message));
      this.#process.on('exit', (code, signal) => {
        end(`Runtime exited with error: ${signal ? `signal: ${signal}` : `exit status ${code}`}`);
      });
    });
  }

  /** Runs one event. The time-out kills the process, as nothing less ends a handler that hangs. */
  async run(run: Run): Promise<Outcome> {
    // The time-out begins when the function is loaded: Lambda gives loading its own time.
    const crashed = await Promise.race([this.#ready, this.#ended]);
    const start = performance.now();
    const { answer, maxMemoryMb } = crashed ?? (await this.#answer(run));
    const duration = (performance.now() - start).toFixed(2);
    const requestId = `RequestId: ${run.context.awsRequestId}`;
    if (answer.error) this.#log(`ERROR ${requestId} ${JSON.stringify(answer.error)}`);
    this.#log(`REPORT ${requestId} Duration: ${duration} ms Max Memory Used: ${maxMemoryMb} MB`);
    return answer;
  }

  /** Ends the process. */
  async kill(cause?: FunctionError): Promise<void> {
    this.usable = false;
    this.#cause ??= cause;
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  async #answer({ event, context, timeoutMs }: Run): Promise<Answer> {
    const timer = setTimeout(() => {
      const errorMessage = `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
      void this.kill({ errorType: 'Sandbox.Timedout', errorMessage });
    }, timeoutMs);
    const answered = new Promise<Answer>((resolve) => (this.#onAnswer = resolve));
    this.#process.send({ event, context, deadline: Date.now() + timeoutMs });
    const answer = await Promise.race([answered, this.#ended]);
    clearTimeout(timer);
    return answer;
  }

  #write(text: string): void {
    for (const line of text.split('\n')) if (line !== '') this.#log(line);
  }
}
