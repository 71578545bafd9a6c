import { CreateNamespaceCommand, QuickSightClient } from '@aws-sdk/client-quicksight';
import { randomUUID } from 'node:crypto';
import type { UserResourceProperties } from '../../lib/private/user-resource';
import { ACCOUNT, ana, ANA_ARN, bob, carla, HASTE, OTHER_STACK_ID, STACK_ID, Stage, tag } from './custom-resource';

const cognitoWithUrl = {
  ExternalLoginFederationProviderType: 'COGNITO',
  CustomFederationProviderUrl: 'https://login.example.com',
  ExternalLoginId: 'pool:1',
};
const accessDenied = {
  kind: 'error',
  code: 'AccessDeniedException',
  message: 'not authorized, with an explicit deny in a resource-based policy',
} as const;

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.strike());

describe('a free name', () => {
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
    expect(stage.user()).toMatchObject({ email: 'ana@example.com', role: 'READER', tags: { team: 'sales' } });
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
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

  test('C1 every RegisterUser parameter reaches QuickSight, and nothing of the wire that is not one', async () => {
    await stage.create({
      ...ana,
      UserRole: 'AUTHOR_PRO',
      CustomPermissionsName: 'no-exports',
      ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
      CustomFederationProviderUrl: 'https://login.example.com',
      ExternalLoginId: 'ana-1',
      OnExisting: 'ADOPT',
      InvitationVersion: '7',
    });
    expect(stage.user()).toMatchObject({
      role: 'AUTHOR_PRO',
      customPermissionsName: 'no-exports',
      externalLogin: { type: 'CUSTOM_OIDC', url: 'https://login.example.com', id: 'ana-1' },
    });
    expect(stage.quickSight.calls[0]!.members).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(OnExisting|Invitation|RootStackId|Service)/)]),
    );
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
});

describe('an event that cannot be right', () => {
  test.each<[string, object, RegExp]>([
    ['C4 a user name with identity type IAM', { ...bob, UserName: 'bob' }, /^UserName "bob" does not apply/],
    ['C4 identity type IAM without an ARN', { ...bob, IamArn: undefined }, /^IamArn is missing/],
    ['C4 an IAM role without a session', { ...carla, SessionName: undefined }, /^SessionName is missing/],
    ['C4 a session for an IAM user', { ...bob, SessionName: 'ana' }, /^SessionName "ana" does not apply/],
    ['C4 an ARN with identity type QUICKSIGHT', { ...ana, IamArn: bob.IamArn }, /^IamArn .* does not apply/],
    ['C4 a Cognito login with a URL', { ...ana, ...cognitoWithUrl }, /^CustomFederationProviderUrl .* does not apply/],
    ['C4 an invitation of an IAM user', { ...bob, InvitationVersion: '1' }, /^InvitationVersion .*does not apply/],
    ['C5 a name of two dots', { ...ana, UserName: '..' }, /^UserName .*"\.\."/],
    ['C5 a name of one dot', { ...ana, UserName: '.' }, /^UserName .*"\."/],
    ['C5 an empty name', { ...ana, UserName: '' }, /^UserName/],
    ['C5 a name with a semicolon', { ...ana, UserName: 'a;b' }, /^UserName .*"a;b"/],
    ['C5 a name with a control character', { ...ana, UserName: 'a\u0007b' }, /^UserName .*control character/],
    ['C5 a name of 257 characters', { ...ana, UserName: 'x'.repeat(257) }, /^UserName/],
    ['C5 a namespace of one dot', { ...ana, Namespace: '.' }, /^Namespace "\."/],
    ['C5 a namespace of two dots', { ...ana, Namespace: '..' }, /^Namespace "\.\."/],
    ['C5 an empty namespace', { ...ana, Namespace: '' }, /^Namespace ""/],
    ['C6 a missing e-mail', { ...ana, Email: undefined }, /^Email is missing$/],
    ['C6 a missing role', { ...ana, UserRole: undefined }, /^UserRole is missing$/],
    ['C6 a missing namespace', { ...ana, Namespace: undefined }, /^Namespace is missing$/],
    ['C6 a role that is a list', { ...ana, UserRole: ['READER'] }, /^UserRole must be a string, got a list$/],
    ['C6 an e-mail that is a number', { ...ana, Email: 5 }, /^Email must be a string, got a number$/],
    ['C6 tags that are no tags', { ...ana, Tags: ['x'] }, /^Tags must be a list/],
    ['C6 an odd word for onExisting', { ...ana, OnExisting: 'TAKE' }, /^OnExisting "TAKE" is not/],
    ['C29 an empty tag value', { ...ana, Tags: [tag('a', '')] }, /^Tags "a" has a value of 0 characters/],
    ['C29 45 tags', { ...ana, Tags: Array.from({ length: 45 }, (_, i) => tag(`k${i}`, 'v')) }, /at most 44/],
    ['C29 keys that differ in case', { ...ana, Tags: [tag('Team', 'a'), tag('team', 'b')] }, /differ only in case/],
    ['C29 a key of ours', { ...ana, Tags: [tag('cdk-quicksight-users:adopted', 'no')] }, /reserved/],
  ])('%s fails before any call, and so does nothing of the Delete that follows', async (_, properties, reason) => {
    const failed = await stage.create(properties);
    expect(failed.Status).toBe('FAILED');
    expect(failed.Reason).toMatch(reason);
    expect(failed.PhysicalResourceId).toBe(`none:${failed.RequestId}`);
    expect(await stage.remove(failed.PhysicalResourceId, properties)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.calls()).toEqual([]);
  });

  test('C6 all problems of one event are reported at once', async () => {
    const { Reason } = await stage.create({ ...ana, UserName: 'a;b', UserRole: 'RESTRICTED_READER', Namespace: 'a b' });
    expect(Reason).toMatch(/Namespace "a b".*UserRole "RESTRICTED_READER".*UserName .*"a;b"/);
  });

  test('C6 an unknown request type fails by name', async () => {
    expect(await stage.send({ RequestType: 'Import' as 'Create' })).toMatchObject({
      Status: 'FAILED',
      Reason: 'RequestType "Import" is not one of Create, Update and Delete',
    });
    expect(stage.calls()).toEqual([]);
  });
});

describe('a name that is taken', () => {
  test.each<[string, object, RegExp]>([
    ['C7 by hand', {}, /user "ana" of namespace "default" exists already.*no stack holds it.*untouched/],
    [
      'C13 by a construct of another stack',
      { StackId: OTHER_STACK_ID, LogicalResourceId: 'Theirs' },
      /user "ana" of namespace "default" exists already.*resource Theirs of the stack whose id ends in 99999999.*untouched/,
    ],
  ])('%s is refused with the way out, and left alone by the Delete that follows', async (_, holder, reason) => {
    if ('StackId' in holder) await stage.create({ ...ana, RootStackId: OTHER_STACK_ID }, holder);
    else await stage.byHand();
    const before = stage.user();
    stage.calls();
    const failed = await stage.create({ ...ana, Email: 'new@example.com', UserRole: 'AUTHOR' });
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: `none:${failed.RequestId}` });
    expect(failed.Reason).toMatch(reason);
    expect(stage.calls()).toEqual(['RegisterUser', 'DescribeUser', 'ListTagsForResource']);
    await stage.remove(failed.PhysicalResourceId);
    expect(stage.calls()).toEqual([]);
    expect(stage.user()).toEqual(before);
  });

  test('C8 ADOPT takes a user that nobody holds, marks it, and brings it to what is declared', async () => {
    const { principalId } = await stage.byHand({
      CustomPermissionsName: 'theirs',
      Tags: [tag('team', 'old'), tag('kept', 'as-it-is')],
    });
    const answer = await stage.create({
      ...ana,
      UserRole: 'AUTHOR',
      ExternalLoginFederationProviderType: 'COGNITO',
      ExternalLoginId: 'pool:1',
      Tags: [tag('team', 'sales')],
      OnExisting: 'ADOPT',
    });
    expect(answer).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: `${ANA_ARN};${principalId}`,
      Data: { Arn: ANA_ARN, UserName: 'ana', PrincipalId: principalId, InvitationUrl: 'unavailable' },
    });
    expect(stage.calls()).toEqual([
      'RegisterUser',
      'DescribeUser',
      'ListTagsForResource',
      'TagResource',
      'ListTagsForResource',
      'UpdateUser',
    ]);
    expect(stage.user()).toMatchObject({
      principalId,
      email: 'ana@example.com',
      role: 'AUTHOR',
      externalLogin: { type: 'COGNITO', id: 'pool:1' },
      tags: { team: 'sales', kept: 'as-it-is', 'cdk-quicksight-users:adopted': 'true' },
    });
    expect(stage.user()!.customPermissionsName).toBeUndefined();
    expect(stage.user()!.tags['cdk-quicksight-users:before']).toMatch(/^[0-9a-f]{16}\/READER\/theirs$/);
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
  });

  test('C8 ADOPT of a user that is as declared changes its tags only', async () => {
    await stage.byHand({ Email: ana.Email });
    expect(await stage.create({ ...ana, OnExisting: 'ADOPT' })).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.calls()).not.toContain('UpdateUser');
    expect(stage.user()!.tags['cdk-quicksight-users:before']).toMatch(/\/READER\/$/);
  });

  test('C8 ADOPT of a user that another stack holds makes a second holder, and no adopted user', async () => {
    await stage.create(
      { ...ana, RootStackId: OTHER_STACK_ID },
      { StackId: OTHER_STACK_ID, LogicalResourceId: 'Theirs' },
    );
    expect(await stage.create({ ...ana, OnExisting: 'ADOPT' })).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.holders()).toEqual(['Ana1234ABCD', 'Theirs']);
    expect(stage.user()!.tags).not.toHaveProperty('cdk-quicksight-users:adopted');
  });

  test.each<[string, object, object, RegExp]>([
    [
      'of another identity type',
      { IdentityType: 'IAM', IamArn: `arn:aws:iam::${ACCOUNT}:user/ana` },
      {},
      /identity type/,
    ],
    ['who is AUTHOR and declared READER', { UserRole: 'AUTHOR' }, {}, /is AUTHOR and cannot become READER/],
    ['who is ADMIN_PRO and declared READER_PRO', { UserRole: 'ADMIN_PRO' }, { UserRole: 'READER_PRO' }, /is ADMIN_PRO/],
  ])('C9 ADOPT refuses a user %s, untouched', async (_, existing, declared, reason) => {
    const before = await stage.byHand(existing);
    const failed = await stage.create({ ...ana, ...declared, OnExisting: 'ADOPT', Tags: [tag('a', 'b')] });
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: `none:${failed.RequestId}` });
    expect(failed.Reason).toMatch(reason);
    expect(stage.user()).toEqual(before);
    stage.calls();
    await stage.remove(failed.PhysicalResourceId);
    expect(stage.calls()).toEqual([]);
  });
});

describe('a Create that comes again, or half-way', () => {
  test('C10 an event delivered twice registers once and gets the same id', async () => {
    const RequestId = randomUUID();
    const first = await stage.create(ana, { RequestId });
    const second = await stage.create(ana, { RequestId });
    expect(second).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: first.PhysicalResourceId,
      Data: { ...first.Data, InvitationUrl: 'unavailable' },
    });
    expect(stage.calls()).toEqual(['RegisterUser', 'RegisterUser', 'DescribeUser', 'ListTagsForResource']);
    expect(stage.quickSight.users()).toHaveLength(1);
  });

  test('C10 an adoption delivered twice stays one, with the state before the first', async () => {
    await stage.byHand();
    const RequestId = randomUUID();
    const declared = { ...ana, UserRole: 'AUTHOR', OnExisting: 'ADOPT' };
    const first = await stage.create(declared, { RequestId });
    const before = stage.user();
    expect(await stage.create(declared, { RequestId })).toEqual(first);
    expect(stage.user()).toEqual(before);
    expect(before!.tags['cdk-quicksight-users:before']).toMatch(/\/READER\/$/);
  });

  test('C11 a lost answer is recognised by the tag, and its invitation issued anew', async () => {
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'reset', when: 'after' });
    const answer = await stage.create();
    expect(answer.Status).toBe('SUCCESS');
    expect(answer.Data!.InvitationUrl).toMatch(/^https:\/\//);
    expect(stage.user()!.principalId).toBe(answer.Data!.PrincipalId);
    expect(stage.quickSight.users()).toHaveLength(1);
  });

  test.each([
    ['DeleteUser', { operation: 'DeleteUser' }],
    ['the second RegisterUser', { operation: 'RegisterUser', nth: 3 }],
  ])('C11 the invitation is issued anew also when the answer to %s is lost', async (_, fault) => {
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'reset', when: 'after' });
    stage.quickSight.faults.add({ ...fault, kind: 'reset', when: 'after' });
    const answer = await stage.create();
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { PrincipalId: stage.user()!.principalId } });
    expect(answer.Data!.InvitationUrl).toMatch(/^https:\/\//);
    expect(stage.quickSight.users()).toHaveLength(1);
  });

  test('C11 an IAM user whose answer was lost is kept as it is', async () => {
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'html', when: 'after' });
    expect(await stage.create(bob)).toMatchObject({ Status: 'SUCCESS', Data: { UserName: 'bob' } });
    expect(stage.calls()).toEqual(['RegisterUser', 'RegisterUser', 'DescribeUser', 'ListTagsForResource']);
  });

  test('C11 a user who became active before the second look is kept as it is', async () => {
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'reset', when: 'after' });
    const answer = await stage.create(
      ana,
      {},
      {
        onCall: ({ operation }) => {
          if (operation === 'DescribeUser') stage.quickSight.setActive('default', 'ana');
          return undefined;
        },
      },
    );
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { InvitationUrl: 'unavailable' } });
    expect(stage.calls()).not.toContain('DeleteUser');
  });

  test.each(['reset', 'html', 'throttle'] as const)(
    'C11 a repeated event never issues the invitation anew, also when its first call meets a fault (%s)',
    async (kind) => {
      const RequestId = randomUUID();
      await stage.create(ana, { RequestId });
      stage.age();
      const { principalId } = stage.user()!;
      stage.quickSight.faults.add({ operation: 'RegisterUser', kind });
      const answer = await stage.create(ana, { RequestId });
      expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { PrincipalId: principalId } });
    },
  );

  test('C11 a registration whose answer was lost is looked for until it can be seen', async () => {
    stage.quickSight.account.describeVisibilityDelayMs = 40;
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'reset', when: 'after' });
    expect(await stage.create(bob)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.userNames()).toEqual(['bob']);
  });

  test('C15 a function that dies after registering leaves the rest to the repeated event', async () => {
    const RequestId = randomUUID();
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'slow', delayMs: 3_000, when: 'after', times: 9 });
    await stage.create(ana, { RequestId }, { timeLeft: 300, patience: { ...HASTE, attempt: 10_000 } });
    stage.quickSight.faults.clear();
    const { principalId } = stage.user()!;
    expect(await stage.create(ana, { RequestId })).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: `${ANA_ARN};${principalId}`,
      Data: { InvitationUrl: 'unavailable' },
    });
    expect(stage.userNames()).toEqual(['ana']);
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

  test('C14 a step after registering that fails leaves the user to the Delete that follows', async () => {
    const InvitationSecretArn = stage.secret();
    stage.secretsManager.faults.add({ operation: 'PutSecretValue', ...accessDenied, times: Infinity });
    const failed = await stage.create({ ...ana, InvitationSecretArn });
    expect(failed).toMatchObject({
      Status: 'FAILED',
      PhysicalResourceId: `${ANA_ARN};${stage.user()!.principalId}`,
      Reason: expect.stringMatching(/could not be written to the secret.*AccessDeniedException/),
    });
    stage.turn('ROLLBACK_IN_PROGRESS');
    expect(await stage.remove(failed.PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.userNames()).toEqual([]);
  });

  test('C14 a step after adopting that fails leaves letting go to the Delete that follows', async () => {
    const { principalId } = await stage.byHand({ CustomPermissionsName: 'theirs' });
    stage.quickSight.faults.add({ operation: 'UpdateUser', kind: 'error', code: 'LimitExceededException' });
    const failed = await stage.create({ ...ana, OnExisting: 'ADOPT' });
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: `${ANA_ARN};${principalId}` });
    stage.turn('ROLLBACK_IN_PROGRESS');
    expect(await stage.remove(failed.PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()).toMatchObject({ principalId, role: 'READER', customPermissionsName: 'theirs' });
    expect(stage.holders()).toEqual([]);
  });

  test.each(['Arn', 'UserName', 'PrincipalId'])('C28 an answer without %s makes no broken id', async (name) => {
    const known = { Arn: ANA_ARN, UserName: 'ana', PrincipalId: 'user/d-1/x' };
    for (const value of ['N/A', undefined]) {
      const members = { User: { ...known, [name]: value } };
      stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'answer', members });
      const failed = await stage.create();
      expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: `maybe:${failed.RequestId}` });
      expect(await stage.remove(failed.PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
      expect(stage.user()).toBeUndefined();
    }
  });
});
