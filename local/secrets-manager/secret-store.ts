import { randomBytes, randomUUID } from 'node:crypto';
import { ServiceError } from './errors';

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** A secret's value as somebody put it. */
export interface SecretValue {
  readonly secretString?: string;
  /** Base64. */
  readonly secretBinary?: string;
}

export interface SecretVersion extends SecretValue {
  readonly id: string;
  readonly createdAt: number;
  stages: string[];
}

export interface StoredSecret {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: number;
  changedAt: number;
  /** Set once it is marked for deletion. */
  deletedAt?: number;
  description?: string;
  kmsKeyId?: string;
  tags: Tag[];
  /** Newest last. */
  versions: SecretVersion[];
}

export interface NewSecret {
  readonly name: string;
  readonly region?: string;
  readonly description?: string;
  /** ARN, id or alias. Default: the account's own key, which everybody may use who may use the secret. */
  readonly kmsKeyId?: string;
  readonly tags?: readonly Tag[];
  readonly secretString?: string;
}

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';
const KEPT_VERSIONS = 20;
const SUFFIX_LENGTH = '-AbCdEf'.length;

/** The secrets of an account and their versions. */
export class SecretStore {
  secrets: StoredSecret[] = [];

  /** @param arnPrefix `arn:<partition>:secretsmanager:<region>:<account>:secret:` of a region */
  constructor(private readonly arnPrefix: (region: string) => string) {}

  create({ name, region = 'us-east-1', description, kmsKeyId, tags = [], secretString }: NewSecret): StoredSecret {
    if (!/^[\w/+=.@-]{1,512}$/.test(name)) throw new ServiceError('InvalidParameterException', `Invalid name: ${name}`);
    const namesake = this.find(name, region);
    if (namesake?.deletedAt !== undefined) {
      throw new ServiceError(
        'InvalidRequestException',
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    }
    if (namesake) {
      throw new ServiceError(
        'ResourceExistsException',
        `The operation failed because the secret ${name} already exists.`,
      );
    }
    const now = Date.now();
    const secret: StoredSecret = {
      // Six characters, so that a secret made again under the same name is another one.
      arn: `${this.arnPrefix(region)}${name}-${randomText(6)}`,
      ...{ name, createdAt: now, changedAt: now, description, kmsKeyId, tags: [...tags], versions: [] },
    };
    this.secrets.push(secret);
    if (secretString !== undefined) this.putValue(secret, { secretString });
    return secret;
  }

  /** A secret by its ARN, its ARN without the last six characters, or its name. */
  find(secretId: string, region: string): StoredSecret | undefined {
    const prefix = this.arnPrefix(region);
    return this.secrets.find(
      ({ arn, name }) => arn.startsWith(prefix) && [arn, arn.slice(0, -SUFFIX_LENGTH), name].includes(secretId),
    );
  }

  get(secretId: string, region: string): StoredSecret {
    const secret = this.find(secretId, region);
    if (secret) return secret;
    throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }

  delete(secret: StoredSecret): void {
    this.secrets = this.secrets.filter((candidate) => candidate !== secret);
  }

  /** The version with this id or stage; the current one when neither is given. */
  version({ versions }: StoredSecret, id: string | undefined, stage = id === undefined ? CURRENT : undefined) {
    const version = versions.find(
      (candidate) => (id === undefined || candidate.id === id) && (!stage || candidate.stages.includes(stage)),
    );
    if (version) return version;
    const what = id === undefined ? `staging label: ${stage}` : `VersionId: ${id}`;
    throw new ServiceError(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for ${what}`,
    );
  }

  /** A new version; repeated under the same token it is the one that is there. */
  putValue(
    secret: StoredSecret,
    value: SecretValue,
    token: string = randomUUID(),
    stages: readonly string[] = [CURRENT],
  ): SecretVersion {
    const known = secret.versions.find(({ id }) => id === token);
    if (known) {
      const same = known.secretString === value.secretString && known.secretBinary === value.secretBinary;
      if (same) return known;
      throw new ServiceError(
        'ResourceExistsException',
        `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${secret.arn}.`,
      );
    }
    const former = secret.versions.find((version) => version.stages.includes(CURRENT));
    const moved = stages.includes(CURRENT) ? [...stages, PREVIOUS] : stages;
    for (const version of secret.versions) version.stages = version.stages.filter((stage) => !moved.includes(stage));
    if (stages.includes(CURRENT)) former?.stages.push(PREVIOUS);
    const version: SecretVersion = { ...value, id: token, createdAt: Date.now(), stages: [...stages] };
    secret.versions = [...secret.versions, version].filter(
      ({ stages: held }, index, all) => held.length > 0 || index >= all.length - KEPT_VERSIONS,
    );
    secret.changedAt = version.createdAt;
    return version;
  }
}

function randomText(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('');
}
