import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv/dist/2020';
import schema from '../users.schema.json';
import { breaches } from './schema-sentences';
import { printable } from './terminal';
import type { UsersDeclaration } from './users-declaration';
import { filesMatching } from './users-file-glob';
import { declarationOf } from './users-file-layers';
import { parseYaml, placeText, type Problem } from './users-file-yaml';

export type { Problem } from './users-file-yaml';

/** How users files are read. */
export interface ReadOptions {
  /** The environment whose variants count; needed when the files list environments. */
  readonly environment?: string;
}

/** What users files declare, as far as it is well formed: the caller may find more problems before it gives up. */
export interface UsersFiles {
  readonly declaration: UsersDeclaration;
  readonly problems: readonly Problem[];
  /** The files that were read. */
  readonly files: readonly string[];
  /** The environments that the files list, sorted. */
  readonly environments: readonly string[];
}

/** All problems of some users files, one line for each in the order of the files. */
export class UsersFileError extends Error {
  // Told by its name: lib has this class from the bundle, which is another one than in the sources.
  override readonly name = 'UsersFileError';

  static {
    // Node.js prints the class before the message, and the bundle has shortened it.
    Object.defineProperty(this, 'name', { value: 'UsersFileError' });
  }

  constructor(readonly problems: readonly Problem[]) {
    super([...problems].sort(byPlace).map(problemText).join('\n'));
  }
}

/**
 * Reads the users files of all patterns as one declaration. Throws nothing: whatever is wrong with the files is among
 * the problems.
 */
export function readUsersFiles(patterns: readonly string[], options?: ReadOptions): UsersFiles {
  const problems: Problem[] = [];
  const found = new Map<string, string>();
  for (const pattern of patterns) {
    const files = filesMatching(pattern);
    if (files.length === 0) problems.push({ place: { file: pattern }, message: 'no file matches this pattern' });
    // However it is named, a file counts once.
    for (const file of files) if (!found.has(path.resolve(file))) found.set(path.resolve(file), file);
  }
  const files = [...found.values()].flatMap((file) => {
    try {
      return [{ file, bytes: readFileSync(file) }];
    } catch (error) {
      problems.push({ place: { file }, message: unreadable(file, error as NodeJS.ErrnoException) });
      return [];
    }
  });
  return parseUsersFiles(files, options, problems);
}

/** Reads the content of users files as one declaration; the names are for the places in messages. */
export function parseUsersFiles(
  files: readonly { readonly file: string; readonly bytes: Uint8Array }[],
  { environment }: ReadOptions = {},
  unread: readonly Problem[] = [],
): UsersFiles {
  const problems = [...unread];
  const wellFormed = files.flatMap(({ file, bytes }) => {
    const { yamlFile, problems: syntax } = parseYaml(bytes, file);
    problems.push(...syntax);
    if (!yamlFile) return [];
    const { content, placeOf, sourceOf } = yamlFile;
    const valid = validator();
    valid(content);
    const found = breaches(valid.errors ?? [], sourceOf);
    // Compiled once and kept: it would hold on to the whole file.
    valid.errors = null;
    for (const { path, atKey, message } of found) {
      problems.push({ place: placeOf(path, atKey ? 'key' : 'value'), message });
    }
    return [{ content, placeOf, broken: found.map(({ path }) => path) }];
  });
  const result = declarationOf(wellFormed, environment, wellFormed.length < files.length || unread.length > 0);
  return { ...result, problems: [...problems, ...result.problems], files: files.map(({ file }) => file) };
}

let compiled: ValidateFunction | undefined;

function validator(): ValidateFunction {
  compiled ??= new Ajv({ allErrors: true, verbose: true, strict: true, allowUnionTypes: true, strictRequired: false })
    .addKeyword('patternErrorMessage')
    .compile(schema);
  return compiled;
}

function unreadable(file: string, { code, message }: NodeJS.ErrnoException): string {
  const another =
    'name another one with -c users=<file> (cdk), --users <file> (npm start), files (QuickSightUsers) or as an argument (quicksight-users)';
  if (code === 'ENOENT') return `no such file: create it, or ${another}`;
  if (code === 'EISDIR')
    return `a directory, not a users file: ${another}, or all files in it as ${path.join(file, '*.yaml')}`;
  return `cannot be read: ${message}`;
}

export function problemText({ place, message }: Problem): string {
  return `${place ? `${placeText(place)} ` : ''}${printable(message)}`;
}

function byPlace({ place: a }: Problem, { place: b }: Problem): number {
  const [fileA, fileB] = [a?.file ?? '', b?.file ?? ''];
  if (fileA !== fileB) return fileA < fileB ? -1 : 1;
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}
