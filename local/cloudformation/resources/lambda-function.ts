import type { IamStore } from '../../iam/iam-store';
import type { EmbeddedLambda } from '../../lambda/embedded-lambda';
import type { AssetStore } from '../asset-store';
import {
  generatedName,
  type DeleteRequest,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceResult,
  type UpdateRequest,
} from '../resource-provider';
import type { Properties } from '../template';

interface Code {
  readonly S3Bucket?: string;
  readonly S3Key?: string;
  readonly ZipFile?: string;
}

/** AWS::Lambda::Function, for Node.js code from an asset or from the template itself. */
export class LambdaFunction implements ResourceProvider {
  readonly properties = [
    ...['FunctionName', 'PackageType', 'Code', 'Handler', 'Role', 'Runtime', 'Timeout', 'MemorySize', 'Environment'],
    ...['LoggingConfig', 'Description', 'Architectures', 'EphemeralStorage', 'TracingConfig', 'KmsKeyArn', 'Tags'],
    ...['VpcConfig', 'ReservedConcurrentExecutions', 'RuntimeManagementConfig', 'RecursiveLoop'],
  ];
  readonly replacedBy = ['FunctionName', 'PackageType'];

  constructor(
    private readonly lambda: EmbeddedLambda,
    private readonly iam: IamStore,
    private readonly assets: AssetStore,
  ) {}

  create(request: ResourceRequest): ResourceResult {
    const { stack, logicalId, properties } = request;
    const name = (properties.FunctionName as string | undefined) ?? generatedName(stack.stackName, logicalId);
    if (this.lambda.has(name)) throw new Error(`Function already exist: ${name}`);
    return this.#put(name, request);
  }

  update(request: UpdateRequest): ResourceResult {
    return this.#put(request.physicalId, request);
  }

  delete({ physicalId }: DeleteRequest): void {
    if (physicalId !== undefined) this.lambda.delete(physicalId);
  }

  #put(name: string, { stack: { region }, properties }: ResourceRequest): ResourceResult {
    const runtime = String(properties.Runtime);
    if (!runtime.startsWith('nodejs')) {
      throw new Error(`the embedded Lambda does not run ${runtime}: it runs Node.js functions only`);
    }
    const arn = `arn:${this.iam.partition}:lambda:${region}:${this.iam.accountId}:function:${name}`;
    const logging = properties.LoggingConfig as { LogGroup?: string } | undefined;
    const environment = properties.Environment as { Variables?: Record<string, unknown> } | undefined;
    this.lambda.put({
      ...{ name, arn, region, runtime },
      roleArn: String(properties.Role),
      handler: String(properties.Handler),
      codeDirectory: this.#code(properties),
      environment: Object.fromEntries(
        Object.entries(environment?.Variables ?? {}).map(([variable, value]) => [variable, String(value)]),
      ),
      timeoutSeconds: Number(properties.Timeout ?? 3),
      memoryMb: Number(properties.MemorySize ?? 128),
      logGroup: logging?.LogGroup ?? `/aws/lambda/${name}`,
    });
    return { physicalId: name, attributes: { Arn: arn } };
  }

  #code(properties: Properties): string {
    const { S3Bucket, S3Key, ZipFile } = properties.Code as Code;
    if (ZipFile !== undefined) return this.assets.inlineCode(ZipFile);
    if (S3Bucket !== undefined && S3Key !== undefined) return this.assets.locate(S3Bucket, S3Key);
    throw new Error('the embedded Lambda runs code from S3 or from ZipFile: container images are not supported');
  }
}
