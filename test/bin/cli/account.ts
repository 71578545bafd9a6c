import type { DeclaredUser, UsersDeclaration } from '../../../bin/users-declaration';
import type { LiveAccount, LiveUser } from '../../../bin/cli/live-users';

/*
 * Declared and live users for the pure parts of the command line.
 */

/** A user of type QUICKSIGHT as files declare it: a reader called Ana. */
export function declared(more: Partial<DeclaredUser> = {}): DeclaredUser {
  const name = more.name ?? 'Ana';
  return {
    identity: { userName: name },
    name,
    namespace: 'default',
    email: 'someone@example.com',
    role: 'READER',
    groups: [],
    tags: {},
    onExisting: 'fail',
    removalPolicy: 'destroy',
    place: { file: 'users.yaml', line: 1, column: 1 },
    ...more,
  };
}

/** The same user as QuickSight has it, after the first sign-in. */
export function live(more: Partial<LiveUser> = {}): LiveUser {
  const { namespace = 'default', name = 'Ana' } = more;
  return {
    namespace,
    name,
    arn: `arn:aws:quicksight:us-east-1:111122223333:user/${namespace}/${name}`,
    principalId: `user/d-1234567890/${name}`,
    identityType: 'QUICKSIGHT',
    email: 'someone@example.com',
    role: 'READER',
    active: true,
    ...more,
  };
}

export function files(...users: DeclaredUser[]): UsersDeclaration {
  return { users, groups: [], customPermissions: [] };
}

/** An account; groups by name, each with its members in the default namespace. */
export function account(users: readonly LiveUser[], groups: Record<string, string[]> = {}): LiveAccount {
  return {
    users,
    groups: Object.entries(groups).map(([name, members]) => ({
      namespace: 'default',
      name,
      members: new Set(members),
    })),
    missingNamespaces: [],
  };
}
