import { parseArgs } from 'node:util';
import { version } from '../../package.json';
import { didYouMean } from '../did-you-mean';

export type Command = 'validate' | 'export' | 'drift' | 'plan';

/** What the command line asks for. */
export interface Options {
  /** Undefined when help is all that was asked for. */
  readonly command?: Command;
  /** Text to print instead of doing anything. */
  readonly help?: string;
  readonly files: readonly string[];
  readonly environment?: string;
  readonly account?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly namespaces: readonly string[];
  readonly output?: string;
  readonly force: boolean;
  readonly stack: string;
  readonly stackRegions: readonly string[];
  readonly shards?: number;
  readonly tags?: boolean;
  readonly onlyDeclared: boolean;
  readonly format: 'text' | 'json' | 'markdown';
}

/** A command line that makes no sense: the message is for the person who typed it. */
export class UsageError extends Error {}

/** Names of the options that take a value, with what their value is called; the others are switches. */
const VALUES = {
  account: 'ID',
  environment: 'NAME',
  namespace: 'NAME',
  output: 'FILE',
  profile: 'NAME',
  region: 'REGION',
  shards: 'N',
  stack: 'NAME',
  'stack-region': 'REGION',
} as const;

const REPEATABLE: readonly string[] = ['namespace', 'stack-region'];

const ACCOUNT_OPTIONS = ['account', 'region', 'profile'];

const TAKES: Readonly<Record<Command, readonly string[]>> = {
  validate: ['environment', 'json'],
  export: [...ACCOUNT_OPTIONS, 'namespace', 'output', 'force', 'no-tags'],
  drift: [...ACCOUNT_OPTIONS, 'environment', 'tags', 'stack-region', 'only-declared', 'json'],
  plan: [...ACCOUNT_OPTIONS, 'environment', 'stack', 'shards', 'markdown', 'json'],
};

const HELP = `Amazon QuickSight users: users files beside a live account. Nothing here changes an account.

  quicksight-users validate [FILE…]   check users files
  quicksight-users export             write a users file from an account
  quicksight-users drift [FILE…]      compare users files with an account
  quicksight-users plan [FILE…]       say what a deployment would do to people

quicksight-users COMMAND --help tells the rest, quicksight-users --version which one this is.
Exit codes: 0 all is well, 1 an error, 2 drift.
`;

const FILES = `  FILE                  users files, also patterns like 'teams/*.yaml'; without any: users.yaml
  --environment NAME    the environment whose variants count`;

const ACCOUNT = `  --account ID          the account; without it: that of the credentials
  --region REGION       where to ask first; without it: AWS_REGION, then the profile's. QuickSight itself names
                        the region of its users, and that one is followed
  --profile NAME        the profile of the AWS configuration`;

const HELP_OF: Readonly<Record<Command, string>> = {
  validate: `quicksight-users validate [FILE…] [--environment NAME] [--json]

Checks users files and tells every mistake with file, line and column. Needs no account.

${FILES}; without it: each that they list
  --json                the result as JSON on stdout

Exit codes: 0 the files are right, 1 they are not.
`,
  export: `quicksight-users export [--output FILE] [--namespace NAME]…

Writes a users file from the live account: users, their groups and their tags, to be adopted as they are.

  --output FILE         where to write, readable by you only; without it, or -: stdout
  --force               write over FILE if it is there
  --namespace NAME      only this namespace; can be repeated
  --no-tags             leave out tags: reading them takes one call a user
${ACCOUNT}

Needs quicksight:ListNamespaces, ListUsers, ListGroups, ListGroupMemberships, ListTagsForResource.
Exit codes: 0 written, 1 an error.
`,
  drift: `quicksight-users drift [FILE…] [--tags] [--only-declared] [--json]

Compares users files with the live account: users that are missing, extra or without an IAM identity; roles, e-mail
addresses, groups, custom permissions and external logins that differ. A role that a user was given by
self-upgrade is drift, too. Groups that no file names are left alone. Who never signed in is told, and does not count.

${FILES}
  --tags                also compare tags, and find users that no stack holds or whose stack is gone: one call a user,
                        and cloudformation:DescribeStacks, GetTemplate
  --stack-region REGION where the stacks are, with --tags; can be repeated; without it: the region as below
  --only-declared       look only at users that the files declare
  --json                the result as JSON on stdout
${ACCOUNT}

Needs quicksight:ListUsers, ListGroupMemberships, ListNamespaces; with --tags ListTagsForResource.
Exit codes: 0 no drift, 1 an error, 2 drift.
`,
  plan: `quicksight-users plan [FILE…] [--stack NAME] [--markdown | --json]

Says what a deployment of the users files would do to people: who gets access, whose changes, who loses it, who is
adopted, and what QuickSight or the rules of adoption would refuse.

${FILES}
  --stack NAME          the stack that the files are deployed as; without it: QuickSightUsers
  --shards N            how many nested stacks share the users, where the app is told so with -c shards=N
  --markdown            for the comment of a pull request
  --json                the plan as JSON on stdout
${ACCOUNT}

Needs quicksight:ListUsers, ListGroupMemberships, ListTagsForResource, DescribeCustomPermissions, and for the stack as it
is deployed cloudformation:GetTemplate, ListStackResources, DescribeStacks. Without the latter nobody can tell who would
lose access.
Exit codes: 0 the deployment would succeed, 1 an error, or the deployment would be refused.
`,
};

/** Throws `UsageError`. */
export function parseOptions(args: readonly string[]): Options {
  const nothing = {
    files: [],
    namespaces: [],
    force: false,
    stack: '',
    stackRegions: [],
    onlyDeclared: false,
    format: 'text',
  } as const;
  const [first, ...rest] = args;
  if (first === undefined) throw new UsageError(HELP.trimEnd());
  if (['help', '--help', '-h'].includes(first)) {
    return { ...nothing, help: isCommand(rest[0]) ? HELP_OF[rest[0]] : HELP };
  }
  if (first === '--version') return { ...nothing, help: version };
  if (!isCommand(first)) {
    const what = first.startsWith('-') ? `option ${first} before a command` : `unknown command '${first}'`;
    throw new UsageError(`${what}${didYouMean(first, Object.keys(TAKES)) || '; quicksight-users --help lists them'}`);
  }
  // Not strict, because parseArgs' own messages neither suggest the right spelling nor say where help is.
  const { values, positionals, tokens } = parseArgs({
    args: rest,
    options: {
      ...Object.fromEntries(
        Object.keys(VALUES).map((name) => [name, { type: 'string', multiple: REPEATABLE.includes(name) } as const]),
      ),
      help: { type: 'boolean', short: 'h' },
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  if (values.help) return { ...nothing, help: HELP_OF[first] };
  const known = TAKES[first];
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (!known.includes(name)) {
      const meant = didYouMean(
        rawName,
        known.map((option) => `--${option}`),
      );
      throw new UsageError(
        `${first} has no option ${rawName}${meant || `; quicksight-users ${first} --help lists them`}`,
      );
    }
    const placeholder = VALUES[name as keyof typeof VALUES];
    if (placeholder && (!value || (!token.inlineValue && value.startsWith('--'))))
      throw new UsageError(`option ${rawName} needs a value: ${rawName} ${placeholder}`);
    if (!placeholder && value !== undefined) throw new UsageError(`option ${rawName} takes no value`);
  }
  if (first === 'export' && positionals.length > 0) {
    throw new UsageError(`export reads no file: to write to '${positionals[0]}', use --output ${positionals[0]}`);
  }
  if (values.json && values.markdown) throw new UsageError('--json beside --markdown: choose one');
  const text = (name: keyof typeof VALUES) => values[name] as string | undefined;
  const account = text('account');
  if (account !== undefined && !/^\d{12}$/.test(account)) {
    throw new UsageError(`--account '${account}' is not the id of an AWS account: give its 12 digits`);
  }
  const list = (name: keyof typeof VALUES) => (values[name] as unknown as string[] | undefined) ?? [];
  for (const option of ['region', 'stack-region'] as const) {
    const [wrong] = [values[option] ?? []].flat().filter((region) => !/^[a-z]{2,4}(-[a-z]+)+-\d$/.test(String(region)));
    if (wrong !== undefined)
      throw new UsageError(`--${option} '${wrong}' is not an AWS region: give one like us-east-1`);
  }
  if (values['stack-region'] && !values.tags)
    throw new UsageError('--stack-region without --tags has no effect: add --tags');
  const stack = text('stack') ?? 'QuickSightUsers';
  if (!/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(stack)) {
    throw new UsageError(
      `--stack '${stack}' is not the name of a stack: begin with a letter, then up to 127 letters, digits and hyphens`,
    );
  }
  const output = text('output');
  const shards = text('shards');
  if (shards !== undefined && !/^[1-9]\d{0,2}$/.test(shards)) {
    throw new UsageError(`--shards '${shards}' is not a number of nested stacks: give a whole number from 1 to 400`);
  }
  return {
    command: first,
    files: positionals.length > 0 ? positionals : ['users.yaml'],
    environment: text('environment'),
    account,
    region: text('region'),
    profile: text('profile'),
    namespaces: list('namespace'),
    output: output === '-' ? undefined : output,
    force: values.force === true,
    stack,
    stackRegions: list('stack-region'),
    shards: shards === undefined ? undefined : Number(shards),
    tags: first === 'export' ? values['no-tags'] !== true : values.tags === true,
    onlyDeclared: values['only-declared'] === true,
    format: values.json ? 'json' : values.markdown ? 'markdown' : 'text',
  };
}

function isCommand(word: string | undefined): word is Command {
  return word !== undefined && Object.hasOwn(TAKES, word);
}
