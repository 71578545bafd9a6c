import { App, CfnOutput, NestedStack, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal, User } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  ExistingUserPolicy,
  ExternalLogin,
  QuickSightUser,
  QuickSightUserProvider,
  UserIdentity,
  UserRole,
} from '../../lib';
import { ACCOUNT, declareAna, newStack, propertiesOf, usersIn } from './sample-user';

describe('the properties on the wire', () => {
  test('are complete with nothing but what is required', () => {
    expect(propertiesOf({})).toEqual({
      ServiceToken: { 'Fn::GetAtt': ['QuickSightUserProviderFunctionE58BA832', 'Arn'] },
      ServiceTimeout: 3600,
      AwsAccountId: { Ref: 'AWS::AccountId' },
      Namespace: 'default',
      IdentityType: 'QUICKSIGHT',
      UserName: 'ana',
      Email: 'ana@example.com',
      UserRole: 'AUTHOR',
      RootStackId: { Ref: 'AWS::StackId' },
    });
  });

  test.each([
    ['namespace', { namespace: 'partners' }, { Namespace: 'partners' }],
    ['customPermissionsName', { customPermissionsName: 'no-exports' }, { CustomPermissionsName: 'no-exports' }],
    ['tags', { tags: { team: 'sales', cost: '1' } }, { Tags: [tag('cost', '1'), tag('team', 'sales')] }],
    ['no tags', { tags: {} }, { Tags: undefined }],
    [
      'a Cognito login',
      { externalLogin: ExternalLogin.cognito('us-east-1:5b2c') },
      { ExternalLoginFederationProviderType: 'COGNITO', ExternalLoginId: 'us-east-1:5b2c' },
    ],
    [
      'an OpenID Connect login',
      { externalLogin: ExternalLogin.customOidc('https://login.example.com', 'kofi') },
      {
        ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
        CustomFederationProviderUrl: 'https://login.example.com',
        ExternalLoginId: 'kofi',
      },
    ],
    ['ADOPT', { onExisting: ExistingUserPolicy.ADOPT }, { OnExisting: 'ADOPT' }],
    ['nothing for FAIL, which is the default', { onExisting: ExistingUserPolicy.FAIL }, { OnExisting: undefined }],
    ['invitationVersion', { invitationVersion: '2' }, { InvitationVersion: '2' }],
    ['a role of a later day', { userRole: UserRole.of('VIEWER_MAX') }, { UserRole: 'VIEWER_MAX' }],
    [
      'an Identity Center user',
      { identity: UserIdentity.identityCenter('ana') },
      { IdentityType: 'IAM_IDENTITY_CENTER', UserName: 'ana' },
    ],
    [
      'an IAM user by ARN',
      { identity: UserIdentity.iamArn(`arn:aws:iam::${ACCOUNT}:user/path/ana`) },
      {
        IdentityType: 'IAM',
        IamArn: `arn:aws:iam::${ACCOUNT}:user/path/ana`,
        UserName: undefined,
        SessionName: undefined,
      },
    ],
    [
      'a role session by ARN',
      { identity: UserIdentity.iamArn(`arn:aws:iam::${ACCOUNT}:role/Data`, 'ana') },
      { IdentityType: 'IAM', IamArn: `arn:aws:iam::${ACCOUNT}:role/Data`, UserName: undefined, SessionName: 'ana' },
    ],
  ])('carry %s', (_, props, expected) => {
    const properties = propertiesOf(props);
    for (const [name, value] of Object.entries(expected)) expect(properties[name]).toEqual(value);
  });

  test.each(['READER', 'AUTHOR', 'ADMIN', 'READER_PRO', 'AUTHOR_PRO', 'ADMIN_PRO'] as const)(
    'carry role %s',
    (role) => {
      expect(propertiesOf({ userRole: UserRole[role] }).UserRole).toBe(role);
    },
  );

  test('name an IAM user and a role of the same stack by reference, so that they are made first', () => {
    const stack = newStack();
    const role = new Role(stack, 'Data', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
    declareAna(stack, { identity: UserIdentity.iamUser(new User(stack, 'Bruno')) }, 'UserOfUser');
    declareAna(stack, { identity: UserIdentity.iamRole(role, 'carla') }, 'UserOfRole');
    const [bruno, carla] = usersIn(stack);
    expect(bruno!.Properties).toMatchObject({ IamArn: { 'Fn::GetAtt': [expect.stringMatching(/^Bruno/), 'Arn'] } });
    expect(carla!.Properties).toMatchObject({
      IamArn: { 'Fn::GetAtt': [expect.stringMatching(/^Data/), 'Arn'] },
      SessionName: 'carla',
    });
  });

  test("hold the stack's account when it is known", () => {
    const stack = newStack({ env: { account: ACCOUNT, region: 'eu-west-1' } });
    expect(propertiesOf({}, stack).AwsAccountId).toBe(ACCOUNT);
  });

  test('hold an account id given to a stack that is bound to none', () => {
    expect(propertiesOf({ awsAccountId: ACCOUNT }).AwsAccountId).toBe(ACCOUNT);
  });
});

describe('the attributes', () => {
  test('are those of the deployed resource', () => {
    const stack = newStack();
    const user = declareAna(stack);
    expect(user.namespace).toBe('default');
    expect(stack.resolve([user.userArn, user.userName, user.userPrincipalId, user.invitationUrl])).toEqual(
      ['Arn', 'UserName', 'PrincipalId', 'InvitationUrl'].map((name) => ({ 'Fn::GetAtt': ['Ana1DFF4572', name] })),
    );
  });

  test('can be used in another stack', () => {
    const app = new App();
    const user = declareAna(new Stack(app, 'Users'));
    const reader = new Stack(app, 'Reader');
    new CfnOutput(reader, 'Arn', { value: user.userArn });
    Template.fromStack(reader).hasOutput('Arn', {
      Value: { 'Fn::ImportValue': Match.stringLikeRegexp('Users:.*Arn') },
    });
  });
});

describe('removal', () => {
  const policies = ({ DeletionPolicy, UpdateReplacePolicy }: Record<string, unknown>) => [
    DeletionPolicy,
    UpdateReplacePolicy,
  ];

  test('deletes the user by default, also the one that is replaced', () => {
    const stack = newStack();
    declareAna(stack);
    expect(policies(usersIn(stack)[0]!)).toEqual(['Delete', 'Delete']);
  });

  test('keeps the user if told so by the prop, also the one that is replaced', () => {
    const stack = newStack();
    declareAna(stack, { removalPolicy: RemovalPolicy.RETAIN });
    expect(policies(usersIn(stack)[0]!)).toEqual(['Retain', 'Retain']);
  });

  test('keeps the user if told so afterwards', () => {
    const stack = newStack();
    declareAna(stack).applyRemovalPolicy(RemovalPolicy.RETAIN);
    expect(policies(usersIn(stack)[0]!)).toEqual(['Retain', 'Retain']);
  });
});

describe('invitationSecret', () => {
  const tagsOfSecrets = (stack: Stack) =>
    Object.values(Template.fromStack(stack).findResources('AWS::SecretsManager::Secret')).map(
      ({ Properties }) => Properties.Tags,
    );

  test('is on the wire by reference, so that it is made first, and gets the tag by which the function may write it', () => {
    const stack = newStack();
    const invitationSecret = new Secret(stack, 'Secret');
    expect(propertiesOf({ invitationSecret }, stack).InvitationSecretArn).toEqual({
      Ref: expect.stringMatching(/^Secret/),
    });
    expect(usersIn(stack)[0]!.DependsOn).toBeUndefined();
    expect(tagsOfSecrets(stack)).toEqual([[tag('cdk-quicksight-users:invitation-secret', 'true')]]);
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
  });

  test('alone gets the tag: not what stands below it, nor its key, nor other secrets', () => {
    const stack = newStack();
    const invitationSecret = new Secret(stack, 'Secret', { encryptionKey: new Key(stack, 'Key') });
    new Secret(invitationSecret, 'Below');
    new Key(invitationSecret, 'KeyBelow');
    new Secret(stack, 'Other');
    declareAna(stack, { invitationSecret });
    expect(tagsOfSecrets(stack).filter(Boolean)).toEqual([[tag('cdk-quicksight-users:invitation-secret', 'true')]]);
    for (const { Properties } of Object.values(Template.fromStack(stack).findResources('AWS::KMS::Key'))) {
      expect(Properties.Tags).toBeUndefined();
    }
  });

  test('keeps the tags that it has', () => {
    const stack = newStack();
    const invitationSecret = new Secret(stack, 'Secret');
    Tags.of(stack).add('team', 'data');
    declareAna(stack, { invitationSecret });
    expect(tagsOfSecrets(stack)).toEqual([
      [tag('cdk-quicksight-users:invitation-secret', 'true'), tag('team', 'data')],
    ]);
  });

  test('may be imported, with a warning that it must carry the tag', () => {
    const stack = newStack();
    const arn = `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:ana-AbCdEf`;
    const invitationSecret = Secret.fromSecretCompleteArn(stack, 'Imported', arn);
    expect(propertiesOf({ invitationSecret }, stack).InvitationSecretArn).toBe(arn);
    Annotations.fromStack(stack).hasWarning(
      '/Stack/Ana',
      Match.stringLikeRegexp(
        'Stack/Imported is no secret that this app makes.*tag cdk-quicksight-users:invitation-secret with the value true' +
          '.*invitationSecrets.*cdk-quicksight-users:untaggedSecret',
      ),
    );
  });

  test('may be imported by name', () => {
    const stack = newStack({ env: { account: ACCOUNT, region: 'eu-west-1' } });
    const invitationSecret = Secret.fromSecretNameV2(stack, 'Imported', 'invitations/ana');
    const { InvitationSecretArn } = propertiesOf({ invitationSecret }, stack);
    expect(JSON.stringify(InvitationSecretArn)).toContain(
      `:secretsmanager:eu-west-1:${ACCOUNT}:secret:invitations/ana`,
    );
  });

  test('is no cause for a warning when it is imported and the provider lists it', () => {
    const stack = newStack();
    const arn = `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:ana-AbCdEf`;
    const imported = (id: string) => Secret.fromSecretCompleteArn(stack, id, arn);
    const provider = new QuickSightUserProvider(stack, 'Users', { invitationSecrets: [imported('Listed')] });
    declareAna(stack, { provider, invitationSecret: imported('Used') });
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
  });

  test('may be in another stack of the app, and in a nested stack, while the provider is in the root stack', () => {
    const app = new App();
    const secrets = new Stack(app, 'Secrets');
    const root = new Stack(app, 'Root');
    const nested = new NestedStack(root, 'Nested');
    const nestedSecrets = new NestedStack(root, 'NestedSecrets');
    declareAna(root, { invitationSecret: new Secret(secrets, 'Other') }, 'Ana');
    const ben = { identity: UserIdentity.quickSight('ben'), invitationSecret: new Secret(nestedSecrets, 'Nested') };
    declareAna(root, ben, 'Ben');
    const carla = { identity: UserIdentity.quickSight('carla'), invitationSecret: new Secret(nested, 'Same') };
    declareAna(nested, carla, 'Carla');
    const dora = { identity: UserIdentity.quickSight('dora'), invitationSecret: new Secret(root, 'Root') };
    declareAna(nested, dora, 'Dora');
    expect(() => app.synth()).not.toThrow();
    for (const stack of [secrets, root, nested, nestedSecrets]) {
      for (const tags of tagsOfSecrets(stack)) {
        expect(tags).toEqual([tag('cdk-quicksight-users:invitation-secret', 'true')]);
      }
    }
  });
});

describe('in a nested stack', () => {
  const root = newStack();
  const inner = new NestedStack(new NestedStack(root, 'Outer'), 'Inner');
  declareAna(inner);

  test('a user shares the provider of the root stack', () => {
    Template.fromStack(root).resourceCountIs('AWS::Lambda::Function', 1);
    Template.fromStack(inner).resourceCountIs('AWS::Lambda::Function', 0);
  });

  test('a user names the root stack, whatever the depth', () => {
    const parameter = (usersIn(inner)[0]!.Properties.RootStackId as { Ref: string }).Ref;
    expect(parameter).toMatch(/^referencetoStackAWSStackId/);
    const [outer] = Object.values(Template.fromStack(root).findResources('AWS::CloudFormation::Stack'));
    expect(Object.values(outer!.Properties.Parameters)).toContainEqual({ Ref: 'AWS::StackId' });
  });
});

describe('an unusual e-mail address', () => {
  test.each(['ana', 'ana@host', 'ana @example.com', 'ana@@example.com', 'ana@example.com.'])(
    '"%s" is a warning',
    (email) => {
      const stack = newStack();
      declareAna(stack, { email });
      Annotations.fromStack(stack).hasWarning(
        '/Stack/Ana',
        Match.stringLikeRegexp('unusual form.*cdk-quicksight-users:oddEmail'),
      );
    },
  );

  test.each(['ana@example.com', 'ana+qs@mail.example.com', "O'Neil@example.com", 'åsa@example.com'])(
    'is not "%s"',
    (email) => {
      const stack = newStack();
      declareAna(stack, { email });
      Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
    },
  );
});

describe('an imported user', () => {
  const arn = `arn:aws-us-gov:quicksight:us-gov-west-1:${ACCOUNT}:user/partners/Data/ana`;

  test('by ARN knows its namespace and its name, slashes included', () => {
    const user = QuickSightUser.fromUserArn(newStack(), 'Ana', arn);
    expect([user.userArn, user.namespace, user.userName]).toEqual([arn, 'partners', 'Data/ana']);
    expect(user.env).toEqual({ account: ACCOUNT, region: 'us-gov-west-1' });
  });

  test('by an ARN with only partition and account as tokens knows as much', () => {
    const stack = newStack();
    const arnOfStack = stack.formatArn({ service: 'quicksight', resource: 'user', resourceName: 'partners/Data/ana' });
    const user = QuickSightUser.fromUserArn(stack, 'Ana', arnOfStack);
    expect([user.namespace, user.userName]).toEqual(['partners', 'Data/ana']);
  });

  test('by an ARN that is a token knows its namespace, and says what it cannot know', () => {
    const stack = newStack();
    const user = QuickSightUser.fromUserArn(stack, 'Imported', declareAna(stack).userArn);
    expect(stack.resolve(user.namespace)).toEqual({
      'Fn::Select': [1, { 'Fn::Split': ['/', { 'Fn::GetAtt': ['Ana1DFF4572', 'Arn'] }] }],
    });
    expect(() => user.userName).toThrow(
      'userName of the imported QuickSight user Stack/Imported is not known: import it with fromUserAttributes()',
    );
  });

  test.each(['ana', 'arn:aws:iam::111122223333:user/ana', `arn:aws:quicksight:us-east-1:${ACCOUNT}:group/default/ana`])(
    'cannot have the ARN %s',
    (wrong) => {
      expect(() => QuickSightUser.fromUserArn(newStack(), 'Ana', wrong)).toThrow(
        `"${wrong}" is not the ARN of a QuickSight user: give one like arn:aws:quicksight:us-east-1:111122223333:user/default/ana`,
      );
    },
  );

  test('by attributes has an ARN in the identity region', () => {
    const stack = newStack();
    const user = QuickSightUser.fromUserAttributes(stack, 'Ana', { userName: 'Data/ana', identityRegion: 'us-east-1' });
    expect([user.userName, user.namespace]).toEqual(['Data/ana', 'default']);
    expect(stack.resolve(user.userArn)).toEqual({
      'Fn::Join': [
        '',
        [
          'arn:',
          { Ref: 'AWS::Partition' },
          ':quicksight:us-east-1:',
          { Ref: 'AWS::AccountId' },
          ':user/default/Data/ana',
        ],
      ],
    });
  });

  test('attributes that cannot be right are refused, all at once', () => {
    const attrs = { userName: '..', namespace: 'a b', identityRegion: '' };
    expect(() => QuickSightUser.fromUserAttributes(newStack(), 'Ana', attrs)).toThrow(
      /namespace "a b" is not a namespace.*userName "\.\.".*identityRegion "" is not the name of a region/,
    );
  });

  test('by attributes without the identity region says that the ARN needs it', () => {
    const user = QuickSightUser.fromUserAttributes(newStack(), 'Ana', { userName: 'ana', namespace: 'partners' });
    expect(user.namespace).toBe('partners');
    expect(() => user.userArn).toThrow(
      'userArn of the imported QuickSight user Stack/Ana is not known: give identityRegion',
    );
  });

  test.each(['userPrincipalId', 'invitationUrl'] as const)('does not know its %s', (property) => {
    const user = QuickSightUser.fromUserArn(newStack(), 'Ana', arn);
    expect(() => user[property]).toThrow(`${property} of the imported QuickSight user Stack/Ana is not known`);
  });

  test('adds nothing to the template', () => {
    const stack = newStack();
    QuickSightUser.fromUserArn(stack, 'Ana', arn);
    expect(Template.fromStack(stack).toJSON().Resources).toBeUndefined();
  });
});

function tag(Key: string, Value: string) {
  return { Key, Value };
}
