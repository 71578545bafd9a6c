import { invalid, ServiceError } from './errors';

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

export interface Page<T> {
  readonly items: T[];
  readonly nextToken?: string;
}

const MAX_PAGE = 100;

/** The members of one request, from path, query and body, read with the checks that the service model declares. */
export class Input {
  constructor(private readonly members: Readonly<Record<string, unknown>>) {}

  has(name: string): boolean {
    return this.members[name] !== undefined && this.members[name] !== null;
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined) throw constraint('null', name, 'Member must not be null');
    return value;
  }

  optionalText(name: string): string | undefined {
    if (!this.has(name)) return undefined;
    const value = this.members[name];
    if (typeof value !== 'string') throw wrongType(name, 'String');
    return value;
  }

  optionalFlag(name: string): boolean | undefined {
    if (!this.has(name)) return undefined;
    const value = this.members[name];
    if (typeof value !== 'boolean') throw wrongType(name, 'Boolean');
    return value;
  }

  optionalObject(name: string): Record<string, unknown> | undefined {
    if (!this.has(name)) return undefined;
    const value = this.members[name];
    if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(name, 'Structure');
    return value as Record<string, unknown>;
  }

  oneOf(name: string, allowed: readonly string[]): string {
    const value = this.text(name);
    if (!allowed.includes(value)) {
      throw constraint(`'${value}'`, name, `Member must satisfy enum value set: [${allowed.join(', ')}]`);
    }
    return value;
  }

  matching(name: string, pattern: RegExp): string {
    const value = this.text(name);
    if (!new RegExp(`^(?:${pattern.source})$`, 'u').test(value)) {
      throw constraint(`'${value}'`, name, `Member must satisfy regular expression pattern: ${pattern.source}`);
    }
    return value;
  }

  optionalMatching(name: string, pattern: RegExp): string | undefined {
    return this.has(name) ? this.matching(name, pattern) : undefined;
  }

  /** A user, group or member name. */
  name(name: string, pattern = /[\u0020-\u00FF]+/): string {
    const value = this.matching(name, pattern);
    if (value.includes(';')) throw invalid(`${name} must not contain a semicolon: ${value}`);
    return value;
  }

  /** A list of tags; undefined when the member is absent, as an empty list is not allowed. */
  tags(name: string): Tag[] | undefined {
    if (!this.has(name)) return undefined;
    const list = this.members[name];
    if (!Array.isArray(list)) throw wrongType(name, 'List');
    const tags = list.map((tag): Tag => {
      const entry = new Input(typeof tag === 'object' && tag !== null ? tag : {});
      return { Key: entry.sized('Key', 128), Value: entry.sized('Value', 256) };
    });
    checkListLength(name, tags.length);
    const duplicate = tags.find((tag, index) => tags.findIndex(({ Key }) => Key === tag.Key) !== index);
    if (duplicate) throw invalid(`Duplicate tag key: ${duplicate.Key}`);
    const reserved = tags.find(({ Key }) => Key.toLowerCase().startsWith('aws:'));
    if (reserved) throw invalid(`Tag keys that start with aws: are reserved: ${reserved.Key}`);
    return tags;
  }

  /** A list in the query string. */
  keys(name: string): string[] {
    const keys = (this.members[name] ?? []) as string[];
    checkListLength(name, keys.length);
    return keys;
  }

  /** The page that MaxResults and NextToken ask for. Pages stay right while items come and go between the calls. */
  page<T>(items: readonly T[], keyOf: (item: T) => string): Page<T> {
    const size = Number(this.optionalText('MaxResults') ?? MAX_PAGE);
    if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE) {
      throw constraint(`'${this.text('MaxResults')}'`, 'MaxResults', `Member must be between 1 and ${MAX_PAGE}`);
    }
    const after = this.has('NextToken') ? readToken(this.text('NextToken')) : '';
    const sorted = items
      .map((item) => ({ item, key: keyOf(item) }))
      .filter(({ key }) => key > after)
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const page = sorted.slice(0, size);
    return {
      items: page.map(({ item }) => item),
      nextToken: sorted.length > size ? writeToken(page[page.length - 1]!.key) : undefined,
    };
  }

  private sized(name: string, max: number): string {
    const value = this.text(name);
    if (value.length < 1 || value.length > max) {
      throw constraint(`'${value}'`, name, `Member must have length between 1 and ${max}`);
    }
    return value;
  }
}

function checkListLength(name: string, length: number): void {
  if (length < 1 || length > 200)
    throw constraint(`a list of ${length}`, name, 'Member must have length between 1 and 200');
}

function constraint(value: string, member: string, rule: string): ServiceError {
  const at = member.charAt(0).toLowerCase() + member.slice(1);
  return invalid(`1 validation error detected: Value ${value} at '${at}' failed to satisfy constraint: ${rule}`);
}

function wrongType(member: string, type: string): ServiceError {
  return new ServiceError('SerializationException', `Member ${member} must be a ${type}`);
}

const TOKEN_PREFIX = 'after:';

function writeToken(key: string): string {
  return Buffer.from(TOKEN_PREFIX + key).toString('base64url');
}

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  if (!text.startsWith(TOKEN_PREFIX))
    throw new ServiceError('InvalidNextTokenException', 'The NextToken value is not valid.');
  return text.slice(TOKEN_PREFIX.length);
}
