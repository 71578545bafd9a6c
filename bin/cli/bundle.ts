import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';
import { check, withLiteralKeys, writeIfChanged } from '../../lambda/bundle';
import { notices } from '../bundle';

/** Most bytes that the command line may have. */
const BUDGET = 700_000;

const ROOT = path.join(__dirname, '..', '..');
const DIST = path.join(__dirname, '..', 'dist');

/** Where the command line ends up; package.json names it as `bin`. */
export const COMMAND_LINE = path.join(DIST, 'quicksight-users.js');

/** The operations of QuickSight that are never called, which esbuild cannot prove: a third of the bundle. */
const fewerSchemas: Plugin = {
  name: 'fewer-schemas',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]client-quicksight[\\/]dist-es[\\/]schemas[\\/]\w+\.js$/ }, ({ path: file }) => ({
      contents: withLiteralKeys(readFileSync(file, 'utf8')),
      loader: 'js',
    }));
  },
};

/** Writes the command line, with all that it needs, to bin/dist, or throws. */
export async function writeCommandLine(): Promise<void> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { 'quicksight-users': path.join(__dirname, 'index.ts') },
    outdir: DIST,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    // The chain of credentials is loaded as it is needed: one file has no parts to load.
    supported: { 'dynamic-import': false },
    mainFields: ['module', 'main'],
    banner: { js: '#!/usr/bin/env node' },
    legalComments: 'none',
    logLevel: 'warning',
    tsconfigRaw: { compilerOptions: { strict: true } },
    plugins: [fewerSchemas],
  });
  check(metafile, BUDGET);
  mkdirSync(DIST, { recursive: true });
  for (const { path: file, text } of outputFiles) writeIfChanged(file, text, 0o755);
  writeIfChanged(path.join(DIST, 'quicksight-users.THIRD_PARTY_NOTICES'), notices('quicksight-users.js', metafile));
}

if (require.main === module) {
  writeCommandLine().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
