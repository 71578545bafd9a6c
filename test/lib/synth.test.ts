import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import {
  App,
  type AppProps,
  Aspects,
  CfnResource,
  type InjectionContext,
  type IPropertyInjector,
  NestedStack,
  PropertyInjectors,
  Stack,
  Tags,
} from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { QuickSightUser, UserIdentity, UserRole } from '../../lib';
import { declareAna, newStack } from './sample-user';

function declare(scope: Stack, name: string): QuickSightUser {
  return new QuickSightUser(scope, name, {
    identity: UserIdentity.quickSight(name),
    email: `${name}@example.com`,
    userRole: UserRole.READER,
  });
}

function synthesize(props?: AppProps): Record<string, unknown> {
  const app = new App(props);
  const stack = new Stack(app, 'Stack');
  declare(stack, 'ana');
  declare(new NestedStack(stack, 'Nested'), 'ben');
  Tags.of(app).add('team', 'data');
  return Template.fromStack(stack).toJSON();
}

// Renaming one of these would replace the function of every deployed user, which CloudFormation refuses.
test('logical ids are those of every release', () => {
  const stack = newStack();
  declareAna(stack);
  expect(Object.keys(Template.fromStack(stack).toJSON().Resources).sort()).toEqual([
    'Ana1DFF4572',
    'QuickSightUserProviderFunctionE58BA832',
    'QuickSightUserProviderLogGroupE69ECCF7',
    'QuickSightUserProviderRoleD52BA0DE',
  ]);
});

test('one user makes 4 resources, each more makes 1', () => {
  const counts = [1, 2, 7].map((users) => {
    const stack = newStack();
    for (let n = 0; n < users; n++) declare(stack, `user-${n}`);
    return Object.keys(Template.fromStack(stack).toJSON().Resources).length;
  });
  expect(counts).toEqual([4, 5, 10]);
});

test('two synths give the same template', () => {
  expect(synthesize()).toEqual(synthesize());
});

test('the tree holds nothing but the user, its resource and the provider', () => {
  const stack = newStack();
  declareAna(stack);
  const paths = stack.node.findAll().map(({ node }) => node.path);
  const unexpected = paths.filter((at) => !/^Stack(\/Ana(\/Resource)?|\/QuickSightUserProvider(\/.*)?)?$/.test(at));
  expect(unexpected).toEqual([]);
});

describe('feature flags', () => {
  const { context } = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  const ids = (template: Record<string, any>) =>
    Object.entries(template.Resources as Record<string, { Type: string }>).map(([id, { Type }]) => `${id} ${Type}`);

  test('on or off make no difference to which resources there are', () => {
    expect(Object.keys(context).length).toBeGreaterThan(50);
    expect(ids(synthesize({ context }))).toEqual(ids(synthesize()));
  });

  test('on or off make no difference to a user', () => {
    const user = (template: Record<string, any>) =>
      Object.values(template.Resources as Record<string, { Type: string }>).find(({ Type }) =>
        Type.startsWith('Custom::'),
      );
    expect(user(synthesize({ context }))).toEqual(user(synthesize()));
  });
});

test('the code has the same asset hash wherever the app is', () => {
  const key = (outdir: string) => {
    const template = synthesize({ outdir }) as { Resources: Record<string, { Properties: any }> };
    return template.Resources.QuickSightUserProviderFunctionE58BA832!.Properties.Code.S3Key;
  };
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'outdir-'));
  try {
    expect(key(path.join(parent, 'a'))).toBe(key(path.join(parent, 'b', 'c')));
  } finally {
    fs.rmSync(parent, { recursive: true });
  }
});

test('a permissions boundary of the stack reaches the role', () => {
  const stack = newStack();
  PermissionsBoundary.of(stack).apply(ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'developers'));
  declareAna(stack);
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', {
    PermissionsBoundary: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp(':policy/developers$')])] },
  });
});

test('an aspect of the app can change a user', () => {
  const stack = newStack();
  declareAna(stack);
  Aspects.of(stack).add({
    visit(node) {
      if (CfnResource.isCfnResource(node) && node.cfnResourceType === 'Custom::QuickSightUser') {
        node.addPropertyOverride('UserRole', 'READER');
      }
    },
  });
  Template.fromStack(stack).hasResourceProperties('Custom::QuickSightUser', { UserRole: 'READER' });
});

test('a property injector that moves every function into a VPC gets the permissions that this takes', () => {
  const app = new App();
  const stack = new Stack(app, 'Stack');
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 0 });
  class IntoVpc implements IPropertyInjector {
    readonly constructUniqueId = LambdaFunction.PROPERTY_INJECTION_ID;
    inject(originalProps: any, _context: InjectionContext): any {
      return { ...originalProps, vpc, vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED } };
    }
  }
  PropertyInjectors.of(app).add(new IntoVpc());
  declareAna(stack);
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::Lambda::Function', {
    Description: Match.stringLikeRegexp('^Custom::QuickSightUser'),
    VpcConfig: Match.anyValue(),
  });
  template.hasResourceProperties('AWS::IAM::Role', {
    Policies: [
      {
        PolicyDocument: {
          Statement: Match.arrayWith([Match.objectLike({ Action: Match.arrayWith(['ec2:CreateNetworkInterface']) })]),
        },
      },
    ],
  });
});
