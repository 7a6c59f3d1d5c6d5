// A server for one test: the real binary on a free port, with its data in a folder that is gone afterwards.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Hook } from './hook.ts';
import type { OpenId } from './openid.ts';
import type { Shop } from './shop.ts';
import type { Database } from './test.ts';

const binary = resolve(process.env.LATCHKEY_BINARY ?? join(import.meta.dirname, '../../target/debug/latchkey'));
/** How long a start may take, in milliseconds. */
const startTime = 20_000;
/** How often a start is tried, each time on another port. */
const startTries = 3;
/** How long a stop may take before it is forced, in milliseconds. */
const stopTime = 10_000;

/** Who is around the server: where its mails go, who is told of what happens, by whom people come in, and what it guards. */
export interface Neighbours {
  mailPort?: number;
  hook?: Hook;
  acme?: OpenId;
  shop?: Shop;
  /** Settings of its own, as variables of the environment. */
  settings?: NodeJS.ProcessEnv;
}

export class Server {
  readonly url: string;
  private readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-end2end-'));
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;
  private readonly dropDatabase: () => void;
  private log = '';

  private constructor(port: number, database: Database, { mailPort, hook, acme, shop, settings }: Neighbours) {
    this.url = shop?.standBefore(port) ?? `http://localhost:${port}`;
    const { url, drop } = database === 'postgres' ? createPostgres(port) : { url: undefined, drop: () => {} };
    this.dropDatabase = drop;
    this.child = spawn(binary, ['serve'], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...foreignEnvironment(),
        LATCHKEY_SERVER__LISTEN: `127.0.0.1:${port}`,
        LATCHKEY_SERVER__PUBLIC_URL: this.url,
        LATCHKEY_PASSWORD__MEMORY_KIB: '8',
        LATCHKEY_PASSWORD__ITERATIONS: '1',
        LATCHKEY_LIMITS__REGISTER_PER_IP: 'off',
        ...(url ? { LATCHKEY_DATABASE__URL: url } : {}),
        ...(mailPort ? mailTo(mailPort) : {}),
        ...(hook ? tells(hook) : {}),
        ...(acme ? sendsTo(acme, this.url) : {}),
        ...settings,
      },
    });
    this.child.stdout?.on('data', (text) => (this.log += text));
    this.child.stderr?.on('data', (text) => (this.log += text));
    this.exited = new Promise((done) => {
      this.child.once('exit', done);
      this.child.once('error', (error) => done((this.log += `${binary}: ${error.message}`)));
    });
  }

  /** Starts a server and waits until it is ready. */
  static async start(database: Database, neighbours: Neighbours): Promise<Server> {
    for (let tries = 1; ; tries++) {
      const server = new Server(await freePort(), database, neighbours);
      try {
        await server.ready();
        return server;
      } catch (error) {
        await server.stop();
        // Somebody else may have taken the port that was free a moment ago.
        if (tries === startTries || !server.log.includes('Address already in use')) throw error;
      }
    }
  }

  /** The link that the log shows while there is no admin. */
  get setupLink(): string {
    const link = /https?:\/\/\S+\/setup\?token=[\w-]+/.exec(this.log);
    if (!link) throw new Error(`no link to /setup in the log:\n${this.log}`);
    return link[0];
  }

  /** Asks the server to stop, waits for it and removes its data. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    const forced = setTimeout(() => this.child.kill('SIGKILL'), stopTime);
    await this.exited;
    clearTimeout(forced);
    this.dropDatabase();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const end = Date.now() + startTime;
    while (Date.now() < end && this.child.exitCode === null && this.child.pid !== undefined) {
      const isReady = await fetch(`${this.url}/health/ready`).then((answer) => answer.ok, () => false);
      if (isReady) return;
      await pause(25);
    }
    throw new Error(`the server did not become ready:\n${this.log}`);
  }
}

/** The settings of a server whose mails go to this port. */
function mailTo(port: number): NodeJS.ProcessEnv {
  return {
    LATCHKEY_MAIL__TRANSPORT: 'smtp',
    LATCHKEY_MAIL__SMTP__HOST: '127.0.0.1',
    LATCHKEY_MAIL__SMTP__PORT: String(port),
    LATCHKEY_MAIL__SMTP__ENCRYPTION: 'none',
  };
}

/** The settings of a server that tells this endpoint of everything but log-ins. */
function tells(hook: Hook): NodeJS.ProcessEnv {
  return {
    LATCHKEY_WEBHOOKS__SHOP__URL: hook.url,
    LATCHKEY_WEBHOOKS__SHOP__SECRET: hook.secret,
    LATCHKEY_WEBHOOKS__SHOP__EVENTS: 'user.*, invite.*',
    LATCHKEY_WEBHOOKS__SHOP__ALLOW_PRIVATE: 'true',
  };
}

/** The settings of a server to which people come with their accounts at this provider. */
function sendsTo(acme: OpenId, url: string): NodeJS.ProcessEnv {
  acme.admit(`${url}/auth/callback/acme`);
  return {
    LATCHKEY_PROVIDERS__ACME__KIND: 'oidc',
    LATCHKEY_PROVIDERS__ACME__OPTIONS__DISPLAY_NAME: 'Acme',
    LATCHKEY_PROVIDERS__ACME__OPTIONS__ISSUER: acme.issuer,
    LATCHKEY_PROVIDERS__ACME__OPTIONS__CLIENT_ID: acme.clientId,
    LATCHKEY_PROVIDERS__ACME__OPTIONS__CLIENT_SECRET: acme.clientSecret,
  };
}

/** The environment without settings of this machine's own Latchkey, and without those of the tests. */
function foreignEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LATCHKEY_')));
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => done(port));
    });
  });
}

function createPostgres(port: number): { url: string; drop: () => void } {
  const server = process.env.LATCHKEY_TEST_POSTGRES;
  if (!server) throw new Error('LATCHKEY_TEST_POSTGRES is not set');
  const name = `latchkey_end2end_${process.pid}_${port}`;
  const run = (statement: string) => execFileSync('psql', ['-X', '-q', '-d', server, '-c', statement]);
  run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = name;
  return { url: url.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}
