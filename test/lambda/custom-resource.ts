// First, because it watches how the handler's modules make their requests.
import { closeDetours, openDetours, travel, type Journey } from './outgoing-calls';
import { QuickSightClient, RegisterUserCommand, type RegisterUserCommandInput } from '@aws-sdk/client-quicksight';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { answerEvent } from '../../lambda';
import { forgetRegion, PATIENCE, type Patience } from '../../lambda/quicksight-api';
import type { Answer } from '../../lambda/response';
import type { UserResourceProperties } from '../../lib/private/user-resource';
import { StacksEndpoint, type StackDescription } from '../../local/cloudformation/stacks-endpoint';
import type { StackStatus } from '../../local/cloudformation/stack-state';
import { EmbeddedQuickSight, type EmbeddedQuickSightOptions, type UserRecord } from '../../local/quicksight';
import { EmbeddedSecretsManager } from '../../local/secrets-manager/embedded-secrets-manager';

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
/** A root stack that has nothing to do with the first. */
export const OTHER_STACK_ID = `arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/Other/99999999-8888-7777-6666-555555555555`;
/** Nested in the first stack. */
export const NESTED_STACK_ID = `arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/Team-Shard/aaaaaaaa-2222-3333-4444-555555555555`;
export const ANA_ARN = `arn:aws:quicksight:us-east-1:${ACCOUNT}:user/default/ana`;

export const bob: UserResourceProperties = {
  ...ana,
  UserName: undefined,
  IdentityType: 'IAM',
  IamArn: `arn:aws:iam::${ACCOUNT}:user/team/bob`,
};
export const carla: UserResourceProperties = {
  ...bob,
  IamArn: `arn:aws:iam::${ACCOUNT}:role/teams/DataTeam`,
  SessionName: 'carla@example.com',
};
export const tag = (Key: string, Value: string) => ({ Key, Value });

/** Waits that a test need not sit through. */
const HASTE: Patience = {
  freshPolicy: 300,
  freshIdentity: 300,
  freshAccount: 300,
  attempt: 200,
  backOff: 10,
  looks: [10, 20, 40],
  freshUser: 300,
  tagsHold: 40,
  stack: 150,
};

/** What a request to the handler's neighbours must never show in the log. */
const EMAIL = /[^\s"]@[^\s"]/;
const URL_START = /https?:/;

interface Put {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly status: number;
}

export interface SendOptions extends Partial<Journey> {
  readonly timeLeft?: number;
  readonly patience?: Patience;
}

type Event = Pick<CloudFormationCustomResourceEvent, 'RequestType'> & Record<string, unknown>;

/**
 * The handler between its neighbours, all over HTTP: the embedded QuickSight, CloudFormation's DescribeStacks, Secrets
 * Manager, and the place that CloudFormation takes answers at.
 */
export class Stage {
  static async set(options: EmbeddedQuickSightOptions = {}): Promise<Stage> {
    const stacks = new Map<string, StackDescription>();
    const stage = new Stage(
      await EmbeddedQuickSight.start(options),
      stacks,
      await StacksEndpoint.start({ find: (id) => stacks.get(id) }),
      await EmbeddedSecretsManager.start(),
    );
    await new Promise<void>((resolve) => stage.server.listen(0, '127.0.0.1', resolve));
    await openDetours();
    process.env.AWS_ENDPOINT_URL_QUICKSIGHT = stage.quickSight.url;
    process.env.AWS_ENDPOINT_URL_CLOUDFORMATION = stage.cloudFormation.url;
    process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = stage.secretsManager.url;
    process.env.AWS_REGION = 'us-east-1';
    process.env.AWS_ACCESS_KEY_ID = 'AKIDEXAMPLE';
    process.env.AWS_SECRET_ACCESS_KEY = 'secret';
    for (const method of ['log', 'info', 'warn', 'error'] as const) {
      jest.spyOn(console, method).mockImplementation((...parts: unknown[]) => void stage.log.push(parts.join(' ')));
    }
    stage.begin('CREATE_IN_PROGRESS');
    return stage;
  }

  /** All that the handler wrote to its log. */
  readonly log: string[] = [];
  /** Every PUT of an answer, also those that were not taken. */
  readonly puts: Put[] = [];
  /** Status codes for the next PUTs; without any, 200. 0 resets the connection. */
  readonly putStatuses: number[] = [];
  private readonly putsByPath = new Map<string, Put[]>();
  private readonly made: string[] = [];
  private readonly secrets = new Set<string>();
  private readonly server: Server;
  private sent = 0;

  private constructor(
    readonly quickSight: EmbeddedQuickSight,
    /** The stacks that CloudFormation can describe, by id. */
    readonly stacks: Map<string, StackDescription>,
    readonly cloudFormation: StacksEndpoint,
    readonly secretsManager: EmbeddedSecretsManager,
  ) {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const status = this.putStatuses.shift() ?? 200;
        const body = Buffer.concat(chunks).toString();
        const put = { headers: request.headers, body, status };
        this.puts.push(put);
        const [path = ''] = request.url!.split('?');
        this.putsByPath.set(path, [...(this.putsByPath.get(path) ?? []), put]);
        if (status === 0) request.socket.resetAndDestroy();
        else response.writeHead(status).end();
      });
    });
  }

  /** Ends it all. A5: whatever the test did, the log must be free of what it may not hold. */
  async strike(): Promise<void> {
    forgetRegion();
    delete process.env.QUICKSIGHT_IDENTITY_REGION;
    jest.restoreAllMocks();
    await Promise.all([this.quickSight.stop(), this.cloudFormation.stop(), this.secretsManager.stop(), closeDetours()]);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    expect(this.leaks()).toEqual([]);
  }

  /** Lines of the log with an e-mail address, a URL, a tag value, or a piece of an event in them. */
  leaks(): string[] {
    const hidden = [...this.secrets];
    return this.log.filter(
      (line) =>
        EMAIL.test(line) ||
        URL_START.test(line) ||
        line.includes('ResourceProperties') ||
        line.includes('response-url-secret') ||
        hidden.some((secret) => line.includes(secret)),
    );
  }

  get responseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/answer/${++this.sent}?signature=response-url-secret`;
  }

  /** Operations that the handler asked its neighbours for since the last look. */
  calls(): string[] {
    return this.made.splice(0);
  }

  /** Begins a deployment: what is held from now on is held since it began. */
  begin(status: StackStatus, { stackId = STACK_ID, parentId }: { stackId?: string; parentId?: string } = {}): void {
    const now = new Date().toISOString();
    const { creationTime = now } = this.stacks.get(stackId) ?? {};
    const lastUpdatedTime = status.startsWith('UPDATE') ? now : undefined;
    const stackName = stackId.split('/')[1]!;
    this.stacks.set(stackId, { stackId, stackName, status, creationTime, lastUpdatedTime, parentId });
  }

  /** The deployment goes into another phase. */
  turn(status: StackStatus, stackId = STACK_ID): void {
    this.stacks.set(stackId, { ...this.stacks.get(stackId)!, status });
  }

  /** Makes all that holds the user an hour older: of an earlier deployment. */
  age(userName = 'ana', namespace = 'default'): void {
    const older = ([key, value]: [string, string]) => [
      key,
      key.includes(':held-by:') ? value.replace(/\d{10}/, (epoch) => String(Number(epoch) - 3600)) : value,
    ];
    const { tags } = this.quickSight.user(namespace, userName)!;
    this.quickSight.setTags(namespace, userName, Object.fromEntries(Object.entries(tags).map((tag) => older(tag))));
  }

  user(userName = 'ana'): UserRecord | undefined {
    return this.quickSight.user('default', userName);
  }

  userNames(): string[] {
    return this.quickSight
      .users()
      .map(({ userName }) => userName)
      .sort();
  }

  /** Logical ids of a user's holders; those about to let go with "leaving" before them. */
  holders(userName = 'ana'): string[] {
    return holdersOf(this.user(userName));
  }

  /** Registers a user by hand: no stack holds it. */
  async byHand(user: Partial<RegisterUserCommandInput> = {}): Promise<UserRecord> {
    const client = new QuickSightClient({ region: this.quickSight.account.identityRegion, maxAttempts: 1 });
    const { User } = await client.send(
      new RegisterUserCommand({
        AwsAccountId: ACCOUNT,
        Namespace: 'default',
        IdentityType: 'QUICKSIGHT',
        UserName: user.IdentityType === 'IAM' ? undefined : 'ana',
        Email: 'by-hand@example.com',
        UserRole: 'READER',
        ...user,
      }),
    );
    client.destroy();
    return this.quickSight.user(user.Namespace ?? 'default', User!.UserName!)!;
  }

  /** A new secret; its ARN. */
  secret(): string {
    return this.secretsManager.createSecret({ name: `invitation-${randomUUID()}` }).arn;
  }

  /** Somebody else writes a secret. */
  writeSecret(arn: string, secretString: string): void {
    const { store } = this.secretsManager;
    store.putValue(store.get(arn, 'us-east-1'), { secretString });
  }

  /** What a secret holds. */
  secretValue(arn: string): unknown {
    const { secretString } = this.secretsManager.secret(arn)!;
    return secretString === undefined ? undefined : (JSON.parse(secretString) as unknown);
  }

  /** Sends an event to the handler; returns its one answer. */
  async send(
    event: Event,
    { timeLeft = 30_000, patience = HASTE, onCall = () => undefined }: SendOptions = {},
  ): Promise<Answer> {
    const end = Date.now() + timeLeft;
    const ResponseURL = this.responseUrl;
    // Not spread: a property that throws is part of some tests.
    const whole = Object.assign(Object.create(null) as object, {
      RequestId: randomUUID(),
      ResponseURL,
      StackId: STACK_ID,
      LogicalResourceId: 'Ana1234ABCD',
      ResourceType: 'Custom::QuickSightUser',
      ServiceToken: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:Provider`,
      ...event,
    }) as unknown as CloudFormationCustomResourceEvent;
    this.hide(event);
    const journey: Journey = {
      onCall: (call) => {
        this.made.push(call.operation);
        return onCall(call);
      },
    };
    await travel(journey, () => answerEvent(whole, { getRemainingTimeInMillis: () => end - Date.now() }, patience));
    const path = new URL(ResponseURL).pathname;
    const own = this.putsByPath.get(path) ?? [];
    this.putsByPath.delete(path);
    const taken = own.filter(({ status }) => status < 300 && status > 0);
    if (own.length === 0) throw new Error('the handler did not answer');
    if (taken.length > 1) throw new Error('the handler answered more than once');
    return JSON.parse(own.at(-1)!.body) as Answer;
  }

  create(properties: object = ana, more: object = {}, options?: SendOptions): Promise<Answer> {
    return this.send({ RequestType: 'Create', ResourceProperties: wire(properties), ...more }, options);
  }

  update(
    physicalId: string,
    properties: object,
    old: object = ana,
    more: object = {},
    options?: SendOptions,
  ): Promise<Answer> {
    return this.send(
      {
        RequestType: 'Update',
        PhysicalResourceId: physicalId,
        ResourceProperties: wire(properties),
        OldResourceProperties: wire(old),
        ...more,
      },
      options,
    );
  }

  remove(physicalId: string, properties: object = ana, more: object = {}, options?: SendOptions): Promise<Answer> {
    return this.send(
      {
        RequestType: 'Delete',
        PhysicalResourceId: physicalId,
        ResourceProperties: wire(properties),
        ...more,
      },
      options,
    );
  }

  /** Remembers what of an event may not come into the log. */
  private hide({ ResourceProperties: properties }: Event): void {
    // By value: reading them may be what a test is about.
    const own = Object.getOwnPropertyDescriptors(properties ?? {}) as Record<string, PropertyDescriptor | undefined>;
    const [Email, Tags] = [own.Email?.value as unknown, own.Tags?.value as unknown];
    if (typeof Email === 'string') this.secrets.add(Email);
    for (const tag of Array.isArray(Tags) ? (Tags as { Value?: unknown }[]) : []) {
      // A short one may well be in the log for another reason.
      if (typeof tag?.Value === 'string' && tag.Value.length > 4) this.secrets.add(tag.Value);
    }
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

export function holdersOf(user: Pick<UserRecord, 'tags'> | undefined): string[] {
  return Object.entries(user?.tags ?? {})
    .filter(([key]) => key.startsWith('cdk-quicksight-users:held-by:'))
    .map(([, value]) => (value.startsWith('leaving/') ? 'leaving ' : '') + value.split('/').pop()!)
    .sort();
}

export { HASTE, PATIENCE };
