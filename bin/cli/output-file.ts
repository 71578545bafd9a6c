import { accessSync, constants, linkSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from './options';

/** A file that a command is to write, once it has something to write. */
export class OutputFile {
  private readonly target: string;

  /** Throws `UsageError` when the file cannot be written, or is there already: better now than after minutes of reading. */
  constructor(
    readonly file: string,
    private readonly force: boolean,
  ) {
    const another = 'name another file with --output';
    const there = statSync(file, { throwIfNoEntry: false });
    if ((there && !there.isFile()) || file.endsWith('/')) throw new UsageError(`${file} is no file: ${another}`);
    if (there && !force) throw new UsageError(this.isThere());
    // What a link leads to is written, rather than the link replaced.
    this.target = there ? realpathSync(file) : file;
    const folder = path.dirname(this.target);
    try {
      accessSync(folder, constants.W_OK);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be written to';
      throw new UsageError(`${file} cannot be written, because the folder ${folder} ${reason}: ${another}`);
    }
  }

  private isThere(): string {
    return `${this.file} is there already: name another file with --output, or write over it with --force`;
  }

  /** Whole or not at all, and for nobody else to read: it holds the e-mail addresses of a whole company. */
  write(text: string): void {
    const beside = `${this.target}.${process.pid}.tmp`;
    try {
      writeFileSync(beside, text, { mode: 0o600 });
      if (this.force) renameSync(beside, this.target);
      else linkSync(beside, this.target);
    } catch (error) {
      // Somebody has made it since.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new UsageError(this.isThere());
      throw error;
    } finally {
      rmSync(beside, { force: true });
    }
  }
}
