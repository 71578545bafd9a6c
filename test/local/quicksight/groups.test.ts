import { HERE, quickSightUser, refusal, start, stopAll } from './client';

afterEach(stopAll);

describe('groups', () => {
  test('a group is created, described, updated, listed and deleted', async () => {
    const { client } = await start();
    const group = { ...HERE, GroupName: 'analysts & co' };
    const created = await client.createGroup({ ...group, Description: 'one' });
    expect(created).toMatchObject({
      Status: 201,
      Group: {
        Arn: 'arn:aws:quicksight:us-east-1:111122223333:group/default/analysts & co',
        GroupName: 'analysts & co',
        Description: 'one',
        PrincipalId: expect.stringMatching(/^group\/d-/),
      },
    });
    expect(await refusal(client.createGroup(group))).toMatchObject({ name: 'ResourceExistsException', status: 409 });
    expect((await client.updateGroup({ ...group, Description: 'two' })).Group!.Description).toBe('two');
    expect((await client.describeGroup(group)).Group!.Description).toBe('two');
    expect((await client.listGroups(HERE)).GroupList).toMatchObject([{ GroupName: 'analysts & co' }]);
    await client.deleteGroup(group);
    expect(await refusal(client.describeGroup(group))).toMatchObject({
      name: 'ResourceNotFoundException',
      status: 404,
    });
  });

  test('memberships are made any number of times, and ended once', async () => {
    const { quickSight, client } = await start();
    await client.registerUser(quickSightUser('a/na'));
    await client.createGroup({ ...HERE, GroupName: 'analysts' });
    const membership = { ...HERE, GroupName: 'analysts', MemberName: 'a/na' };
    expect(await refusal(client.describeGroupMembership(membership))).toMatchObject({ status: 404 });
    await client.createGroupMembership(membership);
    expect((await client.createGroupMembership(membership)).GroupMember).toEqual({
      Arn: 'arn:aws:quicksight:us-east-1:111122223333:user/default/a/na',
      MemberName: 'a/na',
    });
    expect((await client.describeGroupMembership(membership)).GroupMember!.MemberName).toBe('a/na');
    expect((await client.listGroupMemberships(membership)).GroupMemberList).toHaveLength(1);
    expect(quickSight.groups()).toMatchObject([{ groupName: 'analysts', members: ['a/na'] }]);
    await client.deleteGroupMembership(membership);
    expect(await refusal(client.deleteGroupMembership(membership))).toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('a membership needs the group, the user and a name of at most 256 characters', async () => {
    const { client } = await start();
    const long = 'x'.repeat(257);
    await client.registerUser(quickSightUser(long));
    await client.createGroup({ ...HERE, GroupName: 'analysts' });
    const join = (GroupName: string, MemberName: string) =>
      refusal(client.createGroupMembership({ ...HERE, GroupName, MemberName }));
    expect(await join('nobodies', long)).toMatchObject({
      status: 404,
      message: expect.stringContaining('Group nobodies'),
    });
    expect(await join('analysts', 'ana')).toMatchObject({ status: 404, message: expect.stringContaining('User ana') });
    expect(await join('analysts', long)).toMatchObject({ name: 'InvalidParameterValueException', status: 400 });
  });

  test("a user's groups are listed in pages", async () => {
    const { client } = await start();
    await client.registerUser(quickSightUser('ana'));
    for (const GroupName of ['a', 'b', 'c']) {
      await client.createGroup({ ...HERE, GroupName });
      await client.createGroupMembership({ ...HERE, GroupName, MemberName: 'ana' });
    }
    const names: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.listUserGroups({ ...HERE, UserName: 'ana', MaxResults: 2, NextToken });
      names.push(...page.GroupList!.map(({ GroupName }) => GroupName!));
      ({ NextToken } = page);
    } while (NextToken);
    expect(names.sort()).toEqual(['a', 'b', 'c']);
  });
});
