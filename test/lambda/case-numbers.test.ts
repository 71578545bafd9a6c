import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/*
 * The lifecycle cases, each of which has at least one test whose name begins with its number.
 */

const CASES = {
  Create:
    'C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C12b C12c C12d C13 C14 C15 C16 C17 C18 C19 C20 C21 C22 C23 C24 C25 C26 C27 C28 C29 C30',
  Update: 'U1 U2 U3 U4 U5 U6 U7 U8 U9 U10 U11 U12 U13 U14 U15 U16 U17 U18 U19 U19b U20 U21 U22 U23 U24 U25',
  Delete: 'D1 D2 D3 D4 D5 D6 D6b D7 D8 D9 D10 D11 D12 D13 D14 D15 D16 D17 D18 D19 D20 D21',
  Answer: 'A1 A2 A3 A4 A5',
};

const FILES = [
  ...readdirSync(__dirname).map((file) => path.join(__dirname, file)),
  path.join(__dirname, '..', 'lifecycle-deployment.test.ts'),
].filter((file) => file.endsWith('.test.ts') && file !== __filename);

/** Numbers that a test's name, or the first cell of a table's row, begins with. */
const tested = new Set(
  FILES.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/['"`]((?:[CUDA]\d+[a-z]? )+)/g)])
    .flatMap(([, numbers]) => numbers!.trim().split(' '))
    .filter(Boolean),
);

test.each(Object.entries(CASES))('every case of %s has a test', (_, cases) => {
  expect(cases.split(' ').filter((number) => !tested.has(number))).toEqual([]);
});

test('no test has a number that is no case', () => {
  const known = new Set(Object.values(CASES).join(' ').split(' '));
  expect([...tested].filter((number) => !known.has(number))).toEqual([]);
});
