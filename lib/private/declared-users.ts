import { Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { rootStackOf } from './root-stack';
import { userNameOf } from './user-arn';
import type { UserResourceProperties } from './user-resource';

/** Who declares a user and who writes to a secret, by app. Beside the construct tree, so that it leaves no trace in it. */
const DECLARED = new WeakMap<IConstruct, Map<string, IConstruct>>();

/** Constructs that declared before what a user may not share. */
export interface Rivals {
  /** Declares the same user: the two would undo each other's changes at every deployment. */
  readonly user?: IConstruct;
  /** Writes to the same secret: the two would overwrite each other's invitation. */
  readonly secret?: IConstruct;
}

/**
 * Remembers that a construct declares a user, unless there are rivals.
 *
 * Users can be told apart at synth within a root stack, and between stacks whose account is known; secrets within a root
 * stack, by construct or, when they are imported, by ARN.
 */
export function declareUser(construct: IConstruct, properties: UserResourceProperties): Rivals {
  const declared = DECLARED.get(construct.node.root) ?? new Map<string, IConstruct>();
  DECLARED.set(construct.node.root, declared);
  const [users, secrets] = [userKeys(construct, properties), secretKeys(construct, properties)];
  const [user, secret] = [users, secrets].map((keys) => keys.map((key) => declared.get(key)).find(Boolean));
  if (!user && !secret) [...users, ...secrets].forEach((key) => declared.set(key, construct));
  return { user, secret };
}

function userKeys(construct: IConstruct, properties: UserResourceProperties): string[] {
  const { AwsAccountId, Namespace } = properties;
  const name = userNameOf(properties);
  if (Token.isUnresolved(Namespace) || Token.isUnresolved(name)) return [];
  const places = [stackOf(construct)];
  if (!Token.isUnresolved(AwsAccountId)) places.push(`account ${AwsAccountId}`);
  return places.map((place) => JSON.stringify([place, Namespace, name]));
}

/** The ARN of a secret made in the app is a token that is as much its own as the construct. */
function secretKeys(construct: IConstruct, { InvitationSecretArn }: UserResourceProperties): string[] {
  return InvitationSecretArn === undefined ? [] : [JSON.stringify([stackOf(construct), InvitationSecretArn])];
}

function stackOf(construct: IConstruct): string {
  return `stack ${rootStackOf(construct).node.path}`;
}
