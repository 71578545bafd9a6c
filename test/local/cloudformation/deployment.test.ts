import { App, Aws, CfnCondition, CfnOutput, CfnParameter, CfnResource, Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { ACCOUNT, Embedded, TestStack } from './embedded-stack';

let embedded: Embedded;
beforeEach(() => (embedded = new Embedded()));
afterEach(() => embedded.stop());

test('a function and a custom resource deploy, and outputs show what the function answered', async () => {
  const result = await embedded.deploy((stack) => {
    const ana = stack.custom('Ana', { Email: 'ana@example.com', Active: true, Count: 3, Data: { Greeting: 'hello' } });
    new CfnOutput(stack, 'Greeting', { value: ana.getAttString('Greeting') });
    new CfnOutput(stack, 'Id', { value: ana.ref });
  });
  expect(result).toMatchObject({ status: 'CREATE_COMPLETE', succeeded: true, changed: true });
  expect(result.outputs).toEqual({ Greeting: 'hello', Id: 'Ana' });
  expect(result.stackId).toMatch(/^arn:aws:cloudformation:us-east-1:111122223333:stack\/Test\/[0-9a-f-]{36}$/);
  const [event] = embedded.seen();
  expect(event).toMatchObject({ RequestType: 'Create', StackId: result.stackId, ResourceType: 'Custom::Thing' });
  // Scalars arrive as strings, and the service token is among the properties.
  expect(event?.ResourceProperties).toMatchObject({ Active: 'true', Count: '3', ServiceToken: event?.ServiceToken });
  expect(embedded.statuses('Ana')).toEqual(['CREATE_IN_PROGRESS', 'CREATE_COMPLETE']);
  expect(embedded.statuses('Test')).toEqual(['CREATE_IN_PROGRESS', 'CREATE_COMPLETE']);
});

test('a second deployment without an edit changes nothing and calls nothing', async () => {
  const build = (stack: TestStack) => void stack.custom('Ana');
  await embedded.deploy(build);
  embedded.forget();
  expect(await embedded.deploy(build)).toMatchObject({ changed: false, succeeded: true, status: 'CREATE_COMPLETE' });
  expect(embedded.seen()).toEqual([]);
  expect(embedded.events).toEqual([]);
});

test('only what changed is updated, with its old properties', async () => {
  await embedded.deploy((stack) => [stack.custom('Ana', { Role: 'READER' }), stack.custom('Ben')]);
  embedded.forget();
  const result = await embedded.deploy((stack) => [stack.custom('Ana', { Role: 'AUTHOR' }), stack.custom('Ben')]);
  expect(result.status).toBe('UPDATE_COMPLETE');
  expect(embedded.calls()).toEqual(['Update Ana']);
  expect(embedded.seen()[0]).toMatchObject({
    PhysicalResourceId: 'Ana',
    ResourceProperties: { Role: 'AUTHOR' },
    OldResourceProperties: { Role: 'READER' },
  });
  expect(embedded.statuses('Test')).toEqual([
    'UPDATE_IN_PROGRESS',
    'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    'UPDATE_COMPLETE',
  ]);
});

test('resources are made after what they refer to and depend on, and deleted before it', async () => {
  await embedded.deploy((stack) => {
    const first = stack.custom('First');
    const second = stack.custom('Second', { From: first.ref });
    stack.custom('Third').node.addDependency(second);
  });
  expect(embedded.calls()).toEqual(['Create First', 'Create Second', 'Create Third']);
  embedded.forget();
  expect(await embedded.engine.destroy('Test')).toMatchObject({ succeeded: true, status: 'DELETE_COMPLETE' });
  expect(embedded.calls()).toEqual(['Delete Third', 'Delete Second', 'Delete First']);
  expect(embedded.engine.stacks()).toEqual([]);
});

test('conditions leave resources, properties and outputs out, and a changed parameter brings them back', async () => {
  const build = (stack: TestStack) => {
    const stage = new CfnParameter(stack, 'Stage', { default: 'dev', allowedValues: ['dev', 'prod'] });
    const isProd = new CfnCondition(stack, 'IsProd', { expression: Fn.conditionEquals(stage.valueAsString, 'prod') });
    const ana = stack.custom('Ana', { Note: Fn.conditionIf('IsProd', 'live', Aws.NO_VALUE) });
    const ben = stack.custom('Ben', { Ana: ana.ref });
    (ben.node.defaultChild as CfnResource).cfnOptions.condition = isProd;
    new CfnOutput(stack, 'BenId', { value: ben.ref, condition: isProd });
  };
  const dev = await embedded.deploy(build);
  expect(dev.outputs).toEqual({});
  expect(embedded.seen()[0]?.ResourceProperties).not.toHaveProperty('Note');
  const prod = await embedded.deploy(build, { Stage: 'prod' });
  expect(prod.outputs).toEqual({ BenId: 'Ben' });
  expect(embedded.calls()).toEqual(['Create Ana', 'Update Ana', 'Create Ben']);
  // Once passed, a parameter keeps its value.
  expect(await embedded.deploy(build)).toMatchObject({ changed: false });
  await expect(embedded.deploy(build, { Stage: 'test' })).rejects.toThrow('Stage is test: it must be one of dev, prod');
});

test('SSM parameters of stacks can be read, and the bootstrap version is never looked up', async () => {
  const result = await embedded.deploy((stack) => {
    const parameter = new ssm.StringParameter(stack, 'Parameter', {
      parameterName: '/users/region',
      stringValue: 'eu-west-1',
    });
    new CfnOutput(stack, 'Value', { value: parameter.stringValue });
  });
  expect(result.outputs).toEqual({ Value: 'eu-west-1' });
  const reader = embedded.synth((app) => {
    const stack = new Stack(app, 'Reader');
    new CfnResource(stack, 'Handle', { type: 'AWS::CloudFormation::WaitConditionHandle' });
    new CfnOutput(stack, 'Read', { value: ssm.StringParameter.valueForStringParameter(stack, '/users/region') });
  });
  expect((await embedded.engine.deploy(reader))[0]?.outputs).toEqual({ Read: 'eu-west-1' });
});

test('every unknown type, property and function is named before anything is created', async () => {
  const attempt = embedded.deploy((stack) => {
    new CfnResource(stack, 'Queue', { type: 'AWS::SQS::Queue' });
    new CfnResource(stack, 'Log2', { type: 'AWS::Logs::LogGroup', properties: { Colour: 'red' } });
    stack.custom('Ana', { Range: Fn.cidr('10.0.0.0/16', 2), Missing: { Ref: 'Nobody' } });
  });
  await expect(attempt).rejects.toThrow(/resource Queue has type AWS::SQS::Queue/);
  await expect(attempt).rejects.toThrow(/property Colour of resource Log2 \(AWS::Logs::LogGroup\)/);
  await expect(attempt).rejects.toThrow(/function Fn::Cidr in resource Ana/);
  await expect(attempt).rejects.toThrow(/unresolved dependency \[Nobody\] in resource Ana/);
  expect(embedded.events).toEqual([]);
});

test('a template with a circular dependency is refused with the circle', async () => {
  await expect(
    embedded.deploy((stack) => stack.custom('Ana', { Next: stack.custom('Ben', { Next: { Ref: 'Ana' } }).ref })),
  ).rejects.toThrow('circular dependency between resources: [Ben, Ana]');
});

test('a stack imports what another exports, which then can neither change nor go', async () => {
  const apps = (id: string) =>
    embedded.synth((app) => {
      const producer = new TestStack(app, 'Producer', embedded);
      const ana = producer.custom('Ana', { PhysicalId: id });
      const consumer = new Stack(app, 'Consumer');
      const parameter = new ssm.StringParameter(consumer, 'Parameter', { stringValue: ana.ref });
      new CfnOutput(consumer, 'Imported', { value: parameter.stringValue });
    });
  const [producer, consumer] = await embedded.engine.deploy(apps('first'));
  expect([producer?.stackName, consumer?.outputs]).toEqual(['Producer', { Imported: 'first' }]);
  await expect(embedded.engine.destroy('Producer')).rejects.toThrow('exports that Consumer imports');
  const [changed] = await embedded.engine.deploy(apps('second'));
  expect(changed).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE' });
  expect(changed?.reason).toContain('cannot be updated as it is in use by Consumer');
});

test.each([
  ['stack', 'Nobody', 'Id', 'No stack named Nobody found in us-east-1.'],
  ['output', 'Producer', 'Name', 'No output named Name found in stack Producer.'],
])('a stack that reads a missing %s of another fails with its name', async (_, stackName, outputName, reason) => {
  const directory = embedded.synth((app) => {
    const producer = new TestStack(app, 'Producer', embedded);
    new CfnOutput(producer, 'Id', { value: producer.custom('Ana').ref });
    const consumer = new Stack(app, 'Consumer');
    consumer.addStackDependency(producer);
    new ssm.StringParameter(consumer, 'Parameter', { stringValue: Fn.getStackOutput(stackName, outputName) });
  });
  const [, consumer] = await embedded.engine.deploy(directory);
  expect(consumer).toMatchObject({ status: 'ROLLBACK_COMPLETE', reason: expect.stringContaining(reason) });
});

test('an export must not be empty', async () => {
  const result = await embedded.deploy((stack) => {
    const ana = stack.custom('Ana', { Data: { Url: '' } });
    new CfnOutput(stack, 'Url', { value: ana.getAttString('Url'), exportName: 'url' });
  });
  expect(result.status).toBe('ROLLBACK_COMPLETE');
  expect(result.reason).toContain('Cannot export output Url. Exported values must not be empty');
});

test('a stack for another account is refused, and one for another region runs there', async () => {
  const build = (account: string) =>
    embedded.synth((app: App) => {
      const stack = new TestStack(app, 'There', embedded, { env: { account, region: 'eu-central-1' } });
      stack.custom('Ana', { Region: Aws.REGION });
    });
  await expect(embedded.engine.deploy(build('444455556666'))).rejects.toThrow('belongs to account 444455556666');
  const [result] = await embedded.engine.deploy(build(ACCOUNT));
  expect(result?.stackId).toContain(':eu-central-1:');
  expect(embedded.seen()[0]).toMatchObject({ ResourceProperties: { Region: 'eu-central-1' } });
  expect(embedded.seen()[0]?.ServiceToken).toContain(':lambda:eu-central-1:');
});

test('a retained resource gets no Delete', async () => {
  await embedded.deploy((stack) => {
    (stack.custom('Ana').node.defaultChild as CfnResource).applyRemovalPolicy(RemovalPolicy.RETAIN);
    stack.custom('Ben');
  });
  embedded.forget();
  await embedded.deploy(() => undefined);
  expect(embedded.calls()).toEqual(['Delete Ben']);
  expect(embedded.statuses('Ana')).toEqual(['DELETE_SKIPPED']);
});

test('a policy that a resource depends on is in force before its event', async () => {
  let denial: string | undefined = 'not asked';
  const onEvent = (event: { logicalId: string; status: string }) => {
    if (event.logicalId !== 'Ana' || event.status !== 'CREATE_IN_PROGRESS') return;
    const role = embedded.engine.stacks()[0]!.resources['FunctionServiceRole675BB04A']!;
    const { accessKeyId } = embedded.engine.iam.assumeRole(String(role.attributes.Arn), 'test');
    denial = embedded.engine.iam.authorize({ accessKeyId, action: 'quicksight:RegisterUser', resource: 'arn:x' });
  };
  await embedded.stop();
  embedded = new Embedded({ onEvent });
  const result = await embedded.deploy((stack) => {
    const ana = stack.custom('Ana');
    const grant = iam.Grant.addToPrincipal({
      grantee: stack.handler,
      actions: ['quicksight:RegisterUser'],
      resourceArns: ['*'],
    });
    grant.applyBefore(ana);
  });
  expect(result.reason).toBeUndefined();
  expect(denial).toBeUndefined();
});

/** Asks CloudFormation for a stack, with the credentials of the function's role. */
const DESCRIBE_STACKS = `
exports.handler = async ({ StackName }) => {
  const { AWS_ENDPOINT_URL_CLOUDFORMATION: url, AWS_ACCESS_KEY_ID: key, AWS_REGION: region } = process.env;
  const authorization = 'AWS4-HMAC-SHA256 Credential=' + key + '/20261123/' + region + '/cloudformation/aws4_request';
  const body = new URLSearchParams({ Action: 'DescribeStacks', Version: '2010-05-15', StackName });
  const response = await fetch(url, { method: 'POST', headers: { authorization }, body });
  return response.status + ' ' + (await response.text());
};`;

test('a function can describe the stack that it is in as far as its role allows, and its calls are recorded', async () => {
  const { outputs, stackId } = await embedded.deploy((stack) => {
    for (const id of ['Allowed', 'Denied']) {
      const describing = new lambda.Function(stack, id, {
        code: lambda.Code.fromInline(DESCRIBE_STACKS),
        handler: 'index.handler',
        runtime: lambda.Runtime.NODEJS_22_X,
      });
      new CfnOutput(stack, `${id}Arn`, { value: describing.functionArn });
      if (id === 'Denied') continue;
      describing.addToRolePolicy(
        new iam.PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [`${stack.stackId}`] }),
      );
    }
  });
  const ask = async (id: string, StackName = stackId) =>
    ((await embedded.engine.lambda.invoke(outputs[`${id}Arn`]!, { StackName })) as { result: string }).result;
  expect(await ask('Allowed')).toMatch(/^200 [^]*<StackStatus>CREATE_COMPLETE<\/StackStatus>/);
  expect(await ask('Allowed', 'Test')).toMatch(/^200 /);
  expect(await ask('Denied')).toMatch(/^403 [^]*<Code>AccessDenied<\/Code>/);
  expect(embedded.engine.stacksEndpoint.calls).toEqual([stackId, 'Test', stackId]);
});
