/** `; did you mean role?` when one of the candidates is a likely spelling of the word, else an empty string. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return best ? `; did you mean ${best.candidate}?` : '';
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...b].entries()) {
      current.push(
        Math.min(current[column]! + 1, previous[column + 1]! + 1, previous[column]! + (letter === other ? 0 : 1)),
      );
    }
    previous = current;
  }
  return previous[b.length]!;
}
