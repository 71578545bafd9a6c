import type { Plan } from './execute';
import { SignedCallError } from './signed-call';
import type { StackDescription } from './stack';

/** What the stacks from the event's own up to the root say together. */
interface Reading {
  readonly rollingBack: boolean;
  readonly root: StackDescription;
}

/**
 * The deployment that an event belongs to, as CloudFormation shows it. Asked at most once an event, and only where the
 * answer decides: the ordinary event never waits for it. Every answer is undefined when the stacks cannot be read.
 */
export class Deployment {
  #reading?: { readonly result: Reading | undefined };

  constructor(private readonly stackId: string) {}

  *isRollingBack(): Plan<boolean | undefined> {
    return (yield* this.#read())?.rollingBack;
  }

  /** Whether what is deleted now was taken out of the code by a deployment that succeeded. */
  *isRemovingOnPurpose(): Plan<boolean> {
    const reading = yield* this.#read();
    return !!reading && !reading.rollingBack && reading.root.status === 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS';
  }

  /** Whether a moment (seconds since the epoch) is one of this deployment. CloudFormation shows its beginning only. */
  *covers(moment: number): Plan<boolean | undefined> {
    const began = (yield* this.#read())?.root.deployedAt;
    return began === undefined ? undefined : moment >= began;
  }

  /** Whether the resources of the stack are being made and changed: neither cleaned up, nor deleted, nor left as they are. */
  *isUnderWay(): Plan<boolean | undefined> {
    const reading = yield* this.#read();
    return reading && /^(CREATE|UPDATE|UPDATE_ROLLBACK)_IN_PROGRESS$/.test(reading.root.status);
  }

  *#read(): Plan<Reading | undefined> {
    this.#reading ??= { result: yield* readUpToRoot(this.stackId) };
    return this.#reading.result;
  }
}

function* readUpToRoot(stackId: string): Plan<Reading | undefined> {
  let rollingBack = false;
  try {
    for (let next = stackId; ;) {
      const stack = (yield { stack: next }) as StackDescription;
      rollingBack ||= stack.status.includes('ROLLBACK');
      if (stack.parentId === undefined) return { rollingBack, root: stack };
      next = stack.parentId;
    }
  } catch (error) {
    if (!(error instanceof SignedCallError)) throw error;
    yield { note: `the status of the stack cannot be read: ${error.code}` };
    return undefined;
  }
}
