import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readUsersFiles, UsersFileError } from '../../bin/users-file';
import { filesMatching } from '../../bin/users-file-glob';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'users-glob-'));
  for (const file of [
    'users.yaml',
    'users.yml',
    'a+b.yaml',
    'teams/b.yaml',
    'teams/a.yaml',
    'teams/notes.txt',
    'teams/eu/south/c.yaml',
    'teams/.hidden/d.yaml',
    'teams/node_modules/e.yaml',
    'odd*.yaml/in.yaml',
  ]) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), `users: [{ userName: '${file}', email: a@example.com, role: READER }]`);
  }
  symlinkSync(path.join(folder, 'teams'), path.join(folder, 'teams', 'loop'), 'dir');
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['*.yaml', ['a+b.yaml', 'users.yaml']],
  ['*.y{a,}ml', ['a+b.yaml', 'users.yaml', 'users.yml']],
  ['a+*.yaml', ['a+b.yaml']],
  ['teams/?.yaml', ['teams/a.yaml', 'teams/b.yaml']],
  ['team*/*.yaml', ['teams/a.yaml', 'teams/b.yaml']],
  ['teams/{b,a}.yaml', ['teams/a.yaml', 'teams/b.yaml']],
  ['teams/**/*.yaml', ['teams/a.yaml', 'teams/b.yaml', 'teams/eu/south/c.yaml']],
  ['teams/**/south/*', ['teams/eu/south/c.yaml']],
  ['teams/.*/*.yaml', ['teams/.hidden/d.yaml']],
  ['teams/**', ['teams/a.yaml', 'teams/b.yaml', 'teams/eu/south/c.yaml', 'teams/notes.txt']],
  ['odd*.yaml/in.yaml', ['odd*.yaml/in.yaml']],
  ['none/*.yaml', []],
  ['none.yaml', ['none.yaml']],
])('%s', (pattern, files) => {
  const found = filesMatching(`${folder}/${pattern}`);
  expect(found.map((file) => file.slice(folder.length + 1))).toEqual(files);
});

test('a file counts once, however many patterns it matches and however it is named', () => {
  const { files, problems } = readUsersFiles([`${folder}/teams/*.yaml`, `${folder}/teams/../teams/a.yaml`]);
  expect(problems).toEqual([]);
  expect(files).toEqual([`${folder}/teams/a.yaml`, `${folder}/teams/b.yaml`]);
});

test('a pattern that matches nothing is a problem, beside those of the files that were found', () => {
  const { declaration, problems } = readUsersFiles([`${folder}/users.yaml`, `${folder}/*.yoml`]);
  expect(declaration.users.map(({ name }) => name)).toEqual(['users.yaml']);
  expect(new UsersFileError(problems).message).toBe(`${folder}/*.yoml: no file matches this pattern`);
});
