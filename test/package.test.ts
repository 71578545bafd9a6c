import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/*
 * The npm package as a consumer gets it: packed, unpacked in another folder, used from plain TypeScript.
 *
 * PEERS=lowest installs the lowest versions that the peer dependencies allow, from the registry; CI runs both.
 */

const ROOT = path.join(__dirname, '..');
const MODULES = path.join(ROOT, 'node_modules');
const { peerDependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

let consumer: string;
let files: string[];

function run(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, {
      cwd: consumer,
      encoding: 'utf8',
      stdio: 'pipe',
      shell: process.platform === 'win32',
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

beforeAll(() => {
  consumer = mkdtempSync(path.join(tmpdir(), 'consumer-'));
  // `npm test` has built what is packed.
  const [packed] = JSON.parse(run('npm', 'pack', ROOT, '--ignore-scripts', '--json'));
  files = packed.files.map(({ path: file }: { path: string }) => file);

  const installed = path.join(consumer, 'node_modules', 'cdk-quicksight-users');
  if (process.env.PEERS === 'lowest') {
    const lowest = Object.entries<string>(peerDependencies).map(([name, range]) => `${name}@${range.replace('^', '')}`);
    writeFileSync(path.join(consumer, 'package.json'), '{}');
    run('npm', 'install', '--no-audit', '--no-fund', packed.filename, ...lowest);
  } else {
    mkdirSync(installed, { recursive: true });
    run('tar', '-xzf', packed.filename, '-C', installed, '--strip-components=1');
    for (const peer of Object.keys(peerDependencies)) {
      symlinkSync(path.join(MODULES, peer), path.join(consumer, 'node_modules', peer), 'junction');
    }
  }
}, 300_000);

afterAll(() => rmSync(consumer, { recursive: true, force: true }));

test('the tarball holds what a consumer needs, and nothing else', () => {
  const expected = [
    'package.json',
    'README.md',
    'LICENSE',
    'API.md',
    '.jsii',
    'users.schema.json',
    'bin/dist/users-file.js',
    'bin/dist/users-file.THIRD_PARTY_NOTICES',
    'lambda/dist/index.js',
    'bin/dist/quicksight-users.js',
    'bin/dist/quicksight-users.THIRD_PARTY_NOTICES',
    'lib/index.js',
    'lib/index.d.ts',
  ];
  expect(files).toEqual(expect.arrayContaining(expected));
  const compiled = /^lib\/.*\.(js|d\.ts)$/;
  expect(
    files.filter((file) => !compiled.test(file) && !expected.includes(file) && file !== 'lambda/THIRD_PARTY_NOTICES'),
  ).toEqual([]);
});

test('API.md is what the docstrings say', () => {
  const generated = path.join(consumer, 'API.md');
  execFileSync(process.execPath, [path.join(MODULES, 'jsii-docgen', 'bin', 'jsii-docgen'), '-o', generated], {
    cwd: ROOT,
    stdio: 'pipe',
  });
  // Otherwise `npm run docs` has not been run since they changed.
  expect(readFileSync(path.join(ROOT, 'API.md'), 'utf8')).toBe(readFileSync(generated, 'utf8'));
}, 60_000);

test('it brings no runtime dependency', () => {
  const { dependencies } = JSON.parse(
    readFileSync(path.join(consumer, 'node_modules', 'cdk-quicksight-users', 'package.json'), 'utf8'),
  );
  expect(dependencies).toBeUndefined();
});

test('its command line runs with nothing beside it', () => {
  writeFileSync(path.join(consumer, 'one.yaml'), 'users: [{ userName: ana, email: ana@example.com, role: READER }]');
  const { bin } = JSON.parse(
    readFileSync(path.join(consumer, 'node_modules', 'cdk-quicksight-users', 'package.json'), 'utf8'),
  );
  const commandLine = path.join('node_modules', 'cdk-quicksight-users', bin['quicksight-users']);
  expect(run(process.execPath, commandLine, 'validate', 'one.yaml')).toBe('one.yaml: 1 user, 0 groups, all is well\n');
});

test('a plain TypeScript project in another folder compiles against it and synthesizes', () => {
  writeFileSync(
    path.join(consumer, 'app.ts'),
    `import { App, CfnOutput, Stack, Tags } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  ExistingUserPolicy,
  ExternalLogin,
  QuickSightUser,
  QuickSightUserProps,
  QuickSightUsers,
  UserIdentity,
  UserRole,
} from 'cdk-quicksight-users';

const app = new App({ outdir: 'cdk.out' });
const stack = new Stack(app, 'Analytics');
const props: QuickSightUserProps = {
  identity: UserIdentity.quickSight('ana'),
  email: 'ana@example.com',
  userRole: UserRole.AUTHOR,
  externalLogin: ExternalLogin.cognito('pool:1'),
  onExisting: ExistingUserPolicy.ADOPT,
  invitationSecret: new Secret(stack, 'Invitation'),
};
const ana: QuickSightUser = new QuickSightUser(stack, 'Ana', props);
Tags.of(ana).add('team', 'sales');
new CfnOutput(stack, 'AnaArn', { value: ana.userArn });
const people = new QuickSightUsers(new Stack(app, 'People'), 'People', { files: ['teams/*.yaml'], shards: 2 });
Tags.of(people.user('ben')).add('team', 'sales');
app.synth();
`,
  );
  mkdirSync(path.join(consumer, 'teams'));
  writeFileSync(
    path.join(consumer, 'teams', 'sales.yaml'),
    'groups: { sales: Sells }\nusers: [{ userName: ben, email: ben@example.com, role: READER, groups: [sales] }]',
  );
  writeFileSync(
    path.join(consumer, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { strict: true, target: 'es2022', module: 'node16', skipLibCheck: true, types: [] },
      files: ['app.ts'],
    }),
  );
  run(process.execPath, path.join(MODULES, 'typescript', 'bin', 'tsc'));
  execFileSync(process.execPath, ['app.js'], {
    cwd: consumer,
    env: { ...process.env, CDK_VALIDATION: 'false' },
    stdio: 'pipe',
  });

  const out = path.join(consumer, 'cdk.out');
  const template = JSON.parse(readFileSync(path.join(out, 'Analytics.template.json'), 'utf8'));
  const types = Object.values<{ Type: string }>(template.Resources).map(({ Type }) => Type);
  expect(types.filter((type) => type !== 'AWS::CDK::Metadata').sort()).toEqual([
    'AWS::IAM::Role',
    'AWS::Lambda::Function',
    'AWS::Logs::LogGroup',
    'AWS::SecretsManager::Secret',
    'Custom::QuickSightUser',
  ]);
  const people = JSON.parse(readFileSync(path.join(out, 'People.template.json'), 'utf8'));
  const typesOfPeople = Object.values<{ Type: string }>(people.Resources).map(({ Type }) => Type);
  expect(typesOfPeople).toEqual(expect.arrayContaining(['AWS::QuickSight::Group', 'AWS::CloudFormation::Stack']));
  const asset = readdirSync(out).find((name) => name.startsWith('asset.'))!;
  const handler = (folder: string) => readFileSync(path.join(folder, 'index.js'));
  expect(handler(path.join(out, asset)).equals(handler(path.join(ROOT, 'lambda', 'dist')))).toBe(true);
}, 120_000);
