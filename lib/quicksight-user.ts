import { Annotations, ArnFormat, Fn, type IResource, RemovalPolicy, Resource, Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { ExternalLogin } from './external-login';
import { CfnQuickSightUser } from './private/cfn-quicksight-user';
import { declareUser } from './private/declared-users';
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
   * QuickSight hands it out once, when it registers the user, and it expires soon. After a deployment that changes the
   * user without registering it anew, and for users that have no invitation, this is the text `unavailable`.
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
   * Tags of the user, beside those that `Tags.of()` adds: at most 44 together, with keys of 1 to 128 and values of 1 to
   * 256 characters. Keys must differ in more than case. Tags that nobody declared here are left alone.
   *
   * @default - the tags that `Tags.of()` adds
   */
  readonly tags?: { [key: string]: string };

  /**
   * What happens to the user in QuickSight when it is removed from the code, or replaced by another user.
   *
   * Deleting is the default because access that the code no longer grants should end. A user who owns analyses or
   * dashboards leaves them without an owner: transfer them first, in the QuickSight console, or set
   * `RemovalPolicy.RETAIN`.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;

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
 * A user of the same name that this resource did not register is refused: the deployment fails and leaves it alone.
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

  public readonly userArn: string;
  public readonly userName: string;
  public readonly userPrincipalId: string;
  public readonly invitationUrl: string;
  public readonly namespace: string;

  /**
   * @throws with all problems of the properties at once, and when another construct declares the same user
   */
  constructor(scope: Construct, id: string, props: QuickSightUserProps) {
    super(scope, id);
    const provider = props.provider ?? QuickSightUserProvider.getOrCreate(this);
    const properties = this.render(props);
    this.refuseProblems(properties, provider);
    this.namespace = properties.Namespace;

    const resource = new CfnQuickSightUser(this, 'Resource', provider.serviceToken, properties);
    resource.applyRemovalPolicy(props.removalPolicy ?? RemovalPolicy.DESTROY);
    // Tags.of() adds its tags after construction, so they have not been seen yet.
    this.node.addValidation({ validate: () => [...tagProblems(resource.tags, isKnown)].map(inWords) });

    this.userArn = resource.attribute('Arn');
    this.userName = resource.attribute('UserName');
    this.userPrincipalId = resource.attribute('PrincipalId');
    this.invitationUrl = resource.attribute('InvitationUrl');
  }

  private render(props: QuickSightUserProps): UserResourceProperties {
    return {
      AwsAccountId: props.awsAccountId ?? this.stack.account,
      Namespace: props.namespace ?? DEFAULT_NAMESPACE,
      ...props.identity._render(),
      Email: props.email,
      UserRole: props.userRole.name,
      CustomPermissionsName: props.customPermissionsName,
      ...props.externalLogin?._render(),
      Tags: Object.entries(props.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
      RootStackId: rootStackOf(this).stackId,
    };
  }

  private refuseProblems(properties: UserResourceProperties, provider: QuickSightUserProvider): void {
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
    const other = problems.length === 0 && declareUser(this, properties);
    if (other) problems.push(`the same user is declared by ${other.node.path}: remove one of the two`);
    if (problems.length > 0) throw new Error(`QuickSightUser ${this.node.path}: ${problems.join('; ')}`);

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

/** Properties on the wire begin with a capital letter, props do not. */
function inWords({ property, text }: Problem): string {
  return `${property.charAt(0).toLowerCase()}${property.slice(1)} ${text}`;
}
