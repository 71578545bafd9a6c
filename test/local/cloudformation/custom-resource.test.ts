import { CfnOutput, CustomResource } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { ResponseEndpoint } from '../../../local/cloudformation/response-endpoint';
import { Embedded } from './embedded-stack';

let embedded: Embedded;
beforeEach(() => (embedded = new Embedded()));
afterEach(() => embedded.stop());

test('a FAILED answer fails the resource with its reason, and the Delete that follows has its id', async () => {
  const result = await embedded.deploy((stack) => stack.custom('Ana', { FailOn: 'Create', PhysicalId: 'ana-1' }));
  expect(result).toMatchObject({ status: 'ROLLBACK_COMPLETE', succeeded: false });
  expect(result.reason).toMatch(
    /Ana: Received response status \[FAILED\] from custom resource\. Message returned: asked to fail \(RequestId: [0-9a-f-]{36}\)/,
  );
  expect(embedded.seen()[1]).toMatchObject({ RequestType: 'Delete', PhysicalResourceId: 'ana-1' });
});

test.each([
  ['of more than 4096 bytes', { Padding: 4096 }, 'Response object is too long.'],
  ['for another stack', { Answer: { StackId: 'another' } }, "Value another at 'StackId' does not match"],
  ['for another request', { Answer: { RequestId: 'another' } }, "Value another at 'RequestId' does not match"],
  ['for another resource', { Answer: { LogicalResourceId: 'Ben' } }, "Value Ben at 'LogicalResourceId' does not"],
  ['with an unknown status', { Answer: { Status: 'DONE' } }, "Value DONE at 'Status' must be SUCCESS or FAILED"],
  ['without a physical id', { PhysicalId: '' }, 'Invalid PhysicalResourceId'],
  ['with a physical id over 1 KB', { PhysicalId: 'x'.repeat(1025) }, 'Invalid PhysicalResourceId'],
])('an answer %s fails the resource', async (_, properties, reason) => {
  const result = await embedded.deploy((stack) => stack.custom('Ana', properties));
  expect(result.reason).toContain(reason);
});

test('an attribute that the answer lacks fails what reads it', async () => {
  const result = await embedded.deploy((stack) => {
    const ana = stack.custom('Ana');
    stack.custom('Ben', { Url: ana.getAttString('Url') });
  });
  expect(result.status).toBe('ROLLBACK_COMPLETE');
  expect(result.reason).toMatch(/^Ben: .*Vendor response doesn't contain Url key in object arn:aws:cloudformation:/);
  expect(embedded.calls()).toEqual(['Create Ana', 'Delete Ana']);
});

test('characters beyond ASCII come back as question marks in a physical id', async () => {
  const result = await embedded.deploy((stack) => {
    new CfnOutput(stack, 'Id', { value: stack.custom('Ana', { PhysicalId: 'anä' }).ref });
  });
  expect(result.outputs).toEqual({ Id: 'an?' });
});

test('without an answer the resource fails at its service time-out', async () => {
  await embedded.stop();
  embedded = new Embedded({ accidents: { serviceTimeoutScale: 1 / 1000 } });
  const result = await embedded.deploy((stack) => stack.custom('Ana', { Silent: 'Create', ServiceTimeout: '1000' }));
  expect(result.reason).toContain('CloudFormation did not receive a response from your Custom Resource');
  expect(embedded.calls()).toEqual(['Create Ana', 'Delete Ana']);
  const [, deletion] = embedded.seen();
  expect(deletion?.PhysicalResourceId).toMatch(/^Test-Ana-[A-Z0-9]{12}$/);
});

test('a repeated event does not change the answer that came first', async () => {
  await embedded.stop();
  embedded = new Embedded({ accidents: { delivery: () => ({ repeatAfterMs: 5 }) } });
  const result = await embedded.deploy((stack) => {
    const ana = stack.custom('Ana');
    stack.custom('Ben', { Ana: ana.ref, WaitFor: '"ended":"Create Ana"' });
  });
  expect(result.succeeded).toBe(true);
  while (embedded.calls().filter((call) => call === 'Create Ana').length < 2) await embedded.ended('Create Ana');
});

test('a service token can never change, and the roll-back of the attempt calls nothing', async () => {
  const build = (token: (functions: readonly [lambda.Function, lambda.Function]) => string) =>
    embedded.deploy((stack) => {
      const other = new lambda.Function(stack, 'Other', {
        code: lambda.Code.fromInline('exports.handler = async () => {}'),
        handler: 'index.handler',
        runtime: lambda.Runtime.NODEJS_22_X,
      });
      new CustomResource(stack, 'Ana', { serviceToken: token([stack.handler, other]) });
    });
  await build(([own]) => own.functionArn);
  embedded.forget();
  const result = await build(([, other]) => other.functionArn);
  expect(result).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', succeeded: false });
  expect(result.reason).toContain('Modifying service token is not allowed.');
  expect(embedded.seen()).toEqual([]);
});

describe('the response URL', () => {
  const endpoint = new ResponseEndpoint();
  afterAll(() => endpoint.stop());
  const request = { StackId: 'arn:stack', RequestId: 'r-1', LogicalResourceId: 'Ana' };
  const good = JSON.stringify({ ...request, Status: 'SUCCESS', PhysicalResourceId: 'ana' });
  const put = (url: string, headers: Record<string, string>, body: RequestInit['body'] = good) =>
    fetch(url, { method: 'PUT', body, headers, ...(typeof body === 'string' ? {} : { duplex: 'half' }) });

  test('takes the first good PUT and ignores a second', async () => {
    const { responseUrl, answer } = await endpoint.expect(request);
    expect((await put(responseUrl, { 'content-type': '' })).status).toBe(200);
    expect((await put(responseUrl, { 'content-type': '' }, good.replace('"ana"', '"ben"'))).status).toBe(200);
    await expect(answer).resolves.toMatchObject({ PhysicalResourceId: 'ana' });
  });

  test('refuses a content type, as it is not what was signed', async () => {
    const { responseUrl } = await endpoint.expect(request);
    const response = await put(responseUrl, { 'content-type': 'application/json' });
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining('SignatureDoesNotMatch')]);
  });

  test('refuses a body without a length', async () => {
    const { responseUrl } = await endpoint.expect(request);
    const response = await put(responseUrl, { 'content-type': '' }, new Blob([good]).stream());
    expect([response.status, await response.text()]).toEqual([411, expect.stringContaining('MissingContentLength')]);
  });

  test('refuses an unknown URL', async () => {
    const { responseUrl } = await endpoint.expect(request);
    expect((await put(`${responseUrl}0`, { 'content-type': '' })).status).toBe(403);
  });
});
