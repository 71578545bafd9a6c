import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseUsersFiles, readUsersFiles, UsersFileError } from '../../bin/users-file';

function read(text: string | Uint8Array) {
  const { declaration, problems } = parseUsersFiles([{ file: 'users.yaml', bytes: Buffer.from(text) }]);
  return {
    names: declaration.users.map(({ namespace, name }) => `${namespace}/${name}`),
    problems: problems.length ? new UsersFileError(problems).message.split('\n') : [],
  };
}

/** A file with one user, whose first line is line 2 of the file. */
function user(...lines: string[]): string {
  return ['users:', ...lines.map((line, index) => (index ? `    ${line}` : `  - ${line}`))].join('\n');
}

describe('what QuickSight will call a user', () => {
  test.each([
    ['a QuickSight user: the name given', ['userName: ana maria'], 'default/ana maria'],
    ['an IAM user: its name', ['iamUser: bob'], 'default/bob'],
    ['an IAM user with a path: without the path', ['iamUser: /analytics/eu/bob'], 'default/bob'],
    ['an IAM user by ARN', ['iamUser: arn:aws-cn:iam::111122223333:user/x/bob'], 'default/bob'],
    [
      'a role session: role and session',
      ['iamRole: data/Team', 'sessionName: c@example.com'],
      'default/Team/c@example.com',
    ],
    ['a user of another namespace', ['userName: ana', 'namespace: partners'], 'partners/ana'],
    ['the word no, which is text in YAML 1.2', ['userName: no'], 'default/no'],
    ['a number in quotes', ["userName: '007'"], 'default/007'],
  ])('%s', (_, identity, name) => {
    expect(read(user(...identity, 'email: a@example.com', 'role: READER'))).toEqual({ names: [name], problems: [] });
  });
});

describe('a file that is not YAML as it should be', () => {
  test.each<[string, string | Uint8Array, string[]]>([
    ['an empty file', '', ["users.yaml:1:1 the file is empty: begin with 'users:' and a list of users"]],
    ['only comments', '# none\n', ["users.yaml:1:1 the file is empty: begin with 'users:' and a list of users"]],
    [
      'a Latin-1 file',
      Buffer.from('users:\n  - userName: jos\xe9\n', 'latin1'),
      ['users.yaml:2:18 the file is not UTF-8 text: save it with the encoding UTF-8'],
    ],
    ['a tab', 'users:\n\t- userName: ana\n', ['users.yaml:2:1 a tab cannot indent YAML: use spaces']],
    [
      'two faults on two lines, in CRLF',
      'users:\r\n  - userName: @ana\r\n    email: a: b\r\n',
      [
        'users.yaml:2:15 plain value cannot start with reserved character @: put the value in quotes',
        "users.yaml:3:12 a second 'key: value' on one line, or the next line indented too far: align it, or put a value with ': ' in quotes",
      ],
    ],
    [
      'a colon without a space after it',
      'users:\n  - userName:ana\n    email: a@example.com\n',
      ["users.yaml:2:5 not of the form 'key: value': a colon, or the space after it, is missing"],
    ],
    [
      'a hyphen without a space after it',
      'users:\n  -userName: ana\n   email: a@example.com\n',
      ["users.yaml:2:14 a space is missing after '-'"],
    ],
    [
      'a quote that is never closed, shown where it opens',
      'users:\n  - userName: "ana\n    email: a@example.com\n',
      ['users.yaml:2:15 the quote " is never closed'],
    ],
    [
      'text after a closing quote',
      'users:\n  - userName: "ana" maria\n',
      ['users.yaml:2:21 this cannot stand here: check the quotes before it and the indentation of the line'],
    ],
    ['a bracket that is never closed', 'users: [\n', ['users.yaml:2:1 a closing ] is missing before this']],
    [
      'a line indented less than its entry',
      'users:\n  - userName: ana\n    role: READER\n   email: a@example.com\n',
      ['users.yaml:4:1 indented less than the lines above: align it with them'],
    ],
    [
      'a tag, which the parser would only warn about',
      'users:\n  - userName: !env ANA\n',
      ["users.yaml:2:15 a value that begins with '!' is a YAML tag, which this file does not take: put it in quotes"],
    ],
    [
      'two documents',
      'users: []\n---\nusers: []\n',
      ["users.yaml:2:1 the file holds several YAML documents: keep one, without '---' between users"],
    ],
    [
      'a key twice',
      user('userName: ana', 'email: a@example.com', 'role: READER', 'email: b@example.com'),
      ["users.yaml:5:5 'email' stands twice in one mapping, first at users.yaml:3:5: remove one of them"],
    ],
    ['an unknown alias', 'users: *team\n', ['users.yaml:1:8 no anchor &team stands before this alias']],
    ['a list as a key', '? [users]\n: []\n', ['users.yaml:1:3 a key must be text']],
  ])('%s', (_, text, problems) => {
    expect(read(text)).toEqual({ names: [], problems });
  });

  test('a byte order mark does no harm', () => {
    expect(read('\ufeff' + user('userName: ana', 'email: a@example.com', 'role: READER')).names).toEqual([
      'default/ana',
    ]);
  });

  test('tags can be shared by an alias, and a fault in them is shown where it stands', () => {
    const text = [
      'users:',
      '  - { userName: ana, email: a@example.com, role: READER, tags: &team { team: 7 } }',
      '  - { userName: ben, email: b@example.com, role: READER, tags: *team }',
    ].join('\n');
    const message = "tag team must be text, and 7 is a number: write '7' in quotes";
    expect(read(text).problems).toEqual([`users.yaml:2:78 ${message}`, `users.yaml:2:78 ${message}`]);
    expect(read(text.replace('7', 'sales'))).toEqual({ names: ['default/ana', 'default/ben'], problems: [] });
  });
});

describe('a file that breaks the schema', () => {
  const ROLES = 'READER, AUTHOR, ADMIN, READER_PRO, AUTHOR_PRO, ADMIN_PRO';
  const RULE = "use letters, digits, spaces and punctuation of Latin-1 but no ';', and not just '.' or '..'";

  test.each<[string, string, string[]]>([
    ['a list at the top', '- userName: ana', ["users.yaml:1:1 no users here: begin with 'users:' and a list of users"]],
    ['no users', 'users:', ["users.yaml:1:1 users has no value: list users below it, or write 'users: []' for none"]],
    ['a mapping of users', 'users: {}', ['users.yaml:1:8 users must be a list, each entry beginning with -']],
    [
      'a misspelt key at the top',
      'user: []',
      [
        'users.yaml:1:1 users is missing from the file',
        "users.yaml:1:1 'user' is not a property of the file; did you mean users?",
      ],
    ],
    [
      'entries that are not users',
      'users:\n  -\n  - ana\n',
      [
        'users.yaml:2:4 this entry is empty: describe a user or remove it',
        "users.yaml:3:5 user must be a mapping, with lines of the form 'key: value'",
      ],
    ],
    [
      'a misspelt property and a misspelt role',
      user('userNmae: ana', 'email: a@example.com', 'role: author'),
      [
        "users.yaml:2:5 'userNmae' is not a property of a user; did you mean userName?",
        `users.yaml:4:11 role 'author' is not one of ${ROLES}; did you mean AUTHOR?`,
      ],
    ],
    [
      'a property that resembles none',
      user('userName: ana', 'email: a@example.com', 'role: READER', 'phone: none'),
      [
        "users.yaml:5:5 'phone' is not a property of a user; known are userName, iamUser, iamRole, sessionName, sessions, email, role, namespace, groups, customPermissionsName, externalLogin, tags, onExisting, removalPolicy, invitationVersion, onlyIn",
      ],
    ],
    [
      'values that YAML does not take for text',
      user('userName: 0123', 'email: true', 'role:', 'tags: { cost: 4711 }', 'namespace: [default]'),
      [
        "users.yaml:2:15 userName must be text, and 0123 is a number: write '0123' in quotes",
        "users.yaml:3:12 email must be text, and true is a boolean: write 'true' in quotes",
        'users.yaml:4:5 role has no value',
        "users.yaml:5:19 tag cost must be text, and 4711 is a number: write '4711' in quotes",
        'users.yaml:6:16 namespace must be text, and this is a list',
      ],
    ],
    [
      'YAML 1.1, where no is a boolean',
      '%YAML 1.1\n---\n' + user('userName: no', 'email: a@example.com', 'role: READER'),
      ["users.yaml:4:15 userName must be text, and no is a boolean: write 'no' in quotes"],
    ],
    [
      'nothing but a name',
      user('userName: ana'),
      ['users.yaml:2:5 email is missing from this user', 'users.yaml:2:5 role is missing from this user'],
    ],
    [
      'no identity',
      user('email: a@example.com', 'role: READER'),
      ['users.yaml:2:5 this user has no identity: add userName, iamUser, or iamRole with sessionName'],
    ],
    [
      'two identities',
      user('userName: ana', 'email: a@example.com', 'role: READER', 'iamUser: ana'),
      ['users.yaml:5:5 iamUser beside userName: a user has one identity, remove one of them'],
    ],
    [
      'a role without a session',
      user('iamRole: Team', 'email: a@example.com', 'role: READER'),
      [
        'users.yaml:2:5 iamRole needs sessionName beside it (or sessions, for several people): the two name one user together',
      ],
    ],
    [
      'a session without a role',
      user('sessionName: ana', 'email: a@example.com', 'role: READER'),
      ['users.yaml:2:5 sessionName needs iamRole beside it: the two name one user together'],
    ],
    [
      'names that QuickSight does not take',
      [
        'users:',
        "  - { userName: 'a;b', email: '', role: READER, namespace: '..' }",
        "  - { userName: '..', email: x, role: READER, customPermissionsName: 'no exports' }",
        `  - { userName: "a\\nb", email: x, role: READER, namespace: ${'n'.repeat(65)} }`,
        '  - { iamRole: arn:aws:iam::111122223333:user/bob, sessionName: b, email: x, role: READER }',
      ].join('\n'),
      [
        `users.yaml:2:17 userName 'a;b' cannot be used: ${RULE}`,
        'users.yaml:2:31 email is empty',
        "users.yaml:2:60 namespace '..' cannot be used: use letters, digits and ._-, and not just '.' or '..'",
        `users.yaml:3:17 userName '..' cannot be used: ${RULE}`,
        "users.yaml:3:70 customPermissionsName 'no exports' cannot be used: use letters, digits and +=,.@_-",
        `users.yaml:4:17 userName 'a\\u000ab' cannot be used: ${RULE}`,
        'users.yaml:4:60 namespace is 65 characters long: use at most 64 characters',
        "users.yaml:5:16 iamRole 'arn:aws:iam::111122223333:user/bob' cannot be used: use an IAM role's name (Analysts), its path and name (data/Analysts) or its ARN (arn:aws:iam::111122223333:role/Analysts)",
        "users.yaml:5:65 sessionName 'b' is too short: use at least 2 characters",
      ],
    ],
    [
      'external logins',
      [
        'users:',
        '  - { userName: ana, email: x, role: READER, externalLogin: {} }',
        '  - { userName: ben, email: x, role: READER, externalLogin: { customOidc: { loginId: x } } }',
        '  - { userName: eva, email: x, role: READER, externalLogin: { cognito: { loginId: x }, customOidc: { providerUrl: "http://x", loginId: x } } }',
      ].join('\n'),
      [
        'users.yaml:2:61 externalLogin needs one of cognito, customOidc',
        'users.yaml:3:75 providerUrl is missing from this customOidc',
        'users.yaml:4:61 externalLogin takes only one of cognito, customOidc: remove the other',
        "users.yaml:4:115 providerUrl 'http://x' cannot be used: use an https address, like https://login.example.com",
      ],
    ],
    [
      'tags that are taken, empty or too many',
      [
        'users:',
        "  - { userName: ana, email: x, role: READER, tags: { 'aws:x': a, b: '' } }",
        `  - { userName: ben, email: x, role: READER, tags: { ${Array.from({ length: 45 }, (_, i) => `t${i}: x`).join(', ')} } }`,
      ].join('\n'),
      [
        "users.yaml:2:54 tag key 'aws:x' cannot be used: keys that begin with aws: or cdk-quicksight-users: are taken",
        'users.yaml:2:69 tag b is empty',
        'users.yaml:3:52 tags holds 45 entries, at most 44 are allowed',
      ],
    ],
  ])('%s', (_, text, problems) => {
    expect(read(text)).toEqual({ names: [], problems });
  });
});

test('the same user twice is a problem that shows both places, whatever the spelling of the identity', () => {
  const text = [
    'users:',
    '  - { iamUser: bob, email: b@example.com, role: READER }',
    '  - { userName: bob, namespace: partners, email: b@example.com, role: READER }',
    '  - { iamUser: arn:aws:iam::111122223333:user/x/bob, namespace: default, email: b@example.com, role: READER }',
  ].join('\n');
  expect(read(text).problems).toEqual([
    "users.yaml:4:5 user 'bob' is declared twice in namespace 'default', first at users.yaml:2:5: remove one of them",
  ]);
});

test('the users beside a broken one are read, so that all problems of a file come at once', () => {
  const text = [
    'users:',
    '  - { userName: ana, email: a@example.com, role: READR }',
    '  - { userName: ben, email: b@example.com, role: READER }',
    '  - { userName: ben, email: c@example.com, role: READER }',
  ].join('\n');
  const { names, problems } = read(text);
  expect(names).toEqual(['default/ben']);
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual(['users.yaml:2:50', 'users.yaml:4:5']);
});

test('a file that cannot be read is a problem of the whole file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'users-file-'));
  try {
    const message = (file: string) =>
      new UsersFileError(readUsersFiles([file]).problems).message.replaceAll(path.dirname(file) + path.sep, '');
    const another =
      'name another one with -c users=<file> (cdk), --users <file> (npm start), files (QuickSightUsers) or as an argument (quicksight-users)';
    expect(message(path.join(folder, 'none.yaml'))).toBe(`none.yaml: no such file: create it, or ${another}`);
    expect(message(folder)).toBe(
      `${path.basename(folder)}: a directory, not a users file: ${another}, or all files in it as ${path.basename(folder)}/*.yaml`,
    );
    const file = path.join(folder, 'ok.yaml');
    writeFileSync(file, user('userName: ana', 'email: a@example.com', 'role: READER'));
    expect(readUsersFiles([file]).declaration.users).toMatchObject([
      { name: 'ana', place: { file, line: 2, column: 5 } },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
