import { OTHER_STACK_ID, Stage, tag } from './custom-resource';
import { sweep, type Scenario, type World } from './fault-sweep';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(() => stage.strike());

const NEW = { LogicalResourceId: 'New' };
const adopting = { UserRole: 'ADMIN', OnExisting: 'ADOPT' };

const renamed = (world: World, more: object = {}) => world.declared({ UserName: world.name('anna'), ...more });

/** The roll-back of an Update that went through. */
const rollBack = (
  name: string,
  old: (world: World) => object,
  declared: (world: World) => object,
  before: (world: World) => unknown = () => undefined,
): Scenario => ({
  name,
  status: 'UPDATE_ROLLBACK_IN_PROGRESS',
  before: async (world) => {
    world.kept.id = await world.succeed({ RequestType: 'Create', ResourceProperties: old(world) });
    await before(world);
  },
  during: async (world) => {
    // Whatever it answers, CloudFormation rolls it back.
    const answer = await world.send({
      RequestType: 'Update',
      PhysicalResourceId: world.kept.id,
      ResourceProperties: declared(world),
      OldResourceProperties: old(world),
    });
    world.kept.id = answer.PhysicalResourceId;
  },
  event: (world) => ({
    RequestType: 'Update',
    PhysicalResourceId: world.kept.id,
    ResourceProperties: old(world),
    OldResourceProperties: declared(world),
  }),
});

const remove = (
  name: string,
  status: Scenario['status'],
  arrange: (world: World) => Promise<string | undefined>,
  more: (world: World) => object = () => ({}),
  isOfThisDeployment = false,
): Scenario => {
  const before = async (world: World) => (world.kept.id = (await arrange(world)) ?? '');
  return {
    name,
    status,
    ...(isOfThisDeployment ? { during: before } : { before }),
    event: (world) => ({
      RequestType: 'Delete',
      PhysicalResourceId: world.kept.id,
      ResourceProperties: world.declared(),
      ...more(world),
    }),
  };
};

const adopt = async (world: World) => {
  await world.byHand({ UserRole: 'AUTHOR', CustomPermissionsName: 'theirs' });
  return world.create(adopting);
};

const SCENARIOS: readonly Scenario[] = [
  remove('the last holder', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', (world) => world.create()),
  remove('one of two holders', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', async (world) => {
    const id = await world.create();
    await world.create({}, NEW);
    return id;
  }),
  remove('an adopted user, taken out of the code', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', adopt),
  remove('an adopted user, in a roll-back', 'ROLLBACK_IN_PROGRESS', adopt),
  remove('an adopted user, with its stack', 'DELETE_IN_PROGRESS', adopt),
  remove(
    'a take-over, in a roll-back',
    'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
    async (world) => {
      await world.create({ UserRole: 'AUTHOR', CustomPermissionsName: 'p' });
      return world.create({ UserRole: 'ADMIN' }, NEW);
    },
    () => NEW,
    true,
  ),
  remove(
    'an id that is not known',
    'ROLLBACK_IN_PROGRESS',
    async (world) => {
      await world.create({}, { RequestId: `first-${world.name('')}` });
      return `maybe:first-${world.name('')}`;
    },
    undefined,
    true,
  ),
  remove(
    'an id that CloudFormation invented',
    'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
    async (world) => {
      await world.create();
      return 'Team-Ana-1ABCDEF';
    },
    undefined,
    true,
  ),
  remove(
    'a user whose IAM identity is gone',
    'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    async (world) => {
      const declared = world.iam('bob');
      const id = await world.succeed({ RequestType: 'Create', ResourceProperties: declared });
      stage.quickSight.removeIamIdentity(declared.IamArn!);
      return id;
    },
    (world) => ({ ResourceProperties: world.iam('bob') }),
  ),
  remove('a user whose tags were stripped', 'DELETE_IN_PROGRESS', async (world) => {
    const id = await world.create();
    stage.quickSight.setTags('default', world.name('ana'), {});
    return id;
  }),
  remove('a user that is somebody else’s by now', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', async (world) => {
    const id = await world.create();
    stage.quickSight.deleteUser('default', world.name('ana'));
    await stage.create(world.declared({ RootStackId: OTHER_STACK_ID }), { StackId: OTHER_STACK_ID });
    return id;
  }),
  rollBack(
    'the roll-back of everything in place, where the role cannot go back',
    (world) => world.declared({ CustomPermissionsName: 'p', Tags: [tag('team', 'sales')] }),
    (world) => world.declared({ UserRole: 'AUTHOR', Email: 'new@example.com', Tags: [tag('team', 'legal')] }),
    (world) => stage.quickSight.setActive('default', world.name('ana')),
  ),
  rollBack(
    'the roll-back of a rename',
    (world) => world.declared(),
    (world) => renamed(world, { UserRole: 'AUTHOR' }),
  ),
  rollBack(
    'the roll-back of a rename that failed after it had registered',
    (world) => world.declared(),
    // Nobody can write this secret.
    (world) => renamed(world, { InvitationSecretArn: `${stage.secret()}-gone` }),
  ),
  rollBack(
    'the roll-back of a role that went down by registering anew',
    (world) => world.declared({ UserRole: 'AUTHOR', GroupNames: ['analysts'] }),
    (world) => world.declared({ GroupNames: ['analysts', 'finance'] }),
  ),
];

test('a fault at every call of a Delete and of a roll-back', async () => {
  await sweep(stage, SCENARIOS);
}, 600_000);
