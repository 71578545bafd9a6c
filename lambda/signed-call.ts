import * as http from 'node:http';
import * as https from 'node:https';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4, type SignatureV4Init } from '@smithy/signature-v4';
import { pause } from './execute';
import type { Patience } from './quicksight-api';

/*
 * The two services beside QuickSight that a decision can need. Each is asked one thing, seldom: their SDK clients would
 * make every cold start longer, and the signer is in the bundle already.
 */

/** One POST to a regional AWS service. */
export interface SignedCall {
  /** As in its host name and its signatures, for example `secretsmanager`. */
  readonly service: string;
  /** As in `AWS_ENDPOINT_URL_<id>`, where the SDKs look for another endpoint. */
  readonly endpointId: string;
  /** ARN of what the call is about: its partition and region are where to call. */
  readonly arn: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What an answer has in it. A page of whatever stands between is none, also with status 200. */
  readonly answer: RegExp;
  /** Default: those of the environment, where Lambda puts them. */
  readonly credentials?: SignatureV4Init['credentials'];
}

/** What a service, or the way to it, made of a call in the end. */
export class SignedCallError extends Error {
  constructor(
    readonly code: string,
    /** HTTP status; undefined when no answer came. */
    readonly status: number | undefined,
    message: string,
  ) {
    super(message);
    this.name = 'SignedCallError';
  }

  get throttled(): boolean {
    return this.status === 429 || /^(Throttling|TooManyRequests|RequestLimitExceeded|SlowDown)/.test(this.code);
  }

  /** No verdict of the service, but a fault on the way. */
  get faulty(): boolean {
    return this.status === undefined || this.status >= 500 || this.status < 400;
  }

  get denied(): boolean {
    return /^AccessDenied/.test(this.code) && !/explicit deny/i.test(this.message);
  }
}

/** How long to repeat a call, milliseconds from its first attempt, by what the latest attempt met. */
export interface Bounds {
  readonly throttled: number;
  readonly faulty: number;
  readonly denied: number;
}

/** The body of the answer. Repeats what may pass, within the bounds. */
export async function signedCall(
  call: SignedCall,
  bounds: Bounds,
  patience: Patience,
  signal: AbortSignal,
): Promise<string> {
  const started = Date.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return await send(call, AbortSignal.any([signal, AbortSignal.timeout(patience.attempt)]));
    } catch (thrown) {
      signal.throwIfAborted();
      const error = thrown instanceof SignedCallError ? thrown : asFault(thrown);
      const bound = error.throttled
        ? bounds.throttled
        : error.faulty
          ? bounds.faulty
          : error.denied
            ? bounds.denied
            : 0;
      if (Date.now() - started >= bound) throw error;
      await pause(Math.random() * Math.min(2_000, patience.backOff * 2 ** attempt), signal);
    }
  }
}

function asFault(thrown: unknown): SignedCallError {
  const { code, name, message } = thrown as NodeJS.ErrnoException;
  return new SignedCallError(code ?? name, undefined, message);
}

async function send(call: SignedCall, signal: AbortSignal): Promise<string> {
  const { service, endpointId, arn, headers, body, answer } = call;
  const [, partition = '', , region = ''] = arn.split(':');
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const endpoint =
    process.env[`AWS_ENDPOINT_URL_${endpointId}`] ||
    process.env.AWS_ENDPOINT_URL ||
    `https://${service}.${region}.${suffix}`;
  const { protocol, hostname, port, host, pathname } = new URL(endpoint);
  const credentials = call.credentials ?? {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID!,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY!,
    sessionToken: process.env.AWS_SESSION_TOKEN,
  };
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const signed = await signer.sign({
    method: 'POST',
    protocol,
    hostname,
    port: port ? Number(port) : undefined,
    path: pathname,
    headers: { host, ...headers },
    body,
  });
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: signed.headers, signal };
    const request = (protocol === 'http:' ? http : https).request(endpoint, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200 && answer.test(text)) resolve(text);
        else reject(errorIn(text, response.statusCode!));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Code and message of an error answer, in XML or JSON. */
function errorIn(body: string, status: number): SignedCallError {
  const code = /<Code>([^<]*)</.exec(body)?.[1] ?? /"__type"\s*:\s*"(?:[^"#]*#)?([^"]*)"/.exec(body)?.[1];
  const message = /<Message>([^<]*)</.exec(body)?.[1] ?? /"[mM]essage"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(body)?.[1];
  return new SignedCallError(code ?? `status ${status}`, status, message ?? '');
}
