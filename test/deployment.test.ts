import { App, CfnOutput, NestedStack, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { QuickSightUser, QuickSightUserProvider, UserIdentity, UserRole, type QuickSightUserProps } from '../lib';
import {
  EmbeddedCloudFormation,
  type EmbeddedCloudFormationOptions,
} from '../local/cloudformation/embedded-cloudformation';
import { IamStore } from '../local/iam/iam-store';
import { EmbeddedQuickSight, type EmbeddedQuickSightOptions } from '../local/quicksight';

/*
 * The whole path: constructs → template → stack engine → the real bundle in its own process → QuickSight over HTTP, with
 * the policy of the function's role enforced on every call.
 */

const ACCOUNT = '111122223333';

class Aws {
  static async start(
    quickSightOptions: EmbeddedQuickSightOptions = {},
    options: Partial<EmbeddedCloudFormationOptions> = {},
  ): Promise<Aws> {
    const iamStore = new IamStore({ accountId: ACCOUNT });
    const quickSight = await EmbeddedQuickSight.start({
      authorize: (request) => iamStore.authorize(request),
      iamIdentity: (arn) => iamStore.uniqueId(arn),
      ...quickSightOptions,
    });
    const cloudFormation = new EmbeddedCloudFormation({
      accountId: ACCOUNT,
      iam: iamStore,
      lambda: { endpoints: { AWS_ENDPOINT_URL_QUICKSIGHT: quickSight.url }, retryDelaysMs: [10, 10] },
      ...options,
    });
    return new Aws(quickSight, cloudFormation);
  }

  private readonly folder = mkdtempSync(path.join(tmpdir(), 'deployment-'));
  private assemblies = 0;

  private constructor(
    readonly quickSight: EmbeddedQuickSight,
    readonly cloudFormation: EmbeddedCloudFormation,
  ) {}

  async deploy(build: (stack: Stack) => void) {
    const app = new App({ outdir: path.join(this.folder, String(++this.assemblies)), analyticsReporting: false });
    build(new Stack(app, 'Team'));
    const [result] = await this.cloudFormation.deploy(app.synth().directory);
    return result!;
  }

  names(): string[] {
    return this.quickSight
      .users()
      .map(({ userName }) => userName)
      .sort();
  }

  calls(): string[] {
    return this.quickSight.calls.splice(0).map(({ operation }) => operation);
  }

  async stop(): Promise<void> {
    await this.cloudFormation.stop();
    await this.quickSight.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let aws: Aws;
afterEach(() => aws.stop());

const declare = (scope: Stack, name: string, props: Partial<QuickSightUserProps> = {}, id = name) =>
  new QuickSightUser(scope, id, {
    identity: UserIdentity.quickSight(name),
    email: `${name}@example.com`,
    userRole: UserRole.READER,
    ...props,
  });

test('a user is registered, changed, and deleted with its stack; its attributes reach the outputs', async () => {
  aws = await Aws.start();
  const build = (props: Partial<QuickSightUserProps>) => (stack: Stack) => {
    const ana = declare(stack, 'ana', props);
    new CfnOutput(stack, 'Arn', { value: ana.userArn });
    new CfnOutput(stack, 'Name', { value: ana.userName });
    new CfnOutput(stack, 'Principal', { value: ana.userPrincipalId });
    new CfnOutput(stack, 'Invitation', { value: ana.invitationUrl, exportName: 'ana-invitation' });
  };
  const created = await aws.deploy(build({}));
  expect(created).toMatchObject({ succeeded: true });
  expect(created.outputs).toEqual({
    Arn: `arn:aws:quicksight:us-east-1:${ACCOUNT}:user/default/ana`,
    Name: 'ana',
    Principal: aws.quickSight.user('default', 'ana')!.principalId,
    Invitation: expect.stringMatching(/^https:/),
  });

  expect(await aws.deploy(build({}))).toMatchObject({ changed: false });
  const updated = await aws.deploy(build({ userRole: UserRole.AUTHOR, tags: { team: 'sales' } }));
  expect(updated.outputs).toEqual({ ...created.outputs, Invitation: 'unavailable' });
  expect(aws.quickSight.user('default', 'ana')).toMatchObject({ role: 'AUTHOR', tags: { team: 'sales' } });

  await aws.cloudFormation.destroy('Team');
  expect(aws.names()).toEqual([]);
  expect(aws.calls()).toEqual([
    'RegisterUser',
    'DescribeUser',
    'UpdateUser',
    'TagResource',
    'ListTagsForResource',
    'TagResource',
    'ListTagsForResource',
    'DeleteUser',
  ]);
});

test('tags of the stack come to its users and go again, and what others tagged stays', async () => {
  aws = await Aws.start();
  const build =
    (...tags: string[]) =>
    (stack: Stack) => {
      declare(stack, 'ana');
      for (const tag of tags) Tags.of(stack).add(tag, 'yes');
    };
  await aws.deploy(build('a', 'b'));
  const { tags } = aws.quickSight.user('default', 'ana')!;
  aws.quickSight.setTags('default', 'ana', { ...tags, theirs: 'x' });
  await aws.deploy(build('b', 'c'));
  const left = aws.quickSight.user('default', 'ana')!.tags;
  expect(left).toMatchObject({ b: 'yes', c: 'yes', theirs: 'x' });
  expect(left).not.toHaveProperty('a');
});

test('IAM roles and users of the same stack are declared as users, in an order that never blocks', async () => {
  aws = await Aws.start();
  const build = (stack: Stack) => {
    const role = new iam.Role(stack, 'DataTeam', {
      assumedBy: new iam.AccountRootPrincipal(),
      roleName: 'DataTeam',
      path: '/teams/',
    });
    const user = new iam.User(stack, 'Bob', { userName: 'bob' });
    declare(stack, 'carla', { identity: UserIdentity.iamRole(role, 'carla') });
    declare(stack, 'bob', { identity: UserIdentity.iamUser(user) }, 'BobUser');
  };
  expect(await aws.deploy(build)).toMatchObject({ succeeded: true });
  expect(aws.names()).toEqual(['DataTeam/carla', 'bob']);
  expect(await aws.cloudFormation.destroy('Team')).toMatchObject({ succeeded: true });
  expect(aws.names()).toEqual([]);
});

test('users in nested stacks share the provider of the root, which outlives them', async () => {
  aws = await Aws.start();
  const build = (stack: Stack) => {
    for (const name of ['One', 'Two']) declare(new NestedStack(stack, name), name.toLowerCase());
  };
  expect(await aws.deploy(build)).toMatchObject({ succeeded: true });
  expect(aws.names()).toEqual(['one', 'two']);
  await aws.cloudFormation.destroy('Team');
  expect(aws.names()).toEqual([]);
});

test('another stack gets the ARN of a user by a weak reference, which does not keep the user from going', async () => {
  aws = await Aws.start();
  await aws.deploy((stack) => {
    const { userArn } = declare(stack, 'ana');
    const dashboards = new Stack(stack.node.root, 'Dashboards');
    dashboards.node.setContext('@aws-cdk/core:defaultCrossStackReferences', 'weak');
    new ssm.StringParameter(dashboards, 'Parameter', { stringValue: userArn });
    new CfnOutput(dashboards, 'Owner', { value: userArn });
  });
  const { template, outputs } = aws.cloudFormation.describeStack('Dashboards')!;
  expect(template.Outputs?.Owner).toEqual({
    Value: { 'Fn::GetStackOutput': expect.objectContaining({ StackName: 'Team', Region: { Ref: 'AWS::Region' } }) },
  });
  expect(outputs.Owner).toEqual({ value: `arn:aws:quicksight:us-east-1:${ACCOUNT}:user/default/ana` });
  expect(await aws.cloudFormation.destroy('Team')).toMatchObject({ succeeded: true });
});

test('a rename registers the new user and cleans up the old one', async () => {
  aws = await Aws.start();
  await aws.deploy((stack) => void declare(stack, 'ana', {}, 'User'));
  expect(await aws.deploy((stack) => void declare(stack, 'anna', {}, 'User'))).toMatchObject({ succeeded: true });
  expect(aws.names()).toEqual(['anna']);
});

test('a rename that a later failure rolls back leaves the old user, untouched', async () => {
  aws = await Aws.start();
  const build = (name: string, more?: string) => (stack: Stack) => {
    const user = declare(stack, name, {}, 'User');
    if (more) declare(stack, more).node.addDependency(user);
  };
  await aws.deploy(build('ana'));
  const { principalId } = aws.quickSight.user('default', 'ana')!;
  aws.quickSight.faults.add({
    operation: 'RegisterUser',
    userName: 'ben',
    kind: 'error',
    code: 'LimitExceededException',
  });
  const failed = await aws.deploy(build('anna', 'ben'));
  expect(failed).toMatchObject({ succeeded: false, status: 'UPDATE_ROLLBACK_COMPLETE' });
  expect(failed.reason).toContain('RegisterUser failed: LimitExceededException');
  expect(aws.names()).toEqual(['ana']);
  expect(aws.quickSight.user('default', 'ana')).toMatchObject({
    principalId,
    role: 'READER',
    email: 'ana@example.com',
  });
});

test('a failed creation leaves nobody behind, and can be repeated', async () => {
  aws = await Aws.start();
  const build = (stack: Stack) => {
    const ana = declare(stack, 'ana');
    declare(stack, 'ben').node.addDependency(ana);
  };
  aws.quickSight.faults.add({
    operation: 'RegisterUser',
    userName: 'ben',
    kind: 'error',
    code: 'LimitExceededException',
  });
  expect(await aws.deploy(build)).toMatchObject({ succeeded: false, status: 'ROLLBACK_COMPLETE' });
  expect(aws.names()).toEqual([]);
  expect(await aws.deploy(build)).toMatchObject({ succeeded: true });
  expect(aws.names()).toEqual(['ana', 'ben']);
});

test('a renamed construct keeps its user, and a roll-back of the renaming does, too', async () => {
  aws = await Aws.start();
  await aws.deploy((stack) => void declare(stack, 'ana', {}, 'First'));
  const { principalId, role } = aws.quickSight.user('default', 'ana')!;
  aws.quickSight.faults.add({
    operation: 'RegisterUser',
    userName: 'ben',
    kind: 'error',
    code: 'LimitExceededException',
  });
  const failed = await aws.deploy((stack) => {
    const ana = declare(stack, 'ana', { userRole: UserRole.READER_PRO }, 'Second');
    declare(stack, 'ben').node.addDependency(ana);
  });
  expect(failed).toMatchObject({ succeeded: false, status: 'UPDATE_ROLLBACK_COMPLETE' });
  expect(aws.quickSight.user('default', 'ana')).toMatchObject({ principalId, role });
  expect(await aws.deploy((stack) => void declare(stack, 'ana', {}, 'Second'))).toMatchObject({ succeeded: true });
  expect(aws.quickSight.user('default', 'ana')).toMatchObject({ principalId });
  await aws.cloudFormation.destroy('Team');
  expect(aws.names()).toEqual([]);
});

test('a Create that is cancelled, and finishes late, leaves nobody behind', async () => {
  let release = () => {};
  const late = new Promise<void>((resolve) => (release = resolve));
  aws = await Aws.start(
    {},
    {
      accidents: {
        delivery: ({ RequestType, LogicalResourceId }) => {
          if (RequestType === 'Delete') release();
          return RequestType === 'Create' && LogicalResourceId.startsWith('ana') ? { after: late } : undefined;
        },
      },
    },
  );
  aws.quickSight.faults.add({
    operation: 'RegisterUser',
    userName: 'ben',
    kind: 'error',
    code: 'LimitExceededException',
  });
  const failed = await aws.deploy((stack) => {
    declare(stack, 'ana');
    declare(stack, 'ben');
  });
  expect(failed).toMatchObject({ succeeded: false, status: 'ROLLBACK_COMPLETE' });
  // The Delete watches for what a Create still under way may register.
  expect(aws.names()).toEqual([]);
});

test('events that arrive twice change nothing the second time', async () => {
  aws = await Aws.start({}, { accidents: { delivery: () => ({ repeatAfterMs: 20 }) } });
  const build = (name: string) => (stack: Stack) => void declare(stack, name, {}, 'User');
  expect(await aws.deploy(build('ana'))).toMatchObject({ succeeded: true });
  // A Create that is repeated after its own Delete is another matter: see the known limits.
  const registrations = () => aws.quickSight.calls.filter(({ operation }) => operation === 'RegisterUser').length;
  while (registrations() < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await aws.deploy(build('anna'))).toMatchObject({ succeeded: true });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(aws.names()).toEqual(['anna']);
});

test('RETAIN keeps the user; declared again under the same id, it is taken back, and outlives the stack', async () => {
  aws = await Aws.start();
  const keep = (stack: Stack) => void declare(stack, 'ana', { removalPolicy: RemovalPolicy.RETAIN });
  await aws.deploy(keep);
  await aws.deploy((stack) => void declare(stack, 'ben'));
  expect(aws.names()).toEqual(['ana', 'ben']);
  expect(await aws.deploy((stack) => void declare(stack, 'ana', { userRole: UserRole.AUTHOR }))).toMatchObject({
    succeeded: true,
  });
  expect(aws.quickSight.user('default', 'ana')).toMatchObject({ role: 'AUTHOR' });
  await aws.cloudFormation.destroy('Team');
  expect(aws.names()).toEqual(['ana']);
});

test('the function may do what the provider lists, and no more', async () => {
  aws = await Aws.start({ identityRegion: 'eu-central-1' });
  await aws.deploy((stack) => {
    const provider = new QuickSightUserProvider(stack, 'Provider', {
      namespaces: ['default'],
      identityRegion: 'eu-central-1',
    });
    declare(stack, 'ana', { provider });
  });
  const { accessKeyId } = aws.quickSight.calls[0]!;
  const may = (action: string, resource: string) =>
    aws.cloudFormation.iam.authorize({ accessKeyId, action: `quicksight:${action}`, resource, context: {} }) ===
    undefined;
  const arn = (resource: string, region = 'eu-central-1') => `arn:aws:quicksight:${region}:${ACCOUNT}:${resource}`;
  expect(may('RegisterUser', arn('user/default/ben'))).toBe(true);
  expect(may('RegisterUser', arn('user/partners/ben'))).toBe(false);
  expect(may('RegisterUser', arn('user/default/ben', 'us-east-1'))).toBe(false);
  expect(may('CreateGroupMembership', arn('group/default/team'))).toBe(true);
  expect(may('CreateGroupMembership', arn('group/partners/team'))).toBe(false);
  expect(may('DeleteGroup', arn('group/default/team'))).toBe(false);
  expect(may('DeleteNamespace', arn('namespace/default'))).toBe(false);
  expect(aws.names()).toEqual(['ana']);
});

test('users are kept in the identity region, wherever the stack is', async () => {
  aws = await Aws.start({ identityRegion: 'eu-central-1' });
  const result = await aws.deploy((stack) => {
    new CfnOutput(stack, 'Arn', { value: declare(stack, 'ana').userArn });
  });
  expect(result.outputs.Arn).toBe(`arn:aws:quicksight:eu-central-1:${ACCOUNT}:user/default/ana`);
});

test('QuickSight throttling a stack of users delays it, and fails none', async () => {
  aws = await Aws.start({ requestsPerSecond: 20 });
  const names = Array.from({ length: 40 }, (_, i) => `user-${i}`);
  expect(await aws.deploy((stack) => names.forEach((name) => declare(stack, name)))).toMatchObject({ succeeded: true });
  expect(aws.names()).toHaveLength(40);
});
