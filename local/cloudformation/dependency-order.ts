/**
 * Runs work for every id, each after everything that it depends on. When one fails, what depends on it does not run;
 * everything else does, unless `stopped` says no. Returns the failures.
 */
export async function inDependencyOrder(
  ids: Iterable<string>,
  dependenciesOf: (id: string) => Iterable<string>,
  run: (id: string) => Promise<void>,
  stopped: () => boolean = () => false,
): Promise<Map<string, unknown>> {
  const all = new Set(ids);
  const relevant = (id: string) => new Set([...dependenciesOf(id)].filter((dependency) => all.has(dependency)));
  const waitsFor = new Map(Array.from(all, (id) => [id, relevant(id).size]));
  const dependentsOf = reversed(all, relevant);
  const failures = new Map<string, unknown>();

  async function start(id: string): Promise<void> {
    if (stopped()) return;
    try {
      await run(id);
    } catch (error) {
      failures.set(id, error);
      return;
    }
    const free = [...dependentsOf(id)].filter((dependent) => {
      waitsFor.set(dependent, waitsFor.get(dependent)! - 1);
      return waitsFor.get(dependent) === 0;
    });
    await Promise.all(free.map(start));
  }

  await Promise.all([...waitsFor].filter(([, count]) => count === 0).map(([id]) => start(id)));
  return failures;
}

/** The same graph seen from the other end: what must be gone before an id may go. */
export function reversed(
  ids: Iterable<string>,
  dependenciesOf: (id: string) => Iterable<string>,
): (id: string) => Iterable<string> {
  const dependents = new Map<string, string[]>();
  for (const id of ids) {
    for (const dependency of dependenciesOf(id)) {
      const known = dependents.get(dependency);
      if (known) known.push(id);
      else dependents.set(dependency, [id]);
    }
  }
  return (id) => dependents.get(id) ?? [];
}

/** A cycle in the graph, if there is one. */
export function findCycle(
  ids: Iterable<string>,
  dependenciesOf: (id: string) => Iterable<string>,
): string[] | undefined {
  const done = new Set<string>();
  const trail: string[] = [];

  function search(id: string): string[] | undefined {
    if (done.has(id)) return undefined;
    if (trail.includes(id)) return trail.slice(trail.indexOf(id));
    trail.push(id);
    for (const dependency of dependenciesOf(id)) {
      const cycle = search(dependency);
      if (cycle) return cycle;
    }
    trail.pop();
    done.add(id);
    return undefined;
  }

  for (const id of ids) {
    const cycle = search(id);
    if (cycle) return cycle;
  }
  return undefined;
}
