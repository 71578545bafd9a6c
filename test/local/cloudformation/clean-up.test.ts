import { CfnParameter, CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Embedded, type TestStack } from './embedded-stack';

let embedded: Embedded;
beforeEach(() => (embedded = new Embedded()));
afterEach(() => embedded.stop());

test('another physical id is a replacement: the old one is deleted in the clean-up, with the old properties', async () => {
  await embedded.deploy((stack) => stack.custom('Ana', { PhysicalId: 'old' }));
  embedded.forget();
  await embedded.deploy((stack) => {
    const ana = stack.custom('Ana', { PhysicalId: 'new' });
    stack.custom('Ben', { Ana: ana.ref });
  });
  expect(embedded.calls()).toEqual(['Update Ana', 'Create Ben', 'Delete Ana']);
  expect(embedded.seen()[1]?.ResourceProperties).toMatchObject({ Ana: 'new' });
  expect(embedded.seen()[2]).toMatchObject({ PhysicalResourceId: 'old', ResourceProperties: { PhysicalId: 'old' } });
  const order = embedded.events.map(({ logicalId, status }) => `${logicalId} ${status}`);
  expect(order.indexOf('Test UPDATE_COMPLETE_CLEANUP_IN_PROGRESS')).toBeLessThan(
    order.indexOf('Ana DELETE_IN_PROGRESS'),
  );
});

test('UpdateReplacePolicy keeps the old one', async () => {
  const build = (id: string) =>
    embedded.deploy((stack) => {
      const resource = stack.custom('Ana', { PhysicalId: id }).node.defaultChild as CfnResource;
      resource.applyRemovalPolicy(RemovalPolicy.RETAIN);
    });
  await build('old');
  await build('new');
  expect(embedded.calls()).toEqual(['Create Ana', 'Update Ana']);
  expect(embedded.statuses('Ana').at(-1)).toBe('DELETE_SKIPPED');
});

test('a clean-up Delete is tried three times, then the resource is abandoned and the update is still complete', async () => {
  await embedded.deploy((stack) => stack.custom('Ana', { FailOn: 'Delete' }));
  embedded.forget();
  const result = await embedded.deploy(() => undefined);
  expect(result).toMatchObject({ status: 'UPDATE_COMPLETE', succeeded: true });
  expect(embedded.calls()).toEqual(['Delete Ana', 'Delete Ana', 'Delete Ana']);
  expect(embedded.statuses('Ana').filter((status) => status === 'DELETE_FAILED')).toHaveLength(3);
  expect(embedded.engine.describeStack('Test')?.resources).not.toHaveProperty('Ana');
});

test('a Create that never answered is deleted under one invented id, however often that is tried', async () => {
  await embedded.stop();
  embedded = new Embedded({ accidents: { serviceTimeoutScale: 1 / 1000 } });
  await embedded.deploy(() => undefined);
  const result = await embedded.deploy((stack) => {
    stack.custom('Ana', { Silent: 'Create', FailOn: 'Delete', ServiceTimeout: '1000' });
  });
  expect(result).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE' });
  expect(embedded.calls()).toEqual(['Create Ana', 'Delete Ana', 'Delete Ana', 'Delete Ana']);
  const [, ...ids] = embedded.seen().map(({ PhysicalResourceId }) => PhysicalResourceId);
  expect(ids[0]).toMatch(/^Test-Ana-[A-Z0-9]{12}$/);
  expect(new Set(ids).size).toBe(1);
});

test('a policy is narrowed before the clean-up Deletes run', async () => {
  const allowed: (string | undefined)[] = [];
  await embedded.stop();
  embedded = new Embedded({
    onEvent: ({ logicalId, status }) => {
      if (logicalId !== 'Ana' || status !== 'DELETE_IN_PROGRESS') return;
      const role = embedded.engine.stacks()[0]!.resources['FunctionServiceRole675BB04A']!;
      const { accessKeyId } = embedded.engine.iam.assumeRole(String(role.attributes.Arn), 'test');
      allowed.push(embedded.engine.iam.authorize({ accessKeyId, action: 'quicksight:DeleteUser', resource: 'arn:x' }));
    },
  });
  const build = (action: string, withUser: boolean) =>
    embedded.deploy((stack) => {
      stack.handler.addToRolePolicy(new iam.PolicyStatement({ actions: [action], resources: ['*'] }));
      if (withUser) stack.custom('Ana');
    });
  await build('quicksight:*', true);
  await build('quicksight:DescribeUser', false);
  expect(allowed).toEqual([
    expect.stringContaining('because no identity-based policy allows the quicksight:DeleteUser'),
  ]);
});

test('resources that go are deleted before what they depended on', async () => {
  await embedded.deploy((stack) => {
    const ana = stack.custom('Ana');
    stack.custom('Ben', { Ana: ana.ref });
  });
  embedded.forget();
  await embedded.deploy(() => undefined);
  expect(embedded.calls()).toEqual(['Delete Ben', 'Delete Ana']);
});

test('a change of nothing but a deletion policy calls nothing, and holds from then on', async () => {
  const build = (policy: RemovalPolicy) => (stack: TestStack) =>
    (stack.custom('Ana').node.defaultChild as CfnResource).applyRemovalPolicy(policy);
  await embedded.deploy(build(RemovalPolicy.DESTROY));
  embedded.forget();
  expect(await embedded.deploy(build(RemovalPolicy.RETAIN))).toMatchObject({ status: 'UPDATE_COMPLETE' });
  await embedded.engine.destroy('Test');
  expect(embedded.seen()).toEqual([]);
});

test('a parameter with a new default keeps the deployed value', async () => {
  const build = (value: string) => (stack: TestStack) =>
    void stack.custom('Ana', { Stage: new CfnParameter(stack, 'Stage', { default: value }).valueAsString });
  await embedded.deploy(build('dev'));
  await embedded.deploy(build('prod'));
  expect(embedded.calls()).toEqual(['Create Ana']);
});

test('a Delete that fails leaves DELETE_FAILED and what it depends on, and can be repeated', async () => {
  await embedded.deploy((stack) => stack.custom('Ana'));
  embedded.engine.failNext({ logicalId: 'Ana', action: 'delete' });
  const failed = await embedded.engine.destroy('Test');
  expect(failed).toMatchObject({ status: 'DELETE_FAILED', succeeded: false });
  expect(Object.keys(embedded.engine.describeStack('Test')!.resources)).toContain('Function76856677');
  const blocked = await embedded.deploy((stack) => stack.custom('Ben'));
  expect(blocked).toMatchObject({ succeeded: false, reason: expect.stringContaining('destroy it first') });
  expect(await embedded.engine.destroy('Test')).toMatchObject({ status: 'DELETE_COMPLETE', succeeded: true });
  expect(embedded.engine.describeStack('Test')).toBeUndefined();
  expect(embedded.engine.describeStack(failed!.stackId)?.status).toBe('DELETE_COMPLETE');
});
