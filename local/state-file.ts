import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const VERSION = 1;

/** A part of the embedded AWS in a JSON file: written whole, never half, and not for every change of a busy second. */
export class StateFile<T> {
  #timer?: NodeJS.Timeout;

  /** @param file without one, nothing is kept */
  constructor(
    private readonly file: string | undefined,
    private readonly snapshot: () => T,
    private readonly intervalMs: number,
  ) {}

  /** What an earlier run left; undefined at the first run. */
  read(): T | undefined {
    if (this.file === undefined || !existsSync(this.file)) return undefined;
    const unusable = `${this.file} is no state of this embedded AWS: start over with npm start reset, or remove it`;
    let saved: { version?: unknown; state?: T } | undefined;
    try {
      saved = JSON.parse(readFileSync(this.file, 'utf8')) as typeof saved;
    } catch (error) {
      throw new Error(unusable, { cause: error });
    }
    if (saved?.version !== VERSION || !saved.state) throw new Error(unusable);
    return saved.state;
  }

  /** Writes soon. */
  changed(): void {
    if (this.file === undefined) return;
    // Not put off by later changes: under steady load the file is still written.
    this.#timer ??= setTimeout(() => this.write(), this.intervalMs).unref();
  }

  /** Writes now what is waiting to be written. */
  flush(): void {
    if (this.#timer) this.write();
  }

  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.file === undefined) return;
    mkdirSync(path.dirname(this.file), { recursive: true });
    const unfinished = `${this.file}.unfinished`;
    // Readable by its owner only: it holds e-mail addresses and invitation URLs.
    writeFileSync(unfinished, JSON.stringify({ version: VERSION, state: this.snapshot() }), { mode: 0o600 });
    renameSync(unfinished, this.file);
  }
}
