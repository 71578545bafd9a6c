import { CfnResource, type IResolvable, type ITaggableV2, TagManager, TagType, Token, Tokenization } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { RESOURCE_TYPE, type Tag, type UserResourceAttributes, type UserResourceProperties } from './user-resource';

/** Seconds that CloudFormation waits for an answer; the most it allows, because a queued event can come late. */
const SERVICE_TIMEOUT = 3600;

/**
 * `Custom::QuickSightUser`.
 *
 * Not a `CustomResource` construct: as an L1 of its own it takes tags from `Tags.of()`, and removal policies.
 */
export class CfnQuickSightUser extends CfnResource implements ITaggableV2 {
  public readonly cdkTagManager: TagManager;

  constructor(scope: Construct, id: string, serviceToken: string, { Tags, ...properties }: UserResourceProperties) {
    super(scope, id, {
      type: RESOURCE_TYPE,
      properties: {
        ServiceToken: bare(serviceToken),
        ServiceTimeout: SERVICE_TIMEOUT,
        ...properties,
        AwsAccountId: bare(properties.AwsAccountId),
        RootStackId: bare(properties.RootStackId),
      },
    });
    const tags = Object.fromEntries((Tags ?? []).map(({ Key, Value }) => [Key, Value]));
    this.cdkTagManager = new TagManager(TagType.KEY_VALUE, RESOURCE_TYPE, tags, { tagPropertyName: 'Tags' });
  }

  /** All tags of the user, with those that `Tags.of()` has added by now. */
  public get tags(): Tag[] {
    return Object.entries(this.cdkTagManager.tagValues()).map(([Key, Value]) => ({ Key, Value }));
  }

  public attribute(name: keyof UserResourceAttributes): string {
    return this.getAtt(name).toString();
  }
}

/** The token that a string stands for: a synth resolves each several times, and finds it faster outside of a string. */
function bare(value: string): string | IResolvable {
  return Token.isUnresolved(value) ? (Tokenization.reverse(value, { failConcat: false }) ?? value) : value;
}
