import { ErrorObject } from 'ajv';
import { didYouMean } from './did-you-mean';

/** One breach of users.schema.json: where it is, by path from the top of the file, and what to tell the author. */
export interface Breach {
  readonly path: readonly string[];
  /** The finger points at the key rather than at its value. */
  readonly atKey?: boolean;
  readonly message: string;
}

const BEGINNING = "begin with 'users:' and a list of users";

const IDENTITIES = ['userName', 'iamUser', 'iamRole'] as const;

/**
 * Ajv's findings in the words of the file. One mistake can breach several keywords: findings that only follow from
 * another one are left out.
 */
export function breaches(findings: readonly ErrorObject[], sourceOf: (path: readonly string[]) => string): Breach[] {
  const described = findings.flatMap((finding) => describe(finding, findings, sourceOf) ?? []);
  return [...new Map(described.map((breach) => [JSON.stringify(breach), breach])).values()];
}

function describe(
  finding: ErrorObject,
  all: readonly ErrorObject[],
  sourceOf: (path: readonly string[]) => string,
): Breach | undefined {
  const path = finding.instancePath.split('/').slice(1).map(unescapePointer);
  const name = subject(path);
  const value = finding.data;
  const at = (message: string): Breach => ({ path, message });
  const atKey = (key: string, message: string): Breach => ({ path: [...path, key], atKey: true, message });

  if (finding.keyword === 'propertyNames' || finding.schemaPath.includes('/oneOf/')) return undefined;
  if (finding.propertyName !== undefined) return atKey(finding.propertyName, keyRule(finding, finding.propertyName));
  if (value === null) return path.length ? { path, atKey: true, message: emptiness(path) } : at(emptiness(path));

  switch (finding.keyword) {
    case 'type':
      if (path.length === 0) return at(`no users here: ${BEGINNING}`);
      return at(`${name} ${wrongType(finding.params.type, value, sourceOf(path))}`);
    case 'enum': {
      const allowed: string[] = finding.params.allowedValues;
      const given = sourceOf(path) || JSON.stringify(value);
      return at(`${name} '${given}' is not one of ${allowed.join(', ')}${didYouMean(given, allowed)}`);
    }
    case 'additionalProperties': {
      const key: string = finding.params.additionalProperty;
      const known = Object.keys(finding.parentSchema?.properties ?? {});
      const way = didYouMean(key, known) || `; known are ${known.join(', ')}`;
      return atKey(key, `'${key}' is not a property of ${path.length ? `a ${name}` : 'the file'}${way}`);
    }
    case 'required':
      return at(`${finding.params.missingProperty} is missing from ${path.length ? `this ${name}` : 'the file'}`);
    case 'oneOf':
      return identityBreach(path, value, all);
    case 'dependentRequired':
      return atKey(
        finding.params.property,
        `${finding.params.property} needs ${finding.params.missingProperty} beside it: the two name one user together`,
      );
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
    default:
      return at(textRule(finding, name, value as string));
  }
}

function identityBreach(path: readonly string[], user: unknown, all: readonly ErrorObject[]): Breach | undefined {
  if (typeof user !== 'object' || user === null || Array.isArray(user)) return undefined;
  const [first, second] = IDENTITIES.filter((identity) => identity in user);
  if (second) {
    return {
      path: [...path, second],
      atKey: true,
      message: `${second} beside ${first}: a user has one identity, remove one of them`,
    };
  }
  // A session name without its role has been told already; a misspelt identity too, by its suggestion.
  const told = all.some(
    ({ keyword, instancePath, params }) =>
      instancePath === `/${path.join('/')}` &&
      (keyword === 'dependentRequired' ||
        (keyword === 'additionalProperties' && didYouMean(params.additionalProperty, IDENTITIES))),
  );
  if (told) return undefined;
  return { path, message: 'this user has no identity: add userName, iamUser, or iamRole with sessionName' };
}

function textRule({ keyword, params, parentSchema }: ErrorObject, name: string, text: string): string {
  if (keyword === 'minLength' && !text) return `${name} is empty`;
  if (keyword === 'minLength') return `${name} '${text}' is too short: use at least ${params.limit} characters`;
  if (keyword === 'maxLength')
    return `${name} is ${[...text].length} characters long: use at most ${params.limit} characters`;
  return `${name} '${text}' cannot be used: ${parentSchema?.patternErrorMessage}`;
}

function keyRule(finding: ErrorObject, key: string): string {
  return textRule(finding, 'tag key', key);
}

function wrongType(expected: string, value: unknown, source: string): string {
  if (expected === 'array') return 'must be a list, each entry beginning with -';
  if (expected === 'object') return "must be a mapping, with lines of the form 'key: value'";
  if (typeof value === 'object') return `must be text, and this is a ${Array.isArray(value) ? 'list' : 'mapping'}`;
  return `must be text, and ${source} is a ${typeof value}: write '${source}' in quotes`;
}

function emptiness(path: readonly string[]): string {
  if (!path.length) return `the file is empty: ${BEGINNING}`;
  const last = path.at(-1)!;
  if (path.length === 1) return `${last} has no value: list users below it, or write '${last}: []' for none`;
  return /^\d+$/.test(last) ? 'this entry is empty: describe a user or remove it' : `${subject(path)} has no value`;
}

/** What the author calls the thing at this path. */
function subject(path: readonly string[]): string {
  const last = path.at(-1);
  if (last === undefined) return 'the file';
  if (path.length === 2) return 'user';
  return path.at(-2) === 'tags' ? `tag ${last}` : last;
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}
