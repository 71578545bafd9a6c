import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEvent } from '../lambda/event';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { ExistingUserPolicy, ExternalLogin, QuickSightUser, UserIdentity, UserRole } from '../lib';

/*
 * The wire contract only grows: whatever a release once wrote into a template comes back in OldResourceProperties, in
 * roll-backs and in Deletes, long after the library was upgraded. Each file in fixtures/wire holds what one release
 * wrote. Files are added, never changed.
 */

const FIXTURES = path.join(__dirname, 'fixtures', 'wire');
const releases = readdirSync(FIXTURES)
  .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  .map((file) => [file.replace('.json', ''), path.join(FIXTURES, file)] as const);

/** What this version writes, in the order of the newest fixture. */
function written(): Record<string, unknown>[] {
  const stack = new Stack(new App(), 'Wire', { env: { account: '111122223333', region: 'us-east-1' } });
  const common = { email: 'ana@example.com', userRole: UserRole.AUTHOR };
  new QuickSightUser(stack, 'Least', { ...common, identity: UserIdentity.quickSight('ana') });
  new QuickSightUser(stack, 'IamUser', {
    ...common,
    identity: UserIdentity.iamArn('arn:aws:iam::111122223333:user/bob'),
  });
  new QuickSightUser(stack, 'IamRole', {
    ...common,
    identity: UserIdentity.iamArn('arn:aws:iam::111122223333:role/DataTeam', 'carla'),
    externalLogin: ExternalLogin.cognito('us-east-1:pool'),
  });
  new QuickSightUser(stack, 'IdentityCenter', { ...common, identity: UserIdentity.identityCenter('dario') });
  new QuickSightUser(stack, 'Most', {
    ...common,
    identity: UserIdentity.quickSight('elif'),
    namespace: 'partners',
    customPermissionsName: 'no-exports',
    externalLogin: ExternalLogin.customOidc('https://login.example.com', 'elif-1'),
    groups: ['finance', 'analysts'],
    tags: { team: 'sales' },
    onExisting: ExistingUserPolicy.ADOPT,
    invitationVersion: '2',
    invitationSecret: Secret.fromSecretCompleteArn(
      stack,
      'Secret',
      'arn:aws:secretsmanager:us-east-1:111122223333:secret:elif-AbCdEf',
    ),
  });
  const resources = Template.fromStack(stack).findResources('Custom::QuickSightUser');
  return Object.values(resources).map(({ Properties: { ServiceToken: _, ...properties } }) => ({
    ...properties,
    // What a pseudo parameter resolves to, and CloudFormation's strings for scalars.
    RootStackId: 'arn:aws:cloudformation:us-east-1:111122223333:stack/Wire/11111111-2222-3333-4444-555555555555',
    ServiceTimeout: String(properties.ServiceTimeout),
  }));
}

test('this version writes what the newest sample holds', () => {
  const newest = releases.at(-1)!;
  expect(written()).toEqual(JSON.parse(readFileSync(newest[1], 'utf8')));
});

describe.each(releases)('a resource written by release %s', (_, file) => {
  const samples: Record<string, unknown>[] = JSON.parse(readFileSync(file, 'utf8'));

  test.each(samples.map((properties) => [`${properties.UserName ?? properties.IamArn}`, properties] as const))(
    'is understood in every event: %s',
    (_, properties) => {
      const event = (more: object) =>
        parseEvent({
          RequestId: 'r',
          StackId: 's',
          LogicalResourceId: 'l',
          ...more,
        } as CloudFormationCustomResourceEvent);
      const { ServiceTimeout: _timeout, ...parsed } = properties;
      expect(event({ RequestType: 'Create', ResourceProperties: properties }).properties).toEqual(parsed);
      const PhysicalResourceId = 'p';
      const update = event({
        RequestType: 'Update',
        PhysicalResourceId,
        ResourceProperties: properties,
        OldResourceProperties: properties,
      });
      expect(update).toMatchObject({ properties: parsed, oldProperties: parsed });
      expect(event({ RequestType: 'Delete', PhysicalResourceId, ResourceProperties: properties }).properties).toEqual(
        parsed,
      );
    },
  );
});
