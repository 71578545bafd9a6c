import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { apiCalls } from './api-calls';
import { bundleSize } from './bundle-size';
import { coldCreate } from './cold-create';
import { commandLine } from './command-line';
import { buildContestants } from './contestants';
import { loadTime } from './load-time';
import { resources } from './resources';
import { markdown, type Row } from './row';
import { synthTime } from './synth-time';
import { throttledDeployment } from './throttled-deployment';

const RESULTS = path.join(__dirname, 'RESULTS.md');

/**
 * `npm run bench [-- <measure>…] [--node <another Node.js for the functions>]`: measures, prints one table and, when
 * everything was measured, writes it to RESULTS.md.
 */
async function main(args: string[]) {
  const at = args.indexOf('--node');
  const nodeExecutable = at < 0 ? process.execPath : args.splice(at, 2)[1]!;
  const version = execFileSync(nodeExecutable, ['--version'], { encoding: 'utf8' }).trim();

  // CDK's own check of every template costs ours and others' alike, and more than all the rest.
  process.env.CDK_VALIDATION = 'false';

  const contestants = await buildContestants();
  const measures: Record<string, () => Row[] | Promise<Row[]>> = {
    'bundle-size': () => bundleSize(contestants),
    'load-time': () => loadTime(contestants, nodeExecutable),
    'cold-create': () => coldCreate(contestants, nodeExecutable),
    resources,
    'api-calls': () => apiCalls(contestants, nodeExecutable),
    'synth-time': synthTime,
    'command-line': commandLine,
    'throttled-deployment': () => throttledDeployment(nodeExecutable),
  };
  const unknown = args.filter((name) => !(name in measures));
  if (unknown.length > 0)
    throw new Error(`no measure ${unknown.join(', ')}: there are ${Object.keys(measures).join(', ')}`);

  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(measures)) {
    if (args.length > 0 && !args.includes(name)) continue;
    console.error(`${name} …`);
    rows.push(...(await measure()));
  }
  const table = markdown(rows);
  const machine = `Functions on Node.js ${version}, ${cpus().length} cores. Ratios carry over to other machines, times do not.`;
  console.log(`\n${table}\n\n${machine}`);
  if (args.length === 0) writeFileSync(RESULTS, `${table}\n\n${machine}\n`);
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
