import { ROWS } from './coverage';
import { liveInShards } from './shards';

/*
 * Random histories, lived through the stack engine, and compared with the model after each step. `npm run soak` lives more.
 */

const HISTORIES = 750;
const SEEDS = [7, 11];
/** How often the histories must have reached every row of the ownership tables, and every accident. */
const OFTEN_ENOUGH = 20;

test('no history breaks a promise, and together they reach every row of the ownership tables', async () => {
  const { histories, coverage, failures } = await liveInShards(HISTORIES, SEEDS);
  process.stderr.write(`${histories} random histories (seeds ${SEEDS.join(', ')}) reached\n${coverage.table()}\n`);
  expect(failures).toEqual([]);
  expect(histories).toBe(HISTORIES * SEEDS.length);
  expect(ROWS.filter((row) => coverage.get(row) < OFTEN_ENOUGH)).toEqual([]);
}, 900_000);
