import { randomUUID } from 'node:crypto';
import { ana, ANA_ARN, HASTE, OTHER_STACK_ID, Stage } from './custom-resource';

let stage: Stage;
let id: string;
/** ARN of a secret that may hold the invitation. */
let secret: string;
beforeEach(async () => {
  stage = await Stage.set();
  secret = stage.secret();
});
afterEach(() => stage.strike());

async function begin(properties: object = ana): Promise<string> {
  const answer = await stage.create(properties);
  id = answer.PhysicalResourceId;
  stage.age();
  stage.begin('UPDATE_IN_PROGRESS');
  stage.calls();
  return answer.Data!.InvitationUrl;
}

const THEIRS = { StackId: OTHER_STACK_ID, LogicalResourceId: 'Theirs' };
const kept = () => ({ ...ana, InvitationSecretArn: secret });
const version = (InvitationVersion: string, more: object = {}) => ({ ...ana, InvitationVersion, ...more });
const denied = {
  kind: 'error',
  code: 'AccessDeniedException',
  message: 'x is not authorized with an explicit deny in a resource-based policy',
  times: Infinity,
} as const;

describe('without a secret', () => {
  test('the URL is there when the user is registered, and unavailable after', async () => {
    expect(await begin()).toMatch(/^https:/);
    for (const change of [{}, { Email: 'new@example.com' }, { Tags: [{ Key: 'a', Value: 'b' }] }]) {
      const { Data } = await stage.update(id, { ...ana, ...change });
      expect(Data).toMatchObject({ InvitationUrl: 'unavailable' });
    }
    expect(stage.calls().filter((call) => call.endsWith('SecretValue'))).toEqual([]);
  });
});

describe('with a secret', () => {
  test('U21 the URL is written where it is known, and stays readable through later updates', async () => {
    const url = await begin(kept());
    expect(url).toMatch(/^https:/);
    const { registeredAt, ...value } = stage.secretValue(secret) as Record<string, string>;
    expect(value).toEqual({ url, userName: 'ana', arn: ANA_ARN });
    expect(Math.abs(Date.parse(registeredAt!) - Date.now())).toBeLessThan(5_000);
    const { Data } = await stage.update(id, { ...kept(), Email: 'new@example.com' }, kept());
    expect(Data!.InvitationUrl).toBe(url);
    expect(stage.calls()).toEqual(['DescribeUser', 'UpdateUser', 'GetSecretValue']);
  });

  test('U21 one call more registers, and one more answers a change of nothing', async () => {
    await stage.create(kept());
    expect(stage.calls()).toEqual(['RegisterUser', 'PutSecretValue']);
    const { PhysicalResourceId } = await stage.create({ ...kept(), UserName: 'ben' }, { LogicalResourceId: 'Ben' });
    stage.calls();
    await stage.update(
      PhysicalResourceId,
      { ...kept(), UserName: 'ben', ServiceTimeout: '5' },
      { ...kept(), UserName: 'ben' },
    );
    expect(stage.calls()).toEqual(['GetSecretValue']);
  });

  test('U21 a secret that is added later has nothing to give yet', async () => {
    await begin();
    expect((await stage.update(id, kept())).Data!.InvitationUrl).toBe('unavailable');
    expect(stage.secretValue(secret)).toBeUndefined();
  });

  test('U21 a secret that is removed makes the URL unavailable, and keeps what it holds', async () => {
    const url = await begin(kept());
    expect((await stage.update(id, ana, kept())).Data!.InvitationUrl).toBe('unavailable');
    expect(stage.secretValue(secret)).toMatchObject({ url });
  });

  test('U21 another secret is given what the former one holds', async () => {
    const url = await begin(kept());
    const InvitationSecretArn = stage.secret();
    expect((await stage.update(id, { ...ana, InvitationSecretArn }, kept())).Data!.InvitationUrl).toBe(url);
    expect(stage.secretValue(InvitationSecretArn)).toEqual(stage.secretValue(secret));
  });

  test.each([
    [
      'another user’s invitation',
      { url: 'https://example.com/x', userName: 'ben', arn: `${ANA_ARN}x`, registeredAt: '' },
    ],
    ['something else in JSON', { password: 'p' }],
  ])('U21 a secret that holds %s has no URL of ours', async (_, value) => {
    await begin();
    stage.writeSecret(secret, JSON.stringify(value));
    expect((await stage.update(id, kept())).Data!.InvitationUrl).toBe('unavailable');
    expect(stage.secretValue(secret)).toEqual(value);
  });

  test('U21 a secret that holds no JSON has no URL', async () => {
    await begin();
    stage.writeSecret(secret, 'a password');
    expect((await stage.update(id, kept())).Data!.InvitationUrl).toBe('unavailable');
  });

  test('U21 a secret that cannot be read makes the URL unavailable, and no change fails for it', async () => {
    await begin(kept());
    stage.secretsManager.faults.add({ operation: 'GetSecretValue', ...denied });
    const answer = await stage.update(id, { ...kept(), Email: 'new@example.com' }, kept());
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { InvitationUrl: 'unavailable' } });
    expect(stage.user()!.email).toBe('new@example.com');
    expect(stage.log.join('\n')).toMatch(/secret.*cannot be read/);
  });

  test.each([{ kind: 'throttle' }, { kind: 'html' }, { kind: 'html', status: 200 }, { kind: 'reset' }] as const)(
    'U21 a secret is written in spite of passing faults (%j)',
    async (fault) => {
      stage.secretsManager.faults.add({ operation: 'PutSecretValue', ...fault, times: 2 });
      const answer = await stage.create(kept());
      expect(answer.Status).toBe('SUCCESS');
      expect(stage.secretValue(secret)).toMatchObject({ url: answer.Data!.InvitationUrl });
    },
  );

  test('U21 a secret that cannot be written fails the registration, whose user goes with the Delete', async () => {
    stage.secretsManager.faults.add({ operation: 'PutSecretValue', ...denied });
    const failed = await stage.create(kept());
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: `${ANA_ARN};${stage.user()!.principalId}` });
    expect(failed.Reason).toMatch(/could not be written to the secret/);
    expect(failed.Reason).not.toMatch(/https?:/);
    stage.turn('ROLLBACK_IN_PROGRESS');
    await stage.remove(failed.PhysicalResourceId, kept());
    expect(stage.userNames()).toEqual([]);
  });

  test('U21 a registration repeated within its event leaves the latest URL in the secret', async () => {
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'reset', when: 'after' });
    const { Data } = await stage.create(kept());
    expect(Data!.InvitationUrl).toMatch(/^https:/);
    expect(stage.secretValue(secret)).toMatchObject({ url: Data!.InvitationUrl });
  });

  test('U21 an event that comes twice answers the same URL twice', async () => {
    const RequestId = randomUUID();
    const first = await stage.create(kept(), { RequestId });
    expect(await stage.create(kept(), { RequestId })).toEqual(first);
  });

  test('U18 a rename writes the URL of the new user, and its roll-back finds that it is not the old one’s', async () => {
    await begin(kept());
    const renamed = { ...kept(), UserName: 'anna' };
    const { PhysicalResourceId: newId, Data } = await stage.update(id, renamed, kept());
    expect(stage.secretValue(secret)).toMatchObject({ userName: 'anna', url: Data!.InvitationUrl });
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    const back = await stage.update(newId, kept(), renamed);
    expect(back).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id, Data: { InvitationUrl: 'unavailable' } });
  });

  test('U16 a user who is registered again has the new URL in the secret', async () => {
    const url = await begin(kept());
    stage.quickSight.deleteUser('default', 'ana');
    const { Data } = await stage.update(id, { ...kept(), Email: 'new@example.com' }, kept());
    expect(Data!.InvitationUrl).not.toBe(url);
    expect(stage.secretValue(secret)).toMatchObject({ url: Data!.InvitationUrl });
  });
});

describe('a new invitation', () => {
  test('U20 an inactive user is registered anew with a new URL, under the same id', async () => {
    const url = await begin(version('1', { Tags: [{ Key: 'team', Value: 'sales' }] }));
    const declared = version('2', { Tags: [{ Key: 'team', Value: 'sales' }] });
    const answer = await stage.update(id, declared, version('1', { Tags: declared.Tags }));
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(answer.Data!.InvitationUrl).toMatch(/^https:/);
    expect(answer.Data!.InvitationUrl).not.toBe(url);
    expect(answer.Data!.PrincipalId).toBe(stage.user()!.principalId);
    expect(stage.user()!.tags).toMatchObject({ team: 'sales' });
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
    await stage.remove(id, declared);
    expect(stage.userNames()).toEqual([]);
  });

  test('U20 other changes of the same update are made with it', async () => {
    await begin(version('1'));
    await stage.update(id, version('2', { Email: 'new@example.com', UserRole: 'AUTHOR' }), version('1'));
    expect(stage.user()).toMatchObject({ email: 'new@example.com', role: 'AUTHOR' });
  });

  test('U20 an active user is not changed, and the log says why', async () => {
    await begin(version('1'));
    stage.quickSight.setActive('default', 'ana');
    const before = stage.user();
    const answer = await stage.update(id, version('2'), version('1'));
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id, Data: { InvitationUrl: 'unavailable' } });
    expect(stage.user()).toEqual(before);
    expect(stage.log.join('\n')).toMatch(/no new invitation: it has been activated/);
  });

  test('U20 an active user’s other changes are made', async () => {
    await begin(version('1'));
    stage.quickSight.setActive('default', 'ana');
    await stage.update(id, version('2', { Email: 'new@example.com' }), version('1'));
    expect(stage.user()!.email).toBe('new@example.com');
  });

  test.each([
    [
      'shared',
      () => stage.create({ ...ana, RootStackId: OTHER_STACK_ID, OnExisting: 'ADOPT' }, THEIRS),
      /another resource holds it/,
    ],
    [
      'adopted',
      async () => {
        const { tags } = stage.user()!;
        stage.quickSight.setTags('default', 'ana', { ...tags, 'cdk-quicksight-users:adopted': 'true' });
      },
      /existed before any stack held it/,
    ],
  ])('U20 a user that is %s is refused before any change; a roll-back skips it', async (_, setUp, reason) => {
    await begin(version('1'));
    await setUp();
    const before = stage.user();
    const failed = await stage.update(id, version('2', { Email: 'new@example.com' }), version('1'));
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(failed.Reason).toMatch(reason);
    expect(stage.user()).toEqual(before);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, version('1'), version('2'))).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()).toEqual(before);
  });

  test.each([
    ['set for the first time', undefined, '1', true],
    ['taken away', '1', undefined, false],
  ])('U20 invitationVersion %s', async (_, before, after, isIssued) => {
    await begin({ ...ana, InvitationVersion: before });
    const { principalId } = stage.user()!;
    await stage.update(id, { ...ana, InvitationVersion: after }, { ...ana, InvitationVersion: before });
    expect(stage.user()!.principalId !== principalId).toBe(isIssued);
  });

  test.each([
    ['its version is taken back', '1', '2'],
    ['it is taken back', undefined, '1'],
  ])('U20 a user that was lost on the way to a new invitation is registered when %s', async (_, before, after) => {
    const old = { ...ana, InvitationVersion: before };
    await begin(old);
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'error', code: 'LimitExceededException' });
    expect(await stage.update(id, version(after), old)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(stage.userNames()).toEqual([]);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, old, version(after))).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.userNames()).toEqual(['ana']);
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
  });

  test('U20 an event that comes twice registers anew once', async () => {
    await begin(version('1'));
    const RequestId = randomUUID();
    await stage.update(id, version('2'), version('1'), { RequestId });
    const { principalId } = stage.user()!;
    expect(await stage.update(id, version('2'), version('1'), { RequestId })).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()!.principalId).toBe(principalId);
  });

  test('U20 a function that dies between DeleteUser and RegisterUser leaves the rest to the repeated event', async () => {
    await begin(version('1', { Tags: [{ Key: 'team', Value: 'sales' }] }));
    const declared = version('2', { Tags: [{ Key: 'team', Value: 'sales' }] });
    const RequestId = randomUUID();
    const throttle = stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'throttle', times: Infinity });
    const old = version('1', { Tags: declared.Tags });
    const failed = await stage.update(id, declared, old, { RequestId }, { timeLeft: 300, patience: HASTE });
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    throttle.remove();
    const answer = await stage.update(id, declared, old, { RequestId });
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(answer.Data!.InvitationUrl).toMatch(/^https:/);
    expect(stage.user()!.tags).toMatchObject({ team: 'sales' });
  });
});
