import { parseUsersFiles, UsersFileError } from '../../bin/users-file';

/*
 * What people write who have not read the manual, and what they are told, each at its place.
 */

const ANA = 'userName: ana, email: a@example.com, role: READER';
const USER_KEYS =
  'userName, iamUser, iamRole, sessionName, sessions, email, role, namespace, groups, customPermissionsName, externalLogin, tags, onExisting, removalPolicy, invitationVersion, onlyIn';

const MISTAKES: readonly [what: string, lines: string[], told: string[]][] = [
  // Words of other tools, or of another place in the file.
  ['one group as text', [`users: [{ ${ANA}, groups: analysts }]`], ['1:70 groups must be a list: write [analysts]']],
  [
    'group for groups',
    [`users: [{ ${ANA}, group: [a] }]`],
    ["1:62 'group' is not a property of a user; did you mean groups?"],
  ],
  [
    'customPermissions for customPermissionsName',
    [`users: [{ ${ANA}, customPermissions: x }]`],
    ["1:62 'customPermissions' is not a property of a user; did you mean customPermissionsName?"],
  ],
  [
    'name for userName',
    ['users: [{ name: ana, email: a@example.com, role: READER }]'],
    ["1:11 'name' is not a property of a user; did you mean userName?"],
  ],
  [
    'environments for onlyIn',
    [`users: [{ ${ANA}, environments: [dev] }]`],
    ["1:62 'environments' is not a property of a user; did you mean onlyIn?"],
  ],
  [
    'a property that resembles none',
    [`users: [{ ${ANA}, phone: none }]`],
    [`1:62 'phone' is not a property of a user; known are ${USER_KEYS}`],
  ],
  [
    'what users share at the top',
    ['role: READER', 'users: []'],
    ["1:1 'role' is not a property of the file; what users share stands under defaults"],
  ],
  [
    'users under defaults, each kind of what is not to be shared',
    ['defaults: { namespace: partners, email: x, iamRole: Team, onlyIn: [dev] }', 'users: []'],
    [
      "1:13 'namespace' is not a property of defaults; users of a namespace can stand in its section under namespaces, which has defaults of its own",
      "1:34 'email' is not a property of defaults; it is for each user to say",
      "1:44 'iamRole' is not a property of defaults; people who share a role can stand in one entry, under sessions",
      "1:59 'onlyIn' is not a property of defaults; it is for each user to say",
    ],
  ],
  [
    'members of a group',
    ['groups: { analysts: { members: [ana] } }'],
    ["1:23 'members' is not a property of a group; users name their groups, under groups"],
  ],
  [
    'groups as a list',
    ['groups: [analysts]', 'users: []'],
    ["1:9 groups must be a mapping, with lines of the form 'name: description'; the description may be left out"],
  ],
  [
    'a number for a description',
    ['groups: { a: 7 }'],
    ["1:14 group a must be text or a mapping, and 7 is a number: write '7' in quotes"],
  ],
  [
    'namespaces as a list',
    ['namespaces: [partners]'],
    ["1:13 namespaces must be a mapping, with lines of the form 'key: value'"],
  ],
  [
    'an environment in a namespace',
    ['namespaces: { partners: { environments: {} } }'],
    ["1:27 'environments' is not a property of a namespace; it stands at the top of the file"],
  ],
  [
    'a misspelt section',
    ['defualts: {}', 'users: []'],
    ["1:1 'defualts' is not a property of the file; did you mean defaults?"],
  ],
  ['only defaults', ['defaults: {}'], ['1:1 users is missing from the file']],
  // Sections with nothing in them.
  [
    'defaults without content',
    ['defaults:', 'users: []'],
    ["1:1 defaults has no value: remove it, or write 'defaults: {}'"],
  ],
  [
    'an environment without content',
    ['environments:', '  dev:'],
    ["2:3 environment dev has no value: write 'dev: {}' when there is nothing to say of it"],
  ],
  [
    'sessions without content',
    ['users:', '  - iamRole: Team', '    role: READER', '    sessions:'],
    ['4:5 sessions has no value: list some below it, or remove it'],
  ],
  // Identities.
  [
    'a list of sessions without their role',
    ['users: [{ sessions: [ana@example.com], role: READER }]'],
    ['1:11 sessions needs iamRole beside it: the two name one user together'],
  ],
  [
    'sessionName beside sessions',
    ['users: [{ iamRole: Team, sessionName: ana, sessions: [ben@example.com], role: READER }]'],
    ['1:44 sessions beside sessionName: move it into the list'],
  ],
  [
    'one e-mail address and one login for all sessions',
    [
      'users: [{ iamRole: Team, sessions: [ben@example.com], role: READER, email: x, externalLogin: { cognito: { loginId: x } } }]',
    ],
    [
      '1:69 email beside sessions: give each session its own',
      '1:79 externalLogin beside sessions: give each session its own',
    ],
  ],
  [
    'session for sessionName',
    ['users: [{ iamRole: Team, session: ana, email: a@example.com, role: READER }]'],
    ["1:26 'session' is not a property of a user; did you mean sessions?"],
  ],
  [
    'sessions that are names only',
    ['users: [{ iamRole: Team, role: READER, sessions: [ana] }]'],
    ["1:51 session 'ana' is no e-mail address, so the user needs one: write { sessionName: ana, email: … }"],
  ],
  [
    'sessions that are users',
    ['users: [{ iamRole: Team, role: READER, sessions: [{ userName: ana, namespace: x, email: x }, [ana]] }]'],
    [
      '1:51 sessionName is missing from this session',
      "1:53 'userName' is not a property of a session; did you mean sessionName?",
      "1:68 'namespace' is not a property of a session; it stands beside iamRole",
      '1:94 session must be text or a mapping, and this is a list',
    ],
  ],
  [
    'an invitation for a user of IAM',
    ["users: [{ iamUser: bob, email: b@example.com, role: READER, invitationVersion: '2' }]"],
    ['1:9 invitationVersion "2" does not apply: a user of identity type IAM has no invitation'],
  ],
  [
    'a user of one namespace in the section of another',
    [`namespaces: { partners: { users: [{ ${ANA}, namespace: default }] } }`],
    ["1:99 namespace 'default' in the section of namespace 'partners': remove it, or move the entry there"],
  ],
  // Values.
  [
    'policies in capital letters',
    [`users: [{ ${ANA}, onExisting: ADOPT, removalPolicy: Retain }]`],
    [
      "1:74 onExisting 'ADOPT' is not one of fail, adopt; did you mean adopt?",
      "1:96 removalPolicy 'Retain' is not one of destroy, retain; did you mean retain?",
    ],
  ],
  [
    'no for false',
    ['listedGroupsOnly: no', 'users: []'],
    ['1:19 listedGroupsOnly must be true or false, and this is text'],
  ],
  [
    'true for a profile',
    [`users: [{ ${ANA}, customPermissionsName: true }]`],
    ['1:85 customPermissionsName is the name of a profile, or false for none: true is neither'],
  ],
  [
    'a misspelt capability',
    ['customPermissions: { none: { deny: [ExportCsv, Fly] } }'],
    [
      "1:37 capability 'ExportCsv' is not one of the 455 in users.schema.json; did you mean ExportToCsv?",
      "1:48 capability 'Fly' is not one of the 455 in users.schema.json",
    ],
  ],
  [
    'capabilities as a mapping, as the API has them',
    ['customPermissions: { none: { deny: { ExportToCsv: DENY } }, other: { ExportToCsv: DENY } }'],
    [
      '1:36 deny must be a list, each entry beginning with -',
      '1:68 deny is missing from profile other',
      "1:70 'ExportToCsv' is not a property of a profile; known are deny",
    ],
  ],
  [
    'an empty list of environments',
    [`users: [{ ${ANA}, onlyIn: [] }]`],
    ['1:70 onlyIn is an empty list: give it an entry, or remove it'],
  ],
  [
    'a misspelt environment',
    [`users: [{ ${ANA}, onlyIn: [dve] }]`, 'environments: { dev: {} }'],
    ["1:71 environment 'dve' is not one of dev; did you mean dev?"],
  ],
  [
    'names that cannot be: a group, a namespace, an environment',
    ["groups: { 'a;b': }", "namespaces: { 'a b': {} }", "environments: { dev: {}, 'p d': {} }"],
    [
      "1:11 group 'a;b' cannot be used: use letters, digits, spaces and punctuation of Latin-1 but no ';', and not just '.' or '..'",
      "2:15 namespace 'a b' cannot be used: use letters, digits and ._-, and not just '.' or '..'",
      "3:26 environment 'p d' cannot be used: use letters, digits and ._-",
    ],
  ],
  [
    'tags as the API has them',
    [`users: [{ ${ANA}, tags: [{ Key: team, Value: x }] }]`],
    ["1:68 tags must be a mapping, with lines of the form 'key: value'"],
  ],
  [
    'tags that are too many only together with the defaults',
    [
      `defaults: { tags: { ${Array.from({ length: 30 }, (_, i) => `a${i}: x`).join(', ')} } }`,
      `users: [{ ${ANA}, tags: { ${Array.from({ length: 15 }, (_, i) => `b${i}: x`).join(', ')} } }]`,
    ],
    ['2:9 tags are 45: use at most 44, as QuickSight allows 50 and this library needs 6 of them'],
  ],
  // YAML.
  [
    'a merge key with text',
    ['users:', '  - &ana { userName: ana }', '  - { <<: ana }'],
    ["3:7 '<<' takes in an alias of a mapping or a list of them; what users share is easier under defaults"],
  ],
  [
    'an anchor around its own alias',
    ['users: &all', '  - *all'],
    ['2:5 alias *all stands inside of what it stands for: write it out'],
  ],
  [
    'a first line that is indented: said once, not for each line that follows',
    ['  defaults: {}', 'users:', '  - userName: ana', '', '  # comment', '  - userName: ben'],
    ['2:1 this cannot stand here: check the quotes before it and the indentation of the line'],
  ],
  [
    'a merge conflict: said once',
    ['users:', '<<<<<<< HEAD', '  - { userName: ana }', '=======', '  - { userName: anna }', '>>>>>>> main'],
    ['2:1 a merge conflict is left here (<<<<<<<): resolve it'],
  ],
  // All at once.
  [
    'a broken entry is told what it lacks besides',
    ['users: [{ userName: ana, tags: 7 }, { userNmae: ben, emial: b@example.com, groups: 7 }]'],
    [
      '1:9 email is missing from this user',
      '1:9 role is missing from this user',
      "1:32 tags must be a mapping, with lines of the form 'key: value'",
      "1:39 'userNmae' is not a property of a user; did you mean userName?",
      "1:54 'emial' is not a property of a user; did you mean email?",
      '1:84 groups must be a list, each entry beginning with -',
    ],
  ],
];

test('environments that are a list are none', () => {
  const { problems } = parseUsersFiles([{ file: 'u', bytes: Buffer.from('users: []\nenvironments: [dev]') }]);
  expect(new UsersFileError(problems).message).toBe(
    "u:2:15 environments must be a mapping, with lines of the form 'key: value'",
  );
});

test.each(MISTAKES)('%s', (_, lines, told) => {
  const { problems } = parseUsersFiles([{ file: 'u', bytes: Buffer.from(lines.join('\n')) }], {
    environment: lines.some((line) => line.startsWith('environments:')) ? 'dev' : undefined,
  });
  expect(new UsersFileError(problems).message.split('\n')).toEqual(told.map((line) => `u:${line}`));
});
