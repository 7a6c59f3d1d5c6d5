// An application that stands behind the same door as Latchkey: a proxy shows its page under `/shop/` and Latchkey's under all
// other addresses of one origin. The page has the client of next-auth, unchanged, and nothing else.

import { buildSync } from 'esbuild';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';

/** What the tests use of `next-auth/react`. */
export interface NextAuth {
  getProviders(): Promise<Record<string, { id: string; name: string; type: string; signinUrl: string; callbackUrl: string }> | null>;
  getCsrfToken(): Promise<string | undefined>;
  getSession(): Promise<{ user?: { id?: string; name?: string; email?: string; image?: string | null }; expires: string } | null>;
  signIn(provider?: string, options?: Record<string, unknown>): Promise<SignInAnswer | undefined>;
  signOut(options?: Record<string, unknown>): Promise<{ url: string } | undefined>;
}

export interface SignInAnswer {
  error: string | null;
  status: number;
  ok: boolean;
  url: string | null;
}

declare global {
  var nextAuth: NextAuth;
}

/** The address of the page. */
export const basket = '/shop/basket';

const page = `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><h1>Shop</h1>
  <script src="/shop/client.js"></script></html>`;

export class Shop {
  private port = 0;
  private behind = 0;
  private readonly server = createServer((request, answer) => this.answer(request, answer));

  private constructor() {}

  static async open(): Promise<Shop> {
    const shop = new Shop();
    await new Promise<void>((ready) => shop.server.listen(0, '127.0.0.1', ready));
    const address = shop.server.address();
    if (typeof address === 'object' && address) shop.port = address.port;
    return shop;
  }

  /** Passes on to the server at this port whatever is not the shop's; answers with the origin of both. */
  standBefore(port: number): string {
    this.behind = port;
    return `http://localhost:${this.port}`;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((closed) => this.server.close(() => closed()));
  }

  private answer(asked: IncomingMessage, answer: ServerResponse): void {
    if (asked.url === '/shop/client.js') return void answer.setHeader('content-type', 'text/javascript').end(client());
    if (asked.url?.startsWith('/shop/')) return void answer.setHeader('content-type', 'text/html').end(page);
    const { method, url: path, headers } = asked;
    const passed = request({ host: '127.0.0.1', port: this.behind, method, path, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
      answered.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  }
}

let packed: string | undefined;

/** The client as an application's bundler packs it, told where Latchkey is as Next tells it. */
function client(): string {
  packed ??= buildSync({
    stdin: { contents: "export * from 'next-auth/react';", resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'nextAuth',
    banner: { js: "const process = { env: { NODE_ENV: 'production', NEXTAUTH_URL: `${location.origin}/auth` } };" },
  }).outputFiles[0]?.text;
  return packed ?? '';
}
