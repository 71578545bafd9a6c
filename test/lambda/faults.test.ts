import { CreateNamespaceCommand, QuickSightClient } from '@aws-sdk/client-quicksight';
import { ACCOUNT, ana, bob, HASTE, Stage } from './custom-resource';
import { forgetRegion } from '../../lambda/quicksight-api';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.strike());

const restage = async (options: Parameters<typeof Stage.set>[0]) => {
  await stage.strike();
  stage = await Stage.set(options);
};

describe('identity region', () => {
  test('C18 another identity region is followed once, and remembered for the container', async () => {
    await restage({ identityRegion: 'eu-central-1' });
    const { Status, Data, PhysicalResourceId } = await stage.create();
    expect({ Status, Arn: Data!.Arn }).toEqual({
      Status: 'SUCCESS',
      Arn: `arn:aws:quicksight:eu-central-1:${ACCOUNT}:user/default/ana`,
    });
    await stage.remove(PhysicalResourceId);
    expect(stage.quickSight.calls.map(({ operation, region }) => `${operation} ${region}`)).toEqual([
      'RegisterUser us-east-1',
      'RegisterUser eu-central-1',
      'ListTagsForResource eu-central-1',
      'TagResource eu-central-1',
      'ListTagsForResource eu-central-1',
      'DeleteUser eu-central-1',
    ]);
  });

  test('C18 the first call goes where the provider says', async () => {
    await restage({ identityRegion: 'eu-central-1' });
    process.env.QUICKSIGHT_IDENTITY_REGION = 'eu-central-1';
    await stage.create();
    expect(stage.quickSight.calls).toMatchObject([{ operation: 'RegisterUser', region: 'eu-central-1' }]);
  });

  test('D13 a provider that says a wrong region is corrected, for a Create, an Update and a Delete', async () => {
    await restage({ identityRegion: 'eu-west-1' });
    for (const step of ['create', 'update', 'remove'] as const) {
      forgetRegion();
      process.env.QUICKSIGHT_IDENTITY_REGION = 'eu-central-1';
      const { PhysicalResourceId } = stage.puts.length > 0 ? JSON.parse(stage.puts[0]!.body) : {};
      const answer =
        step === 'create'
          ? await stage.create()
          : step === 'update'
            ? await stage.update(PhysicalResourceId, { ...ana, Email: 'new@example.com' })
            : await stage.remove(PhysicalResourceId);
      expect(answer).toMatchObject({ Status: 'SUCCESS' });
      const [first, ...rest] = stage.quickSight.calls.splice(0).map(({ region }) => region);
      expect(first).toBe('eu-central-1');
      expect(new Set(rest)).toEqual(new Set(['eu-west-1']));
    }
    expect(stage.userNames()).toEqual([]);
  });

  test.each([
    'Operation is being called from endpoint us-east-1, but your identity region is eu-west-1. Please use the eu-west-1 endpoint.',
    'Operation is being called from endpoint us-east-1 but your identity region is eu-west-1',
    'Operation is being called from endpoint us-east-1, but your capacity region is eu-west-1.',
  ])('C18 is understood from: %s', async (message) => {
    await restage({ identityRegion: 'eu-west-1' });
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'error', code: 'AccessDeniedException', message });
    expect(await stage.create()).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.quickSight.calls[1]).toMatchObject({ region: 'eu-west-1' });
  });

  test.each(['cn-north-1', 'us-gov-west-1', 'us-iso-east-1', 'eusc-de-east-1', 'example.com', 'us-east-1'])(
    'C19 an answer that names %s is no reason to go there',
    async (region) => {
      const message = `Operation is being called from endpoint us-east-1, but your identity region is ${region}.`;
      stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'error', code: 'AccessDeniedException', message });
      const failed = await stage.create();
      expect(failed.Status).toBe('FAILED');
      expect(failed.Reason).toContain(`your identity region is ${region}`);
      expect(new Set(stage.quickSight.calls.map((call) => call.region))).toEqual(new Set(['us-east-1']));
    },
  );

  test('C19 two regions that name each other end the chase', async () => {
    for (const named of ['eu-west-1', 'eu-west-2', 'eu-west-3']) {
      const message = `Operation is being called from endpoint x, but your identity region is ${named}.`;
      stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'error', code: 'AccessDeniedException', message });
    }
    expect(await stage.create()).toMatchObject({ Status: 'FAILED' });
    expect(stage.quickSight.calls.filter(({ operation }) => operation === 'RegisterUser')).toHaveLength(2);
  });
});

describe('denials are reported with their remedy', () => {
  const denied = (message: string) => ({ code: 'AccessDeniedException', message });
  const noPolicy =
    'User: arn:aws:sts::111122223333:assumed-role/R/s is not authorized to perform: quicksight:RegisterUser on resource: x because no identity-based policy allows the quicksight:RegisterUser action';
  test.each([
    ['C20 a missing permission', denied(noPolicy), /provider's role lacks the permission/],
    [
      'C20 a service control policy',
      denied(`${noPolicy} with an explicit deny in a service control policy`),
      /service control policy of the organization/,
    ],
    [
      'C20 an explicit deny',
      denied('User: x is not authorized to perform: y with an explicit deny in an identity-based policy'),
      /denies the call explicitly/,
    ],
    [
      'C20 IAM Identity Center',
      denied('Operation is disabled for identities managed by IAM Identity Center'),
      /assigning groups/,
    ],
    ['C20 Standard edition', denied('This operation is disabled for STANDARD Edition'), /upgrade the account/],
    ['C20 Standard edition by code', { code: 'UnsupportedUserEditionException', message: 'no' }, /upgrade the account/],
    [
      'C21 no subscription',
      { code: 'ResourceNotFoundException', message: 'The account is not signed up with QuickSight' },
      /Subscribe this account/,
    ],
    [
      'C21 a missing namespace',
      { code: 'ResourceNotFoundException', message: 'Namespace x not found in account y' },
      /Create the namespace first/,
    ],
    ['C24 a limit', { code: 'LimitExceededException', message: 'limit' }, /Raise the QuickSight quota/],
  ])('%s fails at once', async (_, error, remedy) => {
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'error', ...error, times: Infinity });
    const started = Date.now();
    const failed = await stage.create();
    expect(failed.Status).toBe('FAILED');
    expect(failed.Reason).toContain(error.message);
    expect(failed.Reason).toMatch(remedy);
    expect(failed.PhysicalResourceId).toBe(`none:${failed.RequestId}`);
    expect(Date.now() - started).toBeLessThan(5_000);
  });
});

test('C21 a user that is not found is no reason to create the namespace', async () => {
  const { PhysicalResourceId } = await stage.create();
  const message = `User ana not found in account ${ACCOUNT}, namespace default.`;
  const code = 'ResourceNotFoundException';
  stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'error', code, message });
  stage.quickSight.deleteUser('default', 'ana');
  const { Reason } = await stage.update(PhysicalResourceId, { ...ana, Email: 'new@example.com' });
  expect(Reason).toBe(`RegisterUser failed: ResourceNotFoundException (status 404): ${message}`);
});

test('C20 a denial of every call leaves nothing for the Delete that follows, which would be denied as well', async () => {
  const message = 'x is not authorized to perform: y because no identity-based policy allows z';
  stage.quickSight.faults.add({ kind: 'error', code: 'AccessDeniedException', message, times: Infinity });
  const failed = await stage.create();
  expect(failed.PhysicalResourceId).toBe(`none:${failed.RequestId}`);
  stage.calls();
  expect(await stage.remove(failed.PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
  expect(stage.calls()).toEqual([]);
});

describe('what passes is waited for', () => {
  const { freshIdentity } = HASTE;
  test.each([
    [
      'C20 a policy that is not effective yet',
      ana,
      {
        code: 'AccessDeniedException',
        message: 'x is not authorized to perform: y because no identity-based policy allows z',
      },
    ],
    [
      'C22 an IAM identity that is not visible yet',
      bob,
      { code: 'InvalidParameterValueException', message: `${bob.IamArn} does not exist` },
    ],
    ['C23 an account subscribed moments ago', ana, { code: 'PreconditionNotMetException', message: 'not ready' }],
  ])('%s, within bounds', async (_, properties, error) => {
    const fault = stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'error', ...error, times: 2 });
    expect(await stage.create(properties)).toMatchObject({ Status: 'SUCCESS' });
    expect(fault.hits).toBe(2);

    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'error', ...error, times: Infinity });
    const started = Date.now();
    const failed = await stage.create({ ...properties, UserName: properties.UserName && 'ben' });
    expect(failed.Reason).toContain(error.message);
    expect(Date.now() - started).toBeGreaterThanOrEqual(freshIdentity - 50);
  });

  test('C21 a namespace that is still being created, within bounds', async () => {
    await restage({ namespaceDelayMs: 60 });
    const client = new QuickSightClient({ region: 'us-east-1' });
    await client.send(
      new CreateNamespaceCommand({ AwsAccountId: ACCOUNT, Namespace: 'team-b', IdentityStore: 'QUICKSIGHT' }),
    );
    expect(await stage.create({ ...ana, Namespace: 'team-b' })).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.calls().length).toBeGreaterThan(1);
  });

  test.each([
    ['C25 throttling', { kind: 'error', code: 'ThrottlingException', message: 'Rate exceeded' } as const],
    ['C25 throttling without a message', { kind: 'throttle' } as const],
    ['C26 a 5xx with an HTML body', { kind: 'html' } as const],
    ['C26 an HTML body with status 200', { kind: 'html', status: 200 } as const],
    ['C26 a reset connection', { kind: 'reset' } as const],
    ['C26 an answer slower than one attempt may take', { kind: 'slow', delayMs: 2 * HASTE.attempt } as const],
    ['C26 an internal failure', { kind: 'error', code: 'InternalFailureException' } as const],
    ['C26 an unavailable resource', { kind: 'error', code: 'ResourceUnavailableException' } as const],
  ])('%s, in every operation', async (_, effect) => {
    for (const operation of [
      'RegisterUser',
      'DescribeUser',
      'UpdateUser',
      'TagResource',
      'UntagResource',
      'ListTagsForResource',
      'DeleteUser',
    ]) {
      stage.quickSight.faults.add({ operation, ...effect });
    }
    const before = { ...ana, Tags: [{ Key: 'a', Value: 'b' }] };
    const after = { ...ana, Email: 'new@example.com', Tags: [{ Key: 'c', Value: 'd' }] };
    const { PhysicalResourceId } = await stage.create(before);
    expect(await stage.update(PhysicalResourceId, after, before)).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId,
    });
    expect(stage.user()).toMatchObject({ email: 'new@example.com', tags: { c: 'd' } });
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.userNames()).toEqual([]);
  });

  test('C24 a limit is not', async () => {
    const error = { kind: 'error', code: 'LimitExceededException', times: Infinity } as const;
    stage.quickSight.faults.add({ operation: 'RegisterUser', ...error });
    await stage.create();
    expect(stage.calls().filter((operation) => operation === 'RegisterUser')).toHaveLength(1);
  });
});

describe('the deadline', () => {
  test.each(['RegisterUser', 'DescribeUser', 'UpdateUser', 'TagResource', 'ListTagsForResource', 'DeleteUser'])(
    'C27 at %s is answered with FAILED, the operation and the cause, before the function dies',
    async (operation) => {
      const created = await stage.create();
      stage.quickSight.faults.add({ operation, kind: 'throttle', times: Infinity });
      const common = { RequestId: 'r', PhysicalResourceId: created.PhysicalResourceId };
      const tagged = { ...ana, Email: 'new@example.com', Tags: [{ Key: 'a', Value: 'b' }] };
      const event =
        operation === 'RegisterUser'
          ? { RequestType: 'Create' as const, ResourceProperties: { ...ana, UserName: 'ben' } }
          : operation.startsWith('List') || operation.startsWith('Delete')
            ? { ...common, RequestType: 'Delete' as const, ResourceProperties: ana }
            : { ...common, RequestType: 'Update' as const, ResourceProperties: tagged, OldResourceProperties: ana };
      const started = Date.now();
      const failed = await stage.send(event, { timeLeft: 1_000 });
      expect(Date.now() - started).toBeLessThan(1_000);
      expect(failed.Status).toBe('FAILED');
      expect(failed.Reason).toMatch(
        new RegExp(`^${operation} failed: ThrottlingException \\(status 429\\): the function ran out of time`),
      );
      if (operation === 'RegisterUser') expect(failed.PhysicalResourceId).toBe(`maybe:${failed.RequestId}`);
      else expect(failed.PhysicalResourceId).toBe(created.PhysicalResourceId);
    },
  );

  test('C27 with a registration whose answer never comes leaves it to the Delete that follows', async () => {
    stage.quickSight.faults.add({
      operation: 'RegisterUser',
      kind: 'slow',
      delayMs: 3_000,
      when: 'after',
      times: Infinity,
    });
    const failed = await stage.send(
      { RequestType: 'Create', ResourceProperties: ana },
      { timeLeft: 500, patience: { ...HASTE, attempt: 10_000 } },
    );
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: `maybe:${failed.RequestId}` });
    expect(stage.quickSight.users()).toHaveLength(1);
    await stage.remove(failed.PhysicalResourceId);
    expect(stage.quickSight.users()).toEqual([]);
  });
});
