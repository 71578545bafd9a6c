import { rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CreateNamespaceCommand, paginateListNamespaces, QuickSightClient } from '@aws-sdk/client-quicksight';
import { EmbeddedCloudFormation } from '../cloudformation/embedded-cloudformation';
import { ResourceEvent } from '../cloudformation/stack-state';
import { IamStore } from '../iam/iam-store';
import { EmbeddedQuickSight } from '../quicksight';

export const ACCOUNT_ID = '111122223333';
export const REGION = 'us-east-1';

// The SDK's advice to upgrade Node.js is for us to read, not for who tries this out.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const STATE = { quickSight: 'quicksight.json', cloudFormation: 'cloudformation.json', assembly: 'cdk.out' };

export function assemblyIn(folder: string): string {
  return path.join(folder, STATE.assembly);
}

/** CloudFormation as an earlier run left it, to look at. Nothing is listening, so nothing can be deployed with it. */
export function cloudFormationIn(folder: string): EmbeddedCloudFormation {
  return new EmbeddedCloudFormation({ accountId: ACCOUNT_ID, stateFile: path.join(folder, STATE.cloudFormation) });
}

/** Removes what an embedded AWS keeps in the folder, and the folder unless something else is in it. */
export function forget(folder: string): void {
  for (const name of [...Object.values(STATE), `${STATE.cloudFormation}.assets`]) {
    rmSync(path.join(folder, name), { recursive: true, force: true });
  }
  try {
    rmdirSync(folder);
  } catch {
    // Not empty, or never made.
  }
}

/** QuickSight and CloudFormation of one account, kept in a folder between runs. */
export class EmbeddedAws {
  static async start(
    folder: string,
    { port, onEvent }: { port?: number; onEvent?: (event: ResourceEvent) => void } = {},
  ): Promise<EmbeddedAws> {
    const iam = new IamStore({ accountId: ACCOUNT_ID });
    const quickSight = await EmbeddedQuickSight.start({
      accountId: ACCOUNT_ID,
      identityRegion: REGION,
      port,
      stateFile: path.join(folder, STATE.quickSight),
      authorize: (request) => iam.authorize(request),
      iamIdentity: (arn) => iam.uniqueId(arn),
    });
    try {
      return new EmbeddedAws(
        quickSight,
        new EmbeddedCloudFormation({
          accountId: ACCOUNT_ID,
          region: REGION,
          stateFile: path.join(folder, STATE.cloudFormation),
          iam,
          // Lambda repeats a failed event after a minute; nobody wants to sit through that in front of a terminal.
          lambda: { endpoints: { AWS_ENDPOINT_URL_QUICKSIGHT: quickSight.url }, retryDelaysMs: [1000, 2000] },
          // Nor through the hour that CloudFormation gives a function which never answers; six minutes outlast its own five.
          accidents: { serviceTimeoutScale: 0.1 },
          onEvent,
        }),
      );
    } catch (error) {
      // A server that listens on would keep the process alive for ever.
      await quickSight.stop();
      throw error;
    }
  }

  /** The SDK's own client, as any program would use it. */
  readonly client: QuickSightClient;

  private constructor(
    readonly quickSight: EmbeddedQuickSight,
    readonly cloudFormation: EmbeddedCloudFormation,
  ) {
    this.client = new QuickSightClient({
      endpoint: quickSight.url,
      region: REGION,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
  }

  /** Creates those of the namespaces that do not exist, and returns them. */
  async ensureNamespaces(names: ReadonlySet<string>): Promise<string[]> {
    const missing = new Set(names);
    for await (const page of paginateListNamespaces({ client: this.client }, { AwsAccountId: ACCOUNT_ID })) {
      for (const { Name } of page.Namespaces ?? []) missing.delete(Name!);
    }
    for (const Namespace of missing) {
      await this.client.send(
        new CreateNamespaceCommand({ AwsAccountId: ACCOUNT_ID, Namespace, IdentityStore: 'QUICKSIGHT' }),
      );
    }
    return [...missing];
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.cloudFormation.stop();
    await this.quickSight.stop();
  }
}
