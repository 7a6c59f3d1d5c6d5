// A real OpenID provider on loopback: it knows a few people, asks who of them one is and whether to go on, and tells what it
// knows of them. Its pages have no script.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import Provider, { type Adapter, type AdapterPayload, type Configuration } from 'oidc-provider';

/** Somebody whom the provider knows. */
export interface Holder {
  sub: string;
  given_name: string;
  family_name: string;
  email: string;
  email_verified: boolean;
}

export const grace: Holder = { sub: 'g-1906', given_name: 'Grace', family_name: 'Hopper', email: 'grace@example.org', email_verified: true };
/** Nobody has made sure that the address is hers. */
export const una: Holder = { sub: 'u-0', given_name: 'Una', family_name: 'Sure', email: 'una@example.org', email_verified: false };
/** Has the address of the one who is the admin in the tests. */
export const augusta: Holder = { sub: 'a-1815', given_name: 'Augusta', family_name: 'King', email: 'ada@example.org', email_verified: true };

const holders = [grace, una, augusta];
/** How long anything of it lasts, in seconds. */
const lifetime = 600;

export class OpenId {
  readonly clientId = 'latchkey';
  readonly clientSecret = randomBytes(24).toString('base64url');
  private provider?: Provider;
  private port = 0;
  private readonly server = createServer((request, answer) => {
    this.answer(request, answer).catch((error) => answer.writeHead(500).end(String(error)));
  });

  private constructor() {}

  static async open(): Promise<OpenId> {
    const openId = new OpenId();
    await new Promise<void>((ready) => openId.server.listen(0, '127.0.0.1', ready));
    const address = openId.server.address();
    if (typeof address === 'object' && address) openId.port = address.port;
    return openId;
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Takes a client in, who may have people sent back there and nowhere else. */
  admit(redirectUri: string): void {
    this.provider = new Provider(this.issuer, this.settingsFor(redirectUri));
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((closed) => this.server.close(() => closed()));
  }

  private settingsFor(redirectUri: string): Configuration {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };
    const rows = new Map<string, AdapterPayload>();
    return {
      adapter: (model) => new Table(model, rows),
      clients: [{ client_id: this.clientId, client_secret: this.clientSecret, redirect_uris: [redirectUri] }],
      pkce: { required: () => true, methods: ['S256'] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name'] },
      cookies: { keys: [randomBytes(24).toString('base64url')] },
      jwks: { keys: [key as NonNullable<Configuration['jwks']>['keys'][number]] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, { uid }) => `/asks/${uid}` },
      findAccount: (_, sub) => {
        const holder = holders.find((one) => one.sub === sub);
        return holder && { accountId: sub, claims: () => ({ ...holder }) };
      },
      renderError: (ctx, { error, error_description }) => {
        ctx.type = 'text/plain';
        ctx.body = `${error}: ${error_description}`;
      },
      ttl: { AccessToken: lifetime, AuthorizationCode: lifetime, Grant: lifetime, IdToken: lifetime, Interaction: lifetime, Session: lifetime },
    };
  }

  private async answer(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    if (!this.provider) return void answer.writeHead(503).end();
    if (!request.url?.startsWith('/asks/')) return void this.provider.callback()(request, answer);
    if (request.method === 'POST') return this.takeWord(this.provider, request, answer);
    const { prompt } = await this.provider.interactionDetails(request, answer);
    const choices = prompt.name === 'login'
      ? holders.map(({ sub, given_name }) => `<button name="sub" value="${sub}">I am ${given_name}</button>`)
      : ['<button>Allow</button>'];
    const question = prompt.name === 'login' ? 'Who are you?' : 'Tell Latchkey who you are?';
    answer.setHeader('content-type', 'text/html; charset=utf-8');
    answer.end(`<!doctype html><html lang="en"><title>Acme</title><link rel="icon" href="data:,"><h1>${question}</h1>
      <form method="post">${choices.join(' ')} <button name="cancel" value="1">Cancel</button></form></html>`);
  }

  private async takeWord(provider: Provider, request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { prompt, params, session } = await provider.interactionDetails(request, answer);
    const typed = new URLSearchParams(await text(request));
    if (typed.has('cancel')) {
      return provider.interactionFinished(request, answer, { error: 'access_denied', error_description: 'They said <b>no</b>.' });
    }
    if (prompt.name === 'login') {
      return provider.interactionFinished(request, answer, { login: { accountId: typed.get('sub') ?? '' } });
    }
    const grant = new provider.Grant({ accountId: session?.accountId, clientId: this.clientId });
    grant.addOIDCScope(String(params.scope));
    return provider.interactionFinished(request, answer, { consent: { grantId: await grant.save() } });
  }
}

/** What the provider keeps of one kind, in memory. */
class Table implements Adapter {
  constructor(private readonly model: string, private readonly rows: Map<string, AdapterPayload>) {}

  async upsert(id: string, row: AdapterPayload): Promise<void> {
    this.rows.set(`${this.model} ${id}`, row);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.rows.get(`${this.model} ${id}`);
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return [...this.rows].find(([id, row]) => id.startsWith(`${this.model} `) && row.uid === uid)?.[1];
  }

  async findByUserCode(): Promise<undefined> {}

  async consume(id: string): Promise<void> {
    const row = await this.find(id);
    if (row) row.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    this.rows.delete(`${this.model} ${id}`);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [id, row] of this.rows) if (row.grantId === grantId) this.rows.delete(id);
  }
}
