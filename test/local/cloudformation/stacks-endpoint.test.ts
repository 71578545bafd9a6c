import { StacksEndpoint, type StackDescription } from '../../../local/cloudformation/stacks-endpoint';
import type { AuthorizationRequest } from '../../../local/iam/iam-store';

const id = (name: string, region = 'us-east-1') =>
  `arn:aws:cloudformation:${region}:111122223333:stack/${name}/11111111-2222-3333-4444-555555555555`;

const team: StackDescription = {
  stackId: id('Team'),
  stackName: 'Team',
  status: 'UPDATE_ROLLBACK_IN_PROGRESS',
  statusReason: 'ana & "ben" <failed>',
  creationTime: '2026-11-23T10:00:00.000Z',
  lastUpdatedTime: '2026-11-23T11:00:00.000Z',
};
const shard: StackDescription = {
  stackId: id('Team-Shard'),
  stackName: 'Team-Shard',
  status: 'CREATE_IN_PROGRESS',
  creationTime: '2026-11-23T11:00:01.000Z',
  parentId: team.stackId,
  rootId: team.stackId,
};
const gone: StackDescription = { ...team, stackId: id('Gone'), stackName: 'Gone', status: 'DELETE_COMPLETE' };
const asked: AuthorizationRequest[] = [];
let denial: string | undefined;
let endpoint: StacksEndpoint;

beforeEach(async () => {
  asked.length = 0;
  denial = undefined;
  endpoint = await StacksEndpoint.start({
    find: (name) => [team, shard, gone].find(({ stackId, stackName }) => [stackId, stackName].includes(name)),
    authorize: (request) => {
      asked.push(request);
      return denial;
    },
  });
});
afterEach(() => endpoint.stop());

/** The answer to a form, posted as an SDK does. */
async function post(form: Record<string, string>, region = 'us-east-1') {
  const response = await fetch(endpoint.url, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=KEY/20261123/${region}/cloudformation/aws4_request, Signature=0`,
    },
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: await response.text() };
}

const describeStacks = (StackName: string, region?: string) =>
  post({ Action: 'DescribeStacks', Version: '2010-05-15', StackName }, region);

test('a stack is described by its id, as the service writes it', async () => {
  const { status, body } = await describeStacks(team.stackId);
  expect(status).toBe(200);
  expect(body).toMatch(
    /^<DescribeStacksResponse xmlns="http:\/\/cloudformation\.amazonaws\.com\/doc\/2010-05-15\/">\s*<DescribeStacksResult>\s*<Stacks>\s*<member>\s*<StackId>/,
  );
  expect(body).toContain(`<StackId>${team.stackId}</StackId>`);
  expect(body).toContain('<StackName>Team</StackName>');
  expect(body).toContain('<StackStatus>UPDATE_ROLLBACK_IN_PROGRESS</StackStatus>');
  expect(body).toContain('<StackStatusReason>ana &amp; &quot;ben&quot; &lt;failed&gt;</StackStatusReason>');
  expect(body).toContain('<CreationTime>2026-11-23T10:00:00.000Z</CreationTime>');
  expect(body).toContain('<LastUpdatedTime>2026-11-23T11:00:00.000Z</LastUpdatedTime>');
  expect(body).toMatch(/<ResponseMetadata>\s*<RequestId>[0-9a-f-]{36}<\/RequestId>/);
  expect(body).not.toContain('ParentId');
});

test('a nested stack names its parent and its root, and a stack that was never updated has no time for that', async () => {
  const { body } = await describeStacks(shard.stackId);
  expect(body).toContain(`<ParentId>${team.stackId}</ParentId>`);
  expect(body).toContain(`<RootId>${team.stackId}</RootId>`);
  expect(body).not.toContain('LastUpdatedTime');
});

test('a stack is found by name, by GET too, and a deleted one by its id only', async () => {
  expect((await describeStacks('Team')).body).toContain(`<StackId>${team.stackId}</StackId>`);
  const query = new URLSearchParams({ Action: 'DescribeStacks', Version: '2010-05-15', StackName: 'Team' });
  expect(await (await fetch(`${endpoint.url}/?${query}`)).text()).toContain(`<StackId>${team.stackId}</StackId>`);
  expect((await describeStacks(gone.stackId)).body).toContain('<StackStatus>DELETE_COMPLETE</StackStatus>');
  expect((await describeStacks('Gone')).status).toBe(400);
});

test('a stack that is not there is a validation error', async () => {
  const { status, body } = await describeStacks(id('Nobody'));
  expect(status).toBe(400);
  expect(body).toMatch(
    /^<ErrorResponse xmlns=\S+>\s*<Error>\s*<Type>Sender<\/Type>\s*<Code>ValidationError<\/Code>\s*<Message>/,
  );
  expect(body).toContain(`<Message>Stack with id ${id('Nobody')} does not exist</Message>`);
  expect(endpoint.calls).toEqual([id('Nobody')]);
});

test('a stack of another region is not there', async () => {
  expect((await describeStacks(team.stackId, 'eu-west-1')).status).toBe(400);
});

test("IAM is asked for the stack's ARN, with the caller's key, before the stack is told to exist", async () => {
  denial = 'User: arn:x is not authorized';
  const { status, body } = await describeStacks('Team');
  expect(status).toBe(403);
  expect(body).toContain('<Code>AccessDenied</Code>');
  expect(body).toContain(`<Message>${denial}</Message>`);
  expect((await describeStacks('Nobody')).status).toBe(403);
  expect(asked).toEqual([
    { accessKeyId: 'KEY', action: 'cloudformation:DescribeStacks', resource: team.stackId },
    {
      accessKeyId: 'KEY',
      action: 'cloudformation:DescribeStacks',
      resource: 'arn:aws:cloudformation:us-east-1:111122223333:stack/Nobody/*',
    },
  ]);
});

test.each([
  ['another operation', { Action: 'DeleteStack', Version: '2010-05-15', StackName: 'Team' }, 'DeleteStack'],
  ['another version', { Action: 'DescribeStacks', StackName: 'Team' }, 'DescribeStacks'],
])('%s is an invalid action', async (_, form, action) => {
  const { status, body } = await post(form);
  expect(status).toBe(400);
  expect(body).toContain('<Code>InvalidAction</Code>');
  expect(body).toContain(`Could not find operation ${action} for version`);
});

test('faults strike as they do in the other services', async () => {
  const { faults } = endpoint;
  faults.add({ kind: 'throttle', operation: 'DescribeStacks' });
  const throttled = await describeStacks('Team');
  expect(throttled.status).toBe(400);
  expect(throttled.body).toMatch(/<Code>Throttling<\/Code>\s*<Message>Rate exceeded<\/Message>/);
  faults.add({ kind: 'error', code: 'InternalFailure' });
  const failed = await describeStacks('Team');
  expect([failed.status, failed.body]).toEqual([500, expect.stringContaining('<Type>Receiver</Type>')]);
  faults.add({ kind: 'html' });
  expect(await describeStacks('Team')).toEqual({ status: 503, body: expect.stringMatching(/^<html>/) });
  faults.add({ kind: 'reset' });
  await expect(describeStacks('Team')).rejects.toThrow('fetch failed');
  expect((await describeStacks('Team')).status).toBe(200);
});

describe('what the command line asks', () => {
  const resource = (index: number) => ({
    logicalId: `User${index}`,
    physicalId: `id;${index}`,
    type: 'Custom::QuickSightUser',
    status: 'CREATE_COMPLETE',
  });
  const ask = (Action: string, more: Record<string, string> = {}) => post({ Action, Version: '2010-05-15', ...more });

  beforeEach(async () => {
    await endpoint.stop();
    endpoint = await StacksEndpoint.start({
      find: (name) => (name === 'Team' || name === team.stackId ? team : undefined),
      list: () => [team, shard, { ...shard, stackId: id('Elsewhere', 'eu-central-1') }],
      contents: (stackId) =>
        stackId === team.stackId
          ? {
              template: { Resources: { A: { Type: '<A> & "B"' } } },
              resources: Array.from({ length: 120 }, (_, index) => resource(index)),
            }
          : undefined,
      authorize: ({ resource: asked, action }) => (denial === action ? `no ${action} on ${asked}` : undefined),
    });
  });

  test('all stacks of the region are described when no name is given', async () => {
    const { body } = await ask('DescribeStacks');
    expect([...body.matchAll(/<StackId>(.*)<\/StackId>/g)].map(([, found]) => found)).toEqual([
      team.stackId,
      shard.stackId,
    ]);
    denial = 'cloudformation:DescribeStacks';
    expect((await ask('DescribeStacks')).body).toContain('no cloudformation:DescribeStacks on *');
  });

  test('GetTemplate gives the template as escaped text', async () => {
    const { body } = await ask('GetTemplate', { StackName: 'Team' });
    expect(body).toContain('&quot;Type&quot;: &quot;&lt;A&gt; &amp; \\&quot;B\\&quot;&quot;');
    expect((await ask('GetTemplate', { StackName: 'Other' })).body).toContain('Stack with id Other does not exist');
  });

  test('ListStackResources gives pages of a hundred', async () => {
    const first = await ask('ListStackResources', { StackName: team.stackId });
    expect(first.body.match(/<LogicalResourceId>/g)).toHaveLength(100);
    const NextToken = /<NextToken>(.*)<\/NextToken>/.exec(first.body)![1]!;
    const second = await ask('ListStackResources', { StackName: team.stackId, NextToken });
    expect(second.body.match(/<LogicalResourceId>/g)).toHaveLength(20);
    expect(second.body).toContain('<PhysicalResourceId>id;119</PhysicalResourceId>');
    expect(second.body).not.toContain('NextToken');
  });
});
