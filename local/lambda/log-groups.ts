/** CloudWatch log groups: what functions print, for people and tests to read. */
export class LogGroups {
  readonly #groups = new Map<string, string[]>();

  create(name: string): void {
    if (this.#groups.has(name)) {
      throw new Error(`the log group ${name} already exists: choose another name or let the stack generate one`);
    }
    this.#groups.set(name, []);
  }

  delete(name: string): void {
    this.#groups.delete(name);
  }

  /** Adds a line. Lambda makes the log group of a function that has none. */
  append(name: string, line: string): void {
    const lines = this.#groups.get(name);
    if (lines) lines.push(line);
    else this.#groups.set(name, [line]);
  }

  lines(name: string): readonly string[] {
    return this.#groups.get(name) ?? [];
  }

  names(): string[] {
    return [...this.#groups.keys()];
  }

  restore(names: readonly string[]): void {
    for (const name of names) this.#groups.set(name, []);
  }
}
