import { randomBytes } from 'node:crypto';
import type { Properties } from './template';
import type { StackState } from './stack-state';

/** Which way a stack is going while a resource is worked on. */
export type Direction = 'forward' | 'rollback';

export interface ResourceRequest {
  readonly stack: StackState;
  readonly logicalId: string;
  readonly type: string;
  /** Resolved. */
  readonly properties: Properties;
  readonly direction: Direction;
  /** Aborted when another resource of the deployment failed. */
  readonly signal: AbortSignal;
}

export interface UpdateRequest extends ResourceRequest {
  readonly physicalId: string;
  readonly oldProperties: Properties;
}

export interface DeleteRequest extends ResourceRequest {
  /** Missing when a Create was cut short. */
  readonly physicalId?: string;
}

export interface ResourceResult {
  readonly physicalId: string;
  /** What Ref answers. @default - the physical id */
  readonly ref?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** How resources of one type are made, changed and removed. */
export interface ResourceProvider {
  /** The properties that are understood; any other is refused before a deployment begins. Undefined: all are. */
  readonly properties?: readonly string[];
  /** Properties whose change makes a new resource before the old one goes. */
  readonly replacedBy?: readonly string[];
  /** Waits for other resources, so it must not take one of the slots that they need. */
  readonly waitsForOthers?: boolean;
  create(request: ResourceRequest): ResourceResult | Promise<ResourceResult>;
  /** A result with another physical id is a replacement. */
  update(request: UpdateRequest): ResourceResult | Promise<ResourceResult>;
  delete(request: DeleteRequest): void | Promise<void>;
  /** Why an attribute that the resource lacks cannot be had. */
  missingAttribute?(stack: StackState, logicalId: string, attribute: string): string;
}

/** A failed operation that may have left something behind. */
export class ResourceFailure extends Error {
  constructor(
    message: string,
    readonly physicalId?: string,
  ) {
    super(message);
  }
}

/** A failed operation that certainly did nothing, so that a roll-back has nothing to undo. */
export class NothingDone extends Error {}

/** A physical name as CloudFormation makes them up: `Stack-LogicalId-RANDOM`. */
export function generatedName(stackName: string, logicalId: string, maxLength = 64): string {
  const suffix = Array.from(randomBytes(12), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'[byte % 36]).join('');
  const room = maxLength - suffix.length - 2;
  const stackPart = stackName.slice(0, Math.max(Math.floor(room / 2), room - logicalId.length));
  return `${stackPart}-${logicalId.slice(0, room - stackPart.length)}-${suffix}`;
}
