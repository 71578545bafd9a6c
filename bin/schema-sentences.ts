import { ErrorObject } from 'ajv';
import { didYouMean } from './did-you-mean';
import type { Path } from './users-file-yaml';

/** One breach of users.schema.json: where it is, by path from the top of the file, and what to tell the author. */
export interface Breach {
  readonly path: Path;
  /** The finger points at the key rather than at its value. */
  readonly atKey?: boolean;
  readonly message: string;
}

const BEGINNING = "begin with 'users:' and a list of users";

const IDENTITIES = ['userName', 'iamUser', 'iamRole'] as const;

// A list of hundreds of capabilities is no help.
const MAX_LISTED = 20;

type Kind = keyof typeof INSIDE | 'group' | 'groupName' | 'tag' | 'capability' | 'environmentName';

const SECTION = { defaults: 'defaults', groups: 'groups', users: 'users' } as const;

/** What stands in what; `*` for any key or index. What is not named here is a plain value. */
const INSIDE = {
  file: { ...SECTION, customPermissions: 'profiles', namespaces: 'namespaces', environments: 'environments' },
  environment: { ...SECTION, customPermissions: 'profiles', namespaces: 'namespaces' },
  namespace: SECTION,
  environments: { '*': 'environment' },
  namespaces: { '*': 'namespace' },
  defaults: { groups: 'groupNames', tags: 'tags' },
  groups: { '*': 'group' },
  profiles: { '*': 'profile' },
  profile: { deny: 'deny' },
  deny: { '*': 'capability' },
  users: { '*': 'user' },
  user: { sessions: 'sessions', groups: 'groupNames', tags: 'tags', onlyIn: 'onlyIn' },
  sessions: { '*': 'session' },
  session: { groups: 'groupNames', tags: 'tags', onlyIn: 'onlyIn' },
  groupNames: { '*': 'groupName' },
  tags: { '*': 'tag' },
  onlyIn: { '*': 'environmentName' },
} as const;

/** What an author calls the thing; else it is called by its key. `*` stands for the key. */
const NAMES: Partial<Record<Kind, string>> = {
  file: 'the file',
  user: 'user',
  session: 'session',
  group: 'group *',
  groupName: 'group',
  tag: 'tag *',
  namespace: 'namespace *',
  environment: 'environment *',
  environmentName: 'environment',
  profile: 'profile *',
  capability: 'capability',
};

const OWNERS: Partial<Record<Kind, string>> = {
  file: 'the file',
  defaults: 'defaults',
  group: 'a group',
  namespace: 'a namespace',
  environment: 'an environment',
  profile: 'a profile',
};

/** What the keys of a mapping are, where its author chooses them. */
const KEYS: Partial<Record<Kind, string>> = {
  tags: 'tag key',
  groups: 'group',
  namespaces: 'namespace',
  environments: 'environment',
  profiles: 'profile',
};

const SHARED = '; what users share stands under defaults';
const OWN = '; it is for each user to say';
const AT_THE_TOP = '; it stands at the top of the file';

/** Where keys belong that stand in the wrong place, or have another name here than elsewhere. */
const ELSEWHERE: Partial<Record<Kind, Readonly<Record<string, string>>>> = {
  file: { role: SHARED, tags: SHARED, customPermissionsName: SHARED, onExisting: SHARED, removalPolicy: SHARED },
  defaults: {
    namespace: '; users of a namespace can stand in its section under namespaces, which has defaults of its own',
    userName: OWN,
    iamUser: OWN,
    iamRole: '; people who share a role can stand in one entry, under sessions',
    sessionName: OWN,
    email: OWN,
    onlyIn: OWN,
  },
  group: { members: '; users name their groups, under groups', users: '; users name their groups, under groups' },
  namespace: { customPermissions: AT_THE_TOP, environments: AT_THE_TOP, namespaces: AT_THE_TOP },
  environment: { environments: AT_THE_TOP },
  user: {
    name: '; did you mean userName?',
    environments: '; did you mean onlyIn?',
    environment: '; did you mean onlyIn?',
  },
  session: {
    name: '; did you mean sessionName?',
    userName: '; did you mean sessionName?',
    namespace: '; it stands beside iamRole',
    iamRole: '; it stands once, beside sessions',
  },
};

/**
 * Ajv's findings in the words of the file. One mistake can breach several keywords: findings that only follow from
 * another one are left out.
 */
export function breaches(findings: readonly ErrorObject[], sourceOf: (path: Path) => string): Breach[] {
  const byInstance = new Map<string, ErrorObject[]>();
  for (const finding of findings) {
    const beside = byInstance.get(finding.instancePath);
    if (beside) beside.push(finding);
    else byInstance.set(finding.instancePath, [finding]);
  }
  const described = findings.flatMap(
    (finding) => describe(finding, byInstance.get(finding.instancePath)!, sourceOf) ?? [],
  );
  return [...new Map(described.map((breach) => [JSON.stringify(breach), breach])).values()];
}

function describe(
  finding: ErrorObject,
  beside: readonly ErrorObject[],
  sourceOf: (path: Path) => string,
): Breach | undefined {
  const path = finding.instancePath.split('/').slice(1).map(unescapePointer);
  const { name, kind } = subject(path);
  const value = finding.data;
  const at = (message: string): Breach => ({ path, message });
  const atKey = (key: string, message: string): Breach => ({ path: [...path, key], atKey: true, message });

  if (finding.keyword === 'propertyNames' || /\/(one|any)Of\/\d/.test(finding.schemaPath)) return undefined;
  if (finding.propertyName !== undefined) {
    return atKey(finding.propertyName, textRule(finding, KEYS[kind!] ?? 'key', finding.propertyName));
  }
  if (value === null) return path.length ? { path, atKey: true, message: emptiness(path) } : at(emptiness(path));

  switch (finding.keyword) {
    case 'type':
      if (path.length === 0) return at(`no users here: ${BEGINNING}`);
      return at(`${name} ${wrongType(finding.params.type, kind, value, sourceOf(path))}`);
    case 'enum': {
      const allowed: string[] = finding.params.allowedValues;
      const given = sourceOf(path) || JSON.stringify(value);
      const meant = didYouMean(given, allowed);
      const choices = allowed.length > MAX_LISTED ? `the ${allowed.length} in users.schema.json` : allowed.join(', ');
      return at(`${name} '${given}' is not one of ${choices}${meant}`);
    }
    case 'additionalProperties': {
      const key: string = finding.params.additionalProperty;
      const known = Object.keys(finding.parentSchema?.properties ?? {});
      return atKey(
        key,
        `'${key}' is not a property of ${OWNERS[kind!] ?? `${/^[aeio]/.test(name) ? 'an' : 'a'} ${name}`}${wayOut(key, kind, known)}`,
      );
    }
    case 'required':
      return at(`${finding.params.missingProperty} is missing from ${name.includes(' ') ? name : `this ${name}`}`);
    case 'anyOf':
      return at('users is missing from the file');
    case 'oneOf':
      return identityBreach(path, value, finding, beside);
    case 'dependentRequired':
      return atKey(
        finding.params.property,
        `${finding.params.property} needs ${finding.params.missingProperty} beside it: the two name one user together`,
      );
    case 'not':
      return at(`${name} is the name of a profile, or false for none: true is neither`);
    case 'false schema':
      return { path, atKey: true, message: `${name} beside sessions: give each session its own` };
    case 'minProperties':
      return at(`${name} needs one of ${Object.keys(finding.parentSchema?.properties ?? {}).join(', ')}`);
    case 'maxProperties': {
      const choices = Object.keys(finding.parentSchema?.properties ?? {});
      const limit: number = finding.params.limit;
      return at(
        choices.length
          ? `${name} takes only one of ${choices.join(', ')}: remove the other`
          : `${name} holds ${Object.keys(value as object).length} entries, at most ${limit} are allowed`,
      );
    }
    case 'minItems':
      return at(`${name} is an empty list: give it an entry, or remove it`);
    default:
      return at(textRule(finding, name, value as string));
  }
}

function identityBreach(
  path: Path,
  user: unknown,
  { schemaPath }: ErrorObject,
  beside: readonly ErrorObject[],
): Breach | undefined {
  if (typeof user !== 'object' || user === null || Array.isArray(user)) return undefined;
  const [first, second] = schemaPath.includes('dependentSchemas')
    ? ['sessionName', 'sessions'].filter((key) => key in user)
    : IDENTITIES.filter((identity) => identity in user);
  if (second) {
    const remedy = second === 'sessions' ? 'move it into the list' : 'a user has one identity, remove one of them';
    return { path: [...path, second], atKey: true, message: `${second} beside ${first}: ${remedy}` };
  }
  const misspelt = (known: readonly string[]) =>
    beside.some(
      ({ keyword, params }) =>
        keyword === 'additionalProperties' &&
        known.some((key) => wayOut(params.additionalProperty, 'user', known) === `; did you mean ${key}?`),
    );
  if (schemaPath.includes('dependentSchemas')) {
    if (misspelt(['sessionName', 'sessions'])) return undefined;
    const message =
      'iamRole needs sessionName beside it (or sessions, for several people): the two name one user together';
    return { path: [...path, 'iamRole'], atKey: true, message };
  }
  // A session name without its role has been told already; a misspelt identity too, by its suggestion.
  if (misspelt(IDENTITIES) || beside.some(({ keyword }) => keyword === 'dependentRequired')) return undefined;
  return { path, message: 'this user has no identity: add userName, iamUser, or iamRole with sessionName' };
}

function textRule({ keyword, params, parentSchema }: ErrorObject, name: string, text: string): string {
  if (keyword === 'minLength' && !text) return `${name} is empty`;
  if (keyword === 'minLength') return `${name} '${text}' is too short: use at least ${params.limit} characters`;
  if (keyword === 'maxLength')
    return `${name} is ${[...text].length} characters long: use at most ${params.limit} characters`;
  return `${name} '${text}' cannot be used: ${parentSchema?.patternErrorMessage}`;
}

/** What the author may have meant by a key that is none here. */
function wayOut(key: string, kind: Kind | undefined, known: readonly string[]): string {
  return ELSEWHERE[kind!]?.[key] ?? (didYouMean(key, known) || `; known are ${known.join(', ')}`);
}

function wrongType(expected: string | readonly string[], kind: Kind | undefined, value: unknown, source: string) {
  const given = Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'a mapping' : `a ${typeof value}`;
  if (expected === 'array') {
    return typeof value === 'string'
      ? `must be a list: write [${value}]`
      : 'must be a list, each entry beginning with -';
  }
  if (expected === 'object') {
    if (Array.isArray(value) && kind === 'groups') {
      return "must be a mapping, with lines of the form 'name: description'; the description may be left out";
    }
    return "must be a mapping, with lines of the form 'key: value'";
  }
  if (expected === 'boolean') return `must be true or false, and this is ${typeof value === 'string' ? 'text' : given}`;
  const wanted = Array.isArray(expected) && expected.includes('object') ? 'text or a mapping' : 'text';
  if (typeof value === 'object') return `must be ${wanted}, and this is ${given}`;
  return `must be ${wanted}, and ${source} is ${given}: write '${source}' in quotes`;
}

function emptiness(path: Path): string {
  if (!path.length) return `the file is empty: ${BEGINNING}`;
  const last = path.at(-1)!;
  const { kind, name } = subject(path);
  switch (kind) {
    case 'users':
      return `${last} has no value: list users below it, or write '${last}: []' for none`;
    case 'user':
      return 'this entry is empty: describe a user or remove it';
    case 'session':
    case 'groupName':
    case 'capability':
    case 'environmentName':
      return `this entry is empty: name a ${name} or remove it`;
    case 'sessions':
    case 'groupNames':
    case 'onlyIn':
    case 'deny':
      return `${name} has no value: list some below it, or remove it`;
    case 'environment':
    case 'namespace':
      return `${name} has no value: write '${last}: {}' when there is nothing to say of it`;
    case 'defaults':
    case 'groups':
    case 'namespaces':
    case 'environments':
    case 'profiles':
    case 'tags':
      return `${name} has no value: remove it, or write '${last}: {}'`;
    default:
      return `${name} has no value`;
  }
}

/** What the thing at this path is, and what its author calls it. */
function subject(path: Path): { kind?: Kind; name: string } {
  let kind: Kind | undefined = 'file';
  for (const segment of path) {
    const inside: Readonly<Record<string, Kind>> = INSIDE[kind as keyof typeof INSIDE] ?? {};
    kind = inside['*'] ?? (Object.hasOwn(inside, segment) ? inside[segment] : undefined);
  }
  const key = path.at(-1) ?? '';
  return { kind, name: (kind && NAMES[kind])?.replace('*', () => key) ?? key };
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}
