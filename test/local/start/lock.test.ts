import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lock, LockedError } from '../../../local/start/lock';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a folder in use is refused with the process that uses it, and is free again afterwards', () => {
  const state = path.join(folder, 'not', 'there', 'yet');
  const unlock = lock(state);
  const file = path.join(state, 'lock');
  expect(() => lock(state)).toThrow(
    new LockedError(
      `another npm start (process ${process.pid}) is using ${state}: wait for it or stop it; if there is none, remove ${file}`,
    ),
  );
  unlock();
  expect(existsSync(file)).toBe(false);
  lock(state)();
});

test.each([
  ['of a process that was killed', () => String(spawnSync(process.execPath, ['--version']).pid)],
  ['that was never written to its end', () => ''],
])('a lock %s is taken over', (_, content) => {
  const file = path.join(folder, 'lock');
  writeFileSync(file, content());
  const unlock = lock(folder);
  expect(readFileSync(file, 'utf8')).toBe(String(process.pid));
  unlock();
});

test('a lock that leads nowhere is taken over', () => {
  const file = path.join(folder, 'lock');
  symlinkSync(path.join(folder, 'nowhere', 'at all'), file);
  const unlock = lock(folder);
  expect(readFileSync(file, 'utf8')).toBe(String(process.pid));
  unlock();
});

test('a folder that cannot be is told with the reason and the way out', () => {
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  const refusal = (state: string, reason: string) => {
    expect(() => lock(state)).toThrow(
      `the folder ${state} cannot keep the embedded AWS (${reason}): choose another one with --state`,
    );
  };
  refusal(file, 'ENOTDIR: not a directory');
  refusal(path.join(file, 'below'), 'ENOTDIR: not a directory');
  // Linux has a folder that is there and takes none; elsewhere nothing is there to begin with.
  if (existsSync('/proc/self')) refusal('/proc/foo', 'ENOENT: no such file or directory');
});

test('a folder in place of the lock is no lock to wait for', () => {
  mkdirSync(path.join(folder, 'lock'));
  expect(() => lock(folder)).toThrow(`the folder ${folder} cannot keep the embedded AWS (`);
});
