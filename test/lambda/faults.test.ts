import { handler } from '../../lambda';
import { ACCOUNT, ana, HASTE, Stage } from './custom-resource';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.strike());

const restage = async (options: Parameters<typeof Stage.set>[0]) => {
  await stage.strike();
  stage = await Stage.set(options);
};
const bob = { ...ana, UserName: undefined, IdentityType: 'IAM', IamArn: `arn:aws:iam::${ACCOUNT}:user/bob` };

describe('identity region', () => {
  test('C18 is followed once, and remembered for the container', async () => {
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
      'DeleteUser eu-central-1',
    ]);
  });

  test('starts where the provider says, and D13 follows from a wrong one', async () => {
    await restage({ identityRegion: 'eu-central-1' });
    process.env.QUICKSIGHT_IDENTITY_REGION = 'eu-central-1';
    await stage.create();
    expect(stage.calls()).toEqual(['RegisterUser']);
    await restage({ identityRegion: 'eu-west-1' });
    process.env.QUICKSIGHT_IDENTITY_REGION = 'eu-central-1';
    expect(await stage.create()).toMatchObject({ Status: 'SUCCESS' });
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

  test('two regions that name each other end the chase', async () => {
    for (const named of ['eu-west-1', 'eu-west-2', 'eu-west-3']) {
      const message = `Operation is being called from endpoint x, but your identity region is ${named}.`;
      stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'error', code: 'AccessDeniedException', message });
    }
    expect(await stage.create()).toMatchObject({ Status: 'FAILED' });
    expect(stage.quickSight.calls.filter(({ operation }) => operation === 'RegisterUser')).toHaveLength(2);
  });
});

describe('C20 C21 denials are reported with their remedy', () => {
  const denied = (message: string) => ({ code: 'AccessDeniedException', message });
  const noPolicy =
    'User: arn:aws:sts::111122223333:assumed-role/R/s is not authorized to perform: quicksight:RegisterUser on resource: x because no identity-based policy allows the quicksight:RegisterUser action';
  test.each([
    ['a missing permission', denied(noPolicy), /provider's role lacks the permission/],
    [
      'a service control policy',
      denied(`${noPolicy} with an explicit deny in a service control policy`),
      /service control policy of the organization/,
    ],
    [
      'an explicit deny',
      denied('User: x is not authorized to perform: y with an explicit deny in an identity-based policy'),
      /denies the call explicitly/,
    ],
    [
      'IAM Identity Center',
      denied('Operation is disabled for identities managed by IAM Identity Center'),
      /assigning groups/,
    ],
    ['Standard edition', denied('This operation is disabled for STANDARD Edition'), /upgrade the account/],
    ['Standard edition by code', { code: 'UnsupportedUserEditionException', message: 'no' }, /upgrade the account/],
    [
      'no subscription',
      { code: 'ResourceNotFoundException', message: 'The account is not signed up with QuickSight' },
      /Subscribe this account/,
    ],
    [
      'a missing namespace',
      { code: 'ResourceNotFoundException', message: 'Namespace x not found in account y' },
      /Create the namespace first/,
    ],
    ['a limit', { code: 'LimitExceededException', message: 'limit' }, /Raise the QuickSight quota/],
  ])('%s', async (_, error, remedy) => {
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

test('a user that is not found is no reason to create the namespace', async () => {
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

  test.each([
    ['C25 throttling', { kind: 'error', code: 'ThrottlingException', message: 'Rate exceeded' } as const],
    ['C25 throttling without a message', { kind: 'throttle' } as const],
    ['C26 a 5xx with an HTML body', { kind: 'html' } as const],
    ['C26 an HTML body with status 200', { kind: 'html', status: 200 } as const],
    ['C26 a reset connection', { kind: 'reset' } as const],
    ['C26 an answer slower than one attempt may take', { kind: 'slow', delayMs: 2 * HASTE.attempt } as const],
    ['an internal failure', { kind: 'error', code: 'InternalFailureException' } as const],
    ['an unavailable resource', { kind: 'error', code: 'ResourceUnavailableException' } as const],
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
    expect(stage.quickSight.user('default', 'ana')).toMatchObject({ email: 'new@example.com', tags: { c: 'd' } });
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.quickSight.users()).toEqual([]);
  });

  test('C24 a limit is not', async () => {
    stage.quickSight.faults.add({
      operation: 'RegisterUser',
      kind: 'error',
      code: 'LimitExceededException',
      times: Infinity,
    });
    await stage.create();
    expect(stage.calls().filter((operation) => operation === 'RegisterUser')).toHaveLength(1);
  });
});

describe('C27 the deadline', () => {
  test.each(['RegisterUser', 'DescribeUser', 'UpdateUser', 'TagResource', 'ListTagsForResource', 'DeleteUser'])(
    'at %s is answered with FAILED, the operation and the cause, before the function dies',
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

  test('with a registration whose answer never comes leaves it to the Delete that follows', async () => {
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

describe('the answer', () => {
  test('is one PUT with an empty content type, an exact length, and no chunks', async () => {
    await stage.create();
    expect(stage.puts).toHaveLength(1);
    const [{ headers, body }] = stage.puts as [(typeof stage.puts)[0]];
    expect(headers).toMatchObject({ 'content-type': '', 'content-length': String(Buffer.byteLength(body)) });
    expect(headers).not.toHaveProperty('transfer-encoding');
  });

  test('A1 is cut in its reason, by bytes, and nowhere else', async () => {
    const message = `é"\u0007😀`.repeat(3_000);
    stage.quickSight.faults.add({
      operation: 'RegisterUser',
      kind: 'error',
      code: 'InvalidParameterValueException',
      message,
    });
    const failed = await stage.create();
    const { length } = Buffer.from(stage.puts[0]!.body);
    expect(length).toBeLessThanOrEqual(4096);
    expect(length).toBeGreaterThan(4080);
    expect(failed.Reason).toMatch(/…$/);
    expect(failed.Reason).not.toMatch(/[\u0000-\u001f]/);
    expect(failed).toMatchObject({ PhysicalResourceId: `none:${failed.RequestId}`, LogicalResourceId: 'Ana1234ABCD' });
  });

  test('A1 gives up an invitation URL that leaves no room for the rest', async () => {
    const UserInvitationUrl = `https://example.com/${'x'.repeat(4_000)}`;
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'answer', members: { UserInvitationUrl } });
    expect(await stage.create()).toMatchObject({ Status: 'SUCCESS', Data: { InvitationUrl: 'unavailable' } });
  });

  test.each([500, 503, 429, 307, 0])('A2 is repeated after status %s (0: reset)', async (status) => {
    stage.putStatuses.push(status, status);
    await stage.create();
    expect(stage.puts).toHaveLength(3);
    expect(stage.puts[2]).toEqual(stage.puts[0]);
  });

  test('A2 is repeated until the deadline, and the function ends in time', async () => {
    stage.putStatuses.push(...Array<number>(100).fill(500));
    const started = Date.now();
    await stage.send({ RequestType: 'Create', ResourceProperties: ana }, { timeLeft: 800 });
    expect(Date.now() - started).toBeLessThan(800);
    expect(stage.puts.length).toBeGreaterThan(2);
  });

  test.each([403, 404, 400])(
    'A3 that is refused for good with %s ends the function without an error',
    async (status) => {
      stage.putStatuses.push(status);
      await stage.create();
      expect(stage.puts).toHaveLength(1);
    },
  );

  test('that has no URL to go to ends the function without an error', async () => {
    const event = { RequestType: 'Delete', PhysicalResourceId: 'none:1', ResponseURL: 'nonsense' };
    await expect(handler(event as never, { getRemainingTimeInMillis: () => 5_000 } as never)).resolves.toBeUndefined();
  });

  test('A5 and all that led to it leave no e-mail, URL, tag value or event in the log', async () => {
    const secretive = { ...ana, UserName: 'ana@example.com', Tags: [{ Key: 'k', Value: 'tag-value-secret' }] };
    for (const kind of ['throttle', 'reset', 'html'] as const)
      stage.quickSight.faults.add({ operation: 'RegisterUser', kind, when: 'after' });
    stage.putStatuses.push(500);
    const { PhysicalResourceId, Data } = await stage.create(secretive);
    await stage.update(PhysicalResourceId, { ...secretive, Email: 'other@example.com' }, secretive);
    await stage.create({ ...ana, Email: 5 });
    await stage.create({ ...ana, UserName: 'ana@example.com' }, { LogicalResourceId: 'Other' });
    stage.quickSight.faults.add({
      kind: 'error',
      code: 'InvalidParameterValueException',
      message: 'ana@example.com is odd',
    });
    await stage.remove(PhysicalResourceId);
    const log = stage.log.join('\n');
    expect(stage.log.length).toBeGreaterThan(8);
    for (const secret of [
      '@example.com',
      'https://',
      'http://',
      'response-url-secret',
      'tag-value-secret',
      Data!.InvitationUrl,
      'ResourceProperties',
    ]) {
      expect(log).not.toContain(secret);
    }
  });
});
