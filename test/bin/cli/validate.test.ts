import { Desk } from './command-line';

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.start();
});
afterAll(() => desk.stop());

// Nothing is asked of anybody: neither a region nor credentials are needed.
const NOBODY = { AWS_REGION: '', AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_ENDPOINT_URL_QUICKSIGHT: '' };
const validate = (...args: string[]) => desk.run(['validate', ...args], NOBODY);

test('files that are right are counted', async () => {
  desk.write(
    'groups: { analysts: Makes dashboards }\nusers: [{ userName: ana, email: a@example.com, role: READER }]',
    'a.yaml',
  );
  desk.write('users: [{ userName: ben, email: b@example.com, role: READER, groups: [analysts] }]', 'b.yaml');
  expect(await validate('a.yaml', 'b.yaml')).toEqual({
    code: 0,
    stdout: 'a.yaml, b.yaml: 2 users, 1 group, all is well\n',
    stderr: '',
  });
  expect(await validate('*.yaml')).toMatchObject({ code: 0, stdout: expect.stringContaining('2 users, 1 group') });
});

test('every mistake is told at once, with file, line and column, and the exit code is 1', async () => {
  desk.write(
    'users:\n  - { userName: ana, email: a@example.com, role: REDAER }\n  - { usrName: ben, email: b, role: READER }\n',
    'bad.yaml',
  );
  const { code, stdout, stderr } = await validate('bad.yaml');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^bad\.yaml:2:\d+ role 'REDAER' .*READER\?\nbad\.yaml:3:\d+ 'usrName' .*userName/);
});

test('what only the rules of the construct know is told, too', async () => {
  desk.write('users: [{ userName: a/../b, email: a@example.com, role: READER }]', 'dots.yaml');
  const { code, stderr } = await validate('dots.yaml');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^dots\.yaml:1:\d+ .*for a path segment/),
  });
});

test('--json gives problems to machines', async () => {
  desk.write('users:\n  - { userName: ana, email: a@example.com, role: REDAER }\n', 'bad.yaml');
  const { code, stdout } = await validate('bad.yaml', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    valid: false,
    files: ['bad.yaml'],
    declared: [{ users: 0, groups: 0 }],
    warnings: [],
    problems: [{ file: 'bad.yaml', line: 2, column: expect.any(Number), message: expect.stringContaining('REDAER') }],
  });
});

test('each environment is checked, unless one is chosen', async () => {
  desk.write(
    'users: [{ userName: ana, email: a@example.com, role: READER }]\nenvironments:\n' +
      '  dev: { users: [{ userName: ben, email: b@example.com, role: READER }] }\n  prod: {}\n',
    'both.yaml',
  );
  expect((await validate('both.yaml')).stdout).toBe(
    'both.yaml in dev: 2 users, 0 groups, all is well\nboth.yaml in prod: 1 user, 0 groups, all is well\n',
  );
  expect((await validate('both.yaml', '--environment', 'prod')).stdout).toBe(
    'both.yaml: 1 user, 0 groups, all is well\n',
  );
  desk.write(
    'users: [{ userName: ana, email: a@example.com, role: READER }]\nenvironments:\n' +
      '  dev: { users: [{ userName: ben, role: READER }] }\n  prod: {}\n',
    'both.yaml',
  );
  expect(await validate('both.yaml')).toMatchObject({
    code: 1,
    stderr: 'both.yaml:3:18 email is missing from this user\n',
  });
});

test('an address of an unusual form is a warning, as at synth', async () => {
  desk.write('users: [{ userName: ana, email: not-an-email, role: READER }]', 'odd.yaml');
  expect(await validate('odd.yaml')).toEqual({
    code: 0,
    stdout: 'odd.yaml: 1 user, 0 groups, all is well\n',
    stderr: "warning: odd.yaml:1:9 e-mail address 'not-an-email' has an unusual form: check its spelling\n",
  });
});

test('a file that is not there is named', async () => {
  expect(await validate('none.yaml')).toMatchObject({ code: 1, stderr: expect.stringContaining('none.yaml') });
});
