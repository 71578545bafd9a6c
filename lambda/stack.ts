import type { Patience } from './quicksight-api';
import { signedCall } from './signed-call';

/** What CloudFormation says of a stack. */
export interface StackDescription {
  /** For example `UPDATE_ROLLBACK_IN_PROGRESS`. */
  readonly status: string;
  /** Stack id of the stack that this one is nested in. */
  readonly parentId?: string;
  /** When its latest deployment began, in whole seconds since the epoch; undefined when CloudFormation does not tell. */
  readonly deployedAt?: number;
}

/** Asks CloudFormation for a stack, by its id; rejects with a SignedCallError when it cannot be read. */
export async function describeStack(
  stackId: string,
  patience: Patience,
  signal: AbortSignal,
): Promise<StackDescription> {
  const parameters = { Action: 'DescribeStacks', Version: '2010-05-15', StackName: stackId };
  const call = {
    service: 'cloudformation',
    endpointId: 'CLOUDFORMATION',
    arn: stackId,
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body: String(new URLSearchParams(parameters)),
    answer: /<StackStatus>/,
  };
  // A function in a VPC without a way to CloudFormation must not wait for long: the safe side is known without an answer.
  const bounds = { throttled: patience.stack, faulty: patience.stack / 3, denied: patience.freshPolicy };
  return read(await signedCall(call, bounds, patience, signal));
}

/**
 * No XML parser: text in the answer is escaped, so these elements are what they seem. None of their names occurs at
 * another depth of an answer to DescribeStacks.
 */
function read(answer: string): StackDescription {
  const element = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)?.[1];
  const began = Date.parse(element('LastUpdatedTime') ?? element('CreationTime') ?? '');
  return {
    status: element('StackStatus') ?? '',
    parentId: element('ParentId'),
    deployedAt: Number.isNaN(began) ? undefined : Math.floor(began / 1000),
  };
}
