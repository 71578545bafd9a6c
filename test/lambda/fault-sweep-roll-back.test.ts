import { Stage, tag } from './custom-resource';
import { sweep, type Scenario, type World } from './fault-sweep';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(() => stage.strike());

const NEW = { LogicalResourceId: 'New' };

const renamed = (world: World, more: object = {}) => world.declared({ UserName: world.name('anna'), ...more });

/** The roll-back of an Update, which went through or not. */
const rollBack = (
  name: string,
  old: (world: World) => object,
  declared: (world: World) => object,
  before: (world: World) => unknown = () => undefined,
  differs: readonly string[] = [],
): Scenario => ({
  name,
  differs,
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

const SCENARIOS: readonly Scenario[] = [
  rollBack(
    'everything in place, where the role cannot go back',
    (world) => world.declared({ CustomPermissionsName: 'p', Tags: [tag('team', 'sales')] }),
    (world) => world.declared({ UserRole: 'AUTHOR', Email: 'new@example.com', Tags: [tag('team', 'legal')] }),
    (world) => stage.quickSight.setActive('default', world.name('ana')),
    ['ana.role'],
  ),
  rollBack(
    'a rename',
    (world) => world.declared(),
    (world) => renamed(world, { UserRole: 'AUTHOR' }),
  ),
  rollBack(
    'a rename that failed after it had registered',
    (world) => world.declared(),
    // Nobody can write this secret.
    (world) => renamed(world, { InvitationSecretArn: `${stage.secret()}-gone` }),
  ),
  rollBack(
    'a role that went down by registering anew',
    (world) => world.declared({ UserRole: 'AUTHOR', GroupNames: ['analysts'] }),
    (world) => world.declared({ GroupNames: ['analysts', 'finance'] }),
  ),
  rollBack(
    'a rename that took over',
    (world) => world.declared(),
    (world) => renamed(world, { UserRole: 'ADMIN' }),
    (world) => world.create({ UserName: world.name('anna'), UserRole: 'AUTHOR', CustomPermissionsName: 'p' }, NEW),
  ),
  rollBack(
    'a rename onto a user that was retained',
    (world) => world.declared(),
    (world) => renamed(world, { UserRole: 'ADMIN' }),
    (world) => world.create({ UserName: world.name('anna'), UserRole: 'AUTHOR' }),
    ['anna.adopted', 'anna.holders'],
  ),
  rollBack(
    'a new invitation, with a secret',
    (world) => world.declared({ InvitationSecretArn: world.secret(), InvitationVersion: '1' }),
    (world) => world.declared({ InvitationSecretArn: world.secret(), InvitationVersion: '2' }),
    undefined,
    ['ana.registration'],
  ),
  rollBack(
    'another identity type under the same name',
    (world) => world.declared(),
    (world) => world.iam('ana'),
    undefined,
    // Only from QUICKSIGHT can a user be registered anew.
    ['ana.identityType'],
  ),
  rollBack(
    'a user that was gone',
    (world) => world.declared({ GroupNames: ['analysts'] }),
    (world) => world.declared({ GroupNames: ['analysts'], Email: 'new@example.com' }),
    (world) => stage.quickSight.deleteUser('default', world.name('ana')),
    ['ana'],
  ),
];

test('a fault at every call of a roll-back', async () => {
  await sweep(stage, SCENARIOS);
}, 600_000);
