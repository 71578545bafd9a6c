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
  [{ stackName: 'my stack' }, /^stack name 'my stack' cannot be used: begin with a letter, .*\n$/],
])('context %j is refused in one line, without a stack trace', (context, message) => {
  expect(refusal(context)).toMatch(message);
});
