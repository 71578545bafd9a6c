import { parseArgs } from 'node:util';
import { didYouMean } from '../../bin/did-you-mean';

export const HELP = `Amazon QuickSight users on an AWS that runs on this machine. Nothing leaves it, and no account is needed.

  npm start                 deploy users.yaml and show the users; again after each edit
  npm start list            show the users that QuickSight has now
  npm start serve           offer QuickSight to quicksight-users, the AWS CLI and any SDK, until Ctrl-C
  npm start destroy         delete the stack, and the users with it
  npm start reset           forget everything: remove the embedded AWS with all its users

Options stand after two dashes, as in: npm start -- --users team.yaml

  --users FILE              another users file than users.yaml, or a pattern such as 'teams/*.yaml'
  --environment NAME        the variant of the users file to deploy, where it has some
  --shards N                how many nested stacks share the users; without it: none up to 490 users, then 32
  --first-shards N          leave out the users of all nested stacks but the first so many
  --state FOLDER            another place for the embedded AWS than .local-aws
  --port N                  port of serve; without it: 8787
  --help                    this text
`;

const COMMANDS = ['deploy', 'list', 'serve', 'destroy', 'reset', 'help'] as const;
export type Command = (typeof COMMANDS)[number];

export interface Options {
  readonly command: Command;
  readonly users: string;
  readonly environment?: string;
  readonly shards?: string;
  readonly firstShards?: string;
  readonly state: string;
  readonly port?: number;
}

/** A command line that makes no sense: the message is for the person who typed it. */
export class UsageError extends Error {}

const OPTIONS = {
  users: { type: 'string' },
  environment: { type: 'string' },
  shards: { type: 'string' },
  'first-shards': { type: 'string' },
  state: { type: 'string' },
  port: { type: 'string' },
  help: { type: 'boolean' },
} as const;

const PLACEHOLDERS = {
  users: 'FILE',
  environment: 'NAME',
  shards: 'N',
  'first-shards': 'N',
  state: 'FOLDER',
  port: 'N',
  help: undefined,
};

/** What the command line asks for. Throws `UsageError`. */
export function parseOptions(args: string[], environment: NodeJS.ProcessEnv = {}): Options {
  // npm keeps options without the two dashes before them to itself, and passes them on in the environment only.
  const swallowed = Object.keys(OPTIONS).find((name) => environment[`npm_config_${name.replace('-', '_')}`]);
  if (swallowed) {
    throw new UsageError(`--${swallowed} went to npm: put two dashes before it, as in npm start -- --${swallowed} …`);
  }
  // Not strict, because parseArgs' own messages neither suggest the right spelling nor say where help is.
  const { values, positionals, tokens } = parseArgs({
    args,
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (!(token.name in OPTIONS)) {
      const meant = didYouMean(
        token.rawName,
        Object.keys(OPTIONS).map((name) => `--${name}`),
      );
      throw new UsageError(`unknown option ${token.rawName}${meant || '; npm start -- --help lists them'}`);
    }
    const placeholder = PLACEHOLDERS[token.name as keyof typeof OPTIONS];
    if (placeholder && !token.value) {
      throw new UsageError(`option ${token.rawName} needs a value: ${token.rawName} ${placeholder}`);
    }
    if (!placeholder && token.value !== undefined) throw new UsageError(`option ${token.rawName} takes no value`);
  }
  const text = (name: keyof typeof OPTIONS) => values[name] as string | undefined;
  const [command = 'deploy', surplus] = positionals;
  if (!isCommand(command)) {
    throw new UsageError(
      `unknown command '${command}'${didYouMean(command, COMMANDS) || '; npm start -- --help lists them'}`,
    );
  }
  if (surplus !== undefined) throw new UsageError(`'${surplus}' after '${command}': one command at a time`);
  return {
    command: values.help ? 'help' : command,
    users: String(values.users ?? 'users.yaml'),
    environment: text('environment'),
    shards: text('shards'),
    firstShards: text('first-shards'),
    state: String(values.state ?? '.local-aws'),
    port: values.port === undefined ? undefined : portNumber(String(values.port)),
  };
}

function isCommand(word: string): word is Command {
  return (COMMANDS as readonly string[]).includes(word);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new UsageError(`--port '${text}' is not a port: use a number from 1 to 65535`);
  }
  return port;
}
