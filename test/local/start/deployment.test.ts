import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { CreateGroupCommand, RegisterUserCommand } from '@aws-sdk/client-quicksight';
import { isUser, userName } from '../../../local/start/changes';
import { deploy, destroy } from '../../../local/start/deployment';
import { ACCOUNT_ID, cloudFormationIn, EmbeddedAws } from '../../../local/start/embedded-aws';
import { Terminal } from '../../../bin/terminal';

jest.setTimeout(60_000);

let folder: string;
let shown: PassThrough;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'deployment-'));
  shown = new PassThrough();
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function run(...users: string[]): Promise<boolean> {
  return runFile('users:', ...users.map((user) => `  - { ${user} }`));
}

function runFile(...lines: string[]): Promise<boolean> {
  const usersFile = path.join(folder, 'users.yaml');
  writeFileSync(usersFile, lines.join('\n'));
  return deploy({ users: usersFile }, folder, new Terminal(shown));
}

/** What somebody does to the embedded AWS before it is deployed to. */
async function beforehand(work: (aws: EmbeddedAws) => Promise<unknown>): Promise<void> {
  const aws = await EmbeddedAws.start(folder);
  await work(aws);
  await aws.stop();
}

/** CloudFormation will not manage to delete this user. */
function deletionFails(name: string): void {
  const { Resources } = cloudFormationIn(folder).describeStack('QuickSightUsers')!.template;
  const [logicalId] = Object.entries(Resources).find(
    ([, resource]) => isUser(resource) && userName(resource) === name,
  )!;
  const start = EmbeddedAws.start.bind(EmbeddedAws);
  jest.spyOn(EmbeddedAws, 'start').mockImplementationOnce(async (...args) => {
    const aws = await start(...args);
    for (let attempt = 0; attempt < 3; attempt++) aws.cloudFormation.failNext({ logicalId, action: 'delete' });
    return aws;
  });
}

const ANA = 'userName: ana, email: ana@example.com, role: READER';
const BEN = 'userName: ben, email: ben@example.com, role: READER';

test('a deployment whose clean-up gives up names what it leaves behind', async () => {
  await run(ANA, BEN);
  deletionFails('ben');
  shown.read();
  expect(await run(ANA)).toBe(true);
  expect(String(shown.read())).toMatch(
    /^Left behind, because the clean-up could not delete it:\n {2}ben: .* ordered to fail\n(?! {2}ben)/m,
  );
});

test('a retained user is told with what the next deployment makes of it, and that is what it does', async () => {
  const retained = [`${ANA}, removalPolicy: retain`, `${BEN}, removalPolicy: retain, onExisting: adopt`] as const;
  await run(...retained);
  shown.read();
  await destroy(folder, new Terminal(shown));
  const said = String(shown.read());
  expect(said).toMatch(
    /^ana stays in QuickSight, because .* A new deployment\nrefuses to take it over: set its onExis/m,
  );
  expect(said).toMatch(
    /^ben stays in QuickSight, because .* A new deployment\nadopts it, because its onExisting is ado/m,
  );

  expect(await run(retained[0])).toBe(false);
  expect(await run(retained[1])).toBe(true);
  expect(await run(`${retained[0]}, onExisting: adopt`, retained[1])).toBe(true);
});

test('a user that existed before the deployment is counted as adopted, and not as added', async () => {
  await beforehand(({ client }) =>
    client.send(
      new RegisterUserCommand({
        ...{ AwsAccountId: ACCOUNT_ID, Namespace: 'default', IdentityType: 'QUICKSIGHT' },
        ...{ UserName: 'ben', Email: 'ben@example.com', UserRole: 'READER' },
      }),
    ),
  );
  expect(await run(`${ANA}, onExisting: adopt`, `${BEN}, onExisting: adopt`)).toBe(true);
  const said = String(shown.read());
  expect(said).toContain('  + ben: READER, ben@example.com, adopted if it exists\n');
  expect(said).toMatch(/^Done: 1 user added, 1 adopted \(/m);
});

test('a group that fails is told by its name', async () => {
  await beforehand(({ client }) =>
    client.send(new CreateGroupCommand({ AwsAccountId: ACCOUNT_ID, Namespace: 'default', GroupName: 'made' })),
  );
  expect(await runFile('groups: { made: }', `users: [{ ${ANA} }]`)).toBe(false);
  const said = String(shown.read());
  expect(said).toMatch(/^ {2}CREATE_FAILED +group made: Resource handler/m);
  expect(said).toMatch(/^The deployment failed .*\n {2}group made: Resource handler/m);
});

test('a deployment to a half-deleted stack says why it fails and what to do', async () => {
  await run(ANA, BEN);
  deletionFails('ben');
  expect(await destroy(folder, new Terminal(shown))).toBe(false);
  shown.read();
  expect(await run(ANA, BEN)).toBe(false);
  expect(String(shown.read())).toMatch(
    /^The deployment failed and ended in DELETE_FAILED \(.*\):\n {2}the stack QuickSightUsers is half deleted .*destroy it first$/m,
  );
});

test('a deployment after one that was stopped half-way says what it does first, and that it can take a while', async () => {
  const start = EmbeddedAws.start.bind(EmbeddedAws);
  const stopped = new Promise<void>((resolve) => {
    jest.spyOn(EmbeddedAws, 'start').mockImplementationOnce(async (aFolder, options) => {
      const aws = await start(aFolder, {
        ...options,
        onEvent: (event) => {
          options?.onEvent?.(event);
          // As the second Ctrl-C does.
          if (event.type === 'Custom::QuickSightUser') resolve(aws.stop());
        },
      });
      return aws;
    });
  });
  void run(ANA).catch(() => undefined);
  await stopped;
  shown.read();
  expect(await run(ANA)).toBe(true);
  expect(String(shown.read())).toMatch(
    /^The last run left it in CREATE_IN_PROGRESS, which is settled first\. That can take a minute:\n.+ waited for/m,
  );
});

test('users who cross over into nested stacks are told as unchanged, and the one who comes as added', async () => {
  let said = '';
  const stream = new Writable({ write: (chunk, _, done) => done(void (said += String(chunk))) });
  const file = path.join(folder, 'users.yaml');
  const entry = (_: unknown, index: number) => `  - { userName: user${index}, email: a@example.com, role: READER }`;
  // Groups count towards what a stack holds, and are made sooner than users.
  const groups = ['groups:', ...Array.from({ length: 480 }, (_, index) => `  group${index}:`)];
  const deployed = (users: number) => {
    said = '';
    writeFileSync(file, [...groups, 'users:', ...Array.from({ length: users }, entry)].join('\n'));
    return deploy({ users: file }, folder, new Terminal(stream));
  };
  expect(await deployed(10)).toBe(true);
  expect(await deployed(11)).toBe(true);
  expect(said).toMatch(/^Changes\n {2}\+ user10: READER, a@example.com\n\nDeploying/m);
  expect(said).toMatch(/^Done: 1 user added \(/m);
  expect(await deployed(11)).toBe(true);
  expect(said).toMatch(/^Nothing has changed since the last deployment: 11 users, nothing was called/m);
});
