import { Template, TemplateResource } from '../../../local/cloudformation/template';
import { changes } from '../../../local/start/changes';

const ANA = {
  Namespace: 'default',
  UserName: 'ana',
  IdentityType: 'QUICKSIGHT',
  Email: 'ana@example.com',
  UserRole: 'READER',
};

function user(Properties: Record<string, unknown>, DeletionPolicy = 'Delete'): TemplateResource {
  return { Type: 'Custom::QuickSightUser', Properties, DeletionPolicy };
}

function told(before: Record<string, TemplateResource>, after: Record<string, TemplateResource>): string[] {
  const template = (Resources: Record<string, TemplateResource>): Template => ({ Resources });
  return changes(template(before), template(after)).map(({ mark, text }) => `${mark} ${text}`);
}

test('an unchanged template has no changes', () => {
  expect(told({ Ana: user(ANA) }, { Ana: user({ ...ANA }) })).toEqual([]);
});

test('users are told as added, changed and removed, in this order, and all else in one line', () => {
  const fn = (code: string) => ({ Type: 'AWS::Lambda::Function', Properties: { Code: code } });
  expect(
    told(
      {
        Fn: fn('1'),
        Ana: user(ANA),
        Zoe: user({ ...ANA, UserName: 'zoe' }),
        Ben: user({ ...ANA, UserName: 'ben' }, 'Retain'),
      },
      {
        Cleo: user({ ...ANA, UserName: 'cleo', Namespace: 'partners' }),
        Ana: user({ ...ANA, UserRole: 'AUTHOR' }),
        Fn: fn('2'),
      },
    ),
  ).toEqual([
    '+ cleo (partners): READER, ana@example.com',
    '~ ana: role READER → AUTHOR',
    '- ben: stays in QuickSight, no longer managed',
    '- zoe: leaves QuickSight',
    '~ the provider behind the users: 1 resource',
  ]);
});

test('a new user that would be adopted is told as one', () => {
  expect(told({}, { Ana: user({ ...ANA, OnExisting: 'ADOPT' }) })).toEqual([
    '+ ana: READER, ana@example.com, adopted if it exists',
  ]);
});

test('groups and custom permissions are told by name', () => {
  const group = (GroupName: string, Description: string) => ({
    Type: 'AWS::QuickSight::Group',
    Properties: { GroupName, Description },
  });
  const profile = { Type: 'AWS::QuickSight::CustomPermissions', Properties: { CustomPermissionsName: 'no-exports' } };
  expect(told({ A: group('a', 'x'), P: profile }, { A: group('a', 'y'), B: group('b', 'z') })).toEqual([
    '+ group b',
    '~ group a',
    '- custom permissions no-exports',
  ]);
});

test.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
  ['groups', { GroupNames: ['a', 'b'] }, { GroupNames: ['b'] }, 'groups a, b → b'],
  ['an e-mail address', {}, { Email: 'a@example.com' }, 'e-mail ana@example.com → a@example.com'],
  ['a first tag', {}, { Tags: [{ Key: 'team', Value: 'sales' }] }, 'tag team none → sales'],
  [
    'tags, each by itself',
    {
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
        { Key: 'c', Value: '3' },
      ],
    },
    {
      Tags: [
        { Key: 'c', Value: '3' },
        { Key: 'b', Value: '4' },
      ],
    },
    'tag a 1 → none, tag b 2 → 4',
  ],
  ['custom permissions', { CustomPermissionsName: 'x' }, {}, 'custom permissions x → none'],
])('%s', (_, before, after, text) => {
  expect(told({ Ana: user({ ...ANA, ...before }) }, { Ana: user({ ...ANA, ...after }) })).toEqual([`~ ana: ${text}`]);
});

test('a removal policy is a change of the user, although no property changes', () => {
  expect(told({ Ana: user(ANA) }, { Ana: user(ANA, 'RetainExceptOnCreate') })).toEqual([
    '~ ana: on removal leave → stay',
  ]);
});

test('an IAM user or role session is called what QuickSight calls it', () => {
  const arn = (resource: string) => ({
    'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::', { Ref: 'AWS::AccountId' }, `:${resource}`]],
  });
  const iam = { ...ANA, UserName: undefined, IdentityType: 'IAM' };
  expect(
    told(
      {},
      {
        A: user({ ...iam, IamArn: arn('user/x/bob') }),
        B: user({ ...iam, IamArn: 'arn:aws:iam::111122223333:role/x/Team', SessionName: 'cleo' }),
      },
    ),
  ).toEqual(['+ bob: READER, ana@example.com', '+ Team/cleo: READER, ana@example.com']);
});
