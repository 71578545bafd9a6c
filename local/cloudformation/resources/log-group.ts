import type { IamStore } from '../../iam/iam-store';
import type { LogGroups } from '../../lambda/log-groups';
import {
  generatedName,
  type DeleteRequest,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceResult,
  type UpdateRequest,
} from '../resource-provider';

/** AWS::Logs::LogGroup. Retention is accepted and has no effect: logs live as long as the process. */
export class LogGroup implements ResourceProvider {
  readonly properties = [
    'LogGroupName',
    'RetentionInDays',
    'KmsKeyId',
    'LogGroupClass',
    'Tags',
    'DataProtectionPolicy',
  ];
  readonly replacedBy = ['LogGroupName'];

  constructor(
    private readonly logGroups: LogGroups,
    private readonly iam: IamStore,
  ) {}

  create({ stack, logicalId, properties }: ResourceRequest): ResourceResult {
    const name = (properties.LogGroupName as string | undefined) ?? generatedName(stack.stackName, logicalId, 512);
    this.logGroups.create(name);
    return this.#result(name, stack.region);
  }

  update({ physicalId, stack }: UpdateRequest): ResourceResult {
    return this.#result(physicalId, stack.region);
  }

  delete({ physicalId }: DeleteRequest): void {
    if (physicalId !== undefined) this.logGroups.delete(physicalId);
  }

  #result(name: string, region: string): ResourceResult {
    const { partition, accountId } = this.iam;
    return {
      physicalId: name,
      attributes: { Arn: `arn:${partition}:logs:${region}:${accountId}:log-group:${name}:*` },
    };
  }
}
