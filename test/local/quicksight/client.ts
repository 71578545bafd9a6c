import { QuickSight, type QuickSightClientConfig } from '@aws-sdk/client-quicksight';
import { EmbeddedQuickSight, type EmbeddedQuickSightOptions } from '../../../local/quicksight';

/** What almost every call needs. */
export const HERE = { AwsAccountId: '111122223333', Namespace: 'default' };

const running: (() => Promise<void>)[] = [];

/** A server and the real SDK client that calls it, without retries. Stopped by `stopAll`. */
export async function start(options: EmbeddedQuickSightOptions = {}) {
  const quickSight = await EmbeddedQuickSight.start(options);
  running.push(() => quickSight.stop());
  return { quickSight, client: clientOf(quickSight) };
}

export function clientOf(quickSight: EmbeddedQuickSight, config: QuickSightClientConfig = {}): QuickSight {
  const client = new QuickSight({
    endpoint: quickSight.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
    maxAttempts: 1,
    ...config,
  });
  running.push(async () => client.destroy());
  return client;
}

export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((stop) => stop()));
}

/** The input of a RegisterUser call that succeeds. */
export function quickSightUser(UserName: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    ...HERE,
    IdentityType: 'QUICKSIGHT' as const,
    UserName,
    Email: 'someone@example.com',
    UserRole: 'READER' as const,
    ...more,
  };
}

/** How the SDK shows a refusal; fails when the call succeeds. */
export async function refusal(call: Promise<unknown>): Promise<{ name: string; status?: number; message: string }> {
  const error = await call.then(
    () => {
      throw new Error('the call succeeded');
    },
    (thrown: Error & { $metadata?: { httpStatusCode?: number } }) => thrown,
  );
  return { name: error.name, status: error.$metadata?.httpStatusCode, message: error.message };
}

/** Waits for what happens on its own; the test's time-out is the limit. */
export async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => setTimeout(resolve, 2));
}
