import { EmbeddedQuickSight } from '../../../local/quicksight';
import { HERE, clientOf, quickSightUser, refusal, start, stopAll, until } from './client';

afterEach(stopAll);

describe('faults', () => {
  test('an error answer replaces the operation, once', async () => {
    const { quickSight, client } = await start();
    const fault = quickSight.faults.add({
      kind: 'error',
      operation: 'RegisterUser',
      code: 'LimitExceededException',
      message: 'too many',
    });
    await client.listUsers(HERE);
    expect(await refusal(client.registerUser(quickSightUser('ana')))).toEqual({
      name: 'LimitExceededException',
      status: 409,
      message: 'too many',
    });
    expect(quickSight.users()).toEqual([]);
    await client.registerUser(quickSightUser('ana'));
    expect(fault.hits).toBe(1);
  });

  test('code and status can be anything', async () => {
    const { quickSight, client } = await start();
    quickSight.faults.add({ kind: 'error', code: 'SomethingNew', status: 418, message: 'tea' });
    expect(await refusal(client.listUsers(HERE))).toMatchObject({ name: 'SomethingNew', status: 418 });
  });

  test('a throttle can come without a message', async () => {
    const { quickSight, client } = await start();
    quickSight.faults.add({ kind: 'throttle' });
    const { name, status } = await refusal(client.listUsers(HERE));
    expect([name, status]).toEqual(['ThrottlingException', 429]);
    quickSight.faults.add({ kind: 'throttle' });
    const raw = await fetch(`${quickSight.url}/accounts/111122223333/namespaces/default/users`);
    expect(await raw.json()).toEqual({ __type: 'ThrottlingException', RequestId: raw.headers.get('x-amzn-requestid') });
  });

  test('an HTML page reaches the SDK as a syntax error with the status', async () => {
    const { quickSight, client } = await start();
    quickSight.faults.add({ kind: 'html' });
    expect(await refusal(client.listUsers(HERE))).toMatchObject({ name: 'SyntaxError', status: 503 });
  });

  test.each([
    ['reset', {}],
    ['html', {}],
    ['error', { code: 'InternalFailureException' }],
  ] as const)('after: %s, and the operation has taken effect', async (kind, more) => {
    const { quickSight, client } = await start();
    quickSight.faults.add({ kind, ...more, operation: 'RegisterUser', when: 'after' } as never);
    await refusal(client.registerUser(quickSightUser('ana')));
    expect(await refusal(client.registerUser(quickSightUser('ana')))).toMatchObject({
      name: 'ResourceExistsException',
    });
  });

  test('a reset connection before the operation leaves nothing, and a retry succeeds', async () => {
    const { quickSight } = await start();
    quickSight.faults.add({ kind: 'reset' });
    await clientOf(quickSight, { maxAttempts: 2 }).registerUser(quickSightUser('ana'));
    expect(quickSight.calls).toMatchObject([{ error: 'ConnectionReset' }, { status: 201 }]);
    expect(quickSight.calls[0]!.status).toBeUndefined();
  });

  test('a slow call that the client gives up on takes effect all the same', async () => {
    const { quickSight, client } = await start();
    quickSight.faults.add({ kind: 'slow', delayMs: 200 });
    const giveUp = new AbortController();
    const call = refusal(client.registerUser(quickSightUser('ana'), { abortSignal: giveUp.signal }));
    await until(() => quickSight.calls.length === 1);
    giveUp.abort();
    expect(await call).toMatchObject({ name: 'AbortError' });
    expect(quickSight.users()).toEqual([]);
    await until(() => quickSight.users().length === 1);
  });

  test('a slow answer comes after the operation took effect', async () => {
    const { quickSight, client } = await start();
    quickSight.faults.add({ kind: 'slow', delayMs: 200, when: 'after' });
    const call = client.registerUser(quickSightUser('ana'));
    await until(() => quickSight.users().length === 1);
    expect(quickSight.calls[0]!.status).toBeUndefined();
    expect((await call).User!.UserName).toBe('ana');
  });

  test('a call is held for as long as the test says', async () => {
    const { quickSight, client } = await start();
    let release = () => {};
    quickSight.faults.add({ kind: 'hold', until: new Promise<void>((resolve) => (release = resolve)) });
    const call = client.registerUser(quickSightUser('ana'));
    await until(() => quickSight.calls.length === 1);
    expect(quickSight.users()).toEqual([]);
    release();
    expect((await call).User!.UserName).toBe('ana');
  });

  test('a held call whose promise is broken loses its connection without having taken effect', async () => {
    const { quickSight, client } = await start();
    quickSight.faults.add({ kind: 'hold', until: Promise.reject(new Error('never')) });
    expect(await refusal(client.registerUser(quickSightUser('ana')))).toMatchObject({ status: undefined });
    expect(quickSight.users()).toEqual([]);
  });

  test('an answer can lack members or have others', async () => {
    const { quickSight, client } = await start();
    quickSight.faults.add({
      kind: 'answer',
      members: { User: { Arn: undefined, UserName: 'N/A' }, UserInvitationUrl: undefined },
    });
    const answer = await client.registerUser(quickSightUser('ana'));
    expect(answer.User).toMatchObject({ UserName: 'N/A', Role: 'READER' });
    expect([answer.User!.Arn, answer.UserInvitationUrl]).toEqual([undefined, undefined]);
  });

  test('hits the named user only, however the call names it', async () => {
    const { quickSight, client } = await start();
    const Role = 'arn:aws:iam::111122223333:role/Analyst';
    const fault = quickSight.faults.add({ kind: 'throttle', userName: 'Analyst/ana', times: Infinity });
    await client.registerUser(quickSightUser('ana'));
    const calls = [
      client.registerUser({
        ...HERE,
        IdentityType: 'IAM',
        IamArn: Role,
        SessionName: 'ana',
        Email: 'ana@example.com',
        UserRole: 'READER',
      }),
      client.describeUser({ ...HERE, UserName: 'Analyst/ana' }),
      client.createGroupMembership({ ...HERE, GroupName: 'g', MemberName: 'Analyst/ana' }),
      client.listTagsForResource({ ResourceArn: 'arn:aws:quicksight:us-east-1:111122223333:user/default/Analyst/ana' }),
    ];
    for (const refused of await Promise.all(calls.map(refusal)))
      expect(refused).toMatchObject({ name: 'ThrottlingException' });
    fault.remove();
    expect(fault.hits).toBe(4);
    expect(await refusal(client.describeUser({ ...HERE, UserName: 'Analyst/ana' }))).toMatchObject({ status: 404 });
  });

  test('starts at the nth call and lasts for as many as set', async () => {
    const { quickSight, client } = await start();
    quickSight.faults.add({ kind: 'throttle', operation: 'ListUsers', nth: 2, times: 2 });
    const outcomes: string[] = [];
    for (let i = 0; i < 4; i++) {
      outcomes.push(
        await client.listUsers(HERE).then(
          () => 'ok',
          (error: Error) => error.name,
        ),
      );
    }
    expect(outcomes).toEqual(['ok', 'ThrottlingException', 'ThrottlingException', 'ok']);
  });
});

test('the rate limit throttles what exceeds the burst, and lets calls through again with time', async () => {
  const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
  const { quickSight, client } = await start({ requestsPerSecond: 2, burst: 3 });
  const ask = () =>
    client.listUsers(HERE).then(
      () => 'ok',
      (error: Error) => error.name,
    );
  const outcomes = await Promise.all(Array.from({ length: 5 }, ask));
  expect(outcomes.sort()).toEqual(['ThrottlingException', 'ThrottlingException', 'ok', 'ok', 'ok']);
  expect(quickSight.calls.filter(({ status }) => status === 429)).toHaveLength(2);
  clock.mockReturnValue(500);
  expect([await ask(), await ask()]).toEqual(['ok', 'ThrottlingException']);
  clock.mockReturnValue(60_000);
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['ok', 'ok', 'ok', 'ThrottlingException']);
  clock.mockRestore();
});

test('a port that is taken is an error, and stopping ends calls in flight', async () => {
  const { quickSight, client } = await start();
  await expect(EmbeddedQuickSight.start({ port: Number(new URL(quickSight.url).port) })).rejects.toThrow('EADDRINUSE');
  quickSight.faults.add({ kind: 'slow', delayMs: 60_000 });
  const call = refusal(client.listUsers(HERE));
  await until(() => quickSight.calls.length === 1);
  await quickSight.stop();
  expect(await call).toMatchObject({ name: expect.stringMatching(/Error$/), status: undefined });
});
