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

const EVE = 3;
const FAY = 4;

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

/**
 * A change of the code. `person` is the one whose resource it is, or whoever comes next to whom the change can be made: so
 * every edit fits every code.
 */
export type Edit = { readonly person: number } & (
  | { readonly kind: 'add'; readonly identity: number; readonly place: number; readonly traits: Traits }
  /** Declares somebody who is there already. */
  | { readonly kind: 'declare existing'; readonly place: number; readonly traits: Traits }
  /** Declares somebody again who was taken out of the code: the same resource, or another one elsewhere. */
  | { readonly kind: 'bring back'; readonly elsewhere: boolean }
  | { readonly kind: 'remove' | 'rename construct' | 'identity type' | 'new invitation' }
  | { readonly kind: 'rename user'; readonly to: number }
  | { readonly kind: 'move'; readonly place: number }
  | { readonly kind: 'swap names'; readonly with: number }
  | { readonly kind: 'traits'; readonly traits: Partial<Traits> }
  /** A second resource for a user that is declared already, as tokens make possible. */
  | { readonly kind: 'duplicate'; readonly place: number; readonly traits: Traits }
);

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
export type Comes = 'meanwhile' | 'after' | 'last';
export type Until = 'the end' | 'the next deployment';

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
  | { readonly kind: 'duplicate'; readonly call: number; readonly comes: Comes }
  /** The event comes when everything else is done, or in the midst of the next deployment if nobody waits for it. */
  | { readonly kind: 'late'; readonly until: Until }
  /** CloudFormation's place for answers is not there for a while. */
  | { readonly kind: 'lost answer'; readonly times: number }
  /** Every Delete of this Delete's resource fails, so that CloudFormation gives it up. `event` counts Deletes alone. */
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
  | Interference;

export interface Interference {
  readonly kind: 'outside';
  readonly what: Outside;
  /** To whom, or to the next one to whom it can be done. */
  readonly person: number;
  /** Of somebody who is registered: the last identity that the person has, or the first. */
  readonly identity: number;
  readonly isAuthor: boolean;
}

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

const person = fc.nat(PEOPLE.length - 1);
// Most resources stand near the root, and every depth is reached.
const place = often([3, fc.constant(0)], [2, fc.constant(1)], [3, fc.integer({ min: 2, max: 4 })]);
const retain = often<Traits['retain']>(
  [4, fc.constant('nothing')],
  [2, fc.constant('on removal')],
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

const add: fc.Arbitrary<Edit> = of('add', { person, identity: fc.nat(1), place, traits });
// Mostly on purpose.
const adopting = fc.record({ ...looks, adopt: often([1, fc.constant(false)], [3, fc.constant(true)]) });
const declareExisting: fc.Arbitrary<Edit> = of('declare existing', { person, place, traits: adopting });
const edit = often<Edit>(
  [3, add],
  [3, declareExisting],
  [3, of('bring back', { person, elsewhere: fc.boolean() })],
  [4, of('remove', { person })],
  [4, of('rename user', { person, to: person })],
  [2, of('rename construct', { person })],
  [3, of('move', { person, place })],
  [1, of('swap names', { person, with: person })],
  [4, of('traits', { person, traits: fc.record(looks, { requiredKeys: [] }) })],
  [1, of('identity type', { person })],
  [1, of('new invitation', { person })],
  [1, of('duplicate', { person, place, traits })],
);

const when = fc.constantFrom<When[]>('before', 'after');
const call = fc.nat(5);
const passing = of('fault', {
  call,
  times: fc.integer({ min: 1, max: 3 }),
  when,
  what: fc.constantFrom<('throttle' | 'html' | 'reset' | 'error' | 'slow')[]>(
    'throttle',
    'html',
    'reset',
    'error',
    'slow',
  ),
});
const refusal = of('refusal', {
  call,
  code: fc.constantFrom('AccessDeniedException', 'LimitExceededException', 'InvalidParameterValueException'),
  lasting: fc.boolean(),
});
const mishap = often<Mishap>(
  [
    8,
    fc
      .tuple(
        fc.nat(5),
        often<MishapKind>(
          [6, passing],
          [2, refusal],
          [3, of('death', { call, when })],
          [1, of('deadline', { call, when })],
          [4, of('duplicate', { call, comes: fc.constantFrom<Comes[]>('meanwhile', 'after', 'last') })],
          [3, of('late', { until: fc.constantFrom<Until[]>('the end', 'the next deployment') })],
          [1, of('lost answer', { times: fc.constant(1) })],
        ),
      )
      .map(([event, kind]): Mishap => ({ event, ...kind })),
  ],
  // Of a Create the first call registers, and nobody hears of it.
  [1, of('deadline', { event: fc.nat(1), call: fc.constant(0), when: fc.constant<When>('after') })],
  // The third call is the one after which the resource says that it leaves.
  [4, of('no clean-up', { event: fc.nat(1), call: often([1, fc.nat(4)], [2, fc.constant(2)]) })],
);

const course = {
  mishaps: often<readonly Mishap[]>([3, fc.constant([])], [2, fc.array(mishap, { minLength: 1, maxLength: 3 })]),
  turns: often<readonly number[]>([2, fc.constant([])], [1, fc.array(fc.nat(3), { maxLength: 20 })]),
};

const root = often<Root>([4, fc.constant('Team')], [1, fc.constant('Other')]);
const breaker = fc.record({ place, when: fc.constantFrom<('last' | 'second' | 'first')[]>('last', 'second', 'first') });
const deployment: fc.Arbitrary<Deployment> = of('deploy', {
  root,
  edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
  breaker: often<Deployment['breaker']>([3, fc.constant(undefined)], [1, breaker]),
  narrow: often([5, fc.constant(false)], [1, fc.constant(true)]),
  ...course,
});
const interference = (what: fc.Arbitrary<Outside>) =>
  of<'outside', Omit<Interference, 'kind'>>('outside', { what, person, identity: fc.nat(1), isAuthor: fc.boolean() });
const outside = interference(
  often<Outside>(
    [3, fc.constant('registers')],
    [4, fc.constantFrom<Outside[]>('deletes', 'replaces', 'raises role', 'activates')],
    [2, fc.constantFrom<Outside[]>('strips tags', 'removes IAM identity')],
  ),
);

/** Steps about one person that lead where chance leads too seldom; other changes and accidents come with them. */
const story = fc
  .tuple(
    fc.constantFrom(
      'retained',
      'left',
      'adopted',
      'stripped',
      'replaced',
      'nameless',
      'renamed',
      'narrowed',
      'unheard',
    ),
    fc.tuple(person, person, fc.boolean(), traits),
    fc.tuple(deployment, deployment, deployment),
  )
  .map(([about, [person, to, flag, traits], [one, two, three]]): Step[] => {
    const first = (edit: Edit, deployment: Deployment): Deployment => ({
      ...deployment,
      root: 'Team',
      edits: [edit, ...deployment.edits.slice(1)],
    });
    const calm = (edit: Edit, deployment: Deployment): Deployment => ({
      ...first(edit, deployment),
      ...{ breaker: undefined, mishaps: [], turns: [] },
    });
    const someone = (what: Outside, isAuthor = false): Step => {
      return { kind: 'outside', what, person, identity: flag ? 1 : 0, isAuthor };
    };
    const add: Edit = {
      kind: 'add',
      person,
      identity: 1,
      place: flag ? 0 : 1,
      traits: { ...traits, retain: 'nothing' },
    };
    const remove: Edit = { kind: 'remove', person };
    switch (about) {
      case 'retained': {
        const retained: Edit = { ...add, traits: { ...traits, retain: 'on removal' } };
        const again: Edit = { kind: 'bring back', person, elsewhere: false };
        return [calm(retained, one), calm(remove, two), first(again, three)];
      }
      case 'left': {
        const again: Edit = { kind: 'bring back', person, elsewhere: true };
        const leaves: Mishap = { kind: 'no clean-up', event: 0, call: 2 };
        return [calm(add, one), { ...calm(remove, two), mishaps: [leaves] }, calm(again, three)];
      }
      case 'adopted': {
        const adopt: Edit = { kind: 'declare existing', person, place: add.place, traits: { ...traits, adopt: true } };
        const last: Step = flag ? first(remove, two) : { ...three, kind: 'destroy', root: 'Team' };
        return [someone('registers', flag), calm(adopt, one), last];
      }
      case 'stripped':
        return [calm(add, one), someone('strips tags'), first(remove, two)];
      case 'replaced':
        return [calm(add, one), someone('replaces'), first(remove, two)];
      case 'nameless':
        return [
          calm({ ...add, person: flag ? EVE : FAY }, one),
          { ...someone('removes IAM identity'), person: flag ? EVE : FAY } as Step,
          first({ ...remove, person: flag ? EVE : FAY }, two),
        ];
      case 'renamed': {
        const breaker = { place: 0, when: flag ? ('first' as const) : ('last' as const) };
        const late: Mishap = { kind: 'late', event: 0, until: 'the end' };
        return [
          calm(add, one),
          { ...first({ kind: 'rename user', person, to }, two), breaker, mishaps: flag ? [] : [late, ...two.mishaps] },
        ];
      }
      case 'narrowed':
        return [calm(add, one), { ...calm(remove, two), narrow: true }];
      case 'unheard': {
        const unheard: Mishap = { kind: 'deadline', event: 0, call: 0, when: 'after' };
        return [{ ...calm(add, one), mishaps: [unheard] }];
      }
      default:
        return [];
    }
  });

/** A first deployment that declares some people, then whatever may come. */
export const history: fc.Arbitrary<History> = fc
  .tuple(
    fc.array(interference(fc.constant('registers')), { maxLength: 2 }),
    fc.tuple(
      deployment,
      fc.array(often([3, add], [1, declareExisting]), { minLength: 1, maxLength: 4 }),
      often([1, breaker], [5, fc.constant(undefined)]),
    ),
    fc.array(
      often<readonly Step[]>(
        [8, deployment.map((step) => [step])],
        [3, outside.map((step) => [step])],
        [1, of('destroy', { root, ...course }).map((step) => [step])],
        [4, story],
      ),
      { minLength: 2, maxLength: 5 },
    ),
  )
  .map(([before, [first, edits, breaker], rest]) => [
    ...before,
    { ...first, root: 'Team', edits, breaker },
    ...rest.flat(),
  ]);

// -- what an edit does to the code

/** What the people know who edit the code. */
export interface Known {
  /** People who have a user. */
  readonly living: readonly number[];
  /** Resources that the code had once. */
  readonly gone: readonly Declared[];
}

/** The code after some edits; what does not fit changes nothing. */
export function edited(code: readonly Declared[], edits: readonly Edit[], known: Known): readonly Declared[] {
  return edits.reduce((users, edit) => applyEdit(users, edit, known), code);
}

function applyEdit(code: readonly Declared[], edit: Edit, { living, gone }: Known): readonly Declared[] {
  const add = (declared: Declared) => [...code, named(code, declared)];
  const isFree = (person: number) => !code.some((other) => other.person === person);
  if (edit.kind === 'add') {
    if (!isFree(edit.person)) return code;
    const identity = edit.identity % PEOPLE[edit.person]!.identities.length;
    return add({ ...fresh(edit.person, edit.place), identity, ...render(edit.traits, edit.person) });
  }
  if (edit.kind === 'declare existing') {
    const person = nearest(living.filter(isFree), edit.person, (one) => one);
    return person === undefined ? code : add({ ...fresh(person, edit.place), ...render(edit.traits, person) });
  }
  if (edit.kind === 'bring back') {
    const candidates = gone.filter(({ person }) => isFree(person));
    const declared = nearest(candidates, edit.person, ({ person }) => person);
    if (!declared) return code;
    if (edit.elsewhere) return add({ ...declared, place: declared.place === '' ? 'A' : '' });
    const isTaken = code.some((other) => other.place === declared.place && other.logicalId === declared.logicalId);
    return isTaken ? code : [...code, declared];
  }
  const one = nearest(code, edit.person, ({ person }) => person);
  if (!one) return code;
  const replaceBy = (...by: Declared[]) => code.flatMap((other) => (other === one ? by : [other]));
  switch (edit.kind) {
    case 'remove':
      return replaceBy();
    case 'rename user':
      // Only tokens could declare one user twice: the duplicate edit does.
      if (!isFree(edit.to)) return code;
      return replaceBy({ ...one, person: edit.to, identity: 0, invitationVersion: undefined });
    case 'rename construct':
      return replaceBy(named(code, one));
    case 'move':
      return replaceBy(named(replaceBy(), { ...one, place: PLACES[edit.place]! }));
    case 'swap names': {
      const other = nearest(code, edit.with, ({ person }) => person)!;
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
      return add(copy);
    }
  }
}

/** The one who is this person, or the next in the list of people. */
export function nearest<T>(candidates: readonly T[], person: number, personOf: (one: T) => number): T | undefined {
  const distance = (one: T) => (personOf(one) - person + PEOPLE.length) % PEOPLE.length;
  return [...candidates].sort((a, b) => distance(a) - distance(b))[0];
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
