import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ListUsersCommand, QuickSightClient, RegisterUserCommand } from '@aws-sdk/client-quicksight';
import { EmbeddedAws } from '../../local/start/embedded-aws';

/*
 * `npm start` as a person uses it: the tests tell one story, each continues where the one before ended.
 */

jest.setTimeout(60_000);

const ROOT = path.join(__dirname, '../..');
let folder: string;
let usersFile: string;
let state: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'npm-start-'));
  usersFile = path.join(folder, 'users.yaml');
  state = path.join(folder, 'state');
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(...args: string[]): ChildProcess {
  return startInto('pipe', ...args);
}

function startInto(stdout: 'pipe' | number, ...args: string[]): ChildProcess {
  const all = ['--import', 'tsx', 'local/start.ts', '--users', usersFile, '--state', state, ...args];
  const env = { ...process.env, CDK_VALIDATION: 'false' };
  return spawn(process.execPath, all, { cwd: ROOT, env, stdio: ['ignore', stdout, 'pipe'] });
}

async function npmStart(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = start(...args);
  const [stdout, stderr] = [text(child.stdout!), text(child.stderr!)];
  const [code] = await once(child, 'close');
  return { code, stdout: await stdout, stderr: await stderr };
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
}

function declare(...users: string[]): void {
  writeFileSync(usersFile, ['users:', ...users.map((user) => `  - { ${user} }`)].join('\n'));
}

/** The table at the end of the output: the first four columns and the e-mail address of each user. */
function usersIn(stdout: string): string[] {
  const lines = stdout.trimEnd().split('\n');
  return lines.slice(lines.findIndex((line) => line.startsWith('USER ')) + 1).map((line) => line.replace(/ +/g, ' '));
}

const ANA = 'userName: ana, email: ana@example.com, role: READER';
const BOB = 'iamUser: staff/bob, email: bob@example.com, role: ADMIN';
const CLEO = 'iamRole: Team, sessionName: cleo, email: cleo@example.com, role: READER, namespace: partners';

test('the first run deploys the file and shows changes, events, outputs and users in plain lines', async () => {
  declare(ANA, BOB, CLEO);
  const { code, stdout, stderr } = await npmStart();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toContain('\x1b');
  expect(stdout).toContain(
    [
      'Changes',
      '  + ana: READER, ana@example.com',
      '  + bob: ADMIN, bob@example.com',
      '  + Team/cleo (partners): READER, cleo@example.com',
    ].join('\n'),
  );
  expect(stdout).toContain('Made the namespace partners, which has to exist in a real account.');
  expect(stdout).toMatch(/^ {2}CREATE_COMPLETE +bob$/m);
  expect(stdout).toMatch(/^Done: 3 users added \(\d+\.\d s, 3 calls to QuickSight\)\.$/m);
  expect(stdout).toMatch(
    /^ {2}ana\n {4}Arn +arn:aws:quicksight:us-east-1:111122223333:user\/default\/ana\n {4}InvitationUrl +https:/m,
  );
  expect(usersIn(stdout)).toEqual([
    'ana default READER QUICKSIGHT ana@example.com no',
    'bob default ADMIN IAM bob@example.com no',
    'Team/cleo partners READER IAM cleo@example.com no',
  ]);
});

test('a run without an edit says so and touches neither QuickSight nor CloudFormation', async () => {
  const kept = () =>
    ['quicksight.json', 'cloudformation.json'].map((file) => readFileSync(path.join(state, file), 'utf8'));
  const before = kept();
  declare(CLEO, ANA, BOB);
  const { code, stdout } = await npmStart();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Nothing has changed since the last deployment: 3 users, nothing was called\.$/m);
  expect(stdout).not.toContain('Deploying');
  expect(kept()).toEqual(before);
});

test('after an edit, the run shows what changes and deploys just that', async () => {
  declare(ANA.replace('READER', 'AUTHOR'), BOB, 'userName: dora, email: dora@example.com, role: READER');
  const { code, stdout } = await npmStart();
  expect(code).toBe(0);
  expect(stdout).toContain(
    [
      'Changes',
      '  + dora: READER, dora@example.com',
      '  ~ ana: role READER → AUTHOR',
      '  - Team/cleo (partners): leaves QuickSight',
      '',
    ].join('\n'),
  );
  expect(stdout).not.toMatch(/_COMPLETE +bob/);
  expect(stdout).toMatch(/^Done: 1 user added, 1 changed, 1 removed/m);
  expect(usersIn(stdout)).toEqual([
    'ana default AUTHOR QUICKSIGHT ana@example.com no',
    'bob default ADMIN IAM bob@example.com no',
    'dora default READER QUICKSIGHT dora@example.com no',
  ]);
});

test('a broken file deploys nothing, and its problems are all that stderr gets', async () => {
  declare(ANA.replace('READER', 'READRE'), BOB);
  const { code, stdout, stderr } = await npmStart();
  expect(code).toBe(1);
  expect(stdout).toBe('');
  const roles = 'READER, AUTHOR, ADMIN, READER_PRO, AUTHOR_PRO, ADMIN_PRO';
  expect(stderr).toBe(`${usersFile}:2:52 role 'READRE' is not one of ${roles}; did you mean READER?\n`);
});

test('a failed deployment exits with 1, shows the reason and the roll-back, and leaves the users as they were', async () => {
  const aws = await EmbeddedAws.start(state);
  const zoe = { UserName: 'zoe', Email: 'zoe@example.com', UserRole: 'READER', IdentityType: 'QUICKSIGHT' } as const;
  await aws.client.send(new RegisterUserCommand({ AwsAccountId: '111122223333', Namespace: 'default', ...zoe }));
  await aws.stop();

  declare(ANA.replace('READER', 'ADMIN'), BOB, 'userName: zoe, email: z@example.com, role: AUTHOR');
  const { code, stdout } = await npmStart();
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ {2}UPDATE_ROLLBACK_IN_PROGRESS +QuickSightUsers: /m);
  expect(stdout).toMatch(
    /^The deployment failed and ended in UPDATE_ROLLBACK_COMPLETE \(.*\):\n {2}zoe: user "zoe" .*exists/m,
  );
  expect(usersIn(stdout)).toEqual([
    'ana default AUTHOR QUICKSIGHT ana@example.com no',
    'bob default ADMIN IAM bob@example.com no',
    'dora default READER QUICKSIGHT dora@example.com no',
    'zoe default READER QUICKSIGHT zoe@example.com no',
  ]);
});

test('a deployment whose reader goes away is finished, and leaves no lock', async () => {
  declare(ANA.replace('READER', 'ADMIN'), BOB);
  const child = start();
  const stderr = text(child.stderr!);
  await once(child.stdout!, 'data');
  child.stdout!.destroy();
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await stderr).toBe('');
  expect(existsSync(path.join(state, 'lock'))).toBe(false);
  expect((await npmStart()).stdout).toContain('Nothing has changed since the last deployment: 2 users');
});

test('a deployment whose output cannot be written is finished, and says once what is lost', async () => {
  declare(ANA, BOB);
  // Open for reading only: as good as a full disk, and to be had everywhere.
  const unwritable = openSync(__filename, 'r');
  const child = startInto(unwritable);
  closeSync(unwritable);
  const stderr = text(child.stderr!);
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(await stderr).toMatch(/^the output cannot be written \(EBADF: .*\): the work is finished without it\n$/);
  expect((await npmStart()).stdout).toContain('Nothing has changed since the last deployment: 2 users');
});

test('serve offers the users to any SDK, keeps other runs out, and ends with Ctrl-C', async () => {
  const port = await freePort();
  const server = start('serve', '--port', String(port));
  const [line] = await once(server.stdout!, 'data');
  expect(String(line)).toContain(`QuickSight of account 111122223333 is at http://127.0.0.1:${port} until Ctrl-C.`);

  const client = new QuickSightClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
  const { UserList = [] } = await client.send(
    new ListUsersCommand({ AwsAccountId: '111122223333', Namespace: 'default' }),
  );
  client.destroy();
  expect(UserList.map(({ UserName }) => UserName).sort()).toEqual(['ana', 'bob', 'zoe']);

  const { code, stderr } = await npmStart('list');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^another npm start \(process \d+\) is using /);

  server.kill('SIGINT');
  expect(await once(server, 'exit')).toEqual([0, null]);
});

test('destroy deletes the users of the stack and nobody else', async () => {
  const { code, stdout } = await npmStart('destroy');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}DELETE_COMPLETE +QuickSightUsers$/m);
  expect(usersIn(stdout)).toEqual(['zoe default READER QUICKSIGHT zoe@example.com no']);
});

test('list shows the users, and reset forgets all of them', async () => {
  const list = await npmStart('list');
  expect(usersIn(list.stdout)).toEqual(['zoe default READER QUICKSIGHT zoe@example.com no']);

  expect(await npmStart('reset')).toEqual({ code: 0, stdout: `Removed the embedded AWS in ${state}.\n`, stderr: '' });
  expect(existsSync(state)).toBe(false);
});

test('a state that cannot be read is told with the way out, and reset is one', async () => {
  mkdirSync(state);
  writeFileSync(path.join(state, 'cloudformation.json'), '{');
  const { code, stderr } = await npmStart('list');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `${path.join(state, 'cloudformation.json')} is no state of this embedded AWS: start over with npm start reset, or remove it\n`,
  });
  expect(await npmStart('reset')).toMatchObject({ code: 0 });
  expect(await npmStart('list')).toMatchObject({ code: 0, stdout: 'QuickSight has no users.\n' });
});

test('a warning about a user is shown once', async () => {
  declare('userName: odd, email: odd, role: READER');
  const { stdout, stderr } = await npmStart();
  expect((stdout + stderr).match(/unusual form.*/g)).toEqual([
    'unusual form: QuickSight accepts it, but check its spelling',
  ]);
});

test('a command line that makes no sense is refused in one line', async () => {
  expect(await npmStart('--prot', '1')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'unknown option --prot; did you mean --port?\n',
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
