import { CfnResource, CustomResource, type Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId, Provider } from 'aws-cdk-lib/custom-resources';
import { QuickSightUser, UserIdentity, UserRole } from '../lib/index';
import { RESOURCE_TYPE } from '../lib/private/user-resource';
import { userProperties } from './lambda-stage';

/** Declares users of these names in a stack. */
export type Declare = (stack: Stack, names: readonly string[]) => void;

/** With this package. */
export function declareUsers(stack: Stack, names: readonly string[]): void {
  for (const name of names) {
    new QuickSightUser(stack, name, {
      identity: UserIdentity.quickSight(name),
      email: `${name}@example.com`,
      userRole: UserRole.READER,
    });
  }
}

/** With an AwsCustomResource each. */
export function declareAwsCustomResources(stack: Stack, names: readonly string[]): void {
  for (const name of names) {
    const { ServiceToken: _, RootStackId: __, ...parameters } = userProperties(name);
    const key = { AwsAccountId: parameters.AwsAccountId, Namespace: 'default', UserName: name };
    const service = 'QuickSight';
    const physicalResourceId = PhysicalResourceId.fromResponse('User.Arn');
    new AwsCustomResource(stack, name, {
      onCreate: { service, action: 'registerUser', parameters, physicalResourceId },
      onDelete: { service, action: 'deleteUser', parameters: key },
      policy: AwsCustomResourcePolicy.fromSdkCalls({ resources: AwsCustomResourcePolicy.ANY_RESOURCE }),
      installLatestAwsSdk: false,
    });
  }
}

/** With a function of one's own behind CDK's Provider framework. */
export function declareBehindProvider(stack: Stack, names: readonly string[]): void {
  const onEventHandler = new lambda.Function(stack, 'UserFunction', {
    runtime: lambda.Runtime.NODEJS_22_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => ({});'),
    initialPolicy: [new PolicyStatement({ actions: ['quicksight:RegisterUser'], resources: ['*'] })],
  });
  const { serviceToken } = new Provider(stack, 'Provider', { onEventHandler });
  for (const name of names) {
    new CustomResource(stack, name, { serviceToken, properties: userProperties(name) });
  }
}

/** As resources that check and know nothing, and that no function stands behind. */
export function declareBareResources(stack: Stack, names: readonly string[]): void {
  for (const name of names) new CfnResource(stack, name, { type: RESOURCE_TYPE, properties: userProperties(name) });
}
