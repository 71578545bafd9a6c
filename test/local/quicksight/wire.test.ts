import * as sdk from '@aws-sdk/client-quicksight';
import { request } from 'node:http';
import { statusOf } from '../../../local/quicksight/errors';
import { OPERATIONS } from '../../../local/quicksight/operations';
import { HERE, quickSightUser, refusal, start, stopAll } from './client';

afterEach(stopAll);

/** The SDK's own model of a shape: kind, namespace, name and traits come first. */
const model = (name: string) => (sdk as unknown as Record<string, readonly unknown[]>)[`${name}$`]!;

test.each(OPERATIONS.map((operation) => [operation.name, operation] as const))(
  '%s has the method and path of the service model',
  (name, { method, path }) => {
    const traits = model(name)[3] as { http: [string, string, number] };
    expect([method, path.join('/')]).toEqual(traits.http.slice(0, 2));
  },
);

test.each([
  'AccessDeniedException',
  'ConflictException',
  'InternalFailureException',
  'InvalidNextTokenException',
  'InvalidParameterValueException',
  'LimitExceededException',
  'PreconditionNotMetException',
  'ResourceExistsException',
  'ResourceNotFoundException',
  'ResourceUnavailableException',
  'ThrottlingException',
  'UnsupportedUserEditionException',
])('%s has the status of the service model', (code) => {
  expect(statusOf(code)).toBe((model(code)[3] as { httpError: number }).httpError);
});

/** A request that no SDK would send; `path` goes out as it is. */
function send(url: string, method: string, path: string, body?: string) {
  const { hostname, port } = new URL(url);
  return new Promise<{ status?: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const sent = request({ hostname, port, method, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text }));
    });
    sent.on('error', reject).end(body);
  });
}

test('an error carries its type in header and body, and the request id in both', async () => {
  const { quickSight } = await start();
  const answer = await send(quickSight.url, 'GET', '/accounts/111122223333/namespaces/default/users/nobody');
  expect(answer).toMatchObject({
    status: 404,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': 'ResourceNotFoundException' },
  });
  expect(JSON.parse(answer.body)).toEqual({
    __type: 'ResourceNotFoundException',
    Message: 'User nobody not found in account 111122223333, namespace default.',
    ResourceType: 'USER',
    RequestId: answer.headers['x-amzn-requestid'],
  });
});

test('a success carries status and request id in the body', async () => {
  const { quickSight } = await start();
  const answer = await send(quickSight.url, 'GET', '/accounts/111122223333/namespaces/default/users');
  expect(JSON.parse(answer.body)).toEqual({ Status: 200, RequestId: answer.headers['x-amzn-requestid'], UserList: [] });
});

test('a route that no operation has is an unknown operation, and recorded', async () => {
  const { quickSight, client } = await start();
  expect(await refusal(client.listDashboards(HERE))).toEqual({
    name: 'UnknownOperationException',
    status: 404,
    message: 'Unknown operation: GET /accounts/111122223333/dashboards',
  });
  expect(quickSight.calls).toMatchObject([
    { operation: 'GET /accounts/111122223333/dashboards', status: 404, error: 'UnknownOperationException' },
  ]);
});

test.each(['a b', 'team/a/b', '100%', '%41', 'a+b', 'é', 'ana@example.com', "q?x=1&y#z'", '...'])(
  'the user name %s arrives intact',
  async (UserName) => {
    const { quickSight, client } = await start();
    await client.registerUser(quickSightUser(UserName));
    const { User } = await client.describeUser({ ...HERE, UserName });
    expect(User!.UserName).toBe(UserName);
    expect((await client.listTagsForResource({ ResourceArn: User!.Arn })).Tags).toEqual([]);
    await client.deleteUser({ ...HERE, UserName });
    expect(quickSight.users()).toEqual([]);
  },
);

test.each(['..', '.', ''])('the user name "%s" in a path is refused, recorded, and harms nobody', async (UserName) => {
  const { quickSight, client } = await start();
  await client.createNamespace({ ...HERE, Namespace: 'sales', IdentityStore: 'QUICKSIGHT' });
  await client.registerUser(quickSightUser('ana', { Namespace: 'sales' }));
  const call = client.deleteUser({ ...HERE, Namespace: 'sales', UserName });
  expect(await refusal(call)).toMatchObject({ name: 'InvalidParameterValueException', status: 400 });
  expect(quickSight.users()).toHaveLength(1);
  expect(quickSight.calls.at(-1)).toMatchObject({ operation: 'DeleteUser', parameters: { UserName }, status: 400 });
});

test.each(['%2E%2E', '..', '%zz'])('the raw path segment %s is refused', async (segment) => {
  const { quickSight } = await start();
  expect(await send(quickSight.url, 'DELETE', `/accounts/111122223333/namespaces/${segment}`)).toMatchObject({
    status: 400,
  });
  expect(quickSight.calls).toMatchObject([{ status: 400, error: 'InvalidParameterValueException' }]);
});

test.each(['{', '[]', '{"IdentityType": "QUICKSIGHT", "Email": 1}'])('the body %s cannot be read', async (body) => {
  const { quickSight } = await start();
  const answer = await send(quickSight.url, 'POST', '/accounts/111122223333/namespaces/default/users', body);
  expect(answer).toMatchObject({ status: 400, headers: { 'x-amzn-errortype': 'SerializationException' } });
});

test('calls are recorded with what they were about, without any value of the body', async () => {
  const { quickSight, client } = await start();
  const before = Date.now();
  await client.registerUser(quickSightUser('ana', { Email: 'secret-ana@example.com' }));
  const [call] = quickSight.calls;
  expect(call).toEqual({
    operation: 'RegisterUser',
    parameters: { ...HERE, UserName: 'ana' },
    members: ['IdentityType', 'Email', 'UserRole', 'UserName'],
    region: 'us-east-1',
    accessKeyId: 'AKIAEXAMPLE',
    at: expect.any(Number),
    status: 201,
  });
  expect(call!.at).toBeGreaterThanOrEqual(before);
  expect(JSON.stringify(quickSight.calls)).not.toContain('secret-ana');
});
