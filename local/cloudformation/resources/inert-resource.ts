import { generatedName, type ResourceProvider, type ResourceRequest, type ResourceResult } from '../resource-provider';

/** A resource that needs nothing done here, such as CDK's metadata or the permission to invoke a function. */
export class InertResource implements ResourceProvider {
  create({ stack, logicalId }: ResourceRequest): ResourceResult {
    return { physicalId: generatedName(stack.stackName, logicalId) };
  }

  update({ physicalId }: Parameters<ResourceProvider['update']>[0]): ResourceResult {
    return { physicalId };
  }

  delete(): void {}
}
