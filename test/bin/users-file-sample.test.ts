import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseUsersFiles } from '../../bin/users-file';

const SAMPLE = readFileSync(path.join(__dirname, '../../users.yaml'), 'utf8');

test('the sample of environments in a comment of users.yaml works once the comment signs are removed', () => {
  const start = SAMPLE.indexOf('# environments:');
  const lines = SAMPLE.slice(start)
    .split('\n')
    .map((line) => line.slice(2));
  const bytes = Buffer.from(SAMPLE.slice(0, start) + lines.join('\n'));
  const read = (environment: string) => parseUsersFiles([{ file: 'users.yaml', bytes }], { environment });
  const [dev, prod] = [read('dev'), read('prod')];
  expect([...dev.problems, ...prod.problems]).toEqual([]);
  expect(dev.declaration.users).toHaveLength(prod.declaration.users.length + 1);
  expect(dev.declaration.users).toContainEqual(expect.objectContaining({ name: 'ana', role: 'ADMIN' }));
  expect(dev.declaration.users).toContainEqual(expect.objectContaining({ name: 'test' }));
});
