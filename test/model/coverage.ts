import { holdersOf, ADOPTED, BEFORE, uuidOf, type Holder } from './holders';
import { PEOPLE } from './history';
import { isLate, personIn, personOf } from './model';
import { isStuck, resourceOf, type Call, type Episode, type Run } from './world';

/*
 * Which rows of the design's ownership tables, and which accidents, the histories have reached. Told from outside only: by
 * the tags of the user when a call arrives, by the calls that follow, and by what CloudFormation says of its stacks.
 */

export const ROWS = [
  'taking: this very request holds it already',
  'taking: the same resource holds it, roll-back',
  'taking: the same resource holds it, retained or left before',
  'taking: another resource of the root stack holds it',
  'taking: somebody else’s, FAIL',
  'taking: somebody else’s, ADOPT, nobody holds it',
  'taking: somebody else’s, ADOPT, another stack holds it',
  'taking: ADOPT refused for identity type or role',
  'taking: all other holders are leaving',
  'letting go: says that it leaves, then looks',
  'letting go: roll-back, gives back role and permissions',
  'letting go: no roll-back, removes what was before',
  'letting go: other holders remain',
  'letting go: last, deletes',
  'letting go: last of an adopted user, removed on purpose',
  'letting go: last of an adopted user, released',
  'letting go: no holder, others hold it or it is adopted',
  'letting go: no holder, tags stripped, deletes by principal',
  'letting go: no holder, somebody else’s',
  'letting go: maybe: id, a holder',
  'letting go: invented id, a holder',
  'letting go: maybe: or invented id, no holder',
  'letting go: row of a deleted IAM identity',
  'letting go: roll-back Update, what the failed one took',
  'roll-back from the root stack',
  'roll-back from depth 1',
  'roll-back from depth 2',
  'roll-back from depth 3',
  'Create cancelled in flight',
  'Create that ends after its Delete began',
  'clean-up given up',
  'policy narrowed while users go',
] as const;
export type Row = (typeof ROWS)[number];

/** Counts what the histories of a run have reached. */
export class Coverage {
  private readonly counts = new Map<Row, number>(ROWS.map((row) => [row, 0]));

  get(row: Row): number {
    return this.counts.get(row)!;
  }

  add(counts: Readonly<Partial<Record<Row, number>>>): void {
    for (const row of ROWS) this.counts.set(row, this.get(row) + (counts[row] ?? 0));
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries(this.counts);
  }

  /** A line for each row. */
  table(): string {
    return ROWS.map((row) => `${String(this.get(row)).padStart(7)}  ${row}`).join('\n');
  }

  count(episode: Episode): void {
    for (const run of episode.runs) {
      if (run.isDead || run.started === undefined) continue;
      for (const row of new Set(rowsOf(run))) this.add({ [row]: 1 });
    }
    for (const row of accidents(episode)) this.add({ [row]: 1 });
  }
}

function rowsOf(run: Run): Row[] {
  switch (run.event.RequestType) {
    case 'Create':
      return taking(run);
    case 'Update':
      return [...taking(run), ...lettingGoInRollBack(run)];
    case 'Delete':
      return lettingGo(run);
  }
}

function taking(run: Run): Row[] {
  const { event, calls, rollingBack, answers } = run;
  const refused = calls.find(
    ({ operation, record }) => operation === 'RegisterUser' && /Exists/.test(record?.error ?? ''),
  );
  if (!refused?.found) return [];
  const { found } = refused;
  const holders = holdersOf(found.tags);
  const own = holders.find((holder) => isOwn(holder, run));
  const others = holders.filter((holder) => holder !== own);
  const rows: Row[] = [];
  if (others.length > 0 && others.every(({ isLeaving }) => isLeaving))
    rows.push('taking: all other holders are leaving');
  const isDone = answers[0]?.Status === 'SUCCESS';
  if (own?.requestId === event.RequestId) return [...rows, 'taking: this very request holds it already'];
  if (own && rollingBack && event.RequestType === 'Update')
    return [...rows, 'taking: the same resource holds it, roll-back'];
  if (own) return [...rows, 'taking: the same resource holds it, retained or left before'];
  if (others.some(({ root }) => root === uuidOf(String(event.ResourceProperties.RootStackId)))) {
    return [...rows, 'taking: another resource of the root stack holds it'];
  }
  if (event.ResourceProperties.OnExisting !== 'ADOPT')
    return isDone ? rows : [...rows, 'taking: somebody else’s, FAIL'];
  if (isDone) {
    return [
      ...rows,
      others.length > 0
        ? 'taking: somebody else’s, ADOPT, another stack holds it'
        : 'taking: somebody else’s, ADOPT, nobody holds it',
    ];
  }
  const isReader = (role: unknown) => String(role).startsWith('READER');
  const { IdentityType, UserRole } = event.ResourceProperties;
  const isImpossible = found.identityType !== IdentityType || (isReader(UserRole) && !isReader(found.role));
  return isImpossible ? [...rows, 'taking: ADOPT refused for identity type or role'] : rows;
}

function lettingGo(run: Run): Row[] {
  const { event, calls, rollingBack } = run;
  const { PhysicalResourceId: id = '' } = event;
  const rows: Row[] = [];
  const did = (operation: string) => calls.find((call) => call.operation === operation && hasSucceeded(call));
  const first = calls.find(({ found }) => found)?.found;
  const own = holdersOf(first?.tags).find((holder) => isOwn(holder, run));
  const [deleted, untagged, updated] = [did('DeleteUser'), did('UntagResource'), did('UpdateUser')];

  if (did('DeleteUserByPrincipalId')) rows.push('letting go: row of a deleted IAM identity');
  if (did('TagResource')) rows.push('letting go: says that it leaves, then looks');
  if (updated && rollingBack) rows.push('letting go: roll-back, gives back role and permissions');
  if (untagged?.found?.tags[BEFORE] && !rollingBack) rows.push('letting go: no roll-back, removes what was before');
  if (own && deleted) {
    rows.push(
      deleted.found?.tags[ADOPTED]
        ? 'letting go: last of an adopted user, removed on purpose'
        : 'letting go: last, deletes',
    );
  }
  if (untagged) {
    const remaining = holdersOf(untagged.found?.tags).filter((holder) => !isOwn(holder, run) && !holder.isLeaving);
    rows.push(
      remaining.length > 0 ? 'letting go: other holders remain' : 'letting go: last of an adopted user, released',
    );
  }
  if (id.startsWith('none:')) return rows;
  const isKnown = id.includes(';');
  if (!isKnown) {
    const what = id.startsWith('maybe:') ? 'letting go: maybe: id, a holder' : 'letting go: invented id, a holder';
    rows.push(deleted || untagged ? what : 'letting go: maybe: or invented id, no holder');
  } else if (first && !own) {
    if (deleted) rows.push('letting go: no holder, tags stripped, deletes by principal');
    else if (holdersOf(first.tags).length > 0 || first.tags[ADOPTED]) {
      rows.push('letting go: no holder, others hold it or it is adopted');
    } else rows.push('letting go: no holder, somebody else’s');
  }
  return rows;
}

function lettingGoInRollBack(run: Run): Row[] {
  const { event, calls, rollingBack } = run;
  if (!rollingBack || !event.OldResourceProperties) return [];
  const former = PEOPLE[personOf(event.OldResourceProperties)];
  if (!former || PEOPLE[personIn(run)] === former) return [];
  const went = calls.some(
    (call) =>
      call.userName === former.userName && /^(DeleteUser|UntagResource)$/.test(call.operation) && hasSucceeded(call),
  );
  return went ? ['letting go: roll-back Update, what the failed one took'] : [];
}

function accidents({ wanted, before, step, events, runs, result }: Episode): Row[] {
  const rows: Row[] = [];
  const breaker = wanted?.breaker;
  if (
    breaker &&
    events.some(({ logicalId, status }) => logicalId === breaker.logicalId && status === 'CREATE_FAILED')
  ) {
    const depth = breaker.place === '' ? 0 : breaker.place.split('/').length;
    const from = ['the root stack', 'depth 1', 'depth 2', 'depth 3'] as const;
    rows.push(`roll-back from ${from[depth as 0 | 1 | 2 | 3]}`);
  }
  const users = events.filter(({ type }) => type === 'Custom::QuickSightUser');
  for (const { status, reason } of users) {
    if (status === 'CREATE_FAILED' && reason === 'Resource creation cancelled') rows.push('Create cancelled in flight');
  }
  for (const run of runs) {
    if (run.event.RequestType !== 'Create' || run.ended === undefined) continue;
    const isOvertaken = runs.some(
      (other) =>
        other.event.RequestType === 'Delete' &&
        resourceOf(other.event) === resourceOf(run.event) &&
        other.started !== undefined &&
        other.started < run.ended!,
    );
    if (isOvertaken || isLate(run, runs)) rows.push('Create that ends after its Delete began');
  }
  const attempts = new Map<string, number>();
  for (const { status, stackId, logicalId, physicalId } of users) {
    const key = `${stackId}|${logicalId}|${physicalId}`;
    if (status === 'DELETE_FAILED') attempts.set(key, (attempts.get(key) ?? 0) + 1);
    if (status === 'DELETE_COMPLETE') attempts.delete(key);
  }
  if (result && !isStuck(result)) {
    for (const failures of attempts.values()) if (failures >= 3) rows.push('clean-up given up');
  }
  if (step.kind === 'deploy' && wanted && before[step.root].namespaces === '*' && wanted.namespaces === 'default') {
    const isLeaving = before[step.root].users.some(
      ({ person }) => !wanted.users.some((user) => user.person === person),
    );
    if (isLeaving && result?.succeeded) rows.push('policy narrowed while users go');
  }
  return rows;
}

function isOwn({ stack, logicalId }: Holder, { event }: Run): boolean {
  return stack === uuidOf(event.StackId) && logicalId === event.LogicalResourceId;
}

function hasSucceeded({ record }: Call): boolean {
  return record !== undefined && record.error === undefined;
}
