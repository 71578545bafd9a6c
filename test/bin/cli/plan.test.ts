import { plan, usersInDoubt } from '../../../bin/cli/plan';
import { profilesInDoubt, withProfiles } from '../../../bin/cli/plan-shared';
import { planMarkdown, planText, sentence } from '../../../bin/cli/plan-text';
import type { LiveUser } from '../../../bin/cli/live-users';
import type { Named } from '../../../bin/cli/person';
import type { DeployedUser } from '../../../bin/cli/stacks';
import type { DeclaredUser } from '../../../bin/users-declaration';
import type { UserResourceProperties } from '../../../lib/private/user-resource';
import { account, declared, files, live } from './account';

const STACK = 'arn:aws:cloudformation:us-east-1:111122223333:stack/QuickSightUsers/root-1';
const OURS = 'cdk-quicksight-users:held-by:ours';
const held = (key = OURS, root = 'root-1') => [key, `1/request/${root}/${root}/Ana`] as const;

/** A user as the stack has it: what `declared()` makes of the same differences. */
function deployed(properties: Partial<UserResourceProperties> = {}, more: Partial<DeployedUser> = {}): DeployedUser {
  const name = properties.UserName ?? 'Ana';
  return {
    namespace: 'default',
    name,
    properties: {
      AwsAccountId: '111122223333',
      Namespace: 'default',
      IdentityType: 'QUICKSIGHT',
      UserName: name,
      Email: 'someone@example.com',
      UserRole: 'READER',
      RootStackId: STACK,
      ...properties,
    },
    retained: false,
    holderKey: OURS,
    ...more,
  };
}

const stackOf = (...users: DeployedUser[]) => ({
  users: new Map(users.map((user) => [`${user.namespace}/${user.name}`, user])),
  groups: new Map<string, Named>(),
  profiles: new Set<string>(),
  stackId: STACK,
});

/** The sentences of a plan; tags of the live users by name. */
function told(
  wanted: readonly DeclaredUser[],
  users: readonly LiveUser[],
  stack: readonly DeployedUser[],
  tags: Record<string, (readonly [string, string])[]> = {},
  groups: Record<string, string[]> = {},
): string[] {
  const read = new Map(users.map((user) => [user, new Map(tags[user.name] ?? [held()])]));
  return plan(files(...wanted), account(users, groups), stackOf(...stack), read).entries.map(
    (entry) => `${entry.action}: ${sentence(entry)}`,
  );
}

test('nothing happens to who is declared as before, also when QuickSight has drifted', () => {
  expect(told([declared()], [live({ role: 'AUTHOR' })], [deployed()])).toEqual([]);
});

describe('a user that the stack has', () => {
  test('changes', () => {
    const wanted = declared({ role: 'AUTHOR', email: 'new@example.com', groups: ['b'], tags: { team: 'x' } });
    const before = deployed({ GroupNames: ['a'], Tags: [{ Key: 'team', Value: 'old' }] });
    expect(told([wanted], [live()], [before])).toEqual([
      'changes: Ana: READER → AUTHOR, e-mail someone@example.com → new@example.com, in group b, leaves group a, tag team old → x',
    ]);
  });

  test('changes from its live role, and keeps a live role that the files do not change', () => {
    expect(told([declared({ role: 'ADMIN' })], [live({ role: 'AUTHOR' })], [deployed()])).toEqual([
      'changes: Ana: AUTHOR → ADMIN',
    ]);
    expect(told([declared({ email: 'n@example.com' })], [live({ role: 'AUTHOR' })], [deployed()])).toEqual([
      'changes: Ana: e-mail someone@example.com → n@example.com',
    ]);
  });

  test('is registered again when it is gone and something changes', () => {
    expect(told([declared({ role: 'AUTHOR' })], [], [deployed()])).toEqual([
      'joins: Ana joins as AUTHOR (someone@example.com); was declared already, but is gone from QuickSight',
    ]);
  });

  test('cannot become a reader, unless nobody ever signed in', () => {
    const [wanted, before] = [[declared()], [deployed({ UserRole: 'AUTHOR' })]];
    expect(told(wanted, [live({ role: 'AUTHOR' })], before)).toEqual([
      'refused: Ana is AUTHOR and cannot become READER: QuickSight lowers it only by deleting the user, and it has been activated, and may own assets. Keep the role, or remove the user, deploy, and declare it anew',
    ]);
    expect(told(wanted, [live({ role: 'AUTHOR', active: false })], before)).toEqual([
      'changes: Ana: AUTHOR → READER, never signed in: is deleted and registered again, with a new invitation',
    ]);
  });

  test('cannot become another identity of the same name, unless nobody ever signed in', () => {
    const role = (entity: string) =>
      declared({ name: 'DataTeam/ana', identity: { iamRole: entity, sessionName: 'ana' } });
    const inIam = live({ name: 'DataTeam/ana', identityType: 'IAM' });
    const { UserName: _, ...asRole } = deployed().properties;
    const before = deployed(
      {},
      {
        name: 'DataTeam/ana',
        properties: {
          ...asRole,
          IdentityType: 'IAM',
          IamArn: 'arn:aws:iam::123456789012:role/DataTeam',
          SessionName: 'ana',
        },
      },
    );
    expect(told([role('DataTeam')], [inIam], [before])).toEqual([]);
    expect(told([role('arn:aws:iam::123456789012:role/DataTeam')], [inIam], [before])).toEqual([]);
    for (const other of ['teams/DataTeam', 'arn:aws:iam::111122223333:role/DataTeam']) {
      expect(told([role(other)], [inIam], [before])).toEqual([
        'refused: DataTeam/ana cannot become another identity of type IAM under the same name, as it has identity type IAM, and may own assets: remove the user, deploy, and declare it anew',
      ]);
    }
    const toIam = [declared({ identity: { iamUser: 'Ana' } })];
    expect(told(toIam, [live()], [deployed()])).toEqual([
      'refused: Ana cannot become IAM, from QUICKSIGHT, under the same name, as it has been activated, and may own assets: remove the user, deploy, and declare it anew',
    ]);
    expect(told(toIam, [live({ active: false })], [deployed()])).toEqual([
      'changes: Ana: never signed in: is deleted and registered again as IAM',
    ]);
  });

  test('gets a new invitation if it needs one, and nothing if it signed in', () => {
    const wanted = [declared({ invitationVersion: '2' })];
    expect(told(wanted, [live({ active: false })], [deployed()])).toEqual(['changes: Ana: gets a new invitation']);
    expect(told(wanted, [live()], [deployed()])).toEqual([]);
    expect(
      told(wanted, [live({ active: false })], [deployed()], { Ana: [held(), held('cdk-quicksight-users:held-by:2')] }),
    ).toEqual(['refused: Ana cannot get a new invitation: another resource holds it, too']);
  });

  test('loses access, and what an author owns is told', () => {
    expect(told([], [live()], [deployed()])).toEqual(['loses: Ana loses access (READER)']);
    expect(told([], [live({ role: 'AUTHOR' })], [deployed()])).toEqual([
      'loses: Ana loses access (AUTHOR); what the user owns is left without an owner: transfer it first',
    ]);
  });

  test.each([
    ['retained', [live()], { retained: true }, [held()], 'stays in QuickSight, no longer managed'],
    [
      'held by another',
      [live()],
      {},
      [held(), held('cdk-quicksight-users:held-by:2', 'root-2')],
      'stays in QuickSight: another resource holds the user, too',
    ],
  ])('does not when it is %s', (_, users, more, tags, note) => {
    expect(told([], users, [deployed({}, more)], { Ana: tags })).toEqual([`kept: Ana ${note}`]);
  });
});

describe('a user that the stack does not have', () => {
  test('joins', () => {
    expect(told([declared({ groups: ['analysts'] })], [], [])).toEqual([
      'joins: Ana joins as READER (someone@example.com, in group analysts)',
    ]);
  });

  test('is adopted, with what changes by that', () => {
    const wanted = [declared({ onExisting: 'adopt', role: 'AUTHOR', groups: ['a', 'b'] })];
    expect(told(wanted, [live()], [], {}, { a: ['Ana'], c: ['Ana'] })).toEqual([
      'adopted: Ana is adopted: READER → AUTHOR, in group b',
    ]);
  });

  test('is adopted with the tags that are declared', () => {
    const wanted = [declared({ onExisting: 'adopt', tags: { team: 'sales', floor: '2' } })];
    expect(
      told(wanted, [live()], [], {
        Ana: [
          ['team', 'old'],
          ['floor', '2'],
          ['theirs', 'x'],
        ],
      }),
    ).toEqual(['adopted: Ana is adopted: tag team old → sales']);
  });

  test('is not adopted as another type, or as a reader', () => {
    const wanted = [declared({ onExisting: 'adopt' })];
    expect(told(wanted, [live({ identityType: 'IAM' })], [])).toEqual([
      'refused: Ana exists with identity type IAM and is declared as QUICKSIGHT: declare it as it is, or delete it in QuickSight, which leaves what it owns without an owner',
    ]);
    expect(told(wanted, [live({ role: 'AUTHOR' })], [])[0]).toMatch(/^refused: Ana is AUTHOR and cannot become READER/);
  });

  test('is refused when it exists and is not to be adopted, except within the stack', () => {
    expect(told([declared()], [live()], [], { Ana: [held('cdk-quicksight-users:held-by:2', 'root-2')] })).toEqual([
      'refused: Ana exists already, held by resource Ana of the stack whose id ends in root-2: declare another name, or onExisting: adopt',
    ]);
    expect(told([declared()], [live()], [], { Ana: [] })).toEqual([
      'refused: Ana exists already: declare another name, or onExisting: adopt',
    ]);
    expect(told([declared()], [live()], [], { Ana: [held()] })).toEqual([]);
  });
});

test('tags are asked for only where they decide', () => {
  const [ana, ben, cleo, dan] = [live(), live({ name: 'Ben' }), live({ name: 'Cleo' }), live({ name: 'Dan' })];
  const onExisting = 'adopt';
  const wanted = files(
    declared(),
    declared({ name: 'Ben', onExisting }),
    declared({ name: 'Dan', onExisting, tags: { team: 'x' } }),
  );
  const stack = stackOf(deployed(), deployed({ UserName: 'Cleo' }));
  expect(usersInDoubt(wanted, account([ana, ben, cleo, dan]), stack)).toEqual([cleo, dan]);
});

test('without the deployed stack, live users are compared, and the plan says what it does not know', () => {
  const unknown = { unknown: 'AccessDenied: no' };
  const result = plan(
    files(declared({ role: 'AUTHOR' })),
    account([live(), live({ name: 'Ben' })]),
    unknown,
    new Map(),
  );
  expect(result.entries.map(sentence)).toEqual(['Ana: READER → AUTHOR']);
  expect(result.others).toBe(1);
  expect(result.warnings).toEqual([
    'the deployed stack cannot be read (AccessDenied: no): who would lose access is not known, and users that exist are taken for its own',
  ]);
});

describe('what the deployment would fail for', () => {
  const wanted = files(declared({ groups: ['analysts'] }), declared({ namespace: 'partners', role: 'ADMIN' }));

  test('a namespace and a group that nobody made', () => {
    const { problems } = plan(wanted, { ...account([]), missingNamespaces: ['partners'] }, stackOf(), new Map());
    expect(problems).toEqual([
      'there is no namespace partners: create it first',
      'there is no group analysts: create it, or list it under groups',
    ]);
  });

  test('a group to be made that exists already, unless the stack made it', () => {
    const analysts = { name: 'analysts', namespace: 'default', existing: false, place: declared().place };
    const listed = { ...wanted, groups: [analysts] };
    const here = account([], { analysts: [] });
    expect(plan(listed, here, stackOf(), new Map()).problems).toEqual([
      'the group analysts exists already, and the stack would make it: list it with existing: true',
    ]);
    expect(plan(listed, account([]), stackOf(), new Map()).problems).toEqual([]);
    const made = { ...stackOf(), groups: new Map([['default/analysts', analysts]]) };
    expect(plan(listed, here, made, new Map()).problems).toEqual([]);
    const existing = { ...wanted, groups: [{ ...analysts, existing: true }] };
    expect(plan(existing, here, stackOf(), new Map()).problems).toEqual([]);
    expect(plan(existing, account([]), stackOf(), new Map()).problems).toEqual([
      'there is no group analysts: create it, or take existing: true away from its entry',
    ]);
  });

  test('custom permissions that it gives to somebody and does not make have to be there', () => {
    const users = [
      declared({ customPermissionsName: 'few' }),
      declared({ name: 'Ben', customPermissionsName: 'ours' }),
    ];
    const ours = { name: 'ours', capabilities: {}, place: declared().place };
    const listed = {
      ...files(...users, declared({ name: 'Cleo', customPermissionsName: 'as-before' })),
      customPermissions: [ours],
    };
    const before = deployed({ UserName: 'Cleo', CustomPermissionsName: 'as-before' });
    const result = plan(listed, account([live({ name: 'Cleo' })]), stackOf(before), new Map());
    expect(profilesInDoubt(listed, result, stackOf(before))).toEqual(['few', 'ours']);
    expect(withProfiles(result, listed, stackOf(before), ['few', 'ours']).warnings).toEqual([
      'there are no custom permissions few: create them, or define them under customPermissions',
    ]);
    expect(withProfiles(result, listed, stackOf(before), []).problems).toEqual([
      'the custom permissions ours exist already, and the stack would make them: name them at users only, and define them nowhere',
    ]);
    const made = { ...stackOf(before), profiles: new Set(['ours']) };
    expect(profilesInDoubt(listed, result, made)).toEqual(['few', 'ours']);
    expect(withProfiles(result, listed, made, []).problems).toEqual([]);
  });

  test('but not for the groups of people to whom nothing happens', () => {
    const before = stackOf(deployed({ GroupNames: ['analysts'] }));
    expect(plan(files(declared({ groups: ['analysts'] })), account([live()]), before, new Map()).problems).toEqual([]);
  });
});

test('groups and custom permissions that come and go with their entries are told, and not while people need them', () => {
  const sales = { namespace: 'default', name: 'sales' };
  const place = declared().place;
  const stack = { ...stackOf(), groups: new Map([['default/sales', sales]]), profiles: new Set(['few']) };
  const here = account([], { sales: ['Zoe', 'Yan'] });
  const lines = (...args: Parameters<typeof plan>) => planText(plan(...args), 'Team').split('\n');
  expect(lines(files(), here, stack, new Map())).toEqual([
    'A deployment of Team',
    '  - group sales is deleted: 2 members will not be in it any more',
    '  - custom permissions few are deleted',
    'no users',
  ]);
  const listed = {
    ...files(),
    groups: [{ ...sales, existing: false, place }],
    customPermissions: [{ name: 'few', capabilities: {}, place }],
  };
  expect(lines(listed, here, stack, new Map())[0]).toBe('Nothing changes: a deployment of Team');
  expect(lines(listed, account([]), stackOf(), new Map())).toEqual([
    'A deployment of Team',
    '  + group sales is made',
    '  + custom permissions few are made',
    'no users',
  ]);
  const ana = files(declared({ groups: ['sales'], customPermissionsName: 'few' }));
  const existing = { ...ana, groups: [{ ...sales, existing: true, place }] };
  expect(plan(existing, here, stack, new Map()).problems).toEqual([
    'the group sales was made by the stack and would be deleted, though Ana is to be in it: list it under groups again, without existing',
    'the custom permissions few were made by the stack and would be deleted, though Ana is to have them: define them under customPermissions again',
  ]);
});

test('a user with too many tags for those of an adoption is refused', () => {
  const wanted = [declared({ onExisting: 'adopt', tags: { key1: 'x' } })];
  const many = (number: number) => Array.from({ length: number }, (_, index) => [`key${index}`, 'x'] as const);
  expect(told(wanted, [live()], [], { Ana: [...many(47), held(), ['aws:made-by', 'x']] })).toEqual([
    'adopted: Ana is adopted',
  ]);
  expect(told(wanted, [live()], [], { Ana: many(49) })).toEqual([
    'refused: Ana has 49 tags with those declared, and an adoption takes 3 of the 50 that QuickSight allows: take 2 off first',
  ]);
});

test('what somebody changed by hand and the deployment changes back is told', () => {
  const user = live({ email: 'hand@example.com', role: 'AUTHOR', customPermissionsName: 'by-hand' });
  expect(told([declared({ role: 'ADMIN' })], [user], [deployed()])).toEqual([
    'changes: Ana: AUTHOR → ADMIN, e-mail hand@example.com → someone@example.com',
  ]);
  expect(told([declared({ role: 'AUTHOR' })], [live({ role: 'AUTHOR' })], [deployed()])).toEqual([]);
  expect(told([declared({ tags: { team: 'x' } })], [user], [deployed()])).toEqual(['changes: Ana: tag team x']);
});

test('who is gone and not registered again is told', () => {
  expect(told([], [], [deployed()])).toEqual(['gone: Ana is gone from QuickSight already']);
  expect(told([declared()], [], [deployed()])).toEqual([
    'gone: Ana is gone from QuickSight; nothing of the entry changes, so nobody is registered again',
  ]);
});

describe('as text', () => {
  const result = plan(
    files(declared({ role: 'AUTHOR' }), declared({ name: 'Mia' }), declared({ name: 'Carla', onExisting: 'adopt' })),
    account([live(), live({ name: 'Carla' }), live({ name: 'Ben' }), live({ name: 'Zoe' })]),
    stackOf(deployed(), deployed({ UserName: 'Ben' })),
    new Map(),
  );

  test('the plan begins with what hurts and ends with numbers', () => {
    expect(planText(result, 'QuickSightUsers to account 111122223333, us-east-1')).toBe(`\
A deployment of QuickSightUsers to account 111122223333, us-east-1
  - Ben loses access (READER)
  + Mia joins as READER (someone@example.com)
  * Carla is adopted
  ~ Ana: READER → AUTHOR
1 loses access, 1 joins, 1 is adopted, 1 changes, 1 in no file is left alone`);
  });

  test('as Markdown it has headings, and no name in it calls or links anybody', () => {
    expect(planMarkdown(result, 'QuickSightUsers')).toMatch(
      /^### QuickSight users: 1 loses access.*\n\n.*\n\n\*\*Lose access\*\* \(1\)\n\n- Ben loses access \(READER\)\n/,
    );
    const odd = plan(
      files(declared({ name: '[x](https://example.com) <b>@team</b>' })),
      account([]),
      stackOf(),
      new Map(),
    );
    expect(planMarkdown(odd, 'QuickSightUsers')).toContain(
      '- \\[x\\](https:\u200b//example.com) \\<b\\>@\u200bteam\\</b\\> joins',
    );
  });

  test('nor makes a list, and a sign that turns the line round is shown', () => {
    for (const [name, shown] of [
      ['- x', '\\- x'],
      ['1. x', '1\\. x'],
      ['a\u202eb', 'a\\\\u202eb'],
    ] as const) {
      const odd = plan(files(declared({ name })), account([]), stackOf(), new Map());
      expect(planMarkdown(odd, 'QuickSightUsers')).toContain(`- ${shown} joins`);
    }
  });

  test('Markdown fits into a comment', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => declared({ name: `user${index}` }));
    const text = planMarkdown(plan(files(...many), account([]), stackOf(), new Map()), 'QuickSightUsers');
    expect(text.length).toBeLessThan(65_536);
    expect(text).toMatch(/… and [\d,]+ more: a comment has no room for them\.$/);
    const groups = Array.from({ length: 900 }, (_, index) => ({
      namespace: 'default',
      name: `group${index}`.repeat(20),
      existing: false,
      place: declared().place,
    }));
    const grouped = { ...files(...many.slice(0, 900)), groups };
    expect(planMarkdown(plan(grouped, account([]), stackOf(), new Map()), 'QuickSightUsers').length).toBeLessThan(
      65_536,
    );
  });

  test('control characters are shown, not sent to the terminal', () => {
    const odd = plan(files(), account([]), stackOf(deployed({ UserName: 'a\u001b[2Jb' })), new Map());
    expect(planText(odd, 'QuickSightUsers')).toContain('a\\u001b[2Jb');
  });
});
