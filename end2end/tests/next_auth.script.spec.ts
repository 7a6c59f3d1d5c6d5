// The client of next-auth 4, as it comes from npm, on a page beside Latchkey's: each of its calls does what it does with the
// server that it was written for.

import type { Page } from '@playwright/test';
import { linkIn } from '../support/mailbox.ts';
import { augusta, grace } from '../support/openid.ts';
import { basket } from '../support/shop.ts';
import { acmeLink, ada, bob, button, createAdmin, field, heading, password, proveAtAcme } from '../support/steps.ts';
import { expect, test } from '../support/test.ts';

test.use({ hasAcme: true, hasShop: true });

const getSession = (page: Page) => page.evaluate(() => nextAuth.getSession());

test('getProviders, getCsrfToken and getSession tell what there is', async ({ page, server }) => {
  await page.goto(basket);
  const providers = await page.evaluate(() => nextAuth.getProviders());
  const at = (what: string, id: string) => `${server.url}/auth/${what}/${id}`;
  expect(providers).toEqual({
    acme: { id: 'acme', name: 'Acme', type: 'oauth', signinUrl: at('signin', 'acme'), callbackUrl: at('callback', 'acme') },
    emailpass: expect.objectContaining({ id: 'emailpass', type: 'credentials', callbackUrl: at('callback', 'emailpass') }),
  });
  const word = await page.evaluate(() => nextAuth.getCsrfToken());
  expect(word).toMatch(/^[\w-]{20,}$/);
  expect(await page.evaluate(() => nextAuth.getCsrfToken()), 'the word stays').toBe(word);
  expect(await getSession(page)).toBeNull();
});

test('signIn and signOut by e-mail and password, with and without a redirect', async ({ page, server }) => {
  await createAdmin(server);
  await page.goto(basket);
  const signIn = (typed: string) =>
    page.evaluate(([email, password]) => nextAuth.signIn('emailpass', { email, password, redirect: false }), [ada.email, typed]);
  expect(await signIn('not the password')).toEqual({ error: 'CredentialsSignin', status: 200, ok: true, url: null });
  expect(await getSession(page)).toBeNull();
  expect(await signIn(password)).toEqual({ error: null, status: 200, ok: true, url: server.url + basket });
  const session = await getSession(page);
  expect(session?.user).toMatchObject({ name: 'Ada Lovelace', email: ada.email, image: null });
  expect(new Date(session?.expires ?? 0).getTime()).toBeGreaterThan(Date.now());
  const left = await page.evaluate(() => nextAuth.signOut({ redirect: false, callbackUrl: '/login' }));
  expect(left).toEqual({ url: `${server.url}/login` });
  expect(await getSession(page)).toBeNull();

  const credentials = { email: ada.email, password, callbackUrl: '/account/sessions' };
  await page.evaluate((credentials) => void nextAuth.signIn('emailpass', credentials), credentials);
  await expect(page).toHaveURL('/account/sessions');
  await page.goto(basket);
  await Promise.all([page.waitForEvent('load'), page.evaluate(() => void nextAuth.signOut())]);
  await expect(page).toHaveURL(basket);
  expect(await getSession(page)).toBeNull();
});

test('signIn by the provider goes there and comes back to the application', async ({ page, server }) => {
  await createAdmin(server);
  await page.goto(`${basket}?item=7`);
  await page.evaluate(() => void nextAuth.signIn('acme'));
  await proveAtAcme(page, grace);
  await expect(page).toHaveURL(`${basket}?item=7`);
  await expect(heading(page, 'Shop')).toBeVisible();
  expect((await getSession(page))?.user).toMatchObject({ name: 'Grace Hopper', email: grace.email });
  await page.evaluate(() => void nextAuth.signOut({ callbackUrl: '/login' }));
  await expect(page).toHaveURL('/login');
  await expect(acmeLink(page, 'Log in')).toContainText('Last used');
});

test('signIn without a provider leads to the log-in page, and from there back', async ({ page, server, openBrowser }) => {
  await createAdmin(server);
  await page.goto(basket);
  await page.evaluate(() => void nextAuth.signIn());
  await expect(page).toHaveURL(`/login?next=${basket}`);
  await field(page, 'E-mail').fill(ada.email);
  await field(page, 'Password').fill(password);
  await button(page, 'Log in').click();
  await expect(page).toHaveURL(basket);
  expect((await getSession(page))?.user?.email).toBe(ada.email);

  const other = await openBrowser();
  await other.goto(basket);
  await other.evaluate(() => void nextAuth.signIn('acme'));
  await proveAtAcme(other, augusta);
  await expect(other).toHaveURL(/\/login\?error=OAuthAccountNotLinked&/);
  await expect(other.getByRole('alert')).toContainText('An account with this e-mail exists.');
});

test.describe('with mailed links', () => {
  test.use({ hasMail: true, settings: { LATCHKEY_PROVIDERS__LINK__KIND: 'email-link' } });

  test('signIn by a mailed link waits, and the link leads back to the application', async ({ page, server, mailbox }) => {
    await page.goto(basket);
    expect((await page.evaluate(() => nextAuth.getProviders()))?.link).toMatchObject({ type: 'email' });
    const asked = await page.evaluate((email) => nextAuth.signIn('link', { email, redirect: false }), bob.email);
    expect(asked).toEqual({ error: null, status: 200, ok: true, url: `${server.url}/link` });
    expect(await getSession(page)).toBeNull();
    await page.goto(linkIn(await mailbox.take(bob.email, /Your link to log in/)));
    await button(page, 'Log in').click();
    await expect(page).toHaveURL(basket);
    expect((await getSession(page))?.user?.email).toBe(bob.email);
    await page.evaluate(() => nextAuth.signOut({ redirect: false }));

    await page.goto(basket);
    await page.evaluate((email) => void nextAuth.signIn('link', { email }), ada.email);
    await expect(heading(page, 'Check your e-mail')).toBeVisible();
    await expect(page.locator('body')).toContainText(ada.email);
  });
});
