import { App } from 'aws-cdk-lib';
import { QuickSightUsersStack } from './quicksight-users-stack';
import { UsersFileError } from './users-file';

/*
 * The app that cdk.json runs. Context: `users` is the path of the users file (users.yaml), `stackName` the name of the
 * stack (QuickSightUsers).
 *
 * The stack is bound to no account and region: the template is the same on every machine, so that a review of
 * `cdk diff` holds for whoever deploys, and the CLI deploys it to where the credentials point.
 */
const app = new App({ autoSynth: false });

const stackName: string = app.node.tryGetContext('stackName') || 'QuickSightUsers';
const usersFile: string = app.node.tryGetContext('users') || 'users.yaml';

if (/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(stackName)) {
  try {
    new QuickSightUsersStack(app, stackName, { usersFile });
    app.synth();
  } catch (error) {
    if (!(error instanceof UsersFileError)) throw error;
    refuse(error.message);
  }
} else {
  refuse(`stack name '${stackName}' cannot be used: begin with a letter, then up to 127 letters, digits and hyphens`);
}

/** The message alone: a stack trace would bury what the author of the file has to do. */
function refuse(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
