import { Annotations, ArnFormat, Fn, type IResource, RemovalPolicy, Resource, Stack, Token } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { ExistingUserPolicy } from './existing-user-policy';
import type { ExternalLogin } from './external-login';
import { CfnQuickSightUser } from './private/cfn-quicksight-user';
import { declareUser } from './private/declared-users';
import { INVITATION_SECRET_TAG, tagInvitationSecret } from './private/invitation-secret';
import { rootStackOf } from './private/root-stack';
import { parseUserArn } from './private/user-arn';
import type { UserResourceProperties } from './private/user-resource';
import { isOddEmail, type Problem, regionProblem, tagProblems, userProblems } from './private/validate';
import { QuickSightUserProvider } from './quicksight-user-provider';
import type { UserIdentity } from './user-identity';
import type { UserRole } from './user-role';

/** A user of Amazon QuickSight, declared in this app or existing elsewhere. */
export interface IQuickSightUser extends IResource {
  /**
   * ARN of the user: `arn:<partition>:quicksight:<identity region>:<account>:user/<namespace>/<user name>`.
   *
   * @attribute
   */
  readonly userArn: string;

  /**
   * Name of the user in QuickSight. For a role session this is `<role name>/<session name>`.
   *
   * @attribute
   */
  readonly userName: string;

  /**
   * What QuickSight knows the user's identity by, such as `federated/iam/AIDA…` or `user/d-…/<uuid>`.
   *
   * Reading it from an imported user throws.
   *
   * @attribute
   */
  readonly userPrincipalId: string;

  /**
   * Where a new user of `UserIdentity.quickSight()` sets a password. A secret: whoever opens it first becomes the user.
   *
   * QuickSight hands it out once, when it registers the user, and it expires soon: after 24 hours, by the only figure
   * ever documented. With the prop `invitationSecret` this is the URL of the latest registration, as that secret keeps it.
   * Without, it is the text `unavailable` after every deployment that changes the user without registering it anew. For
   * users who have no invitation (those of another identity type, and adopted ones) it is always `unavailable`.
   *
   * An output shows it to everybody who may describe the stack: read it from the secret instead.
   *
   * Reading it from an imported user throws.
   *
   * @attribute
   */
  readonly invitationUrl: string;

  /** QuickSight namespace of the user. */
  readonly namespace: string;
}

/** Properties of `QuickSightUser`. */
export interface QuickSightUserProps {
  /**
   * Who the user is, and how that person signs in.
   *
   * Changing it registers the new user, and then deletes the old one.
   */
  readonly identity: UserIdentity;

  /**
   * E-mail address of the user. QuickSight does not check it, tells upper from lower case, and sends no invitation to it.
   */
  readonly email: string;

  /** What the user may do. */
  readonly userRole: UserRole;

  /**
   * QuickSight namespace of the user: 1 to 64 characters of `a-z A-Z 0-9 . _ -`. It must exist.
   *
   * Changing it registers the user in the new namespace, and then deletes the one in the old.
   *
   * @default - 'default', the namespace that every account has
   */
  readonly namespace?: string;

  /**
   * Name of a custom permissions profile that takes abilities away from the role: 1 to 64 characters of
   * `a-z A-Z 0-9 + = , . @ _ -`. It must exist.
   *
   * @default - no custom permissions; those that the user got from this property before are taken off
   */
  readonly customPermissionsName?: string;

  /**
   * The identity provider through which the user federates into QuickSight.
   *
   * @default - no external login; one that the user got from this property before is taken off
   */
  readonly externalLogin?: ExternalLogin;

  /**
   * Names of groups of the user's namespace that the user is a member of. They must exist: make a group with
   * `CfnGroup` of `aws-cdk-lib/aws-quicksight`, and let the user depend on it.
   *
   * The user joins the groups listed here, and leaves those that are listed no more. Groups that were never listed here
   * are left alone, whoever made the user a member of them.
   *
   * @default - the user's groups are left alone
   */
  readonly groups?: string[];

  /**
   * Tags of the user, beside those that `Tags.of()` adds: at most 44 together, with keys of 1 to 128 and values of 1 to
   * 256 characters. Keys must differ in more than case. Tags that nobody declared here are left alone.
   *
   * @default - the tags that `Tags.of()` adds
   */
  readonly tags?: { [key: string]: string };

  /**
   * What the deployment does when a user of that name exists already, and nothing in the same root stack holds it.
   *
   * @default ExistingUserPolicy.FAIL
   */
  readonly onExisting?: ExistingUserPolicy;

  /**
   * What happens to the user in QuickSight when it is removed from the code, or replaced by another user.
   *
   * Deleting is the default because access that the code no longer grants should end. A user who owns analyses or
   * dashboards leaves them without an owner: transfer them first, in the QuickSight console, or set
   * `RemovalPolicy.RETAIN`.
   *
   * With `RemovalPolicy.DESTROY`, a user whom other resources declare as well stays until the last of them lets go. A
   * user that was adopted (see `onExisting`), or retained and later declared again, is deleted only by an update that
   * removes it from the code, or replaces it, and succeeds. It is released, and so stays, when the stack is deleted, and
   * when the deployment that adopted it rolls back.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Any text of 1 to 256 characters, such as a number or a date. Giving another one than before, or the first, asks for a
   * new invitation, for a user of `UserIdentity.quickSight()` who has not used the last one in time.
   *
   * QuickSight hands an invitation out only when it registers a user, so the user is deleted and registered anew, as
   * declared and with all its tags. Nobody has established whether dashboards that were shared with the user still are
   * then. A user who has signed up is left as it is, and the deployment succeeds. One who has not, but was adopted or is
   * declared by other resources as well, is refused before anything is changed.
   *
   * @default - the invitation of the first registration is the only one
   */
  readonly invitationVersion?: string;

  /**
   * A secret that takes the invitation URL each time the user is registered, and keeps it readable and stable. For users
   * of `UserIdentity.quickSight()`.
   *
   * Its value is `{"url": …, "userName": …, "arn": …, "registeredAt": …}` with an ISO 8601 time. It is one user's, and
   * nothing else's: what it held before is superseded.
   *
   * It may be encrypted with a key of your own. The secret gets the tag `cdk-quicksight-users:invitation-secret` with the
   * value `true`, by which the provider's role may write it. An imported secret must carry that tag already, or be listed
   * in `invitationSecrets` of the provider; it must be of the stack's account.
   *
   * @default - the URL is in `invitationUrl`, until a deployment changes the user without registering it, and nowhere else
   */
  readonly invitationSecret?: ISecret;

  /**
   * The AWS account of the user. QuickSight refuses calls from another account, so it can only be the stack's.
   *
   * @default - the account of the stack
   */
  readonly awsAccountId?: string;

  /**
   * The Lambda function behind the user. It can never change once the user has been deployed.
   *
   * @default - the provider that all users of the stack share, see `QuickSightUserProvider.getOrCreate()`
   */
  readonly provider?: QuickSightUserProvider;
}

/** What is known of a user that exists elsewhere. */
export interface QuickSightUserAttributes {
  /** Name of the user in QuickSight. For a role session this is `<role name>/<session name>`. */
  readonly userName: string;

  /**
   * QuickSight namespace of the user.
   *
   * @default - 'default', the namespace that every account has
   */
  readonly namespace?: string;

  /**
   * The identity region of the QuickSight account, which is part of the user's ARN.
   *
   * @default - not known: reading `userArn` throws
   */
  readonly identityRegion?: string;
}

/** The namespace that every QuickSight account has. */
const DEFAULT_NAMESPACE = 'default';

/**
 * A user of Amazon QuickSight: registered at deployment, kept as declared, and deleted when it is removed from the code.
 *
 * A user of the same name that exists already, and that nothing in the same root stack holds, is refused: the deployment
 * fails and leaves it alone. Set `onExisting` to adopt it.
 *
 * @resource Custom::QuickSightUser
 */
export class QuickSightUser extends Resource implements IQuickSightUser {
  /**
   * A user that exists elsewhere, by ARN.
   *
   * Of an ARN that is a token, the user name cannot be read: names may contain slashes, which CloudFormation could not
   * tell from the one before the name. Use `fromUserAttributes()` then.
   *
   * @param scope construct scope
   * @param id construct id
   * @param userArn `arn:<partition>:quicksight:<identity region>:<account>:user/<namespace>/<user name>`
   * @throws when the ARN is known and is not one of a QuickSight user
   */
  public static fromUserArn(scope: Construct, id: string, userArn: string): IQuickSightUser {
    const parsed = parseUserArn(userArn);
    if (parsed) return new ImportedUser(scope, id, { ...parsed, userArn });
    if (!Token.isUnresolved(userArn)) {
      throw new Error(
        `"${userArn}" is not the ARN of a QuickSight user: give one like ` +
          `arn:aws:quicksight:us-east-1:111122223333:user/default/ana (at ${scope.node.path}/${id})`,
      );
    }
    return new ImportedUser(scope, id, { userArn, namespace: Fn.select(1, Fn.split('/', userArn)) });
  }

  /**
   * A user that exists elsewhere in the stack's account, by name.
   *
   * @param scope construct scope
   * @param id construct id
   * @param attrs what is known of the user
   * @throws with all problems of the attributes at once
   */
  public static fromUserAttributes(scope: Construct, id: string, attrs: QuickSightUserAttributes): IQuickSightUser {
    const { userName, namespace = DEFAULT_NAMESPACE, identityRegion } = attrs;
    const named = { IdentityType: 'QUICKSIGHT', UserName: userName, Namespace: namespace } as const;
    const problems = userProblems(named, isKnown).map(inWords);
    const wrong = identityRegion !== undefined && isKnown(identityRegion) && regionProblem(identityRegion);
    if (wrong) problems.push(`identityRegion ${wrong}`);
    if (problems.length > 0) throw new Error(`QuickSight user ${scope.node.path}/${id}: ${problems.join('; ')}`);
    const userArn =
      identityRegion &&
      Stack.of(scope).formatArn({
        service: 'quicksight',
        region: identityRegion,
        resource: 'user',
        resourceName: `${namespace}/${userName}`,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      });
    return new ImportedUser(scope, id, { userArn, userName, namespace });
  }

  public readonly namespace: string;
  private readonly resource: CfnQuickSightUser;

  /**
   * @throws with all problems of the properties at once, and when another construct declares the same user, or another of
   * the root stack writes to the same secret
   */
  constructor(scope: Construct, id: string, props: QuickSightUserProps) {
    super(scope, id);
    const provider = props.provider ?? QuickSightUserProvider.getOrCreate(this);
    const properties = this.render(props);
    this.refuseProblems(properties, provider, props.invitationSecret);
    this.namespace = properties.Namespace;

    this.resource = new CfnQuickSightUser(this, 'Resource', provider.serviceToken, properties);
    this.resource.applyRemovalPolicy(props.removalPolicy ?? RemovalPolicy.DESTROY);
    // Tags.of() adds its tags after construction, so they have not been seen yet.
    this.node.addValidation({ validate: () => [...tagProblems(this.resource.tags, isKnown)].map(inWords) });
  }

  // Tokens are made when they are read: most of many users' never are.
  public get userArn(): string {
    return this.resource.attribute('Arn');
  }

  public get userName(): string {
    return this.resource.attribute('UserName');
  }

  public get userPrincipalId(): string {
    return this.resource.attribute('PrincipalId');
  }

  public get invitationUrl(): string {
    return this.resource.attribute('InvitationUrl');
  }

  private render(props: QuickSightUserProps): UserResourceProperties {
    return {
      AwsAccountId: props.awsAccountId ?? this.stack.account,
      Namespace: props.namespace ?? DEFAULT_NAMESPACE,
      ...props.identity._render(),
      Email: props.email,
      UserRole: props.userRole.name,
      CustomPermissionsName: props.customPermissionsName,
      // In one order, so that the order in which they are listed changes no user.
      GroupNames: props.groups?.length ? [...props.groups].sort() : undefined,
      ...props.externalLogin?._render(),
      // Absent rather than FAIL: an upgrade of this library is to change no deployed user.
      OnExisting: props.onExisting === ExistingUserPolicy.ADOPT ? 'ADOPT' : undefined,
      InvitationVersion: props.invitationVersion,
      InvitationSecretArn: props.invitationSecret?.secretArn,
      Tags: Object.entries(props.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
      RootStackId: rootStackOf(this).stackId,
    };
  }

  private refuseProblems(properties: UserResourceProperties, provider: QuickSightUserProvider, secret?: ISecret): void {
    const { AwsAccountId, Namespace, Email } = properties;
    const problems = userProblems(properties, isKnown).map(inWords);
    const account = this.stack.account;
    if (isKnown(AwsAccountId) && isKnown(account) && AwsAccountId !== account) {
      problems.push(
        `awsAccountId "${AwsAccountId}" is not that of the stack, ${account}, and QuickSight refuses calls from another ` +
          `account: declare the user in a stack of its own account`,
      );
    }
    if (isKnown(Namespace) && !provider._covers(Namespace)) {
      problems.push(
        `namespace "${Namespace}" is not one that the provider ${provider.node.path} may manage ` +
          `(${provider._describeNamespaces()}): add it to the provider's namespaces`,
      );
    }
    const listed = provider._invitationSecrets;
    if (secret && listed && !listed.some(({ secretArn }) => secretArn === secret.secretArn)) {
      problems.push(
        `invitationSecret ${secret.node.path} is not one that the provider ${provider.node.path} may write ` +
          `(${listed.map(({ node }) => node.path).join(', ') || 'none'}): add it to the provider's invitationSecrets`,
      );
    }
    const rivals = problems.length === 0 ? declareUser(this, properties) : {};
    if (rivals.user) problems.push(`the same user is declared by ${rivals.user.node.path}: remove one of the two`);
    if (rivals.secret) {
      problems.push(
        `invitationSecret ${secret!.node.path} is that of ${rivals.secret.node.path}, and the second invitation would ` +
          `overwrite the first: give each user its own`,
      );
    }
    if (problems.length > 0) throw new Error(`QuickSightUser ${this.node.path}: ${problems.join('; ')}`);

    if (secret && !tagInvitationSecret(secret) && !listed) {
      Annotations.of(this).addWarningV2(
        'cdk-quicksight-users:untaggedSecret',
        `invitationSecret ${secret.node.path} is no secret that this app makes, so it cannot be tagged here: see that it ` +
          `carries the tag ${INVITATION_SECRET_TAG} with the value true, or list it in invitationSecrets of a ` +
          `QuickSightUserProvider`,
      );
    }
    if (isKnown(Email) && isOddEmail(Email)) {
      Annotations.of(this).addWarningV2(
        'cdk-quicksight-users:oddEmail',
        `e-mail address "${Email}" has an unusual form: QuickSight accepts it, but check its spelling`,
      );
    }
  }
}

/** A user that this app does not manage. What is not known of it throws when it is read. */
class ImportedUser extends Resource implements IQuickSightUser {
  public readonly namespace: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly known: { readonly userArn?: string; readonly userName?: string; readonly namespace: string },
  ) {
    super(scope, id, { environmentFromArn: known.userArn });
    this.namespace = known.namespace;
  }

  public get userArn(): string {
    return this.known.userArn ?? this.unknown('userArn', 'give identityRegion to fromUserAttributes()');
  }

  public get userName(): string {
    return this.known.userName ?? this.unknown('userName', 'import it with fromUserAttributes()');
  }

  public get userPrincipalId(): string {
    return this.unknown('userPrincipalId', 'read it where the user is declared');
  }

  public get invitationUrl(): string {
    return this.unknown('invitationUrl', 'read it where the user is declared');
  }

  private unknown(property: string, remedy: string): never {
    throw new Error(`${property} of the imported QuickSight user ${this.node.path} is not known: ${remedy}`);
  }
}

function isKnown(value: string): boolean {
  return !Token.isUnresolved(value);
}

/** Names of props that the wire calls otherwise; all others only begin with a capital letter there. */
const PROP_NAMES: Readonly<Record<string, string>> = { GroupNames: 'groups', InvitationSecretArn: 'invitationSecret' };

function inWords({ property, text }: Problem): string {
  const name = PROP_NAMES[property] ?? property.charAt(0).toLowerCase() + property.slice(1);
  return `${name} ${text}`;
}
