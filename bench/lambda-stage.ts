import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import type { UserResourceProperties } from '../lib/private/user-resource';
import type { StackStatus } from '../local/cloudformation/stack-state';
import { type StackDescription, StacksEndpoint } from '../local/cloudformation/stacks-endpoint';
import { Container } from '../local/lambda/container';
import { EmbeddedQuickSight } from '../local/quicksight';
import type { LambdaCode } from './contestants';

export const ACCOUNT = '111122223333';
export const STACK_ID = `arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/Bench/11111111-2222-3333-4444-555555555555`;
const STACK_CREATED = '2026-01-01T00:00:00.000Z';
const USER_FUNCTION = 'user-function';

/** NODE_OPTIONS for functions that answer by https. */
export const PLAIN_HTTPS = `--require ${JSON.stringify(path.join(__dirname, 'plain-https.cjs'))}`;

interface Answer {
  readonly Status: string;
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
  readonly at: number;
}

/** All that a function in its own process talks to: QuickSight, CloudFormation, and Lambda's Invoke operation. */
export class LambdaStage {
  static async set(nodeExecutable: string): Promise<LambdaStage> {
    const find = (stackId: string): StackDescription => ({
      stackId,
      stackName: 'Bench',
      status: stage.stackStatus,
      creationTime: STACK_CREATED,
    });
    const [quickSight, stacks] = await Promise.all([EmbeddedQuickSight.start(), StacksEndpoint.start({ find })]);
    const stage: LambdaStage = new LambdaStage(quickSight, stacks, nodeExecutable);
    await new Promise<void>((resolve) => stage.server.listen(0, '127.0.0.1', resolve));
    return stage;
  }

  /** Processes so far. */
  started = 0;
  /** What CloudFormation says of the stack. */
  stackStatus: StackStatus = 'UPDATE_IN_PROGRESS';
  /** What Invoke runs. */
  userFunction?: LambdaCode;
  private readonly awaited = new Map<string, (answer: Answer) => void>();
  private readonly server: Server;

  private constructor(
    readonly quickSight: EmbeddedQuickSight,
    readonly stacks: StacksEndpoint,
    private readonly nodeExecutable: string,
  ) {
    this.server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        const at = performance.now();
        if (request.method === 'POST') {
          void this.invoke(JSON.parse(body) as CloudFormationCustomResourceEvent).then((payload) =>
            response.end(payload),
          );
          return;
        }
        response.end();
        const answer = JSON.parse(body) as Answer & { RequestId: string };
        this.awaited.get(answer.RequestId)?.({ ...answer, at });
      });
    });
  }

  /** A new process for `code`, not loaded yet. */
  start({ codeDirectory, handler }: LambdaCode): Container {
    this.started++;
    return new Container({
      codeDirectory,
      nodeExecutable: this.nodeExecutable,
      log: () => undefined,
      environment: {
        _HANDLER: handler,
        LAMBDA_TASK_ROOT: codeDirectory,
        NODE_OPTIONS: PLAIN_HTTPS,
        AWS_ENDPOINT_URL_QUICKSIGHT: this.quickSight.url,
        AWS_ENDPOINT_URL_CLOUDFORMATION: this.stacks.url,
        AWS_ENDPOINT_URL_LAMBDA: this.url,
        USER_ON_EVENT_FUNCTION_ARN: USER_FUNCTION,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_SESSION_TOKEN: 'token',
        // Node.js 20 only: the SDK's notice of its end of life is no part of the work.
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
    });
  }

  /** Runs one event to its answer. */
  async send(
    container: Container,
    event: {
      RequestType: string;
      LogicalResourceId?: string;
      PhysicalResourceId?: string;
      ResourceProperties: object;
      OldResourceProperties?: object;
    },
  ): Promise<Answer> {
    const RequestId = randomUUID();
    const answered = new Promise<Answer>((resolve) => this.awaited.set(RequestId, resolve));
    const sent = {
      RequestId,
      StackId: STACK_ID,
      LogicalResourceId: 'Ana',
      ResourceType: 'Custom::QuickSightUser',
      ResponseURL: `https://127.0.0.1:${this.port}/${RequestId}?signature=x`,
      ...event,
    };
    const crashed = container
      .run({ event: sent, context: { awsRequestId: RequestId }, timeoutMs: 60_000 })
      .then(({ error }) => error && Promise.reject(new Error(`${error.errorType}: ${error.errorMessage}`)));
    const answer = await Promise.race([answered, crashed.then(() => answered)]);
    if (answer.Status !== 'SUCCESS') throw new Error(answer.Reason);
    await crashed;
    return answer;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await Promise.all([this.quickSight.stop(), this.stacks.stop()]);
  }

  private get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private async invoke(event: CloudFormationCustomResourceEvent): Promise<string> {
    const container = this.start(this.userFunction!);
    const outcome = await container.run({ event, context: { awsRequestId: randomUUID() }, timeoutMs: 60_000 });
    void container.kill();
    if (outcome.error) throw new Error(outcome.error.errorMessage);
    return JSON.stringify(outcome.result);
  }
}

export function userProperties(userName: string): UserResourceProperties & { ServiceToken: string } {
  return {
    ServiceToken: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:bench`,
    AwsAccountId: ACCOUNT,
    Namespace: 'default',
    IdentityType: 'QUICKSIGHT',
    UserName: userName,
    Email: `${userName}@example.com`,
    UserRole: 'READER',
    RootStackId: STACK_ID,
  };
}
