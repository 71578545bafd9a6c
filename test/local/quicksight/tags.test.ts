import { quickSightUser, refusal, start, stopAll } from './client';

afterEach(stopAll);

describe('tags', () => {
  const ResourceArn = 'arn:aws:quicksight:us-east-1:111122223333:user/default/ana/b c+é';
  const withUser = async () => {
    const started = await start();
    await started.client.registerUser(quickSightUser('ana/b c+é', { Tags: [{ Key: 'a', Value: '1' }] }));
    return started;
  };

  test('are added, overwritten and removed by key, whatever the characters', async () => {
    const { quickSight, client } = await withUser();
    await client.tagResource({
      ResourceArn,
      Tags: [
        { Key: 'a', Value: '2' },
        { Key: 'k &=+/é', Value: 'v' },
      ],
    });
    expect((await client.listTagsForResource({ ResourceArn })).Tags).toHaveLength(2);
    expect(quickSight.user('default', 'ana/b c+é')!.tags).toEqual({ a: '2', 'k &=+/é': 'v' });
    await client.untagResource({ ResourceArn, TagKeys: ['k &=+/é', 'a', 'absent'] });
    expect((await client.listTagsForResource({ ResourceArn })).Tags).toEqual([]);
  });

  test.each<[string, { Key: string; Value: string }[]]>([
    ['an empty list', []],
    ['an empty key', [{ Key: '', Value: 'v' }]],
    ['a key of 129 characters', [{ Key: 'k'.repeat(129), Value: 'v' }]],
    ['an empty value', [{ Key: 'k', Value: '' }]],
    ['a value of 257 characters', [{ Key: 'k', Value: 'v'.repeat(257) }]],
    [
      'a key twice',
      [
        { Key: 'k', Value: '1' },
        { Key: 'k', Value: '2' },
      ],
    ],
    ['a reserved key', [{ Key: 'aws:k', Value: 'v' }]],
  ])('%s is refused, on TagResource and RegisterUser alike', async (_, Tags) => {
    const { client } = await withUser();
    const calls = [client.tagResource({ ResourceArn, Tags }), client.registerUser(quickSightUser('bert', { Tags }))];
    for (const refused of await Promise.all(calls.map(refusal))) {
      expect(refused).toMatchObject({ name: 'InvalidParameterValueException', status: 400 });
    }
  });

  test('keys of 128 and values of 256 characters fit', async () => {
    const { client } = await withUser();
    await client.tagResource({ ResourceArn, Tags: [{ Key: 'k'.repeat(128), Value: 'v'.repeat(256) }] });
  });

  test('a user has at most 50', async () => {
    const { client } = await withUser();
    const tags = (count: number) => Array.from({ length: count }, (_, i) => ({ Key: `k${i}`, Value: 'v' }));
    await client.tagResource({ ResourceArn, Tags: tags(49) });
    const tooMany = [
      client.tagResource({ ResourceArn, Tags: [{ Key: 'one more', Value: 'v' }] }),
      client.registerUser(quickSightUser('bert', { Tags: tags(51) })),
    ];
    for (const refused of await Promise.all(tooMany.map(refusal)))
      expect(refused).toMatchObject({ name: 'LimitExceededException', status: 409 });
    await client.tagResource({ ResourceArn, Tags: tags(1) });
  });

  test('removing no key at all is refused', async () => {
    const { client } = await withUser();
    expect(await refusal(client.untagResource({ ResourceArn, TagKeys: [] }))).toMatchObject({ status: 400 });
  });

  test.each([
    ['no-arn', 'InvalidParameterValueException'],
    ['arn:aws-cn:quicksight:us-east-1:111122223333:user/default/ana', 'InvalidParameterValueException'],
    ['arn:aws:quicksight:us-west-2:111122223333:user/default/ana', 'InvalidParameterValueException'],
    ['arn:aws:quicksight:us-east-1:111122223333:group/default/ana', 'InvalidParameterValueException'],
    ['arn:aws:quicksight:us-east-1:111122220000:user/default/ana', 'AccessDeniedException'],
    ['arn:aws:quicksight:us-east-1:111122223333:user/nowhere/ana', 'ResourceNotFoundException'],
  ])('%s cannot be tagged: %s', async (arn, name) => {
    const { client } = await withUser();
    expect(await refusal(client.listTagsForResource({ ResourceArn: arn }))).toMatchObject({ name });
  });
});
