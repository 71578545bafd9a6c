import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { answerEvent } from '../../lambda';
import { forgetRegion, PATIENCE, type Patience } from '../../lambda/quicksight-api';
import type { Answer } from '../../lambda/response';
import type { UserResourceProperties } from '../../lib/private/user-resource';
import { EmbeddedQuickSight, type EmbeddedQuickSightOptions } from '../../local/quicksight';

export const ACCOUNT = '111122223333';
export const STACK_ID = `arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/Team/11111111-2222-3333-4444-555555555555`;

export const ana: UserResourceProperties = {
  AwsAccountId: ACCOUNT,
  Namespace: 'default',
  IdentityType: 'QUICKSIGHT',
  UserName: 'ana',
  Email: 'ana@example.com',
  UserRole: 'READER',
  RootStackId: STACK_ID,
};
export const ANA_ARN = `arn:aws:quicksight:us-east-1:${ACCOUNT}:user/default/ana`;

/** Waits that a test need not sit through. */
const HASTE: Patience = {
  freshPolicy: 300,
  freshIdentity: 300,
  freshAccount: 300,
  attempt: 200,
  backOff: 10,
  looks: [10, 20, 40],
  tagsHold: 40,
  stack: 150,
};

interface Put {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * The handler between its two neighbours, both over HTTP: the embedded QuickSight, and the place that CloudFormation
 * takes answers at.
 */
export class Stage {
  static async set(options: EmbeddedQuickSightOptions = {}): Promise<Stage> {
    const quickSight = await EmbeddedQuickSight.start(options);
    const stage = new Stage(quickSight);
    await new Promise<void>((resolve) => stage.server.listen(0, '127.0.0.1', resolve));
    process.env.AWS_ENDPOINT_URL_QUICKSIGHT = quickSight.url;
    process.env.AWS_REGION = 'us-east-1';
    process.env.AWS_ENDPOINT_URL_CLOUDFORMATION = 'http://127.0.0.1:9';
    process.env.AWS_ACCESS_KEY_ID = 'AKIDEXAMPLE';
    process.env.AWS_SECRET_ACCESS_KEY = 'secret';
    jest.spyOn(console, 'log').mockImplementation((line: string) => void stage.log.push(line));
    return stage;
  }

  /** All that the handler wrote to its log. */
  readonly log: string[] = [];
  /** Every PUT of an answer, also those that were not taken. */
  readonly puts: Put[] = [];
  /** Status codes for the next PUTs; without any, 200. 0 resets the connection. */
  readonly putStatuses: number[] = [];
  private readonly server: Server;

  private constructor(readonly quickSight: EmbeddedQuickSight) {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.puts.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
        const status = this.putStatuses.shift() ?? 200;
        if (status === 0) request.socket.resetAndDestroy();
        else response.writeHead(status).end();
      });
    });
  }

  async strike(): Promise<void> {
    forgetRegion();
    delete process.env.QUICKSIGHT_IDENTITY_REGION;
    jest.restoreAllMocks();
    await this.quickSight.stop();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get responseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/answer?signature=response-url-secret`;
  }

  /** Operations that QuickSight was asked for since the last look. */
  calls(): string[] {
    return this.quickSight.calls.splice(0).map(({ operation }) => operation);
  }

  /** Sends an event to the handler; returns its one answer. */
  async send(
    event: Pick<CloudFormationCustomResourceEvent, 'RequestType'> & Record<string, unknown>,
    { timeLeft = 30_000, patience = HASTE }: { timeLeft?: number; patience?: Patience } = {},
  ): Promise<Answer> {
    const before = this.puts.length;
    const end = Date.now() + timeLeft;
    const whole = {
      RequestId: randomUUID(),
      ResponseURL: this.responseUrl,
      StackId: STACK_ID,
      LogicalResourceId: 'Ana1234ABCD',
      ResourceType: 'Custom::QuickSightUser',
      ServiceToken: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:Provider`,
      ...event,
    } as unknown as CloudFormationCustomResourceEvent;
    await answerEvent(whole, { getRemainingTimeInMillis: () => end - Date.now() }, patience);
    const taken = this.puts.slice(before);
    if (taken.length === 0) throw new Error('the handler did not answer');
    return JSON.parse(taken.at(-1)!.body) as Answer;
  }

  create(properties: object = ana, more: object = {}): Promise<Answer> {
    return this.send({ RequestType: 'Create', ResourceProperties: wire(properties), ...more });
  }

  update(physicalId: string, properties: object, old: object = ana, more: object = {}): Promise<Answer> {
    return this.send({
      RequestType: 'Update',
      PhysicalResourceId: physicalId,
      ResourceProperties: wire(properties),
      OldResourceProperties: wire(old),
      ...more,
    });
  }

  remove(physicalId: string, properties: object = ana, more: object = {}): Promise<Answer> {
    return this.send({
      RequestType: 'Delete',
      PhysicalResourceId: physicalId,
      ResourceProperties: wire(properties),
      ...more,
    });
  }
}

/** Properties as CloudFormation hands them over: with its own two among them. */
function wire(properties: object) {
  return {
    ServiceToken: 'arn:aws:lambda:us-east-1:111122223333:function:Provider',
    ServiceTimeout: '3600',
    ...properties,
  };
}

export { HASTE, PATIENCE };
