import { parseUsersFiles, UsersFileError } from '../../bin/users-file';

function read(files: Record<string, string[]>, environment?: string) {
  const texts = Object.entries(files).map(([file, lines]) => ({ file, bytes: Buffer.from(lines.join('\n')) }));
  const { declaration, problems, environments } = parseUsersFiles(texts, { environment });
  return { ...declaration, problems: new UsersFileError(problems).message.split('\n').filter(Boolean), environments };
}

/** The users of files that are as they should be, with some of their properties. */
function users(lines: string[], properties: string[], environment?: string): string[] {
  const result = read({ 'users.yaml': lines }, environment);
  expect(result.problems).toEqual([]);
  return result.users.map((user) =>
    ['name', ...properties].map((key) => JSON.stringify(user[key as keyof typeof user] ?? null)).join(' '),
  );
}

test('a file of two lines declares a user with every default', () => {
  expect(read({ 'users.yaml': ['users:', '  - { userName: ana, email: a@example.com, role: READER }'] })).toEqual({
    users: [
      {
        identity: { userName: 'ana' },
        name: 'ana',
        namespace: 'default',
        email: 'a@example.com',
        role: 'READER',
        groups: [],
        customPermissionsName: undefined,
        externalLogin: undefined,
        tags: {},
        onExisting: 'fail',
        removalPolicy: 'destroy',
        invitationVersion: undefined,
        place: { file: 'users.yaml', line: 2, column: 5 },
      },
    ],
    groups: [],
    customPermissions: [],
    problems: [],
    environments: [],
  });
});

describe('defaults', () => {
  test('hold for users who say nothing else; tags and groups add up', () => {
    expect(
      users(
        [
          'defaults:',
          '  role: READER',
          '  groups: [everyone]',
          '  customPermissionsName: no-exports',
          '  tags: { team: none, stage: prod }',
          '  onExisting: adopt',
          '  removalPolicy: retain',
          'users:',
          '  - { userName: ana, email: a@example.com }',
          '  - userName: ben',
          '    email: b@example.com',
          '    role: AUTHOR',
          '    groups: [sales, analysts, everyone]',
          '    customPermissionsName: false',
          '    tags: { team: sales }',
          '    onExisting: fail',
          '    removalPolicy: destroy',
        ],
        ['role', 'groups', 'customPermissionsName', 'tags', 'onExisting', 'removalPolicy'],
      ),
    ).toEqual([
      '"ana" "READER" ["everyone"] "no-exports" {"team":"none","stage":"prod"} "adopt" "retain"',
      '"ben" "AUTHOR" ["analysts","everyone","sales"] null {"team":"sales","stage":"prod"} "fail" "destroy"',
    ]);
  });

  test('of a namespace hold for its users wherever they stand in the file, on top of the defaults of the file', () => {
    expect(
      users(
        [
          'defaults: { role: READER, tags: { stage: prod } }',
          'namespaces:',
          '  partners:',
          '    defaults: { role: AUTHOR, tags: { for: partners } }',
          '    users:',
          '      - { userName: ana, email: a@example.com }',
          'users:',
          '  - { userName: ana, email: a@example.com }',
          '  - { userName: ben, email: a@example.com, namespace: partners }',
        ],
        ['namespace', 'role', 'tags'],
      ),
    ).toEqual([
      '"ana" "default" "READER" {"stage":"prod"}',
      '"ben" "partners" "AUTHOR" {"stage":"prod","for":"partners"}',
      '"ana" "partners" "AUTHOR" {"stage":"prod","for":"partners"}',
    ]);
  });

  test('an invitation version reaches those who have an invitation, a provider those who sign in with one', () => {
    expect(
      users(
        [
          "defaults: { role: READER, invitationVersion: '2', externalLogin: { customOidc: { providerUrl: https://a.example.com } } }",
          'users:',
          '  - { userName: ana, email: a@example.com }',
          '  - { iamUser: ben, email: a@example.com, externalLogin: { customOidc: { loginId: b } } }',
          '  - { userName: eva, email: a@example.com, externalLogin: { cognito: { loginId: e } } }',
        ],
        ['invitationVersion', 'externalLogin'],
      ),
    ).toEqual([
      '"ana" "2" null',
      '"ben" null {"customOidc":{"providerUrl":"https://a.example.com","loginId":"b"}}',
      '"eva" "2" {"cognito":{"loginId":"e"}}',
    ]);
  });

  test('are those of their own file only', () => {
    const { users: found, problems } = read({
      'a.yaml': ['defaults: { role: AUTHOR }', 'users:', '  - { userName: ana, email: a@example.com }'],
      'b.yaml': ['users:', '  - { userName: ben, email: b@example.com }'],
    });
    expect(found.map(({ name, role }) => [name, role])).toEqual([['ana', 'AUTHOR']]);
    expect(problems).toEqual(['b.yaml:2:5 role is missing from this user']);
  });
});

describe('sessions', () => {
  test('are users who share what stands beside the role', () => {
    expect(
      users(
        [
          'users:',
          '  - iamRole: data/Team',
          '    role: READER',
          '    groups: [team]',
          '    sessions:',
          '      - ana@example.com',
          '      - { sessionName: ben, email: b@example.com, role: AUTHOR, groups: [sales] }',
          '  - { iamRole: data/Team, sessionName: eva@example.com, role: READER }',
        ],
        ['identity', 'email', 'role', 'groups', 'place'],
      ),
    ).toEqual([
      '"Team/ana@example.com" {"iamRole":"data/Team","sessionName":"ana@example.com"} "ana@example.com" "READER" ["team"] {"file":"users.yaml","line":6,"column":9}',
      '"Team/ben" {"iamRole":"data/Team","sessionName":"ben"} "b@example.com" "AUTHOR" ["sales","team"] {"file":"users.yaml","line":7,"column":9}',
      '"Team/eva@example.com" {"iamRole":"data/Team","sessionName":"eva@example.com"} "eva@example.com" "READER" [] {"file":"users.yaml","line":8,"column":5}',
    ]);
  });

  test('beside a broken one are read', () => {
    const lines = ['users:', '  - iamRole: Team', '    role: READER', '    sessions: [ana@example.com, b, ben]'];
    const { users: found, problems } = read({ 'users.yaml': lines });
    expect(found.map(({ name }) => name)).toEqual(['Team/ana@example.com']);
    expect(problems).toEqual([
      "users.yaml:4:33 session 'b' is too short: use at least 2 characters",
      "users.yaml:4:36 session 'ben' is no e-mail address, so the user needs one: write { sessionName: ben, email: … }",
    ]);
  });
});

describe('groups', () => {
  test('are as listed, to be made unless they exist already', () => {
    const { groups, problems } = read({
      'users.yaml': [
        'groups:',
        '  analysts: Make dashboards',
        '  viewers: { description: Look at them, role: READER }',
        '  nobody:',
        '  finance: { existing: true, role: AUTHOR }',
        'namespaces:',
        '  partners: { groups: { analysts: Theirs } }',
      ],
    });
    expect(problems).toEqual([]);
    expect(groups).toEqual([
      {
        name: 'analysts',
        namespace: 'default',
        description: 'Make dashboards',
        existing: false,
        place: { file: 'users.yaml', line: 2, column: 3 },
      },
      {
        name: 'viewers',
        namespace: 'default',
        description: 'Look at them',
        existing: false,
        place: { file: 'users.yaml', line: 3, column: 3 },
      },
      { name: 'nobody', namespace: 'default', existing: false, place: { file: 'users.yaml', line: 4, column: 3 } },
      { name: 'finance', namespace: 'default', existing: true, place: { file: 'users.yaml', line: 5, column: 3 } },
      {
        name: 'analysts',
        namespace: 'partners',
        description: 'Theirs',
        existing: false,
        place: { file: 'users.yaml', line: 7, column: 25 },
      },
    ]);
  });

  test('give their role to members who have none of their own, also from another file; defaults count less', () => {
    const { users: found, problems } = read({
      'groups.yaml': [
        'groups: { analysts: { role: AUTHOR }, viewers: { role: READER }, sales: , finance: { existing: true, role: AUTHOR } }',
      ],
      'users.yaml': [
        'defaults: { role: ADMIN }',
        'users:',
        '  - { userName: ana, email: a@example.com, groups: [analysts, sales, finance, unlisted] }',
        '  - { userName: ben, email: a@example.com, groups: [viewers] }',
        '  - { userName: eva, email: a@example.com, groups: [analysts, viewers], role: READER_PRO }',
        '  - { userName: joe, email: a@example.com, groups: [sales] }',
        '  - { userName: kim, email: a@example.com, groups: [viewers], namespace: partners }',
      ],
    });
    expect(problems).toEqual([]);
    expect(found.map(({ name, role }) => `${name} ${role}`)).toEqual([
      'ana AUTHOR',
      'ben READER',
      'eva READER_PRO',
      'joe ADMIN',
      'kim ADMIN',
    ]);
  });

  test('of different roles are a problem that shows both', () => {
    const { problems } = read({
      'groups.yaml': ['groups:', '  analysts: { role: AUTHOR }', '  viewers: { role: READER }'],
      'users.yaml': ['users:', '  - { userName: ana, email: a@example.com, groups: [viewers, analysts] }'],
    });
    expect(problems).toEqual([
      "users.yaml:2:5 the groups 'analysts' (AUTHOR, groups.yaml:2:3) and 'viewers' (READER, groups.yaml:3:3) give this user different roles: give it one of its own",
    ]);
  });

  test('that no file lists are taken to exist, unless the namespace has listedGroupsOnly', () => {
    const lines = [
      'groups: { analysts: , viewers: }',
      'defaults: { role: READER, groups: [viewer] }',
      'users:',
      '  - { userName: ana, email: a@example.com, groups: [analysts, finance] }',
      'namespaces:',
      '  partners: { users: [{ userName: ben, email: b@example.com, groups: [other] }] }',
    ];
    expect(read({ 'users.yaml': lines }).problems).toEqual([]);
    expect(read({ 'users.yaml': lines, 'policy.yaml': ['listedGroupsOnly: true', 'users: []'] }).problems).toEqual([
      "users.yaml:2:36 group 'viewer' is listed in no users file, as listedGroupsOnly at policy.yaml:1:1 demands; did you mean viewers?",
      "users.yaml:4:63 group 'finance' is listed in no users file, as listedGroupsOnly at policy.yaml:1:1 demands: list it under groups, with existing: true if it exists already",
    ]);
  });
});

test('custom permissions are defined by what they deny', () => {
  const lines = ['customPermissions:', '  no-exports: { deny: [ExportToCsv, ExportToExcel] }'];
  expect(read({ 'users.yaml': lines }).customPermissions).toEqual([
    {
      name: 'no-exports',
      capabilities: { ExportToCsv: 'DENY', ExportToExcel: 'DENY' },
      place: { file: 'users.yaml', line: 2, column: 3 },
    },
  ]);
});

describe('several files', () => {
  test('are one declaration, and a repetition is a problem that shows both places', () => {
    const team = (role: string) => [
      'groups: { analysts: }',
      'customPermissions: { none: { deny: [ExportToCsv] } }',
      'users:',
      `  - { userName: ana, email: a@example.com, role: ${role} }`,
    ];
    const { users: found, problems } = read({ 'teams/b.yaml': team('READER'), 'teams/a.yaml': team('AUTHOR') });
    expect(found).toMatchObject([{ name: 'ana', role: 'READER' }]);
    expect(problems).toEqual([
      "teams/a.yaml:1:11 group 'analysts' is listed twice in namespace 'default', first at teams/b.yaml:1:11: remove one of them",
      "teams/a.yaml:2:22 custom permissions 'none' are defined twice, first at teams/b.yaml:2:22: remove one of them",
      "teams/a.yaml:4:5 user 'ana' is declared twice in namespace 'default', first at teams/b.yaml:4:5: remove one of them",
    ]);
  });

  test('with one that cannot be read: what may stand there is not missed', () => {
    const { problems } = read({
      'groups.yaml': ['groups: ['],
      'users.yaml': ['listedGroupsOnly: true', 'users:', '  - { userName: ana, email: a@example.com, groups: [x] }'],
    });
    expect(problems).toEqual(['groups.yaml:1:10 a closing ] is missing before this']);
  });
});

describe('environments', () => {
  const FILE = [
    'defaults: { role: READER, tags: { stage: none } }',
    'groups: { analysts: { description: Make dashboards, role: AUTHOR } }',
    'customPermissions: { strict: { deny: [ExportToCsv] } }',
    'users:',
    '  - { userName: ana, email: a@example.com, groups: [analysts] }',
    '  - { iamUser: team/ben, email: b@example.com, tags: { own: x } }',
    '  - { iamRole: Team, sessions: [eva@example.com, { sessionName: joe, email: j@example.com, onlyIn: [prod] }] }',
    '  - { userName: tester, email: t@example.com, onlyIn: [dev] }',
    'namespaces:',
    '  partners: { users: [{ userName: ana, email: a@example.com }] }',
    'environments:',
    '  dev:',
    '    defaults: { tags: { stage: dev } }',
    '    groups: { analysts: { role: ADMIN }, testers: }',
    '    customPermissions: { strict: { deny: [ExportToExcel] } }',
    '    users:',
    '      - { iamUser: ben, role: AUTHOR, tags: { more: y } }',
    '      - { iamRole: Team, sessionName: eva@example.com, groups: [testers] }',
    '      - { userName: dave, email: d@example.com }',
    '    namespaces:',
    '      partners: { defaults: { role: AUTHOR } }',
    '  prod: {}',
  ];
  const PROPERTIES = ['namespace', 'role', 'groups', 'tags'];

  test('change what the file says and add to it', () => {
    expect(users(FILE, PROPERTIES, 'dev')).toEqual([
      '"ana" "default" "ADMIN" ["analysts"] {"stage":"dev"}',
      '"ben" "default" "AUTHOR" [] {"stage":"dev","own":"x","more":"y"}',
      '"Team/eva@example.com" "default" "READER" ["testers"] {"stage":"dev"}',
      '"tester" "default" "READER" [] {"stage":"dev"}',
      '"ana" "partners" "AUTHOR" [] {"stage":"dev"}',
      '"dave" "default" "READER" [] {"stage":"dev"}',
    ]);
    const { groups, customPermissions } = read({ 'users.yaml': FILE }, 'dev');
    expect(groups.map(({ name, description }) => [name, description])).toEqual([
      ['analysts', 'Make dashboards'],
      ['testers', undefined],
    ]);
    expect(customPermissions).toMatchObject([{ capabilities: { ExportToCsv: 'DENY', ExportToExcel: 'DENY' } }]);
  });

  test('that say nothing leave the file as it is, without the users of others', () => {
    expect(users(FILE, PROPERTIES, 'prod')).toEqual([
      '"ana" "default" "AUTHOR" ["analysts"] {"stage":"none"}',
      '"ben" "default" "READER" [] {"stage":"none","own":"x"}',
      '"Team/eva@example.com" "default" "READER" [] {"stage":"none"}',
      '"Team/joe" "default" "READER" [] {"stage":"none"}',
      '"ana" "partners" "READER" [] {"stage":"none"}',
    ]);
  });

  test('a bare name only tells which user is changed; an ARN or a path, and another kind, count', () => {
    const variant = (identity: string) => [
      'users:',
      '  - { iamUser: team/ben, email: b@example.com, role: READER }',
      `environments: { dev: { users: [{ ${identity} }] } }`,
    ];
    expect(users(variant('iamUser: ben'), ['identity'], 'dev')).toEqual(['"ben" {"iamUser":"team/ben"}']);
    expect(users(variant('iamUser: other/ben'), ['identity'], 'dev')).toEqual(['"ben" {"iamUser":"other/ben"}']);
    expect(users(variant('userName: ben'), ['identity'], 'dev')).toEqual(['"ben" {"userName":"ben"}']);
  });

  test('one has to be chosen, because the file without any is none of them', () => {
    expect(read({ 'users.yaml': FILE })).toMatchObject({
      users: [],
      environments: ['dev', 'prod'],
      problems: [
        'users.yaml:11:1 no environment is chosen: give one of dev, prod with -c environment=<name> (cdk) or --environment <name> (quicksight-users)',
      ],
    });
  });

  test('one that no file lists cannot be chosen', () => {
    expect(read({ 'users.yaml': FILE }, 'prd').problems).toEqual([
      "environment 'prd' is not one of dev, prod; did you mean prod?",
    ]);
    expect(read({ 'users.yaml': ['users: []'] }, 'dev').problems).toEqual([
      "environment 'dev' is chosen, and no users file lists environments: leave it out",
    ]);
  });

  test('files without environments are the same in all', () => {
    const team = ['users:', '  - { userName: zoe, email: z@example.com, role: READER, onlyIn: [prod] }'];
    expect(read({ 'a.yaml': ['environments: { dev: {}, prod: {} }'], 'b.yaml': team }, 'prod').users).toHaveLength(1);
    expect(read({ 'a.yaml': ['environments: { dev: {}, prod: {} }'], 'b.yaml': team }, 'dev').users).toHaveLength(0);
  });

  test('a user may be changed once, and only by its own file', () => {
    const ana = '{ userName: ana, email: a@example.com, role: READER }';
    const { problems } = read(
      {
        'a.yaml': [`users: [${ana}]`, 'environments:', '  dev:', '    users:', `      - ${ana}`, `      - ${ana}`],
        'b.yaml': ['environments:', '  dev:', `    users: [${ana}]`],
      },
      'dev',
    );
    expect(problems).toEqual([
      "a.yaml:6:9 user 'ana' is declared twice in namespace 'default', first at a.yaml:5:9: remove one of them",
      "b.yaml:3:13 user 'ana' is declared twice in namespace 'default', first at a.yaml:5:9: remove one of them",
    ]);
  });
});

describe('YAML merge keys', () => {
  test('take in what an anchor stands for, also several, and what stands beside them counts more', () => {
    expect(
      users(
        [
          'users:',
          '  - &ana { userName: ana, email: a@example.com, role: READER, tags: &tags { team: sales } }',
          '  - { <<: *ana, userName: ben }',
          '  - { userName: eva, <<: [{ role: ADMIN }, *ana], tags: { <<: *tags, cost: x } }',
        ],
        ['role', 'tags'],
      ),
    ).toEqual([
      '"ana" "READER" {"team":"sales"}',
      '"ben" "READER" {"team":"sales"}',
      '"eva" "ADMIN" {"team":"sales","cost":"x"}',
    ]);
  });

  test('a fault in what they take in is shown where it stands', () => {
    const lines = [
      'users:',
      '  - &ana { userName: ana, email: a@example.com, role: REDER }',
      '  - { <<: *ana, userName: ben }',
    ];
    const message = 'is not one of READER, AUTHOR, ADMIN, READER_PRO, AUTHOR_PRO, ADMIN_PRO; did you mean READER?';
    expect(read({ 'users.yaml': lines }).problems).toEqual([
      `users.yaml:2:55 role 'REDER' ${message}`,
      `users.yaml:2:55 role 'REDER' ${message}`,
    ]);
  });
});
