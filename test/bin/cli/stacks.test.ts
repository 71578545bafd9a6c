import {
  StacksEndpoint,
  type StackContents,
  type StackDescription,
} from '../../../local/cloudformation/stacks-endpoint';
import { holderKey } from '../../../lambda/holder';
import { Desk } from './command-line';

/*
 * What `plan` makes of the stacks that CloudFormation tells of.
 */

const ROOT = 'arn:aws:cloudformation:us-east-1:111122223333:stack/QuickSightUsers/root-1';
const NESTED = 'arn:aws:cloudformation:us-east-1:111122223333:stack/QuickSightUsers-Shard1/shard-1';

const ana = {
  Type: 'Custom::QuickSightUser',
  Properties: {
    AwsAccountId: { Ref: 'AWS::AccountId' },
    Namespace: 'default',
    IdentityType: 'IAM',
    IamArn: {
      'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::', { Ref: 'AWS::AccountId' }, ':user/a&b/ana']],
    },
    Email: 'ana@example.com',
    UserRole: 'READER',
  },
};

let desk: Desk;
let status: StackDescription['status'];
let contents: Record<string, StackContents>;
let stacks: StacksEndpoint;
let denial: string | undefined;

beforeEach(async () => {
  status = 'UPDATE_COMPLETE';
  denial = undefined;
  contents = { [ROOT]: { template: { Resources: { Ana: ana } }, resources: [] } };
  desk = await Desk.start();
  await desk.register('ana', { IdentityType: 'IAM', IamArn: 'arn:aws:iam::111122223333:user/ana' });
  stacks = await StacksEndpoint.start({
    find: (name) => {
      const stackId = Object.keys(contents).find((id) => id === name || id.split('/')[1] === name);
      return stackId && contents[stackId]
        ? { stackId, stackName: stackId.split('/')[1]!, status, creationTime: '2026-01-01T00:00:00.000Z' }
        : undefined;
    },
    contents: (stackId) => contents[stackId],
    list: () =>
      Object.keys(contents).map((stackId) => ({
        stackId,
        stackName: stackId.split('/')[1]!,
        status,
        creationTime: '2026-01-01T00:00:00.000Z',
      })),
    authorize: () => denial,
  });
  desk.write('users: []');
});
afterEach(async () => {
  await stacks.stop();
  await desk.stop();
});

/** Ana is held by the resource of that name in a stack. */
function hold(StackId: string): void {
  desk.quickSight.setTags('default', 'ana', {
    [holderKey({ StackId, LogicalResourceId: 'Ana' })]: '1/request/root-1/root-1/Ana',
  });
}

async function planned(...args: string[]): Promise<string> {
  const { stdout, stderr } = await desk.run(['plan', ...args], { AWS_ENDPOINT_URL_CLOUDFORMATION: stacks.url });
  return stderr + stdout;
}

test('a user of the deployed template who is in no file loses access, whatever the ARN is made of', async () => {
  expect(await planned()).toContain("\n  = ana stays in QuickSight: it is not marked as this stack's\n");
  hold(ROOT);
  expect(await planned()).toContain('\n  - ana loses access (READER)\n');
});

test('users of nested stacks are found', async () => {
  hold(NESTED);
  const type = 'AWS::CloudFormation::Stack';
  contents = {
    [NESTED]: contents[ROOT]!,
    [ROOT]: {
      template: { Resources: { Shard1: { Type: type } } },
      resources: [
        ...Array.from({ length: 150 }, (_, index) => ({
          logicalId: `R${index}`,
          type: 'AWS::X',
          status: 'CREATE_COMPLETE',
        })),
        { logicalId: 'Shard1', physicalId: NESTED, type, status: 'CREATE_COMPLETE' },
      ],
    },
  };
  expect(await planned()).toContain('\n  - ana loses access (READER)\n');
});

test('a user that stays when its resource goes keeps access', async () => {
  contents = { [ROOT]: { template: { Resources: { Ana: { ...ana, DeletionPolicy: 'Retain' } } }, resources: [] } };
  expect(await planned()).toContain('\n  = ana stays in QuickSight, no longer managed\n');
});

test('a group that the stack made may be listed, one that exists without it may not', async () => {
  await desk.group('analysts', []);
  desk.write('groups: { analysts: Makes dashboards }\nusers: []');
  const args = ['plan'];
  const environment = { AWS_ENDPOINT_URL_CLOUDFORMATION: stacks.url };
  expect(await desk.run(args, environment)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^error: the group analysts exists already, and the stack would make it/),
  });
  const Analysts = { Type: 'AWS::QuickSight::Group', Properties: { Namespace: 'default', GroupName: 'analysts' } };
  contents = { [ROOT]: { template: { Resources: { Analysts } }, resources: [] } };
  expect(await desk.run(args, environment)).toMatchObject({ code: 0, stdout: expect.not.stringContaining('error') });
});

test('custom permissions that nobody defines are an error before the deployment, and a warning if they may not be looked up', async () => {
  const AwsAccountId = '111122223333';
  await desk.client.createCustomPermissions({ AwsAccountId, CustomPermissionsName: 'no-exports' });
  const user = (name: string, profile: string) =>
    `  - { userName: ${name}, email: ${name}@example.com, role: READER, customPermissionsName: ${profile} }\n`;
  desk.write(`users:\n${user('mia', 'no-exports')}${user('leo', 'no-exprots')}`);
  expect(await planned()).toMatch(
    /^warning: there are no custom permissions no-exprots: create them, or define them under customPermissions\nA deployment/,
  );
  const denied = { kind: 'error', code: 'AccessDeniedException', message: 'no', times: 2 } as const;
  desk.quickSight.faults.add({ ...denied, operation: 'DescribeCustomPermissions' });
  expect(await planned()).toMatch(
    /^warning: whether custom permissions exist is not known: DescribeCustomPermissions .*AccessDenied/,
  );
});

test('a holder counts as gone unless its stack is in a region that was told', async () => {
  const stackId = 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Elsewhere/else-1';
  contents = { [stackId]: { template: { Resources: { Ana: ana } }, resources: [] } };
  const key = holderKey({ StackId: stackId, LogicalResourceId: 'Ana' });
  desk.quickSight.setTags('default', 'ana', { [key]: '1/request/else-1/else-1/Ana' });
  desk.write('users: [{ iamUser: ana, email: ana@example.com, role: READER }]');
  const drift = async (...regions: string[]) => {
    const args = regions.flatMap((region) => ['--stack-region', region]);
    return (await desk.run(['drift', '--tags', ...args], { AWS_ENDPOINT_URL_CLOUDFORMATION: stacks.url })).stdout;
  };
  expect(await drift()).toContain('holder not found');
  expect(await drift('us-east-1', 'eu-west-1')).toMatch(/^No drift/m);
});

test('a stack that never came to be has nobody, and neither has one of another name', async () => {
  expect(await planned('--stack', 'Other')).toContain('Nothing changes');
  status = 'ROLLBACK_COMPLETE';
  expect(await planned()).toContain('Nothing changes');
});

test('a stack that is being deployed is warned of', async () => {
  status = 'UPDATE_IN_PROGRESS';
  expect(await planned()).toMatch(/^warning: the stack is being deployed \(UPDATE_IN_PROGRESS\): plan again/);
});

test('stacks that may not be read are told with the reason', async () => {
  denial = 'User: ci is not authorized to perform: cloudformation:DescribeStacks';
  desk.quickSight.setTags('default', 'ana', { 'cdk-quicksight-users:held-by:1': '1/request/root-1/root-1/Ana' });
  const environment = { AWS_ENDPOINT_URL_CLOUDFORMATION: stacks.url };
  expect((await desk.run(['drift', '--tags'], environment)).stderr).toMatch(
    /^warning: holders that no longer exist are not told: CloudFormation failed: AccessDenied/,
  );
  expect(await planned()).toMatch(
    /^warning: the deployed stack cannot be read \(AccessDenied: User: ci is not authorized to perform: cloudformation:DescribeStacks\): who would lose access is not known/,
  );
});
