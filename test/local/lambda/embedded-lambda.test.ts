import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { IamStore } from '../../../local/iam/iam-store';
import { EmbeddedLambda, type FunctionConfiguration } from '../../../local/lambda/embedded-lambda';

const directory = mkdtempSync(path.join(tmpdir(), 'lambda-test-'));
const iam = new IamStore({ accountId: '111122223333' });
const role = iam.create({
  kind: 'role',
  name: 'Handler',
  trustPolicy: {
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
  },
});
const lambda = new EmbeddedLambda({
  iam,
  concurrency: 2,
  retryDelaysMs: [1, 1],
  endpoints: { AWS_ENDPOINT_URL_QUICKSIGHT: 'http://127.0.0.1:1' },
});

afterAll(async () => {
  await lambda.stop();
  rmSync(directory, { recursive: true });
});

/** Deploys a function with this body of its handler. */
function deploy(name: string, body: string, changes: Partial<FunctionConfiguration> = {}): FunctionConfiguration {
  const file = `${name}-${Object.keys(changes).length}`;
  writeFileSync(
    path.join(directory, `${file}.js`),
    `let runs = 0;\nexports.handler = async (event, context) => { ${body} };`,
  );
  const configuration: FunctionConfiguration = {
    name,
    arn: `arn:aws:lambda:eu-west-1:111122223333:function:${name}`,
    region: 'eu-west-1',
    roleArn: role.arn,
    handler: `${file}.handler`,
    runtime: 'nodejs22.x',
    codeDirectory: directory,
    environment: { OWN: 'variable' },
    timeoutSeconds: 10,
    memoryMb: 128,
    logGroup: `/logs/${name}`,
    ...changes,
  };
  lambda.put(configuration);
  return configuration;
}

test('a function sees its event, its context and only the environment that Lambda gives', async () => {
  const { arn } = deploy(
    'Echo',
    'return { event, context, left: context.getRemainingTimeInMillis(), env: process.env }',
  );
  process.env.SECRET_OF_THE_PARENT = 'x';
  const { result } = (await lambda.invoke(arn, { hello: 'ana' })) as { result: Record<string, unknown> };
  expect(result.event).toEqual({ hello: 'ana' });
  expect(result.context).toMatchObject({ functionName: 'Echo', invokedFunctionArn: arn, memoryLimitInMB: '128' });
  expect(result.left).toBeGreaterThan(9000);
  expect(result.env).toMatchObject({
    OWN: 'variable',
    AWS_REGION: 'eu-west-1',
    AWS_LAMBDA_FUNCTION_NAME: 'Echo',
    AWS_ENDPOINT_URL_QUICKSIGHT: 'http://127.0.0.1:1',
  });
  expect(result.env).not.toHaveProperty('SECRET_OF_THE_PARENT');
  expect(result.env).not.toHaveProperty('NODE_CHANNEL_FD');
});

test("its access key stands for the function's role", async () => {
  const { arn } = deploy('Key', 'return process.env.AWS_ACCESS_KEY_ID');
  const { result } = (await lambda.invoke(arn, {})) as { result: string };
  expect(iam.authorize({ accessKeyId: result, action: 'a:b', resource: '*' })).toMatch(
    /^User: arn:aws:sts::111122223333:assumed-role\/Handler\/Key is not authorized/,
  );
});

test('a container is used again, one event at a time, and never more run than the limit allows', async () => {
  const { arn } = deploy(
    'Slow',
    'await new Promise((r) => setTimeout(r, 100)); return { pid: process.pid, run: ++runs }',
  );
  const outcomes = await Promise.all([1, 2, 3, 4].map((event) => lambda.invoke(arn, event)));
  const results = outcomes.map((outcome) => (outcome as { result: { pid: number; run: number } }).result);
  expect(new Set(results.map(({ pid }) => pid)).size).toBe(2);
  expect(results.map(({ run }) => run).sort()).toEqual([1, 1, 2, 2]);
});

test('an asynchronous event whose function throws is run twice more, under the same request id', async () => {
  const { arn, logGroup } = deploy(
    'Throws',
    "console.log('run', ++runs, context.awsRequestId); throw new TypeError('no')",
  );
  const { requestId, done } = lambda.invokeAsync(arn, {});
  expect((await done).error).toMatchObject({ errorType: 'TypeError', errorMessage: 'no' });
  const runs = lambda.logGroups.lines(logGroup).filter((line) => line.startsWith('run'));
  expect(runs).toEqual([1, 2, 3].map((run) => `run ${run} ${requestId}`));
});

test('an asynchronous event that succeeds at the second attempt is done', async () => {
  const { arn } = deploy('Recovers', "if (++runs < 2) throw new Error('first'); return 'second'");
  expect(await lambda.invokeAsync(arn, {}).done).toEqual({ result: 'second' });
});

test('a handler that hangs is ended at its time-out, and the next event gets a new container', async () => {
  const { arn } = deploy('Hangs', 'if (event.hang) await new Promise(() => setInterval(() => {}, 9)); return ++runs', {
    timeoutSeconds: 0.3,
  });
  expect(await lambda.invoke(arn, {})).toEqual({ result: 1 });
  const { error } = await lambda.invoke(arn, { hang: true });
  expect(error).toEqual({ errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out after 0.30 seconds' });
  expect(await lambda.invoke(arn, {})).toEqual({ result: 1 });
});

test.each([
  ['exits', 'process.exit(3)', 'Runtime.ExitError', 'Runtime exited with error: exit status 3'],
  [
    'throws outside of its promise',
    "setTimeout(() => { throw new Error('late') }); await new Promise(() => {})",
    'Error',
    'late',
  ],
])('a function that %s fails, and the next event gets a new container', async (name, body, errorType, errorMessage) => {
  const { arn } = deploy(`Dies-${name.slice(0, 5)}`, `if (event.die) { ${body} } return 'fine'`);
  expect((await lambda.invoke(arn, { die: true })).error).toMatchObject({ errorType, errorMessage });
  expect(await lambda.invoke(arn, {})).toEqual({ result: 'fine' });
});

test('a handler that is not there is a function error that names it', async () => {
  const { arn } = deploy('Absent', '', { handler: 'nowhere.handler' });
  expect((await lambda.invoke(arn, {})).error?.errorMessage).toBe(
    "cannot find module 'nowhere' of handler nowhere.handler",
  );
});

test('a new configuration is used from the next event on', async () => {
  const { arn } = deploy('Changes', 'return process.env.OWN');
  expect(await lambda.invoke(arn, {})).toEqual({ result: 'variable' });
  deploy('Changes', 'return process.env.OWN', { environment: { OWN: 'changed' } });
  expect(await lambda.invoke(arn, {})).toEqual({ result: 'changed' });
});

test('what a function prints is in its log group before its answer arrives', async () => {
  const { arn, logGroup } = deploy('Prints', "console.log('one\\ntwo'); console.error('three')");
  await lambda.invoke(arn, {}, 'request-1');
  expect(lambda.logGroups.lines(logGroup)).toEqual([
    'one',
    'two',
    'three',
    expect.stringMatching(/^REPORT RequestId: request-1 Duration: [\d.]+ ms Max Memory Used: \d+ MB$/),
  ]);
});

test('a function needs a role that trusts Lambda', () => {
  const other = iam.create({ kind: 'role', name: 'Other' });
  expect(() => deploy('Untrusted', '', { roleArn: other.arn })).toThrow('cannot be assumed by Lambda');
});

test('a function that no stack made cannot be invoked', () => {
  expect(() => lambda.invokeAsync('arn:aws:lambda:eu-west-1:111122223333:function:Nobody', {})).toThrow(
    'function not found: arn:aws:lambda:eu-west-1:111122223333:function:Nobody',
  );
});
