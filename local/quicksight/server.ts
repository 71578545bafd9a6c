import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError, statusOf } from './errors';
import type { Fault, Faults } from './faults';
import type { TokenBucket } from './token-bucket';

/** A request as it came over the wire. */
export interface HttpRequest {
  readonly method: string;
  /** As sent: labels are still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly caller: Caller;
}

/** Who calls, and where, as the Authorization header has it. */
export interface Caller {
  readonly accessKeyId: string;
  readonly region: string;
}

/** One request that the server received. */
export interface RecordedCall extends Caller {
  /** For example `RegisterUser`; the request line when no operation has it. */
  readonly operation: string;
  /** Path labels; for RegisterUser also the user name, given or derived. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Names of the members in the body. Not their values: an e-mail may be among them. */
  readonly members: readonly string[];
  /** Arrival, milliseconds since the epoch. */
  readonly at: number;
  /** HTTP status; undefined while the call is running, and after a reset connection. */
  status?: number;
  /** Error code. */
  error?: string;
}

/** A request that was understood as far as it could be, ready to run. */
export interface Prepared {
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly members: readonly string[];
  /** The user that the call is about. */
  readonly userName?: string;
  /** The operation: the members of its answer, or a ServiceError thrown. */
  readonly run: () => Record<string, unknown>;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly error?: string;
}

/** Thrown to break the connection instead of answering. */
class ConnectionReset extends Error {}

const JSON_TYPE = 'application/json';
const MAX_BODY_BYTES = 1_000_000;
const MAX_RECORDED_CALLS = 20_000;

/** REST-JSON over HTTP: requests in, answers out; what is in between counts, throttles and breaks on demand. */
export class QuickSightServer {
  readonly calls: RecordedCall[] = [];
  private readonly stopping = new AbortController();
  private readonly http: Server;

  constructor(
    private readonly prepare: (request: HttpRequest) => Prepared,
    private readonly defaultRegion: string,
    private readonly faults: Faults,
    private readonly rateLimit: TokenBucket | undefined,
  ) {
    this.http = createServer((request, response) => void this.serve(request, response));
    // Clients keep connections for reuse: a server that closes an idle one first resets their next request.
    this.http.keepAliveTimeout = 120_000;
  }

  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(port, host, resolve);
    });
  }

  get url(): string {
    const { address, port, family } = this.http.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Breaks off calls in flight. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const closed = new Promise((resolve) => this.http.close(resolve));
    this.http.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    try {
      const { status, contentType, body, error } = await this.answer(request, requestId);
      response.writeHead(status, {
        'content-type': contentType,
        'content-length': Buffer.byteLength(body),
        'x-amzn-requestid': requestId,
        ...(error && contentType === JSON_TYPE && { 'x-amzn-errortype': error }),
      });
      response.end(body);
    } catch (error) {
      if (error instanceof ConnectionReset) request.socket.resetAndDestroy();
      // The client went away or the server stops: nobody is left to answer.
      else request.socket.destroy();
    }
  }

  private async answer(request: IncomingMessage, requestId: string): Promise<Answer> {
    const at = Date.now();
    const received = await readRequest(request, this.defaultRegion);
    const prepared = this.prepare(received);
    const { operation, parameters, members } = prepared;
    const call: RecordedCall = { operation, parameters, members, ...received.caller, at };
    if (this.calls.push(call) > MAX_RECORDED_CALLS) this.calls.shift();
    const answer = await this.run(prepared, requestId).catch((error: unknown) => {
      if (error instanceof ConnectionReset) call.error = 'ConnectionReset';
      throw error;
    });
    call.status = answer.status;
    call.error = answer.error;
    return answer;
  }

  private async run({ operation, userName, run }: Prepared, requestId: string): Promise<Answer> {
    if (this.rateLimit && !this.rateLimit.take()) {
      return errorAnswer(new ServiceError('ThrottlingException', 'Rate exceeded'), requestId);
    }
    const fault = this.faults.take(operation, userName);
    if (!fault) return runToAnswer(run, requestId);
    if (fault.when !== 'after') {
      const broken = await this.strike(fault, requestId);
      return broken ?? runToAnswer(run, requestId, fault);
    }
    const proper = runToAnswer(run, requestId, fault);
    return (await this.strike(fault, requestId)) ?? proper;
  }

  /** The answer that a fault gives instead of the proper one, if it is of that kind. */
  private async strike(fault: Fault, requestId: string): Promise<Answer | undefined> {
    switch (fault.kind) {
      case 'error': {
        const { code, status = statusOf(code), message } = fault;
        return errorAnswer({ code, status, message }, requestId);
      }
      case 'throttle':
        return errorAnswer({ code: 'ThrottlingException', status: 429 }, requestId);
      case 'html':
        return {
          status: fault.status ?? 503,
          contentType: 'text/html',
          body: '<html><body><h1>Service Unavailable</h1></body></html>',
          error: 'HtmlPage',
        };
      case 'reset':
        throw new ConnectionReset();
      case 'slow':
        await sleep(fault.delayMs, undefined, { signal: this.stopping.signal, ref: false });
        return undefined;
      case 'answer':
        return undefined;
    }
  }
}

function runToAnswer(run: Prepared['run'], requestId: string, fault?: Fault): Answer {
  try {
    const { Status = 200, ...members } = run();
    const shown = fault?.kind === 'answer' ? overlay(members, fault.members) : members;
    // The SDK takes Status from the HTTP status, other clients from the body.
    const body = JSON.stringify({ Status, RequestId: requestId, ...shown });
    return { status: Status as number, contentType: JSON_TYPE, body };
  } catch (error) {
    if (error instanceof ServiceError) return errorAnswer(error, requestId);
    return errorAnswer(new ServiceError('InternalFailureException', String(error)), requestId);
  }
}

function overlay(members: Record<string, unknown>, over: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const result = { ...members };
  for (const [name, value] of Object.entries(over)) {
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
    result[name] = nested ? { ...(members[name] as object), ...value } : value;
  }
  return result;
}

function errorAnswer(
  error: { readonly code: string; readonly status: number; readonly message?: string; readonly resourceType?: string },
  requestId: string,
): Answer {
  const { code, status, message, resourceType } = error;
  const members = { __type: code, Message: message, ResourceType: resourceType, RequestId: requestId };
  return { status, contentType: JSON_TYPE, body: JSON.stringify(members), error: code };
}

async function readRequest(request: IncomingMessage, defaultRegion: string): Promise<HttpRequest> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('request body too large');
    chunks.push(chunk);
  }
  // No URL parser: it would resolve dot segments, which must arrive as they were sent.
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
  return {
    method: request.method ?? '',
    path,
    query: new URLSearchParams(query),
    body: Buffer.concat(chunks).toString('utf8'),
    caller: callerOf(request, defaultRegion),
  };
}

/** From SigV4's credential scope: `Credential=<access key>/<date>/<region>/quicksight/aws4_request`. */
function callerOf(request: IncomingMessage, defaultRegion: string): Caller {
  const scope = /Credential=([^/,\s]+)\/\d+\/([\w-]+)\//.exec(request.headers.authorization ?? '');
  return { accessKeyId: scope?.[1] ?? '', region: scope?.[2] ?? defaultRegion };
}
