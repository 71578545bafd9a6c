import { paginateListNamespaces, paginateListUsers, QuickSightClient } from '@aws-sdk/client-quicksight';
import { table } from '../../bin/table';

/** The users that QuickSight has in this account, as a table. */
export async function userList(client: QuickSightClient, AwsAccountId: string): Promise<string> {
  const rows: string[][] = [];
  for await (const { Namespaces = [] } of paginateListNamespaces({ client }, { AwsAccountId })) {
    for (const { Name: Namespace } of Namespaces) {
      for await (const { UserList = [] } of paginateListUsers({ client }, { AwsAccountId, Namespace })) {
        for (const { UserName, Role, IdentityType, Email, Active } of UserList) {
          rows.push([UserName, Namespace, Role, IdentityType, Email, Active ? 'yes' : 'no'].map((cell) => cell ?? ''));
        }
      }
    }
  }
  if (rows.length === 0) return 'QuickSight has no users.';
  rows.sort(([a = '', x = ''], [b = '', y = '']) => x.localeCompare(y) || a.localeCompare(b));
  return table(['USER', 'NAMESPACE', 'ROLE', 'IDENTITY', 'E-MAIL', 'ACTIVE'], rows);
}
