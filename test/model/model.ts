import type { UserRecord } from '../../local/quicksight';
import { ADDRESS } from './answer-relay';
import { identityOf, PEOPLE, type Declared, type Root } from './history';
import { holdersOf, uuidOf, type Holder } from './holders';
import type { Code } from './templates';
import { isStuck, resourceOf, type Episode, type Run } from './world';

/*
 * What the design promises, said independently of how the handler keeps the promise: who must exist and as what, who may
 * exist and why, who may be gone, which deployments succeed, and how events are answered. It looks at the stack's code and
 * at QuickSight before and after a step, and at what was made to go wrong in between; of the handler's rules it knows none.
 *
 * What the design cannot promise is allowed as narrowly as it is said there; each such place begins with "Limit:".
 */

const TAGS = ['team', 'floor'];
type Trait = 'type' | 'email' | 'role' | 'permissions' | `tag ${string}`;

/** Why a user is there, or is held, although no code declares it. */
export type Reason =
  /** DeletionPolicy or UpdateReplacePolicy is Retain. */
  | 'retained'
  /** Every Delete failed, as ordered. */
  | 'clean-up given up'
  /** A roll-back was not allowed, or not given the time, to look for what the failed update had made. */
  | 'roll-back disturbed'
  /** An event ended after CloudFormation had sent the resource another one. */
  | 'late event'
  /** The stack did not register it, and did not remove it on purpose. */
  | 'released'
  /** Its IAM identity is gone, and the id of its resource is that of an earlier registration: nobody can find it. */
  | 'nameless'
  /** Somebody took our tags away. */
  | 'tags stripped'
  /** No stack ever had it. */
  | 'stranger';

/** One registration of a user, from its beginning to its end. */
interface Registration {
  readonly id: string;
  readonly person: number;
  readonly byStranger: boolean;
  /** It was there before the resource that declared it, and was not another one's of the same code. */
  adopted: boolean;
  stripped: boolean;
  /** Its resource had another registration before, of which it kept the physical id. */
  isAnother: boolean;
  /** The stacks whose resources have had it. */
  readonly hadBy: Set<Root>;
  /** Values that a trait may have beside the declared one. */
  readonly loose: Map<Trait, Set<string | undefined>>;
}

interface Resource extends Declared {
  readonly root: Root;
}

export class Disagreement extends Error {}

/** Compares every step of one history with what the design promises. */
export class Model {
  /** Users that nobody declares, once for each reason. */
  readonly explained: [string, Reason][] = [];
  private readonly registrations = new Map<string, Registration>();
  /** The registration that each declared resource made or took. */
  private readonly owned = new Map<string, string>();
  /** Why a resource may still be written on a user that it does not declare: `<stack uuid>/<logical id>|<person>`. */
  private readonly formerHolders = new Map<string, Reason>();
  private rootIds: Partial<Record<Root, string>> = {};

  check(episode: Episode): void {
    const problems = [
      ...answers(episode),
      ...logs(episode),
      ...stacks(episode),
      ...this.outcome(episode),
      ...this.lost(episode),
    ];
    this.remember(episode);
    problems.push(...this.declared(episode), ...this.leftOver(episode));
    if (problems.length > 0) throw new Disagreement(problems.join('\n'));
  }

  // -- which deployments succeed

  private outcome(episode: Episode): string[] {
    const { step, wanted, result } = episode;
    if (step.kind !== 'deploy' || !wanted || !result) return [];
    const obstacles = wanted.users.map((user) => this.obstacle(episode, step.root, wanted, user));
    const mustFail = wanted.breaker !== undefined || obstacles.includes('foreign');
    if (mustFail) return result.succeeded ? ['the deployment had to fail'] : [];
    const isFree =
      obstacles.every((obstacle) => obstacle === undefined) && !episode.runs.some((run) => run.isDisturbed);
    return isFree && !result.succeeded ? [`nothing stood against the deployment, but: ${result.reason}`] : [];
  }

  /** What stands against a declaration; `foreign` does so for certain, everything else perhaps. */
  private obstacle(
    { before, usersBefore, runs }: Episode,
    root: Root,
    wanted: Code,
    user: Declared,
  ): string | undefined {
    const same = wanted.users.filter((other) => other.person === user.person);
    const contradicts = ({ identity, role, adopt, invitationVersion }: Declared) =>
      identity !== user.identity || role !== user.role || adopt !== user.adopt || invitationVersion !== undefined;
    if (same.length > 1 && same.some(contradicts)) return 'contradiction';
    if (runs.some((run) => run.isFromBefore && personIn(run) === user.person)) return 'late event';

    const former = before[root].users.find((other) => isSameResource(other, user));
    const isNew = former?.person !== user.person;
    const live = usersBefore.find((record) => isOf(record, user.person));
    const registration = live && this.registrations.get(idOf(live));
    if (!isNew && former.identity !== user.identity) return 'identity';
    if (!isNew && isUnchanged(former, user)) return undefined;
    if (!live || !registration) return isNew ? undefined : 'gone';

    const isOurs = before[root].users.some((other) => this.owned.get(keyOf(root, other)) === registration.id);
    if (isNew && !isOurs && !user.adopt) {
      return holdersOf(live.tags).some((holder) => holder.root === this.rootIds[root]) ? 'former holder' : 'foreign';
    }
    if (!isNew && this.owned.get(keyOf(root, user)) !== registration.id) return 'replaced';
    // What is not new is never adopted back.
    if (registration.stripped && !(isNew && user.adopt)) return 'tags stripped';
    if (live.identityType !== identityOf(user).IdentityType) return 'identity';
    const isShared = registration.adopted || holdersOf(live.tags).length > 1;
    if (!isNew && former.invitationVersion !== user.invitationVersion && isShared) return 'invitation';
    const mustLower = isReader(user.role) && !isReader(live.role) && (isNew || former.role !== user.role);
    return mustLower ? 'role' : undefined;
  }

  // -- who is gone

  private lost(episode: Episode): string[] {
    const { usersBefore, usersAfter, step } = episode;
    if (step.kind === 'outside') return [];
    const alive = new Set(usersAfter.map(idOf));
    return usersBefore
      .filter((user) => !alive.has(idOf(user)))
      .flatMap((user) => {
        const registration = this.registrations.get(idOf(user))!;
        const why = this.whyNotLost(episode, step.root, user, registration);
        return why ? [`${nameOf(registration)} (${registration.id}) is gone: ${why}`] : [];
      });
  }

  /** Why a user had to stay; undefined when it could go. */
  private whyNotLost(episode: Episode, root: Root, user: UserRecord, registration: Registration): string | undefined {
    const { id, person, byStranger, stripped } = registration;
    const { before, step, result, events, usersAfter } = episode;
    const owners = resourcesOf(before).filter((resource) => this.owned.get(keyOf(resource.root, resource)) === id);
    const stillDeclared = resourcesOf(episode.after).filter(
      ({ root, ...user }) => this.owned.get(keyOf(root, user)) === id,
    );

    // Whose IAM identity is gone cannot sign in, and goes with the first resource that had it.
    if (user.orphaned && registration.hadBy.has(root)) return undefined;
    // Limit: without its tags, a user is told from a stranger by its principal only; of several holders, the first to go
    // takes it along, and that it was adopted is not known any more.
    if (stripped && owners.length > 0) return undefined;
    if (usersAfter.some((other) => isOf(other, person))) {
      // It was registered anew.
      if (owners.length === 0) return 'it was replaced, and nobody who replaced it had it';
      if (byStranger) return 'it was replaced, and no stack had registered it';
      return user.active ? 'it was replaced, and somebody had signed in with it' : undefined;
    }
    if (stillDeclared.length > 0) return `it is declared by ${stillDeclared.map(describe).join(' and ')}`;
    // What was to go and did not is taken along by the next that comes and goes.
    const wasToGo = holdersOf(user.tags).every(
      ({ isLeaving, stack, logicalId }) => isLeaving && this.reasonFor(`${stack}/${logicalId}`, person) !== undefined,
    );
    if (wasToGo && owners.length === 0 && (registration.hadBy.has(root) || !byStranger)) return undefined;
    if (!owners.some((owner) => owner.root === root)) return `the stack ${root} did not have it`;
    if (owners.some((owner) => owner.root !== root)) return 'another stack has it';
    const isRetained = events.some(
      ({ status, physicalId }) => status === 'DELETE_SKIPPED' && personInId(physicalId) === person,
    );
    if (isRetained) return 'it was to be retained';
    if (step.kind === 'destroy') return byStranger ? 'the stack had adopted it and was destroyed' : undefined;
    return result?.succeeded ? undefined : 'the deployment was rolled back';
  }

  // -- what is known after a step

  private remember(episode: Episode): void {
    const { step, usersBefore, usersAfter, stackIds } = episode;
    const known = new Set(usersBefore.map(idOf));
    for (const record of usersAfter) {
      const id = idOf(record);
      if (known.has(id) && this.registrations.has(id)) continue;
      const person = PEOPLE.findIndex((_, index) => isOf(record, index));
      const byStranger = step.kind === 'outside';
      const loose = new Map(byStranger ? [] : this.looseOfFormer(episode, person));
      this.registrations.set(id, {
        id,
        person,
        byStranger,
        adopted: false,
        stripped: false,
        isAnother: false,
        hadBy: new Set(),
        loose,
      });
    }
    if (step.kind === 'outside') this.rememberOutside(episode);
    else this.rememberOwners(episode, step.root);
    this.rememberFormerHolders(episode);
    for (const record of usersAfter) this.loosen(episode, this.registrations.get(idOf(record))!);
    this.rootIds = { Team: uuidOf(stackIds.Team.get('')), Other: uuidOf(stackIds.Other.get('')) };
  }

  /** Registered anew while it is declared, a user keeps the tags that it had. */
  private looseOfFormer({ usersBefore }: Episode, person: number): [Trait, Set<string | undefined>][] {
    const former = usersBefore.find((record) => isOf(record, person));
    return [...(former ? this.registrations.get(idOf(former))!.loose : [])].filter(([trait]) => isTag(trait));
  }

  private rememberOutside({ step, person, usersAfter }: Episode): void {
    if (step.kind !== 'outside' || person === undefined) return;
    const live = usersAfter.find((record) => isOf(record, person));
    const registration = live && this.registrations.get(idOf(live));
    if (!registration) return;
    if (step.what === 'strips tags') {
      registration.stripped = true;
      for (const tag of TAGS) allow(registration, `tag ${tag}`, undefined);
    }
    // The role that somebody has been given is kept until the code changes it.
    if (step.what === 'raises role') allow(registration, 'role', live.role);
  }

  private rememberOwners(
    { before, after, result, usersBefore, usersAfter, runs, stackIds }: Episode,
    root: Root,
  ): void {
    const former = before[root].users;
    const ownedBefore = new Map(this.owned);
    const keys = new Set(after[root].users.map((user) => keyOf(root, user)));
    for (const key of this.owned.keys()) if (key.startsWith(`${root}|`) && !keys.has(key)) this.owned.delete(key);
    for (const user of after[root].users) {
      const live = usersAfter.find((record) => isOf(record, user.person));
      const registration = live && this.registrations.get(idOf(live));
      const changed = !former.some((other) => isSameResource(other, user) && isUnchanged(other, user));
      if (!registration) continue;
      const wasThere = usersBefore.some((record) => idOf(record) === registration.id);
      const isNew = !former.some((other) => keyOf(root, other) === keyOf(root, user));
      const wasOurs = former.some((other) => ownedBefore.get(keyOf(root, other)) === registration.id);
      if (isNew && wasThere && !wasOurs) registration.adopted = true;
      // A resource has what it took when it came, and what its own events registered later.
      const holder = `${uuidOf(stackIds[root].get(user.place))}/${user.logicalId}`;
      const itRegistered = runs.some((run) => holderKey(run.event) === holder && registers(run, user.person));
      const tookOver = result?.succeeded && (isNew || (changed && !registration.byStranger));
      if (tookOver || (!wasThere && itRegistered)) {
        this.owned.set(keyOf(root, user), registration.id);
        registration.hadBy.add(root);
        registration.isAnother ||= !isNew && !wasThere;
      }
    }
  }

  private rememberFormerHolders({ events, runs, result, repairs }: Episode): void {
    const ends = new Map<string, (typeof events)[number]>();
    for (const event of events) {
      if (event.type !== 'Custom::QuickSightUser') continue;
      ends.set(`${event.stackId}|${event.logicalId}|${event.physicalId}`, event);
    }
    const settled = repairs.at(-1) ?? result;
    for (const { status, stackId, logicalId, physicalId } of ends.values()) {
      const reason = status === 'DELETE_SKIPPED' ? 'retained' : 'clean-up given up';
      const isOver = status === 'DELETE_SKIPPED' || (status === 'DELETE_FAILED' && settled && !isStuck(settled));
      if (isOver) this.formerHolders.set(`${uuidOf(stackId)}/${logicalId}|${personInId(physicalId)}`, reason);
    }
    const note = (run: Run, person: number, reason: Reason) => {
      const key = `${holderKey(run.event)}|${person}`;
      if (!this.formerHolders.has(key)) this.formerHolders.set(key, reason);
    };
    for (const run of runs) {
      if (isLate(run, runs)) note(run, personIn(run), 'late event');
      const { OldResourceProperties } = run.event;
      const isDisturbed = run.isDisturbed || run.calls.some(({ record }) => record?.error === 'AccessDeniedException');
      if (run.rollingBack && isDisturbed && OldResourceProperties) {
        note(run, personOf(OldResourceProperties), 'roll-back disturbed');
      }
    }
  }

  /** Notes where more than the declared value can be right. */
  private loosen(episode: Episode, registration: Registration): void {
    const { step, before, after, result, runs } = episode;
    if (step.kind === 'outside') return;
    const { person } = registration;
    const of = (code: Episode['after']) => resourcesOf(code).filter((resource) => resource.person === person);
    const declarers = of(after);
    const [declarer] = declarers;

    if (result?.succeeded && declarers.length === 1 && declarer!.root === step.root) {
      const former = of(before).find((other) => keyOf(other.root, other) === keyOf(declarer!.root, declarer!));
      const earlier = episode.usersBefore.find((record) => idOf(record) === registration.id);
      for (const trait of allTraits()) {
        const value = valueOf(declarer!, trait);
        if (former && valueOf(former, trait) === value) continue;
        registration.loose.delete(trait);
        // Limit: whoever takes a user over does not know which of its tags the former holder gave it.
        if (!former && earlier && isTag(trait) && value === undefined)
          allow(registration, trait, liveValue(earlier, trait));
      }
    }

    const attempts = runs.filter((run) => run.event.RequestType !== 'Delete' && personIn(run) === person);
    const allowAll = (traits: (trait: Trait) => string | undefined) => {
      for (const trait of allTraits()) allow(registration, trait, traits(trait));
    };
    // Limit: where several resources declare one user, it can end as any of them has it.
    const isWanted = (episode.wanted?.users ?? []).filter((user) => user.person === person).length;
    if (declarers.length > 1 || of(before).length > 1 || isWanted > 1) {
      for (const one of [...declarers, ...of(before)]) allowAll((trait) => valueOf(one, trait));
      for (const run of attempts) allowAll((trait) => valueIn(run, trait));
    }
    for (const run of attempts) {
      // Limit: the function cannot know that CloudFormation has given an event up. And what stays with a former holder
      // stays as that one has it.
      const isFormerHolders = this.reasonFor(holderKey(run.event), person) !== undefined;
      if (
        isFormerHolders ||
        isLate(run, runs) ||
        runs.some((other) => other.isDisturbed && personIn(other) === person)
      ) {
        allowAll((trait) => valueIn(run, trait));
      }
      if (result?.succeeded) continue;
      const isOwn = declarers.some(
        ({ root, place, logicalId }) =>
          holderKey(run.event) === `${uuidOf(episode.stackIds[root].get(place))}/${logicalId}`,
      );
      // Limit: a change that the guard let pass once may not pass it on the way back.
      allow(registration, 'type', valueIn(run, 'type'));
      // Limit: QuickSight makes no reader of an author or administrator.
      if (!isReader(valueIn(run, 'role')!)) allow(registration, 'role', valueIn(run, 'role'));
      // Limit: of a user that was taken over and given back, only role and custom permissions are as before.
      if (isOwn) continue;
      for (const trait of allTraits()) {
        if (trait === 'email' || isTag(trait)) allow(registration, trait, valueIn(run, trait));
      }
    }
  }

  // -- who is there

  private declared(episode: Episode): string[] {
    const { after, usersBefore, usersAfter, stackIds } = episode;
    if (episode.step.kind === 'outside') return [];
    return resourcesOf(after).flatMap((resource) => {
      const owned = this.owned.get(keyOf(resource.root, resource));
      const live = usersAfter.find((record) => isOf(record, resource.person));
      const registration = live && this.registrations.get(idOf(live));
      const who = describe(resource);
      if (!registration) {
        // What was lost behind its back is mended by the next change of the resource only.
        const had = usersBefore.find((record) => idOf(record) === owned);
        const isStripped = had && this.registrations.get(idOf(had))!.stripped;
        const isChanged = episode.result?.succeeded && !isUntouched(episode, resource);
        // Limit: of several holders without tags, the first to go takes the user along, also when the other has just changed.
        if (isStripped) return [];
        return (had && !had.orphaned) || isChanged ? [`${who} is declared, and is not there`] : [];
      }
      if (owned !== registration.id) return [];
      const holder = holders(live).get(`${uuidOf(stackIds[resource.root].get(resource.place))}/${resource.logicalId}`);
      const problems = [];
      if (!registration.stripped && (!holder || holder.isLeaving)) problems.push(`${who} is not held by its resource`);
      for (const trait of allTraits()) {
        const value = liveValue(live, trait);
        const allowed = [valueOf(resource, trait), ...(registration.loose.get(trait) ?? [])];
        if (!allowed.includes(value)) problems.push(`${who} has ${trait} ${value}, not ${allowed.join(' or ')}`);
      }
      return problems;
    });
  }

  private leftOver(episode: Episode): string[] {
    return episode.usersAfter.flatMap((record) => {
      const registration = this.registrations.get(idOf(record))!;
      const declarers = resourcesOf(episode.after).filter(({ person }) => person === registration.person);
      const problems: string[] = [];
      const reasons = new Set<Reason>();
      for (const holder of holders(record).keys()) {
        const isDeclared = declarers.some(
          ({ root, place, logicalId }) => holder === `${uuidOf(episode.stackIds[root].get(place))}/${logicalId}`,
        );
        if (isDeclared) continue;
        const reason = this.reasonFor(holder, registration.person);
        if (reason) reasons.add(reason);
        // Of a user without a name, nobody can read the tags.
        else if (!record.orphaned) problems.push(`${nameOf(registration)} is held by ${holder}, which nobody declares`);
      }
      if (declarers.length > 0) return problems;
      if (reasons.size === 0) {
        const reason = record.orphaned && registration.isAnother ? 'nameless' : this.whyLeft(episode, registration);
        if (reason) reasons.add(reason);
        else if (problems.length === 0) problems.push(`${nameOf(registration)} (${registration.id}) is left behind`);
      }
      for (const reason of reasons) {
        const isNoted = this.explained.some(([id, other]) => id === registration.id && other === reason);
        if (!isNoted) this.explained.push([registration.id, reason]);
      }
      return problems;
    });
  }

  private reasonFor(holder: string, person: number): Reason | undefined {
    return this.formerHolders.get(`${holder}|${person}`) ?? this.formerHolders.get(`${holder}|${ANYBODY}`);
  }

  /** Why a user that nobody holds is there. */
  private whyLeft({ step, result, before, runs }: Episode, registration: Registration): Reason | undefined {
    const { id, person, byStranger, adopted, stripped, hadBy } = registration;
    if (stripped) return 'tags stripped';
    if (byStranger && hadBy.size === 0) return 'stranger';
    const isRemoved =
      step.kind === 'deploy' &&
      result?.succeeded &&
      hadBy.has(step.root) &&
      before[step.root].users.some((user) => user.person === person);
    const isUnclear = runs.some((run) => personIn(run) === person && isUnreadable(run));
    const wasLeft = this.explained.some(([other]) => other === id);
    return (adopted && (!isRemoved || isUnclear)) || wasLeft ? 'released' : undefined;
  }
}

// -- how events are answered

function answers({ runs, strayCalls }: Episode): string[] {
  const problems = strayCalls.map((operation) => `${operation} was called after the event had been answered`);
  for (const run of runs) {
    if (run.started === undefined) continue;
    const { RequestType, LogicalResourceId } = run.event;
    const who = `the ${run.delivery} delivery of ${RequestType} ${LogicalResourceId}`;
    const expected = run.isDead ? 0 : 1;
    if (run.answers.length !== expected) problems.push(`${who} was answered ${run.answers.length} times`);
    for (const { Status, Data } of run.answers) {
      if (Status === 'FAILED' || RequestType === 'Delete') continue;
      for (const name of ['Arn', 'UserName', 'PrincipalId', 'InvitationUrl']) {
        if (!Data?.[name]) problems.push(`${who} was answered without ${name}`);
      }
    }
  }
  return problems;
}

const SECRETS = new RegExp(['mailbox-', 'stranger-', 'invite=', ADDRESS, 'X-Amz-Signature', 'sales|support'].join('|'));

function logs({ log }: Episode): string[] {
  return log.filter((line) => SECRETS.test(line)).map((line) => `the log tells too much: ${line}`);
}

/** No stack is stuck but by what was ordered, and then the next attempt leads out. */
function stacks({ result, repairs, runs }: Episode): string[] {
  const problems = [];
  const isOrdered = runs.some((run) => run.isDisturbed && (run.rollingBack || run.event.RequestType === 'Delete'));
  if (result && isStuck(result) && !isOrdered) problems.push(`the stack is stuck: ${result.status}: ${result.reason}`);
  const last = repairs.at(-1);
  if (last && !last.succeeded) problems.push(`the stack stays stuck: ${last.status}: ${last.reason}`);
  return problems;
}

// -- reading

const ANYBODY = '*';

function idOf({ principalId, registeredAt }: UserRecord): string {
  return `${principalId}@${registeredAt}`;
}

function isOf({ namespace, userName }: UserRecord, person: number): boolean {
  const { namespace: itsNamespace, userName: itsName } = PEOPLE[person]!;
  return namespace === itsNamespace && userName === itsName;
}

function nameOf({ person }: Registration): string {
  return PEOPLE[person]!.userName;
}

function resourcesOf(code: Readonly<Record<Root, Code>>): Resource[] {
  return (['Team', 'Other'] as const).flatMap((root) => code[root].users.map((user) => ({ ...user, root })));
}

function isSameResource(a: Declared, b: Declared): boolean {
  return a.place === b.place && a.logicalId === b.logicalId;
}

/** Whether this deployment left a resource as it was. */
function isUntouched({ before }: Episode, { root, ...user }: Resource): boolean {
  return before[root].users.some((former) => isSameResource(former, user) && isUnchanged(former, user));
}

/** Whether nothing changed that QuickSight would have to be told. */
function isUnchanged(a: Declared, b: Declared): boolean {
  const traits = allTraits().every((trait) => valueOf(a, trait) === valueOf(b, trait));
  return traits && a.person === b.person && a.identity === b.identity && a.invitationVersion === b.invitationVersion;
}

function keyOf(root: Root, { place, logicalId, person, identity }: Declared): string {
  return [root, place, logicalId, person, identity].join('|');
}

function describe({ root, place, logicalId, person }: Resource): string {
  return `${PEOPLE[person]!.userName} (${[root, place, logicalId].filter(Boolean).join('/')})`;
}

function isReader(role: string): boolean {
  return role.startsWith('READER');
}

function allTraits(): Trait[] {
  return ['type', 'email', 'role', 'permissions', ...TAGS.map((tag): Trait => `tag ${tag}`)];
}

function valueOf(declared: Declared, trait: Trait): string | undefined {
  if (trait === 'type') return identityOf(declared).IdentityType;
  if (trait === 'email' || trait === 'role' || trait === 'permissions') return declared[trait];
  return declared.tags[trait.slice('tag '.length)];
}

function valueIn({ event }: Run, trait: Trait): string | undefined {
  const {
    IdentityType,
    Email,
    UserRole,
    CustomPermissionsName,
    Tags = [],
  } = event.ResourceProperties as {
    [name: string]: string | undefined;
  } & { Tags?: { Key: string; Value: string }[] };
  if (trait === 'type') return IdentityType;
  if (trait === 'email') return Email;
  if (trait === 'role') return UserRole;
  if (trait === 'permissions') return CustomPermissionsName;
  return Tags.find(({ Key }) => `tag ${Key}` === trait)?.Value;
}

function liveValue(
  { identityType, email, role, customPermissionsName, tags }: UserRecord,
  trait: Trait,
): string | undefined {
  if (trait === 'type') return identityType;
  if (trait === 'email') return email;
  if (trait === 'role') return role;
  return trait === 'permissions' ? customPermissionsName : tags[trait.slice('tag '.length)];
}

function allow({ loose }: Registration, trait: Trait, value: string | undefined): void {
  loose.set(trait, (loose.get(trait) ?? new Set()).add(value));
}

/** Who holds a user: `<stack uuid>/<logical id>`. */
function holders({ tags }: UserRecord): Map<string, Holder> {
  return new Map(holdersOf(tags).map((holder) => [`${holder.stack}/${holder.logicalId}`, holder]));
}

function holderKey({ StackId, LogicalResourceId }: Run['event']): string {
  return `${uuidOf(StackId)}/${LogicalResourceId}`;
}

function isTag(trait: Trait): boolean {
  return trait.startsWith('tag ');
}

function isUnreadable({ calls }: Run): boolean {
  return calls.some((call) => call.operation === 'DescribeStacks' && call.fault);
}

/** The person that an event is about. */
export function personIn({ event }: Run): number {
  return personOf(event.ResourceProperties);
}

export function personOf({ Namespace, UserName, IamArn }: Readonly<Record<string, unknown>>): number {
  return PEOPLE.findIndex(
    ({ namespace, identities }) =>
      namespace === Namespace &&
      identities.some((one) =>
        one.IdentityType === 'IAM' ? one.IamArn === IamArn : UserName !== undefined && one.UserName === UserName,
      ),
  );
}

function registers(run: Run, person: number): boolean {
  return (
    personIn(run) === person &&
    run.calls.some(
      ({ operation, record }) => operation === 'RegisterUser' && !/Exists|Denied/.test(record?.error ?? ''),
    )
  );
}

/** The person whose user a physical id is. */
function personInId(physicalId: string | undefined): number | typeof ANYBODY {
  const [, namespace, userName] = /:user\/([^/]+)\/([^;]+);/.exec(physicalId ?? '') ?? [];
  const person = PEOPLE.findIndex((one) => one.namespace === namespace && one.userName === userName);
  return person === -1 ? ANYBODY : person;
}

/** Whether an event still changed something when its resource had been sent another one, and that one was at work. */
export function isLate(run: Run, runs: readonly Run[]): boolean {
  const sent = ({ event }: Run) =>
    Math.min(...runs.filter((other) => other.event.RequestId === event.RequestId).map(({ arrived }) => arrived));
  const writes = run.calls.filter(({ operation }) => !/^(Describe|List)/.test(operation));
  if (run.isFromBefore) return writes.length > 0;
  return runs.some(
    (other) =>
      resourceOf(other.event) === resourceOf(run.event) &&
      sent(other) > sent(run) &&
      other.started !== undefined &&
      writes.some((call) => call.at > other.started!),
  );
}
