import type { UserResourceProperties } from '../../../lib/private/user-resource';
import { isOddEmail, tagProblems, userProblems } from '../../../lib/private/validate';

type Properties = Partial<UserResourceProperties>;

const QUICKSIGHT: Properties = {
  AwsAccountId: '111122223333',
  Namespace: 'default',
  IdentityType: 'QUICKSIGHT',
  UserName: 'ana',
  Email: 'ana@example.com',
  UserRole: 'AUTHOR',
  RootStackId: 'arn:aws:cloudformation:us-east-1:111122223333:stack/Users/1f0e',
};
const IAM: Properties = { ...QUICKSIGHT, IdentityType: 'IAM', UserName: undefined };
const USER = 'arn:aws:iam::111122223333:user/ana';
const ROLE = 'arn:aws-cn:iam::111122223333:role/path/Data';

const SECRET = 'arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:invitations/ana-AbCdEf';

const problems = (properties: Properties) =>
  userProblems(properties).map(({ property, text }) => `${property} ${text}`);

describe('nothing is wrong with', () => {
  test.each<[string, Properties]>([
    ['a QuickSight user', QUICKSIGHT],
    ['an Identity Center user', { ...QUICKSIGHT, IdentityType: 'IAM_IDENTITY_CENTER' }],
    ['an IAM user', { ...IAM, IamArn: USER }],
    ['an IAM user with a path', { ...IAM, IamArn: 'arn:aws:iam::111122223333:user/a/b/ana' }],
    ['a role session', { ...IAM, IamArn: ROLE, SessionName: 'ana@example.com' }],
    ['a name with slashes, dots, spaces and Latin-1 letters', { ...QUICKSIGHT, UserName: 'a/.b/José 100%+x@y...' }],
    ['a name of 256 characters', { ...QUICKSIGHT, UserName: 'é'.repeat(256) }],
    ['a namespace of 64 characters', { ...QUICKSIGHT, Namespace: `a.B_-${'9'.repeat(59)}` }],
    ['custom permissions', { ...QUICKSIGHT, CustomPermissionsName: 'a+=,.@_-9' }],
    ['a Cognito login', { ...QUICKSIGHT, ExternalLoginFederationProviderType: 'COGNITO', ExternalLoginId: 'id' }],
    [
      'an OpenID Connect login',
      {
        ...QUICKSIGHT,
        ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
        CustomFederationProviderUrl: 'https://login.example.com/realm?x=y',
        ExternalLoginId: 'id',
      },
    ],
    ['a strange e-mail address', { ...QUICKSIGHT, Email: 'not an address' }],
    ['a role of a later day', { ...QUICKSIGHT, UserRole: 'VIEWER_MAX' }],
    ['adopting', { ...QUICKSIGHT, OnExisting: 'ADOPT' }],
    ['failing', { ...QUICKSIGHT, OnExisting: 'FAIL' }],
    ['an invitation version', { ...QUICKSIGHT, InvitationVersion: '2026-11-24 10:00\n' }],
    ['an invitation version of 256 characters', { ...QUICKSIGHT, InvitationVersion: 'v'.repeat(256) }],
    ['an invitation secret', { ...QUICKSIGHT, InvitationSecretArn: SECRET }],
  ])('%s', (_, properties) => {
    expect(problems(properties)).toEqual([]);
  });
});

describe('what is wrong is told once, with the value and the way out', () => {
  test.each<[Properties, string | RegExp]>([
    [
      { ...QUICKSIGHT, AwsAccountId: '1234' },
      'AwsAccountId "1234" is not the id of an AWS account: give its 12 digits',
    ],
    [{ ...QUICKSIGHT, Namespace: '' }, 'Namespace "" is not a namespace'],
    [{ ...QUICKSIGHT, Namespace: '.' }, 'Namespace "." is not a namespace'],
    [{ ...QUICKSIGHT, Namespace: '..' }, 'Namespace ".." is not a namespace'],
    [{ ...QUICKSIGHT, Namespace: 'a/b' }, 'Namespace "a/b" is not a namespace'],
    [{ ...QUICKSIGHT, Namespace: 'a\n' }, 'Namespace "a\\n" is not a namespace'],
    [{ ...QUICKSIGHT, Namespace: 'n'.repeat(65) }, 'use 1 to 64 of'],
    [{ ...QUICKSIGHT, UserName: '' }, 'UserName "" is empty'],
    [{ ...QUICKSIGHT, UserName: '.' }, 'UserName "." has "." or ".." for a path segment: use another name'],
    [{ ...QUICKSIGHT, UserName: '..' }, 'UserName ".." has "." or ".."'],
    [{ ...QUICKSIGHT, UserName: 'a/../b' }, 'UserName "a/../b" has "." or ".."'],
    [{ ...QUICKSIGHT, UserName: 'a;b' }, 'UserName "a;b" has a ";"'],
    [{ ...QUICKSIGHT, UserName: 'a\tb' }, 'UserName "a\\tb" has a control character'],
    [{ ...QUICKSIGHT, UserName: 'a\u0085b' }, 'UserName "a\\u0085b" has a control character'],
    [{ ...QUICKSIGHT, UserName: 'łukasz' }, 'UserName "łukasz" has a character beyond Latin-1'],
    [{ ...QUICKSIGHT, UserName: 'a'.repeat(257) }, 'has 257 characters: use at most 256'],
    [{ ...QUICKSIGHT, UserName: undefined }, 'UserName is missing: identity type QUICKSIGHT needs a user name'],
    [{ ...QUICKSIGHT, IamArn: USER }, `IamArn "${USER}" does not apply`],
    [{ ...QUICKSIGHT, SessionName: 'ana' }, 'SessionName "ana" does not apply'],
    [{ ...QUICKSIGHT, IdentityType: 'LDAP' as never }, 'IdentityType "LDAP" is not one of IAM, QUICKSIGHT'],
    [IAM, 'IamArn is missing: identity type IAM needs the ARN'],
    [{ ...IAM, IamArn: USER, UserName: 'ana' }, 'UserName "ana" does not apply: QuickSight derives the name'],
    [{ ...IAM, IamArn: USER, SessionName: 'ana' }, `SessionName "ana" does not apply: "${USER}" is an IAM user`],
    [{ ...IAM, IamArn: ROLE }, `SessionName is missing: "${ROLE}" is an IAM role`],
    [{ ...IAM, IamArn: ROLE, SessionName: 'a' }, 'SessionName "a" is not a role session name'],
    [{ ...IAM, IamArn: ROLE, SessionName: 'a b' }, 'SessionName "a b" is not a role session name'],
    [{ ...IAM, IamArn: ROLE, SessionName: '..' }, 'IamArn makes the user name "Data/..", which has "." or ".."'],
    [{ ...IAM, IamArn: 'ana' }, 'IamArn "ana" is not an ARN'],
    [
      { ...IAM, IamArn: 'arn:aws:sts::111122223333:assumed-role/Data/carla' },
      'is the ARN of a session: give the ARN of the IAM role Data, and "carla" as session name',
    ],
    [{ ...IAM, IamArn: 'arn:aws:iam::111122223333:root' }, 'is the root of an account'],
    [{ ...IAM, IamArn: 'arn:aws:iam::111122223333:group/g' }, 'is neither an IAM user nor an IAM role'],
    [{ ...IAM, IamArn: 'arn:aws:iam::111122223333:user/path/' }, 'is neither an IAM user nor an IAM role'],
    [{ ...IAM, IamArn: 'arn:aws:quicksight::111122223333:user/default/ana' }, 'is neither an IAM user nor an IAM role'],
    [{ ...QUICKSIGHT, Email: '' }, 'Email "" is not an e-mail address: QuickSight requires one'],
    [{ ...QUICKSIGHT, Email: 'a\n@example.com' }, 'Email "a\\n@example.com" is not an e-mail address'],
    [{ ...QUICKSIGHT, UserRole: 'author' }, 'UserRole "author" is not spelled as QuickSight spells roles'],
    [{ ...QUICKSIGHT, UserRole: 'RESTRICTED_READER' }, 'UserRole "RESTRICTED_READER" is in the API of QuickSight, but'],
    [{ ...QUICKSIGHT, UserRole: 'RESTRICTED_AUTHOR' }, 'UserRole "RESTRICTED_AUTHOR" is in the API of QuickSight, but'],
    [
      { ...QUICKSIGHT, CustomPermissionsName: 'a b' },
      'CustomPermissionsName "a b" is not the name of custom permissions',
    ],
    [{ ...QUICKSIGHT, ExternalLoginId: 'id' }, 'ExternalLoginFederationProviderType "" is not one of COGNITO'],
    [{ ...QUICKSIGHT, ExternalLoginFederationProviderType: 'COGNITO' }, 'ExternalLoginId is missing'],
    [
      { ...QUICKSIGHT, ExternalLoginFederationProviderType: 'CUSTOM_OIDC', ExternalLoginId: 'id' },
      'CustomFederationProviderUrl is missing',
    ],
    ...['http://login.example.com', 'https://', 'login.example.com', 'https://a b'].map((url): [Properties, string] => [
      {
        ...QUICKSIGHT,
        ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
        CustomFederationProviderUrl: url,
        ExternalLoginId: 'id',
      },
      `CustomFederationProviderUrl "${url}" is not an https address`,
    ]),
    [
      {
        ...QUICKSIGHT,
        ExternalLoginFederationProviderType: 'COGNITO',
        CustomFederationProviderUrl: 'https://login.example.com',
        ExternalLoginId: 'id',
      },
      'CustomFederationProviderUrl "https://login.example.com" does not apply: only CUSTOM_OIDC has it',
    ],
    [{ ...QUICKSIGHT, OnExisting: 'adopt' as never }, 'OnExisting "adopt" is not one of FAIL and ADOPT'],
    [{ ...QUICKSIGHT, InvitationVersion: '' }, 'InvitationVersion "" is not an invitation version: use 1 to 256'],
    [{ ...QUICKSIGHT, InvitationVersion: 'v'.repeat(257) }, 'is not an invitation version: use 1 to 256 characters'],
    ...[
      'invitation',
      'arn:aws:ssm:us-east-1:111122223333:parameter/invitation',
      // The handler goes to the region in the ARN, so it has to be one.
      'arn:aws:secretsmanager:example.com/:111122223333:secret:invitation-AbCdEf',
      'arn:aws:secretsmanager::111122223333:secret:invitation-AbCdEf',
      `${SECRET}:SecretString:url`,
    ].map((arn): [Properties, string] => [
      { ...QUICKSIGHT, InvitationSecretArn: arn },
      `InvitationSecretArn "${arn}" is not the ARN of a secret: give one like arn:aws:secretsmanager:us-east-1:`,
    ]),
    [
      { ...IAM, IamArn: USER, InvitationVersion: '2' },
      'InvitationVersion "2" does not apply: a user of identity type IAM has no invitation',
    ],
    [
      { ...QUICKSIGHT, IdentityType: 'IAM_IDENTITY_CENTER', InvitationSecretArn: SECRET },
      `InvitationSecretArn "${SECRET}" does not apply: a user of identity type IAM_IDENTITY_CENTER has no invitation`,
    ],
  ])('%j', (properties, expected) => {
    expect(problems(properties)).toEqual([expect.stringContaining(expected as string)]);
  });
});

test('what is not known yet is not judged', () => {
  const unknown = '${Token[1]};..';
  const properties = Object.fromEntries([...Object.keys(QUICKSIGHT), 'OnExisting'].map((name) => [name, unknown]));
  const invitation = { InvitationVersion: unknown, InvitationSecretArn: unknown };
  const isKnown = (value: string) => !value.includes('${Token[');
  expect(userProblems({ ...properties, ...invitation, IdentityType: 'QUICKSIGHT' }, isKnown)).toEqual([]);
  expect(userProblems({ ...properties, IdentityType: 'IAM', UserName: undefined, IamArn: unknown }, isKnown)).toEqual(
    [],
  );
});

test('a secret that is not known yet is not named where it does not apply', () => {
  const properties: Properties = { ...IAM, IamArn: USER, InvitationSecretArn: '${Token[1]}' };
  expect(userProblems(properties, (value) => !value.includes('${Token['))).toEqual([
    { property: 'InvitationSecretArn', text: 'does not apply: a user of identity type IAM has no invitation' },
  ]);
});

describe('tags', () => {
  test.each<[Record<string, string>, string]>([
    [{ '': 'x' }, '"" has 0 characters: use 1 to 128'],
    [{ ['k'.repeat(129)]: 'x' }, 'has 129 characters: use 1 to 128'],
    [{ team: '' }, '"team" has a value of 0 characters: use 1 to 256'],
    [{ team: 'v'.repeat(257) }, '"team" has a value of 257 characters'],
    [{ 'AWS:team': 'x' }, '"AWS:team" begins with "aws:", which is reserved'],
    [{ 'cdk-quicksight-users:adopted': 'x' }, 'begins with "cdk-quicksight-users:", which is reserved'],
    [{ team: 'x', Team: 'y' }, '"team" and "Team" differ only in case: keep one'],
    [Object.fromEntries(Array.from({ length: 45 }, (_, n) => [`k${n}`, 'x'])), 'are 45: use at most 44'],
  ])('%j are refused', (tags, expected) => {
    expect([...tagProblems(list(tags))]).toEqual([{ property: 'Tags', text: expect.stringContaining(expected) }]);
  });

  test('given twice are refused', () => {
    expect([...tagProblems([...list({ team: 'x' }), ...list({ team: 'x' })])]).toEqual([
      { property: 'Tags', text: '"team" is given twice: keep one' },
    ]);
  });

  test('of the longest key and value are fine', () => {
    expect([...tagProblems(list({ ['k'.repeat(128)]: 'v'.repeat(256) }))]).toEqual([]);
  });
});

test('an odd e-mail address is told from an ordinary one', () => {
  expect(['ana@example.com', 'a.b+c@mail.example.com'].map(isOddEmail)).toEqual([false, false]);
  expect(['ana', 'ana@', '@example.com', 'ana@example', 'a b@example.com', 'ana@example..com'].every(isOddEmail)).toBe(
    true,
  );
});

function list(tags: Record<string, string>) {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
