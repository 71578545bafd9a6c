import { CreateGroupCommand, CreateGroupMembershipCommand, QuickSightClient } from '@aws-sdk/client-quicksight';
import { randomUUID } from 'node:crypto';
import { ACCOUNT, ana, Stage, tag } from './custom-resource';

let stage: Stage;
let client: QuickSightClient;
beforeEach(() => set());
afterEach(() => strike());

async function set(options: Parameters<typeof Stage.set>[0] = {}): Promise<void> {
  stage = await Stage.set(options);
  client = new QuickSightClient({ endpoint: stage.quickSight.url, region: 'us-east-1' });
  await makeGroups('analysts', 'finance', 'board');
}

async function strike(): Promise<void> {
  client.destroy();
  await stage.strike();
}

const of = { AwsAccountId: ACCOUNT, Namespace: 'default' };

async function makeGroups(...names: string[]): Promise<void> {
  for (const GroupName of names) await client.send(new CreateGroupCommand({ ...of, GroupName }));
  stage.calls();
}

/** Somebody else makes the user a member. */
async function join(GroupName: string, MemberName = 'ana'): Promise<void> {
  await client.send(new CreateGroupMembershipCommand({ ...of, GroupName, MemberName }));
  stage.calls();
}

const inGroups = (...GroupNames: string[]) => ({ ...ana, GroupNames });
const groups = () => [...(stage.user()?.groups ?? [])].sort();

describe('Create', () => {
  test('C1 makes the user a member of each declared group', async () => {
    const { Status } = await stage.create(inGroups('analysts', 'finance'));
    expect({ Status, groups: groups() }).toEqual({ Status: 'SUCCESS', groups: ['analysts', 'finance'] });
    expect(stage.calls()).toEqual(['RegisterUser', 'CreateGroupMembership', 'CreateGroupMembership']);
  });

  test('C8 an adopted user joins the declared groups, and stays in those it is in', async () => {
    await stage.create(ana, { StackId: 'arn:aws:cloudformation:us-east-1:111122223333:stack/Other/x' });
    stage.quickSight.setTags('default', 'ana', {});
    await join('board');
    await join('finance');
    expect(await stage.create({ ...inGroups('analysts', 'finance'), OnExisting: 'ADOPT' })).toMatchObject({
      Status: 'SUCCESS',
    });
    expect(groups()).toEqual(['analysts', 'board', 'finance']);
    expect(stage.calls().filter((call) => call === 'CreateGroupMembership')).toHaveLength(1);
  });

  test('C10 a repeated event asks for the memberships, and changes none', async () => {
    const RequestId = randomUUID();
    await stage.create(inGroups('analysts'), { RequestId });
    stage.calls();
    expect(await stage.create(inGroups('analysts'), { RequestId })).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.calls()).toEqual(['RegisterUser', 'DescribeUser', 'ListTagsForResource', 'ListUserGroups']);
  });

  test('C15 the repetition of an event that died before its memberships makes them', async () => {
    const RequestId = randomUUID();
    stage.quickSight.faults.add({ operation: 'CreateGroupMembership', kind: 'throttle', times: Infinity });
    const died = await stage.create(inGroups('analysts'), { RequestId }, { timeLeft: 400 });
    expect(died.Status).toBe('FAILED');
    stage.quickSight.faults.clear();
    expect(await stage.create(inGroups('analysts'), { RequestId })).toMatchObject({ Status: 'SUCCESS' });
    expect(groups()).toEqual(['analysts']);
  });

  test('C16 a user that group calls do not see yet is waited for', async () => {
    await strike();
    await set({ visibilityDelayMs: 100 });
    expect(await stage.create(inGroups('analysts'))).toMatchObject({ Status: 'SUCCESS' });
    expect(groups()).toEqual(['analysts']);
  });

  test('C16 the wait ends with what QuickSight said', async () => {
    await strike();
    await set({ visibilityDelayMs: 60_000 });
    const failed = await stage.create(inGroups('analysts'));
    expect(failed.Status).toBe('FAILED');
    expect(failed.Reason).toMatch(/^CreateGroupMembership failed: ResourceNotFoundException .*User ana not found/);
  });

  test('C17 C14 a missing group fails by its name, and the Delete that follows removes the user', async () => {
    const failed = await stage.create(inGroups('analysts', 'analyts'));
    expect(failed).toMatchObject({ Status: 'FAILED' });
    expect(failed.Reason).toBe(
      'group "analyts" does not exist in namespace "default": create it first, or correct the name',
    );
    expect(failed.PhysicalResourceId).toMatch(/^arn:/);
    await stage.remove(failed.PhysicalResourceId);
    expect(stage.userNames()).toEqual([]);
  });

  test.each([
    ['', /GroupNames "" is empty/],
    ['..', /GroupNames ".." has "." or ".." for a path segment/],
    ['a;b', /GroupNames "a;b" has a ";"/],
  ])('C5 a group called "%s" fails before any call', async (name, reason) => {
    const failed = await stage.create(inGroups(name));
    expect(failed.Status).toBe('FAILED');
    expect(failed.Reason).toMatch(reason);
    expect(stage.calls()).toEqual([]);
  });

  test('C30 a group name that needs encoding arrives intact', async () => {
    await makeGroups('Vertrieb/Süd 50%+');
    await stage.create(inGroups('Vertrieb/Süd 50%+'));
    expect(groups()).toEqual(['Vertrieb/Süd 50%+']);
  });
});

describe('Update', () => {
  let id: string;
  const begin = async (properties: object) => {
    ({ PhysicalResourceId: id } = await stage.create(properties));
    stage.age();
    stage.begin('UPDATE_IN_PROGRESS');
    stage.calls();
  };

  test('U8 only the difference is called for, and groups that were never declared are left alone', async () => {
    await begin(inGroups('analysts', 'finance'));
    await join('board');
    const answer = await stage.update(id, inGroups('analysts'), inGroups('analysts', 'finance'));
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.calls()).toEqual(['DeleteGroupMembership']);
    expect(groups()).toEqual(['analysts', 'board']);
    await stage.update(id, inGroups('analysts', 'board', 'finance'), inGroups('analysts'));
    expect(stage.calls()).toEqual(['CreateGroupMembership', 'CreateGroupMembership']);
  });

  test('U8 a membership that is gone already is no fault', async () => {
    await begin(ana);
    expect(await stage.update(id, ana, inGroups('analysts', 'gone'))).toMatchObject({ Status: 'SUCCESS' });
  });

  test('U16 a user that is gone is registered again, with its groups', async () => {
    await begin(inGroups('analysts'));
    stage.quickSight.deleteUser('default', 'ana');
    const old = inGroups('analysts');
    expect(await stage.update(id, { ...old, Email: 'new@example.com' }, old)).toMatchObject({ Status: 'SUCCESS' });
    expect(groups()).toEqual(['analysts']);
  });

  test('U16 a user that is gone is registered again, also when all that changes is a group to leave', async () => {
    await begin(inGroups('analysts', 'finance'));
    stage.quickSight.deleteUser('default', 'ana');
    expect(await stage.update(id, inGroups('analysts'), inGroups('analysts', 'finance'))).toMatchObject({
      Status: 'SUCCESS',
    });
    expect(groups()).toEqual(['analysts']);
  });

  test('U14 U20 groups are restored when the user is registered anew, declared here or not', async () => {
    await begin(inGroups('analysts', 'finance'));
    await join('board');
    const { principalId } = stage.user()!;
    const again = { ...inGroups('analysts'), InvitationVersion: '2' };
    expect(await stage.update(id, again, inGroups('analysts', 'finance'))).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()!.principalId).not.toBe(principalId);
    expect(groups()).toEqual(['analysts', 'board']);
  });

  test('U5 a group that is missing by now stops no roll-back', async () => {
    await begin(ana);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, inGroups('gone'), ana)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.log.join('\n')).toContain('roll-back: a change of the user was skipped');
  });

  test('U23 a shape without groups leaves them alone', async () => {
    await begin(ana);
    await join('board');
    await stage.update(id, { ...ana, Tags: [tag('a', 'b')] });
    expect(groups()).toEqual(['board']);
  });
});
