import { parseOptions } from '../../../local/start/options';

test('without arguments, users.yaml is deployed and the state is kept in .local-aws', () => {
  expect(parseOptions([])).toEqual({ command: 'deploy', users: 'users.yaml', state: '.local-aws', port: undefined });
});

test('a command and options are understood in any order', () => {
  const args = ['--port', '4599', 'serve', '--state=/tmp/aws', '--users', 'team.yaml', '--environment', 'dev'];
  expect(parseOptions(args)).toEqual({
    command: 'serve',
    users: 'team.yaml',
    environment: 'dev',
    state: '/tmp/aws',
    port: 4599,
  });
});

test('an option that npm kept to itself is refused: the file that it names would silently not be the one deployed', () => {
  expect(() => parseOptions(['team.yaml'], { npm_config_users: 'true' })).toThrow(
    new Error('--users went to npm: put two dashes before it, as in npm start -- --users …'),
  );
});

test.each([['--help'], ['help'], ['list --help']])('%s asks for help', (line) => {
  expect(parseOptions(line.split(' ')).command).toBe('help');
});

test.each([
  ['--prot 1', 'unknown option --prot; did you mean --port?'],
  ['--verbose', 'unknown option --verbose; npm start -- --help lists them'],
  ['-x', 'unknown option -x; npm start -- --help lists them'],
  ['--users', 'option --users needs a value: --users FILE'],
  ['--port=', 'option --port needs a value: --port N'],
  ['--port 99999', "--port '99999' is not a port: use a number from 1 to 65535"],
  ['--help=yes', 'option --help takes no value'],
  ['lst', "unknown command 'lst'; did you mean list?"],
  ['deploy.yaml', "unknown command 'deploy.yaml'; npm start -- --help lists them"],
  ['list destroy', "'destroy' after 'list': one command at a time"],
])('%s is refused', (line, message) => {
  expect(() => parseOptions(line.split(' '))).toThrow(new Error(message));
});
