import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CloudAssembly, SynthesisMessageLevel } from 'aws-cdk-lib/cx-api';
import { AssemblyStack, readAssembly } from '../cloudformation/assembly';

const ROOT = path.join(__dirname, '../..');

// Else the app prints its warnings too.
const WARNINGS_FOR_US_ONLY = { '@aws-cdk/core:annotationsInValidationReport': false };

export interface SynthesizedApp {
  readonly stack: AssemblyStack;
  /** Warnings that the app attached to its constructs; `cdk synth` would print them. */
  readonly warnings: readonly string[];
}

/** What is deployed. */
export interface Source {
  /** A users file, or a pattern for several. */
  readonly users: string;
  /** Which of the variants in it; without it, what it says outside of them. */
  readonly environment?: string;
  /** How many nested stacks share the users; without it, none up to 490 users, then 32. */
  readonly shards?: string;
  /** Leaves out all nested stacks but the first so many. */
  readonly firstShards?: string;
}

/** Builds what is bundled and runs the app of cdk.json on users files, as the CDK command line would. */
export async function synthesize({ users: files, ...variant }: Source, outdir: string): Promise<SynthesizedApp> {
  const { app, build, context } = JSON.parse(readFileSync(path.join(ROOT, 'cdk.json'), 'utf8'));
  // The app runs in the root of the repository, wherever this one was started.
  const users = path.isAbsolute(files) ? files : path.relative(ROOT, path.resolve(files));
  await run(build);
  await run(app, {
    CDK_OUTDIR: path.resolve(outdir),
    CDK_CONTEXT_JSON: JSON.stringify({ ...context, ...variant, users, ...WARNINGS_FOR_US_ONLY }),
    // The CDK's template linter takes longer than all the rest. It looks for faults of the app, not of the users file.
    CDK_VALIDATION: process.env.CDK_VALIDATION ?? 'false',
  });
  const [stack] = readAssembly(outdir);
  const [artifact] = new CloudAssembly(outdir).stacks;
  const warnings = artifact!.messages.filter(({ level }) => level === SynthesisMessageLevel.WARNING);
  return { stack: stack!, warnings: warnings.map(({ entry }) => (entry.data as string).replace(/ \[ack: \S+\]$/, '')) };
}

async function run(command: string, environment: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = spawn(command, {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    shell: true,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  // Held back, because the live line stands where it would appear.
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(said.trimEnd() || `${command} failed`);
  process.stderr.write(said);
}
