import { CfnOutput, Fn, Stack, Tags } from 'aws-cdk-lib';
import * as quicksight from 'aws-cdk-lib/aws-quicksight';
import { EmbeddedQuickSight } from '../../../local/quicksight';
import { ACCOUNT, Embedded, type TestStack } from './embedded-stack';

let quickSight: EmbeddedQuickSight;
let embedded: Embedded;

beforeEach(async () => {
  quickSight = await EmbeddedQuickSight.start();
  embedded = new Embedded({ lambda: { endpoints: { AWS_ENDPOINT_URL_QUICKSIGHT: quickSight.url } } });
});
afterEach(async () => {
  await embedded.stop();
  await quickSight.stop();
});

const group = (props: Partial<quicksight.CfnGroupProps> = {}) =>
  embedded.deploy((stack) => {
    const declared = new quicksight.CfnGroup(stack, 'Group', { groupName: 'analysts', namespace: 'default', ...props });
    new CfnOutput(stack, 'Ref', { value: declared.ref });
    new CfnOutput(stack, 'Arn', { value: declared.attrArn });
    new CfnOutput(stack, 'Principal', { value: declared.attrPrincipalId });
  });

test('a group is made, described anew and deleted; Ref is its ARN', async () => {
  const { outputs } = await group({ description: 'who analyses' });
  const [made] = quickSight.groups();
  expect(made).toMatchObject({ groupName: 'analysts', description: 'who analyses' });
  const Arn = `arn:aws:quicksight:us-east-1:${ACCOUNT}:group/default/analysts`;
  expect(outputs).toEqual({ Ref: Arn, Arn, Principal: made!.principalId });
  expect(await group()).toMatchObject({ status: 'UPDATE_COMPLETE', outputs });
  expect(quickSight.groups()).toEqual([{ ...made, description: undefined }]);
  await embedded.engine.destroy('Test');
  expect(quickSight.groups()).toEqual([]);
});

test('a group with another name is made before the old one goes, and a failed update keeps the old one', async () => {
  await group();
  const [made] = quickSight.groups();
  const failed = await embedded.deploy((stack) => {
    const other = new quicksight.CfnGroup(stack, 'Group', { groupName: 'authors', namespace: 'default' });
    stack.custom('Breaker', { FailOn: 'Create' }).node.addDependency(other);
  });
  expect(failed.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(quickSight.groups()).toEqual([made]);
  expect(await group({ groupName: 'authors' })).toMatchObject({ status: 'UPDATE_COMPLETE' });
  expect(quickSight.groups().map(({ groupName }) => groupName)).toEqual(['authors']);
  const calls = quickSight.calls.map(({ operation }) => operation);
  expect(calls.slice(-2)).toEqual(['CreateGroup', 'DeleteGroup']);
});

test('a group that exists fails the creation with the words of QuickSight, and stays', async () => {
  await group();
  const result = await embedded.engine.deploy(
    embedded.synth((app) => {
      new quicksight.CfnGroup(new Stack(app, 'Other'), 'Group', { groupName: 'analysts', namespace: 'default' });
    }),
  );
  expect(result[0]).toMatchObject({ status: 'ROLLBACK_COMPLETE' });
  expect(result[0]?.reason).toMatch(/^Group: Resource handler returned message: "Group analysts already exists in /);
  expect(quickSight.groups()).toHaveLength(1);
});

test('a group that somebody else deleted is gone already', async () => {
  await group();
  quickSight.reset();
  expect(await embedded.engine.destroy('Test')).toMatchObject({ succeeded: true });
  expect(quickSight.calls.map(({ operation, error }) => [operation, error])).toEqual([
    ['DeleteGroup', 'ResourceNotFoundException'],
  ]);
});

test('a throttled call is made again', async () => {
  quickSight.faults.add({ kind: 'throttle', times: 2 });
  expect(await group()).toMatchObject({ status: 'CREATE_COMPLETE' });
});

test('a custom-permissions profile is made, changed in capabilities and tags, and deleted; Ref holds account and name', async () => {
  const build = (capabilities: Record<string, string>, tag?: string) => (stack: TestStack) => {
    const profile = new quicksight.CfnCustomPermissions(stack, 'Profile', {
      awsAccountId: stack.account,
      customPermissionsName: 'no-export',
      capabilities,
    });
    if (tag) Tags.of(profile).add(tag, 'yes');
    new CfnOutput(stack, 'Name', { value: Fn.select(1, Fn.split('|', profile.ref)) });
    new CfnOutput(stack, 'Ref', { value: profile.ref });
    new CfnOutput(stack, 'Arn', { value: profile.attrArn });
  };
  const called = () => quickSight.calls.splice(0).map(({ operation }) => operation);
  const { outputs } = await embedded.deploy(build({ exportToCsv: 'DENY' }, 'team'));
  expect(outputs).toEqual({
    Name: 'no-export',
    Ref: `${ACCOUNT}|no-export`,
    Arn: `arn:aws:quicksight:us-east-1:${ACCOUNT}:custompermissions/no-export`,
  });
  expect(called()).toEqual(['CreateCustomPermissions']);
  expect(await embedded.deploy(build({ shareDashboards: 'DENY' }))).toMatchObject({ status: 'UPDATE_COMPLETE' });
  expect(called()).toEqual(['UpdateCustomPermissions', 'UntagResource']);
  const url = `${quickSight.url}/accounts/${ACCOUNT}/custom-permissions/no-export`;
  expect(await (await fetch(url)).json()).toMatchObject({
    CustomPermissions: { Capabilities: { ShareDashboards: 'DENY' } },
  });
  await embedded.engine.destroy('Test');
  expect((await fetch(url)).status).toBe(404);
});

test('without a QuickSight to make it in, a group fails with what to do', async () => {
  await embedded.stop();
  embedded = new Embedded();
  expect((await group()).reason).toContain('there is no embedded QuickSight: give its AWS_ENDPOINT_URL_QUICKSIGHT');
});
