import { IamStore } from '../../../local/iam/iam-store';
import type { PolicyStatement } from '../../../local/iam/policy-document';

const USER = 'arn:aws:quicksight:us-east-1:111122223333:user/default/ana';
let iam: IamStore;
beforeEach(() => (iam = new IamStore({ accountId: '111122223333' })));

/** The access key of a session of a role with these statements. */
function session(...statements: PolicyStatement[]): string {
  const role = iam.create({ kind: 'role', name: 'Handler' });
  iam.putInlinePolicy(role, 'Default', { Statement: statements });
  return iam.assumeRole(role.arn, 'function').accessKeyId;
}

const register = (accessKeyId: string, context = {}) =>
  iam.authorize({ accessKeyId, action: 'quicksight:RegisterUser', resource: USER, context });

test('a call that no policy allows is denied in the words of IAM', () => {
  const accessKeyId = session({ Effect: 'Allow', Action: 'quicksight:DeleteUser', Resource: '*' });
  expect(register(accessKeyId)).toBe(
    'User: arn:aws:sts::111122223333:assumed-role/Handler/function is not authorized to perform: ' +
      `quicksight:RegisterUser on resource: ${USER} because no identity-based policy allows the quicksight:RegisterUser action`,
  );
});

test('an explicit deny wins over an allow', () => {
  const accessKeyId = session(
    { Effect: 'Allow', Action: '*', Resource: '*' },
    { Effect: 'Deny', Action: 'quicksight:Register*', Resource: '*' },
  );
  expect(register(accessKeyId)).toMatch(/with an explicit deny in an identity-based policy$/);
});

test('a permissions boundary limits what the policies allow', () => {
  iam.putManagedPolicy('arn:aws:iam::111122223333:policy/Boundary', {
    Statement: { Effect: 'Allow', Action: 'logs:*', Resource: '*' },
  });
  const accessKeyId = session({ Effect: 'Allow', Action: '*', Resource: '*' });
  const role = iam.get('role', 'Handler');
  expect(register(accessKeyId)).toBeUndefined();
  iam.configure(role, { permissionsBoundary: 'arn:aws:iam::111122223333:policy/Boundary' });
  expect(register(accessKeyId)).toMatch(/because no permissions boundary allows the quicksight:RegisterUser action$/);
});

test('managed policies count until they are detached or deleted', () => {
  const accessKeyId = session();
  const role = iam.get('role', 'Handler');
  const arn = iam.managedPolicyArn('Users');
  iam.putManagedPolicy(arn, { Statement: [{ Effect: 'Allow', Action: 'quicksight:*', Resource: '*' }] });
  iam.attachPolicy(role, arn);
  expect(register(accessKeyId)).toBeUndefined();
  iam.deleteManagedPolicy(arn);
  expect(register(accessKeyId)).toContain('is not authorized');
});

test.each<[string, Partial<PolicyStatement>, object, boolean]>([
  ['actions without regard to case', { Action: 'QuickSight:registeruser' }, {}, true],
  ['a resource by wildcard', { Resource: 'arn:aws:quicksight:*:111122223333:user/default/*' }, {}, true],
  ['a resource elsewhere', { Resource: 'arn:aws:quicksight:*:111122223333:user/other/*' }, {}, false],
  ['NotAction', { Action: undefined, NotAction: ['quicksight:RegisterUser'] }, {}, false],
  ['NotResource', { Resource: undefined, NotResource: 'arn:aws:quicksight:*:*:group/*' }, {}, true],
  [
    'StringEquals',
    { Condition: { StringEquals: { 'aws:RequestTag/Team': 'bi' } } },
    { 'aws:requesttag/team': 'bi' },
    true,
  ],
  ['StringEquals on a missing key', { Condition: { StringEquals: { 'x:y': 'bi' } } }, {}, false],
  ['StringNotEquals on a missing key', { Condition: { StringNotEquals: { 'x:y': 'bi' } } }, {}, true],
  ['StringEqualsIfExists on a missing key', { Condition: { StringEqualsIfExists: { 'x:y': 'bi' } } }, {}, true],
  ['StringLike with one of several', { Condition: { StringLike: { 'x:y': ['a*', 'b?'] } } }, { 'x:y': 'bi' }, true],
  [
    'ArnLike',
    { Condition: { ArnLike: { 'quicksight:IamArn': 'arn:aws:iam::*:user/*' } } },
    { 'quicksight:IamArn': 'arn:aws:iam::1:user/a' },
    true,
  ],
  [
    'ArnLike not over a colon',
    { Condition: { ArnLike: { 'x:y': 'arn:*:user/*' } } },
    { 'x:y': 'arn:aws:iam::1:user/a' },
    false,
  ],
  ['Null', { Condition: { Null: { 'aws:RequestTag/Team': 'true' } } }, {}, true],
  ['Bool', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }, { 'aws:SecureTransport': 'false' }, false],
  [
    'ForAllValues',
    { Condition: { 'ForAllValues:StringLike': { 'aws:TagKeys': 'a*' } } },
    { 'aws:TagKeys': ['a1', 'b'] },
    false,
  ],
  ['ForAllValues without values', { Condition: { 'ForAllValues:StringLike': { 'aws:TagKeys': 'a*' } } }, {}, true],
  [
    'ForAnyValue',
    { Condition: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'a' } } },
    { 'aws:TagKeys': ['a', 'b'] },
    true,
  ],
  [
    'a policy variable',
    { Condition: { StringLike: { 'x:y': '${aws:PrincipalAccount}/*' } } },
    { 'x:y': '111122223333/a' },
    true,
  ],
  ['a policy variable without a value', { Resource: 'arn:${x:y}*' }, {}, false],
])('a statement with %s is judged', (_, statement, context, allowed) => {
  const accessKeyId = session({ Effect: 'Allow', Action: '*', Resource: '*', ...statement });
  expect(register(accessKeyId, context) === undefined).toBe(allowed);
});

test('a condition operator that cannot be judged is refused with the policy', () => {
  expect(() =>
    session({
      Effect: 'Allow',
      Action: '*',
      Resource: '*',
      Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    }),
  ).toThrow('the condition operator IpAddress is unknown to the embedded IAM: use one of StringEquals,');
});

test('keys that this IAM did not hand out may do everything, those of deleted roles nothing', () => {
  expect(register('AKIAIOSFODNN7EXAMPLE')).toBeUndefined();
  const accessKeyId = session({ Effect: 'Allow', Action: '*', Resource: '*' });
  iam.delete('role', 'Handler');
  iam.create({ kind: 'role', name: 'Handler' });
  expect(register(accessKeyId)).toBe('The security token included in the request is invalid.');
});

test('a principal made anew under its old name has another id', () => {
  const arn = 'arn:aws:iam::111122223333:role/team/Readers';
  const first = iam.create({ kind: 'role', name: 'Readers', path: '/team/' });
  expect([first.arn, iam.uniqueId(arn)]).toEqual([arn, first.id]);
  expect(first.id).toMatch(/^AROA[A-Z2-7]{17}$/);
  iam.delete('role', 'Readers');
  expect(iam.uniqueId(arn)).toBeUndefined();
  expect(iam.create({ kind: 'role', name: 'Readers', path: '/team/' }).id).not.toBe(first.id);
});

test('an ARN that no stack made has an id that never changes, unless it is marked missing', () => {
  const arn = 'arn:aws:iam::111122223333:user/Bob';
  expect(iam.uniqueId(arn)).toMatch(/^AIDA[A-Z2-7]{17}$/);
  expect(iam.uniqueId(arn)).toBe(new IamStore({ accountId: '111122223333' }).uniqueId(arn));
  iam.markMissing(arn);
  expect(iam.uniqueId(arn)).toBeUndefined();
  expect(iam.uniqueId('arn:aws:iam::111122223333:group/Team')).toBeUndefined();
});

test('an AWS managed policy that is not known is an error that names it', () => {
  const role = iam.create({ kind: 'role', name: 'Handler' });
  expect(() => iam.attachPolicy(role, 'arn:aws:iam::aws:policy/ReadOnlyAccess')).toThrow(
    'does not know the AWS managed policy ReadOnlyAccess: it knows service-role/AWSLambdaBasicExecutionRole',
  );
  expect(() => iam.attachPolicy(role, 'arn:aws:iam::111122223333:policy/Mine')).toThrow('does not exist');
});
