import { App, Stack, type StackProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Construct } from 'constructs';
import { QuickSightUser, type QuickSightUserProps, UserIdentity, UserRole } from '../../lib';

export const ACCOUNT = '111122223333';

export const newStack = (props?: StackProps) => new Stack(new App(), 'Stack', props);

/** Declares a user who has only what is required, but for the props given. */
export function declareAna(scope: Construct, props: Partial<QuickSightUserProps> = {}, id = 'Ana'): QuickSightUser {
  return new QuickSightUser(scope, id, {
    identity: UserIdentity.quickSight('ana'),
    email: 'ana@example.com',
    userRole: UserRole.AUTHOR,
    ...props,
  });
}

export interface UserResource {
  readonly Properties: Record<string, unknown>;
  readonly [attribute: string]: unknown;
}

/** The users in a stack's template, in the order of their declaration. */
export function usersIn(stack: Stack): UserResource[] {
  return Object.values(Template.fromStack(stack).findResources('Custom::QuickSightUser')) as unknown as UserResource[];
}

/** The properties of the only user of a stack that has the props given. */
export function propertiesOf(props: Partial<QuickSightUserProps>, stack = newStack()): Record<string, unknown> {
  declareAna(stack, props);
  return usersIn(stack)[0]!.Properties;
}
