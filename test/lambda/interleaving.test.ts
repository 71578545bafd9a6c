import { randomUUID } from 'node:crypto';
import type { StackStatus } from '../../local/cloudformation/stack-state';
import { ana, HASTE, holdersOf, OTHER_STACK_ID, Stage, type SendOptions } from './custom-resource';
import { everyOrder, type Run } from './every-order';

/*
 * Two events about one user at the same moment, in every order of their calls.
 */

// Some hundred orders each.
jest.setTimeout(120_000);

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.set();
  stage.stacks.set(OTHER_STACK_ID, { ...[...stage.stacks.values()][0]!, stackId: OTHER_STACK_ID });
});
afterEach(() => stage.strike());

/** Calls are held at the door, so that an attempt can take long; the waits between calls need not. */
const PATIENCE = { ...HASTE, attempt: 10_000, looks: [1, 2, 4] };
const ADOPTED = 'cdk-quicksight-users:adopted';
const SUCCESS = { Status: 'SUCCESS' };

/** The resources that events are about; `ids` are unique to one run. */
const NEW = { LogicalResourceId: 'New' };
const THEIRS = { StackId: OTHER_STACK_ID, LogicalResourceId: 'Theirs' };

interface World {
  /** The user that the events are about, and what declares it. */
  readonly userName: string;
  readonly declared: object;
  /** The physical id of that user before the events. */
  readonly physicalId: string;
}
type EventOf = (world: World, options: SendOptions) => ReturnType<Stage['send']>;

interface Scene {
  /** Somebody has taken all tags off the user. */
  readonly stripped?: boolean;
  /** Resources that hold the user before, by what their events have of their own. */
  readonly holders?: readonly object[];
  readonly byHand?: boolean;
  readonly declared?: object;
  readonly status: StackStatus;
  readonly looks?: readonly number[];
  readonly events: readonly EventOf[];
}

const create =
  (resource: object = {}, change: object = {}): EventOf =>
  ({ declared }, options) =>
    stage.create({ ...declared, ...change }, resource, options);
const update =
  (resource: object, change: object, old: object = {}): EventOf =>
  ({ declared, physicalId }, options) =>
    stage.update(physicalId, { ...declared, ...change }, { ...declared, ...old }, resource, options);
const remove =
  (resource: object = {}, id?: string): EventOf =>
  ({ declared, physicalId }, options) =>
    stage.remove(id ?? physicalId, declared, resource, options);

const orders: number[] = [];
afterAll(() => {
  const sum = orders.reduce((one, other) => one + other, 0);
  process.stdout.write(`two events at once: ${sum} orders of their calls in ${orders.length} scenes\n`);
});

/** Plays a scene in every order, each time with a user of its own. */
async function play(scene: Scene, check: (world: World, run: Run) => void | Promise<void>): Promise<void> {
  stage.turn(scene.status);
  const count = await everyOrder<World>(async (run) => {
    const userName = `user-${run}`;
    const declared = { ...ana, UserName: userName, ...scene.declared };
    if (scene.byHand) await stage.byHand({ UserName: userName });
    for (const holder of scene.holders ?? []) {
      expect(await stage.create(declared, holder, { patience: PATIENCE })).toMatchObject(SUCCESS);
    }
    if (scene.stripped) stage.quickSight.setTags('default', userName, {});
    const before = stage.user(userName);
    const world = { userName, declared, physicalId: `${before?.arn};${before?.principalId}` };
    const events = scene.events.map((event) => ({ onCall }: Pick<SendOptions, 'onCall'>) => {
      return event(world, { onCall, patience: { ...PATIENCE, looks: scene.looks ?? PATIENCE.looks } });
    });
    return { world, events };
  }, check);
  expect(count).toBeGreaterThan(1);
  orders.push(count);
}

/** The same event twice, as Lambda may deliver it. */
const twice = (event: (repeated: object) => EventOf): [EventOf, EventOf] => {
  const RequestId = randomUUID();
  return [event({ RequestId }), event({ RequestId })];
};

const bothSucceed = ({ answers }: Run) => expect(answers).toMatchObject([SUCCESS, SUCCESS]);
const gone = ({ userName }: World) => expect(stage.user(userName)).toBeUndefined();
const heldBy = ({ userName }: World, ...holders: string[]) => {
  expect(stage.user(userName)).toBeDefined();
  expect(holdersOf(stage.user(userName))).toEqual(holders);
};

describe('D20 two holders let go at the same moment', () => {
  test.each<[string, Partial<Scene>]>([
    ['of a user that was registered for them', { status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' }],
    ['of a stack that is destroyed', { status: 'DELETE_IN_PROGRESS' }],
    [
      'of an adopted user that is taken out of the code',
      { status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', byHand: true, declared: { OnExisting: 'ADOPT' } },
    ],
  ])('D20 %s: it is deleted, by one of them', async (_, scene) => {
    await play({ ...(scene as Scene), holders: [{}, NEW], events: [remove(), remove(NEW)] }, (world, run) => {
      bothSucceed(run);
      gone(world);
      // The other may have tried, and found nobody.
      expect(run.story).toMatch(/DeleteUser/);
    });
  });

  test('D20 of an adopted user whose stack is destroyed: both release it', async () => {
    const scene = { byHand: true, declared: { OnExisting: 'ADOPT' }, holders: [{}, NEW] };
    await play({ ...scene, status: 'DELETE_IN_PROGRESS', events: [remove(), remove(NEW)] }, (world, run) => {
      bothSucceed(run);
      heldBy(world);
      expect(stage.user(world.userName)!.tags).toEqual({ [ADOPTED]: 'true' });
    });
  });

  test('D20 while a third stays: nobody deletes', async () => {
    const third = { LogicalResourceId: 'Third' };
    await play(
      { holders: [{}, NEW, third], status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', events: [remove(), remove(NEW)] },
      (world, run) => {
        bothSucceed(run);
        heldBy(world, 'Third');
      },
    );
  });
});

describe('D21 one lets go while another takes', () => {
  const taken = (world: World, { answers: [left, took] }: Run, taker: string) => {
    expect(left).toMatchObject(SUCCESS);
    expect(took).toMatchObject(SUCCESS);
    const { arn, principalId } = stage.user(world.userName)!;
    heldBy(world, taker);
    expect(took!.PhysicalResourceId).toBe(`${arn};${principalId}`);
    expect(took!.Data).toMatchObject({ Arn: arn, PrincipalId: principalId });
  };

  test('D21 within one root stack', async () => {
    await play(
      { holders: [{}], status: 'UPDATE_IN_PROGRESS', events: [remove(), create(NEW, { UserRole: 'AUTHOR' })] },
      (world, run) => {
        taken(world, run, 'New');
        expect(stage.user(world.userName)!.role).toBe('AUTHOR');
      },
    );
  });

  test('D21 from another stack, with ADOPT', async () => {
    const theirs = create(THEIRS, { OnExisting: 'ADOPT', RootStackId: OTHER_STACK_ID });
    await play(
      { holders: [{}], status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', events: [remove(), theirs] },
      (world, run) => taken(world, run, 'Theirs'),
    );
  });

  test('D21 from another stack, with ADOPT, of a user whose tags were stripped by hand', async () => {
    const theirs = create(THEIRS, { OnExisting: 'ADOPT', RootStackId: OTHER_STACK_ID });
    await play(
      { holders: [{}], stripped: true, status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', events: [remove(), theirs] },
      (world, run) => taken(world, run, 'Theirs'),
    );
  });

  test('D21 an adopted user that is taken out of the code', async () => {
    await play(
      {
        byHand: true,
        holders: [{}],
        declared: { OnExisting: 'ADOPT' },
        status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
        events: [remove(), create(NEW)],
      },
      (world, run) => taken(world, run, 'New'),
    );
  });

  test('D21 by a rename', async () => {
    const renaming: EventOf = async ({ userName, declared }, options) => {
      const own = { LogicalResourceId: 'New', RequestId: randomUUID() };
      const old = { ...declared, UserName: `old-${userName}` };
      const { PhysicalResourceId } = await stage.create(old, own, { patience: PATIENCE });
      return stage.update(PhysicalResourceId, declared, old, { LogicalResourceId: 'New' }, options);
    };
    await play({ holders: [{}], status: 'UPDATE_IN_PROGRESS', events: [remove(), renaming] }, (world, run) =>
      taken(world, run, 'New'),
    );
  });

  test('D21 two take while one lets go', async () => {
    const third = { LogicalResourceId: 'Third' };
    await play(
      { holders: [{}, NEW], status: 'UPDATE_IN_PROGRESS', events: [remove(), create(third)] },
      (world, run) => {
        bothSucceed(run);
        heldBy(world, 'New', 'Third');
      },
    );
  });
});

describe('a user is registered anew while another stack adopts it', () => {
  test.each<[string, object, object]>([
    ['U20 for a new invitation', {}, { InvitationVersion: '2' }],
    ['U4 as a reader', { UserRole: 'AUTHOR' }, { UserRole: 'READER' }],
  ])('%s: one of them holds it in the end', async (_, declared, change) => {
    const theirs = create(THEIRS, { OnExisting: 'ADOPT', RootStackId: OTHER_STACK_ID });
    await play(
      { holders: [{}], declared, status: 'UPDATE_IN_PROGRESS', events: [update({}, change), theirs] },
      (world, { answers: [updated] }) => {
        const holders = holdersOf(stage.user(world.userName));
        expect(holders).not.toEqual([]);
        // Between DeleteUser and RegisterUser the name is free, and the other may have it.
        if (updated!.Status === 'SUCCESS') expect(holders).toContain('Ana1234ABCD');
      },
    );
  });
});

test('C12 two resources take a user over at the same moment: both hold it', async () => {
  const third = { LogicalResourceId: 'Third' };
  await play({ holders: [{}], status: 'UPDATE_IN_PROGRESS', events: [create(NEW), create(third)] }, (world, run) => {
    bothSucceed(run);
    heldBy(world, 'Ana1234ABCD', 'New', 'Third');
  });
});

test('C8 two stacks adopt a user at the same moment: both hold it, and it stays an adopted one', async () => {
  const adopt = { OnExisting: 'ADOPT' };
  const theirs = create(THEIRS, { ...adopt, RootStackId: OTHER_STACK_ID });
  await play({ byHand: true, status: 'UPDATE_IN_PROGRESS', events: [create({}, adopt), theirs] }, (world, run) => {
    bothSucceed(run);
    heldBy(world, 'Ana1234ABCD', 'Theirs');
    expect(stage.user(world.userName)!.tags).toHaveProperty([ADOPTED]);
  });
});

test('C13 two stacks register a user at the same moment: one does, and the other touches nothing', async () => {
  const theirs = create(THEIRS, { RootStackId: OTHER_STACK_ID });
  await play({ status: 'CREATE_IN_PROGRESS', events: [create(), theirs] }, (world, { answers }) => {
    const won = answers.filter(({ Status }) => Status === 'SUCCESS');
    expect(won).toHaveLength(1);
    heldBy(world, won[0]!.LogicalResourceId);
    const lost = answers.find(({ Status }) => Status === 'FAILED')!;
    expect(lost.PhysicalResourceId).toBe(`none:${lost.RequestId}`);
  });
});

describe('the same event twice at the same moment', () => {
  test('C10 a Create registers once, and both answers say so', async () => {
    await play({ status: 'CREATE_IN_PROGRESS', events: twice(create) }, (world, run) => {
      bothSucceed(run);
      const { arn, principalId } = stage.user(world.userName)!;
      for (const { PhysicalResourceId } of run.answers) expect(PhysicalResourceId).toBe(`${arn};${principalId}`);
      expect(run.answers.filter(({ Data }) => Data!.InvitationUrl !== 'unavailable')).toHaveLength(1);
      heldBy(world, 'Ana1234ABCD');
    });
  });

  test('C10 an adoption remembers what the user was before the first', async () => {
    const adopting = { OnExisting: 'ADOPT', UserRole: 'AUTHOR' };
    const events = twice((repeated) => create(repeated, adopting));
    await play({ byHand: true, status: 'CREATE_IN_PROGRESS', events }, (world, run) => {
      bothSucceed(run);
      heldBy(world, 'Ana1234ABCD');
      const { tags, role } = stage.user(world.userName)!;
      expect(role).toBe('AUTHOR');
      expect(tags['cdk-quicksight-users:before']).toMatch(/\/READER\/$/);
    });
  });

  test('U18 a change is made', async () => {
    const change = { Email: 'new@example.com', Tags: [{ Key: 'team', Value: 'sales' }] };
    const events = twice((repeated) => update(repeated, change));
    await play({ holders: [{}], status: 'UPDATE_IN_PROGRESS', events }, (world, run) => {
      bothSucceed(run);
      expect(stage.user(world.userName)).toMatchObject({ email: 'new@example.com', tags: { team: 'sales' } });
    });
  });

  test('U18 a rename registers once', async () => {
    const events = twice((repeated): EventOf => (world, options) => {
      return update(repeated, { UserName: `new-${world.userName}` })(world, options);
    });
    await play({ holders: [{}], status: 'UPDATE_IN_PROGRESS', events }, (world, run) => {
      bothSucceed(run);
      const { arn, principalId } = stage.user(`new-${world.userName}`)!;
      for (const { PhysicalResourceId } of run.answers) expect(PhysicalResourceId).toBe(`${arn};${principalId}`);
      heldBy(world, 'Ana1234ABCD');
    });
  });

  test('U20 a new invitation leaves one user, and ours', async () => {
    const events = twice((repeated) => update(repeated, { InvitationVersion: '2' }));
    await play({ holders: [{}], status: 'UPDATE_IN_PROGRESS', events }, (world, run) => {
      bothSucceed(run);
      heldBy(world, 'Ana1234ABCD');
      for (const { PhysicalResourceId } of run.answers) expect(PhysicalResourceId).toBe(world.physicalId);
    });
  });

  test('D3 a Delete deletes', async () => {
    await play(
      { holders: [{}], status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', events: twice(remove) },
      (world, run) => {
        bothSucceed(run);
        gone(world);
      },
    );
  });

  test('D3 a Delete lets go', async () => {
    await play(
      { holders: [{}, NEW], status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', events: twice(remove) },
      (world, run) => {
        bothSucceed(run);
        heldBy(world, 'New');
      },
    );
  });

  test('D6b a Delete releases an adopted user', async () => {
    await play(
      {
        byHand: true,
        declared: { OnExisting: 'ADOPT' },
        holders: [{}],
        status: 'DELETE_IN_PROGRESS',
        events: twice(remove),
      },
      (world, run) => {
        bothSucceed(run);
        heldBy(world);
        expect(stage.user(world.userName)!.tags).toEqual({ [ADOPTED]: 'true' });
      },
    );
  });
});

test('D9 an id that CloudFormation invented, while the Create still runs', async () => {
  await play(
    { status: 'ROLLBACK_IN_PROGRESS', events: [remove({}, 'Team-Ana-1ABCDEF'), create()] },
    (world, { answers: [deleted, created], story }) => {
      expect(deleted).toMatchObject(SUCCESS);
      const lastLook = story.lastIndexOf('1 DescribeUser');
      if (story.indexOf('2 RegisterUser') < lastLook) gone(world);
      // Registered after the last look: what slips through says whose it is.
      else {
        expect(created).toMatchObject(SUCCESS);
        heldBy(world, 'Ana1234ABCD');
      }
    },
  );
});

test('D9 a `maybe:` id, while the adoption of a dying function still goes on', async () => {
  const RequestId = randomUUID();
  const declared = { OnExisting: 'ADOPT' };
  await play(
    {
      byHand: true,
      declared,
      status: 'ROLLBACK_IN_PROGRESS',
      looks: [1],
      events: [remove({}, `maybe:${RequestId}`), create({ RequestId })],
    },
    ({ userName }, { answers: [deleted] }) => {
      expect(deleted).toMatchObject(SUCCESS);
      expect(stage.user(userName)).toBeDefined();
    },
  );
});

test('two resources of a stack swap their names at the same moment', async () => {
  const swap = (resource: object, from: string, to: string): EventOf => {
    return async ({ userName, declared }, options) => {
      const named = (prefix: string) => ({ ...declared, UserName: prefix + userName });
      const { arn, principalId } = stage.user(from + userName)!;
      return stage.update(`${arn};${principalId}`, named(to), named(from), resource, options);
    };
  };
  await play(
    {
      status: 'UPDATE_IN_PROGRESS',
      holders: [{}],
      events: [
        async (world, options) => {
          await stage.create({ ...world.declared, UserName: `b-${world.userName}` }, NEW, { patience: PATIENCE });
          return swap({}, '', 'b-')(world, options);
        },
        async (world, options) => {
          while (!stage.user(`b-${world.userName}`)) await new Promise((resolve) => setTimeout(resolve, 1));
          return swap(NEW, 'b-', '')(world, options);
        },
      ],
    },
    async ({ userName, declared, physicalId }, run) => {
      bothSucceed(run);
      const [first, second] = run.answers as [(typeof run.answers)[0], (typeof run.answers)[0]];
      expect(second.PhysicalResourceId).toBe(physicalId);
      await stage.remove(physicalId, declared, {}, { patience: PATIENCE });
      await stage.remove(first.PhysicalResourceId, { ...declared, UserName: `b-${userName}` }, NEW, {
        patience: PATIENCE,
      });
      expect(stage.holders(userName)).toEqual(['New']);
      expect(stage.holders(`b-${userName}`)).toEqual(['Ana1234ABCD']);
    },
  );
});
