import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Contents } from './state';

const VERSION = 1;
const DEBOUNCE_MS = 100;

/** The contents of an account in a JSON file: written whole, never half, and not for every request of a busy second. */
export class StateFile {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly path: string,
    private readonly contents: () => Contents,
  ) {}

  /** What an earlier run left; undefined at the first run. */
  static read(path: string): Contents | undefined {
    if (!existsSync(path)) return undefined;
    let saved: { version?: unknown; contents?: Contents } | undefined;
    try {
      saved = JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new Error(
        `cannot read the QuickSight state in ${path}: ${(error as Error).message}: start over with npm start reset, or delete the file`,
      );
    }
    if (saved?.version !== VERSION || !saved.contents) {
      throw new Error(
        `${path} is no QuickSight state of version ${VERSION}: start over with npm start reset, or delete the file`,
      );
    }
    return saved.contents;
  }

  /** Writes soon. */
  schedule(): void {
    // Not reset by later changes: under steady load the file is still written, every DEBOUNCE_MS.
    this.timer ??= setTimeout(() => this.write(), DEBOUNCE_MS).unref();
  }

  /** Writes now what is waiting to be written. */
  flush(): void {
    if (this.timer) this.write();
  }

  private write(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    mkdirSync(dirname(this.path), { recursive: true });
    const temporary = `${this.path}.${process.pid}.tmp`;
    // Readable by its owner only: it holds e-mail addresses.
    writeFileSync(temporary, JSON.stringify({ version: VERSION, contents: this.contents() }, undefined, 2), {
      mode: 0o600,
    });
    renameSync(temporary, this.path);
  }
}
