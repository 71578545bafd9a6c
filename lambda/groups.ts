import { call, type Plan } from './execute';
import { describe, orNothing, type UserKey } from './live-user';
import type { Create, Scope, Update } from './outcome';
import { RefusedByRule } from './plan';
import { outOfTime, QuickSightError } from './quicksight-api';
import { refuse } from './roll-back';

/*
 * The declared groups are the ones that this resource owns: it makes the user a member of them, and takes the user out of
 * those that it declared before. Of all others it knows nothing.
 */

/** The groups that the user is in; all pages. */
export function* listGroups(key: UserKey): Plan<string[]> {
  const names: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = yield* call('ListUserGroups', { ...key, NextToken, MaxResults: 100 });
    names.push(...(page.GroupList ?? []).flatMap(({ GroupName }) => GroupName ?? []));
    NextToken = page.NextToken;
  } while (NextToken);
  return names;
}

/** Makes the user a member of each group. One that it is in already is no fault. */
export function* joinGroups(scope: Scope<Create | Update>, key: UserKey, names: readonly string[]): Plan<void> {
  for (const name of names) yield* join(scope, key, name);
}

/** Takes the user out of each group. A group or a membership that is gone is no fault, but a user that is gone is told. */
export function* leaveGroups(key: UserKey, names: readonly string[]): Plan<void> {
  const { UserName: MemberName, ...namespace } = key;
  let isDoubtful = false;
  for (const GroupName of names) {
    const left = yield* orNothing(call('DeleteGroupMembership', { ...namespace, GroupName, MemberName }));
    isDoubtful ||= left === undefined;
  }
  if (isDoubtful) yield* describe(key);
}

function* join(scope: Scope<Create | Update>, { UserName, ...namespace }: UserKey, GroupName: string): Plan<void> {
  let waited = 0;
  for (let wait = scope.patience.backOff; ; wait = Math.min(2 * wait, 5_000)) {
    try {
      yield* call('CreateGroupMembership', { ...namespace, GroupName, MemberName: UserName });
      return;
    } catch (error) {
      if (!(error instanceof QuickSightError)) throw error;
      if (error.code === 'ResourceExistsException') return;
      if (!error.notFound) throw error;
      // "Not found" is said of a group that is missing as of a user that is not visible to group calls yet.
      if (!(yield* orNothing(call('DescribeGroup', { ...namespace, GroupName })))) {
        yield* refuse(scope, missing(namespace.Namespace, GroupName));
        return;
      }
      if (waited >= scope.patience.freshUser) throw error;
      waited += wait;
      yield { wait, atDeadline: outOfTime(error.operation, error) };
    }
  }
}

function missing(namespace: string, group: string): RefusedByRule {
  return new RefusedByRule(
    `group "${group}" does not exist in namespace "${namespace}": create it first, or correct the name`,
  );
}
