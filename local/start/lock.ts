import { existsSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';

/** Another process uses the embedded AWS: two that write its state at once would lose users. */
export class LockedError extends Error {}

/** Keeps the folder for this process until the returned function is called. Throws `LockedError`. */
export function lock(folder: string): () => void {
  const file = path.join(folder, 'lock');
  try {
    makeFolder(folder);
    while (!take(file)) makeWay(file, folder);
  } catch (error) {
    if (error instanceof LockedError) throw error;
    const [reason] = (error as Error).message.split(', ');
    throw new Error(`the folder ${folder} cannot keep the embedded AWS (${reason}): choose another one with --state`, {
      cause: error,
    });
  }
  return () => rmSync(file, { force: true });
}

/** One level at a time: mkdirSync's own `recursive` never ends below a folder such as /proc, which takes none. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process was faster.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function take(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a process that was killed. */
function makeWay(file: string, folder: string): void {
  const owner = ownerOf(file);
  if (owner !== undefined && isRunning(owner)) {
    throw new LockedError(
      `another npm start (process ${owner}) is using ${folder}: wait for it or stop it; if there is none, remove ${file}`,
    );
  }
  try {
    unlinkSync(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
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
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
