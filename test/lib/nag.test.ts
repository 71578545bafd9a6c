import { App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { QuickSightUserProvider } from '../../lib';
import { declareAna } from './sample-user';

// The set-up of all tests switches off what is tested here.
delete process.env.CDK_VALIDATION;

const WILDCARD =
  'AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:quicksight:us-east-1:<AWS::AccountId>:user/default/*]';

function newApp(): { app: App; provider: QuickSightUserProvider } {
  const app = new App();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stack = new Stack(app, 'Stack');
  const provider = new QuickSightUserProvider(stack, 'Users', { namespaces: ['default'], identityRegion: 'us-east-1' });
  declareAna(stack, { provider });
  return { app, provider };
}

test('cdk-nag finds one thing: the permission names a namespace, not its users', () => {
  const { app } = newApp();
  expect(() => app.synth()).toThrow(WILDCARD);
});

test('cdk-nag finds nothing beside it', () => {
  const { app, provider } = newApp();
  Validations.of(provider).acknowledge({
    id: WILDCARD,
    reason:
      'Permissions must not derive from the declared users: CloudFormation changes policies before it deletes what was ' +
      'removed, so a role that knows only the users still declared could not delete the others.',
  });
  expect(() => app.synth()).not.toThrow();
});
