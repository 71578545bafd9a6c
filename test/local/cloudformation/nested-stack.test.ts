import { CfnOutput, CfnWaitConditionHandle, NestedStack } from 'aws-cdk-lib';
import { Embedded, type TestStack } from './embedded-stack';

let embedded: Embedded;
beforeEach(() => (embedded = new Embedded()));
afterEach(() => embedded.stop());

interface Inner {
  readonly [name: string]: Record<string, unknown>;
}

/** One nested stack with these custom resources, all behind the root's function. */
function nest(stack: TestStack, name: string, resources: Inner): NestedStack {
  const nested = new NestedStack(stack, name);
  for (const [id, properties] of Object.entries(resources)) stack.custom(id, properties, nested);
  return nested;
}

const state = (name: string) => embedded.engine.stacks().find(({ stackName }) => stackName.startsWith(`Test-${name}`));
const rootStatusAt = new Map<string, string>();

test('a nested stack gets its parameters, hands out its outputs and knows its root', async () => {
  const result = await embedded.deploy((stack) => {
    const nested = new NestedStack(stack, 'Shard');
    const ana = stack.custom('Ana', { Root: stack.stackId }, nested);
    new CfnOutput(stack, 'Name', { value: ana.getAttString('Name') });
  });
  expect(result).toMatchObject({ status: 'CREATE_COMPLETE', outputs: { Name: 'Ana' } });
  expect(embedded.seen()[0]?.ResourceProperties.Root).toBe(result.stackId);
  expect(state('Shard')).toMatchObject({ status: 'CREATE_COMPLETE', parentId: result.stackId, rootId: result.stackId });
  expect(embedded.seen()[0]?.StackId).toBe(state('Shard')?.stackId);
});

test('a change in one nested stack leaves the others alone', async () => {
  const build = (role: string) => (stack: TestStack) => {
    nest(stack, 'One', { Ana: { Role: role } });
    nest(stack, 'Two', { Ben: {} });
  };
  await embedded.deploy(build('READER'));
  embedded.forget();
  expect(await embedded.deploy(build('AUTHOR'))).toMatchObject({ status: 'UPDATE_COMPLETE' });
  expect(embedded.calls()).toEqual(['Update Ana']);
  expect([state('One')?.status, state('Two')?.status]).toEqual(['UPDATE_COMPLETE', 'CREATE_COMPLETE']);
});

test('nested stacks clean up only when the whole tree is updated', async () => {
  await embedded.deploy((stack) => nest(stack, 'One', { Ana: {}, Ben: {} }));
  embedded.forget();
  await embedded.deploy((stack) => {
    const nested = nest(stack, 'One', { Ben: {} });
    stack.custom('Last').node.addDependency(nested);
  });
  expect(embedded.calls()).toEqual(['Create Last', 'Delete Ana']);
  const order = embedded.events.map(({ logicalId, status }) => `${logicalId} ${status}`);
  expect(order.indexOf('Test UPDATE_COMPLETE_CLEANUP_IN_PROGRESS')).toBeLessThan(
    order.indexOf('Ana DELETE_IN_PROGRESS'),
  );
});

test('a resource that moves between nested stacks is created before it is deleted', async () => {
  await embedded.deploy((stack) => [nest(stack, 'One', { Ana: {} }), nest(stack, 'Two', { Ben: {} })]);
  embedded.forget();
  await embedded.deploy((stack) => [nest(stack, 'One', { Cid: {} }), nest(stack, 'Two', { Ben: {}, Ana: {} })]);
  const calls = embedded.calls();
  expect(calls.at(-1)).toBe('Delete Ana');
  expect(calls).toContain('Create Ana');
});

test('a failure in the root rolls an updated nested stack back, and it stands in ROLLBACK while it does', async () => {
  await embedded.stop();
  embedded = new Embedded({
    onEvent: ({ stackId, stackName, logicalId, status }) => {
      if (logicalId === 'Ana')
        rootStatusAt.set(`${stackName} ${status}`, embedded.engine.describeStack(stackId)!.status);
      embedded.events.push({ stackId, stackName, logicalId, status, type: '', timestamp: new Date() });
    },
  });
  await embedded.deploy((stack) => nest(stack, 'One', { Ana: { Role: 'READER' } }));
  embedded.forget();
  const result = await embedded.deploy((stack) => {
    const nested = nest(stack, 'One', { Ana: { Role: 'AUTHOR' }, Ben: {} });
    stack.custom('Breaker', { FailOn: 'Create' }).node.addDependency(nested);
  });
  expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  const calls = embedded.calls();
  expect(calls.slice(0, 2).sort()).toEqual(['Create Ben', 'Update Ana']);
  expect(calls.slice(2)).toEqual(['Create Breaker', 'Update Ana', 'Delete Ben', 'Delete Breaker']);
  const one = state('One')!;
  expect(one.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(rootStatusAt.get(`${one.stackName} UPDATE_COMPLETE`)).toBe('UPDATE_ROLLBACK_IN_PROGRESS');
});

test('a failure in one nested stack cancels and rolls back the others, and the reason names the resource', async () => {
  await embedded.deploy((stack) => [nest(stack, 'One', { Ana: {} }), nest(stack, 'Two', { Ben: {} })]);
  embedded.forget();
  const result = await embedded.deploy((stack) => [
    nest(stack, 'One', { Ana: {}, Slow: { WaitFor: '"ended":"Delete Slow"' } }),
    nest(stack, 'Two', { Ben: {}, Breaker: { FailOn: 'Create', WaitFor: '"LogicalResourceId":"Slow"' } }),
  ]);
  expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(result.reason).toMatch(
    /Embedded stack arn:\S+ was not successfully updated\. .*The following resource\(s\) failed to create: \[Breaker\]\./,
  );
  expect(embedded.calls().sort()).toEqual(['Create Breaker', 'Create Slow', 'Delete Breaker', 'Delete Slow']);
  expect([state('One')?.status, state('Two')?.status]).toEqual([
    'UPDATE_ROLLBACK_COMPLETE',
    'UPDATE_ROLLBACK_COMPLETE',
  ]);
  await embedded.ended('Create Slow');
});

test('a nested stack that cannot be created goes with the roll-back, and one that goes takes its resources along', async () => {
  const failed = await embedded.deploy((stack) => nest(stack, 'One', { Ana: {}, Breaker: { FailOn: 'Create' } }));
  expect(failed).toMatchObject({ status: 'ROLLBACK_COMPLETE' });
  expect(failed.reason).toMatch(/Embedded stack arn:\S+ was not successfully created/);
  expect(embedded.engine.stacks().map(({ stackName }) => stackName)).toEqual(['Test']);
  await embedded.deploy((stack) => nest(stack, 'One', { Ben: {} }));
  embedded.forget();
  await embedded.deploy(() => undefined);
  expect(embedded.calls()).toEqual(['Delete Ben']);
  expect(embedded.engine.stacks()).toHaveLength(1);
});

test('what a nested template holds that cannot be deployed is named before anything is created', async () => {
  const attempt = embedded.deploy((stack) => {
    const nested = nest(stack, 'One', { Ana: {} });
    new CfnOutput(nested, 'Odd', { value: { 'Fn::Odd': [] } as unknown as string });
  });
  await expect(attempt).rejects.toThrow(
    /stack Test\/One\S+ cannot be deployed here:\n {2}the function Fn::Odd in outputs/,
  );
  expect(embedded.events).toEqual([]);
});

test('no more than 2500 resources are worked on at once, with those of nested stacks', async () => {
  const deploy = (stacks: number) =>
    embedded.deploy((stack) => {
      for (let number = 1; number <= stacks; number++) {
        const nested = new NestedStack(stack, `Nested${number}`);
        for (let index = 0; index < 420; index++) new CfnWaitConditionHandle(nested, `Handle${index}`);
      }
    });
  const limit =
    /Limit on the number of resources in a single stack operation exceeded: 25\d\d with those of nested stacks/;
  await expect(deploy(6)).rejects.toThrow(limit);
  expect(embedded.events).toEqual([]);
  expect(await deploy(3)).toMatchObject({ succeeded: true });
  expect(await deploy(6)).toMatchObject({ succeeded: true });
  await expect(embedded.engine.destroy('Test')).rejects.toThrow(limit);
  expect(await deploy(3)).toMatchObject({ succeeded: true });
  expect(await embedded.engine.destroy('Test')).toMatchObject({ succeeded: true });
}, 60_000);
