import { shardOf } from '../../../lib/private/shards';

const NAMES = Array.from({ length: 10_000 }, (_, index) => `user${index}`);
const assignment = (shards: number) => NAMES.map((name) => shardOf('default', name, shards));

// Another assignment would move every user that is deployed.
test('users are where every release has put them', () => {
  const places = ['ana', 'DataTeam/carla', 'Téam/ana', 'user42'].map((name) =>
    [1, 2, 32, 400].map((shards) => shardOf('default', name, shards)),
  );
  expect(places).toEqual([
    [0, 0, 8, 8],
    [0, 1, 7, 323],
    [0, 0, 28, 385],
    [0, 0, 2, 114],
  ]);
  expect(shardOf('partners', 'ana', 32)).toBe(30);
});

test('10,000 users fill 32 shards evenly enough for none to be full', () => {
  const sizes = Array.from({ length: 32 }, () => 0);
  for (const shard of assignment(32)) sizes[shard]!++;
  expect(Math.min(...sizes)).toBeGreaterThan(250);
  expect(Math.max(...sizes)).toBeLessThan(380);
});

test.each([
  [8, 9],
  [32, 40],
  [1, 2],
])('from %i to %i shards users move to new shards only, and no more than must', (few, many) => {
  const [before, after] = [assignment(few), assignment(many)];
  const moved = NAMES.map((_, index) => [before[index]!, after[index]!]).filter(([from, to]) => from !== to);
  expect(moved.every(([, to]) => to! >= few)).toBe(true);
  expect(moved.length / NAMES.length).toBeCloseTo((many - few) / many, 1);
});
