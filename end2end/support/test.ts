// What every test is given: a server of its own, browsers that report what goes wrong in them, and a look at pages with
// the eyes of those who can't see them.

import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect, type BrowserContext, type Page } from '@playwright/test';
import { Hook } from './hook.ts';
import { Mailbox } from './mailbox.ts';
import { OpenId } from './openid.ts';
import { Server, type Neighbours } from './server.ts';
import { Shop } from './shop.ts';

export type Mode = 'script' | 'plain';
export type Database = 'sqlite' | 'postgres';

export interface Options {
  /** With JavaScript, or without. */
  mode: Mode;
  database: Database;
  /** Whether the server sends mails, to the mailbox of the test. */
  hasMail: boolean;
  /** Whether the server tells the endpoint of the test, `shop`, of what happens. */
  hasHook: boolean;
  /** Whether people may come in by the OpenID provider of the test, `acme`. */
  hasAcme: boolean;
  /** Whether the server stands beside the application of the test, on one origin. */
  hasShop: boolean;
  /** Further settings of the server, as variables of the environment. */
  settings: NodeJS.ProcessEnv;
}

interface Fixtures {
  mailbox: Mailbox;
  hook: Hook;
  acme: OpenId;
  shop: Shop;
  neighbours: Neighbours;
  server: Server;
  /** Opens another browser, with cookies of its own. */
  openBrowser: () => Promise<Page>;
  /** Goes to a page that must be answered with this status. */
  visit: (page: Page, path: string, status?: number) => Promise<void>;
  /** What went wrong in the browsers of this test; anything fails it. */
  problems: Problems;
}

/** Errors of scripts, of the console and of the content security policy; a status that was announced is none. */
class Problems {
  readonly found: string[] = [];
  private readonly announced = new Set<number>();

  expectStatus(status: number): void {
    this.announced.add(status);
  }

  watch(context: BrowserContext): void {
    context.on('weberror', (error) => this.found.push(`error: ${error.error().message}`));
    context.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      const status = /responded with a status of (\d+)/.exec(message.text());
      if (status && this.announced.has(Number(status[1]))) return;
      this.found.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
  }
}

export const test = base.extend<Fixtures & Options>({
  mode: ['script', { option: true }],
  database: ['sqlite', { option: true }],
  hasMail: [false, { option: true }],
  hasHook: [false, { option: true }],
  hasAcme: [false, { option: true }],
  hasShop: [false, { option: true }],
  settings: [{}, { option: true }],

  mailbox: async ({}, use) => {
    const mailbox = await Mailbox.open();
    await use(mailbox);
    await mailbox.close();
  },

  hook: async ({}, use) => {
    const hook = await Hook.open();
    await use(hook);
    await hook.close();
  },

  acme: async ({}, use) => {
    const acme = await OpenId.open();
    await use(acme);
    await acme.close();
  },

  shop: async ({}, use) => {
    const shop = await Shop.open();
    await use(shop);
    await shop.close();
  },

  neighbours: async ({ hasMail, mailbox, hasHook, hook, hasAcme, acme, hasShop, shop, settings }, use) => {
    await use({
      mailPort: hasMail ? mailbox.port : undefined,
      hook: hasHook ? hook : undefined,
      acme: hasAcme ? acme : undefined,
      shop: hasShop ? shop : undefined,
      settings,
    });
  },

  server: async ({ database, neighbours }, use) => {
    const server = await Server.start(database, neighbours);
    await use(server);
    await server.stop();
  },

  baseURL: async ({ server }, use) => use(server.url),

  problems: async ({}, use) => {
    const problems = new Problems();
    await use(problems);
    expect(problems.found, 'nothing goes wrong in the browser').toEqual([]);
  },

  context: async ({ context, problems }, use) => {
    problems.watch(context);
    await use(context);
  },

  openBrowser: async ({ browser, baseURL, mode, problems }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async () => {
      const context = await browser.newContext({ baseURL, javaScriptEnabled: mode === 'script' });
      contexts.push(context);
      problems.watch(context);
      return context.newPage();
    });
    for (const context of contexts) await context.close();
  },

  visit: async ({ problems }, use) => {
    await use(async (page, path, status = 200) => {
      if (status >= 400) problems.expectStatus(status);
      const response = await page.goto(path);
      expect(response?.status(), `the status of ${path}`).toBe(status);
    });
  },
});

export { expect };

/** Fails if axe finds a barrier on the page, in light or in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await new AxeBuilder({ page }).withTags(tags).analyze();
    const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' | ')}`);
    expect(found, `${page.url()} in ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

/** The same where a test runs in both modes: what looks for barriers is a script itself. */
export async function expectNoBarrier(page: Page, mode: Mode): Promise<void> {
  if (mode === 'script') await expectAccessible(page);
}
