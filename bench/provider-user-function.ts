/* The handler as the user function of CDK's Provider framework, which answers CloudFormation itself. */
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { parseEvent } from '../lambda/event';
import { execute } from '../lambda/execute';
import { servicesFor } from '../lambda/index';
import { onEvent } from '../lambda/on-event';
import { PATIENCE } from '../lambda/quicksight-api';

export async function handler(event: CloudFormationCustomResourceEvent) {
  const signal = new AbortController().signal;
  const draft = { physicalId: `none:${event.RequestId}` };
  const { physicalId, attributes } = await execute(
    onEvent(parseEvent(event), draft, PATIENCE),
    servicesFor(event, PATIENCE, signal),
    signal,
  );
  return { PhysicalResourceId: physicalId, Data: attributes };
}
