import { existsSync, readdirSync, statSync } from 'node:fs';

/**
 * The files that a pattern means, in alphabetical order: `*` and `?` stand for characters of one name, `**` for any
 * number of folders, `{a,b}` for one of several texts. A name that exists is no pattern, whatever characters it has, and
 * one without any of them is its own only match, whether it exists or not.
 *
 * Node has such a function since version 22 only.
 */
export function filesMatching(pattern: string): string[] {
  if (!/[*?{]/.test(pattern) || existsSync(pattern)) return [pattern];
  const portable = process.platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern;
  const found = alternatives(portable).flatMap((alternative) => {
    const root = /^\/*/.exec(alternative)![0];
    return [...walk(root, alternative.slice(root.length).split(/\/+/))];
  });
  return [...new Set(found)].sort();
}

function alternatives(pattern: string): string[] {
  const [all, before, choices, after] = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(pattern) ?? [];
  if (all === undefined) return [pattern];
  return choices!.split(',').flatMap((choice) => alternatives(`${before}${choice}${after}`));
}

function* walk(folder: string, [segment, ...rest]: readonly string[]): Generator<string> {
  if (segment === undefined) return;
  if (segment === '**') {
    yield* walk(folder, rest.length ? rest : ['*']);
    for (const entry of entriesOf(folder)) {
      // A link could lead back to where it stands.
      if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') {
        yield* walk(`${folder}${entry.name}/`, ['**', ...rest]);
      }
    }
    return;
  }
  for (const name of /[*?]/.test(segment) ? namesMatching(folder, segment) : [segment]) {
    const file = `${folder}${name}`;
    const stats = statSync(file, { throwIfNoEntry: false });
    if (rest.length === 0) {
      if (stats?.isFile()) yield file;
    } else if (stats?.isDirectory()) yield* walk(`${file}/`, rest);
  }
}

function namesMatching(folder: string, segment: string): string[] {
  const form = segment
    .replace(/[.+^$()|[\]\\{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const names = entriesOf(folder).map(({ name }) => name);
  return names.filter((name) => new RegExp(`^${form}$`, 's').test(name) && (segment[0] === '.' || name[0] !== '.'));
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder || '.', { withFileTypes: true });
  } catch {
    // A folder that cannot be read, or that is none, holds no users file; the pattern may match elsewhere.
    return [];
  }
}
