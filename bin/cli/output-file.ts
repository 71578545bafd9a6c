import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from './options';

/** A file that a command is to write, once it has something to write. */
export class OutputFile {
  /** Throws `UsageError` when the file cannot be written, or is there already: better now than after minutes of reading. */
  constructor(
    readonly file: string,
    force: boolean,
  ) {
    const another = 'name another file with --output';
    const there = statSync(file, { throwIfNoEntry: false });
    if (there && !there.isFile()) throw new UsageError(`${file} is there already, and is no file: ${another}`);
    if (there && !force) throw new UsageError(`${file} is there already: ${another}, or write over it with --force`);
    const folder = path.dirname(file);
    try {
      accessSync(folder, constants.W_OK);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be written to';
      throw new UsageError(`${file} cannot be written, because the folder ${folder} ${reason}: ${another}`);
    }
  }

  /** Whole or not at all, and for nobody else to read: it holds the e-mail addresses of a whole company. */
  write(text: string): void {
    const beside = `${this.file}.${process.pid}.tmp`;
    try {
      writeFileSync(beside, text, { mode: 0o600 });
      renameSync(beside, this.file);
    } finally {
      rmSync(beside, { force: true });
    }
  }
}
