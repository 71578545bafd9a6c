import { OTHER_STACK_ID, Stage } from './custom-resource';
import { sweep, type Scenario, type SweptEvent, type World } from './fault-sweep';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(() => stage.strike());

const NEW = { LogicalResourceId: 'New' };
/**
 * A Delete of what `before` holds since an earlier deployment, or `during` since this one.
 *
 * @param arrange gives the physical id that the Delete comes with
 */
const remove = (
  name: string,
  status: Scenario['status'],
  arrange: { readonly [when in 'before' | 'during']?: (world: World) => Promise<unknown> },
  { event = {}, differs = [] }: { event?: Partial<SweptEvent>; differs?: readonly string[] } = {},
): Scenario => {
  const keep = (arranged?: (world: World) => Promise<unknown>) => async (world: World) => {
    const id = await arranged?.(world);
    if (typeof id === 'string') world.kept.id = id;
  };
  return {
    ...{ name, status, differs },
    before: keep(arrange.before),
    during: keep(arrange.during),
    event: (world) => ({
      RequestType: 'Delete',
      PhysicalResourceId: world.kept.id,
      ResourceProperties: world.declared(),
      ...event,
    }),
  };
};

const byHand = (world: World) => world.byHand({ UserRole: 'AUTHOR', CustomPermissionsName: 'theirs' });
const adopt = (world: World) => world.create({ UserRole: 'ADMIN', OnExisting: 'ADOPT' });
const adoptedBefore = async (world: World) => {
  await byHand(world);
  return adopt(world);
};
const CLEAN_UP = 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS';
const ROLL_BACK = 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS';

const SCENARIOS: readonly Scenario[] = [
  remove('the last holder', CLEAN_UP, { before: (world) => world.create() }, { differs: ['ana'] }),
  remove(
    'one of two holders',
    CLEAN_UP,
    {
      before: async (world) => {
        const id = await world.create();
        await world.create({}, NEW);
        return id;
      },
    },
    { differs: ['ana.before', 'ana.holders'] },
  ),
  remove('an adopted user, taken out of the code', CLEAN_UP, { before: adoptedBefore }, { differs: ['ana'] }),
  remove(
    'an adopted user, in a roll-back',
    ROLL_BACK,
    { before: byHand, during: adopt },
    { differs: ['ana.adopted', 'ana.email'] },
  ),
  remove(
    'an adopted user, with its stack',
    'DELETE_IN_PROGRESS',
    { before: adoptedBefore },
    { differs: ['ana.before', 'ana.holders'] },
  ),
  remove(
    'a take-over, in a roll-back',
    ROLL_BACK,
    {
      before: (world) => world.create({ UserRole: 'AUTHOR', CustomPermissionsName: 'p' }),
      during: (world) => world.create({ UserRole: 'ADMIN' }, NEW),
    },
    { event: NEW },
  ),
  remove('an id that is not known', 'ROLLBACK_IN_PROGRESS', {
    during: async (world) => {
      await world.create({}, { RequestId: `first-${world.name('')}` });
      return `maybe:first-${world.name('')}`;
    },
  }),
  remove('an id that CloudFormation invented', ROLL_BACK, {
    during: async (world) => {
      await world.create();
      return 'Team-Ana-1ABCDEF';
    },
  }),
  {
    ...remove('a user whose IAM identity is gone', CLEAN_UP, {}, { differs: ['N/A'] }),
    before: async (world) => {
      const declared = world.iam('bob');
      world.kept.id = await world.succeed({ RequestType: 'Create', ResourceProperties: declared });
      stage.quickSight.removeIamIdentity(declared.IamArn!);
    },
    event: (world) => ({
      RequestType: 'Delete',
      PhysicalResourceId: world.kept.id,
      ResourceProperties: world.iam('bob'),
    }),
  },
  remove(
    'a user whose tags were stripped',
    'DELETE_IN_PROGRESS',
    {
      before: async (world) => {
        const id = await world.create();
        stage.quickSight.setTags('default', world.name('ana'), {});
        return id;
      },
    },
    { differs: ['ana'] },
  ),
  remove('a user that is somebody else’s by now', CLEAN_UP, {
    before: async (world) => {
      const id = await world.create();
      stage.quickSight.deleteUser('default', world.name('ana'));
      await stage.create(world.declared({ RootStackId: OTHER_STACK_ID }), { StackId: OTHER_STACK_ID });
      return id;
    },
  }),
];

test('a fault at every call of a Delete', async () => {
  await sweep(stage, SCENARIOS);
}, 600_000);
