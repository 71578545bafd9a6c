import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { QuickSightReader } from '../../../bin/cli/quicksight-reader';
import { explain } from '../../../bin/cli/remedy';
import type { EmbeddedQuickSightOptions } from '../../../local/quicksight';
import { Desk } from './command-line';

/*
 * What a person meets when the account cannot be asked: the value, the reason and the way out.
 */

let desk: Desk;
afterEach(() => desk.stop());

async function failure(options: EmbeddedQuickSightOptions, args: string[] = [], environment = {}) {
  desk = await Desk.start(options);
  const { code, stdout, stderr } = await desk.run(['export', ...args], environment);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).not.toMatch(/ {4}at /);
  return stderr;
}

test('no credentials', async () => {
  const stderr = await failure({}, [], { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' });
  expect(stderr).toMatch(
    /^no AWS credentials: .*\. Sign in, for example with aws sso login, set AWS_PROFILE or --profile/,
  );
});

test('a profile that there is not', async () => {
  expect(await failure({}, ['--profile', 'nobody'])).toMatch(/^no AWS credentials of profile nobody: .*\. Sign in/);
});

test('no region', async () => {
  expect(await failure({}, [], { AWS_REGION: '' })).toBe(
    'no region: set AWS_REGION or --region, or the region of the profile\n',
  );
});

test('an identity region of another partition is not followed', async () => {
  expect(await failure({ identityRegion: 'us-gov-west-1', partition: 'aws-us-gov' })).toMatch(
    /^ListNamespaces in account 111122223333, region us-east-1, failed: AccessDeniedException \(status 401\): .*your identity region is us-gov-west-1.*Name the identity region of the account with --region/,
  );
});

test('Standard edition', async () => {
  expect(await failure({ edition: 'STANDARD' })).toMatch(
    /STANDARD Edition\. QuickSight Standard edition has no such users: upgrade the account to Enterprise edition/,
  );
});

test('an account without QuickSight', async () => {
  expect(await failure({ subscribed: false })).toMatch(
    /not found\. The account has no QuickSight in this region: subscribe/,
  );
});

test('another account than that of the credentials', async () => {
  expect(await failure({}, ['--account', '444455556666'])).toMatch(
    /in account 444455556666, .*Not authorized to access account 444455556666\. The credentials belong to another account/,
  );
});

test('a permission that is missing', async () => {
  const denial = 'User: arn:aws:iam::111122223333:user/ci is not authorized to perform: quicksight:ListNamespaces';
  expect(await failure({ authorize: () => denial })).toContain(
    `${denial}. The credentials need quicksight:ListNamespaces, also in the identity region`,
  );
});

test('throttling that does not end', async () => {
  desk = await Desk.start();
  desk.quickSight.faults.add({ kind: 'throttle', times: Infinity });
  process.env.AWS_ENDPOINT_URL_QUICKSIGHT = desk.quickSight.url;
  const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' };
  const reader = new QuickSightReader('us-east-1', credentials, { throttled: 500, faulty: 500, backOff: 5 });
  const error: unknown = await reader.call('ListNamespaces', { AwsAccountId: '111122223333' }).catch((e: unknown) => e);
  reader.close();
  delete process.env.AWS_ENDPOINT_URL_QUICKSIGHT;
  expect(explain(error, '111122223333')).toMatch(
    /failed: ThrottlingException \(status 429\): .*\. QuickSight answers no faster for now: run this again later/,
  );
  expect(desk.calls().length).toBeGreaterThan(2);
});

test('a namespace that there is not', async () => {
  expect(await failure({}, ['--namespace', 'partners'])).toBe(
    "--namespace 'partners': not in account 111122223333; leave it out, or correct the name\n",
  );
});

describe('the account', () => {
  test('of credentials that do not say it is asked of STS', async () => {
    desk = await Desk.start();
    const asked: string[] = [];
    const sts = createServer((request, response) => {
      asked.push(`${request.method} ${request.headers.authorization}`);
      response.end('<GetCallerIdentityResponse><Account>111122223333</Account></GetCallerIdentityResponse>');
    }).listen(0, '127.0.0.1');
    await once(sts, 'listening');
    const url = `http://127.0.0.1:${(sts.address() as AddressInfo).port}`;
    const { code, stdout } = await desk.run(['export'], { AWS_ACCOUNT_ID: '', AWS_ENDPOINT_URL_STS: url });
    sts.close();
    expect(code).toBe(0);
    expect(stdout).toContain('QuickSight account 111122223333');
    expect(asked).toEqual([
      expect.stringMatching(/^POST AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d+\/us-east-1\/sts\//),
    ]);
  });

  test('that STS does not tell can be named', async () => {
    const endpoint = { AWS_ACCOUNT_ID: '', AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9' };
    expect(await failure({}, [], endpoint)).toMatch(
      /cannot be found out: GetCallerIdentity failed: .*name the account with --account/s,
    );
    expect(await desk.run(['export', '--account', '111122223333'], endpoint)).toMatchObject({ code: 0 });
  });
});

test('a command line that makes no sense is refused in one line', async () => {
  desk = await Desk.start();
  for (const [args, message] of [
    [['exprot'], "unknown command 'exprot'; did you mean export?"],
    [['drift', '--jsno'], 'drift has no option --jsno; did you mean --json?'],
    [['drift', '--markdown'], 'drift has no option --markdown; quicksight-users drift --help lists them'],
    [['drift', '--account'], 'option --account needs a value: --account ID'],
    [['drift', '--account', '12'], "--account '12' is not the id of an AWS account: give its 12 digits"],
    [['drift', '--region', 'Frankfurt'], "--region 'Frankfurt' is not an AWS region: give one like us-east-1"],
    [['drift', '--tags', '--stack-region', 'us'], "--stack-region 'us' is not an AWS region: give one like us-east-1"],
    [['drift', '--stack-region', 'us-east-1'], '--stack-region without --tags has no effect: add --tags'],
    [['export', 'users.yaml'], "export reads no file: to write to 'users.yaml', use --output users.yaml"],
    [['plan', '--json', '--markdown'], '--json beside --markdown: choose one'],
  ] as const) {
    expect(await desk.run(args)).toEqual({ code: 1, stdout: '', stderr: `${message}\n` });
  }
});

test('help is there for the whole and for each command', async () => {
  desk = await Desk.start();
  for (const command of ['validate', 'export', 'drift', 'plan']) {
    const { code, stdout } = await desk.run([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^quicksight-users ${command} `));
    expect(await desk.run(['help', command])).toMatchObject({ code: 0, stdout });
  }
  expect((await desk.run(['--help'])).stdout).toMatch(/^ {2}quicksight-users drift /m);
  const { bin, version } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(await desk.run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  expect(bin).toEqual({ 'quicksight-users': 'bin/dist/quicksight-users.js' });
});
