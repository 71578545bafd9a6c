import { CfnResource, TagManager } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { TAG_PREFIX } from './user-resource';

/**
 * Secrets that carry this tag with the value `true` may be written by every provider of their account. A tag and not the
 * secrets of the users declared: those would leave the policy together with the last user, before CloudFormation deletes it.
 */
export const INVITATION_SECRET_TAG = `${TAG_PREFIX}invitation-secret`;

/**
 * Tags a secret, and nothing else in its tree.
 *
 * @returns false for a secret that this app does not make, and so cannot tag
 */
export function tagInvitationSecret(secret: ISecret): boolean {
  const resource = secret.node.defaultChild;
  if (!CfnResource.isCfnResource(resource) || resource.cfnResourceType !== 'AWS::SecretsManager::Secret') return false;
  TagManager.of(resource)!.setTag(INVITATION_SECRET_TAG, 'true');
  return true;
}
