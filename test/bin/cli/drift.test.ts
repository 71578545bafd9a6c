import { drift, isDrift } from '../../../bin/cli/drift';
import { account, declared, files, live } from './account';
import { ACCOUNT, Desk } from './command-line';

describe('compares files with an account', () => {
  /** Kind, declared and live of each finding. */
  const told = (...args: Parameters<typeof drift>) =>
    drift(...args).map(({ kind, user, declared: wanted, live: found }) => [kind, user, wanted, found]);

  test('and finds nothing where they are the same', () => {
    expect(told(files(declared()), account([live()]))).toEqual([]);
  });

  test.each([
    ['role', { role: 'AUTHOR' }, ['role', 'Ana', 'READER', 'AUTHOR']],
    ['e-mail', { email: 'other@example.com' }, ['email', 'Ana', 'someone@example.com', 'other@example.com']],
    ['identity type', { identityType: 'IAM' }, ['identity', 'Ana', 'QUICKSIGHT', 'IAM']],
    ['custom permissions', { customPermissionsName: 'few' }, ['customPermissions', 'Ana', 'none', 'few']],
    [
      'external login',
      { externalLogin: { type: 'COGNITO' as const, loginId: '1' } },
      ['externalLogin', 'Ana', 'none', 'cognito 1'],
    ],
  ])('another %s', (_, difference, finding) => {
    expect(told(files(declared()), account([live(difference)]))).toEqual([finding]);
  });

  test('users that are missing, extra, or without their IAM identity', () => {
    const gone = live({ name: 'N/A', arn: 'N/A', principalId: 'federated/iam/AIDA1' });
    expect(told(files(declared()), account([live({ name: 'Ben' }), gone]))).toEqual([
      ['missing', 'Ana', 'READER', undefined],
      ['extra', 'Ben', undefined, 'READER, someone@example.com'],
      ['identityGone', 'N/A', undefined, 'READER, someone@example.com, federated/iam/AIDA1'],
    ]);
    expect(told(files(declared()), account([live({ name: 'Ben' }), gone]), { onlyDeclared: true })).toEqual([
      ['missing', 'Ana', 'READER', undefined],
    ]);
  });

  test('groups that the files name, in both directions, and no other', () => {
    const users = files(declared({ groups: ['analysts'] }), declared({ name: 'Ben' }));
    const all = account([live(), live({ name: 'Ben' })], { analysts: ['Ben'], others: ['Ana', 'Ben'] });
    expect(told(users, all)).toEqual([
      ['groups', 'Ana', 'analysts', 'none'],
      ['groups', 'Ben', 'none', 'analysts'],
    ]);
  });

  test('the same name in two namespaces is two users', () => {
    const users = files(declared({ namespace: 'partners', role: 'AUTHOR' }));
    expect(told(users, account([live(), live({ namespace: 'partners' })]))).toEqual([
      ['extra', 'Ana', undefined, 'READER, someone@example.com'],
      ['role', 'Ana', 'AUTHOR', 'READER'],
    ]);
  });

  test('who never signed in is no drift', () => {
    const [finding] = drift(files(declared()), account([live({ active: false })]));
    expect(finding).toMatchObject({ kind: 'neverSignedIn', user: 'Ana' });
    expect(isDrift(finding!)).toBe(false);
    // QuickSight shows users of IAM as inactive, too.
    const bob = { name: 'bob', identityType: 'IAM', active: false };
    expect(drift(files(declared({ name: 'bob', identity: { iamUser: 'bob' } })), account([live(bob)]))).toEqual([]);
  });

  test('with tags read: those declared, holders, and holders that are gone', () => {
    const [ana, ben, eve] = [live(), live({ name: 'Ben' }), live({ name: 'Eve' })];
    const held = (digits: string) =>
      [`cdk-quicksight-users:held-by:${digits}`, '1/request/root-1/stack-1/Ana'] as const;
    const read = {
      tags: new Map([
        [ana, new Map([['team', 'old'], ['theirs', 'x'], held('here')])],
        [ben, new Map([held('gone'), held('here')])],
        [eve, new Map()],
      ]),
      holderExists: (key: string) => key.endsWith('here'),
    };
    const users = files(declared({ tags: { team: 'sales' } }), declared({ name: 'Ben' }), declared({ name: 'Eve' }));
    expect(told(users, account([ana, ben, eve]), { read })).toEqual([
      ['tags', 'Ana', 'sales', 'old'],
      ['holderGone', 'Ben', undefined, 'cdk-quicksight-users:held-by:gone of stack stack-1'],
      ['notHeld', 'Eve', undefined, undefined],
    ]);
  });
});

describe('quicksight-users drift', () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = await Desk.start();
    await desk.register('ana');
    await desk.register('ben');
    await desk.register('cleo');
    desk.quickSight.setActive('default', 'ana');
    desk.calls();
  });
  afterEach(() => desk.stop());

  const DECLARED = `
users:
  - { userName: ana, email: ana@example.com, role: READER, groups: [analysts] }
  - { userName: ben, email: ben@example.com, role: AUTHOR }
  - { userName: dora, email: dora@example.com, role: READER }
`;

  test('shows a table, who never signed in, and ends with 2', async () => {
    desk.write(DECLARED);
    await desk.group('analysts', ['ana']);
    expect(await desk.run(['drift'])).toEqual({
      code: 2,
      stdout: `USER  NAMESPACE  DRIFT       IN THE FILES  IN QUICKSIGHT
dora  default    missing     READER
ben   default    role        AUTHOR        READER
cleo  default    in no file                READER, cleo@example.com
Never signed in: ben
3 differences: 3 users in the files, 3 in account 111122223333, identity region us-east-1
`,
      stderr: '',
    });
  });

  test('ends with 0 when there is none, with one call for each page', async () => {
    await desk.group('analysts', ['ana']);
    desk.calls();
    desk.write(`
users:
  - { userName: ana, email: ana@example.com, role: READER, groups: [analysts] }
  - { userName: ben, email: ben@example.com, role: READER }
  - { userName: cleo, email: cleo@example.com, role: READER }
`);
    const { code, stdout } = await desk.run(['drift']);
    expect(stdout).toContain('No drift: 3 users in the files, 3 in account 111122223333');
    expect(code).toBe(0);
    expect(desk.calls()).toEqual(['ListNamespaces', 'ListUsers', 'ListGroupMemberships']);
    expect(await desk.run(['drift', '--only-declared'])).toMatchObject({ code: 0 });
    expect(desk.calls()).toEqual(['ListUsers', 'ListGroupMemberships']);
  });

  test('finds users of namespaces that no file names, unless that cannot be told', async () => {
    desk.write(DECLARED);
    await desk.namespace('partners');
    await desk.register('lena', { Namespace: 'partners' });
    expect((await desk.run(['drift'])).stdout).toMatch(/^lena +partners +in no file +READER, lena@example.com$/m);
    desk.quickSight.faults.add({ operation: 'ListNamespaces', kind: 'error', code: 'AccessDeniedException' });
    const { code, stdout, stderr } = await desk.run(['drift']);
    expect(code).toBe(2);
    expect(stdout).not.toContain('lena');
    expect(stderr).toMatch(
      /^warning: users of namespaces that no file names are not told: ListNamespaces .* AccessDenied/,
    );
  });

  test('--json gives findings to machines', async () => {
    desk.write(DECLARED);
    const { code, stdout } = await desk.run(['drift', '--json', '--only-declared']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      account: ACCOUNT,
      identityRegion: 'us-east-1',
      drift: true,
      findings: [
        { kind: 'missing', namespace: 'default', user: 'dora', what: 'missing', declared: 'READER' },
        { kind: 'groups', namespace: 'default', user: 'ana', what: 'groups', declared: 'analysts', live: 'none' },
        { kind: 'role', namespace: 'default', user: 'ben', what: 'role', declared: 'AUTHOR', live: 'READER' },
        { kind: 'neverSignedIn', namespace: 'default', user: 'ben', what: 'never signed in' },
      ],
    });
  });

  test('a namespace that is not there is drift of its users, not an error', async () => {
    desk.write('users: [{ userName: ana, namespace: partners, email: ana@example.com, role: READER }]');
    const { code, stdout } = await desk.run(['drift']);
    expect(code).toBe(2);
    expect(stdout).toContain('missing, with its namespace');
  });

  test('mistakes in the files are told before anything is asked', async () => {
    desk.write('users: [{ userName: ana, email: ana@example.com, role: REDAER }]');
    const { code, stderr } = await desk.run(['drift']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^users\.yaml:1:\d+ role 'REDAER' is not one of .*did you mean READER\?\n$/),
    });
    expect(desk.calls()).toEqual([]);
  });
});
