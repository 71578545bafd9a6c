import { App } from 'aws-cdk-lib';
import { QuickSightUsersStack } from './quicksight-users-stack';

/*
 * The app that cdk.json runs. Context:
 *
 *   users        the users file, or a pattern such as teams/*.yaml (users.yaml)
 *   environment  which of the variants in the files applies; required once they list some
 *   stackName    the name of the stack (QuickSightUsers)
 *   shards       how many nested stacks share the users (none up to 490 users, then 32)
 *   firstShards  leaves out all nested stacks but the first so many (none)
 *   outputs      false: no ARNs and invitation URLs among the outputs, which the CLI prints (true)
 *
 * The stack is bound to no account and region: the template is the same on every machine, so that a review of
 * `cdk diff` holds for whoever deploys, and the CLI deploys it to where the credentials point.
 */
const app = new App({ autoSynth: false });

/** Something in the context that makes no sense. */
class Refusal extends Error {}

const stackName = text('stackName') ?? 'QuickSightUsers';

if (/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(stackName)) {
  try {
    new QuickSightUsersStack(app, stackName, {
      files: [text('users') ?? 'users.yaml'],
      environment: text('environment'),
      shards: number('shards'),
      firstShards: number('firstShards'),
      outputs: truth('outputs'),
    });
    app.synth();
  } catch (error) {
    if (!isForThePerson(error)) throw error;
    refuse(error.message);
  }
} else {
  refuse(`stack name '${stackName}' cannot be used: begin with a letter, then up to 127 letters, digits and hyphens`);
}

/** A value of the context; what is given as -c name= is not given. */
function text(name: string): string | undefined {
  const value: string | number | boolean | undefined = app.node.tryGetContext(name);
  return value === undefined || value === '' ? undefined : String(value);
}

function number(name: string): number | undefined {
  const value = text(name);
  if (value !== undefined && !/^\d+$/.test(value)) throw new Refusal(`${name} '${value}' is not a whole number`);
  return value === undefined ? undefined : Number(value);
}

function truth(name: string): boolean | undefined {
  const value = text(name);
  if (value !== undefined && value !== 'true' && value !== 'false') {
    throw new Refusal(`${name} '${value}' is neither true nor false`);
  }
  return value === undefined ? undefined : value === 'true';
}

/** Mistakes in the files and in what was given beside them. */
function isForThePerson(error: unknown): error is Error {
  return (
    error instanceof Refusal ||
    (error instanceof Error && (error.name === 'UsersFileError' || /^QuickSightUsers \S+: /.test(error.message)))
  );
}

/** The message alone: a stack trace would bury what the author of the file has to do. */
function refuse(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
