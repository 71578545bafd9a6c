import { Stage, tag } from './custom-resource';
import { sweep, type Scenario } from './fault-sweep';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(() => stage.strike());

const NEW = { LogicalResourceId: 'New' };
const adopting = {
  UserRole: 'ADMIN',
  OnExisting: 'ADOPT',
  ExternalLoginFederationProviderType: 'COGNITO',
  ExternalLoginId: 'pool:1',
  Tags: [tag('team', 'sales')],
};

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'create',
    status: 'CREATE_IN_PROGRESS',
    event: (world) => ({
      RequestType: 'Create',
      ResourceProperties: world.declared({ UserRole: 'AUTHOR', Tags: [tag('team', 'sales')] }),
    }),
  },
  {
    name: 'create an IAM user',
    status: 'UPDATE_IN_PROGRESS',
    event: (world) => ({ RequestType: 'Create', ResourceProperties: world.iam('bob') }),
  },
  {
    name: 'create in groups, with a secret',
    status: 'CREATE_IN_PROGRESS',
    event: (world) => ({
      RequestType: 'Create',
      ResourceProperties: world.declared({
        GroupNames: ['analysts', 'finance'],
        InvitationSecretArn: world.stage.secret(),
      }),
    }),
  },
  {
    name: 'create what somebody else has',
    status: 'CREATE_IN_PROGRESS',
    before: (world) => world.byHand({ UserRole: 'AUTHOR' }),
    event: (world) => ({ RequestType: 'Create', ResourceProperties: world.declared() }),
  },
  {
    name: 'create that adopts',
    differs: ['ana.adopted', 'ana.email', 'ana.externalLogin', 'ana.tags'],
    status: 'UPDATE_IN_PROGRESS',
    before: (world) => world.byHand({ UserRole: 'AUTHOR', CustomPermissionsName: 'theirs' }),
    event: (world) => ({ RequestType: 'Create', ResourceProperties: world.declared(adopting) }),
  },
  {
    name: 'create that takes over',
    differs: ['ana.email'],
    status: 'UPDATE_IN_PROGRESS',
    before: (world) => world.create({ UserRole: 'AUTHOR', CustomPermissionsName: 'p' }),
    event: (world) => ({
      RequestType: 'Create',
      ResourceProperties: world.declared({ UserRole: 'ADMIN', Email: 'new@example.com' }),
      ...NEW,
    }),
  },
  {
    name: 'create of what was retained',
    differs: ['ana.adopted', 'ana.holders'],
    status: 'UPDATE_IN_PROGRESS',
    before: (world) => world.create({ UserRole: 'AUTHOR' }),
    event: (world) => ({ RequestType: 'Create', ResourceProperties: world.declared({ UserRole: 'ADMIN' }) }),
  },
  {
    name: 'create, repeated',
    status: 'CREATE_IN_PROGRESS',
    during: async (world) => {
      await world.create({}, { RequestId: `first-${world.name('')}` });
      // A second later, so that this invocation cannot take the first one's registration for its own.
      stage.age(world.name('ana'));
    },
    event: (world) => ({
      RequestType: 'Create',
      RequestId: `first-${world.name('')}`,
      ResourceProperties: world.declared(),
    }),
  },
];

test('a fault at every call of a Create', async () => {
  await sweep(stage, SCENARIOS);
}, 600_000);
