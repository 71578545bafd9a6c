import { ResourceEvent } from '../cloudformation/stack-state';
import { Style, Terminal } from '../../bin/terminal';

/** Shows the events of a deployment as they happen: what has ended as lines, what is under way as the live line. */
export class Progress {
  /** What failed, in order of time, without what was only cut short by that. */
  readonly failures: string[] = [];
  /** Logical ids of what a removal policy kept. */
  readonly retained: string[] = [];
  private readonly underWay = new Map<string, string>();

  /** `nameOf` gives what people call a resource, such as the name of a user. */
  constructor(
    private readonly terminal: Terminal,
    private readonly nameOf: (logicalId: string) => string,
  ) {}

  readonly onEvent = ({ logicalId, stackName, status, reason }: ResourceEvent): void => {
    const name = this.nameOf(logicalId);
    const isStack = logicalId === stackName;
    const cutShort = reason?.endsWith(' cancelled');
    if (status.endsWith('_FAILED') && !isStack && !cutShort) this.failures.push(`${name}: ${plain(reason)}`);
    if (status === 'DELETE_SKIPPED') this.retained.push(logicalId);
    if (status.endsWith('IN_PROGRESS') && !isStack) this.underWay.set(logicalId, name);
    else {
      this.underWay.delete(logicalId);
      const line = `  ${this.terminal.paint(colour(status), status.padEnd(18))}  ${name}`;
      this.terminal.print(reason ? `${line}: ${reason}` : line);
    }
    const names = [...this.underWay.values()];
    this.terminal.setLive(names.length ? `  ${names.length} under way: ${names.join(', ')}` : '');
  };

  end(): void {
    this.underWay.clear();
    this.terminal.setLive('');
  }
}

function colour(status: string): Style {
  if (status.includes('FAILED')) return 'red';
  if (status.includes('ROLLBACK')) return 'yellow';
  return status.endsWith('COMPLETE') ? 'green' : 'dim';
}

/** The handler's own words, without what CloudFormation wraps them in. */
function plain(reason = 'no reason given'): string {
  return reason.replace(/^Received response status .*? Message returned: /, '').replace(/ \(RequestId: [^)]*\)$/, '');
}
