import { setMaxListeners } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { Semaphore } from '../lambda/semaphore';
import { inDependencyOrder, reversed } from './dependency-order';
import { Intrinsics, type StackOutputReference } from './intrinsics';
import { typedParameter } from './parameters';
import {
  NothingDone,
  ResourceFailure,
  type Direction,
  type ResourceProvider,
  type ResourceResult,
} from './resource-provider';
import type { ResourceState, ResourceStatus, StackState } from './stack-state';
import { referencedNames, type Properties, type TemplateResource } from './template';

/** What operations on stacks need from the engine. */
export interface StackServices {
  readonly accountId: string;
  readonly partition: string;
  readonly slots: Semaphore;
  provider(type: string): ResourceProvider;
  ssmParameter(name: string): string;
  importValue(importer: StackState, exportName: string): string;
  stackOutput(reference: StackOutputReference): string;
  /** Refuses exports that others have already, and the loss of one that another stack imports. */
  checkExports(exporter: StackState, outputs: StackState['outputs']): void;
  findStack(nameOrId: string): StackState | undefined;
  /** Throws where a fault was ordered for this resource. */
  inject(stack: StackState, logicalId: string, action: 'create' | 'update' | 'delete', when: 'before' | 'after'): void;
  stackChanged(stack: StackState): void;
  resourceChanged(stack: StackState, resource: ResourceState, status: ResourceStatus, reason?: string): void;
}

/** An operation on a stack that failed because resources failed. */
export class StackFailure extends Error {
  /** @param failed logical ids by what they failed to do: create, update, delete */
  constructor(failed: Readonly<Record<string, readonly string[]>>) {
    const sentences = Object.entries(failed)
      .filter(([, ids]) => ids.length > 0)
      .map(([verb, ids]) => `The following resource(s) failed to ${verb}: [${ids.join(', ')}].`);
    super(sentences.join(' '));
  }
}

const CLEAN_UP_ATTEMPTS = 3;

/** One pass over the resources of one stack. */
export class StackOperation {
  readonly #intrinsics: Intrinsics;
  readonly #cancel = new AbortController();
  readonly #signal: AbortSignal;
  readonly #failedTo: { create: string[]; update: string[] } = { create: [], update: [] };

  constructor(
    private readonly services: StackServices,
    private readonly stack: StackState,
    private readonly direction: Direction,
    signal?: AbortSignal,
  ) {
    this.#signal = signal ? AbortSignal.any([signal, this.#cancel.signal]) : this.#cancel.signal;
    // Every custom resource in flight listens.
    setMaxListeners(0, this.#signal);
    this.#intrinsics = intrinsicsOf(services, stack);
  }

  /** Creates and updates until the resources are as the stack's template wants them. What is to go is left to `cleanUp`. */
  async converge(): Promise<void> {
    const { template } = this.stack;
    const declared = Object.keys(template.Resources).filter((id) => this.#intrinsics.declares(id));
    const failures = await inDependencyOrder(
      declared,
      (id) => dependencies(template.Resources[id]!),
      (id) => this.#apply(id, template.Resources[id]!),
      () => this.#signal.aborted,
    );
    // Another stack's failure may have stopped this one before any resource of its own failed.
    if (failures.size > 0 || this.#signal.aborted) throw new StackFailure(this.#failedTo);
  }

  /** Deletes what the template no longer has, and replaced resources. What cannot be deleted is skipped. */
  async cleanUp(): Promise<void> {
    const { resources, superseded } = this.stack;
    const removed = Object.values(resources).filter(({ logicalId }) => !this.#intrinsics.declares(logicalId));
    const items = new Map<string, ResourceState[]>();
    for (const item of [...superseded, ...removed]) {
      items.set(item.logicalId, [...(items.get(item.logicalId) ?? []), item]);
    }
    const order = reversed(items.keys(), (id) => items.get(id)!.flatMap(({ dependsOn }) => dependsOn));
    await inDependencyOrder(items.keys(), order, async (id) => {
      for (const item of items.get(id)!) {
        const isCurrent = item === resources[id];
        await this.#cleanUpOne(item, isCurrent ? item.deletionPolicy : item.updateReplacePolicy);
        if (isCurrent) delete resources[id];
        else this.stack.superseded = this.stack.superseded.filter((other) => other !== item);
      }
    });
  }

  /** Deletes everything, in reverse order. */
  async deleteAll(): Promise<void> {
    const { resources } = this.stack;
    for (const item of this.stack.superseded) await this.#cleanUpOne(item, item.updateReplacePolicy);
    this.stack.superseded = [];
    const ids = Object.keys(resources);
    const order = reversed(ids, (id) => resources[id]!.dependsOn);
    const failures = await inDependencyOrder(ids, order, async (id) => {
      const resource = resources[id]!;
      if (this.#isRetained(resource.deletionPolicy)) this.#report(resource, 'DELETE_SKIPPED');
      else await this.#delete(resource);
      delete resources[id];
    });
    if (failures.size > 0) throw new StackFailure({ delete: [...failures.keys()] });
  }

  /** Values of the template's outputs, and exports of which each is unique and not empty. */
  outputs(): StackState['outputs'] {
    const outputs: Record<string, { value: string; exportName?: string }> = {};
    for (const [name, output] of Object.entries(this.stack.template.Outputs ?? {})) {
      if (!this.#intrinsics.condition(output.Condition)) continue;
      const value = this.#intrinsics.resolve(output.Value);
      if (!['string', 'number', 'boolean'].includes(typeof value)) {
        throw new Error(`The Value field of every Outputs member must evaluate to a String: ${name} does not`);
      }
      if (!output.Export) {
        outputs[name] = { value: String(value) };
        continue;
      }
      if (String(value).trim() === '') {
        throw new Error(`Cannot export output ${name}. Exported values must not be empty or whitespace-only.`);
      }
      outputs[name] = { value: String(value), exportName: String(this.#intrinsics.resolve(output.Export.Name)) };
    }
    return outputs;
  }

  async #apply(id: string, declared: TemplateResource): Promise<void> {
    const existing = this.stack.resources[id];
    try {
      if (existing) await this.#update(existing, declared);
      else await this.#create(id, declared);
    } catch (error) {
      this.#failedTo[existing ? 'update' : 'create'].push(id);
      // A roll-back goes on with what does not depend on the failed resource.
      if (this.direction === 'forward') this.#cancel.abort();
      throw error;
    }
  }

  async #create(logicalId: string, declared: TemplateResource): Promise<void> {
    const { stack, services } = this;
    const type = declared.Type;
    const resource: ResourceState = {
      ...{ logicalId, type, status: 'CREATE_IN_PROGRESS', properties: {}, attributes: {} },
      ...this.#standing(declared),
    };
    try {
      const properties = this.#resolveProperties(declared);
      resource.properties = properties;
      await this.#slot(type, async (provider) => {
        if (this.#signal.aborted) return;
        stack.resources[logicalId] = resource;
        this.#report(resource, 'CREATE_IN_PROGRESS');
        services.inject(stack, logicalId, 'create', 'before');
        assign(resource, await provider.create({ ...this.#request(), logicalId, type, properties }));
        services.inject(stack, logicalId, 'create', 'after');
        this.#report(resource, 'CREATE_COMPLETE');
      });
    } catch (error) {
      if (error instanceof ResourceFailure) resource.physicalId = error.physicalId ?? resource.physicalId;
      this.#fail(resource, 'CREATE_FAILED', error);
      if (error instanceof NothingDone) delete stack.resources[logicalId];
      throw error;
    }
  }

  async #update(existing: ResourceState, declared: TemplateResource): Promise<void> {
    const { stack, services } = this;
    const { logicalId, type } = existing;
    const before = { ...existing };
    try {
      const properties = this.#resolveProperties(declared);
      const unfinished = !before.status.endsWith('_COMPLETE');
      if (unfinished || !isDeepStrictEqual(properties, before.properties)) {
        await this.#slot(type, async (provider) => {
          if (this.#signal.aborted) return;
          existing.properties = properties;
          this.#report(existing, 'UPDATE_IN_PROGRESS');
          services.inject(stack, logicalId, 'update', 'before');
          assign(existing, await this.#updateOrReplace(provider, before, properties));
          this.#supersede(before, existing);
          services.inject(stack, logicalId, 'update', 'after');
          this.#report(existing, 'UPDATE_COMPLETE');
        });
      }
      Object.assign(existing, this.#standing(declared));
    } catch (error) {
      if (error instanceof ResourceFailure) existing.physicalId = error.physicalId ?? existing.physicalId;
      this.#fail(existing, 'UPDATE_FAILED', error);
      if (error instanceof NothingDone) Object.assign(existing, before);
      throw error;
    }
  }

  #updateOrReplace(
    provider: ResourceProvider,
    { logicalId, type, physicalId = '', properties: oldProperties }: ResourceState,
    properties: Properties,
  ): ResourceResult | Promise<ResourceResult> {
    const request = { ...this.#request(), logicalId, type, properties };
    const changed = (name: string) => !isDeepStrictEqual(properties[name], oldProperties[name]);
    if (!provider.replacedBy?.some(changed)) return provider.update({ ...request, physicalId, oldProperties });
    // In a roll-back the original still exists: its clean-up has not come.
    const original = this.direction === 'rollback' ? this.stack.previous?.resources[logicalId] : undefined;
    return original?.physicalId ? { ...original, physicalId: original.physicalId } : provider.create(request);
  }

  /** Puts the replaced generation of a resource on the list for the clean-up, and takes the current one off it. */
  #supersede(before: ResourceState, { logicalId, physicalId }: ResourceState): void {
    const superseded = [...this.stack.superseded];
    if (before.physicalId !== undefined && before.physicalId !== physicalId) superseded.push(before);
    this.stack.superseded = superseded.filter((old) => old.logicalId !== logicalId || old.physicalId !== physicalId);
  }

  #resolveProperties(declared: TemplateResource): Properties {
    try {
      return this.#intrinsics.resolve(declared.Properties ?? {}) as Properties;
    } catch (error) {
      throw new NothingDone((error as Error).message, { cause: error });
    }
  }

  /** What a template says about a resource beside its properties. */
  #standing(declared: TemplateResource): Pick<ResourceState, 'dependsOn' | 'deletionPolicy' | 'updateReplacePolicy'> {
    return {
      dependsOn: dependencies(declared).filter((name) => name in this.stack.template.Resources),
      deletionPolicy: declared.DeletionPolicy,
      updateReplacePolicy: declared.UpdateReplacePolicy,
    };
  }

  async #cleanUpOne(item: ResourceState, policy: string | undefined): Promise<void> {
    if (this.#isRetained(policy)) return this.#report(item, 'DELETE_SKIPPED');
    for (let attempt = 1; attempt <= CLEAN_UP_ATTEMPTS; attempt++) {
      try {
        return await this.#delete(item);
      } catch {
        // Reported as DELETE_FAILED; after the last attempt the resource is abandoned.
      }
    }
  }

  async #delete(resource: ResourceState): Promise<void> {
    const { logicalId, type, physicalId, properties } = resource;
    this.#report(resource, 'DELETE_IN_PROGRESS');
    try {
      await this.#slot(type, async (provider) => {
        this.services.inject(this.stack, logicalId, 'delete', 'before');
        await provider.delete({ ...this.#request(), logicalId, type, physicalId, properties });
        this.services.inject(this.stack, logicalId, 'delete', 'after');
      });
    } catch (error) {
      this.#fail(resource, 'DELETE_FAILED', error);
      throw error;
    }
    this.#report(resource, 'DELETE_COMPLETE');
  }

  /** RetainExceptOnCreate keeps a resource in every operation but the roll-back of the one that made it. */
  #isRetained(policy: string | undefined): boolean {
    return policy === 'Retain' || (policy === 'RetainExceptOnCreate' && this.direction === 'forward');
  }

  async #slot(type: string, work: (provider: ResourceProvider) => Promise<void>): Promise<void> {
    const provider = this.services.provider(type);
    await (provider.waitsForOthers ? work(provider) : this.services.slots.run(() => work(provider)));
  }

  #request(): { stack: StackState; direction: Direction; signal: AbortSignal } {
    return { stack: this.stack, direction: this.direction, signal: this.#signal };
  }

  #fail(resource: ResourceState, status: ResourceStatus, error: unknown): void {
    this.#report(resource, status, error instanceof Error ? error.message : String(error));
  }

  #report(resource: ResourceState, status: ResourceStatus, reason?: string): void {
    resource.status = status;
    this.services.resourceChanged(this.stack, resource, status, reason);
  }
}

/** The functions of a stack's template, answered from the stack's state. */
export function intrinsicsOf(services: StackServices, stack: StackState): Intrinsics {
  const { accountId, partition } = services;
  const { stackId, stackName, region, template } = stack;
  return new Intrinsics(template, {
    environment: { accountId, partition, region, stackId, stackName },
    parameter: (name) =>
      typedParameter(
        template.Parameters?.[name]?.Type ?? 'String',
        stack.parameters[name] ?? '',
        services.ssmParameter,
      ),
    ref: (logicalId) => stack.resources[logicalId]?.ref ?? '',
    importValue: (name) => services.importValue(stack, name),
    stackOutput: (reference) => services.stackOutput(reference),
    attribute: (logicalId, name) => {
      const { type = '', attributes = {} } = stack.resources[logicalId] ?? {};
      if (Object.hasOwn(attributes, name)) return attributes[name];
      throw new NothingDone(
        services.provider(type).missingAttribute?.(stack, logicalId, name) ??
          `the embedded CloudFormation knows no attribute ${name} of ${type} (resource ${logicalId})`,
      );
    },
  });
}

/** What a resource must wait for. */
export function dependencies({ Properties, DependsOn = [] }: TemplateResource): string[] {
  return [...new Set([...referencedNames(Properties), ...[DependsOn].flat()])];
}

function assign(resource: ResourceState, { physicalId, ref = physicalId, attributes = {} }: ResourceResult): void {
  Object.assign(resource, { physicalId, ref, attributes });
}
