import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as sdk from '@aws-sdk/client-quicksight';
import { build, type Metafile } from 'esbuild';
import { version as sdkVersion } from '@aws-sdk/client-quicksight/package.json';
import { BUDGET, bundleOptions, check, notices, withLiteralKeys, writeIfChanged } from '../../lambda/bundle';

const ROOT = path.join(__dirname, '..', '..');
const COMMANDS = [
  'RegisterUser',
  'DescribeUser',
  'UpdateUser',
  'DeleteUser',
  'DeleteUserByPrincipalId',
  'ListUsers',
  'TagResource',
  'UntagResource',
  'ListTagsForResource',
] as const;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'bundle-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('what is built can be read by Lambda, whatever the umask of the build, also when it has not changed', () => {
  const file = path.join(folder, 'index.js');
  const mode = () => (statSync(file).mode & 0o777).toString(8);
  writeFileSync(file, 'same', { mode: 0o600 });
  writeIfChanged(file, 'same');
  expect(mode()).toBe('644');
  writeIfChanged(file, 'other', 0o755);
  expect([mode(), readFileSync(file, 'utf8')]).toEqual(['755', 'other']);
});

/** An SDK bundled from `source` with the handler's own options. */
async function bundledSdk(name: string, source: string): Promise<typeof sdk> {
  const options = { ...bundleOptions(''), entryPoints: undefined, stdin: { contents: source, resolveDir: ROOT } };
  const { outputFiles } = await build(options);
  const file = path.join(folder, name);
  writeFileSync(file, outputFiles[0]!.contents);
  return (await import(file)) as typeof sdk;
}

describe('the bundle of the handler', () => {
  const entry = path.join(ROOT, 'lambda', 'index.ts');
  let bundle: string;
  let metafile: Metafile;
  beforeAll(async () => {
    const result = await build(bundleOptions(entry));
    bundle = result.outputFiles[0]!.text;
    metafile = result.metafile;
  });

  it('stays within its budget and takes nothing from the runtime but Node.js', () => {
    check(metafile);
    expect(Object.values(metafile.outputs)[0]!.bytes).toBeLessThanOrEqual(BUDGET);
  });

  it('is the same wherever the checkout lies, and loads where no other module is', async () => {
    const elsewhere = path.join(folder, 'another', 'checkout');
    for (const source of ['lambda', 'lib'])
      cpSync(path.join(ROOT, source), path.join(elsewhere, source), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(elsewhere, 'node_modules'));
    const again = await build({
      ...bundleOptions(path.join(elsewhere, 'lambda', 'index.ts')),
      absWorkingDir: elsewhere,
    });

    // Compared as a boolean: a difference of two minified lines is nothing that a person could read.
    expect(again.outputFiles[0]!.text === bundle).toBe(true);
    expect(bundle.includes(ROOT)).toBe(false);
    writeFileSync(path.join(folder, 'index.js'), bundle);
    const script = `process.stdout.write(typeof require('./index.js').handler)`;
    expect(execFileSync(process.execPath, ['-e', script], { cwd: folder, env: {}, encoding: 'utf8' })).toBe('function');
  });

  it('fails over its budget, with the sizes of the packages in it', () => {
    expect(() => check(metafile, 1000)).toThrow(
      /\d+ more than its budget:(\n +\d+ {2}[\w@/ -]+)*\n +\d+ {2}this package/,
    );
  });

  it('names every package in it in the notices', () => {
    expect(readFileSync(path.join(ROOT, 'lambda', 'THIRD_PARTY_NOTICES'), 'utf8')).toBe(notices(metafile));
    expect(notices(metafile)).toContain(`\n@aws-sdk/client-quicksight ${sdkVersion}\n`);
  });

  it('fails when a module is left to the runtime', async () => {
    const { metafile } = await build({ ...bundleOptions(entry), external: ['@aws-sdk/*'], plugins: [] });
    expect(() => check(metafile)).toThrow('the bundle takes @aws-sdk/client-quicksight from the runtime: bundle it');
  });

  it('fails when the SDK has another layout than the one that is slimmed', async () => {
    const options = { ...bundleOptions(''), entryPoints: undefined, stdin: { contents: 'export {}' } };
    await expect(build({ ...options, logLevel: 'silent' })).rejects.toThrow(
      'not found: @aws-sdk/client-quicksight/dist-es/schemas, @aws-sdk/credential-provider-node, @smithy/core/event-streams',
    );
  });

  it.each([
    ['has no computed keys', 'const _h = "http";\nexport var A = [{ "http": 1 }];', 'without computed keys'],
    ['computes a key from something else', 'import { _h } from "./keys";\nexport var A = [{ [_h]: 1 }];', 'the key _h'],
    ['names the prototype', 'const _p = "__proto__";\nexport var A = [{ [_p]: 1 }];', 'the key _p'],
  ])('fails when a schema file %s', (_, source, message) => {
    expect(() => withLiteralKeys(source)).toThrow(message);
  });

  it('leaves every schema of QuickSight as the SDK has it', async () => {
    const rewritten = await bundledSdk('schemas.js', `export * from '@aws-sdk/client-quicksight'`);
    const schemas = (module: object) => Object.entries(module).filter(([name]) => name.endsWith('$'));
    // Schemas refer to each other by functions, round in circles: a reference is shown by the name it leads to.
    const show = (schema: unknown) =>
      JSON.stringify(schema, (_, value) => (typeof value === 'function' ? `→ ${(value() as string[])[2]}` : value));
    expect(schemas(sdk).length).toBeGreaterThan(1000);
    expect(schemas(rewritten).map(([name, schema]) => [name, show(schema)])).toEqual(
      schemas(sdk)
        .map(([name, schema]) => [name, show(schema)])
        .sort(([a], [b]) => (a! < b! ? -1 : 1)),
    );
  });
});

describe('the slim SDK beside the untouched one', () => {
  type Command = (typeof COMMANDS)[number];
  type Answer = (response: ServerResponse) => void;
  let slim: typeof sdk;
  let endpoint: string;
  let answer: Answer;
  const received: object[] = [];

  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      received.push({ method: request.method, url: request.url, headers: stable(request), body });
      answer(response);
    });
  });

  beforeAll(async () => {
    const names = ['QuickSightClient', ...COMMANDS.map((name) => `${name}Command`)].join(', ');
    slim = await bundledSdk('slim.js', `export { ${names} } from '@aws-sdk/client-quicksight'`);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  /** The headers without what differs between any two requests: time, request id and the signature over both. */
  function stable({ headers, rawHeaders }: IncomingMessage): object {
    const { authorization, 'x-amz-date': date, 'amz-sdk-invocation-id': id, ...rest } = headers;
    // The SDK's CommonJS build, which stands here for the untouched one, tells the version before its own.
    for (const name of ['user-agent', 'x-amz-user-agent'])
      rest[name] = String(rest[name]).replace(/\b3\.\d+\.\d+\b/g, '3');
    expect([date, id, authorization]).toEqual([expect.any(String), expect.any(String), expect.any(String)]);
    const names = rawHeaders.filter((_, index) => index % 2 === 0).sort();
    return { ...rest, names, authorization: authorization!.replace(/\/\d{8}\/|Signature=\w+/g, '') };
  }

  function reply(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return (response) => response.writeHead(status, { 'x-amzn-requestid': 'r-1', ...headers }).end(text);
  }

  /** What a call puts on the wire and what comes of it, as far as a caller can see. */
  async function observe(module: typeof sdk, command: Command, input: object, options: object = {}) {
    const client = new module.QuickSightClient({
      region: 'eu-west-1',
      endpoint,
      credentials: async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' }),
      maxAttempts: 1,
    });
    received.length = 0;
    try {
      const Class = module[`${command}Command`] as new (input: object) => sdk.RegisterUserCommand;
      return { result: await client.send(new Class(input), options), received: [...received] };
    } catch (thrown) {
      const error = thrown as Error & { code?: string; $metadata?: object };
      const { name, message, code, $metadata } = error;
      return { error: { ...error, name, message, code, $metadata }, received: [...received] };
    } finally {
      client.destroy();
    }
  }

  async function expectParity(command: Command, input: object, options?: () => object) {
    const expected = await observe(sdk, command, input, options?.());
    const actual = await observe(slim, command, input, options?.());
    expect(actual).toEqual(expected);
    return actual;
  }

  const USER = { AwsAccountId: '111122223333', Namespace: 'default', UserName: 'role/é a+b%@=ñ' };
  const ARN = 'arn:aws:quicksight:eu-west-1:111122223333:user/default/role/é a+b%@=ñ';
  const REGISTRATION = {
    ...USER,
    IdentityType: 'QUICKSIGHT',
    Email: 'ana@example.com',
    UserRole: 'AUTHOR_PRO',
    CustomPermissionsName: 'no-export',
    ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
    CustomFederationProviderUrl: 'https://login.example.com/oidc?x=1&y="2"',
    ExternalLoginId: 'ana',
    Tags: [{ Key: 'team', Value: 'ünï €' }],
  };
  const FOUND = {
    Status: 200,
    RequestId: 'r-1',
    UserInvitationUrl: 'https://example.com/invitation',
    PrincipalId: 'user/d-1/2',
    User: {
      ...USER,
      Arn: ARN,
      Active: false,
      Role: 'AUTHOR',
      IdentityType: 'QUICKSIGHT',
      New: 'unknown to this release',
    },
    UserList: [{ Arn: ARN, UserName: 'N/A', Active: null }, {}],
    Tags: [{ Key: 'team', Value: 'ünï €' }],
    NextToken: 'more',
  };
  const CALLS: [Command, object][] = [
    ['RegisterUser', REGISTRATION],
    [
      'RegisterUser',
      { ...REGISTRATION, UserName: undefined, IamArn: 'arn:aws:iam::111122223333:role/x', SessionName: 'ana' },
    ],
    ['DescribeUser', USER],
    ['UpdateUser', { ...USER, Email: 'ana@example.com', Role: 'ADMIN', UnapplyCustomPermissions: true }],
    ['UpdateUser', { ...USER, Email: '', Role: 'READER', ExternalLoginFederationProviderType: 'NONE' }],
    ['DeleteUser', USER],
    ['DeleteUserByPrincipalId', { ...USER, PrincipalId: 'federated/iam/AROAEXAMPLE:ana' }],
    ['ListUsers', { ...USER, NextToken: 'a b&c', MaxResults: 100 }],
    ['TagResource', { ResourceArn: ARN, Tags: [{ Key: 'k:/ ', Value: 'v' }] }],
    ['UntagResource', { ResourceArn: ARN, TagKeys: ['k:/ ', 'é', 'team'] }],
    ['ListTagsForResource', { ResourceArn: ARN }],
  ];

  it.each(CALLS)('sends the same %s request and reads the same answer', async (command, input) => {
    for (const [status, body] of [
      [200, FOUND],
      [201, {}],
      [200, ''],
    ] as const) {
      answer = reply(status, body, { 'content-type': 'application/json' });
      const { received: requests, error } = await expectParity(command, input);
      expect(error).toBeUndefined();
      expect(requests).toHaveLength(1);
    }
  });

  it.each(CALLS)('refuses the same incomplete %s input', async (command) => {
    for (const input of [{}, { AwsAccountId: '', Namespace: 'default' }, { ...USER, UserName: 5, ResourceArn: null }]) {
      answer = reply(200, {});
      await expectParity(command, input);
    }
  });

  const EXCEPTIONS = Object.keys(sdk).filter((name) => /Exception$/.test(name) && !name.endsWith('ServiceException'));

  it.each(COMMANDS)('throws the same error for every exception of %s', async (command) => {
    const input = Object.fromEntries(CALLS)[command]!;
    expect(EXCEPTIONS.length).toBeGreaterThan(20);
    for (const name of [...EXCEPTIONS, 'ThrottlingException:http://internal.example.com/', 'NobodyKnowsException']) {
      const status = name.startsWith('Throttling') ? 429 : 409;
      for (const body of [{ Message: `${name} é`, RequestId: 'r-2' }, {}]) {
        answer = reply(status, body, { 'x-amzn-errortype': name });
        const { error } = await expectParity(command, input);
        expect(error).toMatchObject({ name: name.split(':')[0], $metadata: { httpStatusCode: status } });
      }
    }
    answer = reply(400, { __type: 'com.amazonaws.quicksight#ConflictException', message: 'named in the body' });
    expect((await expectParity(command, input)).error).toMatchObject({ name: 'ConflictException' });
  });

  it.each<[string, Answer]>([
    ['a throttle without a body', reply(429, '')],
    ['a 5xx in HTML', reply(503, '<html><body>Service Unavailable</body></html>', { 'content-type': 'text/html' })],
    ['a 5xx without a body', reply(500, '')],
    ['a 403 in XML', reply(403, '<Error><Code>Forbidden</Code></Error>')],
    ['a success that is not JSON', reply(200, '{"Status": 2')],
    ['a redirection', reply(301, '', { location: 'https://example.com/' })],
    ['a connection reset before the answer', (response) => response.socket!.destroy()],
    [
      'a connection reset within the answer',
      (response) =>
        response.writeHead(200, { 'content-length': 100 }).write('{"User":', () => response.socket!.destroy()),
    ],
  ])('throws the same after %s', async (_, fault) => {
    for (const [command, input] of CALLS) {
      answer = fault;
      const { error } = await expectParity(command, input);
      expect(error?.name).toEqual(expect.any(String));
    }
  });

  it('gives up in the same way when the caller aborts a call that hangs', async () => {
    answer = () => undefined;
    const { error } = await expectParity('DescribeUser', USER, () => ({ abortSignal: AbortSignal.timeout(50) }));
    expect(error).toMatchObject({ name: 'AbortError' });
    server.closeAllConnections();
  });

  it.each(['eu-west-1', 'us-gov-west-1', 'cn-north-1', 'eusc-de-east-1'])(
    'finds the same endpoint in %s',
    async (region) => {
      const hosts = [sdk, slim].map(async ({ QuickSightClient, DescribeUserCommand }) => {
        const client = new QuickSightClient({ region, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
        const requestHandler = {
          handle: async ({ hostname }: { hostname: string }) => Promise.reject(new Error(hostname)),
        };
        client.config.requestHandler = requestHandler;
        return client.send(new DescribeUserCommand(USER)).catch((error: Error) => error.message);
      });
      const [untouched, slimmed] = await Promise.all(hosts);
      expect(slimmed).toBe(untouched);
      expect(untouched).toMatch(new RegExp(`^quicksight\\.${region}\\.`));
    },
  );

  it('asks for credentials instead of looking for them', async () => {
    const { QuickSightClient, DescribeUserCommand } = slim;
    const client = new QuickSightClient({ region: 'eu-west-1', endpoint });
    await expect(client.send(new DescribeUserCommand(USER))).rejects.toThrow(
      'this bundle has no default credentials: pass credentials to the client',
    );
  });
});
