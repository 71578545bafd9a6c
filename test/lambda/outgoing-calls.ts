import { AsyncLocalStorage } from 'node:async_hooks';
import http, {
  createServer,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { urlToHttpOptions } from 'node:url';
import { matchOperation } from '../../local/quicksight/operations';

/*
 * The handler's requests on their way to the services: each is known by the event that made it, also while several
 * events run at once in this process, and can be held, or led over a detour where it is broken or lost.
 */

/** A request of the handler to a service. */
export interface OutgoingCall {
  /** For example `RegisterUser` or `DescribeStacks`. */
  readonly operation: string;
  /** Its place among the calls of its event, from 1. */
  readonly nth: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders | OutgoingHttpHeaders;
  readonly body: string | Buffer;
}

/** Stands between the handler and a service for one call: `forward` makes it. Without a reply the connection is reset. */
export type Detour = (forward: () => Promise<Reply>, gone: Promise<void>) => Promise<Reply | undefined>;

/** The call is made once this comes true. */
export interface Hold {
  readonly until: Promise<void>;
}

/** The requests of one event. */
export interface Journey {
  /** Hears of every call; may hold it, or send it over a detour. */
  readonly onCall: (call: OutgoingCall) => Detour | Hold | undefined;
}

interface Traveller extends Journey {
  count: number;
}

const travellers = new AsyncLocalStorage<Traveller>();
const ORIGINAL = Symbol.for('http.request before it was watched');
// Test files share the core modules of their process: only the last watch is on.
const request = ((http.request as { [ORIGINAL]?: typeof http.request })[ORIGINAL] ?? http.request) as (
  options: RequestOptions,
  callback?: (response: IncomingMessage) => void,
) => ClientRequest;

/** Runs an event so that its requests are known as its own. */
export function travel<T>(journey: Journey, work: () => Promise<T>): Promise<T> {
  return travellers.run({ ...journey, count: 0 }, work);
}

function watched(...args: unknown[]): ClientRequest {
  const { options, callback } = normalized(args);
  const traveller = travellers.getStore();
  const operation = traveller && operationOf(options);
  const way = operation && traveller.onCall({ operation, nth: ++traveller.count });
  if (!way) return request(options, callback);
  if (!('until' in way)) return request(diverted(options, way), callback);
  return request(
    { ...options, agent: holding((options.agent || http.globalAgent) as http.Agent, way.until) },
    callback,
  );
}

/** An agent that takes a request only when it may be made. */
function holding(agent: http.Agent, until: Promise<void>): http.Agent {
  const { addRequest } = agent as unknown as { addRequest: (...args: unknown[]) => void };
  return Object.create(agent, {
    addRequest: { value: (...args: unknown[]) => void until.then(() => addRequest.apply(agent, args)) },
  }) as http.Agent;
}
http.request = Object.assign(watched, { [ORIGINAL]: request });

function normalized(args: unknown[]) {
  const [first, ...rest] = args;
  const callback = args.find((argument) => typeof argument === 'function') as (response: IncomingMessage) => void;
  const given = typeof rest[0] === 'object' ? (rest[0] as RequestOptions) : {};
  const isUrl = typeof first === 'string' || first instanceof URL;
  const options = isUrl ? { ...urlToHttpOptions(new URL(first)), ...given } : (first as RequestOptions);
  return { options, callback };
}

/** Undefined for what goes to no service: the answer to CloudFormation. */
function operationOf({ method = 'GET', path = '/', headers }: RequestOptions): string | undefined {
  const target = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'x-amz-target')?.[1];
  if (target) return String(target).split('.').pop();
  const [route = ''] = path!.split('?');
  if (route === '/') return 'DescribeStacks';
  return matchOperation(method, route)?.operation.name;
}

const HEADER = 'x-detour';
const waiting = new Map<string, { detour: Detour; options: RequestOptions }>();
let server: Server | undefined;
let diversions = 0;

function diverted(options: RequestOptions, detour: Detour): RequestOptions {
  const id = String(++diversions);
  waiting.set(id, { detour, options });
  const { port } = server!.address() as AddressInfo;
  // No agent: a connection that a detour breaks must not be anybody else's.
  return { ...options, host: '127.0.0.1', hostname: '127.0.0.1', port, agent: false, headers: withId(options, id) };
}

function withId({ headers }: RequestOptions, id: string): OutgoingHttpHeaders {
  return { ...(headers as OutgoingHttpHeaders), [HEADER]: id };
}

/** Opens the detours. */
export async function openDetours(): Promise<void> {
  const opened = createServer((incoming, response) => void takeDetour(incoming, response));
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve));
  server = opened;
}

export async function closeDetours(): Promise<void> {
  const closing = server!;
  server = undefined;
  closing.closeAllConnections();
  await new Promise((resolve) => closing.close(resolve));
}

async function takeDetour(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { socket } = incoming;
  const gone = new Promise<void>((resolve) => socket.once('close', resolve));
  try {
    const body = await buffer(incoming);
    const id = String(incoming.headers[HEADER]);
    const { detour, options } = waiting.get(id)!;
    waiting.delete(id);
    const reply = await detour(() => forward(options, body), gone);
    if (!reply) socket.resetAndDestroy();
    else {
      const { 'transfer-encoding': _, ...headers } = reply.headers;
      response.writeHead(reply.status, { ...headers, 'content-length': Buffer.byteLength(reply.body) }).end(reply.body);
    }
  } catch {
    // The service broke the connection, or the handler did not wait.
    socket.resetAndDestroy();
  }
}

function forward(options: RequestOptions, body: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { signal: _, ...rest } = options;
    const forwarded = request({ ...rest, agent: undefined }, (response) => {
      buffer(response).then(
        (content) => resolve({ status: response.statusCode!, headers: response.headers, body: content }),
        reject,
      );
    });
    forwarded.on('error', reject);
    forwarded.end(body);
  });
}
