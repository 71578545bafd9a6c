import { RemovalPolicy, type CfnResource, type CustomResource } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { CustomResourceEvent } from '../../../local/cloudformation/resources/custom-resource';
import { Embedded, type TestStack } from './embedded-stack';

let embedded: Embedded;
beforeEach(() => (embedded = new Embedded()));
afterEach(() => embedded.stop());

/** Waits for the others, then fails to be created. */
function addBreaker(stack: TestStack, ...after: CustomResource[]): void {
  stack.custom('Breaker', { FailOn: 'Create' }).node.addDependency(...after);
}

test('a failed creation deletes what it made, and the next deployment starts from nothing', async () => {
  const failed = await embedded.deploy((stack) => addBreaker(stack, stack.custom('Ana')));
  expect(failed.status).toBe('ROLLBACK_COMPLETE');
  expect(failed.reason).toContain('The following resource(s) failed to create: [Breaker].');
  expect(embedded.calls()).toEqual(['Create Ana', 'Create Breaker', 'Delete Breaker', 'Delete Ana']);
  expect(embedded.statuses('Test')).toEqual(['CREATE_IN_PROGRESS', 'ROLLBACK_IN_PROGRESS', 'ROLLBACK_COMPLETE']);
  embedded.forget();
  const next = await embedded.deploy((stack) => stack.custom('Ana'));
  expect(next.status).toBe('CREATE_COMPLETE');
  expect(next.stackId).not.toBe(failed.stackId);
  expect(embedded.statuses('Test').slice(0, 2)).toEqual(['DELETE_IN_PROGRESS', 'DELETE_COMPLETE']);
});

test('a Delete that fails in the roll-back of a creation leaves ROLLBACK_FAILED, and the next deployment tries again', async () => {
  const build = (stack: TestStack) => addBreaker(stack, stack.custom('Ana'));
  embedded.engine.failNext({ logicalId: 'Ana', action: 'delete' });
  expect(await embedded.deploy(build)).toMatchObject({ status: 'ROLLBACK_FAILED' });
  embedded.forget();
  expect(await embedded.deploy((stack) => stack.custom('Ben'))).toMatchObject({ status: 'CREATE_COMPLETE' });
  expect(embedded.calls()).toEqual(['Delete Ana', 'Create Ben']);
});

test('Retain outlives a failed creation, RetainExceptOnCreate does not', async () => {
  await embedded.deploy((stack) => {
    const [ana, ben] = [stack.custom('Ana'), stack.custom('Ben')];
    (ana.node.defaultChild as CfnResource).applyRemovalPolicy(RemovalPolicy.RETAIN);
    (ben.node.defaultChild as CfnResource).applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    addBreaker(stack, ana, ben);
  });
  expect(embedded.calls().slice(-2)).toEqual(['Delete Breaker', 'Delete Ben']);
});

test('a failed update sends the swapped properties, and deletes in the clean-up what it made', async () => {
  await embedded.deploy((stack) => stack.custom('Ana', { Role: 'READER' }));
  embedded.forget();
  const result = await embedded.deploy((stack) => {
    addBreaker(stack, stack.custom('Ana', { Role: 'AUTHOR' }), stack.custom('Ben'));
  });
  expect(result).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', succeeded: false });
  const calls = embedded.calls();
  expect(calls.slice(0, 2).sort()).toEqual(['Create Ben', 'Update Ana']);
  expect(calls.slice(2)).toEqual(['Create Breaker', 'Update Ana', 'Delete Breaker', 'Delete Ben']);
  expect(embedded.seen()[3]).toMatchObject({
    ResourceProperties: { Role: 'READER' },
    OldResourceProperties: { Role: 'AUTHOR' },
  });
  expect(embedded.statuses('Test')).toEqual([
    'UPDATE_IN_PROGRESS',
    'UPDATE_ROLLBACK_IN_PROGRESS',
    'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
    'UPDATE_ROLLBACK_COMPLETE',
  ]);
});

test('the resource whose update failed is rolled back too, with the id that it had', async () => {
  await embedded.deploy((stack) => stack.custom('Ana', { Role: 'READER' }));
  embedded.forget();
  await embedded.deploy((stack) => stack.custom('Ana', { Role: 'AUTHOR', FailOn: 'Update' }));
  expect(embedded.calls()).toEqual(['Update Ana', 'Update Ana']);
  expect(embedded.seen()[1]).toMatchObject({
    PhysicalResourceId: 'Ana',
    ResourceProperties: { Role: 'READER' },
    OldResourceProperties: { Role: 'AUTHOR' },
  });
});

test('a replacement is rolled back by an Update of the new id and its Delete; the old id lives on', async () => {
  await embedded.deploy((stack) => stack.custom('Ana', { PhysicalId: 'old' }));
  embedded.forget();
  const result = await embedded.deploy((stack) => addBreaker(stack, stack.custom('Ana', { PhysicalId: 'new' })));
  expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  const events = embedded.seen().filter(({ LogicalResourceId }) => LogicalResourceId === 'Ana');
  expect(events.map(({ RequestType, PhysicalResourceId }) => `${RequestType} ${PhysicalResourceId}`)).toEqual([
    'Update old',
    'Update new',
    'Delete new',
  ]);
  expect(embedded.engine.describeStack('Test')?.resources.Ana?.physicalId).toBe('old');
  expect(embedded.engine.describeStack('Test')?.superseded).toEqual([]);
});

test('an update that cannot be rolled back leaves UPDATE_ROLLBACK_FAILED; the next deployment rolls back first', async () => {
  await embedded.deploy((stack) => stack.custom('Ana', { Role: 'READER', FailOn: 'Update' }));
  const stuck = await embedded.deploy((stack) => addBreaker(stack, stack.custom('Ana', { Role: 'AUTHOR' })));
  expect(stuck.status).toBe('UPDATE_ROLLBACK_FAILED');
  embedded.forget();
  const again = await embedded.deploy((stack) => stack.custom('Ana', { Role: 'ADMIN' }));
  expect(again).toMatchObject({ status: 'UPDATE_ROLLBACK_FAILED', succeeded: false });
  expect(embedded.calls()).toEqual(['Update Ana']);
});

test('a failure cancels Creates in flight, whose Deletes come with invented ids while they still run', async () => {
  const result = await embedded.deploy((stack) => {
    stack.custom('Slow', { WaitFor: '"ended":"Delete Slow"' });
    stack.custom('Breaker', { FailOn: 'Create', WaitFor: '"LogicalResourceId":"Slow"' });
  });
  expect(result).toMatchObject({ status: 'ROLLBACK_COMPLETE' });
  expect(result.reason).toContain('Slow: Resource creation cancelled');
  const deletion = embedded.seen().find((e) => e.RequestType === 'Delete' && e.LogicalResourceId === 'Slow');
  expect(deletion?.PhysicalResourceId).toMatch(/^Test-Slow-[A-Z0-9]{12}$/);
  // It waits for its own Delete, so it ends at all only because that came first.
  await embedded.ended('Create Slow');
});

test('a cancelled Create can be awaited before its Delete', async () => {
  await embedded.stop();
  embedded = new Embedded({ accidents: { awaitCancelled: true } });
  await embedded.deploy((stack) => {
    stack.custom('Slow', { WaitFor: '"ended":"Create Breaker"' });
    stack.custom('Breaker', { FailOn: 'Create', WaitFor: '"LogicalResourceId":"Slow"' });
  });
  const journal = embedded.journal();
  const end = journal.findIndex(({ ended }) => ended === 'Create Slow');
  const deletion = journal.findIndex((e) => e.RequestType === 'Delete' && e.LogicalResourceId === 'Slow');
  expect(end).toBeGreaterThan(0);
  expect(end).toBeLessThan(deletion);
});

test('a Create delivered late runs after its own Delete', async () => {
  await embedded.stop();
  const isLate = ({ LogicalResourceId, RequestType }: CustomResourceEvent) =>
    LogicalResourceId === 'Late' && RequestType === 'Create';
  embedded = new Embedded({
    accidents: { delivery: (event) => (isLate(event) ? { after: embedded.ended('Delete Late') } : undefined) },
  });
  // An update, as the roll-back of a creation takes the function along.
  await embedded.deploy(() => undefined);
  await embedded.deploy((stack) => {
    stack.custom('Late');
    stack.custom('Breaker', { FailOn: 'Create' });
  });
  await embedded.ended('Create Late');
  expect(embedded.calls().filter((call) => call.endsWith('Late'))).toEqual(['Delete Late', 'Create Late']);
});

test('a renamed role comes back under its old name and with its old id', async () => {
  const build = (roleName: string, breaks: boolean) =>
    embedded.deploy((stack) => {
      const role = new iam.Role(stack, 'Team', {
        roleName,
        assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      });
      if (breaks) stack.custom('Breaker', { FailOn: 'Create', Role: role.roleName });
    });
  await build('before', false);
  const id = embedded.engine.iam.get('role', 'before').id;
  await build('after', true);
  expect(embedded.engine.iam.get('role', 'before').id).toBe(id);
  expect(embedded.engine.iam.find('role', 'after')).toBeUndefined();
  await build('after', false);
  expect(embedded.engine.iam.find('role', 'before')).toBeUndefined();
  expect(embedded.engine.iam.get('role', 'after').id).not.toBe(id);
});

test('an ordered fault fails a resource after it is done, and its Delete has the real id', async () => {
  embedded.engine.failNext({ logicalId: 'Ana', action: 'create', when: 'after' });
  const result = await embedded.deploy((stack) => stack.custom('Ana'));
  expect(result.reason).toContain('this create of Ana was ordered to fail');
  expect(embedded.seen().map((event) => event.PhysicalResourceId)).toEqual([undefined, 'Ana']);
});
