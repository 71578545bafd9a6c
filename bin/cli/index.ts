import { existsSync, writeFileSync } from 'node:fs';
import { Terminal } from '../terminal';
import type { UsersDeclaration } from '../users-declaration';
import { readUsersFiles, UsersFileError } from '../users-file';
import { openAccount, type Account } from './account';
import { declarationOf } from './declaration';
import { drift, findingTable, groupsNamed, isDrift, type TagsRead } from './drift';
import { exportFile } from './export-file';
import { LiveUsers, type LiveAccount, type LiveUser } from './live-users';
import { parseOptions, UsageError, type Options } from './options';
import { count, person, printable, type Named } from './person';
import { isRefused, plan, profilesNeeded, usersInDoubt, withoutProfiles, type Plan } from './plan';
import { planMarkdown, planText } from './plan-text';
import type { ReadError } from './quicksight-reader';
import { explain } from './remedy';
import { Stacks } from './stacks';

// The SDK's advice to upgrade Node.js is no matter of who runs this.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const OK = 0;
const FAILED = 1;
const DRIFT = 2;

/** Results go to stdout; what goes on meanwhile, and what goes wrong, to stderr. */
const terminal = new Terminal(process.stderr);
const progress = (text: string) => terminal.setLive(text);

function print(text: string): void {
  terminal.setLive('');
  process.stdout.write(`${text}\n`);
}

async function run(options: Options): Promise<number> {
  switch (options.command) {
    case 'validate':
      return validate(options);
    case 'export':
      return withAccount(options, (account) => writeExport(options, account));
    case 'drift': {
      const declaration = declarationOf(options.files, options.environment);
      return withAccount(options, (account) => showDrift(options, declaration, account));
    }
    case 'plan': {
      const declaration = declarationOf(options.files, options.environment);
      return withAccount(options, (account) => showPlan(options, declaration, account));
    }
    default:
      print(options.help!.trimEnd());
      return OK;
  }
}

function validate({ files: patterns, environment, format }: Options): number {
  const { declaration, files, problems } = readUsersFiles(patterns, { environment });
  const [users, groups] = [declaration.users.length, declaration.groups.length];
  const valid = problems.length === 0;
  if (format === 'json') {
    const told = problems.map(({ place, message }) => ({ ...place, message }));
    print(JSON.stringify({ valid, files, users, groups, problems: told }, null, 2));
    return valid ? OK : FAILED;
  }
  if (!valid) throw new UsersFileError(problems);
  print(`${files.join(', ')}: ${count(users, 'user')}, ${count(groups, 'group')}, all is well`);
  return OK;
}

async function writeExport(options: Options, account: Account): Promise<number> {
  const { output, force } = options;
  if (output !== undefined && !force && existsSync(output)) {
    throw new UsageError(`${output} is there already: name another file with --output, or write over it with --force`);
  }
  const reader = new LiveUsers(account.quickSight, account.id, progress);
  const asked = options.namespaces.length > 0;
  const live = await reader.read(asked ? options.namespaces : await reader.namespaces());
  const [missing] = live.missingNamespaces;
  // One that was listed and is gone since then is no mistake of anybody.
  if (asked && missing !== undefined) {
    throw new UsageError(`--namespace '${missing}': account ${account.id} has no such namespace`);
  }
  const tags = options.tags ? await reader.tags(live.users.filter(({ arn }) => arn.startsWith('arn:'))) : new Map();
  const origin = { accountId: account.id, identityRegion: account.quickSight.region };
  const { text, users, groups, left } = exportFile(live, tags, origin);
  terminal.setLive('');
  if (output === undefined) {
    process.stdout.write(text);
    return OK;
  }
  // It holds the e-mail addresses of a whole company.
  writeFileSync(output, text, { mode: 0o600 });
  const comments =
    left > 0 ? `, and ${left} that no file can declare, as ${left === 1 ? 'a comment' : 'comments'}` : '';
  print(`${output}: ${count(users, 'user')}, ${count(groups, 'group')}${comments}`);
  return OK;
}

async function showDrift(options: Options, declaration: UsersDeclaration, account: Account): Promise<number> {
  const reader = new LiveUsers(account.quickSight, account.id, progress);
  const others = options.onlyDeclared ? [] : await otherNamespaces(reader, account);
  const live = await readDeclared(reader, declaration, others);
  const declaredNames = new Set(declaration.users.map(({ namespace, name }) => `${namespace}/${name}`));
  const tagged = live.users.filter(
    ({ arn, namespace, name }) =>
      arn.startsWith('arn:') && (!options.onlyDeclared || declaredNames.has(`${namespace}/${name}`)),
  );
  const read = options.tags ? await readTags(reader, tagged, account, options.stackRegions) : undefined;
  const findings = drift(declaration, live, { onlyDeclared: options.onlyDeclared, read });
  const drifted = findings.filter(isDrift);
  const where = `account ${account.id}, identity region ${account.quickSight.region}`;
  if (options.format === 'json') {
    print(JSON.stringify({ account: account.id, drift: drifted.length > 0, findings }, null, 2));
  } else {
    if (drifted.length > 0) print(findingTable(drifted));
    const waiting = findings
      .filter((finding) => !isDrift(finding))
      .map(({ namespace, user }) => person({ namespace, name: user }));
    if (waiting.length > 0) {
      const more = waiting.length > 10 ? `, and ${waiting.length - 10} more` : '';
      print(`Never signed in: ${printable(waiting.slice(0, 10).join(', '))}${more}`);
    }
    const verdict = drifted.length > 0 ? count(drifted.length, 'difference') : 'No drift';
    print(`${verdict}: ${count(declaration.users.length, 'user')} in the files, ${live.users.length} in ${where}`);
  }
  return drifted.length > 0 ? DRIFT : OK;
}

async function showPlan(options: Options, declaration: UsersDeclaration, account: Account): Promise<number> {
  const reader = new LiveUsers(account.quickSight, account.id, progress);
  const deployed = await new Stacks(account).deployed(options.stack, progress);
  // A user that leaves may be the last of its namespace.
  const leaving = deployed.unknown === undefined ? [...deployed.users.values()] : [];
  const made = deployed.unknown === undefined ? [...deployed.groups.values()] : [];
  const live = await readDeclared(
    reader,
    { users: declaration.users, groups: [...declaration.groups, ...made] },
    leaving.map(({ namespace }) => namespace),
  );
  const tags = await reader.tags(usersInDoubt(declaration, live, deployed));
  const planned = await withProfiles(reader, declaration, plan(declaration, live, deployed, tags), account);
  const what = `${options.stack} to account ${account.id}, ${account.region}`;
  if (options.format === 'json')
    print(JSON.stringify({ account: account.id, stack: options.stack, ...planned }, null, 2));
  else print(options.format === 'markdown' ? planMarkdown(planned, what) : planText(planned, what));
  return isRefused(planned) ? FAILED : OK;
}

/** The plan, with custom permissions that it needs and that are not there. */
async function withProfiles(
  reader: LiveUsers,
  declaration: UsersDeclaration,
  planned: Plan,
  account: Account,
): Promise<Plan> {
  try {
    return withoutProfiles(planned, await reader.missingProfiles(profilesNeeded(declaration, planned)));
  } catch (error) {
    // No more than a help: the rest of the plan holds without it.
    const warning = `whether custom permissions exist is not known: ${explain(error, account.id)}`;
    return { ...planned, warnings: [...planned.warnings, warning] };
  }
}

/** Namespaces that no file need know, and in which users may be all the same. */
async function otherNamespaces(reader: LiveUsers, account: Account): Promise<string[]> {
  try {
    return await reader.namespaces();
  } catch (error) {
    if ((error as ReadError).code !== 'AccessDeniedException') throw error;
    terminal.print(`warning: users of namespaces that no file names are not told: ${explain(error, account.id)}`);
    return [];
  }
}

/** Users of the namespaces that the files name, and of others, with the groups that the files name. */
function readDeclared(
  reader: LiveUsers,
  { users, groups }: { readonly users: UsersDeclaration['users']; readonly groups: readonly Named[] },
  others: readonly string[],
): Promise<LiveAccount> {
  const namespaces = new Set([...users, ...groups].map(({ namespace }) => namespace).concat(others));
  if (namespaces.size === 0) namespaces.add('default');
  const named = groupsNamed(users, groups);
  return reader.read([...namespaces].sort(), (namespace) => [...(named.get(namespace) ?? [])]);
}

async function readTags(
  reader: LiveUsers,
  users: readonly LiveUser[],
  account: Account,
  stackRegions: readonly string[],
): Promise<TagsRead> {
  const tags = await reader.tags(users);
  const regions = stackRegions.length > 0 ? stackRegions : [account.region];
  const holderExists = await new Stacks(account).holders(tags.values(), regions, progress).catch((error: Error) => {
    terminal.print(`warning: holders that no longer exist are not told: ${explain(error, account.id)}`);
    return undefined;
  });
  return { tags, holderExists };
}

async function withAccount(options: Options, work: (account: Account) => Promise<number>): Promise<number> {
  progress('Looking for the account');
  let account: Account | undefined;
  try {
    account = await openAccount(options);
    return await work(account);
  } catch (error) {
    throw new Error(explain(error, account?.id), { cause: error });
  } finally {
    account?.quickSight.close();
  }
}

// Whoever reads the output may have seen enough: head, less.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? OK : FAILED));

void (async () => {
  try {
    process.exitCode = await run(parseOptions(process.argv.slice(2)));
  } catch (error) {
    terminal.setLive('');
    console.error(process.env.DEBUG ? (error as Error).stack : (error as Error).message);
    process.exitCode = FAILED;
  }
})();
