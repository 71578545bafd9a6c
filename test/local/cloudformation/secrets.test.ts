import { statSync } from 'node:fs';
import path from 'node:path';
import { CfnOutput, RemovalPolicy, SecretValue, Tags } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Embedded, type TestStack } from './embedded-stack';

let embedded: Embedded;
beforeEach(() => (embedded = new Embedded({ stateFile: 'state/aws.json' })));
afterEach(() => embedded.stop());

/** The secret whose ARN is an output of the stack. */
function secret() {
  const { value } = embedded.engine.describeStack('Test')!.outputs.Arn!;
  return embedded.engine.secretsManager.secret(value);
}

/** Deploys one secret with its ARN as an output. */
function deploySecret(props: secretsmanager.SecretProps = {}, more: (stack: TestStack) => void = () => undefined) {
  return embedded.deploy((stack) => {
    const declared = new secretsmanager.Secret(stack, 'Secret', props);
    new CfnOutput(stack, 'Arn', { value: declared.secretArn });
    more(stack);
  });
}

/** What a function does, without one: the value of the deployed secret becomes another. */
function put(secretString: string): void {
  const { store } = embedded.engine.secretsManager;
  store.putValue(store.get(secret()!.arn, 'us-east-1'), { secretString });
}

/** Calls Secrets Manager with the credentials of the function's role: the operation and its members are the event. */
const CALL_SECRETS_MANAGER = `
exports.handler = async ({ operation, ...members }) => {
  const { AWS_ENDPOINT_URL_SECRETS_MANAGER: url, AWS_ACCESS_KEY_ID: key, AWS_REGION: region } = process.env;
  const authorization = 'AWS4-HMAC-SHA256 Credential=' + key + '/20261123/' + region + '/secretsmanager/aws4_request';
  const headers = { authorization, 'x-amz-target': 'secretsmanager.' + operation };
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(members) })).json();
};`;

test("a CDK secret under a CDK key is written and read by a function, as far as its role and the key's policy allow", async () => {
  const { outputs, reason } = await embedded.deploy((stack) => {
    const encryptionKey = new kms.Key(stack, 'Key', {
      alias: 'team',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const invitation = new secretsmanager.Secret(stack, 'Secret', { encryptionKey, description: 'for ana' });
    new CfnOutput(stack, 'Arn', { value: invitation.secretArn });
    new CfnOutput(stack, 'KeyArn', { value: encryptionKey.keyArn });
    for (const id of ['Writer', 'WithoutKey']) {
      const calling = new lambda.Function(stack, id, {
        code: lambda.Code.fromInline(CALL_SECRETS_MANAGER),
        handler: 'index.handler',
        runtime: lambda.Runtime.NODEJS_22_X,
      });
      new CfnOutput(stack, `${id}Arn`, { value: calling.functionArn });
      const actions = ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'];
      calling.addToRolePolicy(new iam.PolicyStatement({ actions, resources: [invitation.secretArn] }));
      if (id === 'Writer') encryptionKey.grantEncryptDecrypt(calling);
    }
  });
  expect(reason).toBeUndefined();
  expect(secret()).toMatchObject({
    kmsKeyId: outputs.KeyArn,
    description: 'for ana',
    secretString: expect.stringMatching(/^.{32}$/),
  });
  const call = async (id: string, operation: string, members: object) => {
    const event = { operation, SecretId: outputs.Arn, ...members };
    return (await embedded.engine.lambda.invoke(outputs[`${id}Arn`]!, event)) as { result: Record<string, unknown> };
  };
  const value = { SecretString: 'https://example.com/invite', ClientRequestToken: 'x'.repeat(32) };
  expect((await call('WithoutKey', 'PutSecretValue', value)).result.Message).toBe('Access to KMS is not allowed');
  expect((await call('Writer', 'PutSecretValue', value)).result).toMatchObject({ ARN: outputs.Arn });
  expect((await call('Writer', 'GetSecretValue', {})).result).toMatchObject({ SecretString: value.SecretString });
});

test('a value that somebody put outlives updates of everything else, and their roll-back', async () => {
  await deploySecret();
  put('theirs');
  const arn = secret()!.arn;
  const changed = await deploySecret({ description: 'for ben' }, (stack) => {
    const encryptionKey = new kms.Key(stack, 'Key');
    (stack.node.findChild('Secret').node.defaultChild as secretsmanager.CfnSecret).kmsKeyId = encryptionKey.keyArn;
    Tags.of(stack).add('team', 'sales');
  });
  expect(changed).toMatchObject({ status: 'UPDATE_COMPLETE', outputs: { Arn: arn } });
  expect(secret()).toMatchObject({
    ...{ arn, description: 'for ben', tags: { team: 'sales' }, secretString: 'theirs' },
    kmsKeyId: expect.stringMatching(/^arn:aws:kms:us-east-1:111122223333:key\/[0-9a-f-]{36}$/),
  });
  const failed = await deploySecret({}, (stack) => {
    stack.custom('Breaker', { FailOn: 'Create' }).node.addDependency(stack.node.findChild('Secret'));
  });
  expect(failed.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(secret()).toMatchObject({ arn, description: 'for ben', tags: { team: 'sales' }, secretString: 'theirs' });
});

test('another wish for the value is another value', async () => {
  await deploySecret({ generateSecretString: { passwordLength: 8, excludePunctuation: true } });
  const first = secret()!.secretString;
  expect(first).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[a-zA-Z0-9]{8}$/);
  const generateSecretString = { secretStringTemplate: '{"user":"ana"}', generateStringKey: 'password' };
  await deploySecret({ generateSecretString });
  expect(JSON.parse(secret()!.secretString!)).toEqual({ user: 'ana', password: expect.stringMatching(/^.{32}$/) });
  await deploySecret({ secretStringValue: SecretValue.unsafePlainText('given') });
  expect(secret()?.secretString).toBe('given');
});

test('another name is another secret: the old one goes in the clean-up, and its name is free', async () => {
  await deploySecret({ secretName: 'before' });
  const before = secret()!;
  await deploySecret({ secretName: 'after' });
  expect(secret()).toMatchObject({ name: 'after' });
  expect(embedded.engine.secretsManager.secret('before')).toBeUndefined();
  await deploySecret({ secretName: 'before' });
  expect(secret()?.name).toBe('before');
  expect(secret()?.arn).not.toBe(before.arn);
});

test('a name that is taken fails the creation and leaves its holder alone', async () => {
  embedded.engine.secretsManager.createSecret({ name: 'taken', secretString: 'theirs' });
  const result = await deploySecret({ secretName: 'taken' });
  expect(result.status).toBe('ROLLBACK_COMPLETE');
  expect(result.reason).toContain('The operation failed because the secret taken already exists.');
  expect(embedded.engine.secretsManager.secret('taken')?.secretString).toBe('theirs');
});

test('a key that its stack deletes is not gone at once, but of no use any more', async () => {
  await embedded.deploy((stack) => {
    const key = new kms.Key(stack, 'Key', { removalPolicy: RemovalPolicy.DESTROY });
    new CfnOutput(stack, 'Id', { value: key.keyId });
  });
  const { keys } = embedded.engine.secretsManager;
  const id = embedded.engine.describeStack('Test')!.outputs.Id!.value;
  expect(keys.get(id, 'us-east-1').state).toBe('Enabled');
  await embedded.engine.destroy('Test');
  expect(keys.get(id, 'us-east-1').state).toBe('PendingDeletion');
});

test("a key's policy and its alias follow the template", async () => {
  const { keys } = embedded.engine.secretsManager;
  const build = (...names: string[]) =>
    embedded.deploy((stack) => {
      const [first] = names.map((name) => new kms.Key(stack, name, { removalPolicy: RemovalPolicy.DESTROY }));
      new kms.Alias(stack, 'Alias', { aliasName: 'team', targetKey: first! });
      first!.addToResourcePolicy(
        new iam.PolicyStatement({
          sid: names[0],
          principals: [new iam.AnyPrincipal()],
          actions: ['kms:*'],
          resources: ['*'],
        }),
      );
    });
  await build('A', 'B');
  const a = keys.get('alias/team', 'us-east-1');
  expect(a.policy.Statement).toContainEqual(expect.objectContaining({ Sid: 'A' }));
  await build('B', 'A');
  const b = keys.get('alias/team', 'us-east-1');
  expect(b.id).not.toBe(a.id);
  expect(b.policy.Statement).toContainEqual(expect.objectContaining({ Sid: 'B' }));
  expect(a.policy.Statement).not.toContainEqual(expect.objectContaining({ Sid: 'A' }));
});

test('secrets, their values and keys outlive the process, in a file that only its owner can read', async () => {
  await deploySecret({}, (stack) => void new kms.Key(stack, 'Key', { alias: 'team' }));
  put('theirs');
  await embedded.restart();
  expect(secret()?.secretString).toBe('theirs');
  expect(embedded.engine.secretsManager.keys.find('alias/team', 'us-east-1')?.state).toBe('Enabled');
  expect(statSync(path.join(embedded.folder, 'state', 'aws.json')).mode & 0o777).toBe(0o600);
  await embedded.engine.destroy('Test');
  expect(embedded.engine.secretsManager.store.secrets).toEqual([]);
});
