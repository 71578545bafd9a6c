/** One line of the table: what was measured, ours beside what people use instead. */
export interface Row {
  readonly measure: string;
  readonly ours: string;
  /** What people use instead, or the lower bound, and its value. */
  readonly beside?: string;
  /** Ours divided by the other. */
  readonly ratio?: number;
  readonly target?: string;
  /** Whether the target is reached; undefined without a target. */
  readonly reached?: boolean;
}

/** A row of two numbers whose ratio may be at most `limit`. */
export function ratioRow(measure: string, ours: Amount, other: Amount & { name: string }, limit?: number): Row {
  const ratio = ours.value / other.value;
  return {
    measure,
    ours: show(ours),
    beside: `${other.name}: ${show(other)}`,
    ratio,
    target: limit === undefined ? undefined : `≤ ${limit.toFixed(2)}`,
    reached: limit === undefined ? undefined : ratio <= limit,
  };
}

export interface Amount {
  readonly value: number;
  readonly unit: string;
}

function show({ value, unit }: Amount): string {
  const digits = Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0;
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`;
}

/** The rows as a Markdown table, padded so that it reads well on a terminal too. */
export function markdown(rows: readonly Row[]): string {
  const cells = rows.map(({ measure, ours, beside = '', ratio, target = '', reached }) => [
    measure,
    ours,
    beside,
    ratio?.toFixed(2) ?? '',
    target,
    reached === undefined ? '' : reached ? 'ok' : '**missed**',
  ]);
  const table = [['Measure', 'Ours', 'Beside', 'Ratio', 'Target', ''], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length), 3));
  const line = (parts: string[]) => `| ${parts.map((part, column) => part.padEnd(widths[column]!)).join(' | ')} |`;
  const [head, ...body] = table.map(line);
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
