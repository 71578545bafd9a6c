import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedCloudFormation } from '../../../local/cloudformation/embedded-cloudformation';
import { synthesize } from '../../../local/start/app';
import { ACCOUNT, Desk } from './command-line';

/*
 * From an existing account to GitOps: what `export` writes is deployed by the app, and changes nobody. The tests tell one
 * story, each continues where the one before ended.
 */

jest.setTimeout(60_000);

let desk: Desk;
let cloudFormation: EmbeddedCloudFormation;
const endpoint = () => ({ AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.stacksEndpoint.url });
const run = (...args: string[]) => desk.run(args, endpoint());

/** Users without what only we write. */
function people() {
  return desk.quickSight.users().map(({ tags, ...user }) => ({
    ...user,
    tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith('cdk-quicksight-users:'))),
  }));
}

async function deploy() {
  const assembly = path.join(desk.folder, 'cdk.out');
  await synthesize({ users: path.join(desk.folder, 'users.yaml') }, assembly);
  desk.calls();
  const [result] = await cloudFormation.deploy(assembly);
  return { succeeded: result!.succeeded, reason: result!.reason, calls: desk.calls() };
}

function edit(from: RegExp | string, to: string) {
  const file = path.join(desk.folder, 'users.yaml');
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(from);
  writeFileSync(file, text.replace(from, to));
}

beforeAll(async () => {
  desk = await Desk.start();
  cloudFormation = new EmbeddedCloudFormation({
    accountId: ACCOUNT,
    lambda: { endpoints: { AWS_ENDPOINT_URL_QUICKSIGHT: desk.quickSight.url }, retryDelaysMs: [10, 10] },
  });
  await cloudFormation.stacksEndpoint.listen();
  mkdirSync(path.join(desk.folder, 'cdk.out'));

  await desk.namespace('partners');
  await desk.register('ana', { UserRole: 'AUTHOR', Tags: [{ Key: 'cost-center', Value: '4711' }] });
  await desk.register('ben', { UserRole: 'ADMIN_PRO', CustomPermissionsName: 'no-exports' });
  await desk.register('elif', { IdentityType: 'IAM', IamArn: `arn:aws:iam::${ACCOUNT}:user/elif` });
  const SessionName = 'carla@example.com';
  const IamArn = `arn:aws:iam::${ACCOUNT}:role/DataTeam`;
  await desk.register('carla', { IdentityType: 'IAM', IamArn, SessionName, UserRole: 'AUTHOR' });
  await desk.register('kofi', {
    Namespace: 'partners',
    ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
    CustomFederationProviderUrl: 'https://login.example.com',
    ExternalLoginId: 'kofi: 1',
  });
  await desk.register("o'hara ümit", {
    Namespace: 'partners',
    Email: 'yes',
    ExternalLoginFederationProviderType: 'COGNITO',
    ExternalLoginId: 'us-east-1:5b2c',
  });
  await desk.group('analysts', ['ana', 'ben']);
  await desk.group('all of us', ['kofi'], 'partners');
  desk.quickSight.setActive('default', 'ana');
});

afterAll(async () => {
  await cloudFormation.stop();
  await desk.stop();
});

test('export writes a file that is right and shows no drift', async () => {
  expect(await run('export', '--output', 'users.yaml')).toMatchObject({
    code: 0,
    stdout: 'users.yaml: 6 users, 2 groups\n',
  });
  expect(await run('validate')).toMatchObject({ code: 0, stdout: 'users.yaml: 6 users, 2 groups, all is well\n' });
  const { code, stdout } = await run('drift');
  expect(stdout).toContain('No drift: 6 users in the files, 6 in account 111122223333');
  expect(code).toBe(0);
});

test('plan says that all are adopted and nothing else happens to them', async () => {
  const { code, stdout } = await run('plan');
  expect(stdout).toBe(`\
A deployment of QuickSightUsers, a new stack, to account 111122223333, us-east-1
  * DataTeam/carla@example.com is adopted
  * ana is adopted
  * ben is adopted
  * elif is adopted
  * kofi (partners) is adopted
  * o'hara ümit (partners) is adopted
6 are adopted
`);
  expect(code).toBe(0);
});

test('deploying what export wrote changes no user, and calls no UpdateUser', async () => {
  const before = people();
  const { succeeded, calls, reason } = await deploy();
  expect(reason).toBeUndefined();
  expect(succeeded).toBe(true);
  expect(people()).toEqual(before);
  expect(calls).not.toContain('UpdateUser');
  const { tags } = desk.quickSight.user('default', 'ana')!;
  expect(Object.keys(tags).sort()).toEqual([
    'cdk-quicksight-users:adopted',
    expect.stringMatching(/^cdk-quicksight-users:before$/),
    expect.stringMatching(/^cdk-quicksight-users:held-by:[0-9a-f]{16}$/),
    'cost-center',
  ]);
});

test('from then on there is nothing to plan, no drift, and every holder is known', async () => {
  expect(await run('plan')).toMatchObject({
    code: 0,
    stdout: 'Nothing changes: a deployment of QuickSightUsers to account 111122223333, us-east-1\n6 stay as they are\n',
  });
  const { code, stdout } = await run('drift', '--tags');
  expect(stdout).toMatch(/^Never signed in: ben, .*\nNo drift/);
  expect(code).toBe(0);
});

test('a second export leaves out our tags: it is the same', async () => {
  const { stdout } = await run('export');
  expect(stdout).toBe(readFileSync(path.join(desk.folder, 'users.yaml'), 'utf8'));
});

test('plan tells what an edit does to people, and the deployment does it', async () => {
  edit('email: ben@example.com', 'email: ben.new@example.com');
  edit(/ {2}- iamUser: elif\n( {4}.*\n)+/, '  - userName: mia\n    email: mia@example.com\n    role: READER\n');
  const { code, stdout } = await run('plan');
  expect(code).toBe(0);
  expect(stdout.split('\n').slice(1)).toEqual([
    '  - elif loses access (READER)',
    '  + mia joins as READER (mia@example.com)',
    '  ~ ben: e-mail ben@example.com → ben.new@example.com',
    '1 loses access, 1 joins, 1 changes, 4 stay as they are',
    '',
  ]);
  const { stdout: json } = await run('plan', '--json');
  expect(JSON.parse(json)).toMatchObject({
    account: ACCOUNT,
    stack: 'QuickSightUsers',
    unchanged: 4,
    entries: [
      { action: 'loses', user: 'elif' },
      { action: 'joins', user: 'mia' },
      {
        action: 'changes',
        user: 'ben',
        changes: [{ property: 'e-mail', from: 'ben@example.com', to: 'ben.new@example.com' }],
      },
    ],
  });
  expect((await run('plan', '--markdown')).stdout).toMatch(/^### QuickSight users: 1 loses access, 1 joins/);

  expect(await deploy()).toMatchObject({ succeeded: true });
  expect(desk.quickSight.user('default', 'elif')).toBeUndefined();
  expect(desk.quickSight.user('default', 'ben')).toMatchObject({ email: 'ben.new@example.com', role: 'ADMIN_PRO' });
  expect(await run('drift')).toMatchObject({ code: 0 });
});

test('plan refuses what the deployment would refuse, and ends with 1', async () => {
  await desk.register('zoe');
  edit(/$/, '  - { userName: zoe, email: zoe@example.com, role: READER, onExisting: fail }\n');
  edit('role: AUTHOR\n    groups', 'role: READER\n    groups');
  const { code, stdout } = await run('plan');
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ {2}! ana is AUTHOR and cannot become READER: .*it has been activated, and may own assets/m);
  expect(stdout).toMatch(/^ {2}! zoe exists already: declare another name, or onExisting: adopt$/m);
  expect((await deploy()).succeeded).toBe(false);
});

test('drift finds what was changed by hand, and holders whose stack is gone', async () => {
  desk.quickSight.setRole('default', 'ben', 'AUTHOR');
  const { tags } = desk.quickSight.user('partners', 'kofi')!;
  const gone = 'cdk-quicksight-users:held-by:0123456789abcdef';
  desk.quickSight.setTags('partners', 'kofi', { ...tags, [gone]: '1/request/old-root/old-stack/Kofi' });
  const { code, stdout } = await run('drift', '--tags', '--only-declared');
  expect(code).toBe(2);
  expect(stdout).toMatch(/^ben +default +role +ADMIN_PRO +AUTHOR$/m);
  expect(stdout).toMatch(new RegExp(`^kofi +partners +holder not found +${gone} of stack old-stack$`, 'm'));
  expect(stdout).toMatch(/^zoe +default +held by no stack$/m);
});

test('without an answer of CloudFormation a plan would be wrong: that is an error', async () => {
  const args = { AWS_ENDPOINT_URL_CLOUDFORMATION: 'http://127.0.0.1:9' };
  for (const command of [['plan'], ['drift', '--tags']]) {
    const { code, stderr } = await desk.run(command, args);
    expect(stderr).toMatch(/^CloudFormation failed: ECONNREFUSED: .* Look whether the network, /);
    expect(code).toBe(1);
  }
});
