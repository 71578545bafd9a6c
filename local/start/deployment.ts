import { isDeepStrictEqual } from 'node:util';
import { StackState } from '../cloudformation/stack-state';
import { Template, TemplateResource } from '../cloudformation/template';
import { type Source, synthesize } from './app';
import { Change, changes, isAdopting, isUser, nameIn, nameOf, userName } from './changes';
import { assemblyIn, cloudFormationIn, EmbeddedAws } from './embedded-aws';
import { deployedWithNested, withNested } from './nested-resources';
import { Progress } from './progress';
import { Style, Terminal } from '../../bin/terminal';
import { userList } from './user-list';

/** Deploys users files to the embedded AWS in the folder, and shows it. False when the deployment failed. */
export async function deploy(source: Source, folder: string, terminal: Terminal): Promise<boolean> {
  terminal.setLive('Building and synthesizing …');
  const { stack, warnings } = await synthesize(source, assemblyIn(folder)).finally(() => terminal.setLive(''));
  for (const warning of warnings) terminal.print(terminal.paint('yellow', `warning: ${warning}`));

  const cloudFormation = cloudFormationIn(folder);
  const deployed = cloudFormation.describeStack(stack.stackName);
  const before = deployedWithNested(cloudFormation.stacks(), deployed, standing);
  const after = withNested(stack);
  const isSettled = deployed !== undefined && standing(deployed) === deployed.template;
  if (isSettled && isDeepStrictEqual(deployed.template, stack.template)) {
    const users = Object.values(after.Resources).filter(isUser).length;
    terminal.print(`Nothing has changed since the last deployment: ${count(users, 'user')}, nothing was called.`);
    terminal.print(`Edit ${source.users} and run npm start again, or show the users with npm start list.`);
    return true;
  }

  const planned = changes(before, after);
  printChanges(planned, terminal);

  const inTheWay = deployedWithNested(cloudFormation.stacks(), deployed, ({ template }) => template);
  const resources = { ...inTheWay.Resources, ...before.Resources, ...after.Resources };
  return operate(folder, resources, terminal, async (aws, progress) => {
    await prepareNamespaces(after, aws, terminal);
    terminal.print(terminal.paint('bold', `\nDeploying ${stack.stackName}`));
    if (deployed && isUnsettled(deployed)) {
      terminal.print(`The last run left it in ${deployed.status}, which is settled first. That can take a minute:`);
      terminal.print(
        'a user whose registration was cut short may still appear, and is waited for before it is deleted.',
      );
    }
    const [start, calls] = [Date.now(), aws.quickSight.calls.length];
    const [result] = await aws.cloudFormation.deploy(assemblyIn(folder));
    progress.end();
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    const effort = `${seconds} s, ${count(aws.quickSight.calls.length - calls, 'call')} to QuickSight`;

    if (result?.succeeded) {
      const did = summary(planned, registeredBefore(start, aws));
      terminal.print(terminal.paint('green', `\nDone: ${did} (${effort}).`));
      printLeftBehind(progress, terminal);
      printOutputs(stack.template, result.outputs, terminal);
      return true;
    }
    terminal.print(terminal.paint('red', `\nThe deployment failed and ended in ${result?.status} (${effort}):`));
    printFailures(progress, result?.reason, terminal);
    return false;
  });
}

/** Deletes the stack of the embedded AWS in the folder. False when that failed. */
export async function destroy(folder: string, terminal: Terminal): Promise<boolean> {
  const cloudFormation = cloudFormationIn(folder);
  const stack = cloudFormation.stacks().find(({ parentId }) => parentId === undefined);
  if (!stack) {
    terminal.print('Nothing is deployed.');
    return true;
  }
  const { Resources } = deployedWithNested(cloudFormation.stacks(), stack, ({ template }) => template);
  return operate(folder, Resources, terminal, async (aws, progress) => {
    terminal.print(terminal.paint('bold', `Deleting ${stack.stackName}`));
    const result = await aws.cloudFormation.destroy(stack.stackName);
    progress.end();
    if (!result?.succeeded) {
      terminal.print(terminal.paint('red', `\nThe deletion failed and ended in ${result?.status}:`));
      printFailures(progress, result?.reason, terminal);
    }
    for (const id of progress.retained) printRetained(Resources[id], terminal);
    return result?.succeeded === true;
  });
}

/** Starts the embedded AWS for one piece of work, and shows the users that there are afterwards. */
async function operate(
  folder: string,
  resources: Template['Resources'],
  terminal: Terminal,
  work: (aws: EmbeddedAws, progress: Progress) => Promise<boolean>,
): Promise<boolean> {
  const progress = new Progress(terminal, (id) => {
    const resource = resources[id];
    return (resource && nameOf(resource)) ?? id;
  });
  const aws = await EmbeddedAws.start(folder, { onEvent: progress.onEvent });
  const release = finishOnInterrupt(aws, terminal);
  try {
    const succeeded = await work(aws, progress);
    terminal.print(terminal.paint('bold', '\nUsers in QuickSight'));
    terminal.print(await userList(aws.client, aws.quickSight.account.accountId));
    return succeeded;
  } finally {
    progress.end();
    release();
    await aws.stop();
  }
}

/** What the next deployment starts from: of a stack that was left half-way, what it will be rolled back to first. */
function standing(stack: StackState): Template {
  if (['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE'].includes(stack.status)) return stack.template;
  return stack.previous?.template ?? { Resources: {} };
}

/** Whether a run was stopped half-way, or failed in a way that the next one tries again. */
function isUnsettled({ status }: StackState): boolean {
  return /IN_PROGRESS$|ROLLBACK_FAILED$/.test(status);
}

/** A namespace is no part of the stack: in a real account somebody has made it before. */
async function prepareNamespaces({ Resources }: Template, aws: EmbeddedAws, terminal: Terminal): Promise<void> {
  const users = Object.values(Resources).filter(isUser);
  const made = await aws.ensureNamespaces(new Set(users.map(({ Properties }) => String(Properties?.Namespace))));
  if (made.length === 0) return;
  const [what, must] = made.length === 1 ? ['namespace', 'has'] : ['namespaces', 'have'];
  terminal.print(`\nMade the ${what} ${made.join(', ')}, which ${must} to exist in a real account.`);
}

/**
 * Ctrl-C during a deployment lets it finish, as CloudFormation would. The second one ends it half-way, with the state of
 * that moment on disk: the next deployment rolls back from there.
 */
function finishOnInterrupt(aws: EmbeddedAws, terminal: Terminal): () => void {
  let interrupts = 0;
  const onInterrupt = () => {
    if (++interrupts === 1) terminal.print('Finishing the deployment first; Ctrl-C again stops it half-way.');
    else void aws.stop().finally(() => process.exit(130));
  };
  process.on('SIGINT', onInterrupt);
  return () => process.removeListener('SIGINT', onInterrupt);
}

const STYLES: Readonly<Record<Change['mark'], Style>> = { '+': 'green', '~': 'yellow', '-': 'red' };

function printChanges(planned: readonly Change[], terminal: Terminal): void {
  terminal.print(terminal.paint('bold', 'Changes'));
  for (const { mark, text } of planned) terminal.print(`  ${terminal.paint(STYLES[mark], mark)} ${text}`);
  if (planned.length === 0) terminal.print('  none in users, only in the outputs or the text of the template');
}

/** Not every failure is one of a resource: outputs fail, and stacks that nothing can be deployed to. */
function printFailures({ failures }: Progress, reason = 'no reason given', terminal: Terminal): void {
  for (const failure of failures.length ? failures : [reason]) terminal.print(terminal.paint('red', `  ${failure}`));
}

/** A clean-up that fails does not fail the deployment: CloudFormation gives up after three attempts. */
function printLeftBehind({ failures }: Progress, terminal: Terminal): void {
  if (failures.length === 0) return;
  terminal.print(terminal.paint('yellow', 'Left behind, because the clean-up could not delete it:'));
  for (const failure of new Set(failures)) terminal.print(terminal.paint('yellow', `  ${failure}`));
}

function printRetained(resource: TemplateResource | undefined, terminal: Terminal): void {
  if (!isUser(resource)) return;
  terminal.print(`\n${userName(resource)} stays in QuickSight, because its removalPolicy is retain. A new deployment`);
  terminal.print(
    isAdopting(resource)
      ? 'adopts it, because its onExisting is adopt.'
      : 'refuses to take it over: set its onExisting to adopt, delete the user, or start over with npm start reset.',
  );
}

/** Names of the users that QuickSight has had since before that time. */
function registeredBefore(time: number, { quickSight }: EmbeddedAws): ReadonlySet<string> {
  const users = quickSight.users().filter(({ registeredAt }) => registeredAt < time);
  return new Set(users.map((user) => nameIn(user.namespace, user.userName)));
}

/** How many users were added, changed and removed; a new one that existed before was adopted. */
function summary(planned: readonly Change[], existed: ReadonlySet<string>): string {
  const users = (mark: Change['mark']) =>
    planned.flatMap((change) => (change.mark === mark ? (change.user ?? []) : []));
  const adopted = users('+').filter((user) => existed.has(user)).length;
  const parts = [
    [users('+').length - adopted, 'added'],
    [adopted, 'adopted'],
    [users('~').length, 'changed'],
    [users('-').length, 'removed'],
  ].filter(([number]) => number !== 0);
  if (parts.length === 0) return 'no user changed';
  const [[first, did], ...rest] = parts as [[number, string], ...[number, string][]];
  return [`${count(first, 'user')} ${did}`, ...rest.map((part) => part.join(' '))].join(', ');
}

/** The outputs, each user's together: by what they refer to, because CloudFormation's own names for them are no reading. */
function printOutputs(template: Template, values: Readonly<Record<string, string>>, terminal: Terminal): void {
  const byUser = new Map<string, string[]>();
  for (const [name, { Value }] of Object.entries(template.Outputs ?? {})) {
    const [id, attribute] = (Value as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'];
    const user = userName(template.Resources[id]!);
    const lines = byUser.get(user) ?? [];
    byUser.set(user, [...lines, `    ${attribute.padEnd(13)}  ${values[name]}`]);
  }
  if (byUser.size === 0) return;
  terminal.print(terminal.paint('bold', '\nOutputs'));
  for (const [user, lines] of byUser) terminal.print([`  ${user}`, ...lines].join('\n'));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
