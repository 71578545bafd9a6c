import { App, Fn, Lazy, NestedStack, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { User } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
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
      invitationVersion: '',
    };
    const refused = () => declareAna(newStack(), props);
    expect(refused).toThrow('QuickSightUser Stack/Ana: ');
    for (const property of [
      'userName ".."',
      'email ""',
      'userRole "RESTRICTED_READER"',
      'namespace "a b"',
      'tags "aws:x"',
      'invitationVersion ""',
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

describe('an invitation', () => {
  const iamUser = UserIdentity.iamArn(`arn:aws:iam::${ACCOUNT}:user/ana`);

  test.each([
    ['an IAM user', iamUser, 'IAM'],
    ['an Identity Center user', UserIdentity.identityCenter('ana'), 'IAM_IDENTITY_CENTER'],
  ])('of %s is refused, because there is none', (_, identity, type) => {
    const stack = newStack();
    const invitationSecret = new Secret(stack, 'Secret');
    expect(() => declareAna(stack, { identity, invitationVersion: '2', invitationSecret })).toThrow(
      `invitationVersion "2" does not apply: a user of identity type ${type} has no invitation; ` +
        `invitationSecret does not apply: a user of identity type ${type} has no invitation`,
    );
  });

  test('may have a version that is a token', () => {
    expect(() => declareAna(newStack(), { invitationVersion: Fn.importValue('Version') })).not.toThrow();
  });

  test('cannot go to a secret that the provider may not write', () => {
    const stack = newStack();
    const [mine, others] = [new Secret(stack, 'Mine'), new Secret(stack, 'Others')];
    const provider = new QuickSightUserProvider(stack, 'Users', { invitationSecrets: [others] });
    expect(() => declareAna(stack, { provider, invitationSecret: mine })).toThrow(
      'QuickSightUser Stack/Ana: invitationSecret Stack/Mine is not one that the provider Stack/Users may write ' +
        "(Stack/Others): add it to the provider's invitationSecrets",
    );
    expect(() => declareAna(stack, { provider, invitationSecret: others }, 'Ben')).not.toThrow();
  });

  test('cannot go to any secret when the provider may write none', () => {
    const stack = newStack();
    const provider = new QuickSightUserProvider(stack, 'Users', { invitationSecrets: [] });
    const invitationSecret = new Secret(stack, 'Secret');
    expect(() => declareAna(stack, { provider, invitationSecret })).toThrow('Stack/Users may write (none): add it');
  });

  test('cannot go to what is no secret', () => {
    const stack = newStack();
    const invitationSecret = Secret.fromSecretAttributes(stack, 'Secret', {
      secretPartialArn: 'arn:aws:ssm:us-east-1:111122223333:parameter:ana',
    });
    expect(() => declareAna(stack, { invitationSecret })).toThrow(
      'invitationSecret "arn:aws:ssm:us-east-1:111122223333:parameter:ana" is not the ARN of a secret',
    );
  });

  test('cannot go to the secret of another user, who would lose the own one', () => {
    const stack = newStack();
    const invitationSecret = new Secret(stack, 'Secret');
    declareAna(new NestedStack(stack, 'A'), { invitationSecret });
    const ben = { identity: UserIdentity.quickSight('ben'), invitationSecret };
    expect(() => declareAna(new NestedStack(stack, 'B'), ben, 'Ben')).toThrow(
      'QuickSightUser Stack/B/Ben: invitationSecret Stack/Secret is that of Stack/A/Ana, and the second invitation ' +
        'would overwrite the first: give each user its own',
    );
  });

  test('cannot go to a secret that is imported twice, for two users', () => {
    const stack = newStack();
    const imported = (id: string) => Secret.fromSecretNameV2(stack, id, 'invitations/all');
    declareAna(stack, { invitationSecret: imported('One') });
    const ben = { identity: UserIdentity.quickSight('ben'), invitationSecret: imported('Two') };
    expect(() => declareAna(stack, ben, 'Ben')).toThrow('invitationSecret Stack/Two is that of Stack/Ana');
  });

  test('of the same user twice is told with both', () => {
    const stack = newStack();
    const invitationSecret = new Secret(stack, 'Secret');
    declareAna(stack, { invitationSecret });
    expect(() => declareAna(stack, { invitationSecret }, 'Again')).toThrow(
      /the same user is declared by Stack\/Ana: remove one of the two; invitationSecret Stack\/Secret is that of/,
    );
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
