import { NestedStack, type Stack } from 'aws-cdk-lib';
import type { CustomResourceEvent } from '../../../local/cloudformation/resources/custom-resource';
import { Embedded, type TestStack } from './embedded-stack';

/*
 * What DescribeStacks says while an event is under way, from the event's stack up to the root: the handler's rules about
 * roll-backs and intended removals read nothing else.
 */

/** Each event with the statuses of its stack, the parent of that, and so on: `Delete Ana: DELETE < ROLLBACK`. */
let seen: string[] = [];
let embedded: Embedded;

beforeEach(() => {
  seen = [];
  embedded = new Embedded({
    accidents: {
      delivery: (event) =>
        void seen.push(`${event.RequestType} ${event.LogicalResourceId}: ${statuses(event.StackId)}`),
    },
  });
});
afterEach(() => embedded.stop());

const SHORT: Readonly<Record<string, string>> = {
  UPDATE_COMPLETE_CLEANUP: 'CLEANUP',
  UPDATE_ROLLBACK_COMPLETE_CLEANUP: 'ROLLBACK_CLEANUP',
};

function statuses(stackId: string): string {
  const chain: string[] = [];
  for (let id: string | undefined = stackId; id; id = embedded.engine.describeStack(id)?.parentId) {
    const status = embedded.engine.describeStack(id)!.status.replace('_IN_PROGRESS', '');
    chain.push(SHORT[status] ?? status);
  }
  return chain.join(' < ');
}

interface Level {
  readonly [name: string]: CustomResourceEvent['ResourceProperties'];
}

/** Deploys resources of the root, of a stack in it and of a stack in that; each level waits for the one below. */
function deploy(root: Level, middle?: Level, inner?: Level) {
  const fill = (stack: TestStack, scope: Stack, resources: Level, below?: NestedStack) => {
    for (const [name, properties] of Object.entries(resources)) {
      const resource = stack.custom(name, properties, scope);
      if (below) resource.node.addDependency(below);
    }
  };
  return embedded.deploy((stack) => {
    const middleStack = middle && new NestedStack(stack, 'Middle');
    const innerStack = inner && new NestedStack(middleStack!, 'Inner');
    if (innerStack) fill(stack, innerStack, inner);
    if (middleStack) fill(stack, middleStack, middle, innerStack);
    fill(stack, stack, root, middleStack);
  });
}

const FAILS = { FailOn: 'Create' };

test('a creation and a deletion show the same on every level', async () => {
  await deploy({ A: {} }, { B: {} }, { C: {} });
  expect(seen.splice(0)).toEqual([
    'Create C: CREATE < CREATE < CREATE',
    'Create B: CREATE < CREATE',
    'Create A: CREATE',
  ]);
  await embedded.engine.destroy('Test');
  expect(seen).toEqual(['Delete A: DELETE', 'Delete B: DELETE < DELETE', 'Delete C: DELETE < DELETE < DELETE']);
});

test.each([
  ['the innermost stack', {}, {}, { C: {}, Breaker: FAILS }],
  ['the stack in the middle', {}, { B: {}, Breaker: FAILS }, { C: {} }],
  ['the root', { Breaker: FAILS }, { B: {} }, { C: {} }],
])('a creation that fails in %s rolls back in the root, and deletes below it', async (_, root, middle, inner) => {
  expect(await deploy(root, middle, inner)).toMatchObject({ status: 'ROLLBACK_COMPLETE' });
  const deletes = seen.filter((event) => event.startsWith('Delete'));
  expect(deletes).toContain('Delete C: DELETE < DELETE < ROLLBACK');
  expect(deletes.every((event) => event.endsWith('ROLLBACK'))).toBe(true);
});

test('an update shows the clean-up on every level when the first old resource goes, innermost first', async () => {
  await deploy({ A: {}, OldA: {} }, { B: {}, OldB: {} }, { C: {}, OldC: {} });
  seen = [];
  await deploy({ A: { v: 1 } }, { B: { v: 1 } }, { C: { v: 1 } });
  expect(seen).toEqual([
    'Update C: UPDATE < UPDATE < UPDATE',
    'Update B: UPDATE < UPDATE',
    'Update A: UPDATE',
    'Delete OldC: CLEANUP < CLEANUP < CLEANUP',
    'Delete OldB: CLEANUP < CLEANUP',
    'Delete OldA: CLEANUP',
  ]);
});

test('a nested stack that goes is deleted in the clean-up of its root', async () => {
  await deploy({ A: {} }, { B: {} }, { C: {} });
  seen = [];
  await deploy({ A: {} }, { B: {} });
  expect(seen.splice(0)).toEqual(['Delete C: DELETE < CLEANUP < CLEANUP']);
  await deploy({ A: {} });
  expect(seen).toEqual(['Delete B: DELETE < CLEANUP']);
});

test.each([
  ['the innermost stack', {}, {}, { Breaker: FAILS }],
  ['the stack in the middle', {}, { Breaker: FAILS }, {}],
  ['the root', { Breaker: FAILS }, {}, {}],
])('an update that fails in %s rolls back and cleans up on every level that it reached', async (_, a, b, c) => {
  await deploy({ A: {} }, { B: {} }, { C: {} });
  seen = [];
  const result = await deploy({ A: { v: 1 }, ...a }, { B: { v: 1 }, ...b }, { C: { v: 1 }, NewC: {}, ...c });
  expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(seen.filter((event) => / C:| NewC:/.test(event))).toEqual([
    'Update C: UPDATE < UPDATE < UPDATE',
    'Create NewC: UPDATE < UPDATE < UPDATE',
    'Update C: UPDATE_ROLLBACK < UPDATE_ROLLBACK < UPDATE_ROLLBACK',
    'Delete NewC: ROLLBACK_CLEANUP < ROLLBACK_CLEANUP < ROLLBACK_CLEANUP',
  ]);
  expect(seen.every((event) => /: UPDATE|: ROLLBACK_CLEANUP/.test(event))).toBe(true);
});

test('a nested stack that an update made goes in the clean-up of its roll-back', async () => {
  await deploy({ A: {} });
  seen = [];
  await deploy({ A: {}, Breaker: FAILS }, { B: {} }, { C: {} });
  expect(seen.filter((event) => / [BC]:/.test(event))).toEqual([
    'Create C: CREATE < CREATE < UPDATE',
    'Create B: CREATE < UPDATE',
    'Delete B: DELETE < ROLLBACK_CLEANUP',
    'Delete C: DELETE < DELETE < ROLLBACK_CLEANUP',
  ]);
});

test('a nested stack whose update fails stands in its roll-back while its root still goes forward', async () => {
  let atFailure: string | undefined;
  await embedded.stop();
  embedded = new Embedded({
    onEvent: ({ stackId, logicalId, stackName, status }) => {
      if (logicalId === stackName && status === 'UPDATE_ROLLBACK_IN_PROGRESS') atFailure ??= statuses(stackId);
    },
  });
  await deploy({ A: {} }, { B: {} });
  const { reason } = await deploy({ A: {} }, { B: {}, Breaker: FAILS });
  expect(atFailure).toBe('UPDATE_ROLLBACK < UPDATE');
  expect(reason).toContain('was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: ');
});

test('the time of the last update is that of its beginning, and its roll-back and clean-up leave it alone', async () => {
  const times: (string | undefined)[] = [];
  const note = () => times.push(embedded.engine.describeStack('Test')?.lastUpdatedTime);
  await embedded.stop();
  embedded = new Embedded({ accidents: { delivery: () => void note() } });
  await deploy({ A: {}, Old: {} });
  expect(times.splice(0)).toEqual([undefined, undefined]);
  const before = new Date().toISOString();
  await deploy({ A: { v: 1 } });
  const update = embedded.engine.describeStack('Test')!.lastUpdatedTime!;
  expect(update >= before).toBe(true);
  expect(times.splice(0)).toEqual([update, update]);
  await deploy({ A: { v: 2 }, Breaker: FAILS });
  const failed = embedded.engine.describeStack('Test')!.lastUpdatedTime!;
  expect(failed > update).toBe(true);
  expect(times).toEqual(Array(4).fill(failed));
});
