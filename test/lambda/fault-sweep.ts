import { CreateGroupCommand, QuickSightClient } from '@aws-sdk/client-quicksight';
import { randomUUID } from 'node:crypto';
import type { Answer } from '../../lambda/response';
import type { StackStatus } from '../../local/cloudformation/stack-state';
import type { UserRecord } from '../../local/quicksight';
import { ACCOUNT, ana, bob, HASTE, holdersOf, type Stage } from './custom-resource';
import type { Detour, Reply } from './outgoing-calls';

/*
 * A fault at every call: what happens to an event, and to those that CloudFormation sends next, when one of its calls
 * meets each kind of fault, before and after it took effect, once and until the deadline.
 *
 * Generated: an undisturbed run of a scenario records the calls, and every combination with a fault is played in a world
 * of its own, which no other run touches.
 */

/** One event, as far as a scenario says it. */
export interface SweptEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: object;
  readonly OldResourceProperties?: object;
  readonly LogicalResourceId?: string;
  readonly RequestId?: string;
}

export interface Scenario {
  readonly name: string;
  /** What the stack does when the event comes. */
  readonly status: StackStatus;
  /** Brings about what was before the deployment of the event. */
  readonly before?: (world: World) => Promise<unknown>;
  /** Brings about what this deployment did before the event. */
  readonly during?: (world: World) => Promise<unknown>;
  readonly event: (world: World) => SweptEvent;
  /**
   * What is not as it was before the deployment when all went well and is over, in a roll-back or in a Delete: `ana.email`,
   * or a whole user. Sorted.
   */
  readonly differs?: readonly string[];
}

/** What one run has for itself: a stack, and names that nobody else uses. */
export class World {
  /** Whatever `before` and `during` want to hand to `event`. */
  readonly kept: Record<string, string> = {};
  /** Calls on a detour, and whether one that arrives now comes too late. */
  readonly onTheirWay = new Set<Promise<unknown>>();
  isAnswered = false;
  readonly stackId: string;

  constructor(
    readonly stage: Stage,
    private readonly run: number,
  ) {
    const uuid = `00000000-0000-0000-0000-${String(run).padStart(12, '0')}`;
    this.stackId = `arn:aws:cloudformation:us-east-1:111122223333:stack/Run-${run}/${uuid}`;
  }

  /** The name under which this run knows a user. */
  name(user: string): string {
    return `${user}-of-run-${this.run}`;
  }

  /** A declaration of `ana`. */
  declared(change: object = {}): typeof ana {
    return { ...ana, UserName: this.name('ana'), RootStackId: this.stackId, ...change };
  }

  async send(event: SweptEvent, options: Parameters<Stage['send']>[1] = {}): Promise<Answer> {
    const { RequestId = randomUUID(), LogicalResourceId = 'Ana1234ABCD' } = event;
    const whole = { ...event, RequestId, LogicalResourceId, StackId: this.stackId };
    return this.stage.send(whole, { patience: UNHURRIED, ...options });
  }

  /** Sends an event whose success the scenario builds upon; the physical id that it answers. */
  async succeed(event: SweptEvent): Promise<string> {
    const answer = await this.send(event);
    if (answer.Status !== 'SUCCESS') throw new Error(`a scenario's own event failed: ${answer.Reason}`);
    return answer.PhysicalResourceId;
  }

  /** A declaration of an IAM user. */
  iam(user: string): typeof bob {
    return { ...bob, IamArn: `arn:aws:iam::111122223333:user/${this.name(user)}`, RootStackId: this.stackId };
  }

  /** ARN of a secret: of this run, the same each time. */
  secret(purpose = 'secret'): string {
    return (this.kept[purpose] ??= this.stage.secret());
  }

  /** Registers `ana` by hand. */
  byHand(user: object = {}): Promise<UserRecord> {
    return this.stage.byHand({ UserName: this.name('ana'), ...user });
  }

  create(change: object = {}, more: object = {}): Promise<string> {
    return this.succeed({ RequestType: 'Create', ResourceProperties: this.declared(change), ...more });
  }

  user(user = 'ana'): UserRecord | undefined {
    return this.stage.user(this.name(user));
  }

  /** Everybody of this run, by the names that scenarios give. */
  users(): Map<string, UserRecord> {
    const suffix = this.name('');
    const own = this.stage.quickSight.users().filter((user) => this.isOwn(user, suffix));
    return new Map(own.map((user) => [user.userName.replace(suffix, ''), user]));
  }

  /** Nameless ones are known by their IAM ARN. */
  private isOwn({ userName, iamArn }: UserRecord, suffix: string): boolean {
    return userName.endsWith(suffix) || (userName === 'N/A' && !!iamArn?.endsWith(suffix));
  }

  clear(): void {
    const suffix = this.name('');
    const { quickSight, stacks } = this.stage;
    for (const user of quickSight.users()) {
      if (user.userName.endsWith(suffix)) quickSight.deleteUser('default', user.userName);
    }
    stacks.delete(this.stackId);
  }
}

/** Where nothing is to be waited for: however busy the machine is, nothing is given up. */
const UNHURRIED = { ...HASTE, attempt: 30_000, stack: 30_000 };

/** Where faults are: short waits, and attempts long enough for a busy machine. */
const HURRIED = {
  ...HASTE,
  freshPolicy: 20,
  freshIdentity: 20,
  freshAccount: 20,
  freshUser: 20,
  attempt: 400,
  backOff: 20,
  looks: [5, 10, 20],
  stack: 1_500,
};
const DEADLINE = 2_000;

type Service = 'QuickSight' | 'CloudFormation' | 'Secrets Manager';

function serviceOf(operation: string): Service {
  if (operation === 'DescribeStacks') return 'CloudFormation';
  return operation.endsWith('SecretValue') ? 'Secrets Manager' : 'QuickSight';
}

interface FaultClass {
  readonly name: string;
  /** Nobody can tell whether the call took effect: it is tried before and after it did. */
  readonly ambiguous?: boolean;
  /** Everybody of the run is deleted out of band before the call. */
  readonly vanishes?: boolean;
  /** An answer that is not true: nothing can be promised but that no harm is done to others. */
  readonly untrue?: boolean;
  /** The reply instead of the proper one; undefined for a broken connection. */
  readonly reply: (service: Service, gone: Promise<void>) => Reply | undefined | Promise<Reply | undefined>;
}

const CLASSES: readonly FaultClass[] = [
  { name: '500', ambiguous: true, reply: (service) => error(service, 500, 'InternalFailure') },
  { name: '503 HTML', ambiguous: true, reply: () => html(503) },
  { name: 'garbled 200', ambiguous: true, reply: () => html(200) },
  { name: 'reset', ambiguous: true, reply: () => undefined },
  { name: 'no answer', ambiguous: true, reply: (_, gone) => gone.then(() => undefined) },
  { name: 'throttle', reply: (service) => error(service, 429, 'ThrottlingException', 'Rate exceeded') },
  { name: 'throttle without a message', reply: (service) => error(service, 429, 'ThrottlingException') },
  {
    name: 'AccessDenied',
    reply: (service) =>
      error(
        service,
        service === 'QuickSight' ? 401 : 400,
        'AccessDeniedException',
        'User: x is not authorized to perform: y because no identity-based policy allows the y action',
      ),
  },
  {
    name: 'AccessDenied, explicitly',
    reply: (service) =>
      error(service, 401, 'AccessDeniedException', 'not authorized with an explicit deny in a service control policy'),
  },
  { name: 'LimitExceeded', reply: (service) => error(service, 409, 'LimitExceededException', 'limit') },
  { name: 'InvalidParameter', reply: (service) => error(service, 400, 'InvalidParameterValueException', 'odd') },
  { name: 'PreconditionNotMet', reply: (service) => error(service, 400, 'PreconditionNotMetException', 'not yet') },
  {
    name: 'ResourceNotFound',
    untrue: true,
    reply: (service) => error(service, 404, 'ResourceNotFoundException', 'User x not found'),
  },
  { name: 'user deleted meanwhile', vanishes: true, reply: () => undefined },
];

function html(status: number): Reply {
  return { status, headers: { 'content-type': 'text/html' }, body: '<html><body>Sorry</body></html>' };
}

function error(service: Service, status: number, code: string, message?: string): Reply {
  if (service === 'CloudFormation') {
    const text = message === undefined ? '' : `<Message>${message}</Message>`;
    const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code>${text}</Error></ErrorResponse>`;
    return { status, headers: { 'content-type': 'text/xml' }, body };
  }
  const headers = { 'content-type': 'application/json', 'x-amzn-errortype': code };
  return { status, headers, body: JSON.stringify({ __type: code, Message: message }) };
}

/** One fault at one call. */
interface Strike {
  readonly kind: FaultClass;
  readonly operation: string;
  /** Which of the event's calls of this operation, from 1. */
  readonly nth: number;
  readonly when: 'before' | 'after';
  /** And every later one. */
  readonly forEver: boolean;
}

/** What CloudFormation does after the event has succeeded: goes on, or rolls back because another resource failed. */
type Then = 'goes on' | 'rolls back';

interface Combination {
  readonly strike: Strike;
  readonly then: Then;
}

/**
 * All that can strike the calls of an undisturbed run. Whether it strikes once or for ever, and what follows, takes turns;
 * with FAULT_SWEEP=all in the environment everything is combined with everything.
 */
function combinations(calls: readonly string[]): Combination[] {
  const all = calls.flatMap((operation, index) => {
    const nth = calls.slice(0, index + 1).filter((call) => call === operation).length;
    return CLASSES.flatMap((kind, turn) => {
      const whens = kind.ambiguous ? (['before', 'after'] as const) : (['before'] as const);
      return whens.flatMap((when, side) =>
        (kind.vanishes ? [false] : [false, true]).flatMap((forEver) =>
          (['goes on', 'rolls back'] as const).map((then, course) => ({
            strike: { kind, operation, nth, when, forEver } satisfies Strike,
            then,
            isTurn:
              (kind.vanishes || (index + turn + side) % 2 === Number(forEver)) &&
              (turn + side + (index >> 1)) % 2 === course,
          })),
        ),
      );
    });
  });
  return process.env.FAULT_SWEEP === 'all' ? all : all.filter(({ isTurn }) => isTurn);
}

function describe({ kind, operation, nth, when, forEver }: Strike): string {
  return `${kind.name} ${when} ${operation} ${nth}${forEver ? ', for ever' : ''}`;
}

/** @param nth which of the event's calls of this operation */
function detourOf(world: World, strike: Strike, operation: string, nth: number): Detour | undefined {
  if (operation !== strike.operation || !(strike.forEver ? nth >= strike.nth : nth === strike.nth)) return undefined;
  return async (forward, gone) => {
    // What a function that is frozen has sent does not arrive any more; it would be another fault than the one to play.
    if (world.isAnswered) return undefined;
    if (strike.kind.vanishes) {
      for (const { userName } of world.users().values()) {
        if (userName !== 'N/A') world.stage.quickSight.deleteUser('default', userName);
      }
      return forward();
    }
    if (strike.when === 'after') {
      const effect = forward();
      world.onTheirWay.add(effect);
      await effect;
    }
    return strike.kind.reply(serviceOf(operation), gone);
  };
}

/** What can be compared between worlds: nothing in it is different in each. */
type Picture = Record<string, Record<string, unknown>>;

function picture(world: World, earlier: ReadonlyMap<string, UserRecord>): Picture {
  return Object.fromEntries(
    [...world.users()].map(([name, user]) => {
      const { identityType, role, email, customPermissionsName, externalLogin, groups, tags } = user;
      const before = tags['cdk-quicksight-users:before']?.replace(/^[^/]*/, '');
      const people = Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith('cdk-')));
      const isSame = earlier.get(name)?.principalId === user.principalId;
      return [
        name,
        {
          ...{ identityType, role, email, customPermissionsName, externalLogin, groups: [...groups].sort().join() },
          ...{ holders: holdersOf(user).join(), adopted: tags['cdk-quicksight-users:adopted'], before },
          registration: isSame ? 'as before' : 'new',
          tags: JSON.stringify(people, Object.keys(people).sort()),
        },
      ];
    }),
  );
}

/** What a course of events led to. */
interface Outcome {
  readonly status: Answer['Status'];
  /** CloudFormation repeats the event until it succeeds, so that it comes to the same end in any case. */
  readonly repeats: boolean;
  readonly isUpdate: boolean;
  readonly isRollBack: boolean;
  readonly calls: readonly string[];
  /** Before the deployment. */
  readonly initially: Picture;
  /** Before the event. */
  readonly before: Picture;
  readonly end: Picture;
  /** `unavailable` or a URL; undefined without attributes. */
  readonly invitation?: 'unavailable' | 'URL';
}

class Sweep {
  private runs = 0;

  constructor(
    private readonly stage: Stage,
    private readonly atOnce = 40,
  ) {}

  /** Plays every combination of these scenarios; returns what went wrong, and how many there were. */
  async over(scenarios: readonly Scenario[]): Promise<{ combinations: number; problems: string[] }> {
    const problems: string[] = [];
    const work: (() => Promise<string | undefined>)[] = [];
    for (const scenario of scenarios) {
      const goesOn = await this.play(scenario, undefined, 'goes on');
      const rollsBack = await this.play(scenario, undefined, 'rolls back');
      const unreadable = await this.play(scenario, UNREADABLE, 'goes on');
      const undisturbed = { goesOn, rollsBack, unreadable };
      const over = goesOn.repeats ? goesOn : rollsBack;
      const differs = differences(over.initially, over.end).join();
      if (differs !== (scenario.differs ?? []).join())
        problems.push(`${scenario.name}: it ends with another ${differs}`);
      for (const { strike, then } of combinations(goesOn.calls)) {
        work.push(async () => {
          const wrong = await this.play(scenario, strike, then).then(
            (outcome) => judge(strike, then, outcome, undisturbed),
            (error: Error) => error.message,
          );
          return wrong && `${scenario.name}: ${describe(strike)}, then ${then}: ${wrong}`;
        });
      }
    }
    const suspects = await this.all(work);
    // On a busy machine a deadline can pass while nothing runs at all: what is really wrong is wrong again, played alone.
    for (const task of suspects) {
      const problem = await task();
      if (problem) problems.push(problem);
    }
    return { combinations: work.length, problems };
  }

  /** Plays all, many at once; returns those in which something went wrong. */
  private async all<Task extends () => Promise<unknown>>(work: readonly Task[]): Promise<Task[]> {
    // Those that wait for their deadline and those that do not, side by side.
    const queue = work.map((task, index) => ({ task, order: (index * 7919) % work.length }));
    queue.sort((one, other) => one.order - other.order);
    const suspects: Task[] = [];
    const worker = async () => {
      for (let next = queue.pop(); next; next = queue.pop()) if (await next.task()) suspects.push(next.task);
    };
    await Promise.all(Array.from({ length: this.atOnce }, worker));
    return suspects;
  }

  private async play(scenario: Scenario, strike: Strike | undefined, then: Then): Promise<Outcome> {
    const world = new World(this.stage, ++this.runs);
    try {
      return await this.playIn(world, scenario, strike, then);
    } finally {
      world.clear();
    }
  }

  private async playIn(world: World, scenario: Scenario, strike: Strike | undefined, then: Then): Promise<Outcome> {
    const { stage } = this;
    const { stackId } = world;
    stage.begin('CREATE_IN_PROGRESS', { stackId });
    await scenario.before?.(world);
    for (const { userName } of world.users().values()) if (userName !== 'N/A') stage.age(userName);
    const first = world.users();
    const initially = picture(world, first);
    if (!scenario.status.startsWith('CREATE')) stage.begin('UPDATE_IN_PROGRESS', { stackId });
    await scenario.during?.(world);
    stage.turn(scenario.status, stackId);

    const earlier = world.users();
    const before = picture(world, earlier);
    const event = { RequestId: randomUUID(), ...scenario.event(world) };
    const calls: string[] = [];
    const started = Date.now();
    const answer = await world.send(event, {
      ...(strike && { timeLeft: DEADLINE, patience: HURRIED }),
      onCall: ({ operation }) => {
        calls.push(operation);
        return strike && detourOf(world, strike, operation, calls.filter((call) => call === operation).length);
      },
    });
    world.isAnswered = true;
    await Promise.allSettled(world.onTheirWay);
    if (strike && Date.now() - started > DEADLINE) throw new Error('answered after the deadline');
    // Nobody looks again after the last call: a user that is deleted out of band then is missed.
    if (answer.Status === 'SUCCESS' && !strike?.kind.vanishes) checkAttributes(world, event, answer);

    await this.goOn(world, event, answer, then, strike);
    const end = picture(world, earlier);
    return {
      status: answer.Status,
      repeats: isRepeated(event, scenario.status),
      isUpdate: event.RequestType === 'Update',
      isRollBack: scenario.status.includes('ROLLBACK'),
      initially,
      calls,
      before,
      end,
      invitation: urlOf(answer),
    };
  }

  /** What CloudFormation sends next, without faults. */
  private async goOn(world: World, event: SweptEvent, answer: Answer, then: Then, strike?: Strike): Promise<void> {
    const { stage } = this;
    const { RequestType, LogicalResourceId, ResourceProperties, OldResourceProperties } = event;
    const failed = answer.Status === 'FAILED';
    const status = stage.stacks.get(world.stackId)!.status;
    const remove = (PhysicalResourceId: string, properties: object) =>
      world.succeed({ RequestType: 'Delete', PhysicalResourceId, ResourceProperties: properties, LogicalResourceId });

    if (isRepeated(event, status)) {
      let id = answer.PhysicalResourceId;
      if (failed) {
        const old = isForgetful(event, then) ? ResourceProperties : OldResourceProperties;
        id = await world.succeed({ ...event, RequestId: undefined, ...(old && { OldResourceProperties: old }) });
      }
      if (RequestType === 'Update') await this.cleanUpRollBack(world, event, id);
      return;
    }
    if (RequestType === 'Create') {
      if (!failed && then === 'goes on') return;
      const isUpdate = status.startsWith('UPDATE');
      stage.turn(isUpdate ? 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS' : 'ROLLBACK_IN_PROGRESS', world.stackId);
      await remove(answer.PhysicalResourceId, ResourceProperties);
      return;
    }
    const id = event.PhysicalResourceId!;
    if (failed && answer.PhysicalResourceId !== id) throw new Error(`failed with the id ${answer.PhysicalResourceId}`);
    if (!failed && then === 'goes on') {
      stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', world.stackId);
      if (answer.PhysicalResourceId !== id) await remove(id, OldResourceProperties!);
      return;
    }
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS', world.stackId);
    const back = await world.succeed({
      RequestType: 'Update',
      PhysicalResourceId: answer.PhysicalResourceId,
      ResourceProperties: OldResourceProperties!,
      OldResourceProperties: ResourceProperties,
      LogicalResourceId,
    });
    // A user that was deleted out of band is another one now.
    if (back !== id && !strike?.kind.vanishes)
      throw new Error(`the roll-back answered with the id ${back} instead of ${id}`);
    stage.turn('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', world.stackId);
    if (answer.PhysicalResourceId !== id) await remove(answer.PhysicalResourceId, ResourceProperties);
  }

  private async cleanUpRollBack(world: World, event: SweptEvent, answered: string): Promise<void> {
    world.stage.turn('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', world.stackId);
    if (answered === event.PhysicalResourceId) return;
    await world.succeed({
      RequestType: 'Delete',
      PhysicalResourceId: event.PhysicalResourceId,
      ResourceProperties: event.OldResourceProperties!,
      LogicalResourceId: event.LogicalResourceId,
    });
  }
}

/**
 * Sweeps over scenarios, prints how many combinations there were, and fails with all that went wrong. People who have
 * nothing to do with it look on, and must not be touched.
 */
export async function sweep(stage: Stage, scenarios: readonly Scenario[]): Promise<void> {
  const client = new QuickSightClient({ region: 'us-east-1' });
  for (const GroupName of ['analysts', 'finance']) {
    await client.send(new CreateGroupCommand({ AwsAccountId: ACCOUNT, Namespace: 'default', GroupName }));
  }
  client.destroy();
  const bystanders = [
    await stage.byHand({ UserName: 'ana' }),
    await stage.byHand({ IdentityType: 'IAM', IamArn: 'arn:aws:iam::111122223333:user/bob' }),
  ];
  const { combinations, problems } = await new Sweep(stage).over(scenarios);
  process.stdout.write(`${expect.getState().currentTestName}: ${combinations} combinations\n`);
  expect(problems).toEqual([]);
  expect(stage.quickSight.users()).toEqual(expect.arrayContaining(bystanders));
  expect(stage.leaks()).toEqual([]);
}

/** A Delete, and an Update of a roll-back, are repeated until they succeed. */
function isRepeated({ RequestType }: SweptEvent, status: StackStatus): boolean {
  return RequestType === 'Delete' || status.includes('ROLLBACK');
}

/** The second attempt of a roll-back can find the properties of the first where the old ones were. */
function isForgetful({ RequestType }: SweptEvent, then: Then): boolean {
  return RequestType === 'Update' && then === 'rolls back';
}

/** A stack that cannot be read, from the first call on. */
const UNREADABLE: Strike = {
  kind: CLASSES.find(({ name }) => name === 'AccessDenied, explicitly')!,
  operation: 'DescribeStacks',
  nth: 1,
  when: 'before',
  forEver: true,
};

function urlOf({ Data }: Answer): Outcome['invitation'] {
  if (!Data) return undefined;
  return Data.InvitationUrl === 'unavailable' ? 'unavailable' : 'URL';
}

/** Every attribute, every time, and the ids of the user that is there. */
function checkAttributes(
  world: World,
  { RequestType, PhysicalResourceId, ResourceProperties }: SweptEvent,
  answer: Answer,
) {
  if (RequestType === 'Delete') {
    if (answer.PhysicalResourceId !== PhysicalResourceId) throw new Error('a Delete answered with another id');
    return;
  }
  const { Arn, UserName, PrincipalId, InvitationUrl } = answer.Data!;
  const user = world.stage.user(UserName);
  if (!user) throw new Error('succeeded with a user that is not there');
  if (user.arn !== Arn || user.principalId !== PrincipalId) throw new Error('succeeded with the ids of somebody else');
  if (answer.PhysicalResourceId.split(';')[0] !== Arn) throw new Error('the physical id names another user');
  const isNew = answer.PhysicalResourceId !== PhysicalResourceId;
  if (isNew && answer.PhysicalResourceId !== `${Arn};${PrincipalId}`)
    throw new Error('a physical id that is no user’s');
  const { InvitationSecretArn: secret } = ResourceProperties as { InvitationSecretArn?: string };
  const kept = secret && (world.stage.secretValue(secret) as { url?: string } | undefined)?.url;
  // In a roll-back a secret that cannot be written is no reason to be stuck.
  const isRollBack = world.stage.stacks.get(world.stackId)!.status.includes('ROLLBACK');
  if (InvitationUrl !== 'unavailable' && secret && kept !== InvitationUrl && !isRollBack)
    throw new Error('the secret has another URL');
}

interface Undisturbed {
  readonly goesOn: Outcome;
  readonly rollsBack: Outcome;
  readonly unreadable: Outcome;
}

/** What is wrong with an outcome; undefined when nothing is. */
function judge(
  strike: Strike,
  then: Then,
  outcome: Outcome,
  { goesOn, rollsBack, unreadable }: Undisturbed,
): string | undefined {
  const { kind } = strike;
  if (kind.untrue) return undefined;
  const succeeded = outcome.status === 'SUCCESS';
  const isStack = strike.operation === 'DescribeStacks';
  if (succeeded && goesOn.status === 'FAILED' && !kind.vanishes) return 'succeeded where it must fail';
  const isThrough = (succeeded && then === 'goes on') || goesOn.repeats;
  const good = isThrough ? [goesOn.end] : [rollsBack.end, outcome.before];
  if (isStack) good.push(unreadable.end);
  if (goesOn.isRollBack) good.push(...left(strike, then, outcome, goesOn));
  const wrong = compare(outcome.end, good, !!kind.vanishes);
  if (wrong) return `${outcome.status}: ${wrong}`;
  const isSecretRead = strike.operation === 'GetSecretValue';
  if (succeeded && !isSecretRead && !kind.vanishes && !strike.forEver && outcome.invitation !== goesOn.invitation) {
    return `the invitation is ${outcome.invitation}`;
  }
  return undefined;
}

/** The ends that a roll-back may come to as well, so that the stack is not stuck. */
function left(
  { kind, operation }: Strike,
  then: Then,
  { status, before }: Outcome,
  { end, isUpdate }: Outcome,
): Picture[] {
  const isRefused = !kind.ambiguous && !kind.name.startsWith('throttle');
  const isDenied = kind.name.startsWith('AccessDenied');
  const isOfContent = ['InvalidParameter', 'PreconditionNotMet'].includes(kind.name);
  if (!isUpdate) {
    // Role and custom permissions are given back where QuickSight allows it.
    const given = mapped(end, (user, name) => {
      const { role, customPermissionsName } = before[name] ?? user;
      return { ...user, role, customPermissionsName };
    });
    return isRefused && /^(Describe|Update)User$/.test(operation) ? [given] : [];
  }
  // A change that QuickSight will not have, and a user of the failed Update that may not be looked for.
  const isSkipped =
    (isOfContent && operation === 'UpdateUser') || (isDenied && /^(DescribeUser|ListTags)/.test(operation));
  const isForgetful = status === 'FAILED' && then === 'rolls back';
  return [...(isSkipped ? [before] : []), ...(isForgetful ? forgotten(before, end) : [])];
}

/** What only the old properties told of (tags, memberships, invitations, strays) is as it was, and all else as it is to be. */
function forgotten(before: Picture, end: Picture): Picture[] {
  return ['', 'leaving '].map((leaving) =>
    mapped(before, (was, name) => {
      const { groups, tags, registration } = was;
      const stray = { ...was, holders: leaving + String(was.holders) };
      return end[name] ? { ...end[name], groups, tags, registration } : stray;
    }),
  );
}

function mapped(of: Picture, change: (user: Picture[string], name: string) => Picture[string]): Picture {
  return Object.fromEntries(Object.entries(of).map(([name, user]) => [name, change(user, name)]));
}

/** What is not the same in two pictures, sorted: `ana.email`. */
function differences(one: Picture, other: Picture): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names]
    .flatMap((name) => {
      const [before, after] = [one[name], other[name]];
      if (!before || !after) return [name];
      const same = (key: string) => JSON.stringify(before[key]) === JSON.stringify(after[key]);
      return Object.keys(before).flatMap((key) => (same(key) ? [] : [`${name}.${key}`]));
    })
    .sort();
}

/** Each thing must be as in one of the good pictures. */
function compare(end: Picture, good: readonly Picture[], mayVanish: boolean): string | undefined {
  const names = new Set([end, ...good].flatMap((one) => Object.keys(one)));
  for (const name of names) {
    const user = end[name];
    const models = good.map((one) => one[name]);
    if (!user) {
      if (mayVanish || models.includes(undefined)) continue;
      return `${name} is gone`;
    }
    const known = models.filter((model) => model !== undefined);
    if (known.length === 0) return `${name} is left behind: ${JSON.stringify(user)}`;
    // Registered again, or not at all: there is nothing to compare with.
    if (mayVanish) continue;
    for (const [key, value] of Object.entries(user)) {
      if (known.some((model) => JSON.stringify(model[key]) === JSON.stringify(value))) continue;
      return `${key} of ${name} is ${JSON.stringify(value)}, not ${known.map((model) => JSON.stringify(model[key])).join(' or ')}`;
    }
  }
  return undefined;
}
