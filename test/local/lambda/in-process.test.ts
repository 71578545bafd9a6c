import { IamStore } from '../../../local/iam/iam-store';
import { EmbeddedLambda } from '../../../local/lambda/embedded-lambda';
import type { RunInProcess } from '../../../local/lambda/in-process-container';

const iam = new IamStore({ accountId: '111122223333' });
const role = iam.create({
  kind: 'role',
  name: 'Handler',
  trustPolicy: {
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
  },
});
const ARN = 'arn:aws:lambda:eu-west-1:111122223333:function:Here';
let lambda: EmbeddedLambda;
afterEach(() => lambda.stop());

/** A Lambda with one function, which `runInProcess` stands in for. */
function deploy(runInProcess: RunInProcess, timeoutSeconds = 10): void {
  lambda = new EmbeddedLambda({
    ...{ iam, runInProcess, concurrency: 2, retryDelaysMs: [1, 1] },
    endpoints: { AWS_ENDPOINT_URL_QUICKSIGHT: 'http://127.0.0.1:1' },
  });
  lambda.put({
    ...{ name: 'Here', arn: ARN, region: 'eu-west-1', roleArn: role.arn, runtime: 'nodejs22.x', memoryMb: 128 },
    ...{ handler: 'nowhere.handler', codeDirectory: '/nowhere', environment: { OWN: 'variable' } },
    ...{ timeoutSeconds, logGroup: '/logs/here' },
  });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("a run has a copy of the event, the context, and the environment with its role's credentials", async () => {
  const event = { hello: 'ana', left: undefined };
  deploy(async (seen, context, environment) => {
    (seen as Record<string, unknown>).hello = 'changed';
    return { seen, name: context.functionName, remaining: context.getRemainingTimeInMillis(), environment };
  });
  const { result } = (await lambda.invoke(ARN, event)) as { result: Record<string, unknown> };
  expect(event.hello).toBe('ana');
  expect(result.seen).toEqual({ hello: 'changed' });
  expect(result.name).toBe('Here');
  expect(result.remaining).toBeGreaterThan(9000);
  const environment = result.environment as Record<string, string>;
  expect(environment).toMatchObject({
    OWN: 'variable',
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL_QUICKSIGHT: 'http://127.0.0.1:1',
  });
  const denied = iam.authorize({ accessKeyId: environment.AWS_ACCESS_KEY_ID!, action: 'a:b', resource: '*' });
  expect(denied).toMatch(/assumed-role\/Handler\/Here is not authorized/);
});

test('an asynchronous event whose run throws is run twice more, and its errors are in the log', async () => {
  const requestIds: string[] = [];
  deploy(async (_event, context, _environment, log) => {
    requestIds.push(context.awsRequestId);
    log(`run ${requestIds.length}`);
    throw new TypeError('no');
  });
  const { requestId, done } = lambda.invokeAsync(ARN, {});
  expect((await done).error).toMatchObject({ errorType: 'TypeError', errorMessage: 'no' });
  expect(requestIds).toEqual([requestId, requestId, requestId]);
  const error = expect.stringMatching(`^ERROR RequestId: ${requestId} .*"errorMessage":"no"`);
  expect(lambda.logGroups.lines('/logs/here')).toEqual(['run 1', error, 'run 2', error, 'run 3', error]);
});

test('a run that hangs fails at its time-out, and the next one has other credentials', async () => {
  const keys: string[] = [];
  deploy(async (event, _context, environment) => {
    keys.push(environment.AWS_ACCESS_KEY_ID!);
    if (event === 'hang') await new Promise(() => undefined);
    return 'fine';
  }, 0.1);
  expect(await lambda.invoke(ARN, {})).toEqual({ result: 'fine' });
  expect((await lambda.invoke(ARN, 'hang')).error).toEqual({
    errorType: 'Sandbox.Timedout',
    errorMessage: 'Task timed out after 0.10 seconds',
  });
  expect(await lambda.invoke(ARN, {})).toEqual({ result: 'fine' });
  expect([keys[0] === keys[1], keys[1] === keys[2]]).toEqual([true, false]);
});

test('never more run at the same time than the limit allows', async () => {
  let [running, most] = [0, 0];
  deploy(async () => {
    most = Math.max(most, ++running);
    await pause(10);
    running--;
  });
  await Promise.all([1, 2, 3, 4, 5].map((event) => lambda.invoke(ARN, event)));
  expect(most).toBe(2);
});

test('stop does not wait for a run, and no event is run after it', async () => {
  let runs = 0;
  deploy(async () => {
    runs++;
    await new Promise(() => undefined);
  });
  const { done } = lambda.invokeAsync(ARN, {});
  await pause(1);
  await lambda.stop();
  expect((await done).error).toMatchObject({ errorType: 'Stopped' });
  expect((await lambda.invoke(ARN, {})).error).toMatchObject({ errorType: 'Stopped' });
  expect(runs).toBe(1);
});
