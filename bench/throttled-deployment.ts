import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { EmbeddedCloudFormation } from '../local/cloudformation/embedded-cloudformation';
import type { EmbeddedLambda } from '../local/lambda/embedded-lambda';
import { EmbeddedQuickSight } from '../local/quicksight';
import { type Declare, declareAwsCustomResources, declareUsers } from './declarations';
import { ACCOUNT, PLAIN_HTTPS } from './lambda-stage';
import { median, ratioRow, type Row } from './row';

const REQUESTS_PER_SECOND = 10;

/** A deployment of many users. */
interface Load {
  readonly users: number;
  /** Functions that run at the same time, each in a process of its own. */
  readonly functions: number;
  /** Back-off is drawn by lot: one run of few users says little. */
  readonly rounds: number;
}

const FEW: Load = { users: 100, functions: 20, rounds: 3 };
/** As many users as fit into a stack of 500 resources, with some space left. */
const MANY: Load = { users: 480, functions: 100, rounds: 1 };

/** A stack of many users while QuickSight throttles: all must be there in the end, and soon. */
export async function throttledDeployment(nodeExecutable: string): Promise<Row[]> {
  const few = await deployOften(FEW, nodeExecutable);
  const other = await deploy(declareAwsCustomResources, FEW, nodeExecutable);
  const many = await deployOften(MANY, nodeExecutable);
  return [
    ...rows(FEW, few, `AwsCustomResource: ${describe(other)}`),
    ...rows(MANY, many),
    ...functionRows(name(MANY), many),
  ];
}

async function deployOften(load: Load, nodeExecutable: string): Promise<Outcome[]> {
  const runs: Outcome[] = [];
  for (let round = 0; round < load.rounds; round++) runs.push(await deploy(declareUsers, load, nodeExecutable));
  return runs;
}

function rows(load: Load, runs: readonly Outcome[], beside?: string): Row[] {
  const failed = Math.max(...runs.map((run) => run.failed));
  const busy = median(runs.map((run) => run.busy));
  const seconds = median(runs.map((run) => run.seconds));
  return [
    {
      measure: `${name(load)}: outcome`,
      ours: describe(runs.find((run) => run.failed === failed)!),
      beside,
      target: 'no failed resource',
      reached: runs.every((run) => run.succeeded && run.failed === 0 && run.users === load.users),
    },
    {
      measure: `${name(load)}: limit kept busy`,
      ours: `${(busy * 100).toFixed(0)} % for ${seconds.toFixed(1)} s`,
      target: '≥ 80 %',
      reached: busy >= 0.8,
    },
  ];
}

/** What the function took of what its configuration gives it. */
function functionRows(load: string, runs: readonly Outcome[]): Row[] {
  // Without a function in the end there is no number, and no target reached.
  const peak = (of: (use: FunctionUse) => number) => Math.max(...runs.map(({ use }) => (use ? of(use) : NaN)));
  const memory = { value: peak((use) => use.memoryMb), unit: 'MB' };
  const run = { value: peak((use) => use.longestRunSeconds), unit: 's' };
  const size = { name: 'memory size', value: peak((use) => use.memorySizeMb), unit: 'MB' };
  const timeout = { name: 'time-out', value: peak((use) => use.timeoutSeconds), unit: 's' };
  return [
    ratioRow(`${load}: peak memory of the function`, memory, size, 1),
    ratioRow(`${load}: longest run of the function`, run, timeout, 1),
  ];
}

function name({ users }: Load): string {
  return `${users} users at ${REQUESTS_PER_SECOND} requests a second`;
}

interface Outcome {
  readonly succeeded: boolean;
  readonly failed: number;
  /** In QuickSight when the deployment, or its roll-back, has ended. */
  readonly users: number;
  readonly seconds: number;
  /** Share of the requests that the limit would have served. */
  readonly busy: number;
  /** Undefined when the function went with its stack. */
  readonly use?: FunctionUse;
}

interface FunctionUse {
  readonly memoryMb: number;
  readonly memorySizeMb: number;
  readonly longestRunSeconds: number;
  readonly timeoutSeconds: number;
}

function describe({ succeeded, failed, users }: Outcome): string {
  return succeeded
    ? `deployed, ${users} users, ${failed} failed`
    : `rolled back, ${failed} failed, ${users} users left behind`;
}

async function deploy(declare: Declare, { users, functions }: Load, nodeExecutable: string): Promise<Outcome> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
  const quickSight = await EmbeddedQuickSight.start({ requestsPerSecond: REQUESTS_PER_SECOND });
  let failed = 0;
  const cloudFormation = new EmbeddedCloudFormation({
    accountId: ACCOUNT,
    // All at once, so that it is the limit that decides how long it takes.
    concurrency: users,
    onEvent: ({ status }) => void (status.endsWith('_FAILED') && failed++),
    lambda: {
      concurrency: functions,
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
      Array.from({ length: users }, (_, index) => `user${index}`),
    );
    app.synth();
    const [result] = await cloudFormation.deploy(folder);
    const served = quickSight.calls.filter(({ status }) => status !== 429);
    const seconds = (served.at(-1)!.at - served[0]!.at) / 1000;
    // After a pause, a second's worth of requests is served at once.
    const busy = served.length / (REQUESTS_PER_SECOND * (1 + seconds));
    const use = functionUse(cloudFormation.lambda);
    return { succeeded: result!.succeeded, failed, users: quickSight.users().length, seconds, busy, use };
  } finally {
    await cloudFormation.stop();
    await quickSight.stop();
    rmSync(folder, { recursive: true });
  }
}

/** What the only function used, as the REPORT lines of its log say. */
function functionUse(lambda: EmbeddedLambda): FunctionUse | undefined {
  const [configuration] = lambda.configurations();
  if (!configuration) return undefined;
  const reports = lambda.logGroups
    .lines(configuration.logGroup)
    .map((line) => /^REPORT .* Duration: ([\d.]+) ms .*Max Memory Used: (\d+) MB/.exec(line))
    .filter((report) => report !== null);
  return {
    memoryMb: Math.max(...reports.map(([, , memory]) => Number(memory))),
    memorySizeMb: configuration.memoryMb,
    longestRunSeconds: Math.max(...reports.map(([, duration]) => Number(duration))) / 1000,
    timeoutSeconds: configuration.timeoutSeconds,
  };
}
