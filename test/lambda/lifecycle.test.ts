import { CreateNamespaceCommand, QuickSightClient } from '@aws-sdk/client-quicksight';
import { randomUUID } from 'node:crypto';
import { formatPhysicalId } from '../../lib/private/user-arn';
import type { UserResourceProperties } from '../../lib/private/user-resource';
import { ACCOUNT, ana, ANA_ARN, STACK_ID, Stage } from './custom-resource';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.strike());

const bob = { ...ana, UserName: undefined, IdentityType: 'IAM', IamArn: `arn:aws:iam::${ACCOUNT}:user/team/bob` };
const carla = {
  ...ana,
  UserName: undefined,
  IdentityType: 'IAM',
  IamArn: `arn:aws:iam::${ACCOUNT}:role/teams/DataTeam`,
  SessionName: 'carla@example.com',
};
const tag = (Key: string, Value: string) => ({ Key, Value });
const user = (name = 'ana') => stage.quickSight.user('default', name);
const holders = (name = 'ana') =>
  Object.keys(user(name)?.tags ?? {}).filter((key) => key.startsWith('cdk-quicksight-users:held-by:'));

describe('Create', () => {
  test('C1 registers a QUICKSIGHT user with one call and answers with every attribute', async () => {
    const answer = await stage.create({ ...ana, Tags: [tag('team', 'sales')] });
    expect(answer).toMatchObject({
      Status: 'SUCCESS',
      StackId: STACK_ID,
      LogicalResourceId: 'Ana1234ABCD',
      Data: { Arn: ANA_ARN, UserName: 'ana', PrincipalId: expect.stringMatching(/^user\/d-/) },
    });
    expect(answer.Data!.InvitationUrl).toMatch(/^https:\/\//);
    expect(answer.PhysicalResourceId).toBe(`${ANA_ARN};${answer.Data!.PrincipalId}`);
    expect(stage.calls()).toEqual(['RegisterUser']);
    expect(user()).toMatchObject({ email: 'ana@example.com', role: 'READER', tags: { team: 'sales' } });
    expect(holders()).toHaveLength(1);
  });

  test.each([
    ['C2 an IAM user', bob, 'bob'],
    ['C3 a session of an IAM role, without the role’s path', carla, 'DataTeam/carla@example.com'],
  ])('%s gets the name that QuickSight derives, and no invitation', async (_, properties, name) => {
    const { Status, Data } = await stage.create(properties);
    expect({ Status, ...Data }).toMatchObject({
      Status: 'SUCCESS',
      UserName: name,
      Arn: `arn:aws:quicksight:us-east-1:${ACCOUNT}:user/default/${name}`,
      InvitationUrl: 'unavailable',
    });
    expect(stage.calls()).toEqual(['RegisterUser']);
  });

  test('every RegisterUser parameter reaches QuickSight', async () => {
    await stage.create({
      ...ana,
      UserRole: 'AUTHOR_PRO',
      CustomPermissionsName: 'no-exports',
      ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
      CustomFederationProviderUrl: 'https://login.example.com',
      ExternalLoginId: 'ana-1',
    });
    expect(user()).toMatchObject({
      role: 'AUTHOR_PRO',
      customPermissionsName: 'no-exports',
      externalLogin: { type: 'CUSTOM_OIDC', url: 'https://login.example.com', id: 'ana-1' },
    });
  });

  test.each<[string, object, RegExp]>([
    ['C4 a user name with identity type IAM', { ...bob, UserName: 'bob' }, /^UserName "bob" does not apply/],
    ['C4 an IAM role without a session', { ...carla, SessionName: undefined }, /^SessionName is missing/],
    ['C5 a name of two dots', { ...ana, UserName: '..' }, /^UserName .*"\.\."/],
    ['C5 an empty name', { ...ana, UserName: '' }, /^UserName/],
    ['C5 a name with a semicolon', { ...ana, UserName: 'a;b' }, /^UserName .*"a;b"/],
    ['C5 a name of 257 characters', { ...ana, UserName: 'x'.repeat(257) }, /^UserName/],
    ['C5 a namespace of one dot', { ...ana, Namespace: '.' }, /^Namespace "\."/],
    ['C6 a missing e-mail', { ...ana, Email: undefined }, /^Email is missing$/],
    ['C6 a role that is a list', { ...ana, UserRole: ['READER'] }, /^UserRole must be a string, got a list$/],
    ['C6 tags that are no tags', { ...ana, Tags: ['x'] }, /^Tags must be a list/],
    ['C29 an empty tag value', { ...ana, Tags: [tag('a', '')] }, /^Tags "a" has a value of 0 characters/],
    ['C29 45 tags', { ...ana, Tags: Array.from({ length: 45 }, (_, i) => tag(`k${i}`, 'v')) }, /at most 44/],
    ['C29 keys that differ in case', { ...ana, Tags: [tag('Team', 'a'), tag('team', 'b')] }, /differ only in case/],
  ])('%s fails before any call, and so does nothing of the Delete that follows', async (_, properties, reason) => {
    const failed = await stage.create(properties);
    expect(failed.Status).toBe('FAILED');
    expect(failed.Reason).toMatch(reason);
    expect(failed.PhysicalResourceId).toBe(`none:${failed.RequestId}`);
    expect(await stage.remove(failed.PhysicalResourceId, properties)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.calls()).toEqual([]);
  });

  test('all problems of one event are reported at once', async () => {
    const { Reason } = await stage.create({ ...ana, UserName: 'a;b', UserRole: 'RESTRICTED_READER', Namespace: 'a b' });
    expect(Reason).toMatch(/Namespace "a b".*UserRole "RESTRICTED_READER".*UserName .*"a;b"/);
  });

  test('C6 an unknown request type fails by name', async () => {
    const answer = await stage.send({ RequestType: 'Import' as 'Create' });
    expect(answer).toMatchObject({
      Status: 'FAILED',
      Reason: 'RequestType "Import" is not one of Create, Update and Delete',
    });
  });

  test('C7 a user that this resource does not hold is refused, and left alone by the Delete that follows', async () => {
    await stage.create(ana, { LogicalResourceId: 'Other' });
    const before = user();
    stage.calls();
    const failed = await stage.create({ ...ana, Email: 'new@example.com' });
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: `none:${failed.RequestId}` });
    expect(failed.Reason).toMatch(
      /user "ana" of namespace "default" exists already.*resource Other of the stack.*untouched/,
    );
    expect(stage.calls()).toEqual(['RegisterUser', 'DescribeUser', 'ListTagsForResource']);
    await stage.remove(failed.PhysicalResourceId);
    expect(stage.calls()).toEqual([]);
    expect(user()).toEqual(before);
  });

  test('C10 an event delivered twice registers once and gets the same id', async () => {
    const RequestId = randomUUID();
    const first = await stage.create(ana, { RequestId });
    const second = await stage.create(ana, { RequestId });
    expect(second).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: first.PhysicalResourceId });
    expect(stage.calls()).toEqual(['RegisterUser', 'RegisterUser', 'DescribeUser', 'ListTagsForResource']);
    expect(stage.quickSight.users()).toHaveLength(1);
  });

  test('C11 a lost answer is recognised by the tag, and its invitation issued anew', async () => {
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'reset', when: 'after' });
    const answer = await stage.create();
    expect(answer.Status).toBe('SUCCESS');
    expect(answer.Data!.InvitationUrl).toMatch(/^https:\/\//);
    expect(user()!.principalId).toBe(answer.Data!.PrincipalId);
    expect(stage.quickSight.users()).toHaveLength(1);
  });

  test.each([
    ['DeleteUser', { operation: 'DeleteUser' }],
    ['the second RegisterUser', { operation: 'RegisterUser', nth: 3 }],
  ])('C11 the invitation is issued anew also when the answer to %s is lost', async (_, fault) => {
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'reset', when: 'after' });
    stage.quickSight.faults.add({ ...fault, kind: 'reset', when: 'after' });
    const answer = await stage.create();
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { PrincipalId: user()!.principalId } });
    expect(answer.Data!.InvitationUrl).toMatch(/^https:\/\//);
    expect(stage.quickSight.users()).toHaveLength(1);
  });

  test('C15 a repeated event waits until the user that it registered before can be seen', async () => {
    stage.quickSight.account.describeVisibilityDelayMs = 40;
    const RequestId = randomUUID();
    const first = await stage.create(ana, { RequestId });
    expect(await stage.create(ana, { RequestId })).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: first.PhysicalResourceId,
    });
    expect(stage.quickSight.users()).toHaveLength(1);
  });

  test('C11 an IAM user whose answer was lost is kept as it is', async () => {
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'html', when: 'after' });
    expect(await stage.create(bob)).toMatchObject({ Status: 'SUCCESS', Data: { UserName: 'bob' } });
    expect(stage.calls()).toEqual(['RegisterUser', 'RegisterUser', 'DescribeUser', 'ListTagsForResource']);
  });

  test('a user retained from an earlier life of the resource is brought to what is declared', async () => {
    await stage.create({ ...ana, CustomPermissionsName: 'old', Tags: [tag('team', 'old')] });
    const answer = await stage.create({
      ...ana,
      Email: 'new@example.com',
      UserRole: 'AUTHOR',
      Tags: [tag('team', 'new')],
    });
    expect(answer.Status).toBe('SUCCESS');
    expect(user()).toMatchObject({ email: 'new@example.com', role: 'AUTHOR', tags: { team: 'new' } });
    expect(user()!.customPermissionsName).toBeUndefined();
    await stage.remove(answer.PhysicalResourceId);
    expect(user()).toBeDefined();
  });

  test.each<[string, UserResourceProperties, string]>([
    ['another namespace', { ...ana, Namespace: 'team-b' }, 'user/team-b/ana'],
    ...['a name', 'a/b', '50%', 'a+b', 'José', 'ana@example.com', 'a%2Fb', '...'].map(
      (UserName): [string, UserResourceProperties, string] => [
        `the name "${UserName}"`,
        { ...ana, UserName },
        `user/default/${UserName}`,
      ],
    ),
  ])('C30 %s arrives intact, and goes with its Delete', async (_, properties, resource) => {
    const client = new QuickSightClient({ region: 'us-east-1' });
    await client.send(
      new CreateNamespaceCommand({ AwsAccountId: ACCOUNT, Namespace: 'team-b', IdentityStore: 'QUICKSIGHT' }),
    );
    const { PhysicalResourceId, Data } = await stage.create(properties);
    expect(Data!.Arn).toBe(`arn:aws:quicksight:us-east-1:${ACCOUNT}:${resource}`);
    expect(PhysicalResourceId).toMatch(/^[\x20-\x7e]+$/);
    expect(await stage.remove(PhysicalResourceId, properties)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
    expect(stage.quickSight.users()).toEqual([]);
  });

  test.each(['Arn', 'UserName', 'PrincipalId'])('C28 an answer without %s makes no broken id', async (name) => {
    stage.quickSight.faults.add({
      operation: 'RegisterUser',
      kind: 'answer',
      members: { User: { ...known, [name]: 'N/A' } },
    });
    const failed = await stage.create();
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: `maybe:${failed.RequestId}` });
    expect(await stage.remove(failed.PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(user()).toBeUndefined();
  });
  const known = { Arn: ANA_ARN, UserName: 'ana', PrincipalId: 'user/d-1/x' };
});

describe('Update', () => {
  let id: string;
  const createAna = async (properties: object = ana) => {
    id = (await stage.create(properties)).PhysicalResourceId;
    stage.calls();
  };

  test('U1 without a relevant change calls nothing and answers every attribute', async () => {
    await createAna();
    const answer = await stage.update(id, { ...ana, ServiceTimeout: '60' });
    expect(answer).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: id,
      Data: { Arn: ANA_ARN, UserName: 'ana', PrincipalId: user()!.principalId, InvitationUrl: 'unavailable' },
    });
    expect(stage.calls()).toEqual([]);
  });

  test('U2 U6 a new e-mail keeps a role that was raised out of band', async () => {
    await createAna();
    stage.quickSight.setRole('default', 'ana', 'ADMIN');
    expect(await stage.update(id, { ...ana, Email: 'new@example.com' })).toMatchObject({ Status: 'SUCCESS' });
    expect(user()).toMatchObject({ email: 'new@example.com', role: 'ADMIN' });
    expect(stage.calls()).toEqual(['DescribeUser', 'UpdateUser']);
  });

  test('U3 a role goes up in place', async () => {
    await createAna();
    expect(await stage.update(id, { ...ana, UserRole: 'AUTHOR' })).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: id,
    });
    expect(user()!.role).toBe('AUTHOR');
    expect(stage.calls()).toEqual(['DescribeUser', 'UpdateUser']);
  });

  test('a role that cannot go down is refused before any change', async () => {
    const author = { ...ana, UserRole: 'AUTHOR' };
    await createAna(author);
    const failed = await stage.update(id, { ...ana, Email: 'new@example.com', Tags: [tag('a', 'b')] }, author);
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(failed.Reason).toMatch(/user "ana" is AUTHOR and cannot become READER/);
    expect(stage.calls()).toEqual(['DescribeUser']);
  });

  test('U7 tags alone are untagged and tagged, and neither strangers’ nor ours are touched', async () => {
    const before = { ...ana, Tags: [tag('gone', '1'), tag('kept', '1'), tag('changed', '1')] };
    await createAna(before);
    stage.quickSight.setTags('default', 'ana', { ...user()!.tags, strangers: 'x' });
    await stage.update(id, { ...ana, Tags: [tag('kept', '1'), tag('changed', '2'), tag('new', '1')] }, before);
    expect(stage.calls()).toEqual(['UntagResource', 'TagResource']);
    expect(user()!.tags).toMatchObject({ kept: '1', changed: '2', new: '1', strangers: 'x' });
    expect(user()!.tags).not.toHaveProperty('gone');
    expect(holders()).toHaveLength(1);
  });

  test('U9 custom permissions are set, changed and removed', async () => {
    await createAna();
    const steps = [undefined, 'p', 'q', undefined];
    for (let i = 1; i < steps.length; i++) {
      const [before, after] = [steps[i - 1], steps[i]];
      await stage.update(id, { ...ana, CustomPermissionsName: after }, { ...ana, CustomPermissionsName: before });
      expect(user()!.customPermissionsName).toBe(after);
    }
  });

  test('U10 an external login is set, moved to another provider and cleared', async () => {
    await createAna();
    const logins = [
      {},
      { ExternalLoginFederationProviderType: 'COGNITO', ExternalLoginId: 'pool:1' },
      {
        ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
        CustomFederationProviderUrl: 'https://login.example.com',
        ExternalLoginId: 'ana',
      },
      {},
    ];
    const expected = [
      ,
      { type: 'COGNITO', id: 'pool:1' },
      { type: 'CUSTOM_OIDC', url: 'https://login.example.com', id: 'ana' },
      undefined,
    ];
    for (let i = 1; i < logins.length; i++) {
      const answer = await stage.update(id, { ...ana, ...logins[i] }, { ...ana, ...logins[i - 1] });
      expect(answer.Status).toBe('SUCCESS');
      expect(user()!.externalLogin).toEqual(expected[i] && expect.objectContaining(expected[i]));
    }
  });

  test('U11 another name registers the new user first; the clean-up Delete takes the old one', async () => {
    await createAna();
    const renamed = { ...ana, UserName: 'anna' };
    const answer = await stage.update(id, renamed);
    expect(answer.PhysicalResourceId).not.toBe(id);
    expect(stage.quickSight.users().map(({ userName }) => userName)).toEqual(['ana', 'anna']);
    await stage.remove(id, ana);
    expect(stage.quickSight.users().map(({ userName }) => userName)).toEqual(['anna']);
  });

  test('U12 a rename that rolls back leaves the old user as declared before', async () => {
    await createAna();
    const before = user();
    const renamed = { ...ana, UserName: 'anna', UserRole: 'AUTHOR' };
    const { PhysicalResourceId: newId } = await stage.update(id, renamed);
    const back = await stage.update(newId, ana, renamed);
    expect(back).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    await stage.remove(newId, renamed);
    expect(stage.quickSight.users()).toHaveLength(1);
    expect(user()).toMatchObject({ principalId: before!.principalId, role: 'READER', email: before!.email });
  });

  test('a rename to a name that somebody else has fails with the old id', async () => {
    await createAna();
    await stage.create({ ...ana, UserName: 'anna' }, { LogicalResourceId: 'Anna' });
    const failed = await stage.update(id, { ...ana, UserName: 'anna' });
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(holders('anna')).toHaveLength(1);
  });

  test('a rename that is refused is rolled back though the role was raised out of band', async () => {
    await createAna();
    stage.quickSight.setRole('default', 'ana', 'AUTHOR');
    await stage.create({ ...ana, UserName: 'anna' }, { LogicalResourceId: 'Anna' });
    const renamed = { ...ana, UserName: 'anna' };
    expect(await stage.update(id, renamed)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    stage.calls();
    expect(await stage.update(id, ana, renamed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.calls()).toEqual(['DescribeUser']);
    expect(user()!.role).toBe('AUTHOR');
  });

  test('an IAM user who moved to another path is the same user', async () => {
    stage.quickSight.account.iamIdentity = () => 'AIDAEXAMPLE';
    await createAna(bob);
    const moved = { ...bob, IamArn: `arn:aws:iam::${ACCOUNT}:user/bob`, Email: 'new@example.com' };
    expect(await stage.update(id, moved, bob)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.calls()).toEqual(['DescribeUser', 'ListTagsForResource', 'UpdateUser']);
  });

  test.each(['Arn', 'UserName', 'PrincipalId'])(
    'C28 a DescribeUser that answers without %s makes no answer without it',
    async (name) => {
      await createAna();
      const { principalId: PrincipalId } = user()!;
      const User = { Arn: ANA_ARN, UserName: 'ana', PrincipalId, IdentityType: 'QUICKSIGHT', [name]: undefined };
      stage.quickSight.faults.add({ operation: 'DescribeUser', kind: 'answer', members: { User } });
      const failed = await stage.update(id, { ...ana, Email: 'new@example.com' });
      expect(failed).toMatchObject({
        Status: 'FAILED',
        PhysicalResourceId: id,
        Reason: `QuickSight answered with ${name} missing`,
      });
    },
  );

  test('U14 another identity type under the same name is refused before any change, and its roll-back succeeds', async () => {
    const iam = { ...bob, IamArn: `arn:aws:iam::${ACCOUNT}:user/ana` };
    await createAna();
    const before = user();
    expect(await stage.update(id, iam)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(await stage.update(id, ana, iam)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    const { tags: _, ...rest } = before!;
    expect(user()).toMatchObject(rest);
    expect(holders()).toHaveLength(1);
  });

  test('U15 a name that differs only in case is the same user where QuickSight says so', async () => {
    stage.quickSight.account.caseInsensitiveNames = true;
    await createAna();
    const answer = await stage.update(id, { ...ana, UserName: 'Ana', UserRole: 'AUTHOR' });
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.quickSight.users()).toHaveLength(1);
    expect(user()!.role).toBe('AUTHOR');
  });

  test.each([
    ['a new e-mail', { Email: 'new@example.com' }],
    ['a new tag', { Tags: [tag('a', 'b')] }],
  ])('U16 a user deleted out of band is registered again with %s, and keeps its id', async (_, change) => {
    await createAna();
    stage.quickSight.deleteUser('default', 'ana');
    const answer = await stage.update(id, { ...ana, ...change });
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(answer.Data!.InvitationUrl).toMatch(/^https:\/\//);
    await stage.remove(id);
    expect(user()).toBeUndefined();
  });

  test.each([
    ['QUICKSIGHT', ana],
    ['IAM', bob],
  ])('U17 a user of type %s that somebody else registered meanwhile is never taken back', async (_, properties) => {
    await createAna(properties);
    const name = stage.quickSight.users()[0]!.userName;
    stage.quickSight.deleteUser('default', name);
    await stage.create(properties, { LogicalResourceId: 'Other' });
    const before = user(name);
    const failed = await stage.update(id, { ...properties, Email: 'new@example.com' }, properties);
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(user(name)).toEqual(before);
  });

  test('U18 a repeated rename registers once', async () => {
    await createAna();
    const RequestId = randomUUID();
    const renamed = { ...ana, UserName: 'anna' };
    const first = await stage.update(id, renamed, ana, { RequestId });
    const second = await stage.update(id, renamed, ana, { RequestId });
    expect(second).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: first.PhysicalResourceId });
    expect(stage.quickSight.users()).toHaveLength(2);
  });

  test('U19 a failed update answers with the old id, and its roll-back brings the old state', async () => {
    await createAna();
    stage.quickSight.faults.add({ operation: 'TagResource', kind: 'error', code: 'LimitExceededException' });
    const changed = { ...ana, Email: 'new@example.com', Tags: [tag('a', 'b')] };
    expect(await stage.update(id, changed)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(await stage.update(id, ana, changed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(user()!.email).toBe('ana@example.com');
  });

  test.each(['', 'Ana1234ABCD', 'none:1', 'arn:aws:iam::111122223333:user/ana;x', `${ANA_ARN}`])(
    'U24 physical id "%s" is not ours: fails without a call',
    async (physicalId) => {
      expect(await stage.update(physicalId, ana)).toMatchObject({ Status: 'FAILED' });
      expect(stage.calls()).toEqual([]);
    },
  );

  test('U25 another account is refused with the reason', async () => {
    await createAna();
    const failed = await stage.update(id, { ...ana, AwsAccountId: '444455556666' });
    expect(failed.Reason).toMatch(/cannot move from account 111122223333 to 444455556666/);
    expect(stage.calls()).toEqual([]);
  });
});

describe('Delete', () => {
  test('D1 reads the tags and deletes its own user', async () => {
    const { PhysicalResourceId } = await stage.create();
    stage.calls();
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
    expect(stage.calls()).toEqual(['ListTagsForResource', 'DeleteUser']);
    expect(stage.quickSight.users()).toEqual([]);
  });

  test('D2 D3 succeeds when the user is gone, however often it comes', async () => {
    const { PhysicalResourceId } = await stage.create();
    for (let i = 0; i < 3; i++) expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
  });

  test('D2 succeeds when the account is not subscribed any more', async () => {
    const { PhysicalResourceId } = await stage.create();
    stage.quickSight.account.subscribed = false;
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
  });

  test('D5 a user that others hold too only loses our tag', async () => {
    const { PhysicalResourceId } = await stage.create();
    const otherTag = 'cdk-quicksight-users:held-by:0123456789abcdef';
    stage.quickSight.setTags('default', 'ana', { ...user()!.tags, [otherTag]: '1/r/u/u/Other' });
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(holders()).toEqual([otherTag]);
    expect(stage.log.join('\n')).toMatch(/"kept":"only our tag was removed: other resources hold the user/);
  });

  test('D5 a user that somebody else registered anew stays', async () => {
    const { PhysicalResourceId } = await stage.create();
    stage.quickSight.deleteUser('default', 'ana');
    await stage.create(ana, { LogicalResourceId: 'Other' });
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(user()).toBeDefined();
  });

  test('D6 a QUICKSIGHT user whose tags were stripped goes, by its principal', async () => {
    const { PhysicalResourceId } = await stage.create();
    stage.quickSight.setTags('default', 'ana', {});
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(user()).toBeUndefined();
  });

  test('D6 an IAM user without tags, or a QUICKSIGHT user with another principal, stays', async () => {
    const { PhysicalResourceId } = await stage.create(bob);
    stage.quickSight.setTags('default', 'bob', {});
    await stage.remove(PhysicalResourceId, bob);
    expect(user('bob')).toBeDefined();
    expect(stage.log.join('\n')).toMatch(/"kept":"this resource holds no user of that name"/);
    await stage.create();
    stage.quickSight.setTags('default', 'ana', {});
    await stage.remove(formatPhysicalId(ANA_ARN, 'user/d-1/another'));
    expect(user()).toBeDefined();
  });

  test('D8 an id that CloudFormation invented deletes the user that was registered for this resource, and no other', async () => {
    await stage.create();
    expect(await stage.remove('Team-Ana1234ABCD-1ABCDEF')).toMatchObject({ Status: 'SUCCESS' });
    expect(user()).toBeUndefined();
    await stage.create(ana, { LogicalResourceId: 'Other' });
    expect(await stage.remove('Team-Ana1234ABCD-1ABCDEF')).toMatchObject({ Status: 'SUCCESS' });
    expect(user()).toBeDefined();
  });

  test('D9 an invented id while the Create still runs waits for what that Create registers', async () => {
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'slow', delayMs: 30 });
    const creating = stage.create();
    await stage.remove('Team-Ana1234ABCD-1ABCDEF');
    await creating;
    expect(user()).toBeUndefined();
  });

  test.each([
    ['a namespace of two dots', { ...ana, Namespace: '..' }],
    ['no properties at all', {}],
  ])('an invented id with %s calls nothing', async (_, properties) => {
    expect(await stage.remove('invented', properties)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.calls()).toEqual([]);
  });

  test('D19 an account that cannot have users answers a Delete of an unknown id with success', async () => {
    stage.quickSight.account.identityCenter = true;
    expect(await stage.remove('maybe:1')).toMatchObject({ Status: 'SUCCESS' });
  });

  test('D12 D16 a refused Delete is no success, and can be repeated', async () => {
    const { PhysicalResourceId } = await stage.create();
    stage.quickSight.faults.add({ operation: 'DeleteUser', kind: 'error', code: 'LimitExceededException' });
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'FAILED', PhysicalResourceId });
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(user()).toBeUndefined();
  });
});
