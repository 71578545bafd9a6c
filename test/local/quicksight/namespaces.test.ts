import { HERE, quickSightUser, refusal, start, stopAll } from './client';

afterEach(stopAll);
afterEach(() => jest.restoreAllMocks());

describe('namespaces', () => {
  const sales = { ...HERE, Namespace: 'sales', IdentityStore: 'QUICKSIGHT' as const };

  test('a namespace has users of its own and takes them along', async () => {
    const { quickSight, client } = await start();
    expect(await client.createNamespace(sales)).toMatchObject({
      Status: 201,
      Name: 'sales',
      Arn: 'arn:aws:quicksight:us-east-1:111122223333:namespace/sales',
      CapacityRegion: 'us-east-1',
      CreationStatus: 'CREATED',
    });
    expect(await refusal(client.createNamespace(sales))).toMatchObject({
      name: 'ResourceExistsException',
      status: 409,
    });
    await client.registerUser(quickSightUser('ana'));
    const { User } = await client.registerUser(quickSightUser('ana', { Namespace: 'sales' }));
    expect(User!.Arn).toBe('arn:aws:quicksight:us-east-1:111122223333:user/sales/ana');
    expect((await client.listNamespaces(HERE)).Namespaces).toMatchObject([{ Name: 'default' }, { Name: 'sales' }]);
    await client.deleteNamespace(sales);
    expect(quickSight.users().map(({ namespace }) => namespace)).toEqual(['default']);
  });

  test('a new one is not usable before it is created, a deleted one is emptied in the end', async () => {
    const { quickSight, client } = await start({ namespaceDelayMs: 20_000 });
    const later = (ms: number) => jest.spyOn(Date, 'now').mockReturnValue(started + ms);
    const started = Date.now();
    later(0);
    expect((await client.createNamespace(sales)).CreationStatus).toBe('CREATING');
    const register = () => client.registerUser(quickSightUser('ana', { Namespace: 'sales' }));
    expect(await refusal(register())).toMatchObject({ name: 'PreconditionNotMetException', status: 400 });
    later(20_000);
    expect((await client.describeNamespace(sales)).Namespace!.CreationStatus).toBe('CREATED');
    await register();
    await client.deleteNamespace(sales);
    expect((await client.describeNamespace(sales)).Namespace!.CreationStatus).toBe('DELETING');
    expect(quickSight.users()).toHaveLength(1);
    later(40_000);
    expect(quickSight.users()).toEqual([]);
  });

  test('a missing one is named, with the account', async () => {
    const { client } = await start();
    const nowhere = { ...HERE, Namespace: 'nowhere' };
    const calls = [
      client.registerUser(quickSightUser('ana', nowhere)),
      client.describeUser({ ...nowhere, UserName: 'ana' }),
      client.listUsers(nowhere),
      client.createGroup({ ...nowhere, GroupName: 'g' }),
      client.describeNamespace(nowhere),
      client.deleteNamespace(nowhere),
    ];
    for (const refused of await Promise.all(calls.map(refusal))) {
      expect(refused).toEqual({
        name: 'ResourceNotFoundException',
        status: 404,
        message: 'Namespace nowhere not found in account 111122223333.',
      });
    }
  });

  test('the default one cannot be deleted', async () => {
    const { client } = await start();
    expect(await refusal(client.deleteNamespace(HERE))).toMatchObject({ name: 'InvalidParameterValueException' });
  });
});
