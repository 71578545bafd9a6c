import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { UsersDeclaration } from '../users-declaration';
import { readUsersFiles, UsersFileError } from '../users-file';

/** What users files declare, or all their problems thrown as one `UsersFileError`. */
export function declarationOf(files: readonly string[], environment: string | undefined): UsersDeclaration {
  const { declaration, problems } = readUsersFiles(files, { environment });
  if (problems.length > 0) throw new UsersFileError(problems);
  if (declaration.users.length > MANY) collectGarbage();
  return declaration;
}

const MANY = 1000;

/**
 * Frees the YAML documents, of which a big file makes ten times what is left to work with. By itself V8 would keep them
 * until the memory is twice as much, because there is enough of it.
 */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
