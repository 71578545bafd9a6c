import type { Answer } from '../../lambda/response';
import type { SendOptions } from './custom-resource';
import type { OutgoingCall } from './outgoing-calls';

/*
 * Two events at once: their calls are held at the door and let through one at a time, in every order that can make a
 * difference.
 */

/** One event, to be sent with these options. */
export type Sending = (options: Pick<SendOptions, 'onCall'>) => Promise<Answer>;

export interface Run {
  readonly answers: readonly Answer[];
  /** What happened, in order: which event, which call. */
  readonly story: string;
}

type Aspect = 'existence' | 'attributes' | 'tags';

/** What of a user each operation reads and changes. Calls of which neither changes what the other has to do with can change places. */
const ASPECTS: Readonly<Record<string, { readonly reads: readonly Aspect[]; readonly changes: readonly Aspect[] }>> = {
  RegisterUser: { reads: [], changes: ['existence'] },
  DescribeUser: { reads: ['existence', 'attributes'], changes: [] },
  ListTagsForResource: { reads: ['existence', 'tags'], changes: [] },
  UpdateUser: { reads: ['existence'], changes: ['attributes'] },
  TagResource: { reads: ['existence'], changes: ['tags'] },
  UntagResource: { reads: ['existence'], changes: ['tags'] },
  DeleteUser: { reads: [], changes: ['existence'] },
  ListUserGroups: { reads: ['existence'], changes: [] },
  DescribeStacks: { reads: [], changes: [] },
};

/**
 * How often the other event may list the tags while a DeleteUser is under way: who takes a user that is being left waits
 * for it, and a call that is under way for longer than all that waiting is beyond what anybody can promise.
 */
const PATIENCE_WITH_DELETE = 3;

interface Held {
  readonly operation: string;
  readonly letThrough: () => void;
}

/** One order of the calls: what was chosen at each step, and what could have been. */
interface Course extends Run {
  readonly choices: readonly number[];
  readonly options: readonly (readonly number[])[];
}

/**
 * Plays the events in every order of their calls.
 *
 * @param arrange brings about a world of its own for one run; returns its events
 * @param check is called with the outcome of each run
 * @returns how many orders there were
 */
export async function everyOrder<World>(
  arrange: (run: number) => Promise<{ world: World; events: readonly Sending[] }>,
  check: (world: World, run: Run) => void | Promise<void>,
  atOnce = 8,
): Promise<number> {
  const open: (readonly number[])[] = [[]];
  let runs = 0;
  let busy = 0;
  let isOver = false;
  const worker = async () => {
    while (!isOver) {
      const prefix = open.pop();
      if (!prefix) {
        if (busy === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      busy++;
      try {
        const { world, events } = await arrange(++runs);
        const course = await play(events, prefix);
        for (let step = prefix.length; step < course.choices.length; step++) {
          for (const other of course.options[step]!) {
            if (other !== course.choices[step]) open.push([...course.choices.slice(0, step), other]);
          }
        }
        try {
          await check(world, course);
        } catch (error) {
          (error as Error).message = `${course.story}\n${(error as Error).message}`;
          throw error;
        }
      } catch (error) {
        isOver = true;
        throw error;
      } finally {
        busy--;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return runs;
}

async function play(events: readonly Sending[], prefix: readonly number[]): Promise<Course> {
  const held: (Held | undefined)[] = events.map(() => undefined);
  const overtaken = events.map(() => 0);
  const isDone = events.map(() => false);
  let changed = () => {};
  const onCall =
    (event: number) =>
    ({ operation }: OutgoingCall) => ({
      until: new Promise<void>((letThrough) => {
        held[event] = { operation, letThrough };
        changed();
      }),
    });
  const answers = events.map(async (send, event) => {
    const answer = await send({ onCall: onCall(event) });
    isDone[event] = true;
    changed();
    return answer;
  });
  const failed = Promise.all(answers).then(() => undefined);

  const choices: number[] = [];
  const options: number[][] = [];
  const story: string[] = [];
  let last: { event: number; operation: string } | undefined;
  for (;;) {
    while (!events.every((_, event) => held[event] ?? isDone[event])) {
      await Promise.race([failed, new Promise<void>((resolve) => (changed = resolve))]);
    }
    const able = events.flatMap((_, event) => (held[event] ? [event] : []));
    if (able.length === 0) break;
    const due = able.filter(
      (event) => held[event]!.operation === 'DeleteUser' && overtaken[event]! >= PATIENCE_WITH_DELETE,
    );
    const allowed = due.length > 0 ? due : able;
    // Of two neighbours that can change places, only the order with the lower event first is played.
    const useful = allowed.filter(
      (event) => !(last && event < last.event && commute(held[event]!.operation, last.operation)),
    );
    options.push(useful);
    const choice = prefix[choices.length] ?? useful[0] ?? allowed[0]!;
    choices.push(choice);
    const { operation, letThrough } = held[choice]!;
    last = { event: choice, operation };
    story.push(`${choice + 1} ${operation}`);
    held[choice] = undefined;
    overtaken[choice] = 0;
    if (operation === 'ListTagsForResource') {
      for (const event of able) if (event !== choice) overtaken[event]!++;
    }
    letThrough();
  }
  return { answers: await Promise.all(answers), story: story.join(', '), choices, options };
}

function commute(one: string, other: string): boolean {
  return !disturbs(one, other) && !disturbs(other, one);
}

function disturbs(one: string, other: string): boolean {
  const { reads, changes } = ASPECTS[other]!;
  return ASPECTS[one]!.changes.some((aspect) => reads.includes(aspect) || changes.includes(aspect));
}
