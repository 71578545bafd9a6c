import { deploy, destroy } from './start/deployment';
import { EmbeddedAws, forget } from './start/embedded-aws';
import { lock } from './start/lock';
import { HELP, Options, parseOptions } from './start/options';
import { serve } from './start/serve';
import { Terminal } from '../bin/terminal';
import { userList } from './start/user-list';

/** What `npm start` runs. */
async function main(args: string[]): Promise<boolean> {
  const terminal = new Terminal(process.stdout);
  const options = parseOptions(args, process.env);
  if (options.command === 'help') {
    terminal.print(HELP.trimEnd());
    return true;
  }
  const unlock = lock(options.state);
  try {
    return await run(options, terminal);
  } finally {
    unlock();
    if (options.command === 'reset') forget(options.state);
  }
}

async function run({ command, state, port, ...source }: Options, terminal: Terminal): Promise<boolean> {
  switch (command) {
    case 'list': {
      const aws = await EmbeddedAws.start(state);
      try {
        terminal.print(await userList(aws.client, aws.quickSight.account.accountId));
      } finally {
        await aws.stop();
      }
      return true;
    }
    case 'serve':
      return serve(state, port, terminal);
    case 'destroy':
      return destroy(state, terminal);
    case 'reset':
      terminal.print(`Removed the embedded AWS in ${state}.`);
      return true;
    default:
      return deploy(source, state, terminal);
  }
}

/** A reader that goes away, as `head` does, or a full disk must not cut a deployment in half: it goes on unseen. */
function outliveOutput(): void {
  let isTold = false;
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || isTold) return;
    isTold = true;
    process.exitCode = 1;
    console.error(`the output cannot be written (${message}): the work is finished without it`);
  });
  // Where both lead to the same place, there is none left to tell.
  process.stderr.on('error', () => undefined);
}

outliveOutput();
main(process.argv.slice(2)).then(
  (succeeded) => {
    if (!succeeded) process.exitCode = 1;
  },
  (error: Error) => {
    console.error(process.env.DEBUG ? error.stack : error.message);
    process.exitCode = 1;
  },
);
