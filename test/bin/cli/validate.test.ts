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
    users: 0,
    groups: 0,
    problems: [{ file: 'bad.yaml', line: 2, column: expect.any(Number), message: expect.stringContaining('REDAER') }],
  });
});

test('a file that is not there is named', async () => {
  expect(await validate('none.yaml')).toMatchObject({ code: 1, stderr: expect.stringContaining('none.yaml') });
});
