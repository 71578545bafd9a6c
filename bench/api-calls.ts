import type { UserResourceProperties } from '../lib/private/user-resource';
import type { Container } from '../local/lambda/container';
import type { Contestants } from './contestants';
import { LambdaStage, userProperties } from './lambda-stage';
import type { Row } from './row';

/* Why some events take more calls than a handler could do with. */
const LEAVING = '+2 to keep a user that another resource is taking';
const TAKING = '+1 to wait for holders that are leaving';
const ROLL_BACK = '+1 to give back the role in a roll-back';
const LATE = '+1 to tell an event that comes late';

/**
 * Calls to AWS in each lifecycle event, beside the fewest that any handler needs which deletes only what it holds, leaves
 * alone a role that was raised by hand, and registers in one call.
 */
export async function apiCalls({ ours }: Contestants, nodeExecutable: string): Promise<Row[]> {
  const stage = await LambdaStage.set(nodeExecutable);
  const container = stage.start(ours);
  const rows: Row[] = [];
  const resource = (logicalId: string) => new Resource(logicalId, stage, container, rows);

  try {
    const ana = resource('Ana');
    await ana.create('Create', 1, propertiesOf('ana'));
    await ana.update('Update, nothing that concerns the user', 0, { ServiceTimeout: '60' } as object);
    await ana.update('Update, e-mail', 2, { Email: 'new@example.com' });
    await ana.update('Update, role', 2, { UserRole: 'AUTHOR' });
    await ana.update('Update, a tag more', 1, { Tags: [{ Key: 'team', Value: 'sales' }] });
    await ana.update('Update, another tag', 2, { Tags: [{ Key: 'floor', Value: '3' }] });
    await ana.update('Update, invitation version', 4, { InvitationVersion: '2' });
    const former = await ana.update('Update, user name', 1, { UserName: 'anna' });
    await cleanUp(() => former.delete('Delete of the old user after it', 2, LEAVING));

    stage.quickSight.deleteUser('default', 'anna');
    await ana.update('Update, e-mail of a user that is gone', 2, { Email: 'newer@example.com' }, LATE);
    await ana.update('Update, e-mail when the principal differs', 3, { Email: 'newest@example.com' });

    const renamed = resource('Renamed');
    await renamed.create('Create, another construct declared the user', 4, ana.properties, TAKING);
    await cleanUp(() => ana.delete('Delete of the other construct after it', 2, `${LEAVING}, ${ROLL_BACK}`));
    await cleanUp(() => renamed.delete('Delete', 2, LEAVING));

    // A user that no stack holds.
    await resource('Stranger').create(undefined, 0, propertiesOf('ben'));
    stage.quickSight.setTags('default', 'ben', {});
    const ben = resource('Ben');
    await ben.create('Create, adoption', 4, { ...propertiesOf('ben'), OnExisting: 'ADOPT' }, TAKING);
    await cleanUp(() => ben.delete('Delete of an adopted user', 3, LEAVING));
  } finally {
    await container.kill();
    await stage.stop();
  }
  return rows;

  async function cleanUp(work: () => Promise<void>): Promise<void> {
    stage.stackStatus = 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS';
    await work();
    stage.stackStatus = 'UPDATE_IN_PROGRESS';
  }
}

type Properties = Omit<UserResourceProperties, 'RootStackId'>;

function propertiesOf(userName: string): Properties {
  const { ServiceToken: _, ...properties } = userProperties(userName);
  return properties;
}

/** A resource of the stack, as CloudFormation remembers it between events. Each event adds a row. */
class Resource {
  properties!: Properties;
  private physicalId?: string;

  constructor(
    private readonly logicalId: string,
    private readonly stage: LambdaStage,
    private readonly container: Container,
    private readonly rows: Row[],
  ) {}

  async create(event: string | undefined, bound: number, properties: Properties, why?: string): Promise<void> {
    await this.send(event, bound, { RequestType: 'Create', ResourceProperties: properties }, why);
    this.properties = properties;
  }

  /** @returns what a clean-up would let go of, if the event made another user */
  async update(event: string, bound: number, changes: Partial<Properties>, why?: string): Promise<Resource> {
    const former = new Resource(this.logicalId, this.stage, this.container, this.rows);
    Object.assign(former, this);
    const properties = { ...this.properties, ...changes };
    const old = { PhysicalResourceId: this.physicalId, OldResourceProperties: this.properties };
    await this.send(event, bound, { RequestType: 'Update', ResourceProperties: properties, ...old }, why);
    this.properties = properties;
    return former;
  }

  async delete(event: string, bound: number, why: string): Promise<void> {
    const { physicalId: PhysicalResourceId, properties: ResourceProperties } = this;
    await this.send(event, bound, { RequestType: 'Delete', PhysicalResourceId, ResourceProperties }, why);
  }

  private async send(
    name: string | undefined,
    bound: number,
    event: Omit<Parameters<LambdaStage['send']>[1], 'LogicalResourceId'>,
    why?: string,
  ): Promise<void> {
    const { quickSight, stacks } = this.stage;
    const before = [quickSight.calls.length, stacks.calls.length] as const;
    const answer = await this.stage.send(this.container, { LogicalResourceId: this.logicalId, ...event });
    this.physicalId = answer.PhysicalResourceId;
    if (name === undefined) return;
    const calls = [
      ...quickSight.calls.slice(before[0]).map(({ operation }) => operation),
      ...stacks.calls.slice(before[1]).map(() => 'DescribeStacks'),
    ];
    this.rows.push({
      measure: `Calls to AWS: ${name}`,
      ours: [calls.length, ...calls].join(' '),
      beside: `lower bound: ${bound}${why === undefined ? '' : ` (${why})`}`,
      ratio: bound ? calls.length / bound : undefined,
    });
  }
}
