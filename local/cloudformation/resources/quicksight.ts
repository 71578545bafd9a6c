import type { CapabilityState, QuickSight } from '@aws-sdk/client-quicksight';
import {
  type DeleteRequest,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceResult,
  type UpdateRequest,
} from '../resource-provider';
import type { Properties } from '../template';

/** CloudFormation's own calls to QuickSight: in the region of the stack, whatever the account's identity region is. */
export class QuickSightAccess {
  readonly #clients = new Map<string, Promise<QuickSight>>();

  constructor(private readonly endpoint: string | undefined) {}

  /** Makes calls, and says of a refusal what CloudFormation says. */
  async call<T>(region: string, work: (client: QuickSight) => Promise<T>): Promise<T> {
    const { endpoint } = this;
    if (endpoint === undefined) {
      throw new Error('there is no embedded QuickSight: give its AWS_ENDPOINT_URL_QUICKSIGHT among the endpoints');
    }
    const client = this.#clients.get(region) ?? start(endpoint, region);
    this.#clients.set(region, client);
    return work(await client).catch((error: Error) => {
      const reason = `Resource handler returned message: "${error.message}" (HandlerErrorCode: ${error.name})`;
      throw new Error(reason, { cause: error });
    });
  }

  /** As `call`, and what is not there is gone already. */
  async remove(region: string, work: (client: QuickSight) => Promise<unknown>): Promise<void> {
    await this.call(region, (client) =>
      work(client).catch((error: Error) => {
        if (error.name !== 'ResourceNotFoundException') throw error;
      }),
    );
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.values()) (await client).destroy();
  }
}

// Loaded when it is needed: few stacks have such resources, and the SDK takes longer to load than a stack to deploy.
async function start(endpoint: string, region: string): Promise<QuickSight> {
  const sdk = await import('@aws-sdk/client-quicksight');
  const credentials = { accessKeyId: 'cloudformation', secretAccessKey: 'local' };
  return new sdk.QuickSight({ endpoint, region, credentials, maxAttempts: 10 });
}

/** AWS::QuickSight::Group, in the account of the stack. Ref is the ARN. */
export class QuickSightGroup implements ResourceProvider {
  readonly properties = ['GroupName', 'Namespace', 'Description'];
  readonly replacedBy = ['GroupName', 'Namespace'];

  constructor(
    private readonly quickSight: QuickSightAccess,
    private readonly accountId: string,
  ) {}

  async create({ stack, properties }: ResourceRequest): Promise<ResourceResult> {
    return result(await this.quickSight.call(stack.region, (client) => client.createGroup(this.#input(properties))));
  }

  async update({ stack, properties }: UpdateRequest): Promise<ResourceResult> {
    return result(await this.quickSight.call(stack.region, (client) => client.updateGroup(this.#input(properties))));
  }

  async delete({ stack, physicalId, properties }: DeleteRequest): Promise<void> {
    if (physicalId === undefined) return;
    await this.quickSight.remove(stack.region, (client) => client.deleteGroup(this.#input(properties)));
  }

  #input({ GroupName, Namespace, Description }: Properties) {
    return {
      AwsAccountId: this.accountId,
      Namespace: Namespace as string,
      GroupName: GroupName as string,
      Description: Description as string | undefined,
    };
  }
}

function result({ Group = {} }: { readonly Group?: { readonly Arn?: string; readonly PrincipalId?: string } }) {
  return { physicalId: Group.Arn!, attributes: { Arn: Group.Arn, PrincipalId: Group.PrincipalId } };
}

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** AWS::QuickSight::CustomPermissions. Ref is `<account>|<name>`. */
export class QuickSightCustomPermissions implements ResourceProvider {
  readonly properties = ['AwsAccountId', 'CustomPermissionsName', 'Capabilities', 'Tags'];
  readonly replacedBy = ['AwsAccountId', 'CustomPermissionsName'];

  constructor(private readonly quickSight: QuickSightAccess) {}

  async create({ stack, properties }: ResourceRequest): Promise<ResourceResult> {
    const tags = tagsOf(properties);
    const { Arn } = await this.quickSight.call(stack.region, (client) =>
      client.createCustomPermissions({ ...profile(properties), Tags: tags.length > 0 ? tags : undefined }),
    );
    return this.#result(properties, Arn!);
  }

  async update({ stack, properties, oldProperties }: UpdateRequest): Promise<ResourceResult> {
    const ResourceArn = await this.quickSight.call(stack.region, async (client) => {
      const { Arn } = await client.updateCustomPermissions(profile(properties));
      const tags = tagsOf(properties);
      const gone = tagsOf(oldProperties).filter(({ Key }) => !tags.some((tag) => tag.Key === Key));
      if (gone.length > 0) await client.untagResource({ ResourceArn: Arn, TagKeys: gone.map(({ Key }) => Key) });
      if (tags.length > 0) await client.tagResource({ ResourceArn: Arn, Tags: tags });
      return Arn!;
    });
    return this.#result(properties, ResourceArn);
  }

  async delete({ stack, physicalId, properties }: DeleteRequest): Promise<void> {
    if (physicalId === undefined) return;
    await this.quickSight.remove(stack.region, (client) => client.deleteCustomPermissions(profile(properties)));
  }

  #result({ AwsAccountId, CustomPermissionsName }: Properties, Arn: string): ResourceResult {
    return { physicalId: `${String(AwsAccountId)}|${String(CustomPermissionsName)}`, attributes: { Arn } };
  }
}

function profile({ AwsAccountId, CustomPermissionsName, Capabilities }: Properties) {
  return {
    AwsAccountId: AwsAccountId as string,
    CustomPermissionsName: CustomPermissionsName as string,
    Capabilities: Capabilities as Record<string, CapabilityState> | undefined,
  };
}

function tagsOf({ Tags = [] }: Properties): Tag[] {
  return Tags as Tag[];
}
