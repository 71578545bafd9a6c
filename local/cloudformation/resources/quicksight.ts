import type { QuickSight } from '@aws-sdk/client-quicksight';
import {
  NothingDone,
  type DeleteRequest,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceResult,
  type UpdateRequest,
} from '../resource-provider';
import type { Properties } from '../template';

/** Calls QuickSight as who deploys, whom nothing is forbidden. */
export class QuickSightCaller {
  #client?: Promise<QuickSight>;

  /** @param endpoint without one, stacks can have no resources of QuickSight */
  constructor(
    readonly accountId: string,
    private readonly region: string,
    private readonly endpoint: string | undefined,
  ) {}

  client(): Promise<QuickSight> {
    if (this.endpoint === undefined) {
      throw new NothingDone('this embedded AWS has no QuickSight: name its endpoint, AWS_ENDPOINT_URL_QUICKSIGHT');
    }
    // Loaded by the first stack that needs it: most have no such resource.
    return (this.#client ??= import('@aws-sdk/client-quicksight').then(
      ({ QuickSight }) =>
        new QuickSight({
          endpoint: this.endpoint,
          region: this.region,
          credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
        }),
    ));
  }
}

/** AWS::QuickSight::Group. */
export class QuickSightGroup implements ResourceProvider {
  readonly properties = ['Namespace', 'GroupName', 'Description'];
  readonly replacedBy = ['Namespace', 'GroupName'];

  constructor(private readonly caller: QuickSightCaller) {}

  async create({ properties }: ResourceRequest): Promise<ResourceResult> {
    const client = await this.caller.client();
    const { Group } = await client.createGroup({ ...this.#key(properties), ...description(properties) });
    return this.#result(properties, Group?.Arn);
  }

  async update({ properties }: UpdateRequest): Promise<ResourceResult> {
    const client = await this.caller.client();
    const { Group } = await client.updateGroup({ ...this.#key(properties), ...description(properties) });
    return this.#result(properties, Group?.Arn);
  }

  async delete({ physicalId, properties }: DeleteRequest): Promise<void> {
    if (physicalId === undefined) return;
    const client = await this.caller.client();
    await unlessGone(client.deleteGroup(this.#key(properties)));
  }

  #key({ Namespace, GroupName }: Properties) {
    return { AwsAccountId: this.caller.accountId, Namespace: String(Namespace), GroupName: String(GroupName) };
  }

  #result(properties: Properties, Arn: string | undefined): ResourceResult {
    const { AwsAccountId, Namespace, GroupName } = this.#key(properties);
    return { physicalId: `${AwsAccountId}|${Namespace}|${GroupName}`, attributes: { Arn } };
  }
}

/** AWS::QuickSight::CustomPermissions. */
export class QuickSightCustomPermissions implements ResourceProvider {
  readonly properties = ['AwsAccountId', 'CustomPermissionsName', 'Capabilities', 'Tags'];
  readonly replacedBy = ['AwsAccountId', 'CustomPermissionsName'];

  constructor(private readonly caller: QuickSightCaller) {}

  async create({ properties }: ResourceRequest): Promise<ResourceResult> {
    const client = await this.caller.client();
    const { Arn } = await client.createCustomPermissions({ ...profile(properties), Tags: properties.Tags as [] });
    return { physicalId: physicalIdOf(properties), attributes: { Arn } };
  }

  async update({ properties, physicalId }: UpdateRequest): Promise<ResourceResult> {
    const client = await this.caller.client();
    const { Arn } = await client.updateCustomPermissions(profile(properties));
    return { physicalId, attributes: { Arn } };
  }

  async delete({ physicalId, properties }: DeleteRequest): Promise<void> {
    if (physicalId === undefined) return;
    const client = await this.caller.client();
    const { AwsAccountId, CustomPermissionsName } = profile(properties);
    await unlessGone(client.deleteCustomPermissions({ AwsAccountId, CustomPermissionsName }));
  }
}

function description({ Description }: Properties) {
  return Description === undefined ? {} : { Description: String(Description) };
}

function profile({ AwsAccountId, CustomPermissionsName, Capabilities }: Properties) {
  return {
    AwsAccountId: String(AwsAccountId),
    CustomPermissionsName: String(CustomPermissionsName),
    Capabilities: (Capabilities as Record<string, 'DENY'> | undefined) ?? {},
  };
}

function physicalIdOf(properties: Properties): string {
  const { AwsAccountId, CustomPermissionsName } = profile(properties);
  return `${AwsAccountId}|${CustomPermissionsName}`;
}

async function unlessGone(call: Promise<unknown>): Promise<void> {
  await call.catch((error: Error) => {
    if (error.name !== 'ResourceNotFoundException') throw error;
  });
}
