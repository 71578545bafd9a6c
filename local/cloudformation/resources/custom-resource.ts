import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { EmbeddedLambda } from '../../lambda/embedded-lambda';
import {
  generatedName,
  NothingDone,
  ResourceFailure,
  type DeleteRequest,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceResult,
  type UpdateRequest,
} from '../resource-provider';
import type { CustomResourceAnswer, ResponseEndpoint } from '../response-endpoint';
import type { StackState } from '../stack-state';
import type { Properties } from '../template';

/** The event that CloudFormation sends to a custom resource's function. */
export interface CustomResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ServiceToken: string;
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceType: string;
  readonly ResourceProperties: Properties;
  readonly OldResourceProperties?: Properties;
}

/** The accidents that asynchronous events meet on AWS, for tests to order. */
export interface CustomResourceAccidents {
  /**
   * Multiplies the time that CloudFormation waits for an answer.
   * @default 1
   */
  readonly serviceTimeoutScale?: number;
  /**
   * What happens to an event on its way to the function.
   * @default - it arrives at once, and once
   */
  readonly delivery?: (event: CustomResourceEvent) => Delivery | undefined;
  /**
   * Lets the function finish an event of a cancelled operation before CloudFormation goes on.
   * @default false - CloudFormation does not wait
   */
  readonly awaitCancelled?: boolean;
}

export interface Delivery {
  /**
   * What the event waits for before it reaches the function.
   * @default - nothing
   */
  readonly after?: Promise<unknown>;
  /** Delivers the event a second time, so long after the first. */
  readonly repeatAfterMs?: number;
}

const DEFAULT_SERVICE_TIMEOUT_SECONDS = 3600;

/** Custom::* resources behind a Lambda function. */
export class CustomResource implements ResourceProvider {
  constructor(
    private readonly lambda: EmbeddedLambda,
    private readonly responses: ResponseEndpoint,
    private readonly accidents: CustomResourceAccidents,
  ) {}

  create(request: ResourceRequest): Promise<ResourceResult> {
    return this.#send('Create', request);
  }

  update(request: UpdateRequest): Promise<ResourceResult> {
    if (request.properties.ServiceToken !== request.oldProperties.ServiceToken) {
      throw new NothingDone('Modifying service token is not allowed.');
    }
    return this.#send('Update', request, {
      PhysicalResourceId: request.physicalId || inventedId(request),
      OldResourceProperties: stringified(request.oldProperties) as Properties,
    });
  }

  async delete(request: DeleteRequest): Promise<void> {
    const PhysicalResourceId = request.physicalId ?? inventedId(request);
    // Nobody can cancel a Delete.
    await this.#send('Delete', { ...request, signal: new AbortController().signal }, { PhysicalResourceId });
  }

  missingAttribute({ stackId }: StackState, logicalId: string, attribute: string): string {
    return (
      `CustomResource attribute error: Vendor response doesn't contain ${attribute} attribute: ` +
      `Vendor response doesn't contain ${attribute} key in object ${stackId}|${logicalId}`
    );
  }

  async #send(
    RequestType: CustomResourceEvent['RequestType'],
    request: ResourceRequest,
    more: Partial<CustomResourceEvent> = {},
  ): Promise<ResourceResult> {
    const { stack, logicalId, type, properties, signal } = request;
    const identity = { StackId: stack.stackId, RequestId: randomUUID(), LogicalResourceId: logicalId };
    const { responseUrl, answer } = await this.responses.expect(identity);
    const event: CustomResourceEvent = {
      RequestType,
      ServiceToken: String(properties.ServiceToken),
      ResponseURL: responseUrl,
      ...identity,
      ResourceType: type,
      ResourceProperties: stringified(properties) as Properties,
      ...more,
    };
    const delivered = this.#deliver(event);
    const settled = new AbortController();
    const outcome = await Promise.race([
      answer.catch((error: Error) => error),
      delivered.then(({ failure }) => failure ?? new Promise<never>(() => undefined)),
      this.#timeOut(identity.RequestId, properties, settled.signal),
      cancellation(signal, settled.signal),
    ]);
    settled.abort();
    // However often its Delete is tried, a resource that never told its id keeps the one that was made up for it.
    const untold = RequestType === 'Create' ? inventedId(request) : undefined;
    if (outcome === CANCELLED) {
      if (this.accidents.awaitCancelled) await (await delivered).done;
      const what = RequestType === 'Create' ? 'creation' : 'update';
      throw new ResourceFailure(`Resource ${what} cancelled`, untold);
    }
    if (outcome instanceof Error) throw new ResourceFailure(outcome.message, untold);
    return asResult(outcome, identity.RequestId);
  }

  /** `failure` is set when the function could not be invoked at all: of its own errors CloudFormation never hears. */
  async #deliver(event: CustomResourceEvent): Promise<{ done: Promise<unknown>; failure?: Error }> {
    const { after, repeatAfterMs } = this.accidents.delivery?.(event) ?? {};
    await after;
    try {
      const { done } = this.lambda.invokeAsync(event.ServiceToken, event);
      if (repeatAfterMs !== undefined) void delay(repeatAfterMs).then(() => this.#repeat(event));
      return { done };
    } catch (error) {
      return { done: Promise.resolve(), failure: error as Error };
    }
  }

  #repeat(event: CustomResourceEvent): void {
    try {
      this.lambda.invokeAsync(event.ServiceToken, event);
    } catch {
      // The function went away meanwhile, and the repeated event with it.
    }
  }

  async #timeOut(requestId: string, properties: Properties, settled: AbortSignal): Promise<Error> {
    const seconds = Number(properties.ServiceTimeout ?? DEFAULT_SERVICE_TIMEOUT_SECONDS);
    const milliseconds = seconds * 1000 * (this.accidents.serviceTimeoutScale ?? 1);
    // Without `ref: false` a stopped engine would keep the process for an hour.
    await delay(milliseconds, undefined, { signal: settled, ref: false }).catch(() => undefined);
    return new Error(
      'CloudFormation did not receive a response from your Custom Resource. ' +
        `Please check your logs for requestId [${requestId}].`,
    );
  }
}

const CANCELLED = Symbol('cancelled');

function cancellation(signal: AbortSignal, settled: AbortSignal): Promise<typeof CANCELLED> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(CANCELLED);
    signal.addEventListener('abort', () => resolve(CANCELLED), { once: true, signal: settled });
  });
}

function asResult(answer: CustomResourceAnswer, requestId: string): ResourceResult {
  if (answer.Status === 'FAILED') {
    throw new ResourceFailure(
      `Received response status [FAILED] from custom resource. Message returned: ${answer.Reason} (RequestId: ${requestId})`,
      answer.PhysicalResourceId,
    );
  }
  return { physicalId: answer.PhysicalResourceId, attributes: answer.Data ?? {} };
}

/** The id of a resource that never told its own. */
function inventedId({ stack, logicalId }: ResourceRequest): string {
  return generatedName(stack.stackName, logicalId, 128);
}

function stringified(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stringified);
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, stringified(item)]));
}
