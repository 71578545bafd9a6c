import { App, type CfnResource, NestedStack, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { ExistingUserPolicy, ExternalLogin, QuickSightUser, UserIdentity, UserRole } from '../../lib';
import { ACCOUNT, declareAna } from './sample-user';

// The set-up of all tests switches off what is tested here.
delete process.env.CDK_VALIDATION;

function newApp(): App {
  return new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
}

test("a template with every prop passes CDK's own linter", () => {
  const app = newApp();
  const stack = new Stack(app, 'Stack', { env: { account: ACCOUNT, region: 'us-east-1' } });
  declareAna(stack, {
    namespace: 'partners',
    customPermissionsName: 'no-exports',
    externalLogin: ExternalLogin.customOidc('https://login.example.com', 'ana'),
    tags: { team: 'sales' },
    onExisting: ExistingUserPolicy.ADOPT,
    invitationVersion: '2',
    invitationSecret: new Secret(stack, 'Invitation', { encryptionKey: new Key(stack, 'Key') }),
    removalPolicy: RemovalPolicy.RETAIN,
    awsAccountId: ACCOUNT,
  });
  new QuickSightUser(new NestedStack(stack, 'Nested'), 'Carla', {
    identity: UserIdentity.iamArn(`arn:aws:iam::${ACCOUNT}:role/Data`, 'carla'),
    email: 'carla@example.com',
    userRole: UserRole.READER,
  });
  expect(() => app.synth()).not.toThrow();
});

test('the linter is switched on in this file', () => {
  const app = newApp();
  const stack = new Stack(app, 'Stack');
  const user = declareAna(stack);
  (user.node.defaultChild as CfnResource).addOverride('DeletionPolicy', 'Nonsense');
  expect(() => app.synth()).toThrow('DeletionPolicy must be one of Delete, Retain');
});
