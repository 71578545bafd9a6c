import type { User } from '@aws-sdk/client-quicksight';
import { formatPhysicalId, userNameOf, type UserId } from '../lib/private/user-arn';
import type { UserResourceProperties } from '../lib/private/user-resource';
import { call, type Plan } from './execute';
import { readTags, type Tags } from './holder';
import { QuickSightError } from './quicksight-api';

/** A user as QuickSight shows it, with the ids that a physical id is made of. */
export type LiveUser = User & Required<Pick<User, 'Arn' | 'UserName' | 'PrincipalId'>>;

export interface Found {
  readonly user: LiveUser;
  readonly tags: Tags;
}

/** What names a user in a call. */
export interface UserKey {
  readonly AwsAccountId: string;
  readonly Namespace: string;
  readonly UserName: string;
}

export function keyOf({ AwsAccountId, Namespace }: UserResourceProperties, UserName: string): UserKey {
  return { AwsAccountId, Namespace, UserName };
}

export function keyOfId({ accountId, namespace, userName }: UserId): UserKey {
  return { AwsAccountId: accountId, Namespace: namespace, UserName: userName };
}

export function* describe(key: UserKey): Plan<LiveUser> {
  const { User } = yield* call('DescribeUser', key);
  return requireIds(User);
}

export function* listTags(arn: string): Plan<Tags> {
  const { Tags } = yield* call('ListTagsForResource', { ResourceArn: arn });
  return readTags(Tags);
}

/** The declared user with its tags; undefined when there is none of that name. */
export function* lookOnce(properties: UserResourceProperties): Plan<Found | undefined> {
  return yield* orNothing(lookAt(keyOf(properties, userNameOf(properties))));
}

function* lookAt(key: UserKey): Plan<Found> {
  const user = yield* describe(key);
  return { user, tags: yield* listTags(user.Arn) };
}

/** Looks again and again, until `isEnough` or all pauses are over. */
export function* lookUntil(
  isEnough: (found: Found | undefined) => boolean,
  properties: UserResourceProperties,
  pauses: readonly number[],
): Plan<Found | undefined> {
  for (const wait of pauses) {
    const found = yield* lookOnce(properties);
    if (isEnough(found)) return found;
    yield { wait };
  }
  return yield* lookOnce(properties);
}

/** What a plan comes to; undefined when QuickSight says that the user is not there. */
export function* orNothing<R>(plan: Plan<R>): Plan<R | undefined> {
  try {
    return yield* plan;
  } catch (error) {
    if (error instanceof QuickSightError && error.notFound) return undefined;
    throw error;
  }
}

export function physicalIdOf({ Arn, PrincipalId }: LiveUser): string {
  return formatPhysicalId(Arn, PrincipalId);
}

/** An answer without its ids, or with the `N/A` of a user whose IAM identity is gone, would make a broken physical id. */
export function requireIds(user: User | undefined): LiveUser {
  for (const name of ['Arn', 'UserName', 'PrincipalId'] as const) {
    const value = user?.[name];
    if (!value || value === 'N/A')
      throw new Error(`QuickSight answered with ${name} ${value ? `"${value}"` : 'missing'}`);
  }
  return user as LiveUser;
}
