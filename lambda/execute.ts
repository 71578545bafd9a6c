import type { Input, Operation, Output, QuickSightApi } from './quicksight-api';

/** One thing to do, as data: a call of QuickSight, or a while to wait (milliseconds). */
export type Step =
  { [O in Operation]: { readonly call: O; readonly input: Input<O> } }[Operation] | { readonly wait: number };

/**
 * A plan: pure code that yields steps and is handed their outcomes. A refused call is thrown into it as a
 * QuickSightError, so a plan reads like the calls it stands for, and yet a test can answer every step by hand.
 */
export type Plan<R> = Generator<Step, R, unknown>;

/** A step that calls QuickSight, with the type of its outcome. */
export function* call<O extends Operation>(operation: O, input: Input<O>): Generator<Step, Output<O>, unknown> {
  return (yield { call: operation, input } as Step) as Output<O>;
}

/** Runs a plan against QuickSight. */
export async function execute<R>(plan: Plan<R>, api: QuickSightApi, signal: AbortSignal): Promise<R> {
  let resume = () => plan.next();
  for (;;) {
    const next = resume();
    if (next.done) return next.value;
    const step = next.value;
    try {
      const outcome = 'wait' in step ? await pause(step.wait, signal) : await api(step.call, step.input);
      resume = () => plan.next(outcome);
    } catch (error) {
      // Past the deadline a plan has no say any more: it would only go on to its next step.
      if (signal.aborted) throw error;
      resume = () => plan.throw(error);
    }
  }
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
