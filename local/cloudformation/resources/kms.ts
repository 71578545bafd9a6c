import type { PolicyDocument } from '../../iam/policy-document';
import type { Key, KeySettings, KeyStore } from '../../kms/key-store';
import {
  NothingDone,
  type DeleteRequest,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceResult,
  type UpdateRequest,
} from '../resource-provider';
import type { Properties } from '../template';

/** AWS::KMS::Key, as far as it decides who may use it. Ref is the key's id. */
export class KmsKey implements ResourceProvider {
  readonly properties = [
    ...['KeyPolicy', 'Enabled', 'Description', 'Tags', 'EnableKeyRotation', 'RotationPeriodInDays'],
    ...['PendingWindowInDays', 'KeySpec', 'KeyUsage', 'MultiRegion', 'Origin', 'BypassPolicyLockoutSafetyCheck'],
  ];

  constructor(private readonly keys: KeyStore) {}

  create({ stack, properties }: ResourceRequest): ResourceResult {
    return result(this.keys.create(stack.region, settings(properties)));
  }

  update({ physicalId, stack, properties, oldProperties }: UpdateRequest): ResourceResult {
    const fixed = ['KeySpec', 'KeyUsage', 'MultiRegion', 'Origin'].find(
      (name) => properties[name] !== oldProperties[name],
    );
    // CloudFormation would make another key and leave all data that the old one encrypted behind.
    if (fixed) throw new NothingDone(`You cannot change the ${fixed} property of a KMS key: declare a new key`);
    const key = this.keys.get(physicalId, stack.region);
    this.keys.configure(key, settings(properties));
    return result(key);
  }

  delete({ physicalId, stack }: DeleteRequest): void {
    const key = physicalId && this.keys.find(physicalId, stack.region);
    if (key) this.keys.scheduleDeletion(key);
  }
}

function settings({ KeyPolicy, Enabled = true }: Properties): KeySettings {
  return { policy: KeyPolicy as PolicyDocument | undefined, enabled: String(Enabled) === 'true' };
}

function result({ id, arn }: Key): ResourceResult {
  return { physicalId: id, attributes: { Arn: arn, KeyId: id } };
}

/** AWS::KMS::Alias. Ref is the alias. */
export class KmsAlias implements ResourceProvider {
  readonly properties = ['AliasName', 'TargetKeyId'];
  readonly replacedBy = ['AliasName'];

  constructor(private readonly keys: KeyStore) {}

  create({ stack: { region }, properties }: ResourceRequest): ResourceResult {
    const name = String(properties.AliasName);
    if (this.keys.hasAlias(name, region)) throw new NothingDone(`An alias with the name ${name} already exists`);
    return this.#put(name, region, properties);
  }

  update({ physicalId, stack, properties }: UpdateRequest): ResourceResult {
    return this.#put(physicalId, stack.region, properties);
  }

  delete({ physicalId, stack }: DeleteRequest): void {
    if (physicalId !== undefined) this.keys.deleteAlias(physicalId, stack.region);
  }

  #put(name: string, region: string, { TargetKeyId }: Properties): ResourceResult {
    this.keys.putAlias(name, region, this.keys.get(String(TargetKeyId), region));
    return { physicalId: name };
  }
}
