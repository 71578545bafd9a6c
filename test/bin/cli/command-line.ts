import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { QuickSight } from '@aws-sdk/client-quicksight';
import { COMMAND_LINE } from '../../../bin/cli/bundle';
import { EmbeddedQuickSight, type EmbeddedQuickSightOptions } from '../../../local/quicksight';

/*
 * The bundled command line in a process of its own, as `npm test` has built it, beside an embedded QuickSight.
 */

export const ACCOUNT = '111122223333';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One QuickSight, a folder for files, and the command line in it. */
export class Desk {
  static async start(options: EmbeddedQuickSightOptions = {}): Promise<Desk> {
    return new Desk(await EmbeddedQuickSight.start(options));
  }

  readonly folder = mkdtempSync(path.join(tmpdir(), 'quicksight-users-'));
  readonly client: QuickSight;

  private constructor(readonly quickSight: EmbeddedQuickSight) {
    const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' };
    this.client = new QuickSight({ endpoint: quickSight.url, region: quickSight.account.identityRegion, credentials });
  }

  /** Runs `quicksight-users` with these arguments, and beside what it needs with these variables. */
  async run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const child = spawn(process.execPath, [COMMAND_LINE, ...args], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_ENDPOINT_URL_QUICKSIGHT: this.quickSight.url,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_ACCOUNT_ID: ACCOUNT,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
    const [code] = (await once(child, 'close')) as [number];
    return { code, stdout: await stdout, stderr: await stderr };
  }

  /** Writes a users file into the folder; its name. */
  write(content: string, name = 'users.yaml'): string {
    writeFileSync(path.join(this.folder, name), content);
    return name;
  }

  async register(UserName: string, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.client.registerUser({
      AwsAccountId: ACCOUNT,
      Namespace: 'default',
      IdentityType: 'QUICKSIGHT',
      UserName: 'IamArn' in more ? undefined : UserName,
      Email: `${UserName}@example.com`,
      UserRole: 'READER',
      ...more,
    });
  }

  async group(GroupName: string, members: readonly string[], Namespace = 'default'): Promise<void> {
    const group = { AwsAccountId: ACCOUNT, Namespace, GroupName };
    await this.client.createGroup({ ...group, Description: `The ${GroupName}` });
    for (const MemberName of members) await this.client.createGroupMembership({ ...group, MemberName });
  }

  async namespace(Namespace: string): Promise<void> {
    await this.client.createNamespace({ AwsAccountId: ACCOUNT, Namespace, IdentityStore: 'QUICKSIGHT' });
  }

  /** Operations called since the last time. */
  calls(): string[] {
    return this.quickSight.calls.splice(0).map(({ operation }) => operation);
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.quickSight.stop();
    rmSync(this.folder, { recursive: true });
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += String(chunk);
  return all;
}
