import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';

/** Another process uses the embedded AWS: two that write its state at once would lose users. */
export class LockedError extends Error {}

/** Keeps the folder for this process until the returned function is called. Throws `LockedError`. */
export function lock(folder: string): () => void {
  const file = path.join(folder, 'lock');
  mkdirSync(folder, { recursive: true });
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = ownerOf(file);
    if (owner !== undefined && isRunning(owner)) {
      throw new LockedError(
        `another npm start (process ${owner}) is using ${folder}: wait for it or stop it; if there is none, remove ${file}`,
      );
    }
    // Its process was killed.
    rmSync(file, { force: true });
  }
}

function ownerOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
