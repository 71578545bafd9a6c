import { ana, ANA_ARN, bob, carla, OTHER_STACK_ID, Stage } from './custom-resource';

/*
 * Deletes that know their user. Who may be deleted at all, and Deletes without a known id: ownership.test.ts.
 */

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.strike());

const THEIRS = { StackId: OTHER_STACK_ID, LogicalResourceId: 'Theirs' };
const CARLA = 'DataTeam/carla@example.com';

/** Registers so many users that others come on the second page. */
async function crowd(): Promise<void> {
  stage.quickSight.account.iamIdentity = (arn) => `AIDA0000${arn.split('-').pop()}`;
  const arn = (i: number) => `arn:aws:iam::111122223333:user/one-of-many-${i}`;
  await Promise.all(Array.from({ length: 130 }, (_, i) => stage.byHand({ IdentityType: 'IAM', IamArn: arn(i) })));
  stage.quickSight.account.iamIdentity = undefined;
}

test('D1 the last holder says that it goes, looks, and deletes the user', async () => {
  const { PhysicalResourceId } = await stage.create();
  stage.calls();
  const answer = await stage.remove(PhysicalResourceId);
  expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
  expect(stage.calls()).toEqual(['ListTagsForResource', 'TagResource', 'ListTagsForResource', 'DeleteUser']);
  expect(stage.userNames()).toEqual([]);
});

test('D1 properties that no longer fit the physical id are not asked', async () => {
  const { PhysicalResourceId } = await stage.create();
  await stage.byHand({ UserName: 'anna' });
  for (const properties of [{ ...ana, UserName: 'anna' }, {}]) {
    expect(await stage.remove(PhysicalResourceId, properties)).toMatchObject({ Status: 'SUCCESS' });
  }
  expect(stage.userNames()).toEqual(['anna']);
});

test.each([
  ['the user', () => stage.quickSight.deleteUser('default', 'ana')],
  ['the subscription', () => (stage.quickSight.account.subscribed = false)],
])('D2 when %s is gone already there is nothing to do', async (_, setUp) => {
  const { PhysicalResourceId } = await stage.create();
  setUp();
  expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
});

test('D2 when the namespace is gone already there is nothing to do', async () => {
  const id = `${ANA_ARN.replace('/default/', '/gone/')};user/d-1/x`;
  expect(await stage.remove(id, { ...ana, Namespace: 'gone' })).toMatchObject({ Status: 'SUCCESS' });
});

test('D2 a user that goes after the first look is gone', async () => {
  const { PhysicalResourceId } = await stage.create();
  for (const last of ['TagResource', 'DeleteUser']) {
    await stage.remove(
      PhysicalResourceId,
      ana,
      {},
      {
        onCall: ({ operation }) => {
          if (operation === last && stage.user()) stage.quickSight.deleteUser('default', 'ana');
          return undefined;
        },
      },
    );
    expect(await stage.create()).toMatchObject({ Status: 'SUCCESS' });
  }
});

test('D3 comes as often as it likes', async () => {
  const { PhysicalResourceId } = await stage.create();
  for (let i = 0; i < 3; i++) expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
});

test.each([
  ['user', bob],
  ['role', carla],
])('D4 a user whose IAM %s was deleted before is found on any page by its principal, and deleted', async (_, who) => {
  await crowd();
  const { PhysicalResourceId } = await stage.create(who);
  stage.quickSight.removeIamIdentity(who.IamArn!);
  expect(stage.userNames()).toContain('N/A');
  stage.calls();
  expect(await stage.remove(PhysicalResourceId, who)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
  expect(stage.calls()).toEqual(['ListTagsForResource', 'ListUsers', 'ListUsers', 'DeleteUserByPrincipalId']);
  expect(stage.userNames()).not.toContain('N/A');
  expect(stage.userNames()).toHaveLength(130);
});

test('D4 a user without a name that is not ours stays', async () => {
  const { PhysicalResourceId } = await stage.create(bob);
  await stage.create(carla, { LogicalResourceId: 'Carla' });
  stage.quickSight.removeIamIdentity(carla.IamArn!);
  stage.quickSight.deleteUser('default', 'bob');
  expect(await stage.remove(PhysicalResourceId, bob)).toMatchObject({ Status: 'SUCCESS' });
  expect(stage.userNames()).toEqual(['N/A']);
});

test('D4 two Deletes of a user without a name both succeed', async () => {
  const { PhysicalResourceId } = await stage.create(bob);
  stage.quickSight.removeIamIdentity(bob.IamArn!);
  const answers = await Promise.all([1, 2].map(() => stage.remove(PhysicalResourceId, bob)));
  expect(answers).toMatchObject([{ Status: 'SUCCESS' }, { Status: 'SUCCESS' }]);
  expect(stage.userNames()).toEqual([]);
});

test('D18 the former row of an IAM role that was deleted, made again and registered anew goes as well', async () => {
  const { PhysicalResourceId } = await stage.create(carla);
  stage.quickSight.removeIamIdentity(carla.IamArn!);
  const again = await stage.update(PhysicalResourceId, { ...carla, Email: 'new@example.com' }, carla);
  expect(again).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
  expect(stage.userNames()).toEqual([CARLA, 'N/A']);
  expect(await stage.remove(PhysicalResourceId, carla)).toMatchObject({ Status: 'SUCCESS' });
  expect(stage.userNames()).toEqual([]);
});

test('D18 also when the user under the same name is somebody else’s by now, who stays', async () => {
  const { PhysicalResourceId } = await stage.create(carla);
  stage.quickSight.removeIamIdentity(carla.IamArn!);
  await stage.create({ ...carla, RootStackId: OTHER_STACK_ID }, THEIRS);
  expect(await stage.remove(PhysicalResourceId, carla)).toMatchObject({ Status: 'SUCCESS' });
  expect(stage.userNames()).toEqual([CARLA]);
});

test('D12 a Delete that is refused, or throttled to the deadline, is no success, and can be repeated', async () => {
  const { PhysicalResourceId } = await stage.create();
  for (const operation of ['ListTagsForResource', 'TagResource', 'DeleteUser']) {
    const limit = stage.quickSight.faults.add({ operation, kind: 'error', code: 'LimitExceededException' });
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'FAILED', PhysicalResourceId });
    expect(limit.hits).toBe(1);
    const throttle = stage.quickSight.faults.add({ operation, kind: 'throttle', times: Infinity });
    const failed = await stage.remove(PhysicalResourceId, ana, {}, { timeLeft: 300 });
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId });
    expect(failed.Reason).toMatch(new RegExp(`^${operation} failed: ThrottlingException`));
    throttle.remove();
    expect(stage.userNames()).toEqual(['ana']);
  }
  expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
  expect(stage.userNames()).toEqual([]);
});

test('D14 a user that was retained is nobody’s to delete, and declared again becomes ours to keep', async () => {
  // No Delete comes for it; the next Create of the same resource finds it.
  const retained = await stage.create();
  stage.age();
  stage.begin('UPDATE_IN_PROGRESS');
  expect(await stage.create()).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: retained.PhysicalResourceId });
  stage.turn('DELETE_IN_PROGRESS');
  expect(await stage.remove(retained.PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
  expect(stage.userNames()).toEqual(['ana']);
});

test('D16 a denial is reported with its remedy, and is no success', async () => {
  const { PhysicalResourceId } = await stage.create();
  const message =
    'User: x is not authorized to perform: quicksight:DeleteUser because no identity-based policy allows it';
  stage.quickSight.faults.add({
    operation: 'DeleteUser',
    kind: 'error',
    code: 'AccessDeniedException',
    message,
    times: Infinity,
  });
  const failed = await stage.remove(PhysicalResourceId);
  expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId });
  expect(failed.Reason).toMatch(/^DeleteUser failed: AccessDeniedException.*provider's role lacks the permission/);
});

test('D19 a known id in an account that lost its users’ management to IAM Identity Center is no false success', async () => {
  const { PhysicalResourceId } = await stage.create();
  stage.quickSight.account.identityCenter = true;
  expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'FAILED', PhysicalResourceId });
  stage.quickSight.account.identityCenter = false;
  expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
});
