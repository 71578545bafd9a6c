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

try {
  new QuickSightUsersStack(app, app.node.tryGetContext('stackName') ?? 'QuickSightUsers', {
    usersFile: app.node.tryGetContext('users') ?? 'users.yaml',
  });
  app.synth();
} catch (error) {
  if (!(error instanceof UsersFileError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
