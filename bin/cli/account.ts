import { QuickSightClient, type QuickSightClientConfig } from '@aws-sdk/client-quicksight';
import { PATIENCE } from '../../lambda/quicksight-api';
import { signedCall, type SignedCall } from '../../lambda/signed-call';
import { QuickSightReader } from './quicksight-reader';

/** The account that a command is about, and how to ask it. */
export interface Account {
  readonly id: string;
  /** Where the command was told to ask, and where stacks are; the users may be in another: see QuickSightReader. */
  readonly region: string;
  readonly quickSight: QuickSightReader;
  readonly query: Query;
}

/** One call of a service in the query protocol, in the account's region unless told another; the XML of the answer. */
export type Query = (
  service: 'cloudformation' | 'sts',
  parameters: Record<string, string>,
  region?: string,
) => Promise<string>;

export interface AccountOptions {
  readonly account?: string;
  readonly region?: string;
  readonly profile?: string;
}

/** The account cannot be asked at all: the message says why, and what to do. */
export class AccountError extends Error {}

const VERSION = { cloudformation: '2010-05-15', sts: '2011-06-15' };

/** Milliseconds: a command line that waits for longer seems dead. */
const BOUNDS = { throttled: 60_000, faulty: 5_000, denied: 0 };

/** Finds credentials, region and account as every AWS tool does. */
export async function openAccount(options: AccountOptions): Promise<Account> {
  // The SDK looks for it in the environment, and then leaves aside credentials that are there, too.
  if (options.profile) process.env.AWS_PROFILE = options.profile;
  const client = new QuickSightClient({});
  const region = options.region ?? (await regionOf(client));
  const { credentials: provider } = client.config;
  const credentials = await provider().catch((error: Error) => {
    const { AWS_PROFILE } = process.env;
    throw new AccountError(
      `no AWS credentials${AWS_PROFILE ? ` of profile ${AWS_PROFILE}` : ''}: ${error.message.replace(/\.$/, '')}. Sign in, for example with aws sso login, set ` +
        'AWS_PROFILE or --profile, or give the pipeline a role',
    );
  });
  const query: Query = async (service, parameters, asked = region) => {
    const call: SignedCall = {
      service,
      endpointId: service.toUpperCase(),
      arn: `arn:${partitionOf(asked)}:${service}:${asked}:`,
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: String(new URLSearchParams({ ...parameters, Version: VERSION[service] })),
      credentials: provider,
      answer: /<\w+Response\b/,
    };
    return signedCall(call, BOUNDS, PATIENCE, new AbortController().signal);
  };
  const id = options.account ?? credentials.accountId ?? (await callerAccount(query));
  const quickSight = new QuickSightReader(region, provider as QuickSightClientConfig['credentials']);
  return { id, region, quickSight, query };
}

async function regionOf(client: QuickSightClient): Promise<string> {
  try {
    return await client.config.region();
  } catch {
    // The AWS CLI knows this variable, the SDK does not.
    const { AWS_DEFAULT_REGION } = process.env;
    if (AWS_DEFAULT_REGION) return AWS_DEFAULT_REGION;
    throw new AccountError('no region: set AWS_REGION or --region, or the region of the profile');
  }
}

/** Credentials of an access key do not say whose they are. */
async function callerAccount(query: Query): Promise<string> {
  let answer: string;
  try {
    answer = await query('sts', { Action: 'GetCallerIdentity' });
  } catch (error) {
    const { message, code } = error as Error & { code: string };
    throw new AccountError(
      `the account of the credentials cannot be found out: GetCallerIdentity failed: ${code}: ${message}. ` +
        'Check the credentials, or name the account with --account',
    );
  }
  const id = /<Account>(\d{12})<\/Account>/.exec(answer)?.[1];
  if (!id) throw new AccountError('the account of the credentials cannot be found out: name it with --account');
  return id;
}

/** Of regions that QuickSight is in; those of other partitions have it in their name. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
