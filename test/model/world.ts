import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { answerEvent } from '../../lambda';
import { forgetRegion, type Patience } from '../../lambda/quicksight-api';
import { EmbeddedCloudFormation, type DeployResult } from '../../local/cloudformation/embedded-cloudformation';
import type { CustomResourceEvent } from '../../local/cloudformation/resources/custom-resource';
import type { ResourceEvent, StackState } from '../../local/cloudformation/stack-state';
import type { Fault } from '../../local/faults';
import { EmbeddedQuickSight, type AuthorizationRequest, type UserRecord } from '../../local/quicksight';
import type { RecordedCall } from '../../local/service-server';
import { AnswerRelay, type Answer } from './answer-relay';
import { Clock } from './clock';
import {
  edited,
  nearest,
  PEOPLE,
  PLACES,
  type Course,
  type Declared,
  type Deployment,
  type History,
  type Interference,
  type Mishap,
  type Place,
  type Root,
  type Step,
} from './history';
import { ACCOUNT, parentOf, writeAssembly, type Code } from './templates';
import { Turns } from './turns';

/** Waits that a history need not sit through. A call takes no longer than this unless it is made to. */
const HASTE: Patience = {
  freshPolicy: 5,
  freshIdentity: 5,
  freshAccount: 5,
  freshUser: 5,
  attempt: 60_000,
  backOff: 1,
  looks: [0, 1, 2, 2],
  tagsHold: 500,
  stack: 30_000,
};
/** One attempt of a call, where a call is made to be slow. */
const ATTEMPT_MS = 30;
/** What a function has left, where a call is made to outlast it. */
const SHORT_LIFE_MS = 60;
const LIFE_MS = 300_000;
/** Calls of others that may come in between while a DeleteUser is on its way. */
const LONGEST_WAY = 3;

/** One call of a service by a run, as it arrived. */
export interface Call {
  readonly operation: string;
  readonly userName?: string;
  readonly at: number;
  /** Number among all calls of the history. */
  readonly order: number;
  /** The user that the call is about, as it was then. */
  readonly found?: UserRecord;
  /** How QuickSight answered. */
  readonly record?: RecordedCall;
  /** What was done to the call. */
  readonly fault?: Fault;
}

/** An event at work in the function: delivered for the first time, or again. */
export interface Run {
  readonly event: CustomResourceEvent;
  readonly delivery: 'first' | 'repeated' | 'after death';
  /** Order of arrival within the step. */
  readonly number: number;
  readonly mishap?: Mishap;
  /** With the credentials of the function's role. */
  readonly environment: Readonly<Record<string, string>>;
  readonly calls: Call[];
  /** Answers that were taken. */
  readonly answers: Answer[];
  late: boolean;
  /** Moments on a clock that ticks with every start, call and end. */
  readonly arrived: number;
  started?: number;
  ended?: number;
  /** Whether the stacks of the event showed a roll-back when the run began. */
  rollingBack: boolean;
  rootStatus?: string;
  isDead: boolean;
  /** Whether something was done to it that no function can get over. */
  isDisturbed: boolean;
  /** It arrived in an earlier step. */
  isFromBefore: boolean;
  /** Breaks off what holds a call of the run for good. */
  over?: (reason: Error) => void;
}

/** One step of a history, as it went. */
export interface Episode {
  readonly index: number;
  readonly step: Step;
  /** To whom somebody outside did something. */
  readonly person?: number;
  /** What each stack's resources were declared to be, before and after. */
  readonly before: Readonly<Record<Root, Code>>;
  readonly after: Readonly<Record<Root, Code>>;
  /** What the deployment was to reach. */
  readonly wanted?: Code;
  readonly result?: DeployResult;
  /** Stack ids by place, afterwards. */
  readonly stackIds: Readonly<Record<Root, ReadonlyMap<Place, string>>>;
  /** Results of the attempts that it took to get a stack unstuck. */
  readonly repairs: readonly DeployResult[];
  readonly usersBefore: readonly UserRecord[];
  readonly usersAfter: readonly UserRecord[];
  /** Every run that was at work, in the order of arrival. */
  readonly runs: readonly Run[];
  readonly events: readonly ResourceEvent[];
  readonly log: readonly string[];
  /** Calls that no run made. */
  readonly strayCalls: readonly string[];
}

const NOTHING: Code = { users: [], namespaces: '*' };

/** The embedded AWS of a process; one history after the other lives in it. */
export class World {
  static async begin(): Promise<World> {
    const quickSight = await EmbeddedQuickSight.start({ authorize: (request) => world.life?.authorize(request) });
    const world: World = new World(quickSight, await AnswerRelay.start());
    process.env.AWS_ENDPOINT_URL_QUICKSIGHT = quickSight.url;
    process.env.AWS_REGION = 'us-east-1';
    console.log = (...line: unknown[]) => void world.log.push(line.map(String).join(' '));
    return world;
  }

  private life?: Life;
  private readonly clock = new Clock();
  private readonly print = console.log;
  private readonly log: string[] = [];
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'model-'));

  private constructor(
    private readonly quickSight: EmbeddedQuickSight,
    private readonly relay: AnswerRelay,
  ) {}

  async end(): Promise<void> {
    console.log = this.print;
    this.clock.restore();
    forgetRegion();
    await this.quickSight.stop();
    await this.relay.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Lets a history happen, and shows each of its steps. */
  async live(history: History, look: (episode: Episode) => void): Promise<void> {
    this.quickSight.reset();
    this.relay.reset();
    const life = new Life(this.quickSight, this.relay, this.clock, this.log, this.folder);
    this.life = life;
    try {
      await life.begin();
      for (const [index, step] of history.entries()) look(await life.take(step, index));
    } finally {
      await life.end();
    }
  }
}

/** One history under way. */
class Life {
  readonly engine: EmbeddedCloudFormation;
  private readonly turns: Turns<Run>;
  private code: Record<Root, Code> = { Team: NOTHING, Other: NOTHING };
  private readonly gone: Record<Root, Declared[]> = { Team: [], Other: [] };
  private course: Course = { mishaps: [], turns: [] };
  private decisions = 0;
  private tick = 0;
  private arrivals = 0;
  private arrivedCalls = 0;
  private deletions = 0;
  private isDeploying = false;
  private isOutside = false;
  private runs: Run[] = [];
  private events: ResourceEvent[] = [];
  private strayCalls: string[] = [];
  /** Resources whose clean-up is made to fail, from which call on. */
  private doomed = new Map<string, number>();

  constructor(
    private readonly quickSight: EmbeddedQuickSight,
    private readonly relay: AnswerRelay,
    private readonly clock: Clock,
    private readonly log: string[],
    private readonly folder: string,
  ) {
    this.turns = new Turns<Run>(
      () => this.course.turns[this.decisions++] ?? 0,
      ({ mishap }) => this.isDeploying || !(mishap?.kind === 'late' && mishap.until === 'the next deployment'),
    );
    this.engine = new EmbeddedCloudFormation({
      accountId: ACCOUNT,
      onEvent: (event) => this.events.push(event),
      lambda: {
        concurrency: 1_000,
        runInProcess: (event, _, environment) => this.receive(event as CustomResourceEvent, environment),
      },
    });
    quickSight.faults.take = (operation, userName) => this.arrive(operation, userName, quickSight.calls.at(-1));
    this.engine.stacksEndpoint.faults.take = (operation) => this.arrive(operation);
  }

  async begin(): Promise<void> {
    await this.outside(`/accounts/${ACCOUNT}`, { Namespace: 'team', IdentityStore: 'QUICKSIGHT' });
  }

  /** The policies of the function's role decide. Only one run is at work, so a call is that run's. */
  authorize(request: AuthorizationRequest): string | undefined {
    const accessKeyId = this.turns.current?.environment.AWS_ACCESS_KEY_ID ?? request.accessKeyId;
    return this.engine.iam.authorize({ ...request, accessKeyId });
  }

  async take(step: Step, index: number): Promise<Episode> {
    this.clock.advance(60);
    this.runs = this.turns.waiting.slice();
    for (const run of this.runs) run.isFromBefore = true;
    this.events = [];
    this.strayCalls = [];
    this.log.length = 0;
    const before = { ...this.code };
    const usersBefore = this.quickSight.users();
    const repairs: DeployResult[] = [];
    let result: DeployResult | undefined;
    let wanted: Code | undefined;
    let person: number | undefined;
    switch (step.kind) {
      case 'outside':
        person = await this.interfere(step);
        break;
      case 'deploy':
        wanted = this.wanted(step, index);
        result = await this.work(step, () => this.deploy(step.root, wanted!));
        if (result?.succeeded) {
          const removed = before[step.root].users.filter((user) => !wanted!.users.includes(user));
          this.gone[step.root] = [...removed, ...this.gone[step.root]];
          this.code[step.root] = { ...wanted, breaker: undefined };
        }
        if (result?.status === 'ROLLBACK_COMPLETE') this.code[step.root] = NOTHING;
        if (result && isStuck(result)) repairs.push(...(await this.repair(step.root)));
        break;
      case 'destroy':
        result = await this.work(step, () => this.engine.destroy(step.root));
        if (result && isStuck(result)) repairs.push(...(await this.repairDeletion(step.root)));
        this.code[step.root] = NOTHING;
        // What still waited for the function has lost it.
        this.turns.drop();
        break;
    }
    return {
      ...{ index, step, person, before, after: { ...this.code }, wanted, result, repairs },
      ...{ usersBefore, usersAfter: this.quickSight.users(), runs: this.runs, events: this.events },
      ...{ log: [...this.log], strayCalls: this.strayCalls },
      stackIds: { Team: this.stackIds('Team'), Other: this.stackIds('Other') },
    };
  }

  async end(): Promise<void> {
    this.turns.drop();
    await this.turns.rest();
    await this.engine.stop();
  }

  // -- stacks

  private wanted({ root, edits, breaker, narrow }: Deployment, index: number): Code {
    const { users: present } = this.code[root];
    const users = edited(present, edits, { living: this.living(), gone: this.gone[root] });
    return {
      users,
      // Nobody takes away what is still needed.
      namespaces: narrow && users.every(({ person }) => PEOPLE[person]!.namespace === 'default') ? 'default' : '*',
      breaker: breaker && { place: PLACES[breaker.place]!, logicalId: `Breaker${index}`, when: breaker.when },
    };
  }

  private stackIds(root: Root): Map<Place, string> {
    const ids = new Map<Place, string>();
    const add = (place: Place, stack: StackState | undefined) => {
      if (!stack) return;
      ids.set(place, stack.stackId);
      for (const inner of PLACES) {
        if (inner === '' || parentOf(inner) !== place) continue;
        add(inner, this.engine.describeStack(stack.resources[inner.at(-1)!]?.physicalId ?? ''));
      }
    };
    add('', this.engine.describeStack(root));
    return ids;
  }

  private async deploy(root: Root, code: Code): Promise<DeployResult> {
    writeAssembly(this.folder, root, code);
    const { breaker } = code;
    if (breaker) this.engine.failNext({ logicalId: breaker.logicalId, action: 'create' });
    return (await this.engine.deploy(this.folder))[0]!;
  }

  /** Lets a stack work under the accidents of a course, until everything that was sent has been acted on. */
  private async work<T>(course: Course, operation: () => Promise<T>): Promise<T> {
    this.course = course;
    this.decisions = 0;
    this.arrivals = 0;
    this.deletions = 0;
    this.doomed.clear();
    for (const run of this.turns.waiting) run.late = false;
    this.isDeploying = true;
    const result = await operation();
    this.isDeploying = false;
    await this.turns.rest();
    return result;
  }

  /** The same once more, without accidents: that must lead out of every failure. */
  private async repair(root: Root): Promise<DeployResult[]> {
    this.clock.advance(60);
    return [await this.work({ mishaps: [], turns: [] }, () => this.deploy(root, this.code[root]))];
  }

  private async repairDeletion(root: Root): Promise<DeployResult[]> {
    this.clock.advance(60);
    const result = await this.work({ mishaps: [], turns: [] }, () => this.engine.destroy(root));
    return result ? [result] : [];
  }

  /** People who have a user. */
  private living(): number[] {
    return [...PEOPLE.keys()].filter((person) => this.userOf(person));
  }

  private userOf(person: number): UserRecord | undefined {
    const { namespace, userName } = PEOPLE[person]!;
    return this.quickSight.user(namespace, userName);
  }

  /** @returns to whom it was done */
  private async interfere(interference: Interference): Promise<number | undefined> {
    const { what } = interference;
    const living = this.living();
    const candidates =
      {
        registers: [...PEOPLE.keys()].filter((person) => !living.includes(person)),
        'removes IAM identity': living.filter((person) => this.userOf(person)!.identityType === 'IAM'),
      }[what as string] ?? living;
    const person = nearest(candidates, interference.person, (one) => one);
    if (person === undefined) return undefined;
    const { namespace, userName, identities } = PEOPLE[person]!;
    switch (what) {
      case 'registers':
        await this.registerOutside(person, interference);
        break;
      case 'deletes':
        this.quickSight.deleteUser(namespace, userName);
        break;
      case 'replaces':
        this.quickSight.deleteUser(namespace, userName);
        await this.registerOutside(person, interference);
        break;
      case 'raises role':
        if (isReader(this.userOf(person)!.role)) this.quickSight.setRole(namespace, userName, 'AUTHOR');
        break;
      case 'strips tags':
        this.quickSight.setTags(namespace, userName, {});
        break;
      case 'activates':
        this.quickSight.setActive(namespace, userName);
        break;
      case 'removes IAM identity':
        for (const identity of identities) {
          if (identity.IdentityType === 'IAM') this.quickSight.removeIamIdentity(identity.IamArn);
        }
    }
    return person;
  }

  private async registerOutside(person: number, { identity, isAuthor }: Interference): Promise<void> {
    const { namespace, identities } = PEOPLE[person]!;
    await this.outside(`/accounts/${ACCOUNT}/namespaces/${namespace}/users`, {
      ...identities[identity % identities.length],
      Email: `stranger-${person}@example.com`,
      UserRole: isAuthor ? 'AUTHOR' : 'READER',
    });
  }

  /** A call of somebody else, with credentials of their own. */
  private async outside(requestPath: string, body: object): Promise<void> {
    this.isOutside = true;
    const response = await fetch(this.quickSight.url + requestPath, { method: 'POST', body: JSON.stringify(body) });
    this.isOutside = false;
    if (!response.ok) throw new Error(`${requestPath}: ${await response.text()}`);
  }

  // -- the function

  /** What Lambda does with an event: runs it, and twice more when the function dies. */
  private async receive(event: CustomResourceEvent, environment: Run['environment']): Promise<void> {
    for (let attempt = 1; attempt <= 3; attempt++) {
      const run = this.newRun(event, environment, attempt === 1 ? 'first' : 'after death');
      await this.perform(run);
      if (!run.isDead) return;
    }
  }

  private newRun(event: CustomResourceEvent, environment: Run['environment'], delivery: Run['delivery']): Run {
    const number = this.arrivals++;
    const isDelete = event.RequestType === 'Delete';
    if (isDelete) this.deletions++;
    const ordered = this.course.mishaps.find((mishap) =>
      mishap.kind === 'no clean-up' ? isDelete && mishap.event === this.deletions - 1 : mishap.event === number,
    );
    // Of a repeated event nothing is repeated, and a function does not die three times.
    const mishap = delivery === 'first' || /fault|refusal/.test(ordered?.kind ?? '') ? ordered : undefined;
    const run: Run = {
      ...{ event, environment, delivery, number, mishap },
      ...{ calls: [], answers: [], late: mishap?.kind === 'late', arrived: ++this.tick },
      ...{ rollingBack: false, isDead: false, isDisturbed: false, isFromBefore: false },
    };
    this.runs.push(run);
    return run;
  }

  private async perform(run: Run): Promise<void> {
    await this.turns.begin(run);
    this.atWork(run);
    Object.assign(run, { late: false, started: ++this.tick, ...this.stackStatus(run.event.StackId) });
    this.clock.advance(1);
    const { mishap, event } = run;
    if (mishap?.kind === 'no clean-up' && event.RequestType === 'Delete')
      this.doomed.set(resourceOf(event), mishap.call);
    const ResponseURL = this.relay.open({
      responseUrl: event.ResponseURL,
      isDead: () => run.isDead,
      lose: mishap?.kind === 'lost answer' ? mishap.times : 0,
      onAnswer: (answer) => run.answers.push(answer),
    });
    const end = Date.now() + (mishap?.kind === 'deadline' ? SHORT_LIFE_MS : LIFE_MS);
    const patience = isSlow(mishap) ? { ...HASTE, attempt: ATTEMPT_MS } : HASTE;
    await answerEvent(
      { ...event, ResponseURL } as unknown as CloudFormationCustomResourceEvent,
      { getRemainingTimeInMillis: () => end - Date.now() },
      patience,
    );
    run.ended = ++this.tick;
    run.over?.(new Error('the run is over'));
    if (mishap?.kind === 'duplicate' && mishap.comes !== 'meanwhile') this.repeat(run, mishap.comes === 'last');
    this.turns.end();
  }

  private repeat({ event, environment }: Run, isLast: boolean): Run {
    const run = this.newRun(event, environment, 'repeated');
    run.late = isLast;
    void this.perform(run);
    return run;
  }

  private atWork({ environment }: Run): void {
    Object.assign(process.env, environment, { AWS_ENDPOINT_URL_QUICKSIGHT: this.quickSight.url });
  }

  private stackStatus(stackId: string): Pick<Run, 'rollingBack' | 'rootStatus'> {
    let rollingBack = false;
    let root: StackState | undefined;
    for (let id: string | undefined = stackId; id !== undefined; id = root?.parentId) {
      root = this.engine.describeStack(id);
      rollingBack ||= !!root?.status.includes('ROLLBACK');
    }
    return { rollingBack, rootStatus: root?.status };
  }

  // -- calls of the services

  /** A call of a service has arrived: what happens to it? */
  private arrive(operation: string, userName?: string, record?: RecordedCall): Fault | undefined {
    if (this.isOutside) return undefined;
    const run = this.turns.current;
    if (!run) {
      this.strayCalls.push(operation);
      return undefined;
    }
    const look = () => ({ at: ++this.tick, found: userName === undefined ? undefined : this.find(run, userName) });
    const call: Call = { operation, userName, record, order: ++this.arrivedCalls, ...look() };
    const index = run.calls.push(call) - 1;
    const fault = this.faultOf(run, index);
    if (fault) return Object.assign(call, { fault }).fault;
    const paused = this.pause(run, index);
    if (!paused) return undefined;
    const until = paused.then(() => {
      this.atWork(run);
      Object.assign(call, look());
    });
    return { kind: 'hold', until };
  }

  private find({ event }: Run, userName: string): UserRecord | undefined {
    return this.quickSight.user(String(event.ResourceProperties.Namespace), userName);
  }

  private faultOf(run: Run, index: number): Fault | undefined {
    const { mishap, event, isDead } = run;
    if (isDead) return DEAD;
    const doom = event.RequestType === 'Delete' ? this.doomed.get(resourceOf(event)) : undefined;
    if (doom !== undefined && index >= doom) return disturb(run, DENIED);
    switch (mishap?.kind) {
      case 'fault':
        if (index < mishap.call || index >= mishap.call + mishap.times) return undefined;
        return { ...passingFault(mishap), when: mishap.when };
      case 'refusal':
        if (index < mishap.call || (index > mishap.call && !mishap.lasting)) return undefined;
        return disturb(run, mishap.code === DENIED.code ? DENIED : { ...DENIED, code: mishap.code, message: 'no' });
      case 'death':
        if (index !== mishap.call) return undefined;
        run.isDead = true;
        return { ...DEAD, when: mishap.when };
      case 'deadline': {
        if (index !== mishap.call) return undefined;
        const until = new Promise((_, reject) => (run.over = reject));
        until.catch(() => undefined);
        return disturb(run, { kind: 'hold', until, when: mishap.when });
      }
      default:
        return undefined;
    }
  }

  private pause(run: Run, index: number): Promise<void> | undefined {
    const { mishap } = run;
    // Whoever takes a user waits until one that leaves has gone: a Delete is not on its way for as long as that.
    const overdue = this.turns.waiting.find(({ calls }) => {
      const last = calls.at(-1);
      return last?.operation === 'DeleteUser' && this.arrivedCalls - last.order > LONGEST_WAY;
    });
    if (overdue && !isUrgent(run)) return this.turns.pauseFor(overdue);
    if (mishap?.kind === 'duplicate' && mishap.comes === 'meanwhile' && index === mishap.call) {
      return this.turns.pauseFor(this.repeat(run, false));
    }
    return isUrgent(run) ? undefined : this.turns.pause();
  }
}

/** Every call of a dead function comes to nothing; that ends it soon. */
const DEAD: Fault = { kind: 'error', code: 'InvalidParameterValueException', message: 'the function is dead' };

const DENIED = {
  kind: 'error' as const,
  code: 'AccessDeniedException',
  message: 'User is not authorized to perform this with an explicit deny in a service control policy',
};

function disturb(run: Run, fault: Fault): Fault {
  run.isDisturbed = true;
  return fault;
}

function passingFault({ what, when }: Extract<Mishap, { kind: 'fault' }>): Fault {
  switch (what) {
    case 'error':
      return { kind: 'error', code: 'InternalFailureException', status: 500 };
    case 'slow':
      // Late, or too late.
      return { kind: 'slow', delayMs: when === 'before' ? 3 : 2 * ATTEMPT_MS };
    default:
      return { kind: what };
  }
}

/** Time runs on for a call that waits: one that must not take long does not wait for others. */
function isUrgent({ mishap }: Run): boolean {
  return mishap?.kind === 'deadline' || isSlow(mishap);
}

function isReader(role: string): boolean {
  return role.startsWith('READER');
}

function isSlow(mishap: Mishap | undefined): boolean {
  return mishap?.kind === 'fault' && mishap.what === 'slow';
}

export function resourceOf({ StackId, LogicalResourceId }: CustomResourceEvent): string {
  return `${StackId}|${LogicalResourceId}`;
}

export function isStuck({ status }: DeployResult): boolean {
  return status.endsWith('_FAILED');
}
