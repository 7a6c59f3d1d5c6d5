// Whatever an address asks for as the place to go on: the browser lands on this site. What is foreign is told by the
// browser's own reading of addresses, and so is where each answer leads.

import type { APIRequestContext, APIResponse, Page } from '@playwright/test';
import { grace } from '../support/openid.ts';
import { foreignSpellings, ownSpellings } from '../support/spellings.ts';
import { acmeLink, ada, createAdmin, password, proveAtAcme } from '../support/steps.ts';
import { expect, test } from '../support/test.ts';

/** How many requests are under way at a time. */
const abreast = 6;

test.slow();
test.skip(({ database }) => database !== 'sqlite', 'what an address may be is decided without a database');
test.use({
  hasAcme: true,
  settings: {
    LATCHKEY_LIMITS__LOG_IN_PER_IP: 'off',
    LATCHKEY_LIMITS__LOG_IN_PER_ACCOUNT: 'off',
    LATCHKEY_LIMITS__LOG_IN_PER_ACCOUNT_ANYWHERE: 'off',
  },
});

/** The origins of these addresses as the browser reads them on the page it shows; `unreadable` where it can't. */
function originsOf(page: Page, addresses: string[]): Promise<string[]> {
  return page.evaluate(
    (addresses) => addresses.map((address) => (URL.canParse(address, location.href) ? new URL(address, location.href).origin : 'unreadable')),
    addresses,
  );
}

/** Each spelling that the browser takes for another site's address. */
async function foreignTo(page: Page): Promise<string[]> {
  const { origin } = new URL(page.url());
  const spellings = foreignSpellings(origin);
  const origins = await originsOf(page, spellings);
  return spellings.filter((_, at) => origins[at] !== origin && origins[at] !== 'unreadable');
}

/** Does it for each spelling, and answers with where each answer leads. */
async function leadsOf(spellings: string[], ask: (spelling: string) => Promise<string>): Promise<string[]> {
  const places: string[] = [];
  for (let at = 0; at < spellings.length; at += abreast) {
    places.push(...(await Promise.all(spellings.slice(at, at + abreast).map(ask))));
  }
  return places;
}

function locationOf(answer: APIResponse): string {
  expect(answer.status(), answer.url()).toBe(302);
  return answer.headers().location ?? '';
}

/** Fails where the browser would leave the site, or would get anywhere but where it starts when it asks for nothing. */
async function expectHome(page: Page, home: string, spellings: string[], places: string[]): Promise<void> {
  const { origin } = new URL(page.url());
  const origins = await originsOf(page, places);
  const left = spellings.map((spelling, at) => ({ spelling, place: places[at], origin: origins[at] }));
  expect(left.filter((one) => one.origin !== origin)).toEqual([]);
  expect(left.filter((one) => one.place !== home)).toEqual([]);
}

const plain = { maxRedirects: 0 };

/** Goes to the provider and back, which knows the person by now, and answers with where the browser is led last. */
async function roundTrip(request: APIRequestContext, start: string): Promise<string> {
  const there = locationOf(await request.get(start, plain));
  const back = await request.get(there, plain);
  expect(back.status()).toBe(303);
  return locationOf(await request.get(back.headers().location ?? '', plain));
}

test('no spelling of a foreign address is where a browser goes on', async ({ page, server }) => {
  await createAdmin(server);
  await page.goto('/login');
  await acmeLink(page, 'Log in').click();
  await proveAtAcme(page, grace);
  await expect(page).toHaveURL('/account');
  const foreign = await foreignTo(page);
  expect(foreign.length).toBeGreaterThanOrEqual(120);
  const { request } = page;
  const headers = { origin: server.url, accept: 'text/html' };

  await test.step('a form that logs in', async () => {
    const form = (next: string) => ({ email: ada.email, password, next });
    const ask = async (next: string) => locationOf(await request.post('/api/login', { ...plain, headers, form: form(next) }));
    await expectHome(page, '/dashboard/users', foreign, await leadsOf(foreign, ask));
    expect(await leadsOf(ownSpellings, ask)).toEqual(ownSpellings);
  });

  await test.step('the script of an application that logs in', async () => {
    const { csrfToken } = await (await request.get('/auth/csrf')).json();
    const form = (callbackUrl: string) => ({ email: ada.email, password, csrfToken, callbackUrl, json: 'true' });
    const ask = async (callbackUrl: string) => (await (await request.post('/auth/callback/emailpass', { form: form(callbackUrl) })).json()).url;
    await expectHome(page, `${server.url}/dashboard/users`, foreign, await leadsOf(foreign, ask));
    expect(await leadsOf(ownSpellings, ask)).toEqual(ownSpellings.map((path) => server.url + path));
  });

  await test.step('the way to the provider and back', async () => {
    const ask = async (wish: string) => {
      const value = encodeURIComponent(wish);
      return roundTrip(request, `/auth/signin/acme?next=${value}&callbackUrl=${value}`);
    };
    await expectHome(page, '/account', foreign, await leadsOf(foreign, ask));
    expect(await leadsOf(ownSpellings, ask)).toEqual(ownSpellings);
  });
});

test('no spelling of a foreign address gets into the log-in page', async ({ page }) => {
  await page.goto('/login');
  const { origin } = new URL(page.url());
  const foreign = await foreignTo(page);
  /** Every place to which the page leads or that its forms carry along, but for the links to the other ways in. */
  const placesIn = (wish: string) =>
    page.evaluate(async (wish) => {
      const html = await (await fetch(`/login?next=${encodeURIComponent(wish)}`)).text();
      const shown = new DOMParser().parseFromString(html, 'text/html');
      const values = (selector: string, name: string) => [...shown.querySelectorAll(selector)].map((one) => one.getAttribute(name) ?? '');
      const links = [...values('a[href]', 'href'), ...values('form[action]', 'action')];
      const carried = links.map((link) => new URL(link, location.href).searchParams.get('next')).filter((next) => next !== null);
      return [...links, ...carried, ...values('input[name=next]', 'value')];
    }, wish);
  for (const spelling of foreign) {
    const places = await placesIn(spelling);
    const origins = await originsOf(page, places);
    expect(origins.filter((one) => one !== origin), JSON.stringify(spelling)).toEqual([]);
  }
  for (const path of ownSpellings) expect(await placesIn(path)).toContain(path);
});
