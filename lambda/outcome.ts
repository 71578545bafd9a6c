import type { UserId } from '../lib/private/user-arn';
import { INVITATION_UNAVAILABLE, type Tag, type UserResourceAttributes } from '../lib/private/user-resource';
import type { Deployment } from './deployment';
import type { UserEvent } from './event';
import type { Plan } from './execute';
import { holderTag } from './holder';
import type { Invitation } from './invitation-secret';
import type { LiveUser } from './live-user';
import type { Patience } from './quicksight-api';
import { SignedCallError } from './signed-call';

export type Create = Extract<UserEvent, { RequestType: 'Create' }>;
export type Update = Extract<UserEvent, { RequestType: 'Update' }>;
export type Delete = Extract<UserEvent, { RequestType: 'Delete' }>;

/** What would be answered if the event had to stop now: kept up to date, because a deadline asks nobody. */
export interface Draft {
  physicalId: string;
}

export interface Outcome {
  readonly physicalId: string;
  readonly attributes?: UserResourceAttributes;
}

/** An event that is being acted on, with all that its plan needs to know. */
export interface Scope<E extends UserEvent = UserEvent> {
  readonly event: E;
  /** Holds the physical id that a failure must answer with. */
  readonly draft: Draft;
  readonly deployment: Deployment;
  readonly patience: Patience;
  /** When the event arrived, in seconds since the epoch. */
  readonly arrivedAt: number;
}

/** The tag that says, of a user which it is on, that the resource of this event holds it. */
export function holderOf({ event, arrivedAt }: Scope): Tag {
  return holderTag({ ...event, RootStackId: event.properties.RootStackId ?? event.StackId }, arrivedAt);
}

type Ids = Pick<LiveUser, 'Arn' | 'UserName' | 'PrincipalId'>;

/**
 * The answer to a Create or an Update: every attribute, every time.
 *
 * @param url the invitation URL, when this event registered the user
 */
export function* succeed(scope: Scope<Create | Update>, physicalId: string, user: Ids, url?: string): Plan<Outcome> {
  const InvitationUrl = url || (yield* knownInvitation(scope, user.Arn)) || INVITATION_UNAVAILABLE;
  const { Arn, UserName, PrincipalId } = user;
  return { physicalId, attributes: { Arn, UserName, PrincipalId, InvitationUrl } };
}

/** The answer of an Update that leaves its user alone. */
export function* succeedUnchanged(scope: Scope<Update>, id: UserId): Plan<Outcome> {
  return yield* succeed(scope, scope.event.physicalId, idsOf(id));
}

export function idsOf({ arn, userName, principalId }: UserId): Ids {
  return { Arn: arn, UserName: userName, PrincipalId: principalId };
}

/** QuickSight hands a URL out only once, to who registers the user: what the secret does not get is lost. */
export function* keepInvitation(
  scope: Scope<Create | Update>,
  { Arn, UserName }: Ids,
  url: string | undefined,
): Plan<void> {
  const { InvitationSecretArn: secret } = scope.event.properties;
  if (secret === undefined || !url) return;
  const registeredAt = new Date(scope.arrivedAt * 1000).toISOString();
  yield* write(scope, secret, { url, userName: UserName, arn: Arn, registeredAt });
}

/** The URL of the latest registration, which CloudFormation does not hand back, from the secret. */
function* knownInvitation(scope: Scope<Create | Update>, arn: string): Plan<string | undefined> {
  const { event } = scope;
  const { InvitationSecretArn: secret } = event.properties;
  if (secret === undefined) return undefined;
  const invitation = yield* read(secret);
  if (invitation?.arn === arn) return invitation.url;
  const former = event.RequestType === 'Update' ? event.oldProperties.InvitationSecretArn : undefined;
  if (former === undefined || former === secret) return undefined;
  const moved = yield* read(former);
  if (moved?.arn !== arn) return undefined;
  yield* write(scope, secret, moved);
  return moved.url;
}

function* read(secret: string): Plan<Invitation | undefined> {
  try {
    return (yield { secret }) as Invitation | undefined;
  } catch (error) {
    // A URL that cannot be read is no reason to stop a change of the user, nor its roll-back.
    if (!(error instanceof SignedCallError)) throw error;
    yield { note: `the secret of the invitation cannot be read: ${error.code}` };
    return undefined;
  }
}

function* write({ event, deployment }: Scope<Create | Update>, secret: string, invitation: Invitation): Plan<void> {
  try {
    yield { secret, invitation };
  } catch (error) {
    if (!(error instanceof SignedCallError)) throw error;
    if (event.RequestType === 'Update' && (yield* deployment.isRollingBack())) {
      yield { note: `the invitation could not be written to its secret: ${error.code}` };
      return;
    }
    throw new Error(
      `the invitation URL of user "${invitation.userName}" could not be written to the secret ${secret}: ` +
        `${error.code}: ${error.message || 'no message'}. The provider's role must be allowed to write the secret and to ` +
        `use its key: see invitationSecret in the README`,
    );
  }
}
