import { Stack, StackProps } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { QuickSightUsers, QuickSightUsersProps } from '../lib/index';

/** Properties of `QuickSightUsersStack`. */
export interface QuickSightUsersStackProps
  extends StackProps, Pick<QuickSightUsersProps, 'files' | 'environment' | 'shards' | 'firstShards' | 'outputs'> {}

/** The users of users files, and nothing else. Throws an error with all that is wrong with the files. */
export class QuickSightUsersStack extends Stack {
  constructor(scope: Construct, id: string, props: QuickSightUsersStackProps) {
    const { files, environment, shards, firstShards, outputs = true, ...stackProps } = props;
    super(scope, id, { description: 'Amazon QuickSight users, declared in a users file', ...stackProps });
    // An id that leaves no trace in logical ids.
    new QuickSightUsers(this, 'Default', { files, environment, shards, firstShards, outputs });
  }
}
