import type { Invitation } from './invitation-secret';
import type { Input, Operation, Output, QuickSightApi, QuickSightError } from './quicksight-api';
import type { StackDescription } from './stack';

/** One thing to do, as data. */
export type Step =
  /** A call of QuickSight. `within` bounds its repetitions: see `QuickSightApi`. */
  | { [O in Operation]: { readonly call: O; readonly input: Input<O>; readonly within?: number } }[Operation]
  /** The id of a stack that CloudFormation is asked for. */
  | { readonly stack: string }
  /** ARN of a secret that is read. */
  | { readonly secret: string }
  /** ARN of a secret that is written. */
  | { readonly secret: string; readonly invitation: Invitation }
  /** Milliseconds. `atDeadline` is what the event fails with when time runs out before that operation succeeds. */
  | { readonly wait: number; readonly atDeadline?: QuickSightError }
  /** For the log: what a person could not find out otherwise, in words that name nobody. */
  | { readonly note: string };

/**
 * A plan: pure code that yields steps and is handed their outcomes. A refused call is thrown into it as a
 * QuickSightError, so a plan reads like the calls it stands for, and yet a test can answer every step by hand.
 */
export type Plan<R> = Generator<Step, R, unknown>;

/** All that a plan reaches. */
export interface Services {
  readonly quickSight: QuickSightApi;
  readonly describeStack: (stackId: string) => Promise<StackDescription>;
  readonly readInvitation: (secretArn: string) => Promise<Invitation | undefined>;
  readonly writeInvitation: (secretArn: string, invitation: Invitation) => Promise<void>;
  readonly note: (text: string) => void;
}

/** A step that calls QuickSight, with the type of its outcome. */
export function* call<O extends Operation>(operation: O, input: Input<O>, within?: number): Plan<Output<O>> {
  return (yield { call: operation, input, within } as Step) as Output<O>;
}

/** Runs a plan. */
export async function execute<R>(plan: Plan<R>, services: Services, signal: AbortSignal): Promise<R> {
  let resume = () => plan.next();
  let atDeadline: QuickSightError | undefined;
  for (;;) {
    const next = resume();
    if (next.done) return next.value;
    const step = next.value;
    if ('wait' in step) atDeadline = step.atDeadline ?? atDeadline;
    try {
      const outcome = await take(step, services, signal);
      if ('call' in step && step.call === atDeadline?.operation) atDeadline = undefined;
      resume = () => plan.next(outcome);
    } catch (error) {
      // Past the deadline a plan has no say any more: it would only go on to its next step.
      if (signal.aborted) throw atDeadline ?? error;
      resume = () => plan.throw(error);
    }
  }
}

async function take(step: Step, services: Services, signal: AbortSignal): Promise<unknown> {
  if ('call' in step) return services.quickSight(step.call, step.input, step.within);
  if ('stack' in step) return services.describeStack(step.stack);
  if ('invitation' in step) return services.writeInvitation(step.secret, step.invitation);
  if ('secret' in step) return services.readInvitation(step.secret);
  if ('note' in step) return services.note(step.note);
  return pause(step.wait, signal);
}

/** Waits; rejects as soon as `signal` is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
