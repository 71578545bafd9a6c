import { handler } from '../../lambda';
import { ana, Stage } from './custom-resource';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.strike());

test('the answer is one PUT with an empty content type, an exact length, and no chunks', async () => {
  await stage.create();
  expect(stage.puts).toHaveLength(1);
  const [{ headers, body }] = stage.puts as [(typeof stage.puts)[0]];
  expect(headers).toMatchObject({ 'content-type': '', 'content-length': String(Buffer.byteLength(body)) });
  expect(headers).not.toHaveProperty('transfer-encoding');
});

test('A1 a long answer is cut in its reason, by bytes, and nowhere else', async () => {
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

test('A1 a long answer gives up an invitation URL that leaves no room for the rest', async () => {
  const UserInvitationUrl = `https://example.com/${'x'.repeat(4_000)}`;
  stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'answer', members: { UserInvitationUrl } });
  expect(await stage.create()).toMatchObject({ Status: 'SUCCESS', Data: { InvitationUrl: 'unavailable' } });
});

test('A1 the ids are never cut: the longest user name fits', async () => {
  const UserName = 'é'.repeat(256);
  const { PhysicalResourceId, Status } = await stage.create({ ...ana, UserName });
  expect(Status).toBe('SUCCESS');
  expect(Buffer.byteLength(PhysicalResourceId)).toBeLessThanOrEqual(1024);
  expect(Buffer.byteLength(stage.puts[0]!.body)).toBeLessThanOrEqual(4096);
  expect(await stage.remove(PhysicalResourceId, { ...ana, UserName })).toMatchObject({ Status: 'SUCCESS' });
  expect(stage.userNames()).toEqual([]);
});

test.each([500, 503, 429, 307, 0])('A2 the PUT is repeated after status %s (0: reset)', async (status) => {
  stage.putStatuses.push(status, status);
  await stage.create();
  expect(stage.puts).toHaveLength(3);
  expect(stage.puts[2]).toEqual({ ...stage.puts[0], status: 200 });
  expect(stage.calls()).toEqual(['RegisterUser']);
});

test('A2 the PUT is repeated until the deadline, and the function ends in time', async () => {
  stage.putStatuses.push(...Array<number>(100).fill(500));
  const started = Date.now();
  await stage.send({ RequestType: 'Create', ResourceProperties: ana }, { timeLeft: 800 });
  expect(Date.now() - started).toBeLessThan(800);
  expect(stage.puts.length).toBeGreaterThan(2);
});

test.each([403, 404, 400])(
  'A3 a PUT that is refused for good with %s ends the function without an error',
  async (status) => {
    stage.putStatuses.push(status);
    await stage.create();
    expect(stage.puts).toHaveLength(1);
  },
);

test('A3 an answer that has no URL to go to ends the function without an error', async () => {
  const event = { RequestType: 'Delete', PhysicalResourceId: 'none:1', ResponseURL: 'nonsense' };
  await expect(handler(event as never, { getRemainingTimeInMillis: () => 5_000 } as never)).resolves.toBeUndefined();
});

test.each([
  ['a text', 'an odd thing', 'an odd thing'],
  ['nothing', undefined, 'undefined'],
  ['a number', 42, '42'],
  ['an error without a message', new RangeError(), 'RangeError'],
])('A4 %s that is thrown is answered with FAILED and its text', async (_, thrown, text) => {
  const ResourceProperties = new Proxy(
    {},
    {
      get: () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw thrown;
      },
    },
  );
  const failed = await stage.send({ RequestType: 'Create', ResourceProperties }).catch((error: unknown) => error);
  expect(failed).toMatchObject({ Status: 'FAILED', Reason: text });
});

// A5 is asked of every test here, by Stage.strike; this one makes sure that there is something to be asked.
test('A5 the log of a user with an e-mail address for a name, through faults and failures, holds none of it', async () => {
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
  expect(stage.log.length).toBeGreaterThan(8);
  expect(stage.leaks()).toEqual([]);
  for (const secret of ['ana@example.com', 'response-url-secret', 'tag-value-secret', Data!.InvitationUrl]) {
    stage.log.push(`{"note":"${secret}"}`);
    expect(stage.leaks()).toHaveLength(1);
    stage.log.pop();
  }
});
