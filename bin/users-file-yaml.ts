import * as yaml from 'yaml';
import type { Place } from './users-declaration';

/** Something in the users files that an author has to change. Without a place, it is none of one file alone. */
export interface Problem {
  /** Without line and column: the file as a whole. */
  readonly place?: { readonly file: string; readonly line?: number; readonly column?: number };
  readonly message: string;
}

/** The way to a value from the top of its file: keys, and indexes of lists. */
export type Path = readonly string[];

/** The content of a YAML file as plain values, and where each of them stands. */
export interface YamlFile {
  readonly content: unknown;
  /** Where the value stands, or its key; of what does not stand in the file, the nearest thing around it. */
  placeOf(path: Path, at?: 'key' | 'value'): Place;
  /** The value as its author wrote it: 0123 rather than 123. Empty for lists and mappings. */
  sourceOf(path: Path): string;
}

/** Reads YAML, or tells what is wrong with it. */
export function parseYaml(bytes: Uint8Array, file: string): { yamlFile?: YamlFile; problems: Problem[] } {
  const text = new TextDecoder().decode(bytes);
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };

  const foreign = text.indexOf('\ufffd');
  if (foreign >= 0) {
    const message = 'the file is not UTF-8 text: save it with the encoding UTF-8';
    return { problems: [{ place: placeAt(foreign), message }] };
  }
  const tree = new Tree(document);
  const problems = syntaxProblems(document, tree, text, placeAt);
  if (problems.length) return { problems };

  const placeOf = (path: Path, at?: 'key' | 'value'): Place => {
    const { key, value } = tree.locate(path);
    return placeAt(((at === 'key' ? key : value) ?? value ?? key)?.range?.[0] ?? 0);
  };
  const sourceOf = (path: Path): string => {
    const { value } = tree.locate(path);
    return yaml.isScalar(value) ? (value.source ?? String(value.value)) : '';
  };
  return { yamlFile: { content: tree.valueOf(document.contents), placeOf, sourceOf }, problems };
}

export function placeText({ file, line, column }: Required<Problem>['place']): string {
  return line === undefined ? `${file}:` : `${file}:${line}:${column}`;
}

type Pair = yaml.Pair<yaml.Scalar<string | number | boolean | null>, yaml.Node | null>;

/**
 * The nodes of a document by what they mean. The parser's own look-ups search from the start each time, which a file of
 * ten thousand users would wait for.
 */
class Tree {
  /** What each alias stands for; unset when no such anchor stands before it. */
  readonly targets = new Map<yaml.Alias, yaml.Node>();
  private readonly values = new Map<yaml.Node, unknown>();
  private readonly pairs = new Map<yaml.YAMLMap, ReadonlyMap<string, Pair>>();

  constructor(private readonly document: yaml.Document.Parsed) {
    const anchors = new Map<string, yaml.Node>();
    yaml.visit(document, {
      Node: (_, node) => {
        if (yaml.isAlias(node)) {
          const target = anchors.get(node.source);
          if (target) this.targets.set(node, target);
        } else if (node.anchor) anchors.set(node.anchor, node);
      },
    });
  }

  valueOf(node: unknown): unknown {
    if (yaml.isAlias(node)) return this.valueOf(this.targets.get(node));
    if (yaml.isScalar(node)) return node.value;
    if (!yaml.isCollection(node)) return null;
    // Once for all aliases of a node: aliases of aliases would grow without bounds.
    let value = this.values.get(node);
    if (value === undefined) {
      value = yaml.isMap(node)
        ? Object.fromEntries([...this.pairsOf(node)].map(([key, pair]) => [key, this.valueOf(pair.value)]))
        : node.items.map((item) => this.valueOf(item));
      this.values.set(node, value);
    }
    return value;
  }

  locate(path: Path): { key?: yaml.Node; value?: yaml.Node } {
    let key: yaml.Node | undefined;
    let value: yaml.Node | undefined = this.resolved(this.document.contents);
    for (const segment of path) {
      if (yaml.isMap(value)) {
        const pair = this.pairsOf(value).get(segment);
        if (!pair) break;
        key = pair.key;
        value = this.resolved(pair.value);
      } else if (yaml.isSeq<yaml.Node>(value)) {
        key = undefined;
        value = this.resolved(value.items[Number(segment)]);
      } else break;
    }
    return { key, value };
  }

  /** The pairs of a mapping by key, and those that it merges with `<<`: its own count more, then those merged first. */
  private pairsOf(map: yaml.YAMLMap): ReadonlyMap<string, Pair> {
    let pairs = this.pairs.get(map);
    if (!pairs) {
      const items = map.items as Pair[];
      const own = items.filter(({ key }) => !isMergeKey(key)).map((pair) => [keyText(pair.key), pair] as const);
      const merged = items.filter(({ key }) => isMergeKey(key)).flatMap(({ value }) => this.merged(value) ?? []);
      pairs = new Map([...merged.reverse().flatMap((source) => [...this.pairsOf(source)]), ...own]);
      this.pairs.set(map, pairs);
    }
    return pairs;
  }

  /** The mappings that a merge key takes in; undefined when its value is not of that kind. */
  merged(value: yaml.Node | null): yaml.YAMLMap[] | undefined {
    const node = this.resolved(value);
    if (yaml.isMap(node)) return [node];
    const items = yaml.isSeq<yaml.Node>(node) ? node.items.map((item) => this.resolved(item)) : [undefined];
    return items.every((item) => yaml.isMap(item)) ? items : undefined;
  }

  private resolved(node: yaml.Node | null | undefined): yaml.Node | undefined {
    return (yaml.isAlias(node) ? this.targets.get(node) : node) ?? undefined;
  }
}

/** YAML 1.1 has merge keys of its own; in YAML 1.2 they are a habit that everybody has kept. */
function isMergeKey(key: unknown): boolean {
  if (!yaml.isScalar(key)) return false;
  return typeof key.value === 'symbol' || (key.value === '<<' && key.type === 'PLAIN');
}

function keyText({ value }: yaml.Scalar<string | number | boolean | null>): string {
  return value === null ? '' : String(value);
}

interface Fault {
  readonly offset: number;
  readonly message: string;
}

const MISPLACED = 'this cannot stand here: check the quotes before it and the indentation of the line';

function syntaxProblems(
  document: yaml.Document.Parsed,
  tree: Tree,
  text: string,
  placeAt: (offset: number) => Place,
): Problem[] {
  const conflict = /^(<{7}|={7}|>{7})( |\r?$)/m.exec(text);
  if (conflict) {
    return [{ place: placeAt(conflict.index), message: `a merge conflict is left here (${conflict[1]}): resolve it` }];
  }
  // What is a warning to the parser, such as a tag it does not know, would change values behind the author's back.
  const faults: Fault[] = [...document.errors, ...document.warnings].map((error) => ({
    offset: offsetOf(error, document),
    message: syntaxSentence(error, text),
  }));
  yaml.visit(document, {
    Alias(_, alias, path) {
      const target = tree.targets.get(alias);
      const at = (message: string) => faults.push({ offset: alias.range![0], message });
      if (!target) at(`no anchor &${alias.source} stands before this alias`);
      else if (path.includes(target)) at(`alias *${alias.source} stands inside of what it stands for: write it out`);
    },
    Map(_, map) {
      const seen = new Map<unknown, yaml.Scalar>();
      for (const { key, value } of map.items) {
        if (!yaml.isScalar(key)) {
          faults.push({ offset: (key as yaml.Node).range![0], message: 'a key must be text' });
          continue;
        }
        if (isMergeKey(key) && !tree.merged(value as yaml.Node | null)) {
          const message = `'<<' takes in an alias of a mapping or a list of them; what users share is easier under defaults`;
          faults.push({ offset: key.range![0], message });
        }
        const earlier = seen.get(key.value);
        if (earlier) {
          const first = placeText(placeAt(earlier.range![0]));
          const message = `'${String(key.value)}' stands twice in one mapping, first at ${first}: remove one of them`;
          faults.push({ offset: key.range![0], message });
        } else seen.set(key.value, key);
      }
    },
  });
  const problems = faults
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, message }) => ({ place: placeAt(offset), message }));
  const said = text.split(/^/m).map((line) => /^\s*[^\s#]/.test(line));
  return problems.filter(({ place, message }, index) => {
    const before = problems[index - 1];
    // One slip often makes the parser stumble again a few characters on, and sometimes over every line that follows.
    if (!before || before.place.line === place.line) return !before;
    const runsOn = message === MISPLACED && before.message === MISPLACED;
    return !runsOn || said.slice(before.place.line, place.line - 1).includes(true);
  });
}

/** Where the author has to look: what is never closed runs to the end of the file, and the slip is where it begins. */
function offsetOf({ message, pos: [offset] }: yaml.YAMLError, document: yaml.Document.Parsed): number {
  let opening = offset;
  if (!message.startsWith('Missing closing')) return opening;
  yaml.visit(document, {
    Scalar(_, { type, range }) {
      const isQuoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
      if (isQuoted && range && range[0] < offset && range[1] === offset) opening = range[0];
    },
  });
  return opening;
}

function syntaxSentence({ code, message, pos: [offset] }: yaml.YAMLError, text: string): string {
  const begin = text.lastIndexOf('\n', offset) + 1;
  const line = text.slice(begin, text.indexOf('\n', begin) < 0 ? undefined : text.indexOf('\n', begin));
  if (/^\s*-[^\s-]/.test(line)) return "a space is missing after '-'";
  if (message.startsWith('Missing closing')) return `the quote ${message.slice(16, 17)} is never closed`;
  if (message.startsWith('Flow')) return `a closing ${message.slice(-1)} is missing before this`;
  if (message.startsWith('Sequence item')) return 'indented less than the lines above: align it with them';
  switch (code) {
    case 'MULTILINE_IMPLICIT_KEY':
      return "not of the form 'key: value': a colon, or the space after it, is missing";
    case 'UNEXPECTED_TOKEN':
      return MISPLACED;
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

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
