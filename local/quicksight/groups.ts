import { exists, notFound } from './errors';
import type { Input } from './input';
import type { QuickSightState, StoredGroup, StoredUser } from './state';

/** Shorter than a user name may be: a user with a longer one cannot be in a group. */
const MEMBER_NAME = /[\u0020-\u00FF]{1,256}/;

export function createGroup(state: QuickSightState, input: Input) {
  const namespace = input.text('Namespace');
  const groupName = input.name('GroupName');
  const description = input.optionalText('Description');
  state.usableNamespace(namespace);
  if (state.findGroup(namespace, groupName)) {
    throw exists(
      'GROUP',
      `Group ${groupName} already exists in account ${state.account.accountId}, namespace ${namespace}.`,
    );
  }
  const principalId = state.newPrincipalId('group', namespace);
  const group: StoredGroup = { namespace, groupName, principalId, description, members: [] };
  state.contents.groups.push(group);
  return { Status: 201, Group: render(state, group) };
}

export function describeGroup(state: QuickSightState, input: Input) {
  return { Group: render(state, named(state, input)) };
}

export function updateGroup(state: QuickSightState, input: Input) {
  const group = named(state, input);
  group.description = input.optionalText('Description');
  return { Group: render(state, group) };
}

export function deleteGroup(state: QuickSightState, input: Input) {
  const group = named(state, input);
  state.contents.groups = state.contents.groups.filter((candidate) => candidate !== group);
  return {};
}

export function listGroups(state: QuickSightState, input: Input) {
  const namespace = input.text('Namespace');
  state.usableNamespace(namespace);
  return groupList(
    state,
    input,
    state.groups().filter((group) => group.namespace === namespace),
  );
}

export function listUserGroups(state: QuickSightState, input: Input) {
  const user = state.user(input.text('Namespace'), input.name('UserName'));
  return groupList(state, input, state.groupsOf(user));
}

/** Repeating it is no error: the model declares no ResourceExistsException for it. */
export function createGroupMembership(state: QuickSightState, input: Input) {
  const group = named(state, input);
  const user = member(state, input, state.account.visibilityDelayMs);
  if (!group.members.includes(user.principalId)) group.members.push(user.principalId);
  return { GroupMember: renderMember(state, user) };
}

export function deleteGroupMembership(state: QuickSightState, input: Input) {
  const { group, user } = membership(state, input);
  group.members = group.members.filter((id) => id !== user.principalId);
  return {};
}

export function describeGroupMembership(state: QuickSightState, input: Input) {
  return { GroupMember: renderMember(state, membership(state, input).user) };
}

export function listGroupMemberships(state: QuickSightState, input: Input) {
  const group = named(state, input);
  const { items, nextToken } = input.page(state.membersOf(group), ({ principalId }) => principalId);
  return { GroupMemberList: items.map((user) => renderMember(state, user)), NextToken: nextToken };
}

function named(state: QuickSightState, input: Input): StoredGroup {
  return state.group(input.text('Namespace'), input.name('GroupName'));
}

function member(state: QuickSightState, input: Input, hiddenForMs?: number): StoredUser {
  return state.user(input.text('Namespace'), input.name('MemberName', MEMBER_NAME), hiddenForMs);
}

function membership(state: QuickSightState, input: Input) {
  const group = named(state, input);
  const user = member(state, input);
  if (!group.members.includes(user.principalId)) {
    throw notFound('USER', `User ${user.userName} is not a member of group ${group.groupName}.`);
  }
  return { group, user };
}

function groupList(state: QuickSightState, input: Input, groups: readonly StoredGroup[]) {
  const { items, nextToken } = input.page(groups, ({ principalId }) => principalId);
  return { GroupList: items.map((group) => render(state, group)), NextToken: nextToken };
}

function render(state: QuickSightState, group: StoredGroup) {
  return {
    Arn: state.arn(`group/${group.namespace}/${group.groupName}`),
    GroupName: group.groupName,
    Description: group.description,
    PrincipalId: group.principalId,
  };
}

function renderMember(state: QuickSightState, user: StoredUser) {
  return { Arn: state.userArn(user), MemberName: user.orphaned ? 'N/A' : user.userName };
}
