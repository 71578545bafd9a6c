import { Stage, tag } from './custom-resource';
import { sweep, type Scenario, type World } from './fault-sweep';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(() => stage.strike());

const NEW = { LogicalResourceId: 'New' };

/** An update of what `old` declared. */
const change = (name: string, old: object, declared: object, more: Partial<Scenario> = {}): Scenario => ({
  name,
  status: 'UPDATE_IN_PROGRESS',
  before: async (world) => (world.kept.id = await world.create(old)),
  event: (world) => ({
    RequestType: 'Update',
    PhysicalResourceId: world.kept.id,
    ResourceProperties: world.declared(declared),
    OldResourceProperties: world.declared(old),
  }),
  ...more,
});

const renamed = (world: World, more: object = {}) => world.declared({ UserName: world.name('anna'), ...more });

/** A rename of `ana` to `anna`. */
const rename = (name: string, declared: object): Scenario => ({
  ...change(name, {}, {}),
  event: (world) => ({
    RequestType: 'Update',
    PhysicalResourceId: world.kept.id,
    ResourceProperties: renamed(world, declared),
    OldResourceProperties: world.declared(),
  }),
});

const SCENARIOS: readonly Scenario[] = [
  change('a new e-mail', {}, { Email: 'new@example.com' }),
  change(
    'everything in place',
    { CustomPermissionsName: 'p', Tags: [tag('team', 'sales'), tag('gone', 'is-gone')], GroupNames: ['analysts'] },
    {
      UserRole: 'AUTHOR',
      Email: 'new@example.com',
      Tags: [tag('team', 'legal'), tag('new', 'is-new')],
      GroupNames: ['finance'],
    },
    // The role can only go back by registering anew.
    { differs: ['ana.registration'] },
  ),
  {
    ...change('a role that can go up but not back', {}, { UserRole: 'AUTHOR' }),
    differs: ['ana.role'],
    before: async (world) => {
      world.kept.id = await world.create();
      stage.quickSight.setActive('default', world.name('ana'));
    },
  },
  change(
    'a role down, by registering anew',
    { UserRole: 'AUTHOR', GroupNames: ['analysts'] },
    { GroupNames: ['analysts'] },
    { differs: ['ana.registration'] },
  ),
  {
    ...change('a new invitation, with a secret', {}, {}),
    differs: ['ana.registration'],
    before: async (world) => {
      world.kept.id = await world.create({ InvitationSecretArn: world.secret(), InvitationVersion: '1' });
    },
    event: (world) => ({
      RequestType: 'Update',
      PhysicalResourceId: world.kept.id,
      ResourceProperties: world.declared({ InvitationSecretArn: world.secret(), InvitationVersion: '2' }),
      OldResourceProperties: world.declared({ InvitationSecretArn: world.secret(), InvitationVersion: '1' }),
    }),
  },
  {
    ...change('another secret', {}, {}),
    before: async (world) => (world.kept.id = await world.create({ InvitationSecretArn: world.secret() })),
    event: (world) => ({
      RequestType: 'Update',
      PhysicalResourceId: world.kept.id,
      ResourceProperties: world.declared({ InvitationSecretArn: world.secret('another') }),
      OldResourceProperties: world.declared({ InvitationSecretArn: world.secret() }),
    }),
  },
  {
    ...change(
      'a user that is gone',
      { GroupNames: ['analysts'] },
      { GroupNames: ['analysts'], Email: 'new@example.com' },
    ),
    differs: ['ana'],
    before: async (world) => {
      world.kept.id = await world.create({ GroupNames: ['analysts'] });
      stage.quickSight.deleteUser('default', world.name('ana'));
    },
  },
  {
    ...change('another identity type under the same name', {}, {}),
    // Only from QUICKSIGHT can a user be registered anew.
    differs: ['ana.identityType', 'ana.registration'],
    event: (world) => ({
      RequestType: 'Update',
      PhysicalResourceId: world.kept.id,
      ResourceProperties: world.iam('ana'),
      OldResourceProperties: world.declared(),
    }),
  },
  rename('a rename', { UserRole: 'AUTHOR', Tags: [tag('team', 'sales')] }),
  {
    ...rename('a rename onto a user that was retained', { UserRole: 'ADMIN' }),
    differs: ['anna.adopted', 'anna.holders'],
    before: async (world) => {
      world.kept.id = await world.create();
      await world.create({ UserName: world.name('anna'), UserRole: 'AUTHOR' });
    },
  },
  {
    ...rename('a rename that takes over', { UserRole: 'ADMIN' }),
    before: async (world) => {
      world.kept.id = await world.create();
      await world.create({ UserName: world.name('anna'), UserRole: 'AUTHOR' }, NEW);
    },
  },
];

test('a fault at every call of an Update', async () => {
  await sweep(stage, SCENARIOS);
}, 600_000);
