import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { COMMAND_LINE, writeCommandLine } from '../bin/cli/bundle';
import { StacksEndpoint, type StackContents, type StackDescription } from '../local/cloudformation/stacks-endpoint';
import { EmbeddedQuickSight } from '../local/quicksight';
import { emptyContents, type Contents, type StoredUser } from '../local/quicksight/state';
import type { Row } from './row';

const USERS = 10_000;
const GROUPS = 20;
const PAGE = 100;
/** As many as the app puts into one stack. */
const SHARD = 490;
const MOST_MEMORY = 300;

const REGION = 'us-east-1';
const ACCOUNT = '111122223333';
const ROOT: StackDescription = {
  stackId: `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/QuickSightUsers/root`,
  stackName: 'QuickSightUsers',
  status: 'UPDATE_COMPLETE',
  creationTime: '2026-01-01T00:00:00.000Z',
};

const SHARDS = Array.from({ length: Math.ceil(USERS / SHARD) }, (_, shard) => `${ROOT.stackId}-shard-${shard}`);

/**
 * Calls and peak memory of the command line on a big account, beside the fewest calls that there can be: a page of each
 * list for every hundred, and what else has to be read.
 */
export async function commandLine(): Promise<Row[]> {
  await writeCommandLine();
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
  const stateFile = path.join(folder, 'quicksight.json');
  writeFileSync(stateFile, JSON.stringify({ version: 1, state: contents() }));
  writeFileSync(path.join(folder, 'users.yaml'), usersFile());
  const quickSight = await EmbeddedQuickSight.start({ stateFile });
  const stacks = await StacksEndpoint.start({
    find: (name) =>
      name === ROOT.stackName || name === ROOT.stackId || SHARDS.includes(name)
        ? { ...ROOT, ...(SHARDS.includes(name) && { stackId: name }) }
        : undefined,
    contents: (stackId) => stackContents(stackId),
  });
  const rows: Row[] = [size()];
  const pages = USERS / PAGE + GROUPS * Math.ceil(USERS / GROUPS / PAGE);
  try {
    for (const [command, bound, code] of [
      ['plan', pages, 0],
      ['drift', pages + 1, 0],
      ['drift --tags', pages + 1 + USERS, 2],
      ['export', pages + USERS + 2, 0],
    ] as const) {
      const run = await measure(command, folder, { quickSight, stacks });
      if (run.code !== code) throw new Error(`${command} ended with ${run.code}: ${run.stderr}`);
      const what = `quicksight-users ${command}, ${USERS.toLocaleString('en-US')} users`;
      rows.push(
        {
          measure: `${what}: calls of QuickSight`,
          ours: run.calls.toLocaleString('en-US'),
          beside: `lower bound: ${bound.toLocaleString('en-US')}`,
          ratio: run.calls / bound,
          target: '≤ 1.00',
          reached: run.calls <= bound,
        },
        {
          measure: `${what}: peak memory`,
          ours: `${run.megabytes.toFixed(0)} MB in ${run.seconds.toFixed(1)} s`,
          target: `≤ ${MOST_MEMORY} MB`,
          reached: run.megabytes <= MOST_MEMORY,
        },
      );
    }
  } finally {
    await stacks.stop();
    await quickSight.stop();
    rmSync(folder, { recursive: true });
  }
  return rows;
}

function size(): Row {
  return {
    measure: 'Size of the command line, one file',
    ours: `${(statSync(COMMAND_LINE).size / 1000).toFixed(0)} kB`,
  };
}

async function measure(
  command: string,
  folder: string,
  { quickSight, stacks }: { quickSight: EmbeddedQuickSight; stacks: StacksEndpoint },
) {
  const peak = path.join(folder, 'peak');
  const started = Date.now();
  quickSight.calls.length = 0;
  const args = ['--require', path.join(__dirname, 'peak-memory.cjs'), COMMAND_LINE, ...command.split(' ')];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: {
      ...process.env,
      PEAK_MEMORY_FILE: peak,
      AWS_ENDPOINT_URL_QUICKSIGHT: quickSight.url,
      AWS_ENDPOINT_URL_CLOUDFORMATION: stacks.url,
      AWS_REGION: REGION,
      AWS_ACCOUNT_ID: ACCOUNT,
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(createWriteStream(path.join(folder, 'out')));
  let stderr = '';
  child.stderr.on('data', (text) => (stderr += String(text)));
  const [code] = (await once(child, 'close')) as [number];
  return {
    code,
    stderr,
    calls: quickSight.calls.length,
    megabytes: Number(readFileSync(peak, 'utf8')) / 1e6,
    seconds: (Date.now() - started) / 1000,
  };
}

const name = (index: number) => `user-${index}`;
const email = (index: number) => `user-${index}@example.com`;
const group = (index: number) => `group-${index % GROUPS}`;

function contents(): Contents {
  const users = Array.from({ length: USERS }, (_, index): StoredUser => {
    const tags = [{ Key: 'team', Value: `team-${index % 7}` }];
    return {
      ...{ namespace: 'default', userName: name(index), identityType: 'QUICKSIGHT', registeredAt: 0 },
      ...{ principalId: `user/d-1234567890/${index}`, email: email(index), role: 'READER', active: true, tags },
    };
  });
  const groups = Array.from({ length: GROUPS }, (_, index) => ({
    ...{ namespace: 'default', groupName: group(index), principalId: `group/d-1234567890/${index}` },
    members: users.filter((_user, member) => group(member) === group(index)).map(({ principalId }) => principalId),
  }));
  return { ...emptyContents(), users, groups };
}

function usersFile(): string {
  const users = Array.from(
    { length: USERS },
    (_, index) =>
      `  - userName: ${name(index)}\n    email: ${email(index)}\n    role: READER\n    groups: [${group(index)}]\n    tags: { team: team-${index % 7} }\n`,
  );
  return `users:\n${users.join('')}`;
}

/** Everybody as declared, in nested stacks. */
function stackContents(stackId: string): StackContents {
  const status = 'CREATE_COMPLETE';
  if (stackId === ROOT.stackId) {
    const type = 'AWS::CloudFormation::Stack';
    const ids = SHARDS.map((_, shard) => `Shard${shard}`);
    return {
      template: { Resources: Object.fromEntries(ids.map((id) => [id, { Type: type }])) },
      resources: ids.map((logicalId, shard) => ({ logicalId, physicalId: SHARDS[shard], type, status })),
    };
  }
  const first = SHARDS.indexOf(stackId) * SHARD;
  const users = Array.from({ length: Math.min(SHARD, USERS - first) }, (_, index) => first + index);
  const Resources = Object.fromEntries(
    users.map((index) => [
      `User${index}`,
      {
        Type: 'Custom::QuickSightUser',
        Properties: {
          ...{
            ServiceToken: 'arn',
            ServiceTimeout: 3600,
            AwsAccountId: { Ref: 'AWS::AccountId' },
            Namespace: 'default',
          },
          ...{ IdentityType: 'QUICKSIGHT', UserName: name(index), Email: email(index), UserRole: 'READER' },
          ...{ GroupNames: [group(index)], Tags: [{ Key: 'team', Value: `team-${index % 7}` }] },
          RootStackId: ROOT.stackId,
        },
      },
    ]),
  );
  return { template: { Resources }, resources: [] };
}
