import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build, type Metafile } from 'esbuild';
import { check, writeIfChanged } from '../lambda/bundle';

/** Most bytes that the reader may have: what an app loads that has users files. */
const BUDGET = 330_000;

const ROOT = path.join(__dirname, '..');
const DIST = path.join(__dirname, 'dist');

/**
 * Writes the reader of users files, with its YAML parser and schema validator, to bin/dist, or throws: lib loads it from
 * there, so that the package has no dependency.
 */
export async function writeReader(): Promise<void> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { 'users-file': path.join(__dirname, 'users-file.ts') },
    outdir: DIST,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    // The notices are a file of their own, and complete.
    legalComments: 'none',
    logLevel: 'warning',
    tsconfigRaw: { compilerOptions: { strict: true } },
  });
  check(metafile, BUDGET);
  mkdirSync(DIST, { recursive: true });
  for (const { path: file, text } of outputFiles) writeIfChanged(file, text);
  writeIfChanged(path.join(DIST, 'users-file.THIRD_PARTY_NOTICES'), notices('users-file.js', metafile));
}

/** What the package owes to the authors of what is bundled into it: names, and their licences where those are not ours. */
export function notices(bundle: string, { outputs }: Metafile): string {
  const files = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const parts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8'));
    const head = `${name} ${version}: ${license}`;
    if (license === 'Apache-2.0') return head;
    const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license']
      .map((one) => path.join(ROOT, folder, one))
      .find(existsSync);
    if (!file) throw new Error(`${name} comes without the text of its licence: write it into the notices first`);
    return `${head}\n\n${readFileSync(file, 'utf8').trim()}\n`;
  });
  const head = `${bundle} contains parts of these packages. LICENSE of this package is the text of Apache-2.0.`;
  return [head, '', ...parts, ''].join('\n');
}

if (require.main === module) {
  writeReader().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
