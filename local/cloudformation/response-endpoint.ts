import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The answer of a custom resource as it arrived. */
export interface CustomResourceAnswer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
  readonly NoEcho?: boolean;
  readonly Data?: Readonly<Record<string, unknown>>;
}

/** What ties an answer to its request. */
export interface RequestIdentity {
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
}

export interface ExpectedAnswer {
  readonly responseUrl: string;
  /** The first answer that was put; rejects with CloudFormation's reason when it cannot be accepted. */
  readonly answer: Promise<CustomResourceAnswer>;
}

const MAX_BODY_BYTES = 4096;
const MAX_PHYSICAL_ID_BYTES = 1024;

/** The pre-signed S3 URLs that custom resources answer to, with S3's and CloudFormation's rules. */
export class ResponseEndpoint {
  #server?: Server;
  #starting?: Promise<string>;
  readonly #expected = new Map<string, (body: Buffer) => void>();

  async expect(request: RequestIdentity): Promise<ExpectedAnswer> {
    const origin = await (this.#starting ??= this.#start());
    const path = `/${encodeURIComponent(`${request.StackId}|${request.LogicalResourceId}|${request.RequestId}`)}?X-Amz-Signature=${randomBytes(32).toString('hex')}`;
    const body = new Promise<Buffer>((resolve) => this.#expected.set(path, resolve));
    const answer = body.then((bytes) => accept(bytes, request));
    // A late answer may be refused when nobody waits for it any more.
    answer.catch(() => undefined);
    return { responseUrl: origin + path, answer };
  }

  async stop(): Promise<void> {
    await this.#starting;
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => (this.#server ? this.#server.close(() => resolve()) : resolve()));
  }

  #start(): Promise<string> {
    const server = createServer((request, response) => void this.#receive(request, response));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    });
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const onAnswer = this.#expected.get(request.url ?? '');
    // A content type is part of what is signed, and these URLs are signed without one.
    if (!onAnswer || request.method !== 'PUT' || request.headers['content-type']) {
      return refuse(response, 403, 'SignatureDoesNotMatch', SIGNATURE_MISMATCH);
    }
    if (request.headers['content-length'] === undefined) {
      return refuse(response, 411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
    }
    onAnswer(Buffer.concat(chunks));
    response.writeHead(200).end();
  }
}

const SIGNATURE_MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your key and signing method.';

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
}

function accept(body: Buffer, request: RequestIdentity): CustomResourceAnswer {
  if (body.length > MAX_BODY_BYTES) throw new Error('Response object is too long.');
  let answer: Record<string, unknown>;
  try {
    answer = JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    throw new Error('Invalid response object: the response is not valid JSON');
  }
  for (const name of ['StackId', 'RequestId', 'LogicalResourceId'] as const) {
    if (answer[name] !== request[name]) {
      throw new Error(`Invalid response object: Value ${String(answer[name])} at '${name}' does not match the request`);
    }
  }
  const { Status, PhysicalResourceId } = answer;
  if (Status !== 'SUCCESS' && Status !== 'FAILED') {
    throw new Error(`Invalid response object: Value ${String(Status)} at 'Status' must be SUCCESS or FAILED`);
  }
  if (Status === 'FAILED' && !answer.Reason) throw new Error('Invalid response object: Reason is required with FAILED');
  const idLength = typeof PhysicalResourceId === 'string' ? Buffer.byteLength(PhysicalResourceId) : 0;
  if (idLength === 0 || idLength > MAX_PHYSICAL_ID_BYTES) throw new Error('Invalid PhysicalResourceId');
  // CloudFormation keeps ids in ASCII.
  const ascii = String(PhysicalResourceId).replace(/[^\x00-\x7f]/gu, '?');
  return { ...(answer as unknown as CustomResourceAnswer), PhysicalResourceId: ascii };
}
