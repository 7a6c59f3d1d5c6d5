// An application that is told of what happens, and believes nobody whose signature it can't verify.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';

/** How long a webhook may take, in milliseconds. */
const patience = 15_000;

export interface Webhook {
  id: string;
  type: string;
  data: Record<string, unknown>;
}

export class Hook {
  readonly secret = `whsec_${randomBytes(32).toString('base64')}`;
  /** The status that it answers with. */
  status = 204;
  private readonly webhooks: Webhook[] = [];
  private readonly waiting = new Set<() => void>();
  private port = 0;
  private readonly server = createServer((request, answer) => {
    let body = '';
    request.on('data', (text) => (body += text));
    request.on('end', () => {
      answer.writeHead(this.isSigned(request, body) ? this.status : 401).end();
      const { type, data } = JSON.parse(body);
      this.webhooks.push({ id: String(request.headers['webhook-id']), type, data });
      for (const look of this.waiting) look();
    });
  });

  private constructor() {}

  static async open(): Promise<Hook> {
    const hook = new Hook();
    await new Promise<void>((ready) => hook.server.listen(0, '127.0.0.1', ready));
    const address = hook.server.address();
    if (typeof address === 'object' && address) hook.port = address.port;
    return hook;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks/s3cret-path`;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((closed) => this.server.close(() => closed()));
  }

  /** The oldest webhook of this type; it is taken out. */
  take(type: string): Promise<Webhook> {
    return new Promise((found, fail) => {
      const giveUp = setTimeout(() => {
        this.waiting.delete(look);
        fail(new Error(`no ${type} came in, but: ${this.webhooks.map((webhook) => webhook.type).join(', ')}`));
      }, patience);
      const look = () => {
        const at = this.webhooks.findIndex((webhook) => webhook.type === type);
        const webhook = this.webhooks[at];
        if (!webhook) return;
        this.webhooks.splice(at, 1);
        clearTimeout(giveUp);
        this.waiting.delete(look);
        found(webhook);
      };
      this.waiting.add(look);
      look();
    });
  }

  private isSigned({ headers }: IncomingMessage, body: string): boolean {
    const key = Buffer.from(this.secret.slice('whsec_'.length), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const wanted = Buffer.from(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    const given = String(headers['webhook-signature']).split(' ').map((one) => Buffer.from(one));
    const isFresh = Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 300;
    return isFresh && given.some((one) => one.length === wanted.length && timingSafeEqual(one, wanted));
  }
}
