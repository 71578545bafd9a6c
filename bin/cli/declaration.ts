import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { userProblems } from '../../lib/private/validate';
import type { UserResourceProperties } from '../../lib/private/user-resource';
import { readUsersFiles, UsersFileError, type Problem } from '../users-file';
import type { DeclaredIdentity, DeclaredUser, UsersDeclaration } from '../users-declaration';

/** What is wrong with users files, by the schema and by the rules of the construct, which would stop a synth later. */
export function readDeclaration(
  files: readonly string[],
  environment: string | undefined,
): { declaration: UsersDeclaration; files: readonly string[]; problems: readonly Problem[] } {
  const read = readUsersFiles(files, { environment });
  const faults = read.declaration.users.flatMap((user) =>
    userProblems(resourceProperties(user)).map(({ property, text }) => ({
      place: user.place,
      message: `${property} ${text}`,
    })),
  );
  return { ...read, problems: [...read.problems, ...faults] };
}

/** The declaration, or all problems thrown as one `UsersFileError`. */
export function declarationOf(files: readonly string[], environment: string | undefined): UsersDeclaration {
  const { declaration, problems } = readDeclaration(files, environment);
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

/** Any: where the users are deployed decides the account and the partition, and no rule asks for either. */
const SOMEWHERE = { partition: 'aws', accountId: '111122223333' };

/** As the template will have them, as far as the rules for users ask. */
export function resourceProperties(
  user: Pick<DeclaredUser, 'identity' | 'namespace' | 'email' | 'role'> & Partial<DeclaredUser>,
): Partial<UserResourceProperties> {
  const tags = Object.entries(user.tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
  return {
    Namespace: user.namespace,
    ...identityProperties(user.identity),
    Email: user.email,
    UserRole: user.role,
    CustomPermissionsName: user.customPermissionsName,
    InvitationVersion: user.invitationVersion,
    GroupNames: user.groups,
    Tags: tags.length > 0 ? tags : undefined,
  };
}

function identityProperties(identity: DeclaredIdentity): Partial<UserResourceProperties> {
  if ('userName' in identity) return { IdentityType: 'QUICKSIGHT', UserName: identity.userName };
  if ('iamUser' in identity) return { IdentityType: 'IAM', IamArn: iamArn('user', identity.iamUser) };
  return { IdentityType: 'IAM', IamArn: iamArn('role', identity.iamRole), SessionName: identity.sessionName };
}

function iamArn(kind: 'user' | 'role', name: string): string {
  const { partition, accountId } = SOMEWHERE;
  return name.startsWith('arn:') ? name : `arn:${partition}:iam::${accountId}:${kind}/${name.replace(/^\//, '')}`;
}
