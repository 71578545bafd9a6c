import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedQuickSight } from '../../../local/quicksight';
import { HERE, clientOf, quickSightUser, start, stopAll, until } from './client';

afterEach(stopAll);

describe('the state file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'quicksight-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('keeps everything over a restart', async () => {
    const stateFile = join(folder, 'made/on/demand/state.json');
    const first = await EmbeddedQuickSight.start({ stateFile });
    const client = clientOf(first);
    await client.createNamespace({ ...HERE, Namespace: 'sales', IdentityStore: 'QUICKSIGHT' });
    await client.createCustomPermissions({ ...HERE, CustomPermissionsName: 'no-export' });
    await client.createGroup({ ...HERE, Namespace: 'sales', GroupName: 'g' });
    await client.registerUser(quickSightUser('ana', { Namespace: 'sales', Tags: [{ Key: 'a', Value: 'b' }] }));
    await client.createGroupMembership({ ...HERE, Namespace: 'sales', GroupName: 'g', MemberName: 'ana' });
    const [users, groups] = [first.users(), first.groups()];
    expect(users).toMatchObject([{ userName: 'ana', tags: { a: 'b' }, groups: ['g'] }]);
    await first.stop();

    const { quickSight, client: again } = await start({ stateFile });
    expect([quickSight.users(), quickSight.groups()]).toEqual([users, groups]);
    await again.describeCustomPermissions({ ...HERE, CustomPermissionsName: 'no-export' });
    expect(quickSight.calls).toHaveLength(1);
  });

  test('is written soon after a change, whole, and readable by its owner only', async () => {
    const stateFile = join(folder, 'state.json');
    const { client } = await start({ stateFile });
    for (let i = 0; i < 20; i++) await client.registerUser(quickSightUser(`user-${i}`));
    const saved = () => (existsSync(stateFile) ? JSON.parse(readFileSync(stateFile, 'utf8')).state.users.length : 0);
    await until(() => saved() === 20);
    expect(statSync(stateFile).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['state.json']);
  });

  test('is left alone by calls that change nothing', async () => {
    const stateFile = join(folder, 'state.json');
    const quickSight = await EmbeddedQuickSight.start({ stateFile });
    await clientOf(quickSight).listUsers(HERE);
    await quickSight.stop();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(['{', '{"version": 0}', 'null'])(
    'that holds %s is an error that names it and the way out',
    async (text) => {
      const stateFile = join(folder, 'state.json');
      writeFileSync(stateFile, text);
      await expect(EmbeddedQuickSight.start({ stateFile })).rejects.toThrow(
        new RegExp(`${stateFile}.*start over with npm start reset, or remove it$`),
      );
    },
  );

  test('is emptied by a reset, as are calls and faults', async () => {
    const { quickSight, client } = await start({ stateFile: join(folder, 'state.json') });
    await client.registerUser(quickSightUser('ana'));
    quickSight.faults.add({ kind: 'throttle' });
    quickSight.reset();
    expect([quickSight.users(), quickSight.calls]).toEqual([[], []]);
    expect((await client.listUsers(HERE)).UserList).toEqual([]);
  });
});
