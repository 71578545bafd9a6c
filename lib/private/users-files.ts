import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import type { UsersDeclaration } from './users-declaration';

/** Something in users files that an author has to change. Without a place, it is none of one file alone. */
export interface UsersFileProblem {
  readonly place?: { readonly file: string; readonly line?: number; readonly column?: number };
  readonly message: string;
}

/** What bin/users-file.ts offers. */
interface UsersFileReader {
  /** Throws nothing: whatever is wrong with the files is among the problems. */
  readUsersFiles(
    patterns: readonly string[],
    options?: { readonly environment?: string },
  ): { readonly declaration: UsersDeclaration; readonly problems: readonly UsersFileProblem[] };

  /** All problems of users files, one line for each. */
  readonly UsersFileError: new (problems: readonly UsersFileProblem[]) => Error;
}

/** The reader with its YAML parser in one file, so that the package needs neither: at the same place in a checkout. */
const READER = path.join(__dirname, '..', '..', 'bin', 'dist', 'users-file.js');

/** Loaded when users files are read: an app that declares its users in code does without. */
export function usersFileReader(): UsersFileReader {
  if (!existsSync(READER)) {
    throw new Error(`the reader of users files is missing from ${READER}: run 'npm run build' in a checkout`);
  }
  return createRequire(__filename)(READER) as UsersFileReader;
}
