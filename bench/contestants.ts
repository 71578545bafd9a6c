import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { bundleOptions, writeBundle } from '../lambda/bundle';

const ROOT = path.join(__dirname, '..');
const CDK = path.join(ROOT, 'node_modules', 'aws-cdk-lib');
/** In node_modules, so that what is not bundled finds the SDK as it finds the one of Lambda's runtime. */
const BUILDS = path.join(ROOT, 'node_modules', '.cache', 'bench');

/** A function as Lambda would have it. */
export interface LambdaCode {
  readonly codeDirectory: string;
  readonly handler: string;
}

export interface Contestants {
  /** What this package ships. */
  readonly ours: LambdaCode;
  /** The same handler as esbuild bundles it when asked for nothing but a small bundle for Node.js. */
  readonly defaultBundle: LambdaCode;
  /** The floor. */
  readonly handSigned: LambdaCode;
  /** CDK's AwsCustomResource; its SDK comes from the runtime. */
  readonly awsCustomResource: LambdaCode;
  /** CDK's Provider framework; its SDK comes from the runtime. */
  readonly providerFramework: LambdaCode;
  /** Our handler as the framework's user function. */
  readonly userFunction: LambdaCode;
}

/** Builds every contestant from what is installed, all anew. */
export async function buildContestants(): Promise<Contestants> {
  rmSync(BUILDS, { recursive: true, force: true });
  await writeBundle();
  const handler = path.join(ROOT, 'lambda', 'index.ts');
  const plain: BuildOptions = { bundle: true, platform: 'node', target: 'node20', minify: true, logLevel: 'warning' };
  return {
    ours: { codeDirectory: path.join(ROOT, 'lambda', 'dist'), handler: 'index.handler' },
    defaultBundle: await code('default-bundle', { ...plain, entryPoints: { index: handler } }),
    handSigned: await code('hand-signed', {
      ...plain,
      entryPoints: { index: path.join(__dirname, 'hand-signed-handler.ts') },
    }),
    awsCustomResource: {
      codeDirectory: path.join(CDK, 'custom-resource-handlers/dist/custom-resources/aws-custom-resource-handler'),
      handler: 'index.handler',
    },
    providerFramework: await providerFramework(plain),
    userFunction: await code('user-function', bundleOptions(path.join(__dirname, 'provider-user-function.ts'))),
  };
}

async function code(name: string, options: BuildOptions): Promise<LambdaCode> {
  const codeDirectory = path.join(BUILDS, name);
  await build({ ...options, write: true, outdir: codeDirectory });
  return { codeDirectory, handler: 'index.handler' };
}

/** The framework's code as CDK deploys it, beside the SDK that it expects of the runtime. */
async function providerFramework(plain: BuildOptions): Promise<LambdaCode> {
  const codeDirectory = path.join(BUILDS, 'provider-framework');
  const source = path.join(CDK, 'custom-resources/lib/provider-framework/runtime');
  mkdirSync(codeDirectory, { recursive: true });
  for (const file of readdirSync(source).filter((name) => name.endsWith('.js'))) {
    cpSync(path.join(source, file), path.join(codeDirectory, file));
  }
  const sdk = path.join(codeDirectory, 'node_modules', '@aws-sdk');
  const entryPoints = { 'client-lambda/index': path.join(__dirname, 'lambda-client.ts') };
  await build({ ...plain, minify: false, packages: 'external', entryPoints, outdir: sdk });
  mkdirSync(path.join(sdk, 'client-sfn'));
  // Loaded always, and used only by handlers that wait. Nothing at all is the most favourable stand-in.
  writeFileSync(path.join(sdk, 'client-sfn', 'index.js'), '');
  return { codeDirectory, handler: 'framework.onEvent' };
}
