import type { User } from '@aws-sdk/client-quicksight';
import {
  ADOPTED,
  beforeTag,
  describeHolder,
  holderKey,
  holderTag,
  holdOf,
  isBeingLeft,
  isShared,
  leavingTag,
  ownBefore,
} from '../../lambda/holder';
import {
  isDowngrade,
  keptTags,
  needsUpdate,
  reasonToKeep,
  registerRequest,
  restoreRequest,
  sameIdentity,
  tagSteps,
  updateRequest,
  wantedRole,
} from '../../lambda/plan';
import type { UserResourceProperties } from '../../lib/private/user-resource';

const ana: UserResourceProperties = {
  AwsAccountId: '111122223333',
  Namespace: 'default',
  IdentityType: 'QUICKSIGHT',
  UserName: 'ana',
  Email: 'ana@example.com',
  UserRole: 'READER',
  RootStackId: 'arn:aws:cloudformation:us-east-1:111122223333:stack/Team/11111111-2222-3333-4444-555555555555',
};
const resource = {
  StackId: ana.RootStackId,
  RootStackId: ana.RootStackId,
  LogicalResourceId: 'Ana1234',
  RequestId: 'request-1',
};
const liveAna: User = {
  UserName: 'ana',
  Email: 'ana@example.com',
  Role: 'READER',
  IdentityType: 'QUICKSIGHT',
  PrincipalId: 'user/d-1/x',
};
const key = { AwsAccountId: '111122223333', Namespace: 'default', UserName: 'ana' };
const cognito = { ExternalLoginFederationProviderType: 'COGNITO', ExternalLoginId: 'pool:1' } as const;
const oidc = {
  ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
  CustomFederationProviderUrl: 'https://login.example.com',
  ExternalLoginId: 'ana',
} as const;

describe('registerRequest', () => {
  test('sends every property under its own name, our holder tag first, and nothing that is not the API’s', () => {
    const declared = { ...ana, ...oidc, CustomPermissionsName: 'no-exports', Tags: [{ Key: 'team', Value: 'sales' }] };
    const holder = holderTag(resource, 1_800_000_000);
    const { RootStackId: _, Tags, ...rest } = declared;
    expect(registerRequest(declared, holder)).toEqual({ ...rest, Tags: [holder, ...Tags] });
  });
});

describe('sameIdentity', () => {
  test.each([
    ['e-mail', { Email: 'other@example.com' }, true],
    ['role', { UserRole: 'AUTHOR' }, true],
    ['user name', { UserName: 'Ana' }, false],
    ['namespace', { Namespace: 'other' }, false],
    ['identity type', { IdentityType: 'IAM_IDENTITY_CENTER' }, false],
    ['IAM ARN', { IamArn: 'arn:aws:iam::111122223333:user/ana' }, false],
    ['session name', { SessionName: 'ana' }, false],
    ['account', { AwsAccountId: '444455556666' }, false],
  ] as const)('a change of %s', (_, change, same) => {
    expect(sameIdentity({ ...ana, ...change }, ana)).toBe(same);
  });
});

describe('updateRequest', () => {
  const base = { ...key, Email: 'ana@example.com', Role: 'READER' };
  test.each<
    [string, Partial<UserResourceProperties>, Partial<UserResourceProperties>, Partial<User>, object | undefined]
  >([
    ['nothing for what is live already', { Email: 'new@example.com' }, {}, { Email: 'new@example.com' }, undefined],
    [
      'a new e-mail with the live role, not the declared one',
      { Email: 'new@example.com' },
      {},
      { Role: 'AUTHOR' },
      { Email: 'new@example.com', Role: 'AUTHOR' },
    ],
    ['a new role', { UserRole: 'AUTHOR' }, {}, {}, { Role: 'AUTHOR' }],
    [
      'a move among authors and administrators',
      { UserRole: 'AUTHOR' },
      { UserRole: 'ADMIN_PRO' },
      { Role: 'ADMIN_PRO' },
      { Role: 'AUTHOR' },
    ],
    ['custom permissions that are set', { CustomPermissionsName: 'p' }, {}, {}, { CustomPermissionsName: 'p' }],
    [
      'custom permissions that are changed',
      { CustomPermissionsName: 'q' },
      { CustomPermissionsName: 'p' },
      { CustomPermissionsName: 'p' },
      { CustomPermissionsName: 'q' },
    ],
    [
      'custom permissions that are removed',
      {},
      { CustomPermissionsName: 'p' },
      { CustomPermissionsName: 'p' },
      { UnapplyCustomPermissions: true },
    ],
    ['custom permissions that are gone already', {}, { CustomPermissionsName: 'p' }, {}, undefined],
    ['an external login that is set', cognito, {}, {}, cognito],
    ['an external login that moves from Cognito to OIDC', oidc, cognito, cognito, oidc],
    ['an external login that is removed', {}, cognito, cognito, { ExternalLoginFederationProviderType: 'NONE' }],
    [
      'an OIDC login that is live under the name the service answers with',
      oidc,
      {},
      {
        ...cognito,
        ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
        ExternalLoginFederationProviderUrl: oidc.CustomFederationProviderUrl,
        ExternalLoginId: 'ana',
      },
      undefined,
    ],
  ])('%s', (_, change, before, live, expected) => {
    const request = updateRequest({ ...ana, ...change }, { ...ana, ...before }, { ...liveAna, ...live });
    expect(request).toEqual(expected && { ...base, ...expected });
  });

  test('asserts what is declared, also what is absent, when nothing is known of before', () => {
    const live = { ...liveAna, CustomPermissionsName: 'p', ...cognito };
    expect(updateRequest(ana, undefined, live)).toEqual({
      ...base,
      UnapplyCustomPermissions: true,
      ExternalLoginFederationProviderType: 'NONE',
    });
  });

  test('keeps a live role that the template did not change, and takes one that it did', () => {
    const live = { ...liveAna, Role: 'AUTHOR' } as User;
    expect(wantedRole(ana, ana, live)).toBe('AUTHOR');
    expect(wantedRole(ana, { ...ana, UserRole: 'ADMIN' }, live)).toBe('READER');
    expect(wantedRole(ana, undefined, live)).toBe('READER');
  });

  test.each(['AUTHOR', 'ADMIN', 'AUTHOR_PRO', 'ADMIN_PRO'])('knows that no %s becomes a reader in place', (role) => {
    expect([isDowngrade(role, 'READER'), isDowngrade(role, 'READER_PRO'), isDowngrade(role, 'AUTHOR')]).toEqual([
      true,
      true,
      false,
    ]);
    expect([isDowngrade('READER', role), isDowngrade('READER_PRO', 'READER')]).toEqual([false, false]);
  });

  test.each(['READER', 'READER_PRO'])('moves a %s to any other role', (role) => {
    const live = { ...liveAna, Role: role } as User;
    for (const UserRole of ['READER', 'READER_PRO', 'AUTHOR', 'ADMIN'].filter((other) => other !== role)) {
      expect(updateRequest({ ...ana, UserRole }, { ...ana, UserRole: role }, live)).toMatchObject({ Role: UserRole });
    }
  });
});

test('needsUpdate ignores tags and the identity', () => {
  expect(needsUpdate({ ...ana, Tags: [{ Key: 'a', Value: 'b' }], UserName: 'x' }, ana)).toBe(false);
  expect(needsUpdate({ ...ana, ExternalLoginId: 'x' }, ana)).toBe(true);
});

describe('tagSteps', () => {
  const tags = (record: Record<string, string>) => Object.entries(record).map(([Key, Value]) => ({ Key, Value }));
  test.each([
    ['nothing when nothing changed', { a: '1' }, { a: '1' }, []],
    [
      'a changed value',
      { a: '2', b: '1' },
      { a: '1', b: '1' },
      [{ call: 'TagResource', input: { ResourceArn: 'arn', Tags: tags({ a: '2' }) } }],
    ],
    [
      'all removed',
      {},
      { a: '1', b: '2' },
      [{ call: 'UntagResource', input: { ResourceArn: 'arn', TagKeys: ['a', 'b'] } }],
    ],
  ] as const)('%s', (_, declared, before, expected) => {
    expect(tagSteps('arn', tags(declared), tags(before))).toEqual(expected);
  });

  test('untags before it tags, so that a full set can change', () => {
    expect(tagSteps('arn', tags({ b: '1' }), tags({ a: '1' })).map((step) => 'call' in step && step.call)).toEqual([
      'UntagResource',
      'TagResource',
    ]);
  });
});

describe('holder tags', () => {
  const held = holderTag(resource, 1_800_000_000);
  const own = holderKey(resource);
  const other = holderTag({ ...resource, LogicalResourceId: 'Other' }, 1_800_000_000);
  const map = (...tags: { Key: string; Value: string }[]) => new Map(tags.map(({ Key, Value }) => [Key, Value]));

  test('name the resource by a hash, and tell when, which request, which stacks and which resource', () => {
    expect(held.Key).toMatch(/^cdk-quicksight-users:held-by:[0-9a-f]{16}$/);
    const uuid = '11111111-2222-3333-4444-555555555555';
    expect(held.Value).toBe(`1800000000/request-1/${uuid}/${uuid}/Ana1234`);
  });

  test('fit into a tag value, and stay distinct, however long the logical id is', () => {
    const long = (end: string) => holderTag({ ...resource, LogicalResourceId: 'L'.repeat(250) + end }, 1).Value;
    expect(long('a')).toHaveLength(256);
    expect(long('a')).not.toBe(long('b'));
  });

  const leaving = leavingTag(map(held), own);
  const otherLeaving = leavingTag(map(other), other.Key);
  test.each([
    ['ours alone', map(held), { shared: false, beingLeft: false }],
    ['ours, about to let go', map(leaving), { shared: false, beingLeft: false }],
    ['ours and another', map(held, other), { shared: true, beingLeft: false }],
    ['ours and one that is leaving', map(held, otherLeaving), { shared: false, beingLeft: true }],
    ['nobody’s', map({ Key: 'team', Value: 'sales' }), { shared: false, beingLeft: false }],
  ])('%s', (_, tags, expected) => {
    expect({ shared: isShared(tags, own), beingLeft: isBeingLeft(tags, own) }).toEqual(expected);
  });

  test('of a holder that is leaving still say which request and which stack wrote them', () => {
    const uuid = '11111111-2222-3333-4444-555555555555';
    const hold = { since: 1_800_000_000, requestId: 'request-1', root: uuid, stack: uuid };
    expect(holdOf(map(held), own)).toEqual({ ...hold, leaving: false });
    expect(holdOf(map(leaving), own)).toEqual({ ...hold, leaving: true });
    expect(describeHolder(map(leaving))).toBe(
      'resource Ana1234 of the stack whose id ends in 11111111-2222-3333-4444-555555555555',
    );
  });

  test('remember for one writer what the user was before', () => {
    const before = beforeTag(resource, 'AUTHOR', 'no-exports');
    expect(ownBefore(map(before), resource)).toEqual({ role: 'AUTHOR', customPermissions: 'no-exports' });
    expect(ownBefore(map(before), { ...resource, LogicalResourceId: 'Other' })).toBeUndefined();
    expect(ownBefore(map(held), resource)).toBeUndefined();
  });

  test.each<[string, Partial<User>, [string, string][], RegExp | undefined]>([
    ['nothing when nobody has used it and only we declare it', {}, [], undefined],
    ['that it has been activated', { Active: true }, [], /activated/],
    ['that nothing says it has not', { Active: undefined }, [], /activated/],
    ['that it is of IAM', { IdentityType: 'IAM' }, [], /identity type IAM/],
    ['another holder', {}, [[other.Key, other.Value]], /another resource/],
    ['that it existed before', {}, [[ADOPTED, 'true']], /existed before/],
    ['not a holder that is leaving', {}, [[otherLeaving.Key, otherLeaving.Value]], undefined],
  ])('what keeps a user from being registered anew: %s', (_, change, more, expected) => {
    const tags = new Map([[held.Key, held.Value], ...more]);
    const reason = reasonToKeep({ ...liveAna, Active: false, ...change }, tags, own);
    if (expected) expect(reason).toMatch(expected);
    else expect(reason).toBeUndefined();
  });
});

describe('restoreRequest', () => {
  const base = { ...key, Email: 'ana@example.com' };
  test.each<[string, Partial<User>, { role: string; customPermissions: string }, object | undefined]>([
    ['nothing when nothing was changed', {}, { role: 'READER', customPermissions: '' }, undefined],
    ['the role', { Role: 'AUTHOR' }, { role: 'ADMIN', customPermissions: '' }, { Role: 'ADMIN' }],
    ['not a role that QuickSight refuses', { Role: 'AUTHOR' }, { role: 'READER', customPermissions: '' }, undefined],
    [
      'custom permissions',
      { CustomPermissionsName: 'p' },
      { role: 'READER', customPermissions: 'q' },
      { Role: 'READER', CustomPermissionsName: 'q' },
    ],
    [
      'that there were none',
      { CustomPermissionsName: 'p' },
      { role: 'READER', customPermissions: '' },
      { Role: 'READER', UnapplyCustomPermissions: true },
    ],
  ])('%s', (_, change, before, expected) => {
    expect(restoreRequest(ana, { ...liveAna, ...change }, before)).toEqual(expected && { ...base, ...expected });
  });
});

describe('keptTags', () => {
  test('are those of people that nobody declared', () => {
    const live = new Map([
      ['cost-center', '1'],
      ['team', 'sales'],
      ['former', 'x'],
      [ADOPTED, 'true'],
    ]);
    const declared = { ...ana, Tags: [{ Key: 'team', Value: 'ops' }] };
    expect(keptTags(live, declared, { Tags: [{ Key: 'former', Value: 'x' }] })).toEqual([
      { Key: 'cost-center', Value: '1' },
    ]);
  });
});
