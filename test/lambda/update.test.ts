import { CreateGroupCommand, QuickSightClient } from '@aws-sdk/client-quicksight';
import { randomUUID } from 'node:crypto';
import { ACCOUNT, ana, ANA_ARN, bob, carla, OTHER_STACK_ID, Stage, tag } from './custom-resource';

let stage: Stage;
/** Physical id of the user that a test begins with. */
let id: string;
beforeEach(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.strike());

/** A user of an earlier deployment, and an update that begins. */
async function begin(properties: object = ana): Promise<void> {
  const { PhysicalResourceId, Data } = await stage.create(properties);
  id = PhysicalResourceId;
  stage.age(Data!.UserName, Data!.Arn.split('/')[1]);
  stage.begin('UPDATE_IN_PROGRESS');
  stage.calls();
}

const author = { ...ana, UserRole: 'AUTHOR' };
const renamed = { ...ana, UserName: 'anna' };
const iamAna = { ...bob, IamArn: `arn:aws:iam::${ACCOUNT}:user/ana` };
const THEIRS = { StackId: OTHER_STACK_ID, LogicalResourceId: 'Theirs' };
const cognito = { ExternalLoginFederationProviderType: 'COGNITO', ExternalLoginId: 'pool:1' };
const oidc = {
  ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
  CustomFederationProviderUrl: 'https://login.example.com',
  ExternalLoginId: 'ana',
};

describe('in place', () => {
  test.each([
    ['ServiceTimeout', { ServiceTimeout: '60' }],
    ['U22 onExisting', { OnExisting: 'ADOPT' }],
    ['a property that a later release may write', { Colour: 'blue' }],
  ])('U1 %s changed: nothing is called, and every attribute is answered', async (_, change) => {
    await begin();
    const answer = await stage.update(id, { ...ana, ...change });
    expect(answer).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: id,
      Data: { Arn: ANA_ARN, UserName: 'ana', PrincipalId: stage.user()!.principalId, InvitationUrl: 'unavailable' },
    });
    expect(await stage.update(id, ana, { ...ana, ...change })).toMatchObject({ Status: 'SUCCESS', Data: answer.Data });
    expect(stage.calls()).toEqual([]);
  });

  test('U1 nothing at all changed: QuickSight is not called, whatever is live', async () => {
    await begin();
    stage.quickSight.setRole('default', 'ana', 'AUTHOR');
    expect(await stage.update(id, ana, ana)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.calls()).toEqual(['DescribeStacks']);
  });

  test.each([
    ['READER', 'ADOPT', 'U22 OnExisting of ADOPT and FAIL alike'],
    ['READER', 'FAIL', 'U22 OnExisting of FAIL, written out'],
  ])('an event with role %s and OnExisting %s is understood: %s', async (_, OnExisting) => {
    await begin();
    expect(await stage.update(id, { ...ana, OnExisting })).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.calls()).toEqual([]);
  });

  test('U2 a new e-mail costs two calls', async () => {
    await begin();
    expect(await stage.update(id, { ...ana, Email: 'new@example.com' })).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: id,
    });
    expect(stage.user()).toMatchObject({ email: 'new@example.com', role: 'READER' });
    expect(stage.calls()).toEqual(['DescribeUser', 'UpdateUser']);
  });

  test('U2 a new e-mail that the user has already costs one', async () => {
    await begin({ ...ana, Email: 'new@example.com' });
    expect(await stage.update(id, { ...ana, Email: 'new@example.com' })).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.calls()).toEqual(['DescribeUser']);
  });

  test.each([
    ['READER', 'AUTHOR'],
    ['READER', 'READER_PRO'],
    ['READER_PRO', 'READER'],
    ['READER_PRO', 'ADMIN'],
    ['AUTHOR', 'ADMIN_PRO'],
    ['ADMIN', 'AUTHOR'],
    ['AUTHOR_PRO', 'AUTHOR'],
  ])('U3 a role goes from %s to %s in place', async (from, to) => {
    await begin({ ...ana, UserRole: from });
    const { principalId } = stage.user()!;
    expect(await stage.update(id, { ...ana, UserRole: to }, { ...ana, UserRole: from })).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: id,
    });
    expect(stage.user()).toMatchObject({ role: to, principalId });
    expect(stage.calls()).toEqual(['DescribeUser', 'UpdateUser']);
  });

  test('U6 a role that was raised out of band is kept when the template does not change it', async () => {
    await begin();
    stage.quickSight.setRole('default', 'ana', 'ADMIN');
    expect(await stage.update(id, { ...ana, Email: 'new@example.com' })).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()).toMatchObject({ email: 'new@example.com', role: 'ADMIN' });
    expect(stage.calls()).toEqual(['DescribeUser', 'UpdateUser']);
  });

  test('U7 tags alone are untagged and tagged, and neither strangers’ nor ours are touched', async () => {
    const before = { ...ana, Tags: [tag('gone', 'was-here'), tag('kept', 'is-here'), tag('changed', 'first')] };
    await begin(before);
    stage.quickSight.setTags('default', 'ana', { ...stage.user()!.tags, strangers: 'theirs' });
    const ours = stage.holders();
    await stage.update(
      id,
      { ...ana, Tags: [tag('kept', 'is-here'), tag('changed', 'second'), tag('new', 'x')] },
      before,
    );
    expect(stage.calls()).toEqual(['UntagResource', 'TagResource']);
    expect(stage.user()!.tags).toMatchObject({ kept: 'is-here', changed: 'second', new: 'x', strangers: 'theirs' });
    expect(stage.user()!.tags).not.toHaveProperty('gone');
    expect(stage.holders()).toEqual(ours);
  });

  test('U7 all tags are removed with one call, the only one', async () => {
    const before = { ...ana, Tags: [tag('one', 'was-here'), tag('two', 'was-here')] };
    await begin(before);
    await stage.update(id, ana, before);
    expect(stage.calls()).toEqual(['UntagResource']);
    expect(Object.keys(stage.user()!.tags)).toEqual([expect.stringContaining('held-by')]);
  });

  test('U9 custom permissions are set, changed and removed', async () => {
    await begin();
    const steps = [undefined, 'p', 'q', undefined];
    for (let i = 1; i < steps.length; i++) {
      const [before, after] = [steps[i - 1], steps[i]];
      await stage.update(id, { ...ana, CustomPermissionsName: after }, { ...ana, CustomPermissionsName: before });
      expect(stage.user()!.customPermissionsName).toBe(after);
    }
    expect(stage.quickSight.calls.at(-1)!.members).toContain('UnapplyCustomPermissions');
  });

  test('U9 custom permissions that somebody set by hand are not touched by another change', async () => {
    await begin();
    await stage.update(id, { ...ana, CustomPermissionsName: 'p' });
    await stage.update(id, { ...ana, Email: 'new@example.com' });
    expect(stage.user()!.customPermissionsName).toBe('p');
  });

  test('U10 an external login is set, moved to another provider, back, and cleared', async () => {
    await begin();
    const logins = [{}, cognito, oidc, cognito, {}];
    const expected = [
      undefined,
      { type: 'COGNITO', id: 'pool:1' },
      { type: 'CUSTOM_OIDC', url: 'https://login.example.com', id: 'ana' },
      { type: 'COGNITO', id: 'pool:1' },
      undefined,
    ];
    for (let i = 1; i < logins.length; i++) {
      const answer = await stage.update(id, { ...ana, ...logins[i] }, { ...ana, ...logins[i - 1] });
      expect(answer.Status).toBe('SUCCESS');
      expect(stage.user()!.externalLogin).toEqual(expected[i] && expect.objectContaining(expected[i]));
    }
  });

  test('U10 only the id of an external login changes', async () => {
    await begin({ ...ana, ...cognito });
    await stage.update(id, { ...ana, ...cognito, ExternalLoginId: 'pool:2' }, { ...ana, ...cognito });
    expect(stage.user()!.externalLogin).toMatchObject({ type: 'COGNITO', id: 'pool:2' });
  });

  test.each(['Arn', 'UserName', 'PrincipalId'])(
    'C28 a DescribeUser that answers without %s makes no answer without it',
    async (name) => {
      await begin();
      const { principalId: PrincipalId } = stage.user()!;
      const User = { Arn: ANA_ARN, UserName: 'ana', PrincipalId, IdentityType: 'QUICKSIGHT', [name]: undefined };
      stage.quickSight.faults.add({ operation: 'DescribeUser', kind: 'answer', members: { User } });
      expect(await stage.update(id, { ...ana, Email: 'new@example.com' })).toMatchObject({
        Status: 'FAILED',
        PhysicalResourceId: id,
        Reason: `QuickSight answered with ${name} missing`,
      });
    },
  );

  test.each([
    ['nothing at all', {}],
    ['what release 0.1.0 wrote', { ...ana, RootStackId: undefined }],
    ['values of other types', { ...ana, Email: 5, Tags: 'none', GroupNames: ['a'] }],
  ])('U23 old properties that hold %s are understood', async (_, old) => {
    await begin();
    const declared = { ...author, Email: 'new@example.com', Tags: [tag('team', 'sales')] };
    expect(await stage.update(id, declared, old)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user()).toMatchObject({ role: 'AUTHOR', email: 'new@example.com', tags: { team: 'sales' } });
  });

  test.each(['', 'Ana1234ABCD', 'none:1', 'maybe:1', 'arn:aws:iam::111122223333:user/ana;x', `${ANA_ARN}`])(
    'U24 physical id "%s" is not ours: fails without a call',
    async (physicalId) => {
      expect(await stage.update(physicalId, ana)).toMatchObject({ Status: 'FAILED' });
      expect(stage.calls()).toEqual([]);
    },
  );

  test('U25 another account is refused with the reason', async () => {
    await begin();
    const failed = await stage.update(id, { ...ana, AwsAccountId: '444455556666' });
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(failed.Reason).toMatch(/cannot move from account 111122223333 to 444455556666/);
    expect(stage.calls()).toEqual([]);
  });
});

describe('down to a reader', () => {
  const reasons: [string, object, () => unknown, RegExp][] = [
    ['has been active', author, () => stage.quickSight.setActive('default', 'ana'), /activated/],
    [
      'is held by another resource, too',
      author,
      () => stage.create({ ...author, RootStackId: OTHER_STACK_ID, OnExisting: 'ADOPT' }, THEIRS),
      /another resource holds it/,
    ],
    ['has an IAM identity', { ...iamAna, UserRole: 'AUTHOR' }, () => undefined, /identity type IAM/],
  ];

  test.each(reasons)(
    'U4 a user who %s is refused before any change, with the reason',
    async (_, old, setUp, reason) => {
      await begin(old);
      await setUp();
      const before = stage.user();
      stage.calls();
      const failed = await stage.update(
        id,
        { ...old, UserRole: 'READER', Email: 'new@example.com', Tags: [tag('a', 'b')] },
        old,
      );
      expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
      expect(failed.Reason).toMatch(/user "ana" is AUTHOR and cannot become READER/);
      expect(failed.Reason).toMatch(reason);
      expect(stage.user()).toEqual(before);
    },
  );

  test('U4 an adopted user is refused before any change', async () => {
    await stage.byHand({ UserRole: 'AUTHOR' });
    await begin({ ...author, OnExisting: 'ADOPT' });
    const before = stage.user();
    expect(await stage.update(id, { ...ana, OnExisting: 'ADOPT' }, author)).toMatchObject({ Status: 'FAILED' });
    expect(stage.user()).toEqual(before);
  });

  test('U4 a user who was never active is deleted and registered, under the same id, with all tags', async () => {
    const old = { ...author, CustomPermissionsName: 'p', Tags: [tag('team', 'old'), tag('gone', 'was-here')] };
    await begin(old);
    stage.quickSight.setTags('default', 'ana', { ...stage.user()!.tags, strangers: 'theirs' });
    const { principalId } = stage.user()!;
    const declared = { ...ana, CustomPermissionsName: 'p', Tags: [tag('team', 'sales')] };
    const answer = await stage.update(id, declared, old);
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(answer.Data!.InvitationUrl).toMatch(/^https:/);
    expect(answer.Data!.PrincipalId).toBe(stage.user()!.principalId);
    expect(stage.user()!.principalId).not.toBe(principalId);
    const { tags, ...user } = stage.user()!;
    expect(user).toMatchObject({ role: 'READER', customPermissionsName: 'p' });
    expect(tags).toMatchObject({ team: 'sales', strangers: 'theirs' });
    expect(tags).not.toHaveProperty('gone');
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
    await stage.remove(id, declared);
    expect(stage.userNames()).toEqual([]);
  });

  test('U5 in a roll-back the role is left where it cannot go back, the rest goes back, and the log says so', async () => {
    await begin();
    stage.quickSight.setActive('default', 'ana');
    const changed = { ...author, Email: 'new@example.com', Tags: [tag('team', 'sales')] };
    await stage.update(id, changed);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, ana, changed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user()).toMatchObject({ role: 'AUTHOR', email: 'ana@example.com' });
    expect(stage.user()!.tags).not.toHaveProperty('team');
    expect(stage.log.join('\n')).toMatch(/roll-back: .*skipped/);
  });

  test('U5 in a roll-back a user who was never active is given the role back', async () => {
    await begin();
    await stage.update(id, author);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, ana, author)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user()).toMatchObject({ role: 'READER' });
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
  });

  test('U5 a stack that cannot be read is taken for one that goes forward', async () => {
    await begin(author);
    stage.quickSight.setActive('default', 'ana');
    stage.stacks.clear();
    expect(await stage.update(id, ana, author)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(stage.user()).toMatchObject({ role: 'AUTHOR' });
  });
});

describe('another name', () => {
  test.each<[string, object, object, string]>([
    ['another user name', ana, renamed, 'anna'],
    ['another session', carla, { ...carla, SessionName: 'carl' }, 'DataTeam/carl'],
    ['another IAM user', bob, { ...bob, IamArn: `arn:aws:iam::${ACCOUNT}:user/ben` }, 'ben'],
    ['another identity type and name', ana, bob, 'bob'],
  ])('U11 %s is registered first; the clean-up Delete takes the old one', async (_, old, declared, name) => {
    await begin(old);
    const [oldName] = stage.userNames() as [string];
    const answer = await stage.update(id, declared, old);
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { UserName: name } });
    expect(answer.PhysicalResourceId).not.toBe(id);
    expect(stage.calls()).toEqual(['RegisterUser']);
    expect(stage.userNames()).toEqual([name, oldName].sort());
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    await stage.remove(id, old);
    expect(stage.userNames()).toEqual([name]);
  });

  test('U12 a rename that rolls back leaves the old user as declared before', async () => {
    await begin();
    const before = stage.user();
    const declared = { ...renamed, UserRole: 'AUTHOR', Email: 'new@example.com' };
    const { PhysicalResourceId: newId } = await stage.update(id, declared);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(newId, ana, declared)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    stage.turn('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    await stage.remove(newId, declared);
    expect(stage.quickSight.users()).toEqual([before]);
  });

  test('U13 a clean-up Delete that was given up harms no later deployment', async () => {
    await begin();
    const { PhysicalResourceId: newId } = await stage.update(id, renamed);
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    const limit = { kind: 'error', code: 'LimitExceededException' } as const;
    stage.quickSight.faults.add({ operation: 'DeleteUser', ...limit, times: 3 });
    for (let i = 0; i < 3; i++) expect(await stage.remove(id)).toMatchObject({ Status: 'FAILED' });

    stage.begin('UPDATE_IN_PROGRESS');
    stage.age();
    stage.age('anna');
    expect(await stage.update(newId, { ...renamed, Email: 'new@example.com' }, renamed)).toMatchObject({
      Status: 'SUCCESS',
    });
    // Back to the name that was left behind: it is taken like an adopted one, so that a roll-back would not delete it.
    expect(await stage.update(newId, ana, renamed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    await stage.remove(newId, renamed);
    expect(stage.userNames()).toEqual(['ana']);
  });

  test('a rename to a name that somebody else has fails with the old id', async () => {
    await begin();
    await stage.create({ ...renamed, RootStackId: OTHER_STACK_ID }, THEIRS);
    const theirs = stage.user('anna');
    expect(await stage.update(id, renamed)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, ana, renamed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user('anna')).toEqual(theirs);
  });

  test('U11 a rename with ADOPT adopts, and its roll-back gives the user back as it was', async () => {
    const before = await stage.byHand({ UserName: 'anna', UserRole: 'AUTHOR', CustomPermissionsName: 'theirs' });
    await begin();
    const declared = { ...renamed, UserRole: 'ADMIN', OnExisting: 'ADOPT' };
    const { PhysicalResourceId: newId, Status } = await stage.update(id, declared);
    expect(Status).toBe('SUCCESS');
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    await stage.update(newId, ana, declared);
    stage.turn('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    await stage.remove(newId, declared);
    expect(stage.user('anna')).toMatchObject({ role: 'AUTHOR', customPermissionsName: 'theirs' });
    expect(stage.user('anna')!.principalId).toBe(before.principalId);
    expect(stage.holders('anna')).toEqual([]);
  });

  test('two resources of a stack swap their names', async () => {
    const other = { LogicalResourceId: 'Anna' };
    await begin();
    const { PhysicalResourceId: otherId } = await stage.create(renamed, other);
    const first = await stage.update(id, renamed);
    const second = await stage.update(otherId, ana, renamed, other);
    expect([first, second]).toMatchObject([
      { Status: 'SUCCESS', PhysicalResourceId: otherId },
      { Status: 'SUCCESS', PhysicalResourceId: id },
    ]);
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    await stage.remove(id, ana);
    await stage.remove(otherId, renamed, other);
    expect(stage.holders()).toEqual(['Anna']);
    expect(stage.holders('anna')).toEqual(['Ana1234ABCD']);
  });

  test('U18 a repeated rename registers once', async () => {
    await begin();
    const RequestId = randomUUID();
    const first = await stage.update(id, renamed, ana, { RequestId });
    const second = await stage.update(id, renamed, ana, { RequestId });
    expect(second).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: first.PhysicalResourceId });
    expect(stage.userNames()).toEqual(['ana', 'anna']);
  });

  test('U18 a rename whose answer from QuickSight was lost registers once', async () => {
    await begin();
    stage.quickSight.faults.add({ operation: 'RegisterUser', kind: 'reset', when: 'after' });
    const answer = await stage.update(id, renamed);
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { PrincipalId: stage.user('anna')!.principalId } });
    expect(stage.userNames()).toEqual(['ana', 'anna']);
  });
});

describe('half-way', () => {
  test('U19 a failed update answers with the old id, and its roll-back brings the old state', async () => {
    await begin();
    stage.quickSight.faults.add({ operation: 'TagResource', kind: 'error', code: 'LimitExceededException' });
    const changed = { ...ana, Email: 'new@example.com', Tags: [tag('team', 'sales')] };
    expect(await stage.update(id, changed)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, ana, changed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user()!.email).toBe('ana@example.com');
  });

  test('U19 a rename that failed after registering: its roll-back deletes the new user', async () => {
    await begin();
    const before = stage.user();
    const declared = { ...renamed, InvitationSecretArn: stage.secret() };
    stage.secretsManager.faults.add({ kind: 'error', code: 'AccessDeniedException', message: 'explicit deny' });
    expect(await stage.update(id, declared)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(stage.userNames()).toEqual(['ana', 'anna']);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, ana, declared)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.quickSight.users()).toEqual([before]);
  });

  test('U19 a rename that failed after taking over: its roll-back lets go of the other user, as it was', async () => {
    await begin();
    await stage.create({ ...renamed, UserRole: 'AUTHOR' }, { LogicalResourceId: 'Anna' });
    stage.age('anna');
    const before = stage.quickSight.users();
    const declared = { ...renamed, UserRole: 'ADMIN' };
    stage.quickSight.faults.add({ operation: 'UpdateUser', kind: 'error', code: 'LimitExceededException' });
    expect(await stage.update(id, declared)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, ana, declared)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.quickSight.users()).toEqual(before);
  });

  test('U19 a roll-back that stops half-way is finished by the next', async () => {
    await begin();
    const before = stage.user();
    const declared = { ...renamed, InvitationSecretArn: stage.secret() };
    stage.secretsManager.faults.add({ kind: 'error', code: 'AccessDeniedException', message: 'explicit deny' });
    await stage.update(id, declared);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    stage.quickSight.faults.add({ operation: 'DeleteUser', kind: 'error', code: 'LimitExceededException' });
    expect(await stage.update(id, ana, declared)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(await stage.update(id, ana, declared)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.quickSight.users()).toEqual([before]);
  });

  test.each([
    ['QUICKSIGHT', ana, renamed],
    ['IAM', bob, { ...bob, IamArn: `${bob.IamArn}by` }],
  ])(
    'U19 the roll-back of a rename of type %s that is tried again needs no old properties',
    async (_, old, declared) => {
      await begin(old);
      const { PhysicalResourceId: newId } = await stage.update(id, declared, old);
      expect(newId).not.toBe(id);
      stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
      expect(await stage.update(newId, old, old)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    },
  );

  test('U19 a roll-back in place that is tried again asserts all that is declared', async () => {
    const old = { ...ana, CustomPermissionsName: 'p', Tags: [tag('team', 'sales')] };
    await begin(old);
    const before = stage.user();
    const changed = { ...ana, Email: 'new@example.com', UserRole: 'READER_PRO', Tags: [tag('team', 'support')] };
    await stage.update(id, changed, old);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, old, old)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user()).toEqual({ ...before, tags: stage.user()!.tags });
    expect(stage.user()!.tags).toMatchObject({ team: 'sales' });
  });

  test('U19 a roll-back whose role may not look for the user of the failed update goes on, and the log says so', async () => {
    await begin();
    await stage.create({ ...renamed, RootStackId: OTHER_STACK_ID }, THEIRS);
    const before = stage.user();
    expect(await stage.update(id, renamed)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    const message = 'x is not authorized to perform y with an explicit deny in a permissions boundary';
    stage.quickSight.faults.add({ kind: 'error', code: 'AccessDeniedException', message, userName: 'anna' });
    expect(await stage.update(id, ana, renamed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user()).toEqual(before);
    expect(stage.log.join('\n')).toMatch(/a user of the failed update may be left/);
  });

  test('U19 groups that a registration anew did not come to are joined again by its roll-back', async () => {
    const client = new QuickSightClient({ region: 'us-east-1' });
    await client.send(new CreateGroupCommand({ AwsAccountId: ACCOUNT, Namespace: 'default', GroupName: 'analysts' }));
    client.destroy();
    const declared = { ...author, GroupNames: ['analysts'] };
    await begin(declared);
    const limit = { kind: 'error', code: 'LimitExceededException' } as const;
    stage.quickSight.faults.add({ operation: 'CreateGroupMembership', ...limit });
    const lower = { ...declared, UserRole: 'READER' };
    expect(await stage.update(id, lower, declared)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(stage.user()).toMatchObject({ role: 'READER', groups: [] });
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, declared, lower)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user()).toMatchObject({ role: 'AUTHOR', groups: ['analysts'] });
  });

  test('U19b the roll-back of a rename leaves a user that was ours before this deployment', async () => {
    await begin();
    const retained = { ...renamed, UserRole: 'AUTHOR' };
    await stage.create(retained);
    stage.age('anna');
    const before = stage.quickSight.users();
    // Refused before anything is changed: AUTHOR cannot become READER.
    expect(await stage.update(id, renamed)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, ana, renamed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.quickSight.users()).toEqual(before);
  });

  test('U19b also when the rename failed after it had taken that user again', async () => {
    await begin();
    const retained = { ...renamed, UserRole: 'AUTHOR', CustomPermissionsName: 'p' };
    const { Data } = await stage.create(retained);
    stage.age('anna');
    const declared = { ...renamed, UserRole: 'ADMIN' };
    stage.quickSight.faults.add({ operation: 'UpdateUser', kind: 'error', code: 'LimitExceededException' });
    expect(await stage.update(id, declared)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, ana, declared)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user('anna')).toMatchObject({
      principalId: Data!.PrincipalId,
      role: 'AUTHOR',
      customPermissionsName: 'p',
    });
  });

  test('a roll-back skips what a deployment would be refused, though the role was raised out of band', async () => {
    await begin();
    stage.quickSight.setRole('default', 'ana', 'AUTHOR');
    await stage.create({ ...renamed, RootStackId: OTHER_STACK_ID }, THEIRS);
    expect(await stage.update(id, renamed)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, ana, renamed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user()!.role).toBe('AUTHOR');
  });
});

describe('the same name', () => {
  test('U14 another identity type under the same name is deleted and registered, within the event', async () => {
    await begin({ ...ana, Tags: [tag('team', 'sales')] });
    stage.quickSight.setTags('default', 'ana', { ...stage.user()!.tags, strangers: 'theirs' });
    const declared = { ...iamAna, Tags: [tag('team', 'sales')] };
    expect(await stage.update(id, declared, { ...ana, Tags: [tag('team', 'sales')] })).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: id,
      Data: { UserName: 'ana', InvitationUrl: 'unavailable' },
    });
    expect(stage.user()).toMatchObject({ identityType: 'IAM', tags: { team: 'sales', strangers: 'theirs' } });
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
    await stage.remove(id, declared);
    expect(stage.userNames()).toEqual([]);
  });

  test.each<[string, object, object, () => unknown]>([
    ['a user who was active', ana, iamAna, () => stage.quickSight.setActive('default', 'ana')],
    ['an IAM user', iamAna, ana, () => undefined],
  ])('U14 %s is refused before any change, and the roll-back succeeds', async (_, old, declared, setUp) => {
    await begin(old);
    setUp();
    const before = stage.user();
    const failed = await stage.update(id, declared, old);
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(failed.Reason).toMatch(/identity type/);
    expect(stage.user()).toEqual(before);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, old, declared)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user()).toEqual(before);
  });

  test('U14 a change of identity type that succeeded and rolls back is left where it cannot go back', async () => {
    await begin();
    await stage.update(id, iamAna);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, ana, iamAna)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.userNames()).toEqual(['ana']);
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
  });

  test('U14 another IAM ARN that makes the same name is refused: nobody can tell whether it is the same identity', async () => {
    await begin(bob);
    const before = stage.user('bob');
    const moved = { ...bob, IamArn: `arn:aws:iam::${ACCOUNT}:user/bob`, Email: 'new@example.com' };
    const failed = await stage.update(id, moved, bob);
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(failed.Reason).toMatch(/cannot become another identity of type IAM under the same name/);
    expect(stage.user('bob')).toEqual(before);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, bob, moved)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user('bob')).toEqual(before);
  });

  test('U14 the path of an adopted IAM identity, which nobody can look up, is corrected without a change', async () => {
    const guessed = { ...bob, IamArn: `arn:aws:iam::${ACCOUNT}:user/bob`, OnExisting: 'ADOPT' };
    const { IdentityType, IamArn } = bob;
    await stage.byHand({ IdentityType, IamArn, UserName: undefined, Email: bob.Email });
    const { PhysicalResourceId } = await stage.create(guessed);
    const before = stage.user('bob');
    stage.calls();
    const corrected = { ...bob, OnExisting: 'ADOPT' };
    expect(await stage.update(PhysicalResourceId, corrected, guessed)).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId,
      Data: { UserName: 'bob' },
    });
    expect(stage.calls()).toEqual(['DescribeUser', 'ListTagsForResource']);
    expect(stage.user('bob')).toEqual(before);
    const another = { ...corrected, IamArn: 'arn:aws:iam::999999999999:user/bob' };
    expect(await stage.update(PhysicalResourceId, another, corrected)).toMatchObject({ Status: 'FAILED' });
  });

  test('U15 a name that differs only in case is the same user where QuickSight says so', async () => {
    stage.quickSight.account.caseInsensitiveNames = true;
    await begin();
    const { principalId } = stage.user()!;
    const answer = await stage.update(id, { ...author, UserName: 'Ana' });
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.quickSight.users()).toHaveLength(1);
    expect(stage.user()).toMatchObject({ role: 'AUTHOR', principalId });
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
    await stage.remove(id, { ...author, UserName: 'Ana' });
    expect(stage.quickSight.users()).toEqual([]);
  });

  test('U15 a name that differs only in case is another name where QuickSight says so', async () => {
    await begin();
    const answer = await stage.update(id, { ...ana, UserName: 'Ana' });
    expect(answer.PhysicalResourceId).not.toBe(id);
    expect(stage.userNames()).toEqual(['Ana', 'ana']);
  });
});

describe('behind our back', () => {
  test.each([
    ['a new e-mail', { Email: 'new@example.com' }],
    ['a new tag', { Tags: [tag('a', 'b')] }],
    ['a higher role', { UserRole: 'AUTHOR' }],
  ])('U16 a user deleted out of band is registered again with %s, and keeps its id', async (_, change) => {
    await begin();
    stage.quickSight.deleteUser('default', 'ana');
    const answer = await stage.update(id, { ...ana, ...change });
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(answer.Data!.InvitationUrl).toMatch(/^https:\/\//);
    expect(answer.Data!.PrincipalId).toBe(stage.user()!.principalId);
    await stage.remove(id);
    expect(stage.user()).toBeUndefined();
  });

  test('U16 a user whose IAM identity was deleted and made again is registered again', async () => {
    await begin(carla);
    stage.quickSight.removeIamIdentity(carla.IamArn!);
    const answer = await stage.update(id, { ...carla, Email: 'new@example.com' }, carla);
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(answer.Data!.PrincipalId).toBe(stage.user('DataTeam/carla@example.com')!.principalId);
  });

  test.each([
    ['QUICKSIGHT', ana],
    ['IAM', bob],
  ])('U16 a user of type %s that another resource of the stack registered again is shared with it', async (_, old) => {
    await begin(old);
    const [name] = stage.userNames() as [string];
    stage.quickSight.deleteUser('default', name);
    await stage.create(old, { LogicalResourceId: 'Another' });
    const answer = await stage.update(id, { ...old, Email: 'new@example.com' }, old);
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user(name)!.email).toBe('new@example.com');
    expect(stage.holders(name).sort()).toEqual(['Ana1234ABCD', 'Another']);
  });

  test.each([
    ['QUICKSIGHT', ana],
    ['IAM', bob],
  ])('U17 a user of type %s that somebody else registered meanwhile is never taken back', async (_, properties) => {
    await begin(properties);
    const [name] = stage.userNames() as [string];
    stage.quickSight.deleteUser('default', name);
    await stage.create({ ...properties, RootStackId: OTHER_STACK_ID }, THEIRS);
    const before = stage.user(name);
    const changed = { ...properties, Email: 'new@example.com' };
    const failed = await stage.update(id, changed, properties);
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(failed.Reason).toMatch(/exists already, and this resource does not hold it/);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(id, properties, changed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(stage.user(name)).toEqual(before);
  });

  test.each([
    ['', THEIRS, { UserName: 'ana', RootStackId: OTHER_STACK_ID }],
    [' and of another type', { LogicalResourceId: 'Theirs' }, iamAna],
  ])(
    'U17 a roll-back to a user that is somebody else’s now%s lets go of the new one',
    async (_, theirs, properties) => {
      await begin();
      const { PhysicalResourceId: newId } = await stage.update(id, renamed);
      stage.quickSight.deleteUser('default', 'ana');
      await stage.create({ ...ana, UserName: undefined, ...properties }, theirs);
      const before = stage.user();
      stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
      const back = await stage.update(newId, ana, renamed);
      expect(back).toMatchObject({ Status: 'SUCCESS', Data: { Arn: ANA_ARN } });
      // Another id, so that CloudFormation sends the Delete of the new user; and one that takes nobody for ours.
      expect(back.PhysicalResourceId).not.toBe(newId);
      await stage.remove(newId, renamed);
      await stage.remove(back.PhysicalResourceId);
      expect(stage.quickSight.users()).toEqual([before]);
    },
  );

  test('U17 an untagged IAM user with the principal of ours is somebody else’s, too', async () => {
    await begin(bob);
    stage.quickSight.deleteUser('default', 'bob');
    const before = await stage.byHand({ IdentityType: 'IAM', IamArn: bob.IamArn });
    const changed = { ...bob, Email: 'new@example.com' };
    expect(await stage.update(id, changed, bob)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: id });
    expect(stage.user('bob')).toEqual(before);
  });
});
