import type { Contestants } from './contestants';
import { LambdaStage, userProperties } from './lambda-stage';
import type { Row } from './row';

/**
 * Requests to QuickSight in each lifecycle event, beside the fewest that any handler needs which deletes only what it
 * holds and leaves alone a role that was raised by hand.
 */
export async function apiCalls({ ours }: Contestants, nodeExecutable: string): Promise<Row[]> {
  const stage = await LambdaStage.set(nodeExecutable);
  const container = stage.start(ours);
  const rows: Row[] = [];

  const { ServiceToken: _, ...ana } = userProperties('ana');
  let properties: object = ana;
  let id: string | undefined;
  async function step(event: string, bound: number, RequestType: string, ResourceProperties: object = properties) {
    const before = stage.quickSight.calls.length;
    const previous = RequestType === 'Create' ? {} : { PhysicalResourceId: id, OldResourceProperties: properties };
    const answer = await stage.send(container, { RequestType, ResourceProperties, ...previous });
    const calls = stage.quickSight.calls.slice(before).map(({ operation }) => operation);
    properties = ResourceProperties;
    const beside = `lower bound: ${bound}`;
    const measure = `Requests to QuickSight: ${event}`;
    rows.push({
      measure,
      ours: [calls.length, ...calls].join(' '),
      beside,
      ratio: bound ? calls.length / bound : undefined,
    });
    return answer.PhysicalResourceId;
  }

  try {
    id = await step('Create', 1, 'Create');
    await step('Update, nothing that concerns the user', 0, 'Update');
    await step('Update, e-mail', 2, 'Update', { ...ana, Email: 'new@example.com' });
    await step('Update, role', 2, 'Update', { ...ana, Email: 'new@example.com', UserRole: 'AUTHOR' });
    await step('Update, a tag more', 1, 'Update', { ...properties, Tags: [{ Key: 'team', Value: 'sales' }] });
    const renamed = await step('Update, user name', 1, 'Update', { ...properties, UserName: 'anna' });
    await step('Delete of the old user after it', 2, 'Delete', ana);
    id = renamed;
    await step('Delete', 2, 'Delete', { ...properties, UserName: 'anna' });
  } finally {
    await container.kill();
    await stage.stop();
  }
  return rows;
}
