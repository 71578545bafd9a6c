type OneOrMany<T> = T | readonly T[];

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly Action?: OneOrMany<string>;
  readonly NotAction?: OneOrMany<string>;
  readonly Resource?: OneOrMany<string>;
  readonly NotResource?: OneOrMany<string>;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMany<string | number | boolean>>>>>;
}

export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: OneOrMany<PolicyStatement>;
}

/** Condition keys of a request. Names are matched without regard to case, as IAM does. */
export type RequestContext = Readonly<Record<string, OneOrMany<string> | undefined>>;

export interface PolicyRequest {
  readonly action: string;
  readonly resource: string;
  readonly context?: RequestContext;
}

/** What policies say: an explicit Deny wins over every Allow; without a matching statement they say nothing. */
export type Verdict = 'allow' | 'deny' | 'silent';

/** Evaluates policy documents the way IAM does. */
export function evaluate(documents: Iterable<PolicyDocument>, request: PolicyRequest): Verdict {
  const lookUp = contextLookUp(request.context ?? {});
  let verdict: Verdict = 'silent';
  for (const document of documents) {
    for (const statement of list(document.Statement)) {
      if (!statementMatches(statement, request, lookUp)) continue;
      if (statement.Effect === 'Deny') return 'deny';
      verdict = 'allow';
    }
  }
  return verdict;
}

/** Refuses a document that `evaluate` could not judge, so that a template fails when it deploys and not at some later call. */
export function checkPolicyDocument(document: PolicyDocument): void {
  if (document?.Statement === undefined) throw new Error('a policy document needs a Statement');
  for (const statement of list(document.Statement)) {
    if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') {
      throw new Error(`the Effect of a policy statement is ${String(statement.Effect)}: use Allow or Deny`);
    }
    for (const operator of Object.keys(statement.Condition ?? {})) parseOperator(operator);
  }
}

/** The statements of a resource's policy that speak of a principal: as its ARN, its account, or `*`. */
export function statementsAbout(
  { Statement, ...document }: PolicyDocument,
  speaksOf: (principal: string) => boolean,
): PolicyDocument {
  const about = list(Statement).filter(({ Principal }) => {
    if (typeof Principal === 'string') return speaksOf(Principal);
    return list((Principal as { AWS?: OneOrMany<string> } | undefined)?.AWS).some(speaksOf);
  });
  return { ...document, Statement: about };
}

export function list<T>(value: OneOrMany<T> | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

type LookUp = (key: string) => readonly string[] | undefined;

function contextLookUp(context: RequestContext): LookUp {
  const values = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return (key) => {
    const value = values.get(key.toLowerCase());
    return value === undefined ? undefined : list(value);
  };
}

function statementMatches(statement: PolicyStatement, request: PolicyRequest, lookUp: LookUp): boolean {
  const action = (pattern: string) => wildcard(pattern.toLowerCase()).test(request.action.toLowerCase());
  const resource = (pattern: string) => wildcard(pattern, lookUp)?.test(request.resource) ?? false;
  const actionMatches = statement.NotAction
    ? !list(statement.NotAction).some(action)
    : list(statement.Action).some(action);
  const resourceMatches = statement.NotResource
    ? !list(statement.NotResource).some(resource)
    : list(statement.Resource).some(resource);
  return actionMatches && resourceMatches && conditionsHold(statement.Condition ?? {}, lookUp);
}

function conditionsHold(conditions: NonNullable<PolicyStatement['Condition']>, lookUp: LookUp): boolean {
  return Object.entries(conditions).every(([operator, keys]) => {
    const holds = parseOperator(operator);
    return Object.entries(keys).every(([key, expected]) => holds(lookUp(key), list(expected).map(String), lookUp));
  });
}

type Condition = (actual: readonly string[] | undefined, expected: readonly string[], lookUp: LookUp) => boolean;
type Comparison = (actual: string, expected: string, lookUp: LookUp) => boolean;

const number = (compare: (a: number, b: number) => boolean): Comparison => {
  return (actual, expected) => compare(Number(actual), Number(expected));
};

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  StringEquals: (actual, expected, lookUp) => actual === substitute(expected, lookUp),
  StringEqualsIgnoreCase: (actual, expected, lookUp) =>
    actual.toLowerCase() === substitute(expected, lookUp)?.toLowerCase(),
  StringLike: (actual, expected, lookUp) => wildcard(expected, lookUp)?.test(actual) ?? false,
  ArnEquals: arnMatches,
  ArnLike: arnMatches,
  Bool: (actual, expected) => actual.toLowerCase() === expected.toLowerCase(),
  NumericEquals: number((a, b) => a === b),
  NumericLessThan: number((a, b) => a < b),
  NumericLessThanEquals: number((a, b) => a <= b),
  NumericGreaterThan: number((a, b) => a > b),
  NumericGreaterThanEquals: number((a, b) => a >= b),
};

const NEGATIONS: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
};

function parseOperator(operator: string): Condition {
  const [, quantifier, name = '', ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(.+?)(IfExists)?$/.exec(operator) ?? [];
  if (name === 'Null')
    return (actual, expected) => expected.every((value) => (value === 'true') === (actual === undefined));

  const negated = Object.hasOwn(NEGATIONS, name);
  const comparison = COMPARISONS[negated ? NEGATIONS[name]! : name];
  if (!comparison || !(negated || Object.hasOwn(COMPARISONS, name))) {
    throw new Error(
      `the condition operator ${operator} is unknown to the embedded IAM: use one of ` +
        [...Object.keys(COMPARISONS), ...Object.keys(NEGATIONS), 'Null'].join(', '),
    );
  }
  return (actual, expected, lookUp) => {
    if (actual === undefined || (quantifier && actual.length === 0)) {
      if (ifExists || quantifier === 'ForAllValues') return true;
      return quantifier === undefined && negated;
    }
    const one = (value: string) => expected.some((wanted) => comparison(value, wanted, lookUp)) !== negated;
    if (quantifier === 'ForAnyValue') return actual.some(one);
    return quantifier === 'ForAllValues' || negated ? actual.every(one) : actual.some(one);
  };
}

/** In a condition on ARNs a wildcard does not reach over a colon of the first five; the sixth part holds the rest. */
function arnMatches(actual: string, expected: string, lookUp: LookUp): boolean {
  const parts = (arn: string) => {
    const split = arn.split(':');
    return [...split.slice(0, 5), split.slice(5).join(':')];
  };
  const wanted = parts(expected);
  return parts(actual).every((part, index) => wildcard(wanted[index] ?? '', lookUp)?.test(part) ?? false);
}

const VARIABLE = /(\$\{[^}]+\})/;

/** The pattern as a regular expression; undefined when it holds a policy variable that the request does not have. */
function wildcard(pattern: string): RegExp;
function wildcard(pattern: string, lookUp: LookUp): RegExp | undefined;
function wildcard(pattern: string, lookUp?: LookUp): RegExp | undefined {
  let source = '';
  for (const part of pattern.split(VARIABLE)) {
    if (lookUp && VARIABLE.test(part)) {
      const value = variable(part, lookUp);
      if (value === undefined) return undefined;
      source += escape(value);
    } else {
      source += escape(part).replaceAll('\\*', '.*').replaceAll('\\?', '.');
    }
  }
  return new RegExp(`^${source}$`, 's');
}

function substitute(text: string, lookUp: LookUp): string | undefined {
  let result = '';
  for (const part of text.split(VARIABLE)) {
    const value = VARIABLE.test(part) ? variable(part, lookUp) : part;
    if (value === undefined) return undefined;
    result += value;
  }
  return result;
}

function variable(reference: string, lookUp: LookUp): string | undefined {
  const name = reference.slice(2, -1);
  return ['*', '?', '$'].includes(name) ? name : lookUp(name)?.[0];
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
