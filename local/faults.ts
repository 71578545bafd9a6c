/** Which calls a fault hits. Without any of these: every call. */
export interface FaultMatch {
  /** For example `RegisterUser`. */
  readonly operation?: string;
  /** The user that the call is about: registered, read, changed, tagged or a group's member. */
  readonly userName?: string;
  /** The first of the matching calls to hit, counted from 1. */
  readonly nth?: number;
  /** How many calls to hit; `Infinity` for every one from then on. Default 1. */
  readonly times?: number;
  /** Whether the operation has taken effect when the fault strikes. Default `before`. */
  readonly when?: 'before' | 'after';
}

/** What happens instead of, or to, the proper answer. */
export type FaultEffect =
  /** An error answer. Default status: what the service sends with that code. */
  | { readonly kind: 'error'; readonly code: string; readonly status?: number; readonly message?: string }
  /** A refusal for too many requests, as the service writes it: QuickSight's ThrottlingException has no message. */
  | { readonly kind: 'throttle' }
  /** An HTML page of a load balancer. Default status 503. */
  | { readonly kind: 'html'; readonly status?: number }
  /** The connection is reset. */
  | { readonly kind: 'reset' }
  /** The proper answer, late: `before` the operation waits, `after` only the answer. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** As `slow`, until a promise is kept; when it is broken, so is the connection. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** Another answer than the operation gives: its members laid over the proper ones; undefined takes one away. */
  | { readonly kind: 'answer'; readonly members: Readonly<Record<string, unknown>> };

export type Fault = FaultMatch & FaultEffect;

/** A fault that was added. */
export interface FaultHandle {
  /** How many calls it has hit. */
  readonly hits: number;
  remove(): void;
}

interface Planned extends FaultHandle {
  readonly fault: Fault;
  seen: number;
  hits: number;
}

/** Faults on demand. Of several that match a call, the one added first strikes. */
export class Faults {
  private planned: Planned[] = [];

  add(fault: Fault): FaultHandle {
    const planned: Planned = { fault, seen: 0, hits: 0, remove: () => this.remove(planned) };
    this.planned.push(planned);
    return planned;
  }

  clear(): void {
    this.planned = [];
  }

  /** The fault that hits this call, counted as used. */
  take(operation: string, userName: string | undefined): Fault | undefined {
    const matching = this.planned.filter(
      ({ fault }) =>
        (fault.operation === undefined || fault.operation === operation) &&
        (fault.userName === undefined || fault.userName === userName),
    );
    for (const planned of matching) planned.seen++;
    const striking = matching.find(({ fault, seen, hits }) => seen >= (fault.nth ?? 1) && hits < (fault.times ?? 1));
    if (striking) striking.hits++;
    return striking?.fault;
  }

  private remove(planned: Planned): void {
    this.planned = this.planned.filter((candidate) => candidate !== planned);
  }
}
