import type { IRole, IUser } from 'aws-cdk-lib/aws-iam';
import type { UserResourceProperties } from './private/user-resource';

type IdentityProperties = Pick<UserResourceProperties, 'IdentityType' | 'UserName' | 'IamArn' | 'SessionName'>;

/**
 * Who a QuickSight user is, and how that person signs in.
 *
 * Changing the identity of a deployed user registers the new one first and then deletes the old one.
 */
export class UserIdentity {
  /**
   * A user that QuickSight manages itself: the person sets a password with the invitation URL.
   *
   * @param userName 1 to 256 printable Latin-1 characters without `;`. Upper and lower case are different names.
   */
  public static quickSight(userName: string): UserIdentity {
    return new UserIdentity({ IdentityType: 'QUICKSIGHT', UserName: userName });
  }

  /**
   * An IAM user, who signs in with the AWS console password. QuickSight takes over the user's name, without its path.
   *
   * @param user an IAM user of the account
   */
  public static iamUser(user: IUser): UserIdentity {
    return UserIdentity.iamArn(user.userArn);
  }

  /**
   * A session of an IAM role, for people who sign in by assuming a role. QuickSight names the user
   * `<role name>/<session name>`, without the role's path.
   *
   * @param role an IAM role of the account
   * @param sessionName 2 to 64 characters of `a-z A-Z 0-9 _ + = . @ -`, exactly as the sign-in sets it
   */
  public static iamRole(role: IRole, sessionName: string): UserIdentity {
    return UserIdentity.iamArn(role.roleArn, sessionName);
  }

  /**
   * An IAM user, or a session of an IAM role, by ARN.
   *
   * The ARN of an assumed role (`…:assumed-role/…`) or of an account's root is refused.
   *
   * @param arn ARN of an IAM user or of an IAM role
   * @param sessionName the session's name: required for a role, refused for a user
   */
  public static iamArn(arn: string, sessionName?: string): UserIdentity {
    return new UserIdentity({ IdentityType: 'IAM', IamArn: arn, SessionName: sessionName });
  }

  /**
   * A user of IAM Identity Center.
   *
   * Experimental: the API lists this identity type, but nobody has published a registration that worked, and an account
   * that Identity Center manages refuses to register users.
   *
   * @param userName the user's name in Identity Center
   * @experimental
   */
  public static identityCenter(userName: string): UserIdentity {
    return new UserIdentity({ IdentityType: 'IAM_IDENTITY_CENTER', UserName: userName });
  }

  private constructor(private readonly properties: IdentityProperties) {}

  /** @internal */
  public _render(): IdentityProperties {
    return this.properties;
  }
}
