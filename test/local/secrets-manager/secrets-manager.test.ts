import { randomUUID } from 'node:crypto';
import { IamStore } from '../../../local/iam/iam-store';
import type { PolicyStatement } from '../../../local/iam/policy-document';
import { KeyStore } from '../../../local/kms/key-store';
import { EmbeddedSecretsManager } from '../../../local/secrets-manager/embedded-secrets-manager';

const ACCOUNT = '111122223333';
let iam: IamStore;
let keys: KeyStore;
let changes: number;
let secretsManager: EmbeddedSecretsManager;

beforeEach(async () => {
  iam = new IamStore({ accountId: ACCOUNT });
  keys = new KeyStore({ accountId: ACCOUNT });
  changes = 0;
  secretsManager = await EmbeddedSecretsManager.start({
    keys,
    authorize: (request) => iam.authorize(request),
    onChange: () => changes++,
  });
});
afterEach(() => secretsManager.stop());

/** One call, written as an SDK writes it; the person at the keyboard makes it unless a key says otherwise. */
async function call(operation: string, members: object, key = 'AKIAEXAMPLE', region = 'us-east-1') {
  const response = await fetch(secretsManager.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `secretsmanager.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=${key}/20261123/${region}/secretsmanager/aws4_request, Signature=0`,
    },
    body: JSON.stringify(members),
  });
  return { status: response.status, ...((await response.json()) as Record<string, unknown>) };
}

const put = (SecretId: string, SecretString: string, more: object = {}, key?: string) =>
  call('PutSecretValue', { SecretId, SecretString, ClientRequestToken: randomUUID(), ...more }, key);
const get = (SecretId: string, more: object = {}, key?: string) => call('GetSecretValue', { SecretId, ...more }, key);

/** A role that may do this, and the access key of a session of it. */
function roleWith(...statements: Omit<PolicyStatement, 'Effect'>[]): { arn: string; key: string } {
  const role = iam.create({ kind: 'role', name: `Role${randomUUID()}` });
  iam.putInlinePolicy(role, 'own', { Statement: statements.map((rest) => ({ Effect: 'Allow' as const, ...rest })) });
  return { arn: role.arn, key: iam.assumeRole(role.arn, 'test').accessKeyId };
}

const NOT_FOUND = {
  status: 400,
  __type: 'ResourceNotFoundException',
  Message: "Secrets Manager can't find the specified secret.",
};

test('a value that was put is got, by ARN, by ARN without its last six characters, and by name', async () => {
  const { arn } = secretsManager.createSecret({ name: 'team/ana' });
  expect(arn).toMatch(/^arn:aws:secretsmanager:us-east-1:111122223333:secret:team\/ana-[A-Za-z0-9]{6}$/);
  const ClientRequestToken = randomUUID();
  const answer = await put(arn, '{"url":"x"}', { ClientRequestToken });
  const named = { ARN: arn, Name: 'team/ana', VersionId: ClientRequestToken, VersionStages: ['AWSCURRENT'] };
  expect(answer).toEqual({ status: 200, ...named });
  for (const id of [arn, arn.slice(0, -7), 'team/ana']) {
    expect(await get(id)).toEqual({
      status: 200,
      ...named,
      SecretString: '{"url":"x"}',
      CreatedDate: expect.any(Number),
    });
  }
  expect(secretsManager.secret('team/ana')?.secretString).toBe('{"url":"x"}');
  expect(changes).toBe(1);
});

test('a secret is found only under its whole name, in its region, and once it has a value', async () => {
  const { arn } = secretsManager.createSecret({ name: 'ana' });
  expect(await get('an')).toEqual(NOT_FOUND);
  expect(await get(arn.slice(0, -6))).toEqual(NOT_FOUND);
  expect(await call('GetSecretValue', { SecretId: arn }, undefined, 'eu-west-1')).toEqual(NOT_FOUND);
  expect(await get(arn)).toMatchObject({
    __type: 'ResourceNotFoundException',
    Message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
  });
});

test('a new value makes the former one the previous', async () => {
  const { arn } = secretsManager.createSecret({ name: 'ana', secretString: 'first' });
  await put(arn, 'second');
  const { VersionId } = (await put(arn, 'third')) as unknown as { VersionId: string };
  expect(await get(arn)).toMatchObject({ SecretString: 'third', VersionStages: ['AWSCURRENT'] });
  expect(await get(arn, { VersionStage: 'AWSPREVIOUS' })).toMatchObject({ SecretString: 'second' });
  expect(await get(arn, { VersionId })).toMatchObject({ SecretString: 'third' });
  expect(await call('DescribeSecret', { SecretId: arn })).toMatchObject({
    Name: 'ana',
    VersionIdsToStages: { [VersionId]: ['AWSCURRENT'] },
  });
});

test('a repeated Put under the same token is one version, and another content under it is refused', async () => {
  const { arn } = secretsManager.createSecret({ name: 'ana' });
  const again = { ClientRequestToken: randomUUID() };
  await put(arn, 'first', again);
  await put(arn, 'second');
  expect(await put(arn, 'first', again)).toMatchObject({ status: 200, VersionStages: ['AWSPREVIOUS'] });
  expect(await get(arn)).toMatchObject({ SecretString: 'second' });
  expect(await put(arn, 'third', again)).toMatchObject({ status: 400, __type: 'ResourceExistsException' });
});

test('a Put without a token is refused, as only SDKs make one up', async () => {
  const { arn } = secretsManager.createSecret({ name: 'ana' });
  expect(await call('PutSecretValue', { SecretId: arn, SecretString: 'x' })).toMatchObject({
    status: 400,
    __type: 'InvalidParameterException',
    Message: expect.stringContaining('You must provide a ClientRequestToken'),
  });
});

test('a secret marked for deletion can be neither read nor written', async () => {
  const { arn } = secretsManager.createSecret({ name: 'ana', secretString: 'x' });
  secretsManager.markForDeletion(arn);
  const refusal = {
    status: 400,
    __type: 'InvalidRequestException',
    Message: "You can't perform this operation on the secret because it was marked for deletion.",
  };
  expect(await get(arn)).toEqual(refusal);
  expect(await put(arn, 'y')).toEqual(refusal);
  expect(await call('DescribeSecret', { SecretId: arn })).toMatchObject({ DeletedDate: expect.any(Number) });
  secretsManager.deleteSecret(arn);
  expect(await get(arn)).toEqual(NOT_FOUND);
});

test("IAM decides on the secret's ARN and its tags, whatever it was asked for by", async () => {
  const { arn } = secretsManager.createSecret({ name: 'ana', tags: [{ Key: 'invites', Value: 'true' }] });
  const { key } = roleWith({
    Action: ['secretsmanager:PutSecretValue', 'secretsmanager:GetSecretValue'],
    Resource: `arn:aws:secretsmanager:*:${ACCOUNT}:secret:*`,
    Condition: { StringEquals: { 'aws:ResourceTag/invites': 'true' } },
  });
  expect(await put('ana', 'x', {}, key)).toMatchObject({ status: 200 });
  expect(await get(arn, {}, key)).toMatchObject({ status: 200 });
  secretsManager.setTags(arn, { invites: 'no' });
  expect(await get('ana', {}, key)).toMatchObject({
    status: 400,
    __type: 'AccessDeniedException',
    Message: expect.stringMatching(
      `is not authorized to perform: secretsmanager:GetSecretValue on resource: ${arn} because no identity-based policy`,
    ),
  });
  expect(await get('nobody', {}, key)).toMatchObject({ __type: 'AccessDeniedException' });
});

describe('a secret with a customer-managed key', () => {
  const secrets = { Action: ['secretsmanager:*'], Resource: '*' };
  const viaSecretsManager = {
    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
    Resource: `arn:aws:kms:*:${ACCOUNT}:key/*`,
    Condition: { StringLike: { 'kms:ViaService': 'secretsmanager.*.amazonaws.com' } },
  };
  const NO_KMS = { status: 400, __type: 'AccessDeniedException', Message: 'Access to KMS is not allowed' };

  test("is read and written by who may use the key through Secrets Manager, where the key's policy leaves that to IAM", async () => {
    const key = keys.create('us-east-1');
    const { arn } = secretsManager.createSecret({ name: 'ana', kmsKeyId: key.arn, secretString: 'x' });
    const without = roleWith(secrets);
    expect(await get(arn, {}, without.key)).toEqual(NO_KMS);
    expect(await put(arn, 'y', {}, without.key)).toEqual(NO_KMS);
    const direct = roleWith(secrets, { ...viaSecretsManager, Condition: { Null: { 'kms:ViaService': 'true' } } });
    expect(await get(arn, {}, direct.key)).toEqual(NO_KMS);
    const writer = roleWith(secrets, { ...viaSecretsManager, Action: 'kms:GenerateDataKey' });
    expect(await put(arn, 'y', {}, writer.key)).toMatchObject({ status: 200 });
    expect(await get(arn, {}, writer.key)).toEqual(NO_KMS);
    expect(await get(arn, {}, roleWith(secrets, viaSecretsManager).key)).toMatchObject({ SecretString: 'y' });
  });

  test("needs no IAM policy where the key's policy names the caller, and none helps where it names neither", async () => {
    const key = keys.create('us-east-1');
    const { arn } = secretsManager.createSecret({ name: 'ana', kmsKeyId: key.id, secretString: 'x' });
    const [named, other] = [roleWith(secrets), roleWith(secrets, viaSecretsManager)];
    keys.configure(key, {
      policy: { Statement: { Effect: 'Allow', Principal: { AWS: named.arn }, Action: 'kms:Decrypt', Resource: '*' } },
    });
    expect(await get(arn, {}, named.key)).toMatchObject({ SecretString: 'x' });
    expect(await put(arn, 'y', {}, named.key)).toEqual(NO_KMS);
    expect(await get(arn, {}, other.key)).toEqual(NO_KMS);
  });

  test("is out of reach where the key's policy denies", async () => {
    const key = keys.create('us-east-1', {
      policy: {
        Statement: [
          { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
          { Effect: 'Deny', Principal: '*', Action: 'kms:Decrypt', Resource: '*' },
        ],
      },
    });
    const { arn } = secretsManager.createSecret({ name: 'ana', kmsKeyId: key.arn, secretString: 'x' });
    const { key: role } = roleWith(secrets, viaSecretsManager);
    expect(await get(arn, {}, role)).toEqual(NO_KMS);
    expect(await put(arn, 'y', {}, role)).toMatchObject({ status: 200 });
  });

  test('cannot be decrypted or encrypted when the key is disabled or about to go', async () => {
    const key = keys.create('us-east-1');
    keys.putAlias('alias/team', 'us-east-1', key);
    const { arn } = secretsManager.createSecret({ name: 'ana', kmsKeyId: 'alias/team', secretString: 'x' });
    expect(await get(arn)).toMatchObject({ SecretString: 'x' });
    keys.configure(key, { enabled: false });
    expect(await get(arn)).toMatchObject({ status: 400, __type: 'DecryptionFailure' });
    keys.scheduleDeletion(key);
    expect(await put(arn, 'y')).toMatchObject({ status: 400, __type: 'EncryptionFailure' });
  });
});

test('faults strike as they do in the other services, and calls are recorded without values', async () => {
  const { arn } = secretsManager.createSecret({ name: 'ana' });
  secretsManager.faults.add({ kind: 'throttle', operation: 'PutSecretValue' });
  expect(await put(arn, 'hidden')).toEqual({ status: 400, __type: 'ThrottlingException' });
  secretsManager.faults.add({ kind: 'error', code: 'InternalServiceError', when: 'after' });
  expect(await put(arn, 'hidden')).toMatchObject({ status: 500, __type: 'InternalServiceError' });
  expect(await get(arn)).toMatchObject({ SecretString: 'hidden' });
  expect(secretsManager.calls.map(({ operation, parameters, error }) => [operation, parameters, error])).toEqual([
    ['PutSecretValue', { SecretId: arn }, 'ThrottlingException'],
    ['PutSecretValue', { SecretId: arn }, 'InternalServiceError'],
    ['GetSecretValue', { SecretId: arn }, undefined],
  ]);
  expect(JSON.stringify(secretsManager.calls)).not.toContain('hidden');
});

test.each([
  ['an operation that it does not know', 'RotateSecret', { SecretId: 'x' }, 'UnknownOperationException'],
  ['a call about no secret', 'GetSecretValue', {}, 'InvalidParameterException'],
  ['a body that is no object', 'GetSecretValue', [], 'SerializationException'],
  ['a number for a text', 'GetSecretValue', { SecretId: 1 }, 'SerializationException'],
])('%s is refused', async (_, operation, members, code) => {
  expect(await call(operation, members)).toMatchObject({ status: 400, __type: code });
});
