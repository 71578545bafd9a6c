import { HERE, quickSightUser, refusal, start, stopAll } from './client';

afterEach(stopAll);

const BOB = 'arn:aws:iam::111122223333:user/staff/Bob';
const ANALYST = 'arn:aws:iam::111122223333:role/teams/bi/Analyst';
const iam = (IamArn: string | undefined, SessionName?: string) => ({
  ...HERE,
  IdentityType: 'IAM' as const,
  IamArn,
  SessionName,
  Email: 'someone@example.com',
  UserRole: 'AUTHOR' as const,
});

describe('RegisterUser', () => {
  test('a QuickSight user gets the name it was given, an invitation and status 201', async () => {
    const { client } = await start();
    const answer = await client.registerUser(quickSightUser('ana'));
    expect(answer).toMatchObject({
      Status: 201,
      RequestId: answer.$metadata.requestId,
      UserInvitationUrl: expect.stringMatching(
        /^https:\/\/us-east-1\.quicksight\.aws\.amazon\.com\/sn\/invite\?acct=111122223333&invite=/,
      ),
      User: {
        Arn: 'arn:aws:quicksight:us-east-1:111122223333:user/default/ana',
        UserName: 'ana',
        Email: 'someone@example.com',
        Role: 'READER',
        IdentityType: 'QUICKSIGHT',
        Active: false,
        PrincipalId: expect.stringMatching(/^user\/d-[0-9a-f]{10}\/[0-9a-f-]{36}$/),
      },
    });
  });

  test('an IAM user is named after the last part of its ARN and has no invitation', async () => {
    const { client } = await start();
    const answer = await client.registerUser(iam(BOB));
    expect(answer.User).toMatchObject({
      UserName: 'Bob',
      PrincipalId: expect.stringMatching(/^federated\/iam\/AIDA[0-9A-F]{17}$/),
    });
    expect(answer.UserInvitationUrl).toBeUndefined();
  });

  test('a role session is named role/session, without the path of the role', async () => {
    const { client } = await start();
    const { User } = await client.registerUser(iam(ANALYST, 'ana'));
    expect(User).toMatchObject({
      UserName: 'Analyst/ana',
      Arn: 'arn:aws:quicksight:us-east-1:111122223333:user/default/Analyst/ana',
      PrincipalId: expect.stringMatching(/^federated\/iam\/AROA[0-9A-F]{17}:ana$/),
    });
  });

  test('an Identity Center user has a name and no invitation', async () => {
    const { client } = await start();
    const answer = await client.registerUser(quickSightUser('ana', { IdentityType: 'IAM_IDENTITY_CENTER' }));
    expect(answer.User).toMatchObject({ UserName: 'ana', IdentityType: 'IAM_IDENTITY_CENTER' });
    expect(answer.UserInvitationUrl).toBeUndefined();
  });

  test('an address that is no e-mail address is accepted', async () => {
    const { client } = await start();
    const { User } = await client.registerUser(quickSightUser('ana', { Email: 'not an address' }));
    expect(User!.Email).toBe('not an address');
  });

  test.each<[string, object, string]>([
    [
      'IAM with a user name',
      { ...iam(BOB), UserName: 'Bob' },
      'The following parameters are not applicable to this identity type: User Name. AWS account ID: 111122223333, Namespace: default.',
    ],
    ['IAM without an ARN', iam(undefined), 'Invalid resource identifiers provided. Please check the documentation.'],
    ['IAM with something else than an IAM ARN', iam('Bob'), 'Invalid value for parameter IamArn: Bob'],
    ['an IAM user with a session', iam(BOB, 'ana'), 'SessionName is not applicable'],
    ['an IAM role without a session', iam(ANALYST), 'SessionName is required'],
    ['a session name of one character', iam(ANALYST, 'a'), "Value 'a' at 'sessionName' failed"],
    [
      'QUICKSIGHT with IAM arguments',
      quickSightUser('ana', { IamArn: BOB, SessionName: 'ana' }),
      'identity type: Iam Arn, Session Name.',
    ],
    ['QUICKSIGHT without a name', { ...quickSightUser('x'), UserName: undefined }, "Value null at 'userName' failed"],
    ['an empty name', quickSightUser(''), "Value '' at 'userName' failed"],
    ['a name beyond Latin-1', quickSightUser('Łukasz'), "Value 'Łukasz' at 'userName' failed"],
    ['a semicolon in the name', quickSightUser('a;b'), 'must not contain a semicolon'],
    ['no e-mail', { ...quickSightUser('ana'), Email: undefined }, "Value null at 'email' failed"],
    ['an unknown role', quickSightUser('ana', { UserRole: 'OWNER' }), 'Member must satisfy enum value set: [READER,'],
    [
      'a restricted role',
      quickSightUser('ana', { UserRole: 'RESTRICTED_READER' }),
      "isn't currently available for use",
    ],
    ['an unknown identity type', quickSightUser('ana', { IdentityType: 'LDAP' }), "Value 'LDAP' at 'identityType'"],
    [
      'a malformed custom-permissions name',
      quickSightUser('ana', { CustomPermissionsName: 'a b' }),
      "Value 'a b' at 'customPermissionsName'",
    ],
    [
      'an external login of type NONE',
      quickSightUser('ana', { ExternalLoginFederationProviderType: 'NONE' }),
      "Value 'NONE' at",
    ],
    [
      'an external login without a type',
      quickSightUser('ana', { ExternalLoginId: 'x' }),
      'ExternalLoginFederationProviderType is required',
    ],
    [
      'Cognito with a URL',
      quickSightUser('ana', {
        ExternalLoginFederationProviderType: 'COGNITO',
        ExternalLoginId: 'x',
        CustomFederationProviderUrl: 'https://example.com',
      }),
      'CustomFederationProviderUrl is required with provider type CUSTOM_OIDC, and only with that',
    ],
    [
      'a custom provider without a URL',
      quickSightUser('ana', { ExternalLoginFederationProviderType: 'CUSTOM_OIDC', ExternalLoginId: 'x' }),
      'CustomFederationProviderUrl is required',
    ],
    [
      'Cognito without a login',
      quickSightUser('ana', { ExternalLoginFederationProviderType: 'COGNITO' }),
      'ExternalLoginId is required',
    ],
  ])('%s is an invalid parameter value', async (_, input, message) => {
    const { quickSight, client } = await start();
    expect(await refusal(client.registerUser(input as never))).toEqual({
      name: 'InvalidParameterValueException',
      status: 400,
      message: expect.stringContaining(message),
    });
    expect(quickSight.users()).toEqual([]);
  });

  test('a second registration of a name, or of an IAM identity, is refused as existing', async () => {
    const { client } = await start();
    await client.registerUser(iam(BOB));
    for (const again of [iam(BOB), quickSightUser('Bob')]) {
      expect(await refusal(client.registerUser(again))).toMatchObject({ name: 'ResourceExistsException', status: 409 });
    }
  });

  test('an IAM identity that is not visible yet is refused by its ARN', async () => {
    let visible = false;
    const { client } = await start({ iamIdentity: () => (visible ? 'AIDAEXAMPLE' : undefined) });
    expect(await refusal(client.registerUser(iam(BOB)))).toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringContaining(BOB),
    });
    visible = true;
    expect((await client.registerUser(iam(BOB))).User!.PrincipalId).toBe('federated/iam/AIDAEXAMPLE');
  });

  test('names that differ in case are two users, or one if the account is set so', async () => {
    const { quickSight, client } = await start();
    await client.registerUser(quickSightUser('ana'));
    await client.registerUser(quickSightUser('Ana'));
    quickSight.account.caseInsensitiveNames = true;
    expect(await refusal(client.registerUser(quickSightUser('ANA')))).toMatchObject({
      name: 'ResourceExistsException',
    });
  });

  test('custom permissions need not exist, unless the account is set so', async () => {
    const { quickSight, client } = await start();
    const { User } = await client.registerUser(quickSightUser('ana', { CustomPermissionsName: 'no-export' }));
    expect(User!.CustomPermissionsName).toBe('no-export');
    quickSight.account.checkCustomPermissions = true;
    const bert = quickSightUser('bert', { CustomPermissionsName: 'no-export' });
    expect(await refusal(client.registerUser(bert))).toMatchObject({ name: 'ResourceNotFoundException', status: 404 });
  });
});

describe('UpdateUser', () => {
  const ROLES = ['READER', 'READER_PRO', 'AUTHOR', 'AUTHOR_PRO', 'ADMIN', 'ADMIN_PRO'] as const;

  test.each(ROLES)('from %s every role can be reached but a reader from an author or administrator', async (from) => {
    const { quickSight, client } = await start();
    await client.registerUser(quickSightUser('ana', { UserRole: from }));
    for (const Role of ROLES) {
      quickSight.setRole('default', 'ana', from);
      const update = client.updateUser({ ...HERE, UserName: 'ana', Email: 'ana@example.com', Role });
      if (Role.startsWith('READER') && !from.startsWith('READER')) {
        expect(await refusal(update)).toMatchObject({ name: 'InvalidParameterValueException', status: 400 });
        expect(quickSight.user('default', 'ana')!.role).toBe(from);
      } else {
        expect((await update).User).toMatchObject({ Role, Email: 'ana@example.com' });
      }
    }
  });

  test('custom permissions stay when omitted and go with UnapplyCustomPermissions', async () => {
    const { client } = await start();
    await client.registerUser(quickSightUser('ana', { CustomPermissionsName: 'one' }));
    const update = async (more: object) => {
      const input = { ...HERE, UserName: 'ana', Email: 'ana@example.com', Role: 'READER' as const, ...more };
      return (await client.updateUser(input)).User!.CustomPermissionsName;
    };
    expect(await update({})).toBe('one');
    expect(await update({ CustomPermissionsName: 'two' })).toBe('two');
    expect(await update({ UnapplyCustomPermissions: true })).toBeUndefined();
    for (const refused of [
      { UnapplyCustomPermissions: false },
      { UnapplyCustomPermissions: true, CustomPermissionsName: 'x' },
    ]) {
      expect(await refusal(update(refused))).toMatchObject({ name: 'InvalidParameterValueException' });
    }
  });

  test('an external login is replaced as a whole, kept when omitted and cleared by NONE', async () => {
    const { client } = await start();
    const cognito = { ExternalLoginFederationProviderType: 'COGNITO', ExternalLoginId: 'pool:1' };
    await client.registerUser(quickSightUser('ana', cognito));
    const update = async (more: object) => {
      const input = { ...HERE, UserName: 'ana', Email: 'ana@example.com', Role: 'READER' as const, ...more };
      const { User } = await client.updateUser(input);
      const { ExternalLoginFederationProviderType, ExternalLoginFederationProviderUrl, ExternalLoginId } = User!;
      return [ExternalLoginFederationProviderType, ExternalLoginFederationProviderUrl, ExternalLoginId];
    };
    expect(await update({})).toEqual(['COGNITO', 'cognito-identity.amazonaws.com', 'pool:1']);
    const CustomFederationProviderUrl = 'https://id.example.com';
    const oidc = {
      ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
      CustomFederationProviderUrl,
      ExternalLoginId: 'ana',
    };
    expect(await update(oidc)).toEqual(['CUSTOM_OIDC', CustomFederationProviderUrl, 'ana']);
    expect(await update({ ExternalLoginFederationProviderType: 'NONE' })).toEqual([undefined, undefined, undefined]);
  });

  test('e-mail and role are required every time', async () => {
    const { client } = await start();
    await client.registerUser(quickSightUser('ana'));
    for (const partial of [{ Email: 'ana@example.com' }, { Role: 'READER' }]) {
      expect(await refusal(client.updateUser({ ...HERE, UserName: 'ana', ...partial } as never))).toMatchObject({
        name: 'InvalidParameterValueException',
      });
    }
  });
});

test('a custom permission can be set and removed on its own', async () => {
  const { quickSight, client } = await start();
  await client.registerUser(quickSightUser('ana'));
  await client.updateUserCustomPermission({ ...HERE, UserName: 'ana', CustomPermissionsName: 'no-export' });
  expect(quickSight.user('default', 'ana')!.customPermissionsName).toBe('no-export');
  await client.deleteUserCustomPermission({ ...HERE, UserName: 'ana' });
  expect(quickSight.user('default', 'ana')!.customPermissionsName).toBeUndefined();
});

test('an unknown user is not found by any call that names it', async () => {
  const { client } = await start();
  const who = { ...HERE, UserName: 'nobody' };
  const calls = [
    client.describeUser(who),
    client.updateUser({ ...who, Email: 'x@example.com', Role: 'READER' }),
    client.deleteUser(who),
    client.listUserGroups(who),
    client.updateUserCustomPermission({ ...who, CustomPermissionsName: 'x' }),
    client.deleteUserCustomPermission(who),
    client.deleteUserByPrincipalId({ ...HERE, PrincipalId: 'user/d-1/nobody' }),
    client.listTagsForResource({ ResourceArn: 'arn:aws:quicksight:us-east-1:111122223333:user/default/nobody' }),
  ];
  for (const refused of await Promise.all(calls.map(refusal))) {
    expect(refused).toMatchObject({
      name: 'ResourceNotFoundException',
      status: 404,
      message: expect.stringMatching(/nobody not found/),
    });
  }
});

test('a deleted user takes its tags and memberships along, and its name is free again', async () => {
  const { quickSight, client } = await start();
  await client.registerUser(quickSightUser('ana', { Tags: [{ Key: 'team', Value: 'bi' }] }));
  await client.createGroup({ ...HERE, GroupName: 'analysts' });
  await client.createGroupMembership({ ...HERE, GroupName: 'analysts', MemberName: 'ana' });
  const before = quickSight.user('default', 'ana')!;
  expect(before).toMatchObject({ tags: { team: 'bi' }, groups: ['analysts'] });
  await client.deleteUser({ ...HERE, UserName: 'ana' });
  const { User } = await client.registerUser(quickSightUser('ana'));
  expect(User!.PrincipalId).not.toBe(before.principalId);
  expect(quickSight.user('default', 'ana')).toMatchObject({ tags: {}, groups: [] });
});

test('a user whose IAM identity is deleted reads N/A and goes by principal id only', async () => {
  const { quickSight, client } = await start();
  const { User } = await client.registerUser(iam(ANALYST, 'ana'));
  quickSight.removeIamIdentity(ANALYST);
  expect((await client.listUsers(HERE)).UserList).toMatchObject([
    { UserName: 'N/A', Arn: 'N/A', PrincipalId: User!.PrincipalId },
  ]);
  expect(await refusal(client.describeUser({ ...HERE, UserName: 'Analyst/ana' }))).toMatchObject({ status: 404 });

  const again = await client.registerUser(iam(ANALYST, 'ana'));
  expect(again.User!.PrincipalId).not.toBe(User!.PrincipalId);
  await client.deleteUserByPrincipalId({ ...HERE, PrincipalId: User!.PrincipalId });
  expect(quickSight.users().map(({ userName }) => userName)).toEqual(['Analyst/ana']);
});

test('users are listed in pages of at most 100, which survive deletions in between', async () => {
  const { quickSight, client } = await start();
  for (let i = 0; i < 105; i++) await client.registerUser(quickSightUser(`user-${i}`));
  const first = await client.listUsers(HERE);
  expect(first.UserList).toHaveLength(100);
  quickSight.deleteUser('default', first.UserList![0]!.UserName!);
  const second = await client.listUsers({ ...HERE, NextToken: first.NextToken });
  expect(second.UserList).toHaveLength(5);
  expect(second.NextToken).toBeUndefined();
  expect(new Set([...first.UserList!, ...second.UserList!].map(({ UserName }) => UserName)).size).toBe(105);
  expect(await refusal(client.listUsers({ ...HERE, NextToken: 'nonsense' }))).toMatchObject({
    name: 'InvalidNextTokenException',
    status: 400,
  });
  expect(await refusal(client.listUsers({ ...HERE, MaxResults: 101 }))).toMatchObject({
    name: 'InvalidParameterValueException',
  });
});

test('a new user is hidden from group calls and DescribeUser for as long as set', async () => {
  const { quickSight, client } = await start({ visibilityDelayMs: 60_000, describeVisibilityDelayMs: 60_000 });
  await client.createGroup({ ...HERE, GroupName: 'analysts' });
  await client.registerUser(quickSightUser('ana'));
  const join = () => client.createGroupMembership({ ...HERE, GroupName: 'analysts', MemberName: 'ana' });
  const describe = () => client.describeUser({ ...HERE, UserName: 'ana' });
  for (const call of [join, describe])
    expect(await refusal(call())).toMatchObject({ name: 'ResourceNotFoundException' });
  quickSight.account.visibilityDelayMs = 0;
  await join();
  expect(await refusal(describe())).toMatchObject({ name: 'ResourceNotFoundException' });
  quickSight.account.describeVisibilityDelayMs = 0;
  await describe();
});

test('out-of-band changes are seen by the next call', async () => {
  const { quickSight, client } = await start();
  await client.registerUser(quickSightUser('ana'));
  quickSight.setRole('default', 'ana', 'ADMIN');
  quickSight.setActive('default', 'ana');
  quickSight.setTags('default', 'ana', { by: 'hand' });
  const { User } = await client.describeUser({ ...HERE, UserName: 'ana' });
  expect(User).toMatchObject({ Role: 'ADMIN', Active: true });
  expect((await client.listTagsForResource({ ResourceArn: User!.Arn })).Tags).toEqual([{ Key: 'by', Value: 'hand' }]);
  quickSight.deleteUser('default', 'ana');
  expect((await client.listUsers(HERE)).UserList).toEqual([]);
  expect(() => quickSight.setActive('default', 'ana')).toThrow('no user ana in namespace default');
});
