/**
 * Lets one event at a time be at work. Which one goes on is decided by the history, at every call of a service, so that a
 * seed brings the very same order of calls back.
 */
export class Turns<Run extends { late: boolean }> {
  #current?: Run;
  #waiting: Waiting<Run>[] = [];
  #deciding = false;

  /**
   * @param choose the history's next decision: 0 for the first of those who could go on, 1 for the second…
   * @param isDue whether a late run goes on when nothing else can
   */
  constructor(
    private readonly choose: () => number,
    private readonly isDue: (run: Run) => boolean,
  ) {}

  get current(): Run | undefined {
    return this.#current;
  }

  get waiting(): readonly Run[] {
    return this.#waiting.map(({ run }) => run);
  }

  /** Waits for the run's first turn. */
  begin(run: Run): Promise<void> {
    return new Promise((goOn) => {
      this.#waiting.push({ run, goOn });
      void this.#decide();
    });
  }

  /** Where the current run may have to let another one go on: what to wait for, if so. */
  pause(): Promise<void> | undefined {
    const others = this.#ready();
    const choice = others.length > 0 ? this.choose() : 0;
    return choice === 0 ? undefined : this.#handOver(others[(choice - 1) % others.length]!);
  }

  /** Hands the turn to a run that waits. */
  pauseFor(other: Run): Promise<void> {
    return this.#handOver(this.#waiting.find(({ run }) => run === other)!);
  }

  end(): void {
    this.#current = undefined;
    void this.#decide();
  }

  /** Forgets those that wait. */
  drop(): void {
    this.#waiting = [];
  }

  #handOver(other: Waiting<Run>): Promise<void> {
    const run = this.#current!;
    return new Promise((goOn) => {
      this.#waiting.push({ run, goOn });
      this.#resume(other);
    });
  }

  /** Waits until nobody is at work, and nobody will be. */
  async rest(): Promise<void> {
    while (this.#current || this.#deciding) await new Promise(setImmediate);
  }

  async #decide(): Promise<void> {
    if (this.#deciding) return;
    this.#deciding = true;
    for (let idle = 0; !this.#current && idle < IDLE; idle++) {
      await new Promise(setImmediate);
      const ready = this.#ready();
      if (ready.length > 0) this.#resume(ready[this.choose() % ready.length]!);
      // CloudFormation may be about to send more.
      if (ready.length > 0 || idle < IDLE - 1) continue;
      const due = this.#waiting.find(({ run }) => this.isDue(run));
      if (due) this.#resume(due);
    }
    this.#deciding = false;
  }

  #ready(): Waiting<Run>[] {
    return this.#waiting.filter(({ run }) => !run.late);
  }

  #resume(one: Waiting<Run>): void {
    this.#waiting = this.#waiting.filter((other) => other !== one);
    this.#current = one.run;
    one.goOn();
  }
}

/** Turns of the event loop in which nothing came: then nothing will. */
const IDLE = 5;

interface Waiting<Run> {
  readonly run: Run;
  readonly goOn: () => void;
}
