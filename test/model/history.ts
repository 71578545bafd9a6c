import fc from 'fast-check';

/*
 * Random histories of a team's users: what people change in the code, deploy by deploy, what happens behind the back of the
 * deployments, and what goes wrong on the way. A history is data, so that fast-check can make it smaller and a seed can
 * bring it back.
 */

/** Somebody who may be declared as a user. */
export interface Person {
  readonly namespace: string;
  /** The name in QuickSight, whichever identity it comes from. */
  readonly userName: string;
  readonly identities: readonly Identity[];
}

export type Identity =
  | { readonly IdentityType: 'QUICKSIGHT'; readonly UserName: string }
  | { readonly IdentityType: 'IAM'; readonly IamArn: string; readonly SessionName?: string };

const quickSight = (userName: string, namespace = 'default'): Person => ({
  namespace,
  userName,
  identities: [{ IdentityType: 'QUICKSIGHT', UserName: userName }],
});

/** Few, so that they meet each other often. */
export const PEOPLE: readonly Person[] = [
  quickSight('ana'),
  quickSight('ben'),
  quickSight('cleo'),
  {
    namespace: 'default',
    userName: 'eve',
    identities: [
      { IdentityType: 'QUICKSIGHT', UserName: 'eve' },
      { IdentityType: 'IAM', IamArn: 'arn:aws:iam::111122223333:user/people/eve' },
    ],
  },
  {
    namespace: 'default',
    userName: 'Team/fay',
    identities: [{ IdentityType: 'IAM', IamArn: 'arn:aws:iam::111122223333:role/people/Team', SessionName: 'fay' }],
  },
  quickSight('gus', 'team'),
];

/** Where a resource stands: the logical ids of the nested stacks on the way to it. */
export type Place = '' | 'A' | 'A/B' | 'A/B/C' | 'D';
export const PLACES: readonly Place[] = ['', 'A', 'A/B', 'A/B/C', 'D'];

export type Root = 'Team' | 'Other';

/** One resource in the code: a user as somebody wants it. */
export interface Declared {
  readonly place: Place;
  readonly logicalId: string;
  readonly person: number;
  readonly identity: number;
  readonly email: string;
  readonly role: string;
  readonly permissions?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly adopt: boolean;
  readonly deletionPolicy?: 'Retain';
  readonly updateReplacePolicy?: 'Retain';
  readonly invitationVersion?: string;
}

const ROLES = ['READER', 'AUTHOR', 'ADMIN', 'READER_PRO'];
const PERMISSIONS = [undefined, 'no-exports', 'no-sharing'];
const TAGS: readonly Readonly<Record<string, string>>[] = [{}, { team: 'sales' }, { team: 'support', floor: '2' }];

/** A change of the code. Numbers choose among what is there when it is made, so every edit fits every code. */
export type Edit =
  | { readonly kind: 'add'; readonly person: number; readonly place: number; readonly traits: Traits }
  | { readonly kind: 'remove' | 'rename construct' | 'identity type' | 'new invitation'; readonly which: number }
  | { readonly kind: 'rename user'; readonly which: number; readonly person: number }
  | { readonly kind: 'move'; readonly which: number; readonly place: number }
  | { readonly kind: 'swap names'; readonly which: number; readonly with: number }
  | { readonly kind: 'traits'; readonly which: number; readonly traits: Partial<Traits> }
  /** A second resource for a user that is declared already, as tokens make possible. */
  | { readonly kind: 'duplicate'; readonly which: number; readonly place: number; readonly traits: Traits };

export interface Traits {
  readonly email: number;
  readonly role: number;
  readonly permissions: number;
  readonly tags: number;
  readonly adopt: boolean;
  readonly retain: 'nothing' | 'on removal' | 'on replacement';
}

/** What goes wrong with one event on its way through the function. */
export type Mishap = { readonly event: number } & MishapKind;

export type When = 'before' | 'after';

export type MishapKind =
  /** A fault that passes: it hits some calls in a row, from the `call`th on, and the function must get over it. */
  | {
      readonly kind: 'fault';
      readonly call: number;
      readonly times: number;
      readonly when: When;
      readonly what: 'throttle' | 'html' | 'reset' | 'error' | 'slow';
    }
  /** QuickSight refuses this call, or this and every later one. */
  | { readonly kind: 'refusal'; readonly call: number; readonly code: string; readonly lasting: boolean }
  /** Lambda kills the function at a call and runs the event again. */
  | { readonly kind: 'death'; readonly call: number; readonly when: When }
  /** A call takes longer than the function has left. */
  | { readonly kind: 'deadline'; readonly call: number; readonly when: When }
  /** The event comes twice: in the midst of itself, at once after, or when everything else is done. */
  | { readonly kind: 'duplicate'; readonly call: number; readonly comes: 'meanwhile' | 'after' | 'last' }
  /** The event comes when everything else is done, or in the midst of the next deployment if nobody waits for it. */
  | { readonly kind: 'late'; readonly until: 'the end' | 'the next deployment' }
  /** CloudFormation's place for answers is not there for a while. */
  | { readonly kind: 'lost answer'; readonly times: number }
  /** The clean-up of this resource fails every time, so that CloudFormation gives it up. */
  | { readonly kind: 'no clean-up'; readonly call: number };

/** What accompanies the work of a stack. */
export interface Course {
  readonly mishaps: readonly Mishap[];
  /** At every moment when several events could go on: which one does. 0: the one that is at it. */
  readonly turns: readonly number[];
}

export interface Deployment extends Course {
  readonly kind: 'deploy';
  readonly root: Root;
  readonly edits: readonly Edit[];
  /** A resource that fails: when all others of its stack are done, when the first is, or at once. */
  readonly breaker?: { readonly place: number; readonly when: 'last' | 'second' | 'first' };
  /** Narrows the provider's role to the namespace `default`. */
  readonly narrow: boolean;
}

export type Step =
  | Deployment
  | ({ readonly kind: 'destroy'; readonly root: Root } & Course)
  /** Somebody else is at work. */
  | { readonly kind: 'outside'; readonly what: Outside; readonly person: number };

export type Outside =
  'registers' | 'deletes' | 'replaces' | 'raises role' | 'strips tags' | 'activates' | 'removes IAM identity';

export type History = readonly Step[];

// -- the generator

/** One of several, each as often as its number says. */
function often<T>(...choices: readonly (readonly [number, fc.Arbitrary<T>])[]): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

/** A record with a fixed kind. */
function of<K extends string, T extends object = object>(
  kind: K,
  members: { [P in keyof T]: fc.Arbitrary<T[P]> } = {} as never,
): fc.Arbitrary<T & { readonly kind: K }> {
  return fc.record(members).map((record) => ({ kind, ...(record as T) }));
}

const which = fc.nat(7);
const person = fc.nat(PEOPLE.length - 1);
// Most resources stand near the root, and every depth is reached.
const place = often([3, fc.constant(0)], [2, fc.constant(1)], [3, fc.integer({ min: 2, max: 4 })]);
const retain = often<Traits['retain']>(
  [8, fc.constant('nothing')],
  [1, fc.constant('on removal')],
  [1, fc.constant('on replacement')],
);
const looks = {
  email: fc.nat(2),
  role: often([3, fc.constant(0)], [2, fc.nat(ROLES.length - 1)]),
  permissions: fc.nat(PERMISSIONS.length - 1),
  tags: fc.nat(TAGS.length - 1),
  adopt: fc.boolean(),
  retain,
};
const traits: fc.Arbitrary<Traits> = fc.record(looks);

const add: fc.Arbitrary<Edit> = of('add', { person, place, traits });
const edit = often<Edit>(
  [4, add],
  [4, of('remove', { which })],
  [3, of('rename user', { which, person })],
  [2, of('rename construct', { which })],
  [4, of('move', { which, place })],
  [1, of('swap names', { which, with: which })],
  [4, of('traits', { which, traits: fc.record(looks, { requiredKeys: [] }) })],
  [1, of('identity type', { which })],
  [1, of('new invitation', { which })],
  [1, of('duplicate', { which, place, traits })],
);

const when = fc.constantFrom<When[]>('before', 'after');
const call = fc.nat(5);
const mishap = fc
  .tuple(
    fc.nat(9),
    often<MishapKind>(
      [
        6,
        of('fault', {
          call,
          times: fc.integer({ min: 1, max: 3 }),
          when,
          what: fc.constantFrom('throttle', 'html', 'reset', 'error', 'slow'),
        }),
      ],
      [
        2,
        of('refusal', {
          call,
          code: fc.constantFrom('AccessDeniedException', 'LimitExceededException', 'InvalidParameterValueException'),
          lasting: fc.boolean(),
        }),
      ],
      [3, of('death', { call, when })],
      [1, of('deadline', { call, when })],
      [3, of('duplicate', { call, comes: fc.constantFrom('meanwhile', 'after', 'last') })],
      [3, of('late', { until: fc.constantFrom('the end', 'the next deployment') })],
      [1, of('lost answer', { times: fc.constant(1) })],
      [3, of('no clean-up', { call })],
    ),
  )
  .map(([event, kind]): Mishap => ({ event, ...kind }));

const course = {
  mishaps: often<readonly Mishap[]>([1, fc.constant([])], [1, fc.array(mishap, { minLength: 1, maxLength: 3 })]),
  turns: often<readonly number[]>([2, fc.constant([])], [1, fc.array(fc.nat(3), { maxLength: 20 })]),
};

const root = often<Root>([4, fc.constant('Team')], [1, fc.constant('Other')]);
const breaker = fc.record({ place, when: fc.constantFrom<('last' | 'second' | 'first')[]>('last', 'second', 'first') });
const deployment: fc.Arbitrary<Deployment> = of('deploy', {
  root,
  edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
  breaker: often<Deployment['breaker']>([2, fc.constant(undefined)], [1, breaker]),
  narrow: often([5, fc.constant(false)], [1, fc.constant(true)]),
  ...course,
});
const outside = of('outside', {
  what: fc.constantFrom<Outside[]>(
    ...(['registers', 'deletes', 'replaces', 'raises role', 'strips tags', 'activates'] as const),
    'removes IAM identity',
  ),
  person,
});

/** A first deployment that declares some people, then whatever may come. */
export const history: fc.Arbitrary<History> = fc
  .tuple(
    fc.array(outside, { maxLength: 1 }),
    fc.tuple(deployment, fc.array(add, { minLength: 1, maxLength: 4 })),
    fc.array(often<Step>([8, deployment], [3, outside], [1, of('destroy', { root, ...course })]), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([before, [first, edits], rest]) => [...before, { ...first, root: 'Team', edits }, ...rest]);

// -- what an edit does to the code

/** The code after some edits; what does not fit changes nothing. */
export function edited(code: readonly Declared[], edits: readonly Edit[]): readonly Declared[] {
  return edits.reduce(applyEdit, code);
}

function applyEdit(code: readonly Declared[], edit: Edit): readonly Declared[] {
  if (edit.kind === 'add') {
    const taken = code.some((other) => other.person === edit.person);
    return taken
      ? code
      : [...code, named(code, { ...fresh(edit.person, edit.place), ...render(edit.traits, edit.person) })];
  }
  const one = code[edit.which % Math.max(1, code.length)];
  if (!one) return code;
  const replaceBy = (...by: Declared[]) => code.flatMap((other) => (other === one ? by : [other]));
  switch (edit.kind) {
    case 'remove':
      return replaceBy();
    case 'rename user':
      // Only tokens could declare one user twice: the duplicate edit does.
      if (code.some((other) => other.person === edit.person)) return code;
      return replaceBy({ ...one, person: edit.person, identity: 0, invitationVersion: undefined });
    case 'rename construct':
      return replaceBy(named(code, one));
    case 'move':
      return replaceBy(named(replaceBy(), { ...one, place: PLACES[edit.place]! }));
    case 'swap names': {
      const other = code[edit.with % code.length]!;
      const swapped = (to: Declared, from: Declared) => ({
        ...to,
        ...{ person: from.person, identity: from.identity, invitationVersion: undefined },
      });
      return code.map((each) => (each === one ? swapped(one, other) : each === other ? swapped(other, one) : each));
    }
    case 'traits':
      return replaceBy({ ...one, ...render(edit.traits, one.person) });
    case 'identity type': {
      const identity = (one.identity + 1) % PEOPLE[one.person]!.identities.length;
      return replaceBy({ ...one, identity, invitationVersion: undefined });
    }
    case 'new invitation': {
      if (identityOf(one).IdentityType !== 'QUICKSIGHT') return code;
      return replaceBy({ ...one, invitationVersion: String(Number(one.invitationVersion ?? 0) + 1) });
    }
    case 'duplicate': {
      const { person, identity } = one;
      const copy = { ...fresh(person, edit.place), identity, ...render(edit.traits, person) };
      return [...code, named(code, copy)];
    }
  }
}

/** The first free logical id for this person at this place: a construct that comes back has its old one. */
function named(code: readonly Declared[], declared: Declared): Declared {
  const base = PEOPLE[declared.person]!.userName.replace(/\W/g, '');
  for (let n = 1; ; n++) {
    const logicalId = `${base[0]!.toUpperCase()}${base.slice(1)}${n}`;
    if (!code.some((other) => other.place === declared.place && other.logicalId === logicalId)) {
      return { ...declared, logicalId };
    }
  }
}

function fresh(person: number, place: number): Declared {
  return {
    ...{ place: PLACES[place]!, logicalId: '', person, identity: 0, email: '', role: 'READER', tags: {}, adopt: false },
  };
}

function render(traits: Partial<Traits>, person: number): Partial<Declared> {
  const { email, role, permissions, tags, adopt, retain } = traits;
  return {
    ...(email !== undefined && { email: emailOf(person, email) }),
    ...(role !== undefined && { role: ROLES[role] }),
    ...(permissions !== undefined && { permissions: PERMISSIONS[permissions] }),
    ...(tags !== undefined && { tags: TAGS[tags] }),
    ...(adopt !== undefined && { adopt }),
    ...(retain !== undefined && {
      deletionPolicy: retain === 'on removal' ? ('Retain' as const) : undefined,
      updateReplacePolicy: retain === 'on replacement' ? ('Retain' as const) : undefined,
    }),
  };
}

function emailOf(person: number, variant: number): string {
  return `mailbox-${person}-${variant}@example.com`;
}

export function personOf({ person }: Pick<Declared, 'person'>): Person {
  return PEOPLE[person]!;
}

export function identityOf({ person, identity }: Pick<Declared, 'person' | 'identity'>): Identity {
  return PEOPLE[person]!.identities[identity]!;
}
