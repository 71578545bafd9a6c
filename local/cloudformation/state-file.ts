import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const VERSION = 1;

/** Keeps a JSON snapshot on disk: written whole or not at all, and not more often than needed. */
export class StateFile<T> {
  #timer?: NodeJS.Timeout;

  constructor(
    private readonly file: string | undefined,
    private readonly snapshot: () => T,
    private readonly intervalMs = 500,
  ) {}

  read(): T | undefined {
    if (this.file === undefined || !existsSync(this.file)) return undefined;
    const unusable = `${this.file} is no state of this embedded AWS: start over with npm start reset, or remove it`;
    let saved: { version?: unknown; state?: T };
    try {
      saved = JSON.parse(readFileSync(this.file, 'utf8')) as typeof saved;
    } catch (error) {
      throw new Error(unusable, { cause: error });
    }
    if (saved.version !== VERSION) throw new Error(unusable);
    return saved.state;
  }

  /** Writes soon. */
  changed(): void {
    if (this.file === undefined) return;
    this.#timer ??= setTimeout(() => this.write(), this.intervalMs).unref();
  }

  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.file === undefined) return;
    mkdirSync(path.dirname(this.file), { recursive: true });
    // Readable by its owner only: it holds e-mail addresses and invitation URLs.
    writeFileSync(`${this.file}.unfinished`, JSON.stringify({ version: VERSION, state: this.snapshot() }), {
      mode: 0o600,
    });
    renameSync(`${this.file}.unfinished`, this.file);
  }
}
