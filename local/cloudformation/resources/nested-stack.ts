import type { AssetStore } from '../asset-store';
import {
  generatedName,
  ResourceFailure,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceResult,
} from '../resource-provider';
import type { StackLifecycle } from '../stack-lifecycle';
import type { StackState } from '../stack-state';
import type { Properties } from '../template';

/** A stack as a resource of another. Its clean-up waits for the root's. */
export class NestedStack implements ResourceProvider {
  readonly properties = ['TemplateURL', 'Parameters', 'Tags', 'NotificationARNs', 'TimeoutInMinutes'];
  readonly waitsForOthers = true;

  constructor(
    private readonly lifecycle: StackLifecycle,
    private readonly stacks: Map<string, StackState>,
    private readonly assets: AssetStore,
  ) {}

  async create({ stack: parent, logicalId, properties, signal }: ResourceRequest): Promise<ResourceResult> {
    const stack = this.lifecycle.newStack({
      stackName: generatedName(parent.stackName, logicalId, 128),
      region: parent.region,
      parent,
      ...this.#definition(properties),
    });
    this.stacks.set(stack.stackId, stack);
    // Known before it is done: should this process die now, the roll-back finds it.
    parent.resources[logicalId]!.physicalId = stack.stackId;
    try {
      await this.lifecycle.create(stack, signal);
    } catch (error) {
      const reason = (error as Error).message;
      this.lifecycle.setStatus(stack, 'CREATE_FAILED', reason);
      if (signal.aborted) throw new ResourceFailure('Resource creation cancelled', stack.stackId);
      throw new ResourceFailure(
        `Embedded stack ${stack.stackId} was not successfully created: ${reason}`,
        stack.stackId,
      );
    }
    return result(stack);
  }

  async update(request: Parameters<ResourceProvider['update']>[0]): Promise<ResourceResult> {
    const { physicalId, properties, signal, direction } = request;
    const stack = this.#find(physicalId);
    const failed = (reason: string) =>
      new ResourceFailure(
        `Embedded stack ${stack.stackId} was not successfully updated. Currently in ${stack.status} with reason: ${reason}`,
        stack.stackId,
      );
    if (direction === 'rollback') {
      if (stack.previous) {
        await this.lifecycle.rollBackUpdate(stack).catch((error: Error) => Promise.reject(failed(error.message)));
      }
      return result(stack);
    }
    const { template, parameters } = this.#definition(properties);
    try {
      await this.lifecycle.update(stack, template, parameters, signal);
    } catch (error) {
      const reason = (error as Error).message;
      // At once, while the root still goes forward. Its resources follow when the root's roll-back comes to them.
      this.lifecycle.beginRollBack(stack, reason);
      throw signal.aborted ? new ResourceFailure('Resource update cancelled', stack.stackId) : failed(reason);
    }
    return result(stack);
  }

  async delete({ physicalId, direction }: Parameters<ResourceProvider['delete']>[0]): Promise<void> {
    const stack = this.stacks.get(physicalId ?? '');
    if (stack) await this.lifecycle.delete(stack, direction);
  }

  #definition(properties: Properties) {
    return {
      template: this.assets.template(String(properties.TemplateURL)),
      parameters: Object.fromEntries(
        Object.entries((properties.Parameters as Properties | undefined) ?? {}).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join(',') : String(value),
        ]),
      ),
    };
  }

  #find(stackId: string): StackState {
    const stack = this.stacks.get(stackId);
    if (stack) return stack;
    throw new Error(`Stack with id ${stackId} does not exist`);
  }
}

function result({ stackId, outputs }: StackState): ResourceResult {
  const attributes = Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [`Outputs.${name}`, value]));
  return { physicalId: stackId, attributes };
}
