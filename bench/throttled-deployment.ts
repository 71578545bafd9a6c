import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { EmbeddedCloudFormation } from '../local/cloudformation/embedded-cloudformation';
import { EmbeddedQuickSight } from '../local/quicksight';
import { type Declare, declareAwsCustomResources, declareUsers } from './declarations';
import { ACCOUNT, PLAIN_HTTPS } from './lambda-stage';
import { median, type Row } from './row';

const USERS = 100;
const REQUESTS_PER_SECOND = 10;
/** Back-off is drawn by lot: one run says little. */
const ROUNDS = 3;

/** A stack of many users while QuickSight throttles: all must be there in the end, and soon. */
export async function throttledDeployment(nodeExecutable: string): Promise<Row[]> {
  const runs: Outcome[] = [];
  for (let round = 0; round < ROUNDS; round++) runs.push(await deploy(declareUsers, nodeExecutable));
  const failed = Math.max(...runs.map((run) => run.failed));
  const busy = median(runs.map((run) => run.busy));
  const seconds = median(runs.map((run) => run.seconds));
  const worst = runs.find((run) => run.failed === failed)!;
  const other = await deploy(declareAwsCustomResources, nodeExecutable);
  const load = `${USERS} users at ${REQUESTS_PER_SECOND} requests a second`;
  return [
    {
      measure: `${load}: outcome`,
      ours: describe(worst),
      beside: `AwsCustomResource: ${describe(other)}`,
      target: 'no failed resource',
      reached: runs.every((run) => run.succeeded && run.failed === 0 && run.users === USERS),
    },
    {
      measure: `${load}: limit kept busy`,
      ours: `${(busy * 100).toFixed(0)} % for ${seconds.toFixed(1)} s`,
      target: '≥ 80 %',
      reached: busy >= 0.8,
    },
  ];
}

interface Outcome {
  readonly succeeded: boolean;
  readonly failed: number;
  /** In QuickSight when the deployment, or its roll-back, has ended. */
  readonly users: number;
  readonly seconds: number;
  /** Share of the requests that the limit would have served. */
  readonly busy: number;
}

function describe({ succeeded, failed, users }: Outcome): string {
  return succeeded
    ? `deployed, ${users} users, ${failed} failed`
    : `rolled back, ${failed} failed, ${users} users left behind`;
}

async function deploy(declare: Declare, nodeExecutable: string): Promise<Outcome> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
  const quickSight = await EmbeddedQuickSight.start({ requestsPerSecond: REQUESTS_PER_SECOND });
  let failed = 0;
  const cloudFormation = new EmbeddedCloudFormation({
    accountId: ACCOUNT,
    // All at once, so that it is the limit that decides how long it takes.
    concurrency: USERS,
    onEvent: ({ status }) => void (status.endsWith('_FAILED') && failed++),
    lambda: {
      concurrency: 20,
      nodeExecutable,
      endpoints: {
        AWS_ENDPOINT_URL_QUICKSIGHT: quickSight.url,
        NODE_OPTIONS: PLAIN_HTTPS,
        // The SDK that AwsCustomResource finds in Lambda's runtime.
        NODE_PATH: path.join(__dirname, '..', 'node_modules'),
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
    },
  });
  try {
    const app = new App({ outdir: folder, analyticsReporting: false });
    declare(
      new Stack(app, 'Bench'),
      Array.from({ length: USERS }, (_, index) => `user${index}`),
    );
    app.synth();
    const [result] = await cloudFormation.deploy(folder);
    const served = quickSight.calls.filter(({ status }) => status !== 429);
    const seconds = (served.at(-1)!.at - served[0]!.at) / 1000;
    // After a pause, a second's worth of requests is served at once.
    const busy = served.length / (REQUESTS_PER_SECOND * (1 + seconds));
    return { succeeded: result!.succeeded, failed, users: quickSight.users().length, seconds, busy };
  } finally {
    await cloudFormation.stop();
    await quickSight.stop();
    rmSync(folder, { recursive: true });
  }
}
