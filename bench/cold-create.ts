import { randomUUID } from 'node:crypto';
import type { Contestants, LambdaCode } from './contestants';
import { LambdaStage, userProperties } from './lambda-stage';
import { median, ratioRow, type Row } from './row';

const ROUNDS = 25;

/** From the start of a new process to the answer in CloudFormation's hands, for the Create of one user. */
export async function coldCreate(contestants: Contestants, nodeExecutable: string): Promise<Row[]> {
  const stage = await LambdaStage.set(nodeExecutable);
  stage.userFunction = contestants.userFunction;
  const { ours, defaultBundle, handSigned, awsCustomResource, providerFramework } = contestants;
  const runs: [LambdaCode, (userName: string) => object][] = [
    [ours, userProperties],
    [handSigned, userProperties],
    [defaultBundle, userProperties],
    [awsCustomResource, awsCustomResourceProperties],
    [providerFramework, userProperties],
  ];
  const times = runs.map((): number[] => []);
  const processes: number[] = [];
  try {
    // In turns, so that whatever else the machine does meets all alike; the first round only warms the disk's cache.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [index, [code, properties]] of runs.entries()) {
        const before = stage.started;
        const time = await createOnce(stage, code, properties(`user-${randomUUID()}`));
        processes[index] = stage.started - before;
        if (round > 0) times[index]!.push(time);
      }
    }
  } finally {
    await stage.stop();
  }

  const [our, floor, plain, custom, provider] = times.map((of) => ({ value: median(of), unit: 'ms' }));
  const row = (name: string, other: typeof our, limit?: number) =>
    ratioRow('Cold Create: new process to answered event', our!, { ...other!, name }, limit);
  return [
    row('hand-signed, the floor', floor, 1.15),
    row('same handler, esbuild’s default bundle', plain),
    row('AwsCustomResource', custom, 0.65),
    row('Provider framework', provider, 0.5),
    {
      measure: 'Function invocations an event',
      ours: String(processes[0]),
      beside: `AwsCustomResource: ${processes[3]}; Provider framework: ${processes[4]}`,
      target: '1',
      reached: processes[0] === 1,
    },
  ];
}

async function createOnce(stage: LambdaStage, code: LambdaCode, properties: object): Promise<number> {
  const start = performance.now();
  const container = stage.start(code);
  try {
    const { at } = await stage.send(container, { RequestType: 'Create', ResourceProperties: properties });
    return at - start;
  } finally {
    await container.kill();
  }
}

/** What AwsCustomResource renders for the same registration. */
function awsCustomResourceProperties(userName: string): object {
  const { ServiceToken, RootStackId: _, ...parameters } = userProperties(userName);
  const physicalResourceId = { responsePath: 'User.Arn' };
  return {
    ServiceToken,
    InstallLatestAwsSdk: 'false',
    Create: JSON.stringify({ service: 'QuickSight', action: 'registerUser', parameters, physicalResourceId }),
  };
}
