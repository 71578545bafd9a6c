import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Template, TemplateResource } from '../../local/cloudformation/template';
import { identityOf, PEOPLE, PLACES, type Declared, type Place } from './history';

/** What one deployment declares. */
export interface Code {
  readonly users: readonly Declared[];
  /** The namespaces that the provider's role covers. */
  readonly namespaces: '*' | 'default';
  /** A resource that is made to fail. */
  readonly breaker?: { readonly place: Place; readonly logicalId: string; readonly when: 'last' | 'second' | 'first' };
}

export const ACCOUNT = '111122223333';

/** The provider's permissions in the namespaces, as the library grants them: the test of the histories compares. */
export function permissions(namespaces: Code['namespaces']) {
  const allow = (Action: string[], Resource: string) => ({ Effect: 'Allow' as const, Action, Resource });
  const quickSight = (actions: string, resource: string) =>
    allow(
      actions.split(' ').map((action) => `quicksight:${action}`),
      `arn:aws:quicksight:*:${ACCOUNT}:${resource}/${namespaces}/*`,
    );
  return [
    quickSight(
      'DeleteUser DeleteUserByPrincipalId DescribeUser ListTagsForResource ListUserGroups ListUsers RegisterUser ' +
        'TagResource UntagResource UpdateUser',
      'user',
    ),
    quickSight('CreateGroupMembership DeleteGroupMembership DescribeGroup', 'group'),
    allow(['cloudformation:DescribeStacks'], `arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/*`),
  ];
}

/** Writes a cloud assembly with this stack and its nested ones into a folder: what `cdk synth` would, in a millisecond. */
export function writeAssembly(folder: string, stackName: string, code: Code): void {
  mkdirSync(folder, { recursive: true });
  const files: Record<string, object> = {};
  const asset = (template: Template): string => {
    const text = JSON.stringify(template);
    const name = `${createHash('sha256').update(text).digest('hex')}.json`;
    writeFileSync(path.join(folder, name), text);
    files[name] = {
      source: { path: name, packaging: 'file' },
      destinations: { here: { bucketName: 'assets', objectKey: name } },
    };
    return `https://s3.us-east-1.amazonaws.com/assets/${name}`;
  };
  const root = rootTemplate(code, asset);
  const write = (name: string, content: object) => writeFileSync(path.join(folder, name), JSON.stringify(content));
  write('root.json', root);
  write('assets.json', { files });
  write('manifest.json', {
    artifacts: {
      assets: { type: 'cdk:asset-manifest', properties: { file: 'assets.json' } },
      stack: {
        type: 'aws:cloudformation:stack',
        environment: `aws://${ACCOUNT}/us-east-1`,
        dependencies: ['assets'],
        properties: { stackName, templateFile: 'root.json' },
      },
    },
  });
}

type Asset = (template: Template) => string;

function rootTemplate(code: Code, asset: Asset): Template {
  const token = { 'Fn::GetAtt': ['Function', 'Arn'] };
  return {
    Resources: {
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: {
            Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
          },
          Policies: [{ PolicyName: 'QuickSightUsers', PolicyDocument: { Statement: permissions(code.namespaces) } }],
        },
      },
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Code: { ZipFile: '// runs in the process of the test' },
          Handler: 'index.handler',
          Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
          Runtime: 'nodejs22.x',
          Timeout: 300,
        },
      },
      ...resources(code, '', asset, token, { Ref: 'AWS::StackId' }),
    },
  };
}

function nestedTemplate(code: Code, place: Place, asset: Asset): Template {
  return {
    Parameters: { Token: { Type: 'String' }, Root: { Type: 'String' } },
    Resources: resources(code, place, asset, { Ref: 'Token' }, { Ref: 'Root' }),
  };
}

function resources(code: Code, place: Place, asset: Asset, token: object, rootId: object) {
  const result: Record<string, TemplateResource> = {};
  for (const user of code.users) if (user.place === place) result[user.logicalId] = userResource(user, token, rootId);
  for (const inner of PLACES) {
    if (inner === '' || parentOf(inner) !== place || !isUsed(code, inner)) continue;
    result[inner.at(-1)!] = {
      Type: 'AWS::CloudFormation::Stack',
      Properties: {
        TemplateURL: asset(nestedTemplate(code, inner, asset)),
        Parameters: { Token: token, Root: rootId },
      },
    };
  }
  const { breaker } = code;
  if (breaker?.place !== place) return result;
  const others = Object.keys(result);
  const DependsOn = { first: [], second: others.slice(0, 1), last: others }[breaker.when];
  return { ...result, [breaker.logicalId]: { Type: 'AWS::CloudFormation::WaitConditionHandle', DependsOn } };
}

function userResource(user: Declared, ServiceToken: object, RootStackId: object): TemplateResource {
  const { email, role, permissions, tags, adopt, invitationVersion, deletionPolicy, updateReplacePolicy } = user;
  return {
    Type: 'Custom::QuickSightUser',
    Properties: {
      ServiceToken,
      AwsAccountId: ACCOUNT,
      Namespace: PEOPLE[user.person]!.namespace,
      ...identityOf(user),
      Email: email,
      UserRole: role,
      CustomPermissionsName: permissions,
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      OnExisting: adopt ? 'ADOPT' : undefined,
      InvitationVersion: invitationVersion,
      RootStackId,
    },
    DeletionPolicy: deletionPolicy,
    UpdateReplacePolicy: updateReplacePolicy,
  };
}

/** The place around a nested stack. */
export function parentOf(place: Place): Place {
  return place.split('/').slice(0, -1).join('/') as Place;
}

function isUsed({ users, breaker }: Code, place: Place): boolean {
  const isWithin = (other: Place) => other === place || other.startsWith(`${place}/`);
  return users.some((user) => isWithin(user.place)) || (!!breaker && isWithin(breaker.place));
}
