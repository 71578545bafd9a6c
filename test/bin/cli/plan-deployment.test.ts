import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedCloudFormation } from '../../../local/cloudformation/embedded-cloudformation';
import { synthesize } from '../../../local/start/app';
import { ACCOUNT, Desk } from './command-line';

/*
 * What `plan` says beside what the deployment then does, after people have been at the account by hand.
 */

jest.setTimeout(60_000);

let desk: Desk;
let cloudFormation: EmbeddedCloudFormation;

beforeEach(async () => {
  desk = await Desk.start();
  cloudFormation = new EmbeddedCloudFormation({
    accountId: ACCOUNT,
    lambda: { endpoints: { AWS_ENDPOINT_URL_QUICKSIGHT: desk.quickSight.url }, retryDelaysMs: [10, 10] },
  });
  await cloudFormation.stacksEndpoint.listen();
});
afterEach(async () => {
  await cloudFormation.stop();
  await desk.stop();
});

/** Lines of the plan that tell of somebody or something, and the exit code. */
async function plan(...args: string[]): Promise<{ told: string[]; code: number }> {
  const { code, stdout, stderr } = await desk.run(['plan', ...args], {
    AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.stacksEndpoint.url,
  });
  const told = (stderr + stdout).split('\n').filter((line) => /^( {2}\S|error|warning)/.test(line));
  return { told: told.map((line) => line.trim()), code };
}

/** Deploys a users file; whether it succeeded. */
async function deploy(content: string, shards?: string): Promise<boolean> {
  desk.write(content);
  const assembly = path.join(desk.folder, 'cdk.out');
  rmSync(assembly, { recursive: true, force: true });
  mkdirSync(assembly);
  await synthesize({ users: path.join(desk.folder, 'users.yaml'), shards }, assembly);
  const [result] = await cloudFormation.deploy(assembly);
  return result!.succeeded;
}

const ana = (more = '') => `  - { userName: ana, email: ana@example.com, role: READER${more && `, ${more}`} }\n`;
const elif = (email = 'elif') => `  - { iamUser: elif, email: ${email}@example.com, role: AUTHOR }\n`;
const zoe = '  - { userName: zoe, email: zoe@example.com, role: READER }\n';
const file = (...users: string[]) => `users:\n${zoe}${users.join('')}`;
const user = (name: string) => desk.quickSight.user('default', name);
const registerAnew = async () => {
  desk.quickSight.deleteUser('default', 'ana');
  await desk.register('ana');
};
const strip = (name: string) => desk.quickSight.setTags('default', name, {});

/** What is deployed, what somebody does then, what is planned next; what the plan says, and whether it comes true. */
interface Scene {
  readonly first: string;
  readonly byHand?: () => unknown;
  readonly then: string;
  readonly told: readonly string[];
  readonly code?: number;
  readonly after: () => unknown;
}

const MARK = "is not marked as this stack's";

test.each<[string, Scene]>([
  [
    'an invitationVersion that is taken away changes nobody',
    { first: file(ana("invitationVersion: '1'")), then: file(ana()), told: [], after: () => user('ana')?.role },
  ],
  [
    'an IAM user whose tags were stripped keeps access when the entry goes',
    {
      first: file(elif()),
      byHand: () => strip('elif'),
      then: file(),
      told: [`= elif stays in QuickSight: it ${MARK}`],
      after: () => user('elif')?.role,
    },
  ],
  [
    'so does a user who was registered anew by hand',
    {
      first: file(ana()),
      byHand: registerAnew,
      then: file(),
      told: [`= ana stays in QuickSight: it ${MARK}`],
      after: () => user('ana')?.role,
    },
  ],
  [
    'a user who was registered anew by hand is changed no more',
    {
      first: file(ana()),
      byHand: registerAnew,
      then: file(ana().replace('ana@', 'new@')),
      told: [`! ana ${MARK}: remove the entry, deploy, and add it again with onExisting: adopt`],
      code: 1,
      after: () => user('ana')?.email === 'ana@example.com' && 'untouched',
    },
  ],
  [
    'nor is an IAM user whose tags were stripped',
    {
      first: file(elif()),
      byHand: () => strip('elif'),
      then: file(elif('new')),
      told: [`! elif ${MARK}: remove the entry, deploy, and add it again with onExisting: adopt`],
      code: 1,
      after: () => user('elif')?.email === 'elif@example.com' && 'untouched',
    },
  ],
  [
    'a user who is gone is registered again, also when all that changes is a group to leave',
    {
      first: `groups: { team: }\n${file(ana('groups: [team]'))}`,
      byHand: () => desk.quickSight.deleteUser('default', 'ana'),
      then: `groups: { team: }\n${file(ana())}`,
      told: ['+ ana joins as READER (ana@example.com); was declared already, but is gone from QuickSight'],
      after: () => user('ana')?.role,
    },
  ],
  [
    'a group that the stack made and somebody deleted is an error',
    {
      first: `groups: { team: }\n${file(ana())}`,
      byHand: () => desk.client.deleteGroup({ AwsAccountId: ACCOUNT, Namespace: 'default', GroupName: 'team' }),
      then: `groups: { team: }\n${file(ana('groups: [team]'))}`,
      told: [
        'error: there is no group team: create it, for the stack, which made it, does not make it again',
        '~ ana: in group team',
      ],
      code: 1,
      after: () => user('ana')?.groups.length === 0 && 'in no group',
    },
  ],
  [
    'a quickSight user whose tags were stripped goes',
    {
      first: file(ana()),
      byHand: () => strip('ana'),
      then: file(),
      told: ['- ana loses access (READER)'],
      after: () => user('ana') === undefined && 'gone',
    },
  ],
])('%s', async (_, { first, byHand, then, told, code = 0, after }) => {
  expect(await deploy(first)).toBe(true);
  await byHand?.();
  desk.write(then);
  expect(await plan()).toEqual({ told, code });
  expect(await deploy(then)).toBe(code === 0);
  expect(await after()).toBeTruthy();
});

test('who moves to another nested stack is brought to what is declared, and the plan says so', async () => {
  const people = file(ana());
  expect(await deploy(people)).toBe(true);
  desk.quickSight.setRole('default', 'zoe', 'AUTHOR');
  expect(await plan()).toEqual({ told: [], code: 0 });
  const { told, code } = await plan('--shards', '2');
  expect(told).toEqual([expect.stringMatching(/^! zoe is AUTHOR and cannot become READER: /)]);
  expect(code).toBe(1);
  expect(await deploy(people, '2')).toBe(false);
  const declared = people.replace('zoe@example.com, role: READER', 'zoe@example.com, role: AUTHOR');
  desk.write(declared);
  expect(await plan('--shards', '2')).toEqual({ told: [], code: 0 });
  expect(await deploy(declared, '2')).toBe(true);
  expect(await plan('--shards', '2')).toEqual({ told: [], code: 0 });
  expect(user('zoe')?.role).toBe('AUTHOR');
});
