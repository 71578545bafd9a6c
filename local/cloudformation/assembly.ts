import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Template } from './template';

/** A file or directory that a deployment uploads before it begins. */
export interface Asset {
  readonly sourcePath: string;
  readonly packaging: 'file' | 'zip';
  readonly destinations: readonly { readonly bucketName: string; readonly objectKey: string }[];
}

export interface AssemblyStack {
  readonly artifactId: string;
  readonly stackName: string;
  /** Path of constructs, as `cdk deploy` takes it. */
  readonly displayName: string;
  /** Undefined when the stack is to run wherever it is deployed. */
  readonly accountId?: string;
  readonly region?: string;
  readonly template: Template;
  readonly assets: readonly Asset[];
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly displayName?: string;
  readonly dependencies?: readonly string[];
  readonly properties?: {
    readonly stackName?: string;
    readonly templateFile?: string;
    readonly file?: string;
    readonly directoryName?: string;
  };
}

interface AssetFile {
  readonly source: { readonly path?: string; readonly packaging?: string; readonly executable?: unknown };
  readonly destinations: Readonly<Record<string, { readonly bucketName: string; readonly objectKey: string }>>;
}

/** The stacks of a synthesized cloud assembly, stages included, each after those that it depends on. */
export function readAssembly(directory: string): AssemblyStack[] {
  if (!existsSync(path.join(directory, 'manifest.json'))) {
    throw new Error(`${directory} is no cloud assembly, it has no manifest.json: synthesize the app into it first`);
  }
  const artifacts = readJson<{ artifacts?: Record<string, Artifact> }>(directory, 'manifest.json').artifacts ?? {};
  const stacks: AssemblyStack[] = [];
  const seen = new Set<string>();

  function read(id: string): void {
    const artifact = artifacts[id];
    if (!artifact || seen.has(id)) return;
    seen.add(id);
    artifact.dependencies?.forEach(read);
    if (artifact.type === 'aws:cloudformation:stack') stacks.push(readStack(directory, id, artifact, artifacts));
    if (artifact.type === 'cdk:cloud-assembly') {
      stacks.push(...readAssembly(path.join(directory, artifact.properties?.directoryName ?? '')));
    }
  }
  Object.keys(artifacts).forEach(read);
  return stacks;
}

/** The chosen stacks by name, artifact id or construct path; all of them when none is named. */
export function selectStacks(stacks: readonly AssemblyStack[], names: readonly string[] | undefined): AssemblyStack[] {
  const matches = (stack: AssemblyStack, name: string) =>
    [stack.stackName, stack.artifactId, stack.displayName].includes(name);
  const unknown = (names ?? []).filter((name) => !stacks.some((stack) => matches(stack, name)));
  if (unknown.length > 0) {
    const known = stacks.map(({ stackName }) => stackName).join(', ');
    throw new Error(`no stack is named ${unknown.join(', ')}: the assembly has ${known}`);
  }
  return stacks.filter((stack) => names === undefined || names.some((name) => matches(stack, name)));
}

function readStack(
  directory: string,
  artifactId: string,
  artifact: Artifact,
  artifacts: Readonly<Record<string, Artifact>>,
): AssemblyStack {
  const { stackName = artifactId, templateFile = '' } = artifact.properties ?? {};
  const [, accountId, region] = /^aws:\/\/([^/]+)\/(.+)$/.exec(artifact.environment ?? '') ?? [];
  const assetManifests = (artifact.dependencies ?? [])
    .map((id) => artifacts[id])
    .filter((dependency) => dependency?.type === 'cdk:asset-manifest');
  return {
    artifactId,
    stackName,
    displayName: artifact.displayName ?? artifactId,
    accountId: accountId === 'unknown-account' ? undefined : accountId,
    region: region === 'unknown-region' ? undefined : region,
    template: readJson<Template>(directory, templateFile),
    assets: assetManifests.flatMap((manifest) => readAssets(directory, manifest?.properties?.file ?? '')),
  };
}

function readAssets(directory: string, file: string): Asset[] {
  const { files = {} } = readJson<{ files?: Record<string, AssetFile> }>(directory, file);
  return Object.entries(files).map(([id, { source, destinations }]) => {
    if (source.path === undefined) {
      throw new Error(`the asset ${id} is made by a command, which the embedded CloudFormation does not run`);
    }
    return {
      sourcePath: path.resolve(directory, source.path),
      packaging: source.packaging === 'zip' ? 'zip' : 'file',
      destinations: Object.values(destinations),
    };
  });
}

function readJson<T>(directory: string, file: string): T {
  return JSON.parse(readFileSync(path.join(directory, file), 'utf8')) as T;
}
