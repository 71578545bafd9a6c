import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { QuickSightUsers, type QuickSightUsersProps } from '../lib';
import {
  EmbeddedCloudFormation,
  type EmbeddedCloudFormationOptions,
} from '../local/cloudformation/embedded-cloudformation';
import type { ResourceEvent } from '../local/cloudformation/stack-state';
import { IamStore } from '../local/iam/iam-store';
import { EmbeddedQuickSight, type EmbeddedQuickSightOptions } from '../local/quicksight';

/*
 * Users files, deployed: over nested stacks, by the real bundle in its own processes, with the policy of the function's
 * role enforced on every call.
 */

const ACCOUNT = '111122223333';

class Aws {
  static async start(
    quickSightOptions: EmbeddedQuickSightOptions = {},
    options: Partial<EmbeddedCloudFormationOptions> = {},
  ): Promise<Aws> {
    const iam = new IamStore({ accountId: ACCOUNT });
    const quickSight = await EmbeddedQuickSight.start({
      authorize: (request) => iam.authorize(request),
      iamIdentity: (arn) => iam.uniqueId(arn),
      ...quickSightOptions,
    });
    return new Aws(quickSight, iam, options);
  }

  readonly events: ResourceEvent[] = [];
  readonly cloudFormation: EmbeddedCloudFormation;
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'users-deployment-'));
  private assemblies = 0;

  private constructor(
    readonly quickSight: EmbeddedQuickSight,
    iam: IamStore,
    options: Partial<EmbeddedCloudFormationOptions>,
  ) {
    this.cloudFormation = new EmbeddedCloudFormation({
      ...{ accountId: ACCOUNT, iam },
      lambda: { endpoints: { AWS_ENDPOINT_URL_QUICKSIGHT: quickSight.url }, retryDelaysMs: [10, 10], concurrency: 6 },
      onEvent: (event) => this.events.push(event),
      ...options,
    });
  }

  async deploy(content: string, props: Partial<QuickSightUsersProps> = {}) {
    const file = path.join(this.folder, 'users.yaml');
    writeFileSync(file, content);
    const app = new App({ outdir: path.join(this.folder, String(++this.assemblies)), analyticsReporting: false });
    new QuickSightUsers(new Stack(app, 'Team'), 'Default', { files: [file], ...props });
    this.events.length = 0;
    this.calls();
    const [result] = await this.cloudFormation.deploy(app.synth().directory);
    return result!;
  }

  /** Principals by user name: another principal is another user. */
  principals(): Record<string, string> {
    return Object.fromEntries(this.quickSight.users().map(({ userName, principalId }) => [userName, principalId]));
  }

  /** What was called since the last time, how often. */
  calls(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { operation } of this.quickSight.calls.splice(0)) counts[operation] = (counts[operation] ?? 0) + 1;
    return counts;
  }

  /** The shards in the order in which they reached a status. */
  shards(status: string): string[] {
    return this.events
      .filter((event) => event.status === status && event.stackName === 'Team' && /^Shard/.test(event.logicalId))
      .map(({ logicalId }) => /^Shard\d+/.exec(logicalId)![0]);
  }

  async stop(): Promise<void> {
    await this.cloudFormation.stop();
    await this.quickSight.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let aws: Aws;
afterEach(() => aws.stop());

function usersFile(number: number, more = ''): string {
  const entry = (_: unknown, index: number) =>
    `  - { userName: user${index}, email: user${index}@example.com, role: READER${more} }`;
  return ['users:', ...Array.from({ length: number }, entry)].join('\n');
}

test('hundreds of users over nested stacks are registered two stacks at a time, and go with the stack', async () => {
  aws = await Aws.start();
  const deployed = await aws.deploy(usersFile(300), { shards: 6 });
  expect(deployed).toMatchObject({ succeeded: true });
  expect(Object.keys(aws.principals())).toHaveLength(300);
  expect(aws.calls()).toEqual({ RegisterUser: 300 });
  const [begun, done] = [aws.shards('CREATE_IN_PROGRESS'), aws.shards('CREATE_COMPLETE')];
  expect([...begun].sort()).toEqual(['Shard1', 'Shard2', 'Shard3', 'Shard4', 'Shard5', 'Shard6']);
  for (const [index, shard] of [...begun].sort().slice(2).entries()) {
    const before = [...begun].sort()[index]!;
    const at = (status: string, id: string) =>
      aws.events.findIndex((event) => event.status === status && event.logicalId.startsWith(`${id}Nested`));
    expect(at('CREATE_COMPLETE', before)).toBeLessThan(at('CREATE_IN_PROGRESS', shard));
  }
  expect(done).toHaveLength(6);

  expect(await aws.cloudFormation.destroy('Team')).toMatchObject({ succeeded: true });
  expect(aws.principals()).toEqual({});
}, 120_000);

test('a change of one user is one event for one resource', async () => {
  aws = await Aws.start();
  await aws.deploy(usersFile(40), { shards: 4 });
  const changed = usersFile(40).replace('user7@example.com', 'new@example.com');
  expect(await aws.deploy(changed, { shards: 4 })).toMatchObject({ succeeded: true });
  expect(aws.calls()).toEqual({ DescribeUser: 1, UpdateUser: 1 });
  expect(aws.quickSight.user('default', 'user7')).toMatchObject({ email: 'new@example.com' });
}, 60_000);

test.each([
  ['more', 3, 5],
  ['fewer', 5, 2],
  ['first', undefined, 3],
  ['no', 3, undefined],
])(
  'with %s shards, users move by take-over: nobody is deleted',
  async (_, before, after) => {
    aws = await Aws.start();
    await aws.deploy(usersFile(60), { shards: before });
    const principals = aws.principals();
    expect(await aws.deploy(usersFile(60), { shards: after })).toMatchObject({ succeeded: true });
    const calls = aws.calls();
    expect(aws.principals()).toEqual(principals);
    expect(calls.RegisterUser).toBeGreaterThan(10);
    expect(calls).not.toHaveProperty('DeleteUser');
    expect(calls.UntagResource).toBe(calls.RegisterUser);
    // Each is held by the resource that took it, and by no other.
    for (const { tags } of aws.quickSight.users()) {
      expect(Object.keys(tags).filter((key) => key.startsWith('cdk-quicksight-users:held-by:'))).toHaveLength(1);
    }
    await aws.cloudFormation.destroy('Team');
    expect(aws.principals()).toEqual({});
  },
  120_000,
);

test('a move between shards that a failure rolls back leaves everybody where they were', async () => {
  aws = await Aws.start();
  await aws.deploy(usersFile(30), { shards: 2 });
  const principals = aws.principals();
  aws.quickSight.faults.add({
    operation: 'RegisterUser',
    userName: 'user30',
    kind: 'error',
    code: 'LimitExceededException',
  });
  expect(await aws.deploy(usersFile(31), { shards: 5 })).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE' });
  expect(aws.principals()).toEqual(principals);
  expect(await aws.deploy(usersFile(31), { shards: 5 })).toMatchObject({ succeeded: true });
  expect(aws.principals()).toMatchObject(principals);
  await aws.cloudFormation.destroy('Team');
  expect(aws.principals()).toEqual({});
}, 120_000);

test.each([undefined, 2])(
  'groups and profiles come before their users and go after them (shards: %s)',
  async (shards) => {
    aws = await Aws.start();
    const file = `
groups: { analysts: Makes dashboards, staff: }
customPermissions: { no-exports: { deny: [ExportToCsv] } }
${usersFile(8, ', groups: [analysts], customPermissionsName: no-exports')}`;
    expect(await aws.deploy(file, { shards })).toMatchObject({ succeeded: true });
    const group = () => aws.quickSight.groups().find(({ groupName }) => groupName === 'analysts');
    expect(group()).toMatchObject({ description: 'Makes dashboards' });
    expect(group()!.members).toHaveLength(8);
    expect(aws.quickSight.user('default', 'user3')).toMatchObject({ customPermissionsName: 'no-exports' });

    const other = file.replace('Makes dashboards', 'Makes more');
    expect(await aws.deploy(other, { shards })).toMatchObject({ succeeded: true });
    expect(group()).toMatchObject({ description: 'Makes more' });

    expect(await aws.deploy(`groups: { staff: }\n${usersFile(8)}`, { shards })).toMatchObject({ succeeded: true });
    expect(aws.quickSight.groups().map(({ groupName }) => groupName)).toEqual(['staff']);

    await aws.deploy(file, { shards });
    expect(await aws.cloudFormation.destroy('Team')).toMatchObject({ succeeded: true });
    const deleted = aws.events.filter(({ status }) => status === 'DELETE_COMPLETE');
    const lastUser = deleted.findLastIndex(({ type }) => type === 'Custom::QuickSightUser');
    expect(lastUser).toBeLessThan(deleted.findIndex(({ logicalId }) => logicalId.startsWith('Groupsdefaultanalysts')));
    expect(lastUser).toBeLessThan(deleted.findIndex(({ logicalId }) => logicalId.startsWith('CustomPermissions')));
    expect(aws.quickSight.groups()).toEqual([]);
  },
  60_000,
);

test('more than CloudFormation works on at once is refused, and deployed in steps', async () => {
  aws = await Aws.start();
  await expect(aws.deploy(usersFile(2600))).rejects.toThrow(
    /Limit on the number of resources in a single stack operation exceeded: 26\d\d with those of nested stacks/,
  );
  expect(await aws.deploy(usersFile(2600), { firstShards: 1 })).toMatchObject({ succeeded: true });
  const first = Object.keys(aws.principals()).length;
  expect(first).toBeGreaterThan(50);
  expect(await aws.deploy(usersFile(2600), { firstShards: 3 })).toMatchObject({ succeeded: true });
  expect(aws.calls()).toEqual({ RegisterUser: Object.keys(aws.principals()).length - first });
}, 120_000);
