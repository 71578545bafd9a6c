import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KeyStore } from '../../kms/key-store';
import type { SecretStore, Tag } from '../../secrets-manager/secret-store';
import {
  generatedName,
  NothingDone,
  type DeleteRequest,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceResult,
  type UpdateRequest,
} from '../resource-provider';
import type { Properties } from '../template';

/** AWS::SecretsManager::Secret. Ref is the ARN. */
export class Secret implements ResourceProvider {
  readonly properties = ['Name', 'Description', 'KmsKeyId', 'SecretString', 'GenerateSecretString', 'Tags'];
  readonly replacedBy = ['Name'];

  constructor(
    private readonly secrets: SecretStore,
    private readonly keys: KeyStore,
  ) {}

  create({ stack: { stackName, region }, logicalId, properties }: ResourceRequest): ResourceResult {
    const { Name = generatedName(stackName, logicalId) } = properties as { Name?: string };
    const { arn } = this.secrets.create({
      ...{ name: Name, region, secretString: valueOf(properties) },
      ...this.#settings(properties, region),
    });
    return { physicalId: arn, attributes: { Id: arn } };
  }

  /** A value that somebody else put stays, as long as the template's wish for one is the same. */
  update({ physicalId, stack: { region }, properties, oldProperties }: UpdateRequest): ResourceResult {
    const secret = this.secrets.get(physicalId, region);
    Object.assign(secret, this.#settings(properties, region));
    const wish = ({ SecretString, GenerateSecretString }: Properties) => [SecretString, GenerateSecretString];
    const secretString = valueOf(properties);
    if (secretString !== undefined && !isDeepStrictEqual(wish(properties), wish(oldProperties))) {
      this.secrets.putValue(secret, { secretString });
    }
    return { physicalId, attributes: { Id: physicalId } };
  }

  /** For good: CloudFormation leaves no secret behind that waits for its end. */
  delete({ physicalId, stack }: DeleteRequest): void {
    const secret = physicalId === undefined ? undefined : this.secrets.find(physicalId, stack.region);
    if (secret) this.secrets.delete(secret);
  }

  #settings({ Description, KmsKeyId, Tags = [] }: Properties, region: string) {
    const kmsKeyId = KmsKeyId as string | undefined;
    if (kmsKeyId !== undefined) this.keys.get(kmsKeyId, region);
    return { description: Description as string | undefined, kmsKeyId, tags: Tags as Tag[] };
  }
}

interface Generator {
  readonly PasswordLength?: number;
  readonly ExcludeCharacters?: string;
  readonly ExcludeLowercase?: boolean;
  readonly ExcludeUppercase?: boolean;
  readonly ExcludeNumbers?: boolean;
  readonly ExcludePunctuation?: boolean;
  readonly IncludeSpace?: boolean;
  readonly RequireEachIncludedType?: boolean;
  readonly SecretStringTemplate?: string;
  readonly GenerateStringKey?: string;
}

/** The value that a template wants the secret to have; undefined when it leaves that to others. */
function valueOf(properties: Properties): string | undefined {
  const { SecretString, GenerateSecretString } = properties as {
    readonly SecretString?: string;
    readonly GenerateSecretString?: Generator;
  };
  if (SecretString !== undefined && GenerateSecretString) {
    throw new NothingDone('a secret has either SecretString or GenerateSecretString, not both');
  }
  return GenerateSecretString ? generate(GenerateSecretString) : SecretString;
}

function generate(wish: Generator): string {
  const kinds = [
    wish.ExcludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz',
    wish.ExcludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    wish.ExcludeNumbers ? '' : '0123456789',
    wish.ExcludePunctuation ? '' : '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
    wish.IncludeSpace ? ' ' : '',
  ]
    .map((kind) => [...kind].filter((character) => !wish.ExcludeCharacters?.includes(character)))
    .filter((kind) => kind.length > 0);
  const length = Number(wish.PasswordLength ?? 32);
  if (length < kinds.length)
    throw new NothingDone(`a password of ${length} cannot hold ${kinds.length} kinds of characters`);
  const alphabet = kinds.flat();
  let password: string[];
  do password = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]!);
  while (wish.RequireEachIncludedType !== false && !kinds.every((kind) => kind.some((one) => password.includes(one))));
  if (wish.GenerateStringKey === undefined) return password.join('');
  const template = JSON.parse(wish.SecretStringTemplate ?? '{}') as Record<string, unknown>;
  return JSON.stringify({ ...template, [wish.GenerateStringKey]: password.join('') });
}
