import { Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { rootStackOf } from './root-stack';
import { userNameOf } from './user-arn';
import type { UserResourceProperties } from './user-resource';

/** Who declares a user, by app. Beside the construct tree, so that it leaves no trace in it. */
const DECLARED = new WeakMap<IConstruct, Map<string, IConstruct>>();

/**
 * Remembers that a construct declares a user.
 *
 * Two declarations of one user would undo each other's changes at every deployment. They can be told at synth within a
 * root stack, and between stacks whose account is known.
 *
 * @returns the construct that declares the same user already, if there is one
 */
export function declareUser(construct: IConstruct, properties: UserResourceProperties): IConstruct | undefined {
  const { AwsAccountId, Namespace } = properties;
  const name = userNameOf(properties);
  if (Token.isUnresolved(Namespace) || Token.isUnresolved(name)) return undefined;
  const places = [`stack ${rootStackOf(construct).node.path}`];
  if (!Token.isUnresolved(AwsAccountId)) places.push(`account ${AwsAccountId}`);
  const keys = places.map((place) => JSON.stringify([place, Namespace, name]));

  const declared = DECLARED.get(construct.node.root) ?? new Map<string, IConstruct>();
  DECLARED.set(construct.node.root, declared);
  const other = keys.map((key) => declared.get(key)).find(Boolean);
  if (!other) keys.forEach((key) => declared.set(key, construct));
  return other;
}
