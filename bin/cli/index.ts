import { isOddEmail } from '../../lib/private/validate';
import { printable, Terminal } from '../terminal';
import type { UsersDeclaration } from '../users-declaration';
import { problemText, readUsersFiles, UsersFileError, type Problem } from '../users-file';
import { openAccount, type Account } from './account';
import { declarationOf } from './declaration';
import { drift, findingTable, groupsNamed, isDrift, type TagsRead } from './drift';
import { exportFile } from './export-file';
import { LiveUsers, type LiveAccount, type LiveUser } from './live-users';
import { parseOptions, UsageError, type Options } from './options';
import { OutputFile } from './output-file';
import { count, person, type Named } from './person';
import { isRefused, plan, usersInDoubt, type Plan } from './plan';
import { profilesInDoubt, withProfiles } from './plan-shared';
import { planMarkdown, planText } from './plan-text';
import type { ReadError } from './quicksight-reader';
import { explain } from './remedy';
import { isDenied, Stacks, type Deployed } from './stacks';

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

/** Checks the files: without an environment, in each of those that they list. */
function validate({ files: patterns, environment, format }: Options): number {
  const first = readUsersFiles(patterns, { environment });
  const inEach = environment === undefined && first.environments.length > 0;
  const read = inEach
    ? first.environments.map((name) => ({ environment: name, ...readUsersFiles(patterns, { environment: name }) }))
    : [{ environment, ...first }];
  const { files } = first;
  const problems = distinct(read.flatMap((one) => one.problems));
  const warnings = distinct(read.flatMap(({ declaration }) => oddAddresses(declaration)));
  const valid = problems.length === 0;
  const declared = read.map(({ environment: name, declaration: { users, groups } }) => ({
    environment: name,
    users: users.length,
    groups: groups.length,
  }));
  if (format === 'json') {
    const told = (found: readonly Problem[]) => found.map(({ place, message }) => ({ ...place, message }));
    const result = { valid, files, declared, problems: told(problems), warnings: told(warnings) };
    print(JSON.stringify(result, null, 2));
    return valid ? OK : FAILED;
  }
  for (const warning of warnings) terminal.print(`warning: ${problemText(warning)}`);
  if (!valid) throw new UsersFileError(problems);
  for (const { environment: name, users, groups } of declared) {
    const where = inEach ? `${files.join(', ')} in ${name}` : files.join(', ');
    print(`${where}: ${count(users, 'user')}, ${count(groups, 'group')}, all is well`);
  }
  return OK;
}

/** QuickSight takes any address, but a misspelt one helps nobody. */
function oddAddresses({ users }: UsersDeclaration): Problem[] {
  return users
    .filter(({ email }) => isOddEmail(email))
    .map(({ email, place }) => ({
      place,
      message: `e-mail address '${email}' has an unusual form: check its spelling`,
    }));
}

function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

async function writeExport(options: Options, account: Account): Promise<number> {
  const output = options.output === undefined ? undefined : new OutputFile(options.output, options.force);
  const reader = new LiveUsers(account.quickSight, account.id, progress);
  const asked = options.namespaces.length > 0;
  const live = await reader.read(asked ? options.namespaces : await reader.namespaces());
  // One that was listed and is gone since then is no mistake of anybody.
  if (asked && live.missingNamespaces.length > 0) {
    const names = live.missingNamespaces.map((name) => `'${name}'`).join(', ');
    throw new UsageError(`--namespace ${names}: not in account ${account.id}; leave it out, or correct the name`);
  }
  const tags = options.tags ? await reader.tags(live.users.filter(({ arn }) => arn.startsWith('arn:'))) : new Map();
  const origin = { accountId: account.id, identityRegion: account.quickSight.region };
  const { text, users, groups, left } = exportFile(live, tags, origin);
  terminal.setLive('');
  if (output === undefined) {
    process.stdout.write(text);
    return OK;
  }
  output.write(text);
  const comments =
    left > 0 ? `, and ${left} that no file can declare, as ${left === 1 ? 'a comment' : 'comments'}` : '';
  print(`${output.file}: ${count(users, 'user')}, ${count(groups, 'group')}${comments}`);
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
    print(
      JSON.stringify(
        { account: account.id, identityRegion: account.quickSight.region, drift: drifted.length > 0, findings },
        null,
        2,
      ),
    );
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
  const planned = await checkProfiles(
    reader,
    declaration,
    deployed,
    plan(declaration, live, deployed, tags, options.shards),
    account,
  );
  const isNew = deployed.unknown === undefined && deployed.stackId === undefined;
  const stack = isNew ? `${options.stack}, a new stack,` : options.stack;
  const what = `${stack} to account ${account.id}, ${account.region}`;
  if (options.format === 'json') {
    const about = { account: account.id, identityRegion: account.quickSight.region, stack: options.stack };
    print(JSON.stringify({ ...about, refused: isRefused(planned), ...planned }, null, 2));
  } else print(options.format === 'markdown' ? planMarkdown(planned, what) : planText(planned, what));
  return isRefused(planned) ? FAILED : OK;
}

async function checkProfiles(
  reader: LiveUsers,
  declaration: UsersDeclaration,
  deployed: Deployed,
  planned: Plan,
  account: Account,
): Promise<Plan> {
  try {
    const missing = await reader.missingProfiles(profilesInDoubt(declaration, planned, deployed));
    return withProfiles(planned, declaration, deployed, missing);
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
    if (!isDenied(error)) throw error;
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

process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // Whoever reads the output may have seen enough: head, less. The exit code is still to come.
  if (code === 'EPIPE') return;
  console.error(`the result cannot be written: ${message}`);
  process.exit(FAILED);
});

void (async () => {
  try {
    process.exitCode = await run(parseOptions(process.argv.slice(2)));
  } catch (error) {
    terminal.setLive('');
    console.error(process.env.DEBUG ? (error as Error).stack : (error as Error).message);
    process.exitCode = FAILED;
  }
})();
