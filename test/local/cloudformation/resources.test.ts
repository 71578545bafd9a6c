import { writeFileSync } from 'node:fs';
import path from 'node:path';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Embedded, type TestStack } from './embedded-stack';

let embedded: Embedded;
beforeEach(() => (embedded = new Embedded()));
afterEach(() => embedded.stop());

const statement = (action: string) => new iam.PolicyStatement({ actions: [action], resources: ['*'] });

/** Why a role of the stack may not do this. */
function denial(roleName: string, action: string): string | undefined {
  const { arn } = embedded.engine.iam.get('role', roleName);
  const { accessKeyId } = embedded.engine.iam.assumeRole(arn, 'test');
  return embedded.engine.iam.authorize({ accessKeyId, action, resource: 'arn:x' });
}

function addRole(stack: TestStack): iam.Role {
  const assumedBy = new iam.ServicePrincipal('lambda.amazonaws.com');
  return new iam.Role(stack, 'Role', { roleName: 'team', path: '/bi/', assumedBy });
}

test('policies of every kind reach a role, follow their updates and go with their resources', async () => {
  const build = (action: string) =>
    embedded.deploy((stack) => {
      const role = addRole(stack);
      role.addToPolicy(statement(`inline:${action}`));
      new iam.ManagedPolicy(stack, 'Managed', { statements: [statement(`managed:${action}`)], roles: [role] });
    });
  await build('Read');
  expect([denial('team', 'inline:Read'), denial('team', 'managed:Read')]).toEqual([undefined, undefined]);
  await build('Write');
  expect([denial('team', 'inline:Write'), denial('team', 'managed:Write')]).toEqual([undefined, undefined]);
  expect(denial('team', 'inline:Read')).toContain('is not authorized to perform');
  await embedded.deploy((stack) => void addRole(stack));
  expect(denial('team', 'managed:Write')).toContain('is not authorized to perform');
});

test('a permissions boundary that the stack makes applies to its roles', async () => {
  const result = await embedded.deploy((stack) => {
    const boundary = new iam.ManagedPolicy(stack, 'Boundary', { statements: [statement('logs:*')] });
    const role = addRole(stack);
    role.addToPolicy(statement('*'));
    iam.PermissionsBoundary.of(role).apply(boundary);
  });
  expect(result.reason).toBeUndefined();
  expect(denial('team', 'logs:PutLogEvents')).toBeUndefined();
  expect(denial('team', 'quicksight:DeleteUser')).toContain('because no permissions boundary allows');
});

test('a user that is deleted and made again has a new id', async () => {
  const build = (stack: TestStack) => void new iam.User(stack, 'Bob', { userName: 'bob' });
  const arn = 'arn:aws:iam::111122223333:user/bob';
  await embedded.deploy(build);
  const first = embedded.engine.iam.uniqueId(arn);
  await embedded.deploy(() => undefined);
  expect(embedded.engine.iam.uniqueId(arn)).toBeUndefined();
  await embedded.deploy(build);
  expect(embedded.engine.iam.uniqueId(arn)).toMatch(/^AIDA/);
  expect(embedded.engine.iam.uniqueId(arn)).not.toBe(first);
});

test('changed code runs from the next event on, before whatever depends on the function', async () => {
  await embedded.deploy((stack) => stack.custom('Ana', { Version: 1 }));
  const file = path.join(embedded.folder, 'code', 'index.js');
  writeFileSync(
    file,
    `exports.handler = () => fetch('http://127.0.0.1:1').catch(() => { throw new Error('new code') });`,
  );
  embedded.forget();
  await embedded.deploy((stack) => stack.custom('Ana', { Version: 2, ServiceTimeout: 1 }));
  const logGroup = Object.values(embedded.engine.stacks()[0]!.resources).find(
    ({ type }) => type === 'AWS::Logs::LogGroup',
  );
  expect(embedded.engine.lambda.logGroups.lines(logGroup!.physicalId!).join('\n')).toContain('new code');
  // The roll-back brings the old code back first, and that answers.
  expect(embedded.calls()).toEqual(['Update Ana']);
  expect(embedded.engine.describeStack('Test')?.status).toBe('UPDATE_ROLLBACK_COMPLETE');
});

test('a function for another runtime than Node.js fails with the reason', async () => {
  const result = await embedded.deploy((stack) => {
    new lambda.Function(stack, 'Python', {
      code: lambda.Code.fromInline('def handler(event, context): pass'),
      handler: 'index.handler',
      runtime: lambda.Runtime.PYTHON_3_13,
    });
  });
  expect(result.status).toBe('ROLLBACK_COMPLETE');
  expect(result.reason).toContain('the embedded Lambda does not run python3.13: it runs Node.js functions only');
});

test('a name that is taken fails the creation and leaves its holder alone', async () => {
  const other = embedded.engine.iam.create({ kind: 'role', name: 'team', path: '/bi/' });
  const result = await embedded.deploy((stack) => void addRole(stack));
  expect(result.reason).toContain('role with name team already exists');
  expect(embedded.engine.iam.get('role', 'team').id).toBe(other.id);
});
