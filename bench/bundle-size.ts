import { readFileSync } from 'node:fs';
import path from 'node:path';
import { BUDGET } from '../lambda/bundle';
import type { Contestants, LambdaCode } from './contestants';
import { ratioRow, type Row } from './row';

export function bundleSize({ ours, defaultBundle }: Contestants): Row[] {
  const other = { name: 'esbuild’s default bundle', value: kilobytes(defaultBundle), unit: 'kB' };
  const row = ratioRow('Size of the handler, minified', { value: kilobytes(ours), unit: 'kB' }, other);
  return [{ ...row, target: `≤ ${BUDGET / 1000} kB`, reached: kilobytes(ours) <= BUDGET / 1000 }];
}

function kilobytes({ codeDirectory }: LambdaCode): number {
  return readFileSync(path.join(codeDirectory, 'index.js')).length / 1000;
}
