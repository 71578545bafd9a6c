import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';

/** Most bytes that the handler may have: what a cold start loads, compiles and waits for. */
export const BUDGET = 210_000;

const ROOT = path.join(__dirname, '..');
const DIST = path.join(__dirname, 'dist');
const NOTICES = path.join(__dirname, 'THIRD_PARTY_NOTICES');

/**
 * How the handler is bundled; the parity test and the bench bundle entries of their own with exactly these options.
 *
 * The result depends on the sources alone, not on the machine or the folder: it is a CDK asset, and its hash decides
 * whether a deployment touches the function.
 */
export function bundleOptions(entry: string): BuildOptions & { metafile: true; write: false } {
  return {
    absWorkingDir: ROOT,
    entryPoints: { index: entry },
    outdir: DIST,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    // The oldest Node.js that the SDK runs on; Lambda's are newer. CommonJS loads faster than ESM.
    target: 'node20',
    format: 'cjs',
    minify: true,
    // The SDK imports node:http while it waits for its first call. As ESM that reads every export of the module, and the
    // one named WebSocket loads the whole of undici: as long as the rest of the handler. `require` reads none.
    supported: { 'dynamic-import': false },
    // `main` first, as esbuild would have it for Node.js, takes the SDK's CommonJS build, which does not tree-shake.
    mainFields: ['module', 'main'],
    // The notices are a file beside the bundle's folder: what lies in the folder is uploaded to Lambda.
    legalComments: 'none',
    logLevel: 'warning',
    // Otherwise it would be the tsconfig.json that esbuild finds, or does not find, around the sources.
    tsconfigRaw: { compilerOptions: { strict: true } },
    plugins: [slimSdk],
  };
}

/** Modules of the SDK that the handler never gets to, each with what stands in for it. */
const UNREACHED: Record<string, string> = {
  // The chain looks for credentials in files, processes, SSO and instance metadata. Lambda gives them in the
  // environment, where the handler takes them from itself.
  '@aws-sdk/credential-provider-node': `export const defaultProvider = () => async () => {
    throw new Error('this bundle has no default credentials: pass credentials to the client');
  };`,
  // No operation of QuickSight streams events. Being imported dynamically, this also keeps esbuild from shaking the
  // modules that it shares with the rest.
  '@smithy/core/event-streams': `function unreached() {
    throw new Error('this bundle has no event streams');
  }
  export { unreached as EventStreamSerde, unreached as eventStreamSerdeProvider };`,
};

/** Files of the SDK of which the handler needs less than there is. */
const REDUCED: readonly { name: string; file: RegExp; reduce: (source: string) => string }[] = [
  {
    // The fallback for a Node.js that was built without cryptography, which could not call AWS at all.
    name: 'Sha256Js',
    file: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]checksum[\\/]sha256[\\/]Sha256Js\.js$/,
    reduce: () => 'export const Sha256Js = undefined;',
  },
  {
    // The handler repeats calls itself, so the client is told not to, and this is never made.
    name: 'AdaptiveRetryStrategy',
    file: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]retry[\\/]util-retry[\\/]AdaptiveRetryStrategy\.js$/,
    reduce: () => `export class AdaptiveRetryStrategy {
      constructor() {
        throw new Error('this bundle has no adaptive retries');
      }
    }`,
  },
  {
    // For the User-Agent. The rest says how to build and test the client.
    name: 'package.json of the client',
    file: /[\\/]client-quicksight[\\/]package\.json$/,
    reduce: (source) => {
      const { name, version } = JSON.parse(source) as Record<string, string>;
      return JSON.stringify({ name, version });
    },
  },
];

/**
 * Leaves out of the AWS SDK what the handler cannot reach and esbuild cannot prove unreachable: two thirds of it.
 * A layout of the SDK that this does not know fails the build.
 */
const slimSdk: Plugin = {
  name: 'slim-sdk',
  setup({ onResolve, onLoad, onStart, onEnd }) {
    const schemas = '@aws-sdk/client-quicksight/dist-es/schemas';
    let missing: Set<string>;
    onStart(() => {
      missing = new Set([schemas, ...Object.keys(UNREACHED), ...REDUCED.map(({ name }) => name)]);
    });
    onLoad({ filter: /[\\/]client-quicksight[\\/]dist-es[\\/]schemas[\\/]\w+\.js$/ }, ({ path: file }) => {
      missing.delete(schemas);
      return { contents: withLiteralKeys(readFileSync(file, 'utf8')), loader: 'js' };
    });
    for (const { name, file, reduce } of REDUCED) {
      onLoad({ filter: file }, ({ path: found }) => {
        missing.delete(name);
        return { contents: reduce(readFileSync(found, 'utf8')), loader: found.endsWith('.json') ? 'json' : 'js' };
      });
    }
    onResolve({ filter: /^@(aws-sdk|smithy)\// }, ({ path: name }) => {
      if (!(name in UNREACHED)) return undefined;
      missing.delete(name);
      return { path: name, namespace: 'slim-sdk' };
    });
    onLoad({ filter: /.*/, namespace: 'slim-sdk' }, ({ path: name }) => ({ contents: UNREACHED[name] }));
    onEnd(({ errors }) => {
      if (errors.length > 0 || missing.size === 0) return {};
      const text = `the AWS SDK has another layout than slim-sdk knows: not found: ${[...missing].join(', ')}`;
      return { errors: [{ text }] };
    });
  },
};

/**
 * A schema file with every `{ [_h]: … }` as `{ "http": … }`. An object with a computed key counts as a side effect, so
 * esbuild would keep the schemas of all operations of QuickSight for the sake of seven.
 */
export function withLiteralKeys(source: string): string {
  const constants = new Map(
    [...source.matchAll(/^const (\w+) = ("(?:[^"\\]|\\.)*");$/gm)].map(([, name, literal]) => [name, literal]),
  );
  let keys = 0;
  const rewritten = source.replace(/\[(\w+)\]:/g, (_, name: string) => {
    const literal = constants.get(name);
    // `"__proto__":` would set the prototype, where `[_p]:` makes a property.
    if (!literal || literal === '"__proto__"')
      throw new Error(`the key ${name} of a schema is not a plain string constant`);
    keys++;
    return `${literal}:`;
  });
  if (keys === 0) throw new Error('a schema file without computed keys: the AWS SDK writes them in another way now');
  return rewritten;
}

/** Throws if the bundle is too big or takes anything from the runtime but Node.js itself. */
export function check({ outputs }: Metafile, budget = BUDGET): void {
  const output = Object.values(outputs).find(({ entryPoint }) => entryPoint)!;
  const foreign = output.imports.map(({ path: name }) => name).filter((name) => !isBuiltin(name));
  if (foreign.length > 0) throw new Error(`the bundle takes ${foreign.join(', ')} from the runtime: bundle it`);
  if (output.bytes <= budget) return;
  const sizes = [...sizesByPackage(output)].map(([name, bytes]) => `\n  ${String(bytes).padStart(7)}  ${name}`);
  throw new Error(
    `the bundle has ${output.bytes} bytes, ${output.bytes - budget} more than its budget:${sizes.join('')}`,
  );
}

function sizesByPackage({ inputs }: Metafile['outputs'][string]): [string, number][] {
  const sizes = new Map<string, number>();
  for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
    const name = packageOf(file) ?? 'this package';
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
  }
  return [...sizes].sort(([, a], [, b]) => b - a);
}

function packageOf(file: string): string | undefined {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1];
}

/** What the package owes to the authors of what is bundled into it. Our own LICENSE holds the text of the licence. */
export function notices({ outputs }: Metafile): string {
  const files = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const lines = [...folders].sort().map((folder) => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8')) as Record<
      string,
      string
    >;
    if (manifest.license !== 'Apache-2.0') {
      throw new Error(`${manifest.name} is under ${manifest.license}: write its licence into the notices first`);
    }
    return `${manifest.name} ${manifest.version}`;
  });
  const head = 'lambda/dist/index.js contains parts of these packages, all under the Apache License 2.0:';
  return [head, '', ...lines, ''].join('\n');
}

/** Writes the handler to lambda/dist, or throws. */
export async function writeBundle(sourcemap = false): Promise<void> {
  const { outputFiles, metafile } = await build({ ...bundleOptions(path.join(__dirname, 'index.ts')), sourcemap });
  check(metafile);
  mkdirSync(DIST, { recursive: true });
  // The folder is the asset: a file left over from another build would change its hash.
  for (const name of readdirSync(DIST)) {
    const file = path.join(DIST, name);
    if (!outputFiles.some((output) => output.path === file)) rmSync(file, { recursive: true });
  }
  for (const { path: file, text } of outputFiles) writeIfChanged(file, text);
  writeIfChanged(NOTICES, notices(metafile));
}

/**
 * Writes a file that everybody may read, as Lambda has to, whatever the umask. One that is so already is left alone, for
 * somebody may be reading it: a synth that takes the hash of the folder, or a function that starts from it.
 */
export function writeIfChanged(file: string, text: string, mode = 0o644): void {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  if ((statSync(file).mode & 0o777) !== mode) chmodSync(file, mode);
}

if (require.main === module) {
  writeBundle(process.argv.includes('--source-map')).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
