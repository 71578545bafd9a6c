/**
 * The wire contract: what hop 1 (lib) writes into the template and hop 2 (lambda) reads from the event.
 *
 * Names are the QuickSight API's own. The wire holds strings, string lists and tags, because CloudFormation hands every
 * scalar over as a string. It only ever grows: old shapes come back in OldResourceProperties, roll-backs and Deletes
 * long after a library upgrade. test/fixtures/wire holds a sample of every shape ever released.
 */
export interface UserResourceProperties {
  readonly AwsAccountId: string;
  readonly Namespace: string;
  readonly IdentityType: IdentityType;
  /** Identity types QUICKSIGHT and IAM_IDENTITY_CENTER. */
  readonly UserName?: string;
  /** Identity type IAM. */
  readonly IamArn?: string;
  /** Identity type IAM, when IamArn is a role. */
  readonly SessionName?: string;
  readonly Email: string;
  readonly UserRole: string;
  readonly CustomPermissionsName?: string;
  readonly ExternalLoginFederationProviderType?: ExternalLoginFederationProviderType;
  /** CUSTOM_OIDC only. */
  readonly CustomFederationProviderUrl?: string;
  readonly ExternalLoginId?: string;
  /** What becomes of a user that exists already; absent means FAIL. */
  readonly OnExisting?: OnExisting;
  /** Identity type QUICKSIGHT. Another value than before asks for a new invitation. */
  readonly InvitationVersion?: string;
  /** Identity type QUICKSIGHT. The secret that the invitation URL of each registration is written to. */
  readonly InvitationSecretArn?: string;
  /** Names of groups of the namespace, each once. */
  readonly GroupNames?: readonly string[];
  readonly Tags?: readonly Tag[];
  /** Stack id of the root stack: what a user's holders have in common when constructs move between nested stacks. */
  readonly RootStackId: string;
}

export type IdentityType = 'IAM' | 'QUICKSIGHT' | 'IAM_IDENTITY_CENTER';

export type ExternalLoginFederationProviderType = 'COGNITO' | 'CUSTOM_OIDC';

export type OnExisting = 'FAIL' | 'ADOPT';

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** What every answer carries, whatever the event: Fn::GetAtt fails on an attribute that the latest answer lacks. */
export interface UserResourceAttributes {
  readonly Arn: string;
  readonly UserName: string;
  readonly PrincipalId: string;
  /** The invitation URL, or INVITATION_UNAVAILABLE. */
  readonly InvitationUrl: string;
}

/** CloudFormation resource type. It can never change for a deployed resource. */
export const RESOURCE_TYPE = 'Custom::QuickSightUser';

/** Stands for an invitation URL that does not exist or is not known any more: an attribute must not be empty. */
export const INVITATION_UNAVAILABLE = 'unavailable';

/** Every tag key that this library keeps for itself begins with this. */
export const TAG_PREFIX = 'cdk-quicksight-users:';

/** QuickSight allows 50 tags on a user; six are kept for this library. */
export const MAX_TAGS = 44;
