import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { Desk } from './command-line';

let desk: Desk;
afterEach(() => desk.stop());

test('writes users with groups, tags and logins, those of other namespaces too, and leaves out our own tags', async () => {
  desk = await Desk.start();
  await desk.namespace('partners');
  await desk.register('ana', {
    UserRole: 'AUTHOR',
    CustomPermissionsName: 'no-exports',
    Tags: [
      { Key: 'team', Value: 'sales' },
      { Key: 'cost-center', Value: '4711' },
      { Key: 'cdk-quicksight-users:adopted', Value: 'true' },
    ],
  });
  await desk.register('bruno', { IdentityType: 'IAM', IamArn: 'arn:aws:iam::111122223333:user/staff/bruno' });
  await desk.register('DataTeam/carla@example.com', {
    IdentityType: 'IAM',
    IamArn: 'arn:aws:iam::111122223333:role/DataTeam',
    SessionName: 'carla@example.com',
    Email: 'carla@example.com',
    ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
    CustomFederationProviderUrl: 'https://login.example.com',
    ExternalLoginId: 'carla-1',
  });
  await desk.register('lena', {
    Namespace: 'partners',
    ExternalLoginFederationProviderType: 'COGNITO',
    ExternalLoginId: 'us-east-1:5b2c',
  });
  await desk.group('analysts', ['ana', 'bruno']);
  await desk.group('all: of us', ['ana']);
  await desk.group('guests', [], 'partners');

  const { code, stdout, stderr } = await desk.run(['export']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('# The users of QuickSight account 111122223333 (us-east-1)');
  expect(stdout.slice(stdout.indexOf('\ndefaults:'))).toBe(`
defaults:
  onExisting: adopt

groups:
  "all: of us": { description: "The all: of us", existing: true }
  analysts: { description: The analysts, existing: true }

namespaces:
  partners:
    groups:
      guests: { description: The guests, existing: true }

users:
  - iamRole: DataTeam
    sessionName: carla@example.com
    email: carla@example.com
    role: READER
    externalLogin:
      customOidc:
        providerUrl: "https://login.example.com"
        loginId: carla-1
  - userName: ana
    email: ana@example.com
    role: AUTHOR
    groups: ["all: of us", analysts]
    customPermissionsName: no-exports
    tags:
      cost-center: "4711"
      team: sales
  - iamUser: bruno
    email: bruno@example.com
    role: READER
    groups: [analysts]
  - userName: lena
    namespace: partners
    email: lena@example.com
    role: READER
    externalLogin:
      cognito: { loginId: "us-east-1:5b2c" }
`);
});

test('users and groups that no file can declare are comments that say why', async () => {
  desk = await Desk.start();
  await desk.register('ana');
  await desk.group('a/../b', ['ana']);
  const IamArn = 'arn:aws:iam::111122223333:role/Gone';
  await desk.register('gone', { IdentityType: 'IAM', IamArn, SessionName: 'gone' });
  await desk.register('cal', { IdentityType: 'IAM_IDENTITY_CENTER' });
  await desk.register('rob');
  desk.quickSight.removeIamIdentity(IamArn);
  desk.quickSight.setRole('default', 'rob', 'RESTRICTED_READER');

  const { code, stdout } = await desk.run(['export', '--output', 'out.yaml']);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'out.yaml: 1 user, 0 groups, and 4 that no file can declare, as comments\n',
  });
  const written = readFileSync(path.join(desk.folder, 'out.yaml'), 'utf8');
  expect(written).toMatch(/^#   N\/A: READER, gone@example.com, federated\/iam\/AROA\w+:gone$/m);
  expect(written).toContain('#     Its IAM identity is gone. Nobody can sign in as it;');
  expect(written).toContain('Its identity type is IAM_IDENTITY_CENTER, which files do not declare.');
  expect(written).toContain(
    '#   group a/../b: 1 member\n#     Its name has "." or ".." for a path segment: use another name.\n',
  );
  expect(written).not.toContain('groups:');
  expect(written).toContain('Its role RESTRICTED_READER is none that can be declared.');
  expect(statSync(path.join(desk.folder, 'out.yaml')).mode & 0o077).toBe(0);
});

test('a file that is there is kept unless --force is given', async () => {
  desk = await Desk.start();
  desk.write('mine', 'users.yaml');
  expect(await desk.run(['export', '--output', 'users.yaml'])).toMatchObject({
    code: 1,
    stderr: 'users.yaml is there already: name another file with --output, or write over it with --force\n',
  });
  expect(desk.calls()).toEqual([]);
  expect(await desk.run(['export', '--output', 'users.yaml', '--force'])).toMatchObject({ code: 0 });
  expect(readFileSync(path.join(desk.folder, 'users.yaml'), 'utf8')).toMatch(/^users: \[\]$/m);
  expect(existsSync(path.join(desk.folder, 'out.yaml'))).toBe(false);
});

test('a file that cannot be written is told before anything is read, and one written over is for nobody else', async () => {
  desk = await Desk.start();
  expect(await desk.run(['export', '--output', 'none/users.yaml'])).toMatchObject({
    code: 1,
    stderr:
      'none/users.yaml cannot be written, because the folder none does not exist: name another file with --output\n',
  });
  expect(await desk.run(['export', '--output', '.', '--force'])).toMatchObject({
    stderr: '. is no file: name another file with --output\n',
  });
  expect(desk.calls()).toEqual([]);
  expect((await desk.run(['export', '--output', '--force'])).stderr).toBe(
    'option --output needs a value: --output FILE\n',
  );
  desk.write('mine', 'linked.yaml');
  symlinkSync('linked.yaml', path.join(desk.folder, 'link.yaml'));
  expect(await desk.run(['export', '--output', 'link.yaml', '--force'])).toMatchObject({ code: 0 });
  expect(readFileSync(path.join(desk.folder, 'linked.yaml'), 'utf8')).toMatch(/^users: \[\]$/m);
  desk.write('mine', 'users.yaml');
  await desk.run(['export', '--output', 'users.yaml', '--force']);
  expect(statSync(path.join(desk.folder, 'users.yaml')).mode & 0o077).toBe(0);
  expect(readdirSync(desk.folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  expect((await desk.run(['export', '--output', '-'])).stdout).toMatch(/^users: \[\]$/m);
});

test('a user with too many tags to be adopted is a comment', async () => {
  desk = await Desk.start();
  const Tags = Array.from({ length: 49 }, (_, index) => ({ Key: `key${index}`, Value: 'x' }));
  await desk.register('ana', { Tags });
  expect((await desk.run(['export'])).stdout).toMatch(
    /^#   ana: .*\n#     It has 49 tags with those declared, and an adoption takes 3 of the 50 that QuickSight allows: take 2 off first\.$/m,
  );
});

test('all pages are read, each once, and --no-tags saves one call a user', async () => {
  desk = await Desk.start();
  const names = Array.from({ length: 250 }, (_, index) => `user${index}`);
  for (const name of names) await desk.register(name);
  await desk.group('all', names);
  desk.calls();
  const { stdout } = await desk.run(['export', '--no-tags']);
  expect(stdout.match(/groups: \[all\]/g)).toHaveLength(250);
  expect(desk.calls().sort()).toEqual([
    ...Array<string>(3).fill('ListGroupMemberships'),
    'ListGroups',
    'ListNamespaces',
    ...Array<string>(3).fill('ListUsers'),
  ]);
});

test('throttling, a broken connection and a page of HTML on the way are outlasted', async () => {
  desk = await Desk.start({ requestsPerSecond: 100, burst: 10 });
  for (let index = 0; index < 30; index++) await desk.register(`user${index}`);
  desk.quickSight.faults.add({ operation: 'ListUsers', kind: 'throttle' });
  desk.quickSight.faults.add({ operation: 'ListGroups', kind: 'reset' });
  desk.quickSight.faults.add({ operation: 'ListTagsForResource', kind: 'html', times: 3 });
  const { code, stdout } = await desk.run(['export']);
  expect(code).toBe(0);
  expect(stdout.match(/- userName/g)).toHaveLength(30);
});

test('what QuickSight names is followed to the identity region', async () => {
  desk = await Desk.start({ identityRegion: 'eu-central-1' });
  await desk.register('ana');
  desk.calls();
  const { code, stdout } = await desk.run(['export']);
  expect(code).toBe(0);
  expect(stdout).toContain('(eu-central-1)');
  expect(stdout).toContain('userName: ana');
  expect(desk.calls().filter((name) => name === 'ListNamespaces')).toHaveLength(2);
});
