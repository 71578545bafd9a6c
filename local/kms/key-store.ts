import { randomUUID } from 'node:crypto';
import { checkPolicyDocument, list, type PolicyDocument } from '../iam/policy-document';

/** A customer-managed key, as far as it decides who may use it: nothing is really encrypted here. */
export interface Key {
  readonly id: string;
  readonly arn: string;
  policy: PolicyDocument;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
}

export interface KeySettings {
  /** Default: the account's IAM policies decide. */
  readonly policy?: PolicyDocument;
  /** Default true. */
  readonly enabled?: boolean;
}

export interface KeyState {
  readonly keys: Key[];
  /** ARNs of keys by ARN of the alias. */
  readonly aliases: Record<string, string>;
}

/** The KMS of the embedded AWS: keys and their aliases. */
export class KeyStore {
  #keys: Key[] = [];
  #aliases: Record<string, string> = {};
  readonly #accountId: string;
  readonly #partition: string;

  constructor({ accountId, partition = 'aws' }: { readonly accountId: string; readonly partition?: string }) {
    this.#accountId = accountId;
    this.#partition = partition;
  }

  create(region: string, settings: KeySettings = {}): Key {
    const id = randomUUID();
    const key: Key = { id, arn: this.#arn(region, `key/${id}`), policy: { Statement: [] }, state: 'Enabled' };
    this.configure(key, settings);
    this.#keys.push(key);
    return key;
  }

  configure(key: Key, { policy = this.#defaultPolicy(), enabled = true }: KeySettings): void {
    checkPolicyDocument(policy);
    if (list(policy.Statement).some(({ Principal }) => Principal === undefined)) {
      throw new Error('every statement of a key policy needs a Principal');
    }
    key.policy = policy;
    key.state = enabled ? 'Enabled' : 'Disabled';
  }

  /** A key by its ARN or id, or by the ARN or name of an alias. */
  find(name: string, region: string): Key | undefined {
    const alias = name.startsWith('alias/') ? this.#arn(region, name) : name;
    const target = this.#aliases[alias] ?? name;
    return this.#keys.find(
      ({ id, arn }) => arn === target || (id === target && arn === this.#arn(region, `key/${id}`)),
    );
  }

  get(name: string, region: string): Key {
    const key = this.find(name, region);
    if (key) return key;
    throw new Error(`the KMS key ${name} cannot be found: only keys made in the embedded AWS exist here`);
  }

  /** The key is of no use from now on, and stays to say so. */
  scheduleDeletion(key: Key): void {
    key.state = 'PendingDeletion';
  }

  hasAlias(name: string, region: string): boolean {
    return this.#arn(region, name) in this.#aliases;
  }

  putAlias(name: string, region: string, key: Key): void {
    this.#aliases[this.#arn(region, name)] = key.arn;
  }

  deleteAlias(name: string, region: string): void {
    delete this.#aliases[this.#arn(region, name)];
  }

  state(): KeyState {
    return { keys: this.#keys, aliases: this.#aliases };
  }

  restore({ keys, aliases }: KeyState): void {
    this.#keys = keys;
    this.#aliases = aliases;
  }

  #defaultPolicy(): PolicyDocument {
    const root = `arn:${this.#partition}:iam::${this.#accountId}:root`;
    return { Statement: { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' } };
  }

  #arn(region: string, resource: string): string {
    return `arn:${this.#partition}:kms:${region}:${this.#accountId}:${resource}`;
  }
}
