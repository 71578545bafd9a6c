import { createHash } from 'node:crypto';

/*
 * Which nested stack a user is in. Frozen: another assignment would move every user that is deployed.
 */

/** What a stack holds of users, groups and profiles; CloudFormation allows 500 resources, and the provider needs some. */
export const MAX_IN_STACK = 490;

/** With room for 10,000 users and more. Another number would move the users of everybody who has not chosen one. */
export const DEFAULT_SHARDS = 32;

/**
 * How many nested stacks share the users; undefined when they are in the stack itself.
 *
 * @param resources how many users, groups and profiles there are
 * @param shards the number that was asked for
 */
export function shardCount(resources: number, shards: number | undefined): number | undefined {
  return shards ?? (resources > MAX_IN_STACK ? DEFAULT_SHARDS : undefined);
}

/** A 64-bit linear congruential generator, by its authors' constant. */
const MULTIPLIER = 2862933555777941757n;
const MASK = (1n << 64n) - 1n;
const HALF = 1n << 31n;

/**
 * The shard of a user, from 0 to `shards - 1`. It depends on nothing but the user's name, so nobody moves when others
 * come and go. With n instead of m shards only |n - m| of max(n, m) users move, and none between two shards that stay.
 *
 * Jump consistent hash (Lamping and Veach, 2014).
 */
export function shardOf(namespace: string, userName: string, shards: number): number {
  let random = createHash('sha256').update(`${namespace}/${userName}`).digest().readBigUInt64BE();
  let shard = 0n;
  let next = 0n;
  while (next < shards) {
    shard = next;
    random = (random * MULTIPLIER + 1n) & MASK;
    next = ((shard + 1n) * HALF) / ((random >> 33n) + 1n);
  }
  return Number(shard);
}
