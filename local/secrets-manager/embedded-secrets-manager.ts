import { Faults } from '../faults';
import type { AuthorizationRequest } from '../iam/iam-store';
import { KeyStore } from '../kms/key-store';
import { ServiceServer, type Caller, type HttpRequest, type Prepared, type RecordedCall } from '../service-server';
import { AWS_JSON } from './aws-json';
import { ServiceError } from './errors';
import { SecretStore, type NewSecret, type StoredSecret } from './secret-store';

export interface EmbeddedSecretsManagerOptions {
  /** Default 111122223333. */
  readonly accountId?: string;
  /** Default `aws`. */
  readonly partition?: string;
  /** The KMS with the customer-managed keys of secrets. Default: one of its own. */
  readonly keys?: KeyStore;
  /** IAM: the message of a denial, or undefined. Default: everything is allowed. */
  readonly authorize?: (request: AuthorizationRequest) => string | undefined;
  /** Told of every change by a call. */
  readonly onChange?: () => void;
}

/** A secret as a test reads it. */
export interface SecretRecord {
  readonly arn: string;
  readonly name: string;
  readonly description?: string;
  readonly kmsKeyId?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The current value; undefined when it never had one. */
  readonly secretString?: string;
  readonly deleted: boolean;
}

const DEFAULT_REGION = 'us-east-1';
const MAX_VALUE_BYTES = 65_536;

/** What the account's own key is called; everybody who may use a secret may use it for that. */
const ACCOUNT_KEY = 'alias/aws/secretsmanager';

type Members = Readonly<Record<string, unknown>>;

/** Secrets Manager's values over HTTP, for one account in every region. Signatures are accepted unchecked. */
export class EmbeddedSecretsManager {
  /** Starts a server that is ready to be called. */
  static async start(options: EmbeddedSecretsManagerOptions = {}): Promise<EmbeddedSecretsManager> {
    const secretsManager = new EmbeddedSecretsManager(options);
    await secretsManager.listen();
    return secretsManager;
  }

  readonly faults = new Faults();
  readonly keys: KeyStore;
  readonly store: SecretStore;
  private readonly accountId: string;
  private readonly server: ServiceServer;
  private listening?: Promise<void>;

  constructor(private readonly options: EmbeddedSecretsManagerOptions = {}) {
    const { accountId = '111122223333', partition = 'aws', keys } = options;
    this.accountId = accountId;
    this.keys = keys ?? new KeyStore({ accountId, partition });
    this.store = new SecretStore((region) => `arn:${partition}:secretsmanager:${region}:${accountId}:secret:`);
    this.server = new ServiceServer({
      protocol: AWS_JSON,
      prepare: (request) => this.prepare(request),
      defaultRegion: DEFAULT_REGION,
      faults: this.faults,
    });
  }

  /** The endpoint, for AWS_ENDPOINT_URL_SECRETS_MANAGER, once it listens. */
  get url(): string {
    return this.server.url;
  }

  /** Every request, oldest first; parameters has the SecretId. */
  get calls(): RecordedCall[] {
    return this.server.calls;
  }

  /** Begins to answer, at a free port; again does nothing. */
  listen(): Promise<void> {
    return (this.listening ??= this.server.listen(0, '127.0.0.1'));
  }

  async stop(): Promise<void> {
    await this.listening;
    if (this.listening) await this.server.stop();
  }

  /** Out of band, as all that follow: nothing is checked or recorded. */
  createSecret(secret: NewSecret): SecretRecord {
    return record(this.store.create(secret));
  }

  secret(secretId: string, region = DEFAULT_REGION): SecretRecord | undefined {
    const secret = this.store.find(secretId, region);
    return secret && record(secret);
  }

  /** Replaces all tags. */
  setTags(secretId: string, tags: Readonly<Record<string, string>>, region = DEFAULT_REGION): void {
    this.store.get(secretId, region).tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  }

  /** The secret can be neither read nor written until it goes for good. */
  markForDeletion(secretId: string, region = DEFAULT_REGION): void {
    this.store.get(secretId, region).deletedAt = Date.now();
  }

  deleteSecret(secretId: string, region = DEFAULT_REGION): void {
    this.store.delete(this.store.get(secretId, region));
  }

  private prepare({ headers, body, caller }: HttpRequest): Prepared {
    const target = String(headers['x-amz-target']);
    const operation = /^secretsmanager\.(\w+)$/.exec(target)?.[1] ?? target;
    try {
      const members = parseBody(body);
      const secretId = typeof members.SecretId === 'string' ? { SecretId: members.SecretId } : {};
      return {
        operation,
        parameters: secretId as Record<string, string>,
        members: Object.keys(members),
        run: () => this.run(operation, members, caller),
      };
    } catch (error) {
      return { operation, parameters: {}, members: [], run: () => fail(error) };
    }
  }

  private run(operation: string, members: Members, caller: Caller): Record<string, unknown> {
    switch (operation) {
      case 'GetSecretValue':
        return this.getSecretValue(members, caller);
      case 'PutSecretValue':
        return this.putSecretValue(members, caller);
      case 'DescribeSecret':
        return this.describeSecret(members, caller);
      default:
        throw new ServiceError('UnknownOperationException', `Unknown operation: ${operation}`);
    }
  }

  private getSecretValue(members: Members, caller: Caller) {
    const secret = this.authorized('GetSecretValue', members, caller);
    checkStanding(secret);
    const version = this.store.version(secret, text(members, 'VersionId'), text(members, 'VersionStage'));
    this.useKey(secret, 'kms:Decrypt', caller);
    return {
      ...{ ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: version.stages },
      ...{ SecretString: version.secretString, SecretBinary: version.secretBinary },
      CreatedDate: version.createdAt / 1000,
    };
  }

  private putSecretValue(members: Members, caller: Caller) {
    const secret = this.authorized('PutSecretValue', members, caller);
    const [secretString, secretBinary] = [text(members, 'SecretString'), text(members, 'SecretBinary')];
    if ((secretString === undefined) === (secretBinary === undefined)) {
      throw new ServiceError('InvalidRequestException', 'You must provide either SecretString or SecretBinary.');
    }
    if (Buffer.byteLength(secretString ?? secretBinary ?? '') > MAX_VALUE_BYTES) {
      throw new ServiceError('InvalidParameterException', 'The secret value is too long: 65536 bytes at most.');
    }
    // SDKs make one up; a request written by hand must bring its own.
    const token = text(members, 'ClientRequestToken');
    if (token === undefined || token.length < 32 || token.length > 64) {
      throw new ServiceError(
        'InvalidParameterException',
        'You must provide a ClientRequestToken value of 32 to 64 characters. We recommend a UUID-type value.',
      );
    }
    checkStanding(secret);
    this.useKey(secret, 'kms:GenerateDataKey', caller);
    const stages = members.VersionStages as string[] | undefined;
    const version = this.store.putValue(secret, { secretString, secretBinary }, token, stages);
    this.options.onChange?.();
    return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: version.stages };
  }

  private describeSecret(members: Members, caller: Caller) {
    const secret = this.authorized('DescribeSecret', members, caller);
    return {
      ...{ ARN: secret.arn, Name: secret.name, Description: secret.description, KmsKeyId: secret.kmsKeyId },
      Tags: secret.tags,
      CreatedDate: secret.createdAt / 1000,
      LastChangedDate: secret.changedAt / 1000,
      DeletedDate: secret.deletedAt === undefined ? undefined : secret.deletedAt / 1000,
      VersionIdsToStages: Object.fromEntries(
        secret.versions.filter(({ stages }) => stages.length > 0).map(({ id, stages }) => [id, stages]),
      ),
    };
  }

  /** The secret that a call is about, if IAM lets the caller make it. */
  private authorized(operation: string, members: Members, { accessKeyId, region }: Caller): StoredSecret {
    const secretId = text(members, 'SecretId');
    if (!secretId) throw new ServiceError('InvalidParameterException', 'You must provide a value for SecretId.');
    const secret = this.store.find(secretId, region);
    const denial = this.options.authorize?.({
      accessKeyId,
      action: `secretsmanager:${operation}`,
      resource: secret?.arn ?? secretId,
      context: Object.fromEntries([
        ['secretsmanager:SecretId', secretId],
        ...(secret?.tags ?? []).flatMap(({ Key, Value }) => [
          [`aws:ResourceTag/${Key}`, Value],
          [`secretsmanager:ResourceTag/${Key}`, Value],
        ]),
      ]),
    });
    if (denial !== undefined) throw new ServiceError('AccessDeniedException', denial);
    return secret ?? this.store.get(secretId, region);
  }

  /** Secrets Manager uses a customer-managed key in the name of its caller. */
  private useKey(secret: StoredSecret, action: 'kms:Decrypt' | 'kms:GenerateDataKey', caller: Caller): void {
    const { kmsKeyId, arn } = secret;
    if (kmsKeyId === undefined || kmsKeyId.endsWith(ACCOUNT_KEY)) return;
    const key = this.keys.find(kmsKeyId, caller.region);
    const denial = this.options.authorize?.({
      accessKeyId: caller.accessKeyId,
      action,
      resource: key?.arn ?? kmsKeyId,
      keyPolicy: key?.policy,
      context: {
        // KMS writes the name of a service like this in every partition.
        'kms:ViaService': `secretsmanager.${caller.region}.amazonaws.com`,
        'kms:CallerAccount': this.accountId,
        'kms:EncryptionContext:SecretARN': arn,
      },
    });
    if (denial !== undefined) throw new ServiceError('AccessDeniedException', 'Access to KMS is not allowed');
    if (key?.state === 'Enabled') return;
    if (action === 'kms:Decrypt') {
      throw new ServiceError(
        'DecryptionFailure',
        "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
      );
    }
    throw new ServiceError(
      'EncryptionFailure',
      "Secrets Manager can't encrypt the protected secret text using the provided KMS key. " +
        'Check that the KMS key is available, enabled, and not in an invalid state.',
    );
  }
}

function checkStanding({ deletedAt }: StoredSecret): void {
  if (deletedAt === undefined) return;
  throw new ServiceError(
    'InvalidRequestException',
    "You can't perform this operation on the secret because it was marked for deletion.",
  );
}

function text(members: Members, name: string): string | undefined {
  const value = members[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new ServiceError('SerializationException', `Member ${name} must be a String`);
}

function parseBody(text: string): Members {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Members;
  throw new ServiceError('SerializationException', 'The request body is not a JSON object');
}

function fail(error: unknown): never {
  throw error;
}

function record({ arn, name, description, kmsKeyId, tags, versions, deletedAt }: StoredSecret): SecretRecord {
  return {
    ...{ arn, name, description, kmsKeyId, deleted: deletedAt !== undefined },
    tags: Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])),
    secretString: versions.find(({ stages }) => stages.includes('AWSCURRENT'))?.secretString,
  };
}
