import { CreateNamespaceCommand, QuickSightClient, RegisterUserCommand } from '@aws-sdk/client-quicksight';
import { App, CfnOutput, NestedStack, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { CfnCustomPermissions, CfnGroup } from 'aws-cdk-lib/aws-quicksight';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ExistingUserPolicy, QuickSightUser, UserIdentity, UserRole, type QuickSightUserProps } from '../lib';
import { EmbeddedCloudFormation } from '../local/cloudformation/embedded-cloudformation';
import { IamStore } from '../local/iam/iam-store';
import { EmbeddedQuickSight } from '../local/quicksight';

/*
 * Lifecycle cases that only a stack engine can bring about: constructs → template → stack engine → the real bundle in its
 * own process → QuickSight over HTTP, with the policy of the function's role enforced on every call.
 */

const ACCOUNT = '111122223333';
/** Access key of a person, of whom IAM here knows nothing. */
const ADMINISTRATOR = 'AKIDADMINISTRATOR';

let quickSight: EmbeddedQuickSight;
let cloudFormation: EmbeddedCloudFormation;
let folder: string;
let assemblies = 0;

beforeEach(async () => {
  const iamStore = new IamStore({ accountId: ACCOUNT });
  quickSight = await EmbeddedQuickSight.start({
    authorize: (request) => (request.accessKeyId === ADMINISTRATOR ? undefined : iamStore.authorize(request)),
    iamIdentity: (arn) => iamStore.uniqueId(arn),
    checkCustomPermissions: true,
  });
  const endpoints = { AWS_ENDPOINT_URL_QUICKSIGHT: quickSight.url };
  cloudFormation = new EmbeddedCloudFormation({
    accountId: ACCOUNT,
    iam: iamStore,
    lambda: { endpoints, retryDelaysMs: [10, 10] },
  });
  folder = mkdtempSync(path.join(tmpdir(), 'lifecycle-'));
});

afterEach(async () => {
  await cloudFormation.stop();
  await quickSight.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function deploy(build: (stack: Stack) => void) {
  const app = new App({ outdir: path.join(folder, String(++assemblies)), analyticsReporting: false });
  build(new Stack(app, 'Team'));
  const [result] = await cloudFormation.deploy(app.synth().directory);
  return result!;
}

const declare = (scope: Stack, name: string, props: Partial<QuickSightUserProps> = {}, id = name) =>
  new QuickSightUser(scope, id, {
    identity: UserIdentity.quickSight(name),
    email: `${name}@example.com`,
    userRole: UserRole.READER,
    ...props,
  });

const user = (name = 'ana') => quickSight.user('default', name);
const names = () =>
  quickSight
    .users()
    .map(({ userName }) => userName)
    .sort();
const succeeded = { succeeded: true };
const rolledBack = { succeeded: false, status: 'UPDATE_ROLLBACK_COMPLETE' };

/** QuickSight as an administrator reaches it. */
async function byHand<T>(work: (client: QuickSightClient) => Promise<T>): Promise<T> {
  const credentials = { accessKeyId: ADMINISTRATOR, secretAccessKey: 'secret' };
  const client = new QuickSightClient({ endpoint: quickSight.url, region: 'us-east-1', credentials });
  return work(client).finally(() => client.destroy());
}

/** A resource that fails, after another. */
function failAfter(stack: Stack, dependency: QuickSightUser): void {
  const limit = { kind: 'error', code: 'LimitExceededException' } as const;
  quickSight.faults.add({ operation: 'RegisterUser', userName: 'ben', ...limit });
  declare(stack, 'ben').node.addDependency(dependency);
}

test('C12 C12b a construct that moves between nested stacks keeps its user; a roll-back gives it back as it was', async () => {
  const build = (where: string, props: Partial<QuickSightUserProps> = {}, fails = false) => {
    return (stack: Stack) => {
      const shards = { A: new NestedStack(stack, 'A'), B: new NestedStack(stack, 'B') };
      for (const [name, shard] of Object.entries(shards)) declare(shard, `always-in-${name}`);
      const ana = declare(shards[where as 'A'], 'ana', props);
      if (fails) failAfter(stack, ana);
    };
  };
  expect(await deploy(build('A', { userRole: UserRole.AUTHOR }))).toMatchObject(succeeded);
  const before = user()!;
  expect(await deploy(build('B', { userRole: UserRole.ADMIN }, true))).toMatchObject(rolledBack);
  expect(user()).toEqual(before);
  expect(await deploy(build('B', { userRole: UserRole.ADMIN }))).toMatchObject(succeeded);
  expect(user()).toMatchObject({ principalId: before.principalId, role: 'ADMIN' });
  await cloudFormation.destroy('Team');
  expect(names()).toEqual([]);
});

test('U5 a role that cannot go back does not keep the stack from rolling back', async () => {
  await deploy((stack) => void declare(stack, 'ana'));
  quickSight.setActive('default', 'ana');
  const failed = await deploy((stack) => failAfter(stack, declare(stack, 'ana', { userRole: UserRole.AUTHOR })));
  expect(failed).toMatchObject(rolledBack);
  expect(user()).toMatchObject({ role: 'AUTHOR' });
  expect(await deploy((stack) => void declare(stack, 'ana', { userRole: UserRole.AUTHOR }))).toMatchObject(succeeded);
});

test('U12 a rename that rolls back leaves the old user as declared before', async () => {
  await deploy((stack) => void declare(stack, 'ana', {}, 'User'));
  const before = quickSight.users();
  const failed = await deploy((stack) =>
    failAfter(stack, declare(stack, 'anna', { userRole: UserRole.ADMIN }, 'User')),
  );
  expect(failed).toMatchObject(rolledBack);
  expect(quickSight.users()).toEqual(before);
});

test('U13 a clean-up that was given up harms no later deployment', async () => {
  const build = (name: string, email?: string) => (stack: Stack) => {
    declare(stack, name, email ? { email } : {}, 'User');
  };
  await deploy(build('ana'));
  const limit = { kind: 'error', code: 'LimitExceededException' } as const;
  quickSight.faults.add({ operation: 'DeleteUser', userName: 'ana', ...limit, times: 3 });
  expect(await deploy(build('anna'))).toMatchObject(succeeded);
  expect(names()).toEqual(['ana', 'anna']);
  expect(await deploy(build('anna', 'new@example.com'))).toMatchObject(succeeded);
  expect(user('anna')).toMatchObject({ email: 'new@example.com' });
  expect(await deploy(build('ana'))).toMatchObject(succeeded);
  expect(names()).toEqual(['ana']);
});

test('D10 D11 an adopted user outlives a roll-back and its stack, but not its removal from the code', async () => {
  const register = () =>
    byHand((client) =>
      client.send(
        new RegisterUserCommand({
          ...{ AwsAccountId: ACCOUNT, Namespace: 'default', IdentityType: 'QUICKSIGHT', UserName: 'ana' },
          ...{ Email: 'by-hand@example.com', UserRole: 'AUTHOR' },
        }),
      ),
    );
  const adopt = (stack: Stack) =>
    declare(stack, 'ana', { userRole: UserRole.ADMIN, onExisting: ExistingUserPolicy.ADOPT });
  await deploy((stack) => void declare(stack, 'somebody'));
  await register();

  const both = (stack: Stack, fails = false) => {
    declare(stack, 'somebody');
    const ana = adopt(stack);
    if (fails) failAfter(stack, ana);
  };
  expect(await deploy((stack) => both(stack, true))).toMatchObject(rolledBack);
  expect(user()).toMatchObject({ role: 'AUTHOR' });
  expect(await deploy(both)).toMatchObject(succeeded);
  expect(user()).toMatchObject({ role: 'ADMIN' });
  expect(await deploy((stack) => void declare(stack, 'somebody'))).toMatchObject(succeeded);
  expect(names()).toEqual(['somebody']);

  await register();
  expect(await deploy(both)).toMatchObject(succeeded);
  await cloudFormation.destroy('Team');
  expect(names()).toEqual(['ana']);
});

test('D15 a stack with groups, custom permissions, roles and users goes in an order that never blocks', async () => {
  const build = (stack: Stack) => {
    const common = { awsAccountId: ACCOUNT };
    const group = new CfnGroup(stack, 'Analysts', { ...common, namespace: 'default', groupName: 'analysts' });
    const profile = new CfnCustomPermissions(stack, 'NoExports', { ...common, customPermissionsName: 'no-exports' });
    const role = new iam.Role(stack, 'DataTeam', {
      assumedBy: new iam.AccountRootPrincipal(),
      roleName: 'DataTeam',
    });
    const props = { groups: [group.ref], customPermissionsName: 'no-exports' };
    const ana = declare(stack, 'ana', { ...props, groups: ['analysts'] });
    const carla = declare(stack, 'carla', {
      groups: ['analysts'],
      identity: UserIdentity.iamRole(role, 'carla'),
    });
    ana.node.addDependency(group, profile);
    carla.node.addDependency(group);
  };
  expect(await deploy(build)).toMatchObject(succeeded);
  expect(quickSight.groups()).toMatchObject([{ groupName: 'analysts' }]);
  expect(new Set(quickSight.groups()[0]!.members)).toEqual(new Set(['ana', 'DataTeam/carla']));
  expect(await cloudFormation.destroy('Team')).toMatchObject(succeeded);
  expect(names()).toEqual([]);
  expect(quickSight.groups()).toEqual([]);
});

test('D17 the last user of a namespace goes in the deployment after which nobody needs the permission', async () => {
  await byHand((client) =>
    client.send(
      new CreateNamespaceCommand({ AwsAccountId: ACCOUNT, Namespace: 'partners', IdentityStore: 'QUICKSIGHT' }),
    ),
  );
  await deploy((stack) => {
    declare(stack, 'ana');
    declare(stack, 'ben', { namespace: 'partners' });
  });
  expect(names()).toEqual(['ana', 'ben']);
  expect(await deploy((stack) => void declare(stack, 'ana'))).toMatchObject(succeeded);
  expect(names()).toEqual(['ana']);
});

test('U21 an invitation is kept in a secret with a key of its own, and stays readable', async () => {
  const build = (email: string) => (stack: Stack) => {
    const secret = new Secret(stack, 'Invitation', { encryptionKey: new kms.Key(stack, 'Key') });
    const ana = declare(stack, 'ana', { email, invitationSecret: secret });
    new CfnOutput(stack, 'Secret', { value: secret.secretArn });
    new CfnOutput(stack, 'Url', { value: ana.invitationUrl });
  };
  const { outputs } = await deploy(build('ana@example.com'));
  const { secretString } = cloudFormation.secretsManager.secret(outputs.Secret!)!;
  expect(JSON.parse(secretString!)).toMatchObject({ url: outputs.Url, userName: 'ana' });
  expect(await deploy(build('new@example.com'))).toMatchObject({ succeeded: true, outputs });
});
