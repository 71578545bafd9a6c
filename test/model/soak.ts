import { availableParallelism } from 'node:os';
import { liveInShards } from './shards';

/*
 * Lives many histories: `npm run soak:histories -- [<how many>] [<first seed>]`. Without a seed, ones that nobody has
 * tried; the seed of a failure is printed with it.
 */

/** A process lives so many with one seed, and then the next seed is taken. */
const PORTION = 250;

async function soak(wanted: number, firstSeed: number): Promise<boolean> {
  const processes = availableParallelism();
  let lived = 0;
  for (let seed = firstSeed; lived < wanted; seed += processes) {
    const seeds = Array.from({ length: processes }, (_, index) => seed + index);
    const { histories, failures } = await liveInShards(PORTION, seeds);
    lived += histories;
    console.log(`${lived} of ${wanted} histories (seeds ${firstSeed} to ${seeds.at(-1)})`);
    for (const failure of failures) console.error(failure);
    if (failures.length > 0) return false;
  }
  return true;
}

const [, , wanted = '5000', seed = String(Date.now() % 1_000_000)] = process.argv;
void soak(Number(wanted), Number(seed)).then((succeeded) => {
  process.exitCode = succeeded ? 0 : 1;
});
