import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { QuickSightUsersStack } from '../../bin/quicksight-users-stack';

const SAMPLE = path.join(__dirname, '../../users.yaml');
const TYPE = 'Custom::QuickSightUser';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'users-stack-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function stackOf(text: string): QuickSightUsersStack {
  const usersFile = path.join(folder, 'users.yaml');
  writeFileSync(usersFile, text);
  return new QuickSightUsersStack(new App(), 'QuickSightUsers', { files: [usersFile] });
}

function users(number: number): string {
  const entry = (_: unknown, index: number) =>
    `  - { userName: u${index}, email: u${index}@example.com, role: READER }`;
  return ['users:', ...Array.from({ length: number }, entry)].join('\n');
}

/** All problems of a file, without the folder that it is in. */
function problems(text: string): string[] {
  try {
    stackOf(text);
  } catch (error) {
    expect((error as Error).name).toBe('UsersFileError');
    return (error as Error).message.split('\n').map((line) => line.replace(folder + path.sep, ''));
  }
  return [];
}

describe('the users file that comes with the repository', () => {
  const template = Template.fromStack(new QuickSightUsersStack(new App(), 'QuickSightUsers', { files: [SAMPLE] }));
  const declared = Object.values(template.findResources(TYPE)).map(({ Properties }) => Properties);

  test('uses every role', () => {
    expect([...new Set(declared.map(({ UserRole }) => UserRole))].sort()).toEqual([
      'ADMIN',
      'ADMIN_PRO',
      'AUTHOR',
      'AUTHOR_PRO',
      'READER',
      'READER_PRO',
    ]);
  });

  test('uses every property that the app can render', () => {
    expect([...new Set(declared.flatMap((properties) => Object.keys(properties)))].sort()).toEqual([
      'AwsAccountId',
      'CustomFederationProviderUrl',
      'CustomPermissionsName',
      'Email',
      'ExternalLoginFederationProviderType',
      'ExternalLoginId',
      'GroupNames',
      'IamArn',
      'IdentityType',
      'InvitationVersion',
      'Namespace',
      'OnExisting',
      'RootStackId',
      'ServiceTimeout',
      'ServiceToken',
      'SessionName',
      'Tags',
      'UserName',
      'UserRole',
    ]);
  });

  test('has no Identity Center user, which no real account could deploy', () => {
    expect([...new Set(declared.map(({ IdentityType }) => IdentityType))].sort()).toEqual(['IAM', 'QUICKSIGHT']);
  });

  test('names IAM identities in the partition and account that the stack is deployed to', () => {
    template.hasResourceProperties(TYPE, {
      IamArn: {
        'Fn::Join': [
          '',
          ['arn:', { Ref: 'AWS::Partition' }, ':iam::', { Ref: 'AWS::AccountId' }, ':user/analytics/elif'],
        ],
      },
      SessionName: Match.absent(),
      UserName: Match.absent(),
    });
  });

  test('leaves a full ARN as it is', () => {
    template.hasResourceProperties(TYPE, {
      IamArn: 'arn:aws:iam::111122223333:role/analytics/Finance',
      SessionName: 'farid',
    });
  });

  test('keeps the user that is declared with removalPolicy retain, except when its creation is rolled back', () => {
    template.hasResource(TYPE, {
      Properties: { UserName: 'ivan' },
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('gives the ARN and the invitation URL of each user as outputs', () => {
    const outputs = Object.values(template.findOutputs('*'));
    expect(outputs).toHaveLength(2 * declared.length);
    expect(outputs).toContainEqual({
      Description: 'ARN of DataTeam/carla',
      Value: { 'Fn::GetAtt': [expect.stringMatching(/^defaultDataTeam/), 'Arn'] },
    });
  });
});

test('the logical id of a user does not depend on its place in the file or on other users', () => {
  const [ana, ben] = ['ana', 'ben'].map((name) => `  - { userName: ${name}, email: a@example.com, role: READER }`);
  const idOf = (name: string, text: string) => {
    const found = Template.fromStack(stackOf(text)).findResources(TYPE, { Properties: { UserName: name } });
    return Object.keys(found);
  };
  expect(idOf('ana', `users:\n${ben}\n${ana}`)).toEqual(idOf('ana', `users:\n${ana}`));
  expect(idOf('ana', `users:\n${ana}`)).toEqual(['defaultana95C63802']);
});

test('names that differ only in what logical ids cannot hold are different users', () => {
  const names = ['Team/ana', 'Team--ana', 'Team.ana', 'Team%2Fana', 'team/ana', 'Téam/ana'];
  const file = ['users:', ...names.map((name) => `  - { userName: '${name}', email: a@example.com, role: READER }`)];
  Template.fromStack(stackOf(file.join('\n'))).resourceCountIs(TYPE, names.length);
});

test('a file without users leaves the provider in place', () => {
  const template = Template.fromStack(stackOf('users: []'));
  template.resourceCountIs(TYPE, 0);
  template.resourceCountIs('AWS::Lambda::Function', 1);
});

test('what the library refuses is shown at the entry, together with all other problems of the file', () => {
  expect(
    problems(
      [
        'users:',
        '  - { userName: ana, email: a@example.com, role: READER, tags: { team: x, Team: y } }',
        '  - { userName: ben, email: b@example.com, role: REDER }',
        '  - { userName: a/../b, email: b@example.com, role: READER }',
      ].join('\n'),
    ),
  ).toEqual([
    'users.yaml:2:5 tags "team" and "Team" differ only in case: keep one',
    "users.yaml:3:50 role 'REDER' is not one of READER, AUTHOR, ADMIN, READER_PRO, AUTHOR_PRO, ADMIN_PRO; did you mean READER?",
    'users.yaml:4:5 userName "a/../b" has "." or ".." for a path segment: use another name',
  ]);
});

test('up to 100 users have outputs; beyond that they are left out, and a warning says so', () => {
  const fits = stackOf(users(100));
  expect(Object.keys(Template.fromStack(fits).findOutputs('*'))).toHaveLength(200);
  Annotations.fromStack(fits).hasNoWarning('*', Match.anyValue());

  const beyond = stackOf(users(101));
  expect(Template.fromStack(beyond).findOutputs('*')).toEqual({});
  Annotations.fromStack(beyond).hasWarning(
    '/QuickSightUsers/Default',
    Match.stringLikeRegexp('101 users .* are left out'),
  );
});

test('more than 490 users are spread over nested stacks, without outputs', () => {
  const fits = Template.fromStack(stackOf(users(490)));
  fits.resourceCountIs(TYPE, 490);
  const beyond = Template.fromStack(stackOf(users(491)));
  beyond.resourceCountIs(TYPE, 0);
  beyond.resourceCountIs('AWS::CloudFormation::Stack', 32);
  expect(beyond.findOutputs('*')).toEqual({});
});
