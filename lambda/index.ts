import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import { parseEvent } from './event';
import { execute, type Services } from './execute';
import { readInvitation, writeInvitation } from './invitation-secret';
import { onEvent } from './on-event';
import type { Draft } from './outcome';
import { PATIENCE, quickSightApi, QuickSightError, type Patience } from './quicksight-api';
import { explain } from './remedy';
import { respond, type Answer } from './response';
import { SignedCallError } from './signed-call';
import { describeStack } from './stack';

/** Time kept back for the answer: putting it, and putting it again. */
const ANSWER_RESERVE = 20_000;

/** Entry of the Lambda function: one event of CloudFormation in, exactly one answer out. */
export function handler(event: CloudFormationCustomResourceEvent, context: Context): Promise<void> {
  return answerEvent(event, context, PATIENCE);
}

/**
 * Acts on an event and answers it before the function's time-out.
 *
 * Never rejects: Lambda would run the event again, and CloudFormation has its answer.
 */
export async function answerEvent(
  event: CloudFormationCustomResourceEvent,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
  patience: Patience,
): Promise<void> {
  const started = Date.now();
  const timeLeft = context.getRemainingTimeInMillis();
  const deadline = new AbortController();
  const reserve = Math.min(ANSWER_RESERVE, timeLeft / 5);
  const timer = setTimeout(() => deadline.abort(new Error('the function ran out of time')), timeLeft - reserve);
  try {
    const answer = await decide(event, deadline.signal, patience);
    const answered = await respond(event.ResponseURL, answer, started + timeLeft - reserve / 10);
    // The event, the reason and the URL hold e-mail addresses and secrets: the log names none of them.
    const { RequestId, LogicalResourceId, Status } = answer;
    console.log(
      JSON.stringify({
        RequestId,
        RequestType: event.RequestType,
        LogicalResourceId,
        Status,
        answered,
        ms: Date.now() - started,
      }),
    );
  } finally {
    clearTimeout(timer);
  }
}

async function decide(
  event: CloudFormationCustomResourceEvent,
  signal: AbortSignal,
  patience: Patience,
): Promise<Answer> {
  const { StackId, RequestId, LogicalResourceId } = event;
  const ids = { StackId, RequestId, LogicalResourceId };
  const draft: Draft = {
    physicalId: event.RequestType === 'Create' ? `none:${RequestId}` : event.PhysicalResourceId || `none:${RequestId}`,
  };
  try {
    const plan = onEvent(parseEvent(event), draft, patience);
    const { physicalId, attributes } = await execute(plan, servicesFor(event, patience, signal), signal);
    return { Status: 'SUCCESS', ...ids, PhysicalResourceId: physicalId, Data: attributes };
  } catch (error) {
    console.log(JSON.stringify({ RequestId, failed: causeOf(error) }));
    return { Status: 'FAILED', ...ids, PhysicalResourceId: draft.physicalId, Reason: reasonOf(error) };
  }
}

/** AWS as the plan of an event reaches it, until `signal` ends that. */
export function servicesFor(
  { RequestId, LogicalResourceId }: Pick<CloudFormationCustomResourceEvent, 'RequestId' | 'LogicalResourceId'>,
  patience: Patience,
  signal: AbortSignal,
): Services {
  return {
    quickSight: quickSightApi(signal, patience),
    describeStack: (stackId) => describeStack(stackId, patience, signal),
    readInvitation: (secretArn) => readInvitation(secretArn, patience, signal),
    writeInvitation: (secretArn, invitation) => writeInvitation(secretArn, invitation, patience, signal),
    note: (note) => console.log(JSON.stringify({ RequestId, LogicalResourceId, note })),
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof QuickSightError) return explain(error);
  return error instanceof Error ? error.message || error.name : String(error);
}

/** The failure for the log, which may hold no text of QuickSight or of the event: either can name a person. */
function causeOf(error: unknown): string {
  if (error instanceof QuickSightError)
    return `${error.operation} ${error.code} ${error.status ?? 'without an answer'}`;
  if (error instanceof SignedCallError) return `${error.code} ${error.status ?? 'without an answer'}`;
  return error instanceof Error ? error.constructor.name : typeof error;
}
