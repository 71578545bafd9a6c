import { App, Stack, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AwsSolutionsChecks } from 'cdk-nag';
import { QuickSightUserProvider } from '../../lib';
import { declareAna } from './sample-user';

// The set-up of all tests switches off what is tested here.
delete process.env.CDK_VALIDATION;

const WHY_NOT_THE_USERS =
  'Permissions must not derive from the declared users: CloudFormation changes policies before it deletes what was ' +
  'removed, so a role that knows only the users still declared could not delete the others.';

const account = (service: string, region: string) => `arn:<AWS::Partition>:${service}:${region}:<AWS::AccountId>`;

const USERS: Wildcard = [`${account('quicksight', 'us-east-1')}:user/default/*`, WHY_NOT_THE_USERS];
const GROUPS: Wildcard = [`${account('quicksight', 'us-east-1')}:group/default/*`, WHY_NOT_THE_USERS];
const STACKS: Wildcard = [
  `${account('cloudformation', '<AWS::Region>')}:stack/*`,
  'Reads the status of the stacks that users are declared in, whichever those are.',
];
const SECRETS: Wildcard = [
  `${account('secretsmanager', '*')}:secret:*`,
  `Only secrets with the tag cdk-quicksight-users:invitation-secret. ${WHY_NOT_THE_USERS}`,
];
const KEYS: Wildcard = [`${account('kms', '*')}:key/*`, 'Only through Secrets Manager, so only for those secrets.'];

/** What a permission allows, and why that is no less. */
type Wildcard = readonly [resource: string, reason: string];

const idOf = ([resource]: Wildcard) => `AwsSolutions::AwsSolutions-IAM5[Resource::${resource}]`;

function newApp(listsSecrets: boolean, acknowledged: readonly Wildcard[]): App {
  const app = new App();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stack = new Stack(app, 'Stack');
  const arn = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:ana-AbCdEf';
  const invitationSecret = Secret.fromSecretCompleteArn(stack, 'Invitation', arn);
  const provider = new QuickSightUserProvider(stack, 'Users', {
    namespaces: ['default'],
    identityRegion: 'us-east-1',
    invitationSecrets: listsSecrets ? [invitationSecret] : undefined,
  });
  declareAna(stack, { provider, invitationSecret });
  for (const wildcard of acknowledged) {
    Validations.of(provider).acknowledge({ id: idOf(wildcard), reason: wildcard[1] });
  }
  return app;
}

describe.each([
  ['by default', false, [USERS, GROUPS, STACKS, SECRETS, KEYS]],
  ['with a list of secrets', true, [USERS, GROUPS, STACKS]],
])('%s, cdk-nag', (_, listsSecrets, wildcards) => {
  test.each(wildcards.map((wildcard) => [wildcard[0], wildcard] as const))(
    'finds the wildcard in %s',
    (_, wildcard) => {
      const others = wildcards.filter((other) => other !== wildcard);
      expect(() => newApp(listsSecrets, others).synth()).toThrow(idOf(wildcard));
    },
  );

  test('finds nothing else', () => {
    expect(() => newApp(listsSecrets, wildcards).synth()).not.toThrow();
  });
});
