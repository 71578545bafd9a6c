import { randomUUID } from 'node:crypto';
import { parameterValues } from './parameters';
import type { Direction } from './resource-provider';
import { STACK_TYPE, type StackState, type StackStatus } from './stack-state';
import { StackOperation, type StackServices } from './stack-operation';
import type { Template } from './template';

/** What a new stack is made from. */
export interface NewStack {
  readonly stackName: string;
  readonly region: string;
  readonly template: Template;
  readonly parameters: Readonly<Record<string, string>>;
  readonly parent?: StackState;
}

/** The phases that stacks go through, root and nested alike. Who calls them when is what tells the two apart. */
export class StackLifecycle {
  constructor(private readonly services: StackServices) {}

  newStack({ stackName, region, template, parameters, parent }: NewStack): StackState {
    const { partition, accountId } = this.services;
    return {
      stackId: `arn:${partition}:cloudformation:${region}:${accountId}:stack/${stackName}/${randomUUID()}`,
      stackName,
      region,
      status: 'CREATE_IN_PROGRESS',
      creationTime: new Date().toISOString(),
      parentId: parent?.stackId,
      rootId: parent && (parent.rootId ?? parent.stackId),
      template,
      parameters: parameterValues(template, parameters),
      resources: {},
      outputs: {},
      superseded: [],
      imports: [],
    };
  }

  /** Makes the resources of a new stack; on failure everything stays as it is, for the caller to roll back. */
  async create(stack: StackState, signal?: AbortSignal): Promise<void> {
    this.setStatus(stack, 'CREATE_IN_PROGRESS');
    await this.#converge(stack, 'forward', signal);
    this.setStatus(stack, 'CREATE_COMPLETE');
  }

  /** Brings a stack to a new definition; what is to go waits for `cleanUp`. */
  async update(
    stack: StackState,
    template: Template,
    parameters: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<void> {
    const { template: oldTemplate, parameters: oldParameters, resources, outputs } = stack;
    stack.previous = structuredClone({ template: oldTemplate, parameters: oldParameters, resources, outputs });
    stack.lastUpdatedTime = new Date().toISOString();
    stack.template = template;
    stack.parameters = parameterValues(template, parameters, oldParameters);
    this.setStatus(stack, 'UPDATE_IN_PROGRESS');
    await this.#converge(stack, 'forward', signal);
    this.setStatus(stack, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
  }

  /** The first step back: what the update replaced is wanted again. A nested stack takes it before its root does. */
  beginRollBack(stack: StackState, reason?: string): void {
    if (!stack.previous) throw new Error(`the stack ${stack.stackName} has no update to roll back`);
    stack.superseded = [];
    stack.template = stack.previous.template;
    stack.parameters = stack.previous.parameters;
    this.setStatus(stack, 'UPDATE_ROLLBACK_IN_PROGRESS', reason);
  }

  /** Returns to where the update began; what it made waits for `cleanUp`. */
  async rollBackUpdate(stack: StackState, reason?: string): Promise<void> {
    // A second attempt must keep what the first one replaced.
    if (!stack.status.startsWith('UPDATE_ROLLBACK')) this.beginRollBack(stack, reason);
    else if (stack.status !== 'UPDATE_ROLLBACK_IN_PROGRESS') {
      this.setStatus(stack, 'UPDATE_ROLLBACK_IN_PROGRESS', reason);
    }
    try {
      await this.#converge(stack, 'rollback');
    } catch (error) {
      this.setStatus(stack, 'UPDATE_ROLLBACK_FAILED', (error as Error).message);
      throw error;
    }
    this.setStatus(stack, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
  }

  /** The last phase of an update or its roll-back, begun by the root when the whole tree is ready, innermost stack first. */
  async cleanUp(stack: StackState): Promise<void> {
    const rolledBack = stack.status === 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS';
    if (!rolledBack && stack.status !== 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS') return;
    for (const nested of this.#nestedStacks(stack)) await this.cleanUp(nested);
    await new StackOperation(this.services, stack, rolledBack ? 'rollback' : 'forward').cleanUp();
    stack.previous = undefined;
    this.setStatus(stack, rolledBack ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_COMPLETE');
  }

  /** Deletes what a failed creation made. */
  async rollBackCreate(stack: StackState, reason?: string): Promise<void> {
    this.setStatus(stack, 'ROLLBACK_IN_PROGRESS', reason);
    await this.#empty(stack, 'rollback', 'ROLLBACK_COMPLETE', 'ROLLBACK_FAILED');
  }

  async delete(stack: StackState, direction: Direction = 'forward'): Promise<void> {
    this.setStatus(stack, 'DELETE_IN_PROGRESS');
    await this.#empty(stack, direction, 'DELETE_COMPLETE', 'DELETE_FAILED');
  }

  setStatus(stack: StackState, status: StackStatus, reason?: string): void {
    stack.status = status;
    stack.statusReason = reason;
    this.services.stackChanged(stack);
  }

  async #converge(stack: StackState, direction: Direction, signal?: AbortSignal): Promise<void> {
    stack.imports = [];
    const operation = new StackOperation(this.services, stack, direction, signal);
    await operation.converge();
    const outputs = operation.outputs();
    this.services.checkExports(stack, outputs);
    stack.outputs = outputs;
  }

  async #empty(stack: StackState, direction: Direction, done: StackStatus, failed: StackStatus): Promise<void> {
    try {
      await new StackOperation(this.services, stack, direction).deleteAll();
    } catch (error) {
      this.setStatus(stack, failed, (error as Error).message);
      throw error;
    }
    Object.assign(stack, { outputs: {}, imports: [], previous: undefined });
    this.setStatus(stack, done);
  }

  #nestedStacks(stack: StackState): StackState[] {
    return Object.values(stack.resources)
      .filter(({ type }) => type === STACK_TYPE)
      .flatMap(({ physicalId }) => this.services.findStack(physicalId ?? '') ?? []);
  }
}
