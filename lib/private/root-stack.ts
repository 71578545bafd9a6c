import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The stack that a construct is deployed with: its own, or the one that its nested stack belongs to in the end. */
export function rootStackOf(scope: IConstruct): Stack {
  let stack = Stack.of(scope);
  while (stack.nestedStackParent) stack = stack.nestedStackParent;
  return stack;
}
