import { once } from 'node:events';
import { ACCOUNT_ID, EmbeddedAws, REGION } from './embedded-aws';
import { UsageError } from './options';
import { Terminal } from '../../bin/terminal';

const DEFAULT_PORT = 8787;

/** Offers QuickSight and the stacks of the folder to other programs until Ctrl-C. */
export async function serve(folder: string, port = DEFAULT_PORT, terminal: Terminal): Promise<true> {
  const aws = await EmbeddedAws.start(folder, { port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new UsageError(`port ${port} is in use: choose another one with npm start -- serve --port N`);
  });
  const { stacksEndpoint } = aws.cloudFormation;
  await stacksEndpoint.listen();
  terminal.print(
    `QuickSight of account ${ACCOUNT_ID} is at ${aws.quickSight.url} until Ctrl-C. In another terminal:\n`,
  );
  for (const [name, value] of Object.entries({
    AWS_ENDPOINT_URL_QUICKSIGHT: aws.quickSight.url,
    AWS_ENDPOINT_URL_CLOUDFORMATION: stacksEndpoint.url,
    AWS_ACCOUNT_ID: ACCOUNT_ID,
    AWS_REGION: REGION,
    // What version 1 of the AWS CLI reads instead.
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  })) {
    terminal.print(process.platform === 'win32' ? `  $env:${name} = '${value}'` : `  export ${name}=${value}`);
  }
  terminal.print(`  aws quicksight list-users --aws-account-id ${ACCOUNT_ID} --namespace default`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await aws.stop();
  return true;
}
