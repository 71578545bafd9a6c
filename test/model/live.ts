import fc from 'fast-check';
import { Coverage } from './coverage';
import { history } from './history';
import { Model } from './model';
import { tell } from './tell';
import { World, type Episode } from './world';

/*
 * Lives random histories: `tsx test/model/live.ts <how many> <seed> [<path>]`. In a process of its own, because it takes
 * over the clock. The path that a failure names replays its shortest history alone.
 */

/** What a process that lived histories says on its last line. */
export interface Lived {
  readonly seed: number;
  readonly histories: number;
  readonly counts: Readonly<Record<string, number>>;
  /** The shortest history in which model and QuickSight disagree, told event by event. */
  readonly failure?: string;
}

async function live(numRuns: number, seed: number, path?: string): Promise<Lived> {
  const world = await World.begin();
  const coverage = new Coverage();
  let told = '';
  let histories = 0;
  const result = await fc.check(
    fc.asyncProperty(history, async (one) => {
      const model = new Model();
      const episodes: Episode[] = [];
      histories++;
      try {
        await world.live(one, (episode) => {
          episodes.push(episode);
          model.check(episode);
          coverage.count(episode);
        });
      } catch (error) {
        told = `${episodes.map(tell).join('\n')}\n!! ${(error as Error).message}`;
        throw error;
      }
      if (histories % 100 === 0) process.stderr.write(`seed ${seed}: ${histories} histories\n`);
    }),
    { seed, numRuns, path, endOnFailure: false },
  );
  await world.end();
  const again = `again: npx tsx test/model/live.ts 1 ${seed} ${result.counterexamplePath}`;
  return {
    seed,
    histories,
    counts: coverage.toJSON(),
    failure: result.failed ? `${told}\n${again}` : undefined,
  };
}

const [, , histories = '100', seed = '1', path] = process.argv;
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
// The handler's log lines are caught by the world; this is the only line on standard output.
void live(Number(histories), Number(seed), path).then((lived) => {
  process.stdout.write(`${JSON.stringify(lived)}\n`);
});
