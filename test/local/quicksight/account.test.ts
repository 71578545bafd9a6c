import type { AuthorizationRequest } from '../../../local/quicksight';
import { HERE, clientOf, quickSightUser, refusal, start, stopAll } from './client';

afterEach(stopAll);

const ANA = 'arn:aws:quicksight:us-east-1:111122223333:user/default/ana';

test('calls for users, groups, namespaces and tags are refused outside the identity region, which the answer names', async () => {
  const { quickSight, client } = await start({ identityRegion: 'eu-central-1' });
  const calls = [
    client.registerUser(quickSightUser('ana')),
    client.listUsers(HERE),
    client.createGroup({ ...HERE, GroupName: 'g' }),
    client.describeNamespace(HERE),
    client.listNamespaces(HERE),
    client.listTagsForResource({ ResourceArn: ANA }),
  ];
  for (const refused of await Promise.all(calls.map(refusal))) {
    expect(refused).toEqual({
      name: 'AccessDeniedException',
      status: 401,
      message:
        'Operation is being called from endpoint us-east-1, but your identity region is eu-central-1. Please use the eu-central-1 endpoint.',
    });
  }
  await client.describeAccountSettings(HERE);
  const home = clientOf(quickSight, { region: 'eu-central-1' });
  const { User } = await home.registerUser(quickSightUser('ana'));
  expect(User!.Arn).toBe('arn:aws:quicksight:eu-central-1:111122223333:user/default/ana');
  expect(quickSight.calls.map(({ region }) => region)).toEqual([...Array(7).fill('us-east-1'), 'eu-central-1']);
});

test('a request without credentials counts as made in the identity region', async () => {
  const { quickSight } = await start({ identityRegion: 'eu-west-1' });
  const answer = await fetch(`${quickSight.url}/accounts/111122223333/namespaces/default/users`);
  expect(answer.status).toBe(200);
  expect(quickSight.calls).toMatchObject([{ operation: 'ListUsers', region: 'eu-west-1', accessKeyId: '' }]);
});

test('ARNs carry the partition', async () => {
  const { quickSight } = await start({ partition: 'aws-cn', identityRegion: 'cn-north-1' });
  const { User } = await clientOf(quickSight, { region: 'cn-north-1' }).registerUser(quickSightUser('ana'));
  expect(User!.Arn).toBe('arn:aws-cn:quicksight:cn-north-1:111122223333:user/default/ana');
});

test('an account that is not subscribed has no directory', async () => {
  const { quickSight, client } = await start();
  await client.registerUser(quickSightUser('ana'));
  quickSight.account.subscribed = false;
  expect(await refusal(client.deleteUser({ ...HERE, UserName: 'ana' }))).toEqual({
    name: 'ResourceNotFoundException',
    status: 404,
    message: 'Directory information for account 111122223333 is not found.',
  });
  expect(await refusal(client.describeAccountSettings(HERE))).toMatchObject({
    message: 'Account information for account 111122223333 is not found.',
  });
});

test('Standard edition refuses user calls, and says so', async () => {
  const { client } = await start({ edition: 'STANDARD' });
  expect(await refusal(client.listUsers(HERE))).toEqual({
    name: 'AccessDeniedException',
    status: 401,
    message: 'Operation is disabled for STANDARD Edition',
  });
  expect((await client.describeAccountSettings(HERE)).AccountSettings).toMatchObject({ Edition: 'STANDARD' });
});

test('an account managed by Identity Center refuses changes of users, not looking at them', async () => {
  const { client } = await start({ identityCenter: true });
  expect(await refusal(client.registerUser(quickSightUser('ana')))).toEqual({
    name: 'AccessDeniedException',
    status: 401,
    message: 'Operation is disabled for identities managed by IAM Identity Center',
  });
  expect((await client.listUsers(HERE)).UserList).toEqual([]);
});

test('another account is none of the caller’s business', async () => {
  const { client } = await start();
  expect(await refusal(client.listUsers({ ...HERE, AwsAccountId: '111122220000' }))).toMatchObject({
    name: 'AccessDeniedException',
  });
  expect(await refusal(client.listUsers({ ...HERE, AwsAccountId: 'mine' }))).toMatchObject({
    name: 'InvalidParameterValueException',
  });
});

describe('authorize', () => {
  test('sees action, resource and condition keys of every call, and decides before the region rule', async () => {
    const seen: AuthorizationRequest[] = [];
    const { quickSight, client } = await start({ authorize: (request) => void seen.push(request) });
    const IamArn = 'arn:aws:iam::111122223333:role/bi/Analyst';
    const Tags = [{ Key: 'team', Value: 'bi' }];
    const { User } = await client.registerUser({
      ...HERE,
      IdentityType: 'IAM',
      IamArn,
      SessionName: 'ana',
      Email: 'ana@example.com',
      UserRole: 'READER',
      Tags,
    });
    await client.createGroup({ ...HERE, GroupName: 'g' });
    await client.createGroupMembership({ ...HERE, GroupName: 'g', MemberName: 'Analyst/ana' });
    await client.untagResource({ ResourceArn: User!.Arn, TagKeys: ['team'] });
    await client.deleteUserByPrincipalId({ ...HERE, PrincipalId: User!.PrincipalId });
    await client.listNamespaces(HERE);
    await refusal(clientOf(quickSight, { region: 'us-west-2' }).describeUser({ ...HERE, UserName: 'Analyst/ana' }));
    const arn = (rest: string, region = 'us-east-1') => `arn:aws:quicksight:${region}:111122223333:${rest}`;
    const request = (action: string, resource: string, context: object = {}) => ({
      accessKeyId: 'AKIAEXAMPLE',
      action: `quicksight:${action}`,
      resource,
      context,
    });
    expect(seen).toEqual([
      request('RegisterUser', arn('user/default/Analyst/ana'), {
        'quicksight:IamArn': IamArn,
        'quicksight:SessionName': 'ana',
        'aws:RequestTag/team': 'bi',
        'aws:TagKeys': ['team'],
      }),
      request('CreateGroup', arn('group/default/g')),
      request('CreateGroupMembership', arn('group/default/g'), { 'quicksight:UserName': 'Analyst/ana' }),
      request('UntagResource', arn('user/default/Analyst/ana'), {
        'aws:TagKeys': ['team'],
        'aws:ResourceTag/team': 'bi',
      }),
      request('DeleteUserByPrincipalId', arn('user/default/*')),
      request('ListNamespaces', '*'),
      request('DescribeUser', arn('user/default/Analyst/ana', 'us-west-2')),
    ]);
  });

  test('a denial is the answer, and nothing has happened', async () => {
    const { quickSight, client } = await start({ authorize: ({ action }) => `not authorized to perform: ${action}` });
    expect(await refusal(client.registerUser(quickSightUser('ana')))).toEqual({
      name: 'AccessDeniedException',
      status: 401,
      message: 'not authorized to perform: quicksight:RegisterUser',
    });
    expect(quickSight.users()).toEqual([]);
  });
});
