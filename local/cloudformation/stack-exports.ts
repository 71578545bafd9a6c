import type { StackOutputReference } from './intrinsics';
import { NothingDone } from './resource-provider';
import type { StackState } from './stack-state';

/** Outputs that stacks read of each other. Exported ones tie the stacks of a region together. */
export class StackExports {
  constructor(private readonly stacks: ReadonlyMap<string, StackState>) {}

  /** Value of an export, which the importer holds on to from then on. */
  import(importer: StackState, name: string): string {
    for (const { region, outputs } of this.stacks.values()) {
      if (region !== importer.region) continue;
      const output = Object.values(outputs).find(({ exportName }) => exportName === name);
      if (!output) continue;
      if (!importer.imports.includes(name)) importer.imports.push(name);
      return output.value;
    }
    throw new NothingDone(`No export named ${name} found.`);
  }

  /** Value of an output, exported or not. Nothing keeps it from changing or going afterwards. */
  output({ stackName, outputName, region }: StackOutputReference): string {
    const stack = [...this.stacks.values()].find((other) => other.stackName === stackName && other.region === region);
    if (!stack) throw new NothingDone(`No stack named ${stackName} found in ${region}.`);
    const output = stack.outputs[outputName];
    if (!output) throw new NothingDone(`No output named ${outputName} found in stack ${stackName}.`);
    return output.value;
  }

  /** Refuses exports that others have already, and the change or loss of one that another stack imports. */
  check(exporter: StackState, outputs: StackState['outputs']): void {
    const exported = new Map(Object.values(outputs).map(({ exportName, value }) => [exportName, value]));
    for (const other of this.#othersInRegion(exporter)) {
      const taken = namesOf(other).find((name) => exported.has(name));
      if (taken) throw new Error(`Export with name ${taken} is already exported by stack ${other.stackName}.`);
      for (const { exportName, value } of Object.values(exporter.outputs)) {
        if (exportName === undefined || exported.get(exportName) === value) continue;
        if (!other.imports.includes(exportName)) continue;
        throw new Error(`Export ${exportName} cannot be updated as it is in use by ${other.stackName}.`);
      }
    }
  }

  /** A stack that imports from this one. */
  importerOf(exporter: StackState): StackState | undefined {
    const names = namesOf(exporter);
    return this.#othersInRegion(exporter).find(({ imports }) => imports.some((name) => names.includes(name)));
  }

  #othersInRegion({ region, stackId }: StackState): StackState[] {
    return [...this.stacks.values()].filter((stack) => stack.region === region && stack.stackId !== stackId);
  }
}

function namesOf({ outputs }: StackState): string[] {
  return Object.values(outputs).flatMap(({ exportName }) => exportName ?? []);
}
