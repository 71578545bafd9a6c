import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, NestedStack, Stack } from 'aws-cdk-lib';
import { usersFileReader } from '../lib/private/users-files';
import { type Declare, declareBareResources, declareUsers } from './declarations';
import { median, ratioRow, type Row } from './row';

const ROUNDS = 7;
const MANY = 10_000;
/** A run of so many users is long enough to be judged by itself, nearly. */
const ROUNDS_OF_MANY = 3;
/** As `QuickSightUsers` spreads them. */
const NESTED_STACKS = 32;

/** Synthesizing users, beside the same users as bare CfnResources that check and know nothing. */
export function synthTime(): Row[] {
  synth(100, declareUsers);
  synth(100, declareBareResources);
  const rows: Row[] = [];
  const times = new Map<number, { readonly ours: number; readonly bare: number }>();
  for (const users of [1, 100, 480, MANY]) {
    const runs = Array.from({ length: users === MANY ? ROUNDS_OF_MANY : ROUNDS }, () => [
      synth(users, declareUsers),
      synth(users, declareBareResources),
    ]);
    const [ours, bare] = [0, 1].map((which) => median(runs.map((run) => run[which]!.time))) as [number, number];
    times.set(users, { ours, bare });
    const besides = { value: bare, unit: 'ms', name: 'bare CfnResources' };
    // A single user has to carry the provider, which bare resources do without.
    const limit = users === 1 ? undefined : 2;
    rows.push(ratioRow(`Synth of ${name(users)}`, { value: ours, unit: 'ms' }, besides, limit));
  }
  // Without the provider, whose policy, role and asset bare resources do not have.
  const further = (which: 'ours' | 'bare') => ({
    value: (1000 * (times.get(480)![which] - times.get(100)![which])) / 380,
    unit: 'µs',
  });
  const each = (users: number) => ({ value: (1000 * times.get(users)!.ours) / users, unit: 'µs' });
  rows.push(
    ratioRow('Synth, each user more', further('ours'), { ...further('bare'), name: 'bare CfnResource' }, 2),
    ratioRow(
      `Synth, each of ${MANY.toLocaleString('en')} users`,
      each(MANY),
      { ...each(480), name: 'each of 480' },
      1.5,
    ),
  );
  const bytes = (declare: Declare) => ({
    value: (synth(101, declare).bytes - synth(1, declare).bytes) / 100,
    unit: 'bytes',
  });
  rows.push(
    ratioRow('Template, each user', bytes(declareUsers), { ...bytes(declareBareResources), name: 'bare CfnResource' }),
    readingTime(),
  );
  return rows;
}

function name(users: number): string {
  const where = users === MANY ? ` in ${NESTED_STACKS} nested stacks` : '';
  return `${users.toLocaleString('en')} user${users > 1 ? 's' : ''}${where}`;
}

function synth(users: number, declare: Declare) {
  const outdir = mkdtempSync(path.join(tmpdir(), 'bench-'));
  try {
    const start = performance.now();
    const app = new App({ outdir, analyticsReporting: false });
    const stack = new Stack(app, 'Bench');
    const names = Array.from({ length: users }, (_, index) => `user${index}`);
    if (users === MANY) {
      const size = Math.ceil(users / NESTED_STACKS);
      for (let from = 0; from < users; from += size) {
        declare(new NestedStack(stack, `From${from}`), names.slice(from, from + size));
      }
    } else declare(stack, names);
    const { template } = app.synth().getStackByName('Bench');
    const time = performance.now() - start;
    return { time, bytes: JSON.stringify(template).length };
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** Reading users files is no part of the other rows: users can be declared in code. */
function readingTime(): Row {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
  try {
    const file = path.join(folder, 'users.yaml');
    const entry = (_: unknown, index: number) =>
      `  - userName: user${index}\n    email: user${index}@example.com\n    role: READER`;
    writeFileSync(file, ['users:', ...Array.from({ length: MANY }, entry)].join('\n'));
    const { readUsersFiles } = usersFileReader();
    const times = Array.from({ length: ROUNDS_OF_MANY }, () => {
      const start = performance.now();
      readUsersFiles([file]);
      return performance.now() - start;
    });
    return {
      measure: `Reading a users file of ${name(MANY).split(' in ')[0]}`,
      ours: `${median(times).toFixed(0)} ms`,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
