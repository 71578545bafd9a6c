import { randomUUID } from 'node:crypto';
import type { StackStatus } from '../../local/cloudformation/stack-state';
import { ana, ANA_ARN, bob, NESTED_STACK_ID, OTHER_STACK_ID, STACK_ID, Stage, tag } from './custom-resource';

/*
 * Who may take a user, and what becomes of a user that is let go: the two tables of the design, row by row.
 */

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.strike());

const ADOPTED = 'cdk-quicksight-users:adopted';
const BEFORE = 'cdk-quicksight-users:before';
const NEW = { LogicalResourceId: 'AnaRenamed' };
const THEIRS = { StackId: OTHER_STACK_ID, LogicalResourceId: 'Theirs' };
const theirAna = { ...ana, RootStackId: OTHER_STACK_ID };
const adopting = { ...ana, OnExisting: 'ADOPT' };
const author = { ...ana, UserRole: 'AUTHOR' };

const changing = (calls: string[]) =>
  calls.filter((call) => !['ListTagsForResource', 'DescribeUser', 'ListUsers', 'DescribeStacks'].includes(call));
const mark = (key: string, value: string) => {
  stage.quickSight.setTags('default', 'ana', { ...stage.user()!.tags, [key]: value });
};
/** Rewrites the tags of all holders with this logical id as one that was about to let go would have them. */
const leave = (logicalId: string) => {
  for (const [key, value] of Object.entries(stage.user()!.tags)) {
    if (value.endsWith(`/${logicalId}`)) mark(key, `leaving/${value}`);
  }
};

describe('taking', () => {
  test('C12 another construct of the same root stack takes the user over; the old one then only lets go', async () => {
    const first = await stage.create({ ...ana, CustomPermissionsName: 'p' });
    stage.begin('UPDATE_IN_PROGRESS');
    stage.calls();
    const second = await stage.create({ ...author, Email: 'new@example.com' }, NEW);
    expect(second).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: first.PhysicalResourceId,
      Data: { ...first.Data, InvitationUrl: 'unavailable' },
    });
    expect(stage.calls()).toEqual([
      'RegisterUser',
      'DescribeUser',
      'ListTagsForResource',
      'TagResource',
      'ListTagsForResource',
      'UpdateUser',
    ]);
    expect(stage.holders()).toEqual(['Ana1234ABCD', 'AnaRenamed']);
    expect(stage.user()).toMatchObject({ role: 'AUTHOR', email: 'new@example.com' });
    expect(stage.user()!.tags[BEFORE]).toMatch(/\/READER\/p$/);

    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    expect(await stage.remove(first.PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.holders()).toEqual(['AnaRenamed']);
    expect(stage.user()!.tags).not.toHaveProperty(BEFORE);
    expect(stage.user()!.tags).not.toHaveProperty(ADOPTED);
    stage.begin('UPDATE_IN_PROGRESS');
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    await stage.remove(second.PhysicalResourceId, author, NEW);
    expect(stage.userNames()).toEqual([]);
  });

  test('C12 also when the construct moved between nested stacks', async () => {
    stage.begin('CREATE_IN_PROGRESS', { stackId: NESTED_STACK_ID, parentId: STACK_ID });
    const first = await stage.create(ana, { StackId: NESTED_STACK_ID });
    expect(await stage.create()).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: first.PhysicalResourceId });
    expect(stage.holders()).toEqual(['Ana1234ABCD', 'Ana1234ABCD']);
    await stage.remove(first.PhysicalResourceId, ana, { StackId: NESTED_STACK_ID });
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
  });

  test('C12 a take-over that cannot reach what is declared refuses before it takes', async () => {
    await stage.create(author);
    const before = stage.user();
    const failed = await stage.create(ana, NEW);
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: `none:${failed.RequestId}` });
    expect(failed.Reason).toMatch(/is AUTHOR and cannot become READER/);
    expect(stage.user()).toEqual(before);
  });

  test('C12b a take-over that rolls back gives the user back as it was, to the old construct', async () => {
    await stage.create({ ...author, CustomPermissionsName: 'p' });
    stage.age();
    const before = stage.user();
    stage.begin('UPDATE_IN_PROGRESS');
    const taken = { ...ana, UserRole: 'ADMIN', Tags: [] };
    const { PhysicalResourceId } = await stage.create(taken, NEW);
    expect(stage.user()).toMatchObject({ role: 'ADMIN' });
    stage.turn('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    expect(await stage.remove(PhysicalResourceId, taken, NEW)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()).toEqual(before);
  });

  test('C12b what QuickSight does not take back is left and logged, and nothing is stuck', async () => {
    const old = await stage.create({ ...ana, CustomPermissionsName: 'p' });
    stage.begin('UPDATE_IN_PROGRESS');
    const { PhysicalResourceId } = await stage.create(author, NEW);
    stage.turn('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    const lines = stage.log.length;
    expect(await stage.remove(PhysicalResourceId, author, NEW)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()).toMatchObject({ role: 'AUTHOR', customPermissionsName: 'p' });
    expect(stage.log.slice(lines).join('\n')).toMatch(/AUTHOR.*READER|role/);
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
    expect(stage.user()!.tags).not.toHaveProperty(BEFORE);
    stage.begin('UPDATE_IN_PROGRESS');
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    await stage.remove(old.PhysicalResourceId);
    expect(stage.userNames()).toEqual([]);
  });

  test('C12b an old construct whose user was raised out of band after the take-over is left as it is', async () => {
    await stage.create(author);
    const { PhysicalResourceId } = await stage.create({ ...author, Email: 'new@example.com' }, NEW);
    stage.quickSight.faults.add({
      operation: 'UpdateUser',
      kind: 'error',
      code: 'InvalidParameterValueException',
      times: Infinity,
    });
    stage.quickSight.setRole('default', 'ana', 'ADMIN');
    stage.turn('ROLLBACK_IN_PROGRESS');
    expect(await stage.remove(PhysicalResourceId, author, NEW)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
  });

  test('C12c of two constructs that name one user through tokens, one is removed and the user stays', async () => {
    await stage.create();
    const second = await stage.create(ana, NEW);
    stage.begin('UPDATE_IN_PROGRESS');
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    stage.calls();
    await stage.remove(second.PhysicalResourceId, ana, NEW);
    expect(changing(stage.calls())).toEqual(['TagResource', 'UntagResource']);
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
  });

  test('C12d D14 a user retained and declared again is taken like an adopted one; a roll-back releases it', async () => {
    await stage.create({ ...author, CustomPermissionsName: 'p' });
    stage.age();
    const before = stage.user()!;
    stage.begin('UPDATE_IN_PROGRESS');
    const again = { ...ana, UserRole: 'ADMIN' };
    const { PhysicalResourceId, Status } = await stage.create(again);
    expect(Status).toBe('SUCCESS');
    expect(stage.user()).toMatchObject({ role: 'ADMIN', tags: { [ADOPTED]: 'true' } });
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
    stage.turn('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    expect(await stage.remove(PhysicalResourceId, again)).toMatchObject({ Status: 'SUCCESS' });
    const { principalId, role, customPermissionsName } = before;
    expect(stage.user()).toMatchObject({ principalId, role, customPermissionsName, tags: { [ADOPTED]: 'true' } });
    expect(stage.holders()).toEqual([]);
  });

  test('D14 a user retained by a stack that is gone is refused to a new stack, which is told of the old one', async () => {
    await stage.create(theirAna, THEIRS);
    const { Reason } = await stage.create();
    expect(Reason).toMatch(/resource Theirs of the stack whose id ends in 99999999-8888-7777-6666-555555555555/);
    expect(await stage.create(adopting)).toMatchObject({ Status: 'SUCCESS' });
  });

  test('a resource that holds the user since an earlier request is simply its holder in a roll-back', async () => {
    // The roll-back of a rename declares the old name again, and the old user was never let go.
    const { PhysicalResourceId } = await stage.create();
    stage.age();
    const before = stage.user();
    stage.begin('UPDATE_IN_PROGRESS');
    const renamed = { ...ana, UserName: 'anna' };
    const { PhysicalResourceId: newId } = await stage.update(PhysicalResourceId, renamed);
    stage.turn('UPDATE_ROLLBACK_IN_PROGRESS');
    expect(await stage.update(newId, ana, renamed)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
    expect(stage.user()!.tags).not.toHaveProperty(ADOPTED);
    expect(stage.user()!.tags).not.toHaveProperty(BEFORE);
    expect(stage.user()).toMatchObject({ principalId: before!.principalId });
  });

  test('a user that nobody holds any more, but that was adopted once, is refused to FAIL and given to ADOPT', async () => {
    await stage.byHand({ Tags: [tag(ADOPTED, 'true')] });
    expect(await stage.create()).toMatchObject({ Status: 'FAILED' });
    expect(await stage.create(adopting)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()!.tags).toMatchObject({ [ADOPTED]: 'true' });
  });

  test('a holder that began to let go and never came back does not keep the next from taking over', async () => {
    await stage.create();
    leave('Ana1234ABCD');
    const { principalId } = stage.user()!;
    const answer = await stage.create(ana, NEW);
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: `${ANA_ARN};${principalId}` });
    expect(stage.holders()).toEqual(['AnaRenamed', 'leaving Ana1234ABCD']);
    await stage.remove(answer.PhysicalResourceId, ana, NEW);
    expect(stage.userNames()).toEqual([]);
  });

  test('a user that goes while it is being taken over is registered anew', async () => {
    await stage.create();
    leave('Ana1234ABCD');
    let lists = 0;
    const answer = await stage.create(ana, NEW, {
      onCall: ({ operation }) => {
        if (operation === 'ListTagsForResource' && ++lists === 3) stage.quickSight.deleteUser('default', 'ana');
        return undefined;
      },
    });
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { PrincipalId: stage.user()!.principalId } });
    expect(answer.Data!.InvitationUrl).toMatch(/^https:/);
    expect(stage.holders()).toEqual(['AnaRenamed']);
    expect(stage.user()!.tags).not.toHaveProperty(BEFORE);
  });

  test('the tag of another stack that is about to let go is still another stack’s', async () => {
    await stage.create(theirAna, THEIRS);
    leave('Theirs');
    const before = stage.user();
    expect(await stage.create()).toMatchObject({ Status: 'FAILED' });
    expect(stage.user()).toEqual(before);
  });

  test('a resource whose own Delete stopped half-way, and was given up, takes the user again', async () => {
    const { PhysicalResourceId } = await stage.create();
    leave('Ana1234ABCD');
    stage.begin('UPDATE_IN_PROGRESS');
    expect(await stage.create()).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
    expect(stage.holders()).toEqual(['Ana1234ABCD']);
  });
});

describe('letting go', () => {
  test('first of all a holder says so: from then on it does not count', async () => {
    const { PhysicalResourceId } = await stage.create();
    const seen: string[][] = [];
    await stage.remove(
      PhysicalResourceId,
      ana,
      {},
      {
        onCall: ({ operation }) => {
          seen.push([operation, ...stage.holders()]);
          return undefined;
        },
      },
    );
    expect(seen).toEqual([
      ['ListTagsForResource', 'Ana1234ABCD'],
      ['TagResource', 'Ana1234ABCD'],
      ['ListTagsForResource', 'leaving Ana1234ABCD'],
      ['DeleteUser', 'leaving Ana1234ABCD'],
    ]);
  });

  test('a Delete that died after saying so is finished by the next one', async () => {
    const { PhysicalResourceId } = await stage.create();
    leave('Ana1234ABCD');
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.userNames()).toEqual([]);
  });

  test('a holder that is about to let go keeps nobody: the last other one deletes the user', async () => {
    const { PhysicalResourceId } = await stage.create();
    await stage.create(ana, NEW);
    leave('AnaRenamed');
    await stage.remove(PhysicalResourceId);
    expect(stage.userNames()).toEqual([]);
  });

  test('D5 a user that others hold too only loses our tag', async () => {
    const { PhysicalResourceId } = await stage.create();
    await stage.create({ ...theirAna, OnExisting: 'ADOPT' }, THEIRS);
    stage.calls();
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(changing(stage.calls())).toEqual(['TagResource', 'UntagResource']);
    expect(stage.holders()).toEqual(['Theirs']);
    expect(stage.log.join('\n')).toMatch(/"note":"only our tags were removed: other resources hold the user/);
  });

  test('D5 a user that somebody else registered anew stays', async () => {
    const { PhysicalResourceId } = await stage.create();
    stage.quickSight.deleteUser('default', 'ana');
    await stage.create(theirAna, THEIRS);
    const before = stage.user();
    stage.calls();
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(changing(stage.calls())).toEqual([]);
    expect(stage.user()).toEqual(before);
  });

  test('an adopted user that another stack holds as well only loses our tag, whatever the stack does', async () => {
    await stage.byHand();
    const { PhysicalResourceId } = await stage.create(adopting);
    await stage.create({ ...theirAna, OnExisting: 'ADOPT' }, THEIRS);
    stage.begin('UPDATE_IN_PROGRESS');
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    await stage.remove(PhysicalResourceId, adopting);
    expect(stage.holders()).toEqual(['Theirs']);
    expect(stage.user()!.tags).toHaveProperty([ADOPTED]);
  });

  const D10 = [
    ['the adopting deployment rolls back', 'ROLLBACK_IN_PROGRESS'],
    ['the adopting update rolls back', 'UPDATE_ROLLBACK_IN_PROGRESS'],
    ['the adopting update is cleaned up after its roll-back', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS'],
    ['the stack is destroyed', 'DELETE_IN_PROGRESS'],
    ['the stack says something unexpected', 'UPDATE_COMPLETE'],
  ] as const;
  test.each(D10)('D10 an adopted user is released when %s', async (_, status) => {
    const { principalId } = await stage.byHand({ UserRole: 'AUTHOR', CustomPermissionsName: 'theirs' });
    const declared = { ...adopting, UserRole: 'ADMIN' };
    const { PhysicalResourceId } = await stage.create(declared);
    stage.turn(status);
    expect(await stage.remove(PhysicalResourceId, declared)).toMatchObject({ Status: 'SUCCESS' });
    const { tags, ...user } = stage.user()!;
    expect(tags).toEqual({ [ADOPTED]: 'true' });
    expect(user).toMatchObject(
      status.includes('ROLLBACK')
        ? { principalId, role: 'AUTHOR', customPermissionsName: 'theirs' }
        : { principalId, role: 'ADMIN' },
    );
    expect(stage.log.join('\n')).toMatch(/"note":".*the user existed before any stack held it/);
  });

  test.each([
    ['may not be asked for', { kind: 'error', code: 'AccessDenied', message: 'no identity-based policy allows it' }],
    ['cannot be reached', { kind: 'reset' }],
    ['is answered for with a page', { kind: 'html' }],
    ['is answered for with a page that says it is fine', { kind: 'html', status: 200 }],
  ] as const)('D10 an adopted user is released when the stack %s', async (_, effect) => {
    await stage.byHand({ UserRole: 'AUTHOR' });
    const { PhysicalResourceId } = await stage.create({ ...adopting, UserRole: 'ADMIN' });
    stage.begin('UPDATE_IN_PROGRESS');
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    stage.cloudFormation.faults.add({ ...effect, times: Infinity });
    expect(await stage.remove(PhysicalResourceId, adopting)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()).toMatchObject({ tags: { [ADOPTED]: 'true' } });
    expect(stage.holders()).toEqual([]);
    expect(stage.user()!.tags).not.toHaveProperty(BEFORE);
  });

  test('D10 an adopted user is released when only the root stack cannot be read', async () => {
    stage.begin('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', { stackId: NESTED_STACK_ID, parentId: STACK_ID });
    stage.stacks.delete(STACK_ID);
    await stage.byHand();
    const { PhysicalResourceId } = await stage.create(adopting, { StackId: NESTED_STACK_ID });
    await stage.remove(PhysicalResourceId, adopting, { StackId: NESTED_STACK_ID });
    expect(stage.userNames()).toEqual(['ana']);
    expect(stage.holders()).toEqual([]);
  });

  test('D11 an adopted user is deleted when it was taken out of the code', async () => {
    await stage.byHand();
    const { PhysicalResourceId } = await stage.create(adopting);
    stage.begin('UPDATE_IN_PROGRESS');
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    expect(await stage.remove(PhysicalResourceId, adopting)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.userNames()).toEqual([]);
  });

  const UP: readonly [nested: StackStatus, root: StackStatus, deleted: boolean][] = [
    ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', true],
    ['DELETE_IN_PROGRESS', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', true],
    ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_IN_PROGRESS', false],
    ['UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', false],
    ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_ROLLBACK_IN_PROGRESS', false],
    ['UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', false],
    ['DELETE_IN_PROGRESS', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', false],
    ['ROLLBACK_IN_PROGRESS', 'CREATE_IN_PROGRESS', false],
    ['DELETE_IN_PROGRESS', 'DELETE_IN_PROGRESS', false],
  ];
  test.each(UP)('D11 in a nested stack in %s, under a root in %s: deleted %s', async (nested, root, deleted) => {
    stage.begin('CREATE_IN_PROGRESS', { stackId: NESTED_STACK_ID, parentId: STACK_ID });
    await stage.byHand({ UserRole: 'AUTHOR' });
    const declared = { ...adopting, UserRole: 'ADMIN' };
    const { PhysicalResourceId } = await stage.create(declared, { StackId: NESTED_STACK_ID });
    stage.turn(nested, NESTED_STACK_ID);
    stage.turn(root);
    await stage.remove(PhysicalResourceId, declared, { StackId: NESTED_STACK_ID });
    expect(stage.userNames()).toEqual(deleted ? [] : ['ana']);
    if (deleted) return;
    expect(stage.holders()).toEqual([]);
    expect(stage.user()!.role).toBe(/ROLLBACK/.test(nested + root) ? 'AUTHOR' : 'ADMIN');
  });

  test('the note of what a user was is only used by its writer, in a roll-back', async () => {
    await stage.create({ ...author, CustomPermissionsName: 'p' });
    const { PhysicalResourceId } = await stage.create({ ...ana, UserRole: 'ADMIN' }, NEW);
    const note = `0123456789abcdef/AUTHOR/q`;
    mark(BEFORE, note);
    stage.turn('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    await stage.remove(PhysicalResourceId, ana, NEW);
    expect(stage.user()).toMatchObject({ role: 'ADMIN', tags: { [BEFORE]: note } });
  });

  test('the note of what a user was is removed by whoever lets go for good, whoever wrote it', async () => {
    const { PhysicalResourceId } = await stage.create();
    await stage.create(author, NEW);
    mark(BEFORE, `0123456789abcdef/READER/`);
    stage.begin('UPDATE_IN_PROGRESS');
    stage.turn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    await stage.remove(PhysicalResourceId);
    expect(stage.user()!.tags).not.toHaveProperty(BEFORE);
    expect(stage.user()!.role).toBe('AUTHOR');
  });

  test('D6 a QUICKSIGHT user whose tags were stripped goes, by its principal', async () => {
    const { PhysicalResourceId } = await stage.create();
    stage.quickSight.setTags('default', 'ana', {});
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.userNames()).toEqual([]);
  });

  test('D6 a QUICKSIGHT user whose tags were stripped goes, also when fifty others stand in their place', async () => {
    const { PhysicalResourceId } = await stage.create();
    const others = Array.from({ length: 50 }, (_, index) => [`key${index}`, 'theirs']);
    stage.quickSight.setTags('default', 'ana', Object.fromEntries(others));
    expect(await stage.remove(PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.userNames()).toEqual([]);
  });

  test.each<[string, object, object, string | undefined]>([
    ['an IAM user', bob, {}, undefined],
    ['a QUICKSIGHT user with another principal', {}, {}, 'user/d-1/another'],
    ['a QUICKSIGHT user that is marked as adopted', {}, { [ADOPTED]: 'true' }, undefined],
  ])('D6 %s, without a holder, stays; the log says why', async (_, identity, tags, principal) => {
    const properties = { ...ana, ...identity };
    const { PhysicalResourceId, Data } = await stage.create(properties);
    stage.quickSight.setTags('default', Data!.UserName, tags as Record<string, string>);
    stage.calls();
    const id = principal ? `${ANA_ARN};${principal}` : PhysicalResourceId;
    expect(await stage.remove(id, properties)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(changing(stage.calls())).toEqual([]);
    expect(stage.userNames()).toHaveLength(1);
    expect(stage.log.join('\n')).toMatch(/"note":"the user was left alone/);
  });

  test('D6b a repeated Delete after a release changes nothing: the mark of the adopted user stays', async () => {
    await stage.byHand();
    const { PhysicalResourceId } = await stage.create(adopting);
    stage.turn('DELETE_IN_PROGRESS');
    await stage.remove(PhysicalResourceId, adopting);
    const released = stage.user();
    stage.calls();
    for (let i = 0; i < 2; i++) {
      expect(await stage.remove(PhysicalResourceId, adopting)).toMatchObject({ Status: 'SUCCESS' });
    }
    expect(changing(stage.calls())).toEqual([]);
    expect(stage.user()).toEqual(released);
  });
});

describe('letting go without a known id', () => {
  const INVENTED = 'Team-Ana1234ABCD-1ABCDEF';

  test('D7 after a refusal nothing is called', async () => {
    expect(await stage.remove('none:1')).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'none:1' });
    expect(stage.calls()).toEqual([]);
  });

  test('D7 `maybe:` deletes what that very request registered', async () => {
    const RequestId = randomUUID();
    await stage.create(ana, { RequestId });
    stage.turn('ROLLBACK_IN_PROGRESS');
    expect(await stage.remove(`maybe:${RequestId}`)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.userNames()).toEqual([]);
  });

  test('D7 `maybe:` leaves what another request of the same resource registered', async () => {
    await stage.create();
    const before = stage.user();
    stage.turn('ROLLBACK_IN_PROGRESS');
    expect(await stage.remove(`maybe:${randomUUID()}`)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()).toEqual(before);
  });

  test.each(['ROLLBACK_IN_PROGRESS', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', 'DELETE_IN_PROGRESS'] as const)(
    'D8 an id that CloudFormation invented deletes what this deployment registered (%s)',
    async (status) => {
      await stage.create();
      stage.turn(status);
      expect(await stage.remove(INVENTED)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: INVENTED });
      expect(stage.userNames()).toEqual([]);
    },
  );

  test('D8 an invented id deletes what was registered also when the stack cannot be read', async () => {
    await stage.create();
    stage.stacks.clear();
    expect(await stage.remove(INVENTED)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.userNames()).toEqual([]);
  });

  test('D8 an invented id leaves a user of an earlier deployment, which a cancelled Create found retained', async () => {
    await stage.create();
    stage.age();
    const before = stage.user();
    stage.begin('UPDATE_IN_PROGRESS');
    stage.turn('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    expect(await stage.remove(INVENTED)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()).toEqual(before);
  });

  test.each([
    ['by hand', undefined],
    ['by another resource', { LogicalResourceId: 'Other' }],
    ['by another stack', THEIRS],
  ])('D8 an invented id leaves a user that was registered %s', async (_, holder) => {
    await (holder ? stage.create(ana, holder) : stage.byHand());
    const before = stage.user();
    expect(await stage.remove(INVENTED)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.user()).toEqual(before);
  });

  test('D8 an invented id is a success when nothing was registered', async () => {
    expect(await stage.remove(INVENTED)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: INVENTED });
    expect(changing(stage.calls())).toEqual([]);
  });

  test('D8 an adoption that was cancelled is released under an invented id', async () => {
    await stage.byHand({ UserRole: 'AUTHOR', CustomPermissionsName: 'theirs' });
    await stage.create({ ...adopting, UserRole: 'ADMIN' });
    stage.turn('ROLLBACK_IN_PROGRESS');
    await stage.remove(INVENTED, { ...adopting, UserRole: 'ADMIN' });
    expect(stage.user()).toMatchObject({
      role: 'AUTHOR',
      customPermissionsName: 'theirs',
      tags: { [ADOPTED]: 'true' },
    });
    expect(stage.holders()).toEqual([]);
  });

  test.each([
    ['a namespace of two dots', { ...ana, Namespace: '..' }],
    ['no properties at all', {}],
  ])('D8 an invented id with %s calls nothing', async (_, properties) => {
    expect(await stage.remove('invented', properties)).toMatchObject({ Status: 'SUCCESS' });
    expect(stage.calls()).toEqual([]);
  });

  test.each([
    ['IAM Identity Center', () => (stage.quickSight.account.identityCenter = true)],
    ['Standard edition', () => (stage.quickSight.account.edition = 'STANDARD')],
    ['no subscription', () => (stage.quickSight.account.subscribed = false)],
  ])('D19 an account with %s, which cannot have users, answers an unknown id with success', async (_, setUp) => {
    setUp();
    for (const id of ['none:1', 'maybe:1', INVENTED]) {
      expect(await stage.remove(id)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    }
  });
});
