import { PassThrough } from 'node:stream';
import { Terminal } from '../../bin/terminal';

const { NO_COLOR, TERM } = process.env;
beforeEach(() => {
  delete process.env.NO_COLOR;
  process.env.TERM = 'xterm';
});
afterAll(() =>
  Object.assign(process.env, NO_COLOR === undefined ? {} : { NO_COLOR }, TERM === undefined ? {} : { TERM }),
);

function written(isTTY: boolean, use: (terminal: Terminal) => void): string {
  const stream = new PassThrough();
  use(new Terminal(Object.assign(stream, { isTTY, columns: 12 })));
  return String(stream.read() ?? '');
}

function session(terminal: Terminal): void {
  terminal.setLive('3 under way: ana, ben');
  terminal.print(terminal.paint('green', 'done'));
  terminal.setLive('');
}

test('in a pipe there are only plain lines', () => {
  expect(written(false, session)).toBe('done\n');
});

test('on a terminal the live line stays below what is printed, fits its width, and goes away', () => {
  const live = '\r\x1b[2K3 under way';
  expect(written(true, session)).toBe(`${live}\r\x1b[2K\x1b[32mdone\x1b[0m\n${live}\r\x1b[2K`);
});

test('NO_COLOR takes the colours and leaves the live line', () => {
  process.env.NO_COLOR = '1';
  const output = written(true, session);
  expect(output).toContain('\r\x1b[2Kdone\n');
});

test('a terminal that cannot move its cursor gets plain lines', () => {
  process.env.TERM = 'dumb';
  expect(written(true, session)).toBe('done\n');
});
