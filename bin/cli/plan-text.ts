import { printable } from '../terminal';
import { count, person } from './person';
import type { Action, Entry, Plan } from './plan';
import type { Change } from './plan-changes';
import type { Shared } from './plan-shared';

const MARKS: Readonly<Record<Action, string>> = {
  refused: '!',
  loses: '-',
  joins: '+',
  adopted: '*',
  changes: '~',
  kept: '=',
  gone: '?',
};

const TITLES: Readonly<Record<Action, string>> = {
  refused: 'Refused: the deployment would fail',
  loses: 'Lose access',
  joins: 'Join',
  adopted: 'Adopted',
  changes: 'Change',
  kept: 'Stay, no longer managed',
  gone: 'Gone from QuickSight',
};

/** What a deployment would do, for a terminal. */
export function planText(plan: Plan, what: string): string {
  const lines = [
    ...plan.entries.map((entry) => `  ${MARKS[entry.action]} ${sentence(entry)}`),
    ...plan.shared.map((one) => `  ${one.action === 'made' ? '+' : '-'} ${sharedSentence(one)}`),
  ];
  return [
    ...plan.warnings.map((warning) => `warning: ${printable(warning)}`),
    ...plan.problems.map((problem) => `error: ${printable(problem)}`),
    `${lines.length > 0 ? 'A deployment' : 'Nothing changes: a deployment'} of ${what}`,
    ...lines,
    summary(plan),
  ].join('\n');
}

/** GitHub takes comments of at most 65,536 characters. */
const MOST = 60_000;

/** The same for the comment of a pull request. */
export function planMarkdown(plan: Plan, what: string): string {
  const sections: [title: string, sentences: readonly string[]][] = [
    ['Warning', plan.warnings],
    ['The deployment would fail', plan.problems],
    ...(Object.keys(TITLES) as Action[]).map((action): [string, string[]] => [
      TITLES[action],
      plan.entries.filter((entry) => entry.action === action).map(sentence),
    ]),
    ['Groups and custom permissions', plan.shared.map(sharedSentence)],
  ];
  const parts = [`### QuickSight users: ${summary(plan)}\n\nA deployment of ${escape(what)}:`];
  let [length, left] = [0, 0];
  for (const [title, sentences] of sections) {
    if (sentences.length > 0) parts.push(`\n**${title}** (${sentences.length.toLocaleString('en-US')})\n`);
    for (const one of sentences) {
      const line = `- ${escape(printable(one))}`;
      if ((length += line.length + 1) > MOST) left++;
      else parts.push(line);
    }
  }
  if (left > 0) parts.push(`\n… and ${left.toLocaleString('en-US')} more: a comment has no room for them.`);
  return parts.join('\n');
}

/** What happens to a group or a profile. */
function sharedSentence({ action, what, namespace = 'default', name, members = 0 }: Shared): string {
  const is = what === 'group' ? 'is' : 'are';
  const lost = members > 0 ? `: ${count(members, 'member')} will not be in it any more` : '';
  return printable(`${what} ${person({ namespace, name })} ${is} ${action}${lost}`);
}

/** What happens to one person. */
export function sentence(entry: Entry): string {
  const { action, namespace, user, changes, note } = entry;
  const name = person({ namespace, name: user });
  const and = note ? `; ${note}` : '';
  const valueOf = (property: string) => changes.find((change) => change.property === property);
  switch (action) {
    case 'joins': {
      const rest = changes.filter(({ property }) => !['role', 'e-mail'].includes(property)).map(phrase);
      return printable(
        `${name} joins as ${valueOf('role')?.to} (${[valueOf('e-mail')?.to, ...rest].join(', ')})${and}`,
      );
    }
    case 'changes':
      return printable(`${name}: ${[...changes.map(phrase), ...(note ? [note] : [])].join(', ')}`);
    case 'adopted':
      return printable(`${name} is adopted${changes.length > 0 ? `: ${changes.map(phrase).join(', ')}` : ''}`);
    case 'loses':
      return printable(`${name} loses access (${valueOf('role')?.from})${and}`);
    default:
      return printable(`${name} ${note}`);
  }
}

function phrase({ property, from, to }: Change): string {
  if (property === 'group') return to === undefined ? `leaves group ${from}` : `in group ${to}`;
  const what = property === 'role' ? '' : `${property} `;
  return from === undefined ? `${what}${to}` : `${what}${from} → ${to ?? 'none'}`;
}

function summary({ entries, unchanged, others }: Plan): string {
  const number = (action: Action) => entries.filter((entry) => entry.action === action).length;
  const parts: [number, string, string][] = [
    [number('refused'), 'is refused', 'are refused'],
    [number('loses'), 'loses access', 'lose access'],
    [number('joins'), 'joins', 'join'],
    [number('adopted'), 'is adopted', 'are adopted'],
    [number('changes'), 'changes', 'change'],
    [number('kept'), 'stays unmanaged', 'stay unmanaged'],
    [number('gone'), 'is gone', 'are gone'],
    [unchanged, 'stays as it is', 'stay as they are'],
    [others, 'in no file is left alone', 'in no file are left alone'],
  ];
  const told = parts.filter(([some]) => some > 0).map(([some, one, more]) => count(some, one, more));
  return told.join(', ') || 'no users';
}

/** Names come from files and accounts: nothing in them may become a link, a mention or HTML. */
function escape(text: string): string {
  return (
    text
      .replaceAll(/[\\`*_[\]<>|~#]/g, '\\$&')
      // At the beginning they would make a list.
      .replace(/^([-+]|\d+(?=[.)]))/, (mark) => (/\d/.test(mark) ? `${mark}\\` : `\\${mark}`))
      .replaceAll('&', '&amp;')
      // An invisible space: a name with @ in it calls nobody, and an address is none to click on.
      .replaceAll(/@|:(?=\/\/)|\bwww(?=\.)/gi, '$&\u200b')
  );
}
