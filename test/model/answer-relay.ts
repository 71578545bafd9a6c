import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The body of an answer to CloudFormation. */
export interface Answer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
  readonly Data?: Readonly<Record<string, string>>;
}

export interface Relayed {
  /** CloudFormation's own place for the answer. */
  readonly responseUrl: string;
  /** Whether the sender is no more: its answer does not count. */
  readonly isDead: () => boolean;
  /** How many times to lose the answer before it arrives. */
  lose: number;
  readonly onAnswer: (answer: Answer) => void;
}

/**
 * Stands between the function and CloudFormation's place for answers, with an address for every delivery of an event: that
 * tells who answered what, and how often.
 */
export class AnswerRelay {
  static async start(): Promise<AnswerRelay> {
    const relay = new AnswerRelay();
    await new Promise<void>((resolve) => relay.server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  private readonly agent = new Agent({ keepAlive: true });
  private readonly expected = new Map<string, Relayed>();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((incoming, response) => void this.receive(incoming, response));
    this.server.keepAliveTimeout = 120_000;
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** The address that the next delivery answers to. */
  open(relayed: Relayed): string {
    const path = `/${ADDRESS}/${this.expected.size}`;
    this.expected.set(path, relayed);
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  /** Forgets every address. */
  reset(): void {
    this.expected.clear();
  }

  private async receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const relayed = this.expected.get(incoming.url ?? '');
    if (!relayed || relayed.isDead()) return void response.writeHead(403).end();
    if (relayed.lose-- > 0) return void response.writeHead(503).end();
    const body = Buffer.concat(chunks);
    const status = await this.forward(relayed.responseUrl, incoming, body);
    if (status === 200) relayed.onAnswer(JSON.parse(body.toString()) as Answer);
    response.writeHead(status).end();
  }

  private forward(url: string, { method, headers }: IncomingMessage, body: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      const { connection: _, host: __, ...kept } = headers;
      const outgoing = request(url, { method, headers: kept, agent: this.agent }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

/** Part of every address; nothing that is logged may hold it. */
export const ADDRESS = 'secret-address';
