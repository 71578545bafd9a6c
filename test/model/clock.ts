/**
 * The time that every part of a history sees. It jumps, because CloudFormation shows the beginning of a deployment in
 * whole seconds, and a history is over in a fraction of one.
 */
export class Clock {
  private readonly real = Date;
  private ahead = 0;

  constructor() {
    const now = () => this.real.now() + this.ahead;
    globalThis.Date = class extends this.real {
      constructor(...given: []) {
        super(...(given.length === 0 ? ([now()] as unknown as []) : given));
      }

      static override now(): number {
        return now();
      }
    } as DateConstructor;
  }

  advance(seconds: number): void {
    this.ahead += seconds * 1_000;
  }

  restore(): void {
    globalThis.Date = this.real;
  }
}
