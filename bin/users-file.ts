import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020';
import * as yaml from 'yaml';
import { userNameOf } from '../lib/private/user-arn';
import schema from '../users.schema.json';
import { breaches } from './schema-sentences';

/** One entry of the users file, as users.schema.json describes it. */
export interface DeclaredUser {
  readonly userName?: string;
  readonly iamUser?: string;
  readonly iamRole?: string;
  readonly sessionName?: string;
  readonly email: string;
  readonly role: string;
  readonly namespace?: string;
  readonly customPermissionsName?: string;
  readonly externalLogin?: {
    readonly cognito?: { readonly loginId: string };
    readonly customOidc?: { readonly providerUrl: string; readonly loginId: string };
  };
  readonly tags?: Readonly<Record<string, string>>;
  readonly removalPolicy?: 'destroy' | 'retain';
}

/** A declared user with what QuickSight will call it and where it stands in the file. */
export interface UserEntry {
  readonly user: DeclaredUser;
  readonly name: string;
  readonly namespace: string;
  readonly position: Position;
}

/** Line and column, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Something in the users file that its author has to change. A problem of the file as a whole has no position. */
export interface Problem {
  readonly position?: Position;
  readonly message: string;
}

/** All problems of one users file, one line for each in the order of the file. */
export class UsersFileError extends Error {
  constructor(
    readonly file: string,
    readonly problems: readonly Problem[],
  ) {
    super(
      [...problems]
        .sort(byPosition)
        .map((problem) => line(file, problem))
        .join('\n'),
    );
  }
}

/** The users of a file that are well formed, and the problems of the others: the caller may find more before it gives up. */
export interface UsersFile {
  readonly entries: readonly UserEntry[];
  readonly problems: readonly Problem[];
}

/** Reads a users file. Throws nothing: whatever is wrong with the file is among the problems. */
export function readUsersFile(file: string): UsersFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return { entries: [], problems: [{ message: unreadable(error as NodeJS.ErrnoException) }] };
  }
  return parseUsersFile(bytes, file);
}

/** Reads the content of a users file; the name is for the message that tells where a duplicate stands first. */
export function parseUsersFile(bytes: Uint8Array, file: string): UsersFile {
  const text = new TextDecoder().decode(bytes);
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };

  const foreign = text.indexOf('\ufffd');
  if (foreign >= 0) {
    const message = 'the file is not UTF-8 text: save it with the encoding UTF-8';
    return { entries: [], problems: [{ position: positionAt(foreign), message }] };
  }
  const syntax = syntaxProblems(document, text, file, positionAt);
  if (syntax.length) return { entries: [], problems: syntax };

  const located = (path: readonly string[]) => locate(document, path);
  const content = document.toJS({ maxAliasCount: -1 });
  const validate = new Ajv({ allErrors: true, verbose: true, strictRequired: false })
    .addKeyword('patternErrorMessage')
    .compile<{ users: DeclaredUser[] }>(schema);
  validate(content);
  const found = breaches(validate.errors ?? [], (path) => sourceText(located(path).value));
  const problems: Problem[] = found.map(({ path, atKey, message }) => {
    const { key, value } = located(path);
    return { position: positionAt(((atKey ? key : value) ?? value ?? key)?.range?.[0] ?? 0), message };
  });

  const broken = new Set(found.map(({ path }) => (path[0] === 'users' ? path[1] : undefined)));
  const entries: UserEntry[] = Array.isArray(content?.users)
    ? content.users.flatMap((user: DeclaredUser, index: number) =>
        broken.has(String(index))
          ? []
          : {
              user,
              name: userNameOf({
                UserName: user.userName,
                IamArn: user.iamUser ?? user.iamRole,
                SessionName: user.sessionName,
              }),
              namespace: user.namespace ?? 'default',
              position: positionAt(located(['users', String(index)]).value?.range?.[0] ?? 0),
            },
      )
    : [];
  const { distinct, repeated } = withoutRepetitions(entries, file);
  return { entries: distinct, problems: [...problems, ...repeated] };
}

/** Each user once, where it is declared first, and a problem for each time that it is declared again. */
function withoutRepetitions(
  entries: readonly UserEntry[],
  file: string,
): { distinct: UserEntry[]; repeated: Problem[] } {
  const first = new Map<string, UserEntry>();
  const repeated = entries.flatMap((entry) => {
    const id = `${entry.namespace}/${entry.name}`;
    const earlier = first.get(id);
    if (!earlier) {
      first.set(id, entry);
      return [];
    }
    const message = `user '${entry.name}' is declared twice in namespace '${entry.namespace}', first at ${place(file, earlier.position)}: remove one of them`;
    return [{ position: entry.position, message }];
  });
  return { distinct: [...first.values()], repeated };
}

function syntaxProblems(
  document: yaml.Document.Parsed,
  text: string,
  file: string,
  positionAt: (offset: number) => Position,
): Problem[] {
  // What is a warning to the parser, such as a tag it does not know, would change values behind the author's back.
  const faults = [...document.errors, ...document.warnings].map((error) => ({
    offset: offsetOf(error, document),
    message: syntaxSentence(error, text),
  }));
  yaml.visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document)) return;
      faults.push({ offset: alias.range![0], message: `no anchor &${alias.source} stands before this alias` });
    },
    Map(_, map) {
      const seen = new Map<unknown, yaml.Scalar>();
      for (const { key } of map.items) {
        if (!yaml.isScalar(key)) {
          faults.push({ offset: (key as yaml.Node).range![0], message: 'a key must be text' });
          continue;
        }
        const earlier = seen.get(key.value);
        if (earlier) {
          const first = place(file, positionAt(earlier.range![0]));
          const message = `'${key.value}' stands twice in one mapping, first at ${first}: remove one of them`;
          faults.push({ offset: key.range![0], message });
        } else seen.set(key.value, key);
      }
    },
  });
  // One slip often makes the parser stumble again a few characters on: the first message of a line is the useful one.
  const problems = faults
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, message }) => ({ position: positionAt(offset), message }));
  return problems.filter(({ position }, index) => position.line !== problems[index - 1]?.position.line);
}

/** Where the author has to look: what is never closed runs to the end of the file, and the slip is where it begins. */
function offsetOf({ pos: [offset] }: yaml.YAMLError, document: yaml.Document.Parsed): number {
  let opening = offset;
  yaml.visit(document, {
    Scalar(_, { type, range }) {
      const isQuoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
      if (isQuoted && range && range[0] < offset && range[1] === offset) opening = range[0];
    },
  });
  return opening;
}

function syntaxSentence({ code, message, pos: [offset] }: yaml.YAMLError, text: string): string {
  const line = text.slice(text.lastIndexOf('\n', offset) + 1).split('\n', 1)[0]!;
  if (/^\s*-[^\s-]/.test(line)) return "a space is missing after '-'";
  if (message.startsWith('Missing closing')) return `the quote ${message.slice(16, 17)} is never closed`;
  if (message.startsWith('Flow')) return `a closing ${message.slice(-1)} is missing before this`;
  if (message.startsWith('Sequence item')) return 'indented less than the lines above: align it with them';
  switch (code) {
    case 'MULTILINE_IMPLICIT_KEY':
      return "not of the form 'key: value': a colon, or the space after it, is missing";
    case 'UNEXPECTED_TOKEN':
      return 'this cannot stand here: check the quotes before it and the indentation of the line';
    case 'TAG_RESOLVE_FAILED':
    case 'BAD_COLLECTION_TYPE':
      return "a value that begins with '!' is a YAML tag, which this file does not take: put it in quotes";
    case 'MULTIPLE_DOCS':
      return "the file holds several YAML documents: keep one, without '---' between users";
    case 'TAB_AS_INDENT':
      return 'a tab cannot indent YAML: use spaces';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return "a second 'key: value' on one line, or the next line indented too far: align it, or put a value with ': ' in quotes";
    case 'BAD_SCALAR_START':
      return `${lowerFirst(message)}: put the value in quotes`;
    default:
      return lowerFirst(message);
  }
}

function unreadable({ code, message }: NodeJS.ErrnoException): string {
  const another = 'name another one with -c users=<file> (cdk) or --users <file> (npm start)';
  if (code === 'ENOENT') return `no such file: create it, or ${another}`;
  if (code === 'EISDIR') return `a directory, not a users file: ${another}`;
  return `cannot be read: ${message}`;
}

function locate(document: yaml.Document.Parsed, path: readonly string[]): { key?: yaml.Node; value?: yaml.Node } {
  let key: yaml.Node | undefined;
  let value: yaml.Node | null | undefined = document.contents;
  for (const segment of path) {
    if (yaml.isAlias(value)) value = value.resolve(document);
    if (yaml.isMap<yaml.Scalar, yaml.Node>(value)) {
      const pair: yaml.Pair<yaml.Scalar, yaml.Node> | undefined = value.items.find(
        (item) => String(item.key.value) === segment,
      );
      key = pair?.key;
      value = pair?.value;
    } else if (yaml.isSeq<yaml.Node>(value)) {
      key = undefined;
      value = value.items[Number(segment)];
    } else return {};
  }
  return { key, value: value ?? undefined };
}

/** The value as its author wrote it: 0123 rather than 123. */
function sourceText(node: yaml.Node | undefined): string {
  return yaml.isScalar(node) ? (node.source ?? String(node.value)) : '';
}

/** Values are quoted in messages: one that holds a line break or an escape sequence must not reach the terminal as such. */
function line(file: string, { position, message }: Problem): string {
  const code = (control: string) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${place(file, position)} ${message.replaceAll(/\p{Cc}/gu, code)}`;
}

function place(file: string, position: Position | undefined): string {
  return position ? `${file}:${position.line}:${position.column}` : `${file}:`;
}

function byPosition({ position: a }: Problem, { position: b }: Problem): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
