import { spawnSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');

/** What the app says when the CDK runs it with this context. */
function refusal(context: Record<string, string>): string {
  const env = { ...process.env, CDK_CONTEXT_JSON: JSON.stringify(context) };
  const args = ['--import', 'tsx', 'bin/quicksight-users.ts'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: 'utf8' });
  expect(status).toBe(1);
  return stderr;
}

test.each([
  [{ users: 'none.yaml' }, /^none\.yaml: no such file: .*\n$/],
  [{ shards: 'many' }, /^shards 'many' is not a whole number\n$/],
  [
    { shards: '4', firstShards: '5' },
    /^QuickSightUsers \S+: firstShards 5 is not a whole number from 1 to 4, the shards\n$/,
  ],
  [{ outputs: 'no' }, /^outputs 'no' is neither true nor false\n$/],
  [{ stackName: 'my stack' }, /^stack name 'my stack' cannot be used: begin with a letter, .*\n$/],
])('context %j is refused in one line, without a stack trace', (context, message) => {
  expect(refusal(context)).toMatch(message);
});
