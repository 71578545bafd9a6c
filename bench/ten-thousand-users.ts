import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { QuickSightUsers } from '../lib';
import { EmbeddedCloudFormation } from '../local/cloudformation/embedded-cloudformation';
import { IamStore } from '../local/iam/iam-store';
import { EmbeddedQuickSight } from '../local/quicksight';
import { ACCOUNT, PLAIN_HTTPS } from './lambda-stage';
import { markdown, type Row } from './row';

/*
 * `npm run soak`: 10,000 users of one users file, deployed while QuickSight serves 50 requests a second, in steps of what
 * CloudFormation works on at once; then a change of one user, and another number of nested stacks.
 */

const USERS = 10_000;
const REQUESTS_PER_SECOND = 50;
/** Functions that run at the same time, each in a process of its own. */
const FUNCTIONS = 40;
/** How many of the 32 nested stacks there are after each step. */
const STEPS = [7, 14, 21, 28, undefined];

interface Step {
  readonly succeeded: boolean;
  readonly served: readonly { readonly operation: string; readonly at: number }[];
}

class Soak {
  static async start(folder: string): Promise<Soak> {
    const iam = new IamStore({ accountId: ACCOUNT });
    const quickSight = await EmbeddedQuickSight.start({
      requestsPerSecond: REQUESTS_PER_SECOND,
      authorize: (request) => iam.authorize(request),
      iamIdentity: (arn) => iam.uniqueId(arn),
    });
    return new Soak(folder, quickSight, iam);
  }

  failed = 0;
  private readonly cloudFormation: EmbeddedCloudFormation;
  private assemblies = 0;

  private constructor(
    private readonly folder: string,
    readonly quickSight: EmbeddedQuickSight,
    iam: IamStore,
  ) {
    this.cloudFormation = new EmbeddedCloudFormation({
      ...{ accountId: ACCOUNT, iam },
      // All resources of a nested stack at once: what bounds them is the dependencies between the nested stacks.
      concurrency: USERS,
      onEvent: ({ status }) => void (status.endsWith('_FAILED') && this.failed++),
      lambda: {
        concurrency: FUNCTIONS,
        endpoints: {
          AWS_ENDPOINT_URL_QUICKSIGHT: quickSight.url,
          NODE_OPTIONS: PLAIN_HTTPS,
          AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        },
      },
    });
  }

  async deploy(what: string, email: string, shards: { shards?: number; firstShards?: number } = {}): Promise<Step> {
    const begun = Date.now();
    const outdir = path.join(this.folder, String(++this.assemblies));
    const file = path.join(this.folder, 'users.yaml');
    const entries = Array.from(
      { length: USERS },
      (_, index) =>
        `  - { userName: user${index}, email: ${index ? `user${index}@example.com` : email}, role: READER }`,
    );
    writeFileSync(file, ['users:', ...entries].join('\n'));
    const app = new App({ outdir, analyticsReporting: false });
    new QuickSightUsers(new Stack(app, 'People'), 'People', { files: [file], ...shards });
    app.synth();
    const synthesized = Date.now();
    const [result] = await this.cloudFormation.deploy(outdir);
    const served = this.quickSight.calls.splice(0).filter(({ status }) => status !== 429);
    const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(0);
    console.error(
      `${what}: ${result!.status}, ${served.length} requests served, ${this.quickSight.users().length} users ` +
        `(synth ${seconds(begun, synthesized)} s, deployment ${seconds(synthesized, Date.now())} s)`,
    );
    return { succeeded: result!.succeeded, served };
  }

  principals(): Map<string, string> {
    return new Map(this.quickSight.users().map(({ userName, principalId }) => [userName, principalId]));
  }

  async stop(): Promise<void> {
    await this.cloudFormation.stop();
    await this.quickSight.stop();
  }
}

function calls({ served }: Step): string {
  const counts = new Map<string, number>();
  for (const { operation } of served) counts.set(operation, (counts.get(operation) ?? 0) + 1);
  return [...counts].map(([operation, count]) => `${count} ${operation}`).join(', ');
}

/** Seconds between the first request of a step and its last. */
function seconds({ served }: Step): number {
  return (served.at(-1)!.at - served[0]!.at) / 1000;
}

async function measure(soak: Soak): Promise<Row[]> {
  const steps: Step[] = [];
  for (const firstShards of STEPS) {
    steps.push(await soak.deploy(`first ${firstShards ?? 'all'} nested stacks`, 'user0@example.com', { firstShards }));
  }
  const registered = steps.reduce((sum, { served }) => sum + served.length, 0);
  const time = steps.reduce((sum, step) => sum + seconds(step), 0);
  // After a pause, which every step is, a second's worth of requests is served at once.
  const busy = registered / (REQUESTS_PER_SECOND * (time + steps.length));
  const users = soak.quickSight.users().length;
  const load = `${USERS} users at ${REQUESTS_PER_SECOND} requests a second`;
  const failed = soak.failed;

  const change = await soak.deploy('a change of one user', 'other@example.com');
  const principals = soak.principals();
  const move = await soak.deploy('one nested stack more', 'other@example.com', { shards: 33 });
  const same = [...soak.principals()].filter(([name, id]) => principals.get(name) === id).length;
  const isMoved = move.succeeded && same === USERS && !calls(move).includes('DeleteUser');
  return [
    {
      measure: `${load}: outcome`,
      ours: `${users} users in ${steps.length} deployments, ${failed} resources failed`,
      target: 'no failed resource',
      reached: steps.every(({ succeeded }) => succeeded) && failed === 0 && users === USERS,
    },
    {
      measure: `${load}: limit kept busy`,
      ours: `${(busy * 100).toFixed(0)} % for ${time.toFixed(0)} s`,
      target: '≥ 80 %',
      reached: busy >= 0.8,
    },
    {
      measure: 'A change of one of them: requests to QuickSight',
      ours: calls(change),
      beside: 'lower bound: 2',
      ratio: change.served.length / 2,
      target: '≤ 1.00',
      reached: change.succeeded && change.served.length === 2,
    },
    {
      measure: 'From 32 to 33 nested stacks',
      ours: `${same} of ${USERS} users are the same; ${calls(move)}`,
      target: 'all the same, nobody deleted',
      reached: isMoved,
    },
  ];
}

async function main(): Promise<void> {
  // CDK's own check of every template would take longer than all the rest.
  process.env.CDK_VALIDATION = 'false';
  const folder = mkdtempSync(path.join(tmpdir(), 'soak-'));
  const soak = await Soak.start(folder);
  try {
    const rows = await measure(soak);
    console.log(`\n${markdown(rows)}`);
    if (rows.some(({ reached }) => reached === false)) process.exitCode = 1;
  } finally {
    await soak.stop();
    rmSync(folder, { recursive: true });
  }
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
