import { App, Stack } from 'aws-cdk-lib';
import { type Declare, declareBareResources, declareUsers } from './declarations';
import { median, ratioRow, type Row } from './row';

const ROUNDS = 7;

/** Synthesizing one stack of users, beside the same users as bare CfnResources that check and know nothing. */
export function synthTime(): Row[] {
  synth(100, declareUsers);
  synth(100, declareBareResources);
  const rows = [1, 100, 480].map((users) => {
    const times: [number, number][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      times.push([synth(users, declareUsers).time, synth(users, declareBareResources).time]);
    }
    const ours = { value: median(times.map(([time]) => time)), unit: 'ms' };
    const bare = { value: median(times.map(([, time]) => time)), unit: 'ms', name: 'bare CfnResources' };
    return ratioRow(`Synth of ${users} user${users > 1 ? 's' : ''}`, ours, bare);
  });
  const bytes = (declare: Declare) => ({
    value: (synth(101, declare).bytes - synth(1, declare).bytes) / 100,
    unit: 'bytes',
  });
  rows.push(
    ratioRow('Template, each user', bytes(declareUsers), { ...bytes(declareBareResources), name: 'bare CfnResource' }),
  );
  return rows;
}

function synth(users: number, declare: Declare) {
  const start = performance.now();
  const app = new App({ analyticsReporting: false });
  const stack = new Stack(app, 'Bench');
  declare(
    stack,
    Array.from({ length: users }, (_, index) => `user${index}`),
  );
  const { template } = app.synth().getStackByName('Bench');
  const time = performance.now() - start;
  return { time, bytes: JSON.stringify(template).length };
}
