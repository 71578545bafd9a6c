import { holdersOf } from './holders';
import { PEOPLE, type Declared } from './history';
import type { Episode, Run } from './world';

/** A step as a person reads it: what was asked for, every event with its calls, and what there is now. */
export function tell(episode: Episode): string {
  const { index, step, wanted, result, repairs, runs, usersAfter } = episode;
  const lines = [`${index + 1}. ${headline(episode)}`];
  if (wanted) lines.push(...wanted.users.map((user) => `   declared: ${tellDeclared(user)}`));
  for (const run of [...runs].sort((a, b) => (a.started ?? Infinity) - (b.started ?? Infinity))) {
    lines.push(...tellRun(run).map((line) => `   ${line}`));
  }
  if (step.kind === 'outside') return [...lines, ...tellUsers(usersAfter)].join('\n');
  lines.push(`   → ${[result, ...repairs].map((one) => one?.status ?? 'nothing to do').join(', then ')}`);
  return [...lines, ...tellUsers(usersAfter)].join('\n');
}

function headline({ step, person }: Episode): string {
  if (step.kind === 'outside') {
    return `somebody ${step.what}: ${person === undefined ? 'there is nobody' : PEOPLE[person]!.userName}`;
  }
  const turns = step.turns.length > 0 ? `, turns ${step.turns.join(' ')}` : '';
  return `${step.kind} ${step.root}${turns}`;
}

function tellDeclared({
  place,
  logicalId,
  person,
  identity,
  email,
  role,
  permissions,
  tags,
  adopt,
  ...more
}: Declared) {
  const { deletionPolicy, updateReplacePolicy, invitationVersion } = more;
  const words = [
    `${[place, logicalId].filter(Boolean).join('/')} = ${PEOPLE[person]!.identities[identity]!.IdentityType}`,
    `${PEOPLE[person]!.userName} ${role} ${email.slice(0, email.indexOf('@'))}`,
    permissions && `permissions ${permissions}`,
    Object.keys(tags).length > 0 && `tags ${JSON.stringify(tags)}`,
    adopt && 'ADOPT',
    deletionPolicy && 'retained on removal',
    updateReplacePolicy && 'retained on replacement',
    invitationVersion && `invitation ${invitationVersion}`,
  ];
  return words.filter(Boolean).join(', ');
}

function tellRun(run: Run): string[] {
  const { event, delivery, mishap, answers, calls } = run;
  const { RequestType, LogicalResourceId, PhysicalResourceId, StackId } = event;
  const { UserName, IamArn } = event.ResourceProperties;
  const stack = StackId.split('/')[1]!.replace(/-[A-Z0-9]{12}/g, '');
  const facts = [
    `${delivery === 'first' ? '' : `(${delivery}) `}${RequestType} ${stack}/${LogicalResourceId} ${UserName ?? IamArn}`,
    PhysicalResourceId && `id ${shortId(PhysicalResourceId)}`,
    `${event.RequestId.slice(0, 4)}`,
    run.rootStatus,
    run.rollingBack && 'rolling back',
    mishap && JSON.stringify({ ...mishap, event: undefined }),
  ];
  const outcome = answers.map(
    ({ Status, Reason, PhysicalResourceId: id }) => `${Status} ${shortId(id)} ${Reason?.slice(0, 160) ?? ''}`,
  );
  const tellCall = ({ operation, userName, fault, record, at }: Run['calls'][number]) =>
    `${at} ${operation} ${userName ?? ''} ${record?.error ?? ''}${fault ? ` [${fault.kind} ${fault.when ?? ''}]` : ''}`;
  const started = run.started === undefined ? 'not yet at work' : `at ${run.started}–${run.ended ?? '…'}`;
  return [
    `${facts.filter(Boolean).join(', ')} (${started})`,
    ...calls.map((call) => `    ${tellCall(call)}`),
    `    ⇒ ${outcome.join(' and ') || 'no answer'}`,
  ];
}

function shortId(id: string): string {
  return id.replace(/^arn:.*:user\//, '').replace(/([0-9a-f]{4})[0-9a-f-]{20,}/g, '$1…');
}

function tellUsers(users: Episode['usersAfter']): string[] {
  return users.map(({ userName, identityType, role, email, customPermissionsName, principalId, tags, active }) => {
    const holders = holdersOf(tags).map(
      ({ isLeaving, requestId, stack, logicalId }) =>
        `${isLeaving ? 'leaving ' : ''}${stack.slice(0, 4)}/${logicalId} since ${requestId.slice(0, 4)}`,
    );
    const others = Object.entries(tags).filter(([key]) => !key.includes(':held-by:'));
    const words = [identityType, role, active && 'active', email.split('@')[0], customPermissionsName];
    return (
      `   is there: ${userName} (${shortId(principalId)}) ${words.filter(Boolean).join(' ')} ` +
      `held by [${holders.join(', ')}] ${others.length > 0 ? JSON.stringify(Object.fromEntries(others)) : ''}`
    );
  });
}
