import { readFileSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedCloudFormation } from '../../../local/cloudformation/embedded-cloudformation';
import { ACCOUNT, Embedded, type TestStack } from './embedded-stack';

let embedded: Embedded;
const build = (role: string) => (stack: TestStack) => void stack.custom('Ana', { Role: role });

beforeEach(() => (embedded = new Embedded({ stateFile: 'state/aws.json' })));
afterEach(() => embedded.stop());

test('stacks, functions and roles outlive the process', async () => {
  const first = await embedded.deploy(build('READER'));
  await embedded.restart();
  embedded.forget();
  expect(await embedded.deploy(build('READER'))).toMatchObject({ changed: false, stackId: first.stackId });
  expect(await embedded.deploy(build('AUTHOR'))).toMatchObject({ status: 'UPDATE_COMPLETE', stackId: first.stackId });
  expect(embedded.calls()).toEqual(['Update Ana']);
  expect(await embedded.engine.destroy('Test')).toMatchObject({ succeeded: true });
  await embedded.restart();
  expect(embedded.engine.stacks()).toEqual([]);
});

test('a creation that a dying process left half-way is deleted first, with invented ids where none are known', async () => {
  void embedded.deploy((stack) => stack.custom('Slow', { WaitFor: '"ended":"never"' }));
  while (embedded.calls().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await embedded.restart();
  embedded.forget();
  expect(await embedded.deploy(build('READER'))).toMatchObject({ status: 'CREATE_COMPLETE' });
  expect(embedded.calls()).toEqual(['Delete Slow', 'Create Ana']);
  expect(embedded.seen()[0]?.PhysicalResourceId).toMatch(/^Test-Slow-/);
});

test('an update that a dying process left half-way is rolled back before the next begins', async () => {
  await embedded.deploy(build('READER'));
  void embedded.deploy((stack) => {
    const ana = stack.custom('Ana', { Role: 'ADMIN' });
    stack.custom('Slow', { WaitFor: '"ended":"never"', Ana: ana.ref });
  });
  while (!embedded.calls().includes('Create Slow')) await new Promise((resolve) => setTimeout(resolve, 10));
  await embedded.restart();
  embedded.forget();
  expect(await embedded.deploy(build('AUTHOR'))).toMatchObject({ status: 'UPDATE_COMPLETE' });
  expect(embedded.calls()).toEqual(['Update Ana', 'Delete Slow', 'Update Ana']);
  expect(embedded.seen().map(({ ResourceProperties }) => ResourceProperties.Role)).toEqual([
    'READER',
    undefined,
    'AUTHOR',
  ]);
});

test('a deletion that a dying process left half-way is finished before the stack is made again', async () => {
  const first = await embedded.deploy(build('READER'));
  embedded.engine.describeStack('Test')!.status = 'DELETE_IN_PROGRESS';
  await embedded.restart();
  embedded.forget();
  const second = await embedded.deploy(build('READER'));
  expect(second).toMatchObject({ status: 'CREATE_COMPLETE' });
  expect(second.stackId).not.toBe(first.stackId);
  expect(embedded.calls()).toEqual(['Delete Ana', 'Create Ana']);
});

test('a state file that cannot be read is an error that says what to do', () => {
  const stateFile = path.join(embedded.folder, 'code', 'index.js');
  expect(readFileSync(stateFile, 'utf8')).not.toMatch(/^\{/);
  expect(() => new EmbeddedCloudFormation({ accountId: ACCOUNT, stateFile })).toThrow(
    `${stateFile} is no state of this embedded AWS: start over with npm start reset, or remove it`,
  );
});
