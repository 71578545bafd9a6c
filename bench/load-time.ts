import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { Contestants, LambdaCode } from './contestants';
import { median, ratioRow, type Row } from './row';

const ROUNDS = 21;
const SCRIPT = `
  const start = performance.now();
  require(process.argv[1]);
  console.log(performance.now() - start);
`;

/** How long `require` of the handler takes in a new process. */
export function loadTime({ ours, defaultBundle }: Contestants, nodeExecutable: string): Row[] {
  const load = ({ codeDirectory }: LambdaCode) =>
    Number(execFileSync(nodeExecutable, ['-e', SCRIPT, path.join(codeDirectory, 'index.js')], { encoding: 'utf8' }));
  const times: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++) times.push([load(ours), load(defaultBundle)]);
  const our = median(times.map(([time]) => time));
  const other = median(times.map(([, time]) => time));
  const name = 'esbuild’s default bundle';
  return [ratioRow('Loading the handler', { value: our, unit: 'ms' }, { name, value: other, unit: 'ms' }, 0.3)];
}
