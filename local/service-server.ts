import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Faults } from './faults';

/** A request as it came over the wire. */
export interface HttpRequest {
  readonly method: string;
  /** As sent: labels are still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
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
  /** What the call is about: of QuickSight the path labels, for RegisterUser also the user name, given or derived. */
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
  /** The operation: the members of its answer, or an ErrorAnswer thrown. */
  readonly run: () => Record<string, unknown>;
}

/** What an error answer says. */
export interface ErrorShape {
  readonly code: string;
  readonly status: number;
  readonly message?: string;
  /** What the service says about it beyond that. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** An answer other than success. */
export class ErrorAnswer extends Error implements ErrorShape {
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
    readonly members?: Readonly<Record<string, unknown>>,
  ) {
    super(message);
    this.name = code;
  }
}

/** How a service writes its answers. */
export interface Protocol {
  readonly contentType: string;
  /** How it refuses a request beyond its rate limit. */
  readonly throttling: ErrorShape;
  /** Code of an error that is its own fault. */
  readonly internalFailure: string;
  /** The status that it sends with an error code. */
  statusOf(code: string): number;
  answer(operation: string, members: Record<string, unknown>, requestId: string): Written;
  error(error: ErrorShape, requestId: string): Omit<Written, 'status'>;
}

export interface Written {
  readonly body: string;
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ServiceServerOptions {
  readonly protocol: Protocol;
  /** Never throws: a request that cannot be understood is recorded too. */
  readonly prepare: (request: HttpRequest) => Prepared;
  /** Region of callers that do not sign. */
  readonly defaultRegion: string;
  readonly faults: Faults;
  /** Says whether one more request is within the service's rate. Default: every one is. */
  readonly rateLimit?: { take(): boolean };
}

interface Answer extends Written {
  readonly status: number;
  readonly contentType: string;
  readonly error?: string;
}

/** Thrown to break the connection instead of answering. */
class ConnectionReset extends Error {}

const MAX_BODY_BYTES = 1_000_000;
const MAX_RECORDED_CALLS = 20_000;

/** A service over HTTP: requests in, answers out; what is in between counts, throttles and breaks on demand. */
export class ServiceServer {
  readonly calls: RecordedCall[] = [];
  private readonly stopping = new AbortController();
  private readonly http: Server;

  constructor(private readonly options: ServiceServerOptions) {
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
      const { status, contentType, headers, body } = await this.answer(request, requestId);
      response.writeHead(status, {
        'content-type': contentType,
        'content-length': Buffer.byteLength(body),
        'x-amzn-requestid': requestId,
        ...headers,
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
    const received = await readRequest(request, this.options.defaultRegion);
    const prepared = this.options.prepare(received);
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

  private async run(prepared: Prepared, requestId: string): Promise<Answer> {
    const { protocol, faults, rateLimit } = this.options;
    if (rateLimit && !rateLimit.take()) {
      return this.refuse({ ...protocol.throttling, message: 'Rate exceeded' }, requestId);
    }
    const fault = faults.take(prepared.operation, prepared.userName);
    if (!fault) return this.perform(prepared, requestId);
    if (fault.when !== 'after') {
      const broken = await this.strike(fault, requestId);
      return broken ?? this.perform(prepared, requestId, fault);
    }
    const proper = this.perform(prepared, requestId, fault);
    return (await this.strike(fault, requestId)) ?? proper;
  }

  /** The answer that a fault gives instead of the proper one, if it is of that kind. */
  private async strike(fault: Fault, requestId: string): Promise<Answer | undefined> {
    const { protocol } = this.options;
    switch (fault.kind) {
      case 'error': {
        const { code, status = protocol.statusOf(code), message } = fault;
        return this.refuse({ code, status, message }, requestId);
      }
      case 'throttle':
        return this.refuse(protocol.throttling, requestId);
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
      case 'hold':
        await fault.until;
        return undefined;
      case 'answer':
        return undefined;
    }
  }

  private perform({ operation, run }: Prepared, requestId: string, fault?: Fault): Answer {
    const { protocol } = this.options;
    try {
      const proper = run();
      const members = fault?.kind === 'answer' ? overlay(proper, fault.members) : proper;
      const { status = 200, ...written } = protocol.answer(operation, members, requestId);
      return { ...written, status, contentType: protocol.contentType };
    } catch (error) {
      if (error instanceof ErrorAnswer) return this.refuse(error, requestId);
      return this.refuse({ code: protocol.internalFailure, status: 500, message: String(error) }, requestId);
    }
  }

  private refuse(error: ErrorShape, requestId: string): Answer {
    const { protocol } = this.options;
    const { code, status } = error;
    return { ...protocol.error(error, requestId), status, contentType: protocol.contentType, error: code };
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
    headers: request.headers,
    body: Buffer.concat(chunks).toString('utf8'),
    caller: callerOf(request, defaultRegion),
  };
}

/** From SigV4's credential scope: `Credential=<access key>/<date>/<region>/<service>/aws4_request`. */
function callerOf(request: IncomingMessage, defaultRegion: string): Caller {
  const scope = /Credential=([^/,\s]+)\/\d+\/([\w-]+)\//.exec(request.headers.authorization ?? '');
  return { accessKeyId: scope?.[1] ?? '', region: scope?.[2] ?? defaultRegion };
}
