import type { Properties, Template } from './template';

export type StackStatus =
  | `${'CREATE' | 'UPDATE' | 'DELETE' | 'ROLLBACK' | 'UPDATE_ROLLBACK'}_${'IN_PROGRESS' | 'COMPLETE' | 'FAILED'}`
  | `${'UPDATE' | 'UPDATE_ROLLBACK'}_COMPLETE_CLEANUP_IN_PROGRESS`;

export type ResourceStatus =
  `${'CREATE' | 'UPDATE' | 'DELETE'}_${'IN_PROGRESS' | 'COMPLETE' | 'FAILED'}` | 'DELETE_SKIPPED';

export interface ResourceState {
  readonly logicalId: string;
  readonly type: string;
  status: ResourceStatus;
  /** Missing while nobody knows it: in a Create that has not ended, or never will. */
  physicalId?: string;
  /** What Ref answers. */
  ref?: string;
  /** Resolved; those of the last attempt, also when it failed. */
  properties: Properties;
  attributes: Readonly<Record<string, unknown>>;
  dependsOn: readonly string[];
  deletionPolicy?: string;
  updateReplacePolicy?: string;
}

export interface StackOutput {
  readonly value: string;
  readonly exportName?: string;
}

/** What a deployment sets out to reach, and what a roll-back returns to. */
export interface StackDefinition {
  template: Template;
  parameters: Readonly<Record<string, string>>;
  resources: Record<string, ResourceState>;
  outputs: Readonly<Record<string, StackOutput>>;
}

/** Everything that is known about a stack; kept between runs. */
export interface StackState extends StackDefinition {
  readonly stackId: string;
  readonly stackName: string;
  readonly region: string;
  status: StackStatus;
  statusReason?: string;
  readonly creationTime: string;
  lastUpdatedTime?: string;
  readonly parentId?: string;
  readonly rootId?: string;
  /** Replaced resources that wait for the clean-up phase. */
  superseded: ResourceState[];
  /** Names of the exports that this stack imports. */
  imports: string[];
  /** While an update runs: where it began. */
  previous?: StackDefinition;
}

/** What CloudFormation shows in its list of events. */
export interface ResourceEvent {
  readonly timestamp: Date;
  readonly stackId: string;
  readonly stackName: string;
  /** The stack's name when the event is about the stack itself. */
  readonly logicalId: string;
  readonly physicalId?: string;
  readonly type: string;
  readonly status: StackStatus | ResourceStatus;
  readonly reason?: string;
}

export const STACK_TYPE = 'AWS::CloudFormation::Stack';
