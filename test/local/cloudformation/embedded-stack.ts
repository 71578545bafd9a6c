import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, CustomResource, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import {
  EmbeddedCloudFormation,
  type DeployResult,
  type EmbeddedCloudFormationOptions,
} from '../../../local/cloudformation/embedded-cloudformation';
import type { CustomResourceEvent } from '../../../local/cloudformation/resources/custom-resource';
import type { ResourceEvent } from '../../../local/cloudformation/stack-state';

export const ACCOUNT = '111122223333';

/**
 * The function behind the tests' custom resources. It writes down every event, then does what the properties say:
 * PhysicalId (default: its name), Data, Answer (fields to override), Padding (bytes), FailOn, Throw and Silent (a request
 * type), and WaitFor (a Create waits until the journal holds this text).
 */
const HANDLER = `
const fs = require('node:fs');
exports.handler = async (event, context) => {
  const note = (what) => fs.appendFileSync(process.env.JOURNAL, JSON.stringify(what) + '\\n');
  const { ResponseURL, ...seen } = event;
  note({ ...seen, pid: process.pid, env: Object.keys(process.env), remaining: context.getRemainingTimeInMillis() });
  const wish = event.ResourceProperties;
  console.log('event ' + event.RequestType);
  const waiting = () => event.RequestType === 'Create' && wish.WaitFor && !fs.readFileSync(process.env.JOURNAL, 'utf8').includes(wish.WaitFor);
  while (waiting()) await new Promise((resolve) => setTimeout(resolve, 5));
  if (wish.Throw === event.RequestType) throw new Error('thrown on purpose');
  if (wish.Silent === event.RequestType) return;
  const failed = wish.FailOn === event.RequestType;
  const answer = {
    Status: failed ? 'FAILED' : 'SUCCESS', Reason: failed ? 'asked to fail' : undefined,
    StackId: event.StackId, RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId,
    PhysicalResourceId: event.RequestType === 'Delete' ? event.PhysicalResourceId : wish.PhysicalId ?? event.LogicalResourceId,
    Data: { Name: event.LogicalResourceId, ...wish.Data }, ...(event.RequestType === 'Delete' ? {} : wish.Answer),
  };
  const body = wish.Padding ? JSON.stringify({ ...answer, Padding: 'x'.repeat(Number(wish.Padding)) }) : JSON.stringify(answer);
  const response = await fetch(ResponseURL, { method: 'PUT', body, headers: { 'content-type': '' } });
  note({ ended: event.RequestType + ' ' + event.LogicalResourceId, status: response.status });
};
`;

export type SeenEvent = Omit<CustomResourceEvent, 'ResponseURL'> & {
  readonly pid: number;
  readonly env: readonly string[];
  readonly remaining: number;
};

/** An embedded AWS with a folder of its own, where its state file is too, and CDK apps to deploy to it. */
export class Embedded {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'stack-test-'));
  readonly events: ResourceEvent[] = [];
  engine: EmbeddedCloudFormation;
  #options: EmbeddedCloudFormationOptions;
  #assemblies = 0;

  constructor(options: Partial<EmbeddedCloudFormationOptions> = {}) {
    mkdirSync(path.join(this.folder, 'code'));
    writeFileSync(path.join(this.folder, 'code', 'index.js'), HANDLER);
    writeFileSync(path.join(this.folder, 'journal'), '');
    this.#options = {
      accountId: ACCOUNT,
      onEvent: (event) => this.events.push(event),
      ...options,
      stateFile: options.stateFile && path.join(this.folder, options.stateFile),
      lambda: { retryDelaysMs: [10, 10], ...options.lambda },
    };
    this.engine = new EmbeddedCloudFormation(this.#options);
  }

  /** Starts over from what the engine kept in its state file. */
  async restart(): Promise<void> {
    await this.engine.stop();
    this.engine = new EmbeddedCloudFormation(this.#options);
  }

  async stop(): Promise<void> {
    await this.engine.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  synth(build: (app: App) => void): string {
    const app = new App({ outdir: path.join(this.folder, `cdk.out.${++this.#assemblies}`), analyticsReporting: false });
    build(app);
    return app.synth().directory;
  }

  /** Synthesizes and deploys one stack that holds a function and what `build` puts beside it. */
  async deploy(build: (stack: TestStack) => void, parameters?: Record<string, string>): Promise<DeployResult> {
    const directory = this.synth((app) => build(new TestStack(app, 'Test', this)));
    return (await this.engine.deploy(directory, { parameters }))[0]!;
  }

  /** The events that reached the function, in order. */
  seen(): SeenEvent[] {
    return this.journal().filter((entry) => 'RequestType' in entry) as unknown as SeenEvent[];
  }

  /** Waits until an event has ended, as `Create Ana`. */
  async ended(call: string): Promise<void> {
    while (!this.journal().some(({ ended }) => ended === call)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** The events as `Create Ana`, `Update Ben`. */
  calls(): string[] {
    return this.seen().map(({ RequestType, LogicalResourceId }) => `${RequestType} ${LogicalResourceId}`);
  }

  forget(): void {
    writeFileSync(path.join(this.folder, 'journal'), '');
    this.events.length = 0;
  }

  journal(): Record<string, unknown>[] {
    const lines = readFileSync(path.join(this.folder, 'journal'), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** What happened to one resource or stack, as `CREATE_COMPLETE`. */
  statuses(logicalId: string): string[] {
    return this.events.filter((event) => event.logicalId === logicalId).map(({ status }) => status);
  }
}

export class TestStack extends Stack {
  readonly handler: lambda.Function;

  constructor(scope: Construct, id: string, embedded: Embedded, props?: StackProps) {
    super(scope, id, props);
    const logGroup = new logs.LogGroup(this, 'Log', { removalPolicy: RemovalPolicy.DESTROY });
    this.handler = new lambda.Function(this, 'Function', {
      code: lambda.Code.fromAsset(path.join(embedded.folder, 'code')),
      handler: 'index.handler',
      runtime: lambda.determineLatestNodeRuntime(this),
      timeout: Duration.seconds(10),
      environment: { JOURNAL: path.join(embedded.folder, 'journal') },
      logGroup,
    });
  }

  /** A custom resource whose logical id is its name. */
  custom(name: string, properties: Record<string, unknown> = {}, scope: Construct = this): CustomResource {
    const resource = new CustomResource(scope, name, {
      resourceType: 'Custom::Thing',
      serviceToken: this.handler.functionArn,
      properties,
    });
    Stack.of(resource).renameLogicalId(Stack.of(resource).getLogicalId(resource.node.defaultChild as never), name);
    return resource;
  }
}
