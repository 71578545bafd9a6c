import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as yaml from 'yaml';
import { parseOptions } from '../bin/cli/options';

/*
 * What docs/gitops.md tells people to copy.
 */

const TEXT = readFileSync(path.join(__dirname, '..', 'docs', 'gitops.md'), 'utf8');

/** Code blocks of one language. */
function blocks(language: string): string[] {
  return [...TEXT.matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)]
    .filter(([, , found]) => found === language)
    .map(([, indent, , code]) => code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}

test('every quicksight-users command is one that the command line takes', () => {
  const commands = [...TEXT.matchAll(/npx quicksight-users ([^`\n>|]*)/g)].map(([, args]) => args!.trim());
  expect(commands.length).toBeGreaterThan(10);
  for (const command of commands) {
    const args = command.split(/\s+/).map((word) => word.replace(/^'(.*)'$/, '$1'));
    expect(parseOptions(args)).toMatchObject({ command: args[0] });
  }
});

test('pipelines are YAML, and name every action by its commit', () => {
  const pipelines = blocks('yaml').filter((block) => block.includes('npx quicksight-users'));
  expect(pipelines).toHaveLength(2);
  for (const pipeline of pipelines) expect(() => yaml.parse(pipeline)).not.toThrow();
  const uses = [...TEXT.matchAll(/uses: (\S+)/g)].map(([, action]) => action);
  expect(uses.length).toBeGreaterThan(0);
  for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
});

test('the policy is JSON, and allows nothing but reading', () => {
  const [policy] = blocks('json').map((block) => JSON.parse(block));
  for (const action of policy.Statement[0].Action) expect(action).toMatch(/:(List|Describe|Get)\w+$/);
});
