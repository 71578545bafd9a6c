import { App, Fn, Stack, Stage, Tags } from 'aws-cdk-lib';
import { QuickSightUser, UserIdentity, UserRole } from '../../lib';
import { declareAna, newStack, usersIn } from './sample-user';

const tagsOf = (stack: Stack) => usersIn(stack)[0]!.Properties.Tags;

test.each([
  ['app', (app: App) => app],
  ['stage', (app: App) => new Stage(app, 'Stage')],
])('Tags.of() on the %s, the stack and the user reaches the user', (_, scopeIn) => {
  const scope = scopeIn(new App());
  const stack = new Stack(scope, 'Stack');
  const user = declareAna(stack);
  Tags.of(scope).add('a', 'scope');
  Tags.of(stack).add('b', 'stack');
  Tags.of(user).add('c', 'user');
  expect(tagsOf(stack)).toEqual([
    { Key: 'a', Value: 'scope' },
    { Key: 'b', Value: 'stack' },
    { Key: 'c', Value: 'user' },
  ]);
});

test('Tags.of() overrides the tags prop, and can remove from it', () => {
  const stack = newStack();
  const user = declareAna(stack, { tags: { team: 'sales', floor: '3', room: 'a' } });
  Tags.of(user).add('team', 'data');
  Tags.of(user).remove('floor');
  expect(tagsOf(stack)).toEqual([
    { Key: 'room', Value: 'a' },
    { Key: 'team', Value: 'data' },
  ]);
});

test('Tags.of() can leave users out by their resource type', () => {
  const stack = newStack();
  declareAna(stack);
  Tags.of(stack).add('team', 'data', { excludeResourceTypes: ['Custom::QuickSightUser'] });
  expect(tagsOf(stack)).toBeUndefined();
});

test('a tag value may be a token', () => {
  const stack = newStack();
  declareAna(stack, { tags: { team: Fn.importValue('Team') } });
  expect(tagsOf(stack)).toEqual([{ Key: 'team', Value: { 'Fn::ImportValue': 'Team' } }]);
});

test('44 tags are allowed', () => {
  const stack = newStack();
  declareAna(stack, { tags: Object.fromEntries(Array.from({ length: 44 }, (_, n) => [`key-${n}`, 'x'])) });
  expect(tagsOf(stack)).toHaveLength(44);
});

test('problems of tags that come from Tags.of() are found at synth, all at once, under the path of the user', () => {
  const app = new App();
  const stack = new Stack(app, 'Stack');
  declareAna(stack, { tags: { Team: 'sales' } });
  Tags.of(stack).add('team', 'data');
  Tags.of(app).add('cdk-quicksight-users:adopted', 'true');
  for (let n = 0; n < 43; n++) Tags.of(app).add(`key-${n}`, 'x');
  const synth = () => app.synth();
  expect(synth).toThrow('[Stack/Ana] tags are 46: use at most 44');
  expect(synth).toThrow('[Stack/Ana] tags "team" and "Team" differ only in case: keep one');
  expect(synth).toThrow('"cdk-quicksight-users:adopted" begins with "cdk-quicksight-users:", which is reserved');
});

test('a tag of the app that has no value is a problem of every user, named once each', () => {
  const app = new App();
  const stack = new Stack(app, 'Stack');
  for (const name of ['ana', 'ben']) {
    new QuickSightUser(stack, name, {
      identity: UserIdentity.quickSight(name),
      email: `${name}@example.com`,
      userRole: UserRole.READER,
    });
  }
  Tags.of(app).add('flag', '');
  expect(() => app.synth()).toThrow(/ana\] tags "flag" has a value of 0 characters.*\n.*ben\] tags "flag"/);
});
