import {
  generatedName,
  type DeleteRequest,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceResult,
  type UpdateRequest,
} from '../resource-provider';
import type { Properties } from '../template';

/** SSM parameters by name. */
export type SsmParameters = Map<string, string>;

/** AWS::SSM::Parameter. */
export class SsmParameter implements ResourceProvider {
  readonly properties = ['Name', 'Type', 'Value', 'Description', 'AllowedPattern', 'DataType', 'Tier', 'Tags'];
  readonly replacedBy = ['Name'];

  constructor(private readonly parameters: SsmParameters) {}

  create({ stack, logicalId, properties }: ResourceRequest): ResourceResult {
    const name = (properties.Name as string | undefined) ?? generatedName(`CFN-${logicalId}`, stack.stackName);
    if (this.parameters.has(name)) throw new Error(`the parameter ${name} already exists`);
    return this.#put(name, properties);
  }

  update({ physicalId, properties }: UpdateRequest): ResourceResult {
    return this.#put(physicalId, properties);
  }

  delete({ physicalId }: DeleteRequest): void {
    if (physicalId !== undefined) this.parameters.delete(physicalId);
  }

  #put(name: string, { Type, Value }: Properties): ResourceResult {
    this.parameters.set(name, String(Value));
    return { physicalId: name, attributes: { Type, Value: String(Value) } };
  }
}
