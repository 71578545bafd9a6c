import { HERE, refusal, start, stopAll } from './client';

afterEach(stopAll);

test('custom permissions are created, described, listed, updated and deleted', async () => {
  const { client } = await start();
  const profile = { AwsAccountId: HERE.AwsAccountId, CustomPermissionsName: 'no-export' };
  const Arn = 'arn:aws:quicksight:us-east-1:111122223333:custompermissions/no-export';
  expect((await client.createCustomPermissions({ ...profile, Capabilities: { ExportToCsv: 'DENY' } })).Arn).toBe(Arn);
  expect(await refusal(client.createCustomPermissions(profile))).toMatchObject({ name: 'ResourceExistsException' });
  const described = { Arn, CustomPermissionsName: 'no-export', Capabilities: { ExportToCsv: 'DENY' } };
  expect((await client.describeCustomPermissions(profile)).CustomPermissions).toEqual(described);
  expect((await client.listCustomPermissions(profile)).CustomPermissionsList).toEqual([described]);
  await client.updateCustomPermissions({ ...profile, Capabilities: { ShareDashboards: 'DENY' } });
  expect((await client.describeCustomPermissions(profile)).CustomPermissions).toEqual({
    ...described,
    Capabilities: { ShareDashboards: 'DENY' },
  });
  await client.deleteCustomPermissions(profile);
  expect(await refusal(client.describeCustomPermissions(profile))).toMatchObject({ name: 'ResourceNotFoundException' });
});
