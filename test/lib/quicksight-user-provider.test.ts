import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { App, Lazy, NestedStack, Stack, Token } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { QuickSightUserProvider, type QuickSightUserProviderProps, UserIdentity } from '../../lib';
import { ACCOUNT, declareAna, newStack, propertiesOf } from './sample-user';

function templateOf(props?: (stack: Stack) => QuickSightUserProviderProps): Template {
  const stack = newStack();
  new QuickSightUserProvider(stack, 'Provider', props?.(stack));
  return Template.fromStack(stack);
}

/** The only resource of a type. */
function only(template: Template, type: string): Record<string, any> {
  const [resource, ...more] = Object.values(template.findResources(type));
  expect(more).toEqual([]);
  return resource!;
}

const policyOf = (template: Template) => only(template, 'AWS::IAM::Role').Properties.Policies[0].PolicyDocument;

const arn = (service: string, region: string | object, resource: string) => ({
  'Fn::Join': [
    '',
    [
      'arn:',
      { Ref: 'AWS::Partition' },
      ...(typeof region === 'string' ? [`:${service}:${region}:`] : [`:${service}:`, region, ':']),
      { Ref: 'AWS::AccountId' },
      `:${resource}`,
    ],
  ],
});

const userArns = (namespace: string, region = '*') => arn('quicksight', region, `user/${namespace}/*`);
const groupArns = (namespace: string, region = '*') => arn('quicksight', region, `group/${namespace}/*`);

const secretsByTag = {
  Effect: 'Allow',
  Action: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
  Resource: arn('secretsmanager', '*', 'secret:*'),
  Condition: { StringEquals: { 'aws:ResourceTag/cdk-quicksight-users:invitation-secret': 'true' } },
};

const viaSecretsManager = { StringLike: { 'kms:ViaService': 'secretsmanager.*.amazonaws.com' } };

/** The statements of a policy that are about secrets and their keys. */
const aboutSecrets = (template: Template) =>
  policyOf(template).Statement.filter(({ Action }: { Action: string[] }) => /^(secretsmanager|kms):/.test(Action[0]!));

describe('by default', () => {
  const template = templateOf();

  test('there are a function, its role and its log group, and nothing else', () => {
    const types = Object.values(template.toJSON().Resources as Record<string, { Type: string }>).map(
      ({ Type }) => Type,
    );
    expect(types.sort()).toEqual(['AWS::IAM::Role', 'AWS::Lambda::Function', 'AWS::Logs::LogGroup']);
  });

  test('the role may do what the function does, in its own account, and nothing else', () => {
    const role = only(template, 'AWS::IAM::Role').Properties;
    expect(role.ManagedPolicyArns).toBeUndefined();
    expect(role.AssumeRolePolicyDocument.Statement).toEqual([
      { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } },
    ]);
    expect(role.Policies).toHaveLength(1);
    expect(policyOf(template).Statement).toEqual([
      {
        Effect: 'Allow',
        Action: [
          'quicksight:DeleteUser',
          'quicksight:DeleteUserByPrincipalId',
          'quicksight:DescribeUser',
          'quicksight:ListTagsForResource',
          'quicksight:ListUserGroups',
          'quicksight:ListUsers',
          'quicksight:RegisterUser',
          'quicksight:TagResource',
          'quicksight:UntagResource',
          'quicksight:UpdateUser',
        ],
        Resource: userArns('*'),
      },
      {
        Effect: 'Allow',
        Action: ['quicksight:CreateGroupMembership', 'quicksight:DeleteGroupMembership', 'quicksight:DescribeGroup'],
        Resource: groupArns('*'),
      },
      {
        Effect: 'Allow',
        Action: 'cloudformation:DescribeStacks',
        Resource: arn('cloudformation', { Ref: 'AWS::Region' }, 'stack/*'),
      },
      secretsByTag,
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: arn('kms', '*', 'key/*'),
        Condition: viaSecretsManager,
      },
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: { 'Fn::GetAtt': [expect.stringMatching(/^ProviderLogGroup/), 'Arn'] },
      },
    ]);
  });

  test('the function has five minutes, 256 MiB, all of the concurrency, and the newest Node.js', () => {
    const { Timeout, MemorySize, Handler, Runtime, ReservedConcurrentExecutions, Environment } = only(
      template,
      'AWS::Lambda::Function',
    ).Properties;
    expect({ Timeout, MemorySize, Handler }).toEqual({ Timeout: 300, MemorySize: 256, Handler: 'index.handler' });
    expect(Runtime).toMatch(/^nodejs\d+\.x$/);
    expect([ReservedConcurrentExecutions, Environment]).toEqual([undefined, undefined]);
  });

  test('the log group keeps a month, and goes with the provider', () => {
    expect(only(template, 'AWS::Logs::LogGroup')).toMatchObject({
      Properties: { RetentionInDays: 30 },
      DeletionPolicy: 'Delete',
    });
  });

  test('permissions are there before the function and after it, and the function before and after the users', () => {
    const stack = newStack();
    const { ServiceToken } = propertiesOf({}, stack);
    const [[id, handler]] = Object.entries(Template.fromStack(stack).findResources('AWS::Lambda::Function')) as any;
    expect(ServiceToken).toEqual({ 'Fn::GetAtt': [id, 'Arn'] });
    expect(handler.Properties.Role).toEqual({ 'Fn::GetAtt': [handler.DependsOn[0], 'Arn'] });
    expect(handler.Properties.LoggingConfig.LogGroup).toEqual({ Ref: expect.stringContaining('LogGroup') });
  });
});

describe('the provider of a stack', () => {
  test('is made once', () => {
    const stack = newStack();
    expect(QuickSightUserProvider.getOrCreate(stack)).toBe(QuickSightUserProvider.getOrCreate(stack));
  });

  test('stands in the root stack, also when a nested one asks first', () => {
    const stack = newStack();
    const provider = QuickSightUserProvider.getOrCreate(new NestedStack(stack, 'Nested'));
    expect(provider.node.path).toBe('Stack/QuickSightUserProvider');
    expect(QuickSightUserProvider.getOrCreate(declareAna(stack))).toBe(provider);
  });

  test('can be made by hand under the same id, which keeps its service token', () => {
    const stack = newStack();
    const provider = new QuickSightUserProvider(stack, 'QuickSightUserProvider', { identityRegion: 'us-east-1' });
    expect(QuickSightUserProvider.getOrCreate(stack)).toBe(provider);
    expect(propertiesOf({}, stack).ServiceToken).toEqual(propertiesOf({}).ServiceToken);
  });

  test('is not made for a user who brings another', () => {
    const stack = newStack();
    const provider = new QuickSightUserProvider(stack, 'Mine');
    expect(propertiesOf({ provider }, stack).ServiceToken).toEqual(stack.resolve(provider.serviceToken));
    Template.fromStack(stack).resourceCountIs('AWS::Lambda::Function', 1);
  });
});

describe('the prop', () => {
  test('identityRegion goes to the function, and narrows the permissions', () => {
    const template = templateOf(() => ({ identityRegion: 'eu-west-1' }));
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { QUICKSIGHT_IDENTITY_REGION: 'eu-west-1' } },
    });
    expect(policyOf(template).Statement[0].Resource).toEqual(userArns('*', 'eu-west-1'));
  });

  test('namespaces narrows the permissions', () => {
    const template = templateOf(() => ({ namespaces: ['default', 'partners'] }));
    expect(policyOf(template).Statement[0].Resource).toEqual([userArns('default'), userArns('partners')]);
    expect(policyOf(template).Statement[1].Resource).toEqual([groupArns('default'), groupArns('partners')]);
  });

  test('invitationSecrets narrows the permissions to those secrets, and to their keys', () => {
    const template = templateOf((stack) => {
      const key = new Key(stack, 'Key');
      const importedKey = Key.fromKeyArn(stack, 'ImportedKey', 'arn:aws:kms:us-east-1:111122223333:key/1234abcd');
      const complete = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:complete-AbCdEf';
      const partial = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:partial';
      return {
        invitationSecrets: [
          new Secret(stack, 'Made', { encryptionKey: key }),
          new Secret(stack, 'MadeToo', { encryptionKey: key }),
          Secret.fromSecretCompleteArn(stack, 'Complete', complete),
          Secret.fromSecretAttributes(stack, 'Partial', { secretPartialArn: partial, encryptionKey: importedKey }),
        ],
      };
    });
    expect(aboutSecrets(template)).toEqual([
      {
        Effect: 'Allow',
        Action: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
        Resource: [
          { Ref: expect.stringMatching(/^Made/) },
          { Ref: expect.stringMatching(/^MadeToo/) },
          'arn:aws:secretsmanager:us-east-1:111122223333:secret:complete-AbCdEf',
          'arn:aws:secretsmanager:us-east-1:111122223333:secret:partial-??????',
        ],
      },
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: [
          { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] },
          'arn:aws:kms:us-east-1:111122223333:key/1234abcd',
        ],
        Condition: viaSecretsManager,
      },
    ]);
  });

  test('invitationSecrets takes the permission for keys away when the secrets have none of their own', () => {
    const template = templateOf((stack) => ({ invitationSecrets: [Secret.fromSecretNameV2(stack, 'Ana', 'ana')] }));
    expect(aboutSecrets(template)).toEqual([
      {
        Effect: 'Allow',
        Action: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
        Resource: arn('secretsmanager', { Ref: 'AWS::Region' }, 'secret:ana-??????'),
      },
    ]);
  });

  test('invitationSecrets takes all permissions for secrets away when it is empty', () => {
    expect(aboutSecrets(templateOf(() => ({ invitationSecrets: [] })))).toEqual([]);
  });

  test.each([
    ['invitationSecrets alone decides the permissions', true],
    ['without invitationSecrets the tag alone decides the permissions', false],
  ])('%s, whoever is declared', (_, isListed) => {
    const policies = [0, 1, 2].map((users) => {
      const stack = newStack();
      const secret = (id: string) => new Secret(stack, id, { encryptionKey: new Key(stack, `KeyOf${id}`) });
      const [first, second] = [secret('First'), secret('Second')];
      const invitationSecrets = isListed ? [first, second] : undefined;
      const provider = new QuickSightUserProvider(stack, 'Provider', { invitationSecrets });
      if (users > 0) declareAna(stack, { provider, invitationSecret: first });
      const ben = { identity: UserIdentity.quickSight('ben'), namespace: 'partners', invitationSecret: second };
      if (users > 1) declareAna(stack, { provider, ...ben }, 'Ben');
      return JSON.stringify(policyOf(Template.fromStack(stack)));
    });
    expect(policies).toEqual([policies[0], policies[0], policies[0]]);
  });

  test('namespaces alone decides the permissions, whoever is declared', () => {
    const stack = newStack();
    declareAna(stack, { namespace: 'partners' });
    expect(policyOf(Template.fromStack(stack))).toEqual(policyOf(templateOfDefault()));
  });

  test('role takes the permissions in a policy that the function waits for', () => {
    const template = templateOf((stack) => ({ role: Role.fromRoleName(stack, 'Role', 'quicksight') }));
    const [[policyId, policy]] = Object.entries(template.findResources('AWS::IAM::Policy')) as any;
    expect(policy.Properties.Roles).toEqual(['quicksight']);
    expect(policy.Properties.PolicyDocument.Statement).toEqual(policyOf(templateOf()).Statement);
    expect(only(template, 'AWS::Lambda::Function').DependsOn).toEqual([policyId]);
    template.resourceCountIs('AWS::IAM::Role', 0);
  });

  test.each([
    ['imported as immutable', (stack: Stack) => Role.fromRoleName(stack, 'Role', 'quicksight', { mutable: false })],
    [
      'without policy updates',
      (stack: Stack) =>
        new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') }).withoutPolicyUpdates(),
    ],
  ])('role may be one to which nothing is added: %s', (_, role) => {
    const template = templateOf((stack) => ({ role: role(stack) }));
    template.resourceCountIs('AWS::IAM::Policy', 0);
    expect(JSON.stringify(template.toJSON())).not.toContain('quicksight:RegisterUser');
  });

  test('role may come from another stack of the app', () => {
    const app = new App();
    const role = new Role(new Stack(app, 'Roles'), 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const stack = new Stack(app, 'Stack');
    new QuickSightUserProvider(stack, 'Provider', { role });
    Template.fromStack(stack).resourceCountIs('AWS::IAM::Policy', 1);
  });

  test('vpc, vpcSubnets and securityGroups place the function, and let Lambda connect it', () => {
    const template = templateOf((stack) => {
      const vpc = new Vpc(stack, 'Vpc', { natGateways: 0 });
      const group = SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0123456789abcdef0');
      return { vpc, vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED }, securityGroups: [group] };
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      VpcConfig: {
        SecurityGroupIds: ['sg-0123456789abcdef0'],
        SubnetIds: [{ Ref: Match.stringLikeRegexp('Isolated') }, { Ref: Match.stringLikeRegexp('Isolated') }],
      },
    });
    expect(policyOf(template).Statement.at(-1)).toEqual({
      Effect: 'Allow',
      Action: [
        'ec2:AssignPrivateIpAddresses',
        'ec2:CreateNetworkInterface',
        'ec2:DeleteNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:UnassignPrivateIpAddresses',
      ],
      Resource: '*',
    });
  });

  test('logGroup takes the log, and no other is made', () => {
    const template = templateOf((stack) => ({ logGroup: LogGroup.fromLogGroupName(stack, 'Logs', 'central') }));
    template.hasResourceProperties('AWS::Lambda::Function', { LoggingConfig: { LogGroup: 'central' } });
    template.resourceCountIs('AWS::Logs::LogGroup', 0);
    expect(JSON.stringify(policyOf(template).Statement.at(-1).Resource)).toContain(':log-group:central:*');
  });

  test('logRetention sets how long the log is kept', () => {
    templateOf(() => ({ logRetention: RetentionDays.ONE_YEAR })).hasResourceProperties('AWS::Logs::LogGroup', {
      RetentionInDays: 365,
    });
  });

  test('memorySize sets the memory', () => {
    templateOf(() => ({ memorySize: 512 })).hasResourceProperties('AWS::Lambda::Function', { MemorySize: 512 });
  });
});

test('what a provider offers belongs to its own function', () => {
  const stack = newStack();
  const provider = new QuickSightUserProvider(stack, 'Provider');
  expect(provider.serviceToken).toBe(provider.handler.functionArn);
  expect(provider.handler.role).toBe(provider.role);
  expect(stack.resolve(provider.logGroup.logGroupName)).toEqual({ Ref: expect.stringMatching(/^ProviderLogGroup/) });
});

describe('problems', () => {
  test.each<[QuickSightUserProviderProps, string]>([
    [{ identityRegion: 'Virginia' }, 'identity region "Virginia" is not the name of a region: give one like us-east-1'],
    [{ identityRegion: '' }, 'identity region "" is not the name of a region'],
    [{ namespaces: [] }, 'namespaces is empty: name at least one, or leave it out for all'],
    [{ namespaces: ['a*'] }, 'namespace "a*" is not a namespace'],
  ])('of %j are told', (props, message) => {
    expect(() => templateOf(() => props)).toThrow(`QuickSightUserProvider Stack/Provider: ${message}`);
  });

  test('are told all at once', () => {
    expect(() => templateOf(() => ({ identityRegion: 'x', namespaces: [] }))).toThrow(
      /region "x".*; namespaces is empty/,
    );
  });

  test('are what is no secret among the secrets', () => {
    const secretPartialArn = 'arn:aws:ssm:us-east-1:111122223333:parameter:ana';
    const props = (stack: Stack) => ({
      invitationSecrets: [Secret.fromSecretAttributes(stack, 'Secret', { secretPartialArn })],
    });
    expect(() => templateOf(props)).toThrow(
      `Stack/Provider: invitation secret "${secretPartialArn}" is not the ARN of a secret: give one like arn:aws:`,
    );
  });

  test('are a retention for a log group made elsewhere', () => {
    const props = (stack: Stack) => ({
      logGroup: LogGroup.fromLogGroupName(stack, 'Logs', 'central'),
      logRetention: RetentionDays.ONE_DAY,
    });
    expect(() => templateOf(props)).toThrow('logRetention cannot be set for a log group of your own');
  });

  test.each(['us-east-1', 'us-gov-west-1', 'cn-northwest-1', 'us-iso-east-1', 'eusc-de-east-1'])(
    'are not the region %s',
    (identityRegion) => {
      expect(() => templateOf(() => ({ identityRegion }))).not.toThrow();
    },
  );

  test('are a list of namespaces that is a token, because a policy needs to know how many there are', () => {
    const namespaces = Token.asList({ Ref: 'Namespaces' });
    expect(() => templateOf(() => ({ namespaces }))).toThrow(
      /Stack\/Provider: namespaces is a list known at deployment only: name each, a name may be a token$/,
    );
  });

  test('are not sought in tokens', () => {
    const token = Lazy.string({ produce: () => 'default' });
    const stack = newStack();
    const provider = new QuickSightUserProvider(stack, 'Provider', { identityRegion: token, namespaces: [token] });
    expect(() => declareAna(stack, { provider, namespace: 'partners' })).not.toThrow();
  });
});

test('a checkout that has not been built says so', () => {
  const root = path.join(__dirname, '..', '..');
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'unbuilt-'));
  try {
    fs.cpSync(path.join(root, 'lib'), path.join(copy, 'lib'), { recursive: true });
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
    const script = `
      const { Stack } = require('aws-cdk-lib');
      const { QuickSightUserProvider } = require('./lib/index.ts');
      try { new QuickSightUserProvider(new Stack(), 'Provider'); } catch (error) { console.log(error.message); }`;
    const said = execFileSync(process.execPath, ['--import', 'tsx', '--eval', script], { cwd: copy, encoding: 'utf8' });
    expect(said).toContain(`missing from ${path.join(fs.realpathSync(copy), 'lambda', 'dist')}: run 'npm run build'`);
  } finally {
    fs.rmSync(copy, { recursive: true });
  }
});

test.each(['us-east-1', 'cn-north-1', 'us-gov-west-1'])('no ARN names a partition, also in %s', (region) => {
  const stack = newStack({ env: { account: ACCOUNT, region } });
  new QuickSightUserProvider(stack, 'Provider');
  expect(JSON.stringify(Template.fromStack(stack).toJSON())).not.toMatch(/arn:aws/);
});

test('the account of a bound stack is in the permissions', () => {
  const stack = newStack({ env: { account: ACCOUNT, region: 'us-east-1' } });
  new QuickSightUserProvider(stack, 'Provider');
  expect(JSON.stringify(policyOf(Template.fromStack(stack)))).toContain(`:quicksight:*:${ACCOUNT}:user/*/*`);
});

function templateOfDefault(): Template {
  const stack = newStack();
  QuickSightUserProvider.getOrCreate(stack);
  return Template.fromStack(stack);
}

test('a construct that has the id of the provider is named', () => {
  const stack = new Stack(new App(), 'Stack');
  new Construct(stack, 'QuickSightUserProvider');
  expect(() => QuickSightUserProvider.getOrCreate(stack)).toThrow(
    'Stack/QuickSightUserProvider is not a QuickSightUserProvider',
  );
});
