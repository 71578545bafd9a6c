import { App, Fn, Lazy, NestedStack, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { User } from 'aws-cdk-lib/aws-iam';
import { QuickSightUserProvider, type QuickSightUserProps, UserIdentity, UserRole } from '../../lib';
import { ACCOUNT, declareAna, newStack } from './sample-user';

describe('a user with problems', () => {
  test('is refused with all of them at once, under its path', () => {
    const props = {
      identity: UserIdentity.quickSight('..'),
      email: '',
      userRole: UserRole.of('RESTRICTED_READER'),
      namespace: 'a b',
      tags: { 'aws:x': '' },
    };
    const refused = () => declareAna(newStack(), props);
    expect(refused).toThrow('QuickSightUser Stack/Ana: ');
    for (const property of [
      'userName ".."',
      'email ""',
      'userRole "RESTRICTED_READER"',
      'namespace "a b"',
      'tags "aws:x"',
    ]) {
      expect(refused).toThrow(property);
    }
  });

  test('of whom nothing is known before the deployment is left to the handler', () => {
    const token = () => Lazy.string({ produce: () => '..' });
    const stack = newStack();
    declareAna(stack, {
      identity: UserIdentity.iamArn(token(), token()),
      email: token(),
      userRole: UserRole.of(token()),
      namespace: token(),
      customPermissionsName: token(),
      awsAccountId: token(),
      tags: { [token()]: token() },
    });
    Template.fromStack(stack).resourceCountIs('Custom::QuickSightUser', 1);
  });

  test('in a part of an ARN that is known is found although the rest is a token', () => {
    const stack = newStack();
    const identity = UserIdentity.iamUser(User.fromUserName(stack, 'Imported', '..'));
    expect(() => declareAna(stack, { identity })).toThrow('iamArn makes the user name ".."');
  });

  test('of another account than the stack is refused, because QuickSight would', () => {
    const stack = newStack({ env: { account: ACCOUNT, region: 'us-east-1' } });
    expect(() => declareAna(stack, { awsAccountId: '444455556666' })).toThrow(
      `awsAccountId "444455556666" is not that of the stack, ${ACCOUNT}`,
    );
  });

  test('of a namespace that the provider may not manage is refused', () => {
    const stack = newStack();
    const provider = new QuickSightUserProvider(stack, 'Users', { namespaces: ['default', 'partners'] });
    expect(() => declareAna(stack, { provider, namespace: 'sales' })).toThrow(
      'namespace "sales" is not one that the provider Stack/Users may manage (default, partners): ' +
        "add it to the provider's namespaces",
    );
    expect(() => declareAna(stack, { provider, namespace: 'partners' }, 'Ben')).not.toThrow();
  });
});

describe('the same user declared twice', () => {
  const bound = (app: App, id: string, account = ACCOUNT, region = 'us-east-1') =>
    new Stack(app, id, { env: { account, region } });
  const iam = (arn: string, session?: string) => ({ identity: UserIdentity.iamArn(arn, session) });

  test.each<[string, Partial<QuickSightUserProps>, Partial<QuickSightUserProps>]>([
    ['a QuickSight user', {}, { email: 'other@example.com' }],
    ['an IAM user', iam('arn:aws:iam::111122223333:user/ana'), iam('arn:aws:iam::111122223333:user/path/ana')],
    [
      'a role session',
      iam('arn:aws:iam::111122223333:role/a/R', 'ana'),
      iam('arn:aws:iam::111122223333:role/R', 'ana'),
    ],
    ['a name of two identity types', iam('arn:aws:iam::111122223333:user/ana'), {}],
    ['a namespace given and defaulted', {}, { namespace: 'default' }],
  ])('is refused with both paths: %s', (_, first, second) => {
    const stack = newStack();
    declareAna(stack, first);
    expect(() => declareAna(stack, second, 'Again')).toThrow(
      'QuickSightUser Stack/Again: the same user is declared by Stack/Ana: remove one of the two',
    );
  });

  test.each<[string, Partial<QuickSightUserProps>]>([
    ['another namespace', { namespace: 'partners' }],
    ['another case', { identity: UserIdentity.quickSight('Ana') }],
    ['a name that is a token', { identity: UserIdentity.quickSight(Fn.importValue('Name')) }],
    ['a namespace that is a token', { namespace: Fn.importValue('Namespace') }],
  ])('is not one with %s', (_, props) => {
    const stack = newStack();
    declareAna(stack);
    expect(() => declareAna(stack, props, 'Other')).not.toThrow();
  });

  test('is found across the nested stacks of a root stack', () => {
    const stack = newStack();
    declareAna(new NestedStack(stack, 'A'));
    expect(() => declareAna(new NestedStack(stack, 'B'))).toThrow(
      'Stack/B/Ana: the same user is declared by Stack/A/Ana',
    );
  });

  test('is found in two stacks of one known account, whatever their region', () => {
    const app = new App();
    declareAna(bound(app, 'A'));
    expect(() => declareAna(bound(app, 'B', ACCOUNT, 'eu-west-1'))).toThrow(
      'B/Ana: the same user is declared by A/Ana',
    );
  });

  test('is found when only one of the two names the account of the stack', () => {
    const stack = newStack();
    declareAna(stack, { awsAccountId: ACCOUNT });
    expect(() => declareAna(stack, {}, 'Again')).toThrow('the same user is declared by Stack/Ana');
  });

  test('is fine in stacks of different accounts, or of accounts not known', () => {
    const app = new App();
    declareAna(bound(app, 'A'));
    declareAna(bound(app, 'B', '444455556666'));
    declareAna(new Stack(app, 'C'));
    expect(() => declareAna(new Stack(app, 'D'))).not.toThrow();
  });

  test('is fine in another app', () => {
    declareAna(bound(new App(), 'A'));
    expect(() => declareAna(bound(new App(), 'A'))).not.toThrow();
  });

  test('does not count a declaration that was refused', () => {
    const stack = newStack();
    expect(() => declareAna(stack, { email: '' }, 'Wrong')).toThrow('email');
    expect(() => declareAna(stack)).not.toThrow();
  });
});
