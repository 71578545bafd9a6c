import { spawn } from 'node:child_process';
import path from 'node:path';
import { Coverage } from './coverage';
import type { Lived } from './live';

const ROOT = path.join(__dirname, '..', '..');

/** What all processes lived together. */
export interface LivedTogether {
  readonly histories: number;
  readonly coverage: Coverage;
  readonly failures: readonly string[];
}

/** Lives so many histories for each seed, in a process each. */
export async function liveInShards(
  histories: number,
  seeds: readonly number[],
  onProgress: (line: string) => void = () => undefined,
): Promise<LivedTogether> {
  const lived = await Promise.all(seeds.map((seed) => liveShard(histories, seed, onProgress)));
  const coverage = new Coverage();
  for (const { counts } of lived) coverage.add(counts);
  return {
    histories: lived.reduce((sum, shard) => sum + shard.histories, 0),
    coverage,
    failures: lived.flatMap(({ seed, failure }) => (failure ? `seed ${seed}\n${failure}` : [])),
  };
}

async function liveShard(histories: number, seed: number, onProgress: (line: string) => void): Promise<Lived> {
  const script = path.join(__dirname, 'live.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, String(histories), String(seed)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => onProgress(text.trimEnd()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`the histories of seed ${seed} ended with exit code ${code}`);
  return JSON.parse(output.trim().split('\n').at(-1)!) as Lived;
}
