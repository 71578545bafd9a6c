import { CfnResource, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DeclaredCustomPermissions, DeclaredGroup } from './users-declaration';

/*
 * The two that CloudFormation has types for. Not CDK's own CfnGroup and CfnCustomPermissions: the oldest aws-cdk-lib that
 * this package works with lacks them, and loading aws-quicksight takes longer than synthesizing a hundred users.
 */

/** `AWS::QuickSight::Group`. */
export function cfnGroup(scope: Construct, { namespace, name, description }: DeclaredGroup): CfnResource {
  return new CfnResource(scope, `${namespace}:${encodeURIComponent(name)}`, {
    type: 'AWS::QuickSight::Group',
    properties: { Namespace: namespace, GroupName: name, Description: description },
  });
}

/** `AWS::QuickSight::CustomPermissions`. */
export function cfnCustomPermissions(scope: Construct, { name, capabilities }: DeclaredCustomPermissions): CfnResource {
  return new CfnResource(scope, encodeURIComponent(name), {
    type: 'AWS::QuickSight::CustomPermissions',
    properties: { AwsAccountId: Stack.of(scope).account, CustomPermissionsName: name, Capabilities: capabilities },
  });
}
