// Pictures of every page: for a phone and a desk, in light and in dark.

import { test } from '../support/test.ts';
import {
  acmeLink, ada, bob, button, cancelAtAcme, createAdmin, disable, eve, field, invite, logIn, menu, openUser, proveAtAcme, register, registerMany,
  setUp, tryToLogIn,
} from '../support/steps.ts';
import { Device } from '../support/device.ts';
import { linkIn } from '../support/mailbox.ts';
import { grace, una } from '../support/openid.ts';
import type { Page } from '@playwright/test';

const widths = [390, 1280];

async function shoot(page: Page, name: string): Promise<void> {
  for (const width of widths) {
    await page.setViewportSize({ width, height: width < 600 ? 844 : 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.screenshot({ path: `screenshots/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
}

test('the pages of visitors', async ({ page, server, visit }) => {
  for (const [name, path] of [['login', '/login'], ['register', '/register'], ['setup', server.setupLink], ['docs-api', '/docs/api']] as const) {
    await visit(page, path);
    await shoot(page, name);
  }
  await visit(page, '/nothing-here', 404);
  await shoot(page, 'not-found');
  await tryToLogIn(page, 'nobody@example.org');
  await shoot(page, 'login-refused');
  await page.goto('/register');
  await field(page, 'E-mail').fill(bob.email);
  await field(page, 'Password').fill('short');
  await button(page, 'Create account').click();
  await shoot(page, 'register-refused');
});

test('the pages of an account', async ({ page, openBrowser, visit }) => {
  await register(page);
  await logIn(await openBrowser());
  for (const [name, path] of [
    ['account', '/account'],
    ['security', '/account/security'],
    ['sessions', '/account/sessions'],
    ['login-again', '/login'],
  ] as const) {
    await page.goto(path);
    await shoot(page, name);
  }
  await page.goto('/account');
  await menu(page).click();
  await shoot(page, 'menu');
  await visit(page, '/dashboard/users', 403);
  await shoot(page, 'forbidden');
});

test('the pages of invites', async ({ page, server, openBrowser, visit }) => {
  await setUp(page, server);
  await page.goto('/dashboard/invites');
  await shoot(page, 'invites-none');
  await page.goto('/dashboard/invites/new');
  await shoot(page, 'invites-new');
  await page.getByLabel('E-mail addresses').fill(`Bob Noyce <bob@example.org>\n${ada.email}\nno address\neve@example.org,Eve`);
  await page.getByLabel('Note').fill('See you on Monday.\nBring a pen.');
  await button(page, 'Preview').click();
  await shoot(page, 'invites-preview');
  await button(page, 'Send 2 invites').click();
  await shoot(page, 'invites-result');
  const path = new URL((await page.locator('code').first().textContent()) ?? '').pathname;
  const other = await openBrowser();
  await other.goto(path);
  await shoot(other, 'invite');
  await page.goto(path);
  await shoot(page, 'invite-wrong-account');
  await page.goto('/dashboard/invites');
  await shoot(page, 'invites');
  await page.getByRole('link', { name: bob.email }).click();
  await button(page, 'Copy link').click();
  await shoot(page, 'invite-link');
  await page.goto(`${page.url()}?confirm=revoke`);
  await shoot(page, 'invite-revoke');
  await button(page, 'Revoke invite').click();
  await visit(other, path, 410);
  await shoot(other, 'invite-revoked');
});

test('the pages of the dashboard', async ({ page, server, openBrowser }) => {
  const names = ['Grace Hopper', 'Alan Turing', 'Radia Perlman', 'Ken Thompson', 'Barbara Liskov', 'Edsger Dijkstra', 'Margaret Hamilton'];
  const many = Array.from({ length: 35 }, (_, number) => {
    const [first = '', last = ''] = (names[number % names.length] ?? '').split(' ');
    return { first, last, email: `${first}.${last}.${number}@example.org`.toLowerCase() };
  });
  await registerMany(server, many);
  await setUp(page, server);
  await register(await openBrowser(), bob);
  await register(await openBrowser(), eve);
  await disable(page, eve);
  await page.goto('/dashboard/users');
  await shoot(page, 'users');
  await page.goto('/dashboard/users?q=nobody-at-all');
  await shoot(page, 'users-none');
  await openUser(page, ada);
  await shoot(page, 'user-self');
  await openUser(page, bob);
  await shoot(page, 'user');
  for (const question of ['disable', 'delete']) {
    await page.goto(`${page.url().split('?')[0]}?confirm=${question}`);
    await shoot(page, `user-${question}`);
  }
});

test.describe('beside an application', () => {
  test.use({ hasHook: true });

  test('the page of webhooks', async ({ page, server, openBrowser, hook }) => {
    await setUp(page, server);
    await hook.take('user.created');
    hook.status = 503;
    await register(await openBrowser(), bob);
    await hook.take('user.created');
    await page.goto('/dashboard/webhooks');
    await button(page, 'Send a test to shop').click();
    await hook.take('webhook.test');
    hook.status = 204;
    await disable(page, bob);
    await hook.take('user.disabled');
    await page.goto('/dashboard/webhooks');
    await button(page, 'Send a test to shop').click();
    await hook.take('webhook.test');
    await page.goto('/dashboard/webhooks');
    await shoot(page, 'webhooks');
    await page.goto('/dashboard/webhooks?state=failed&endpoint=shop');
    await shoot(page, 'webhooks-failed');
  });
});

test('the page of webhooks where there is none', async ({ page, server }) => {
  await setUp(page, server);
  await page.goto('/dashboard/webhooks');
  await shoot(page, 'webhooks-none');
});

test.describe('with accounts that people have elsewhere', () => {
  const settings: NodeJS.ProcessEnv = {};
  for (const kind of ['GOOGLE', 'GITHUB']) {
    settings[`LATCHKEY_PROVIDERS__${kind}__OPTIONS__CLIENT_ID`] = 'latchkey';
    settings[`LATCHKEY_PROVIDERS__${kind}__OPTIONS__CLIENT_SECRET`] = 'latchkey';
  }
  test.use({ hasAcme: true, settings });

  test('the pages of people who come in', async ({ page, server, openBrowser }) => {
    await createAdmin(server);
    await page.goto('/login');
    await shoot(page, 'login-providers');
    await acmeLink(page, 'Log in').click();
    await cancelAtAcme(page);
    await shoot(page, 'login-providers-cancelled');
    await page.goto('/register');
    await shoot(page, 'register-providers');
    await acmeLink(page, 'Continue').click();
    await proveAtAcme(page, grace);
    await page.goto('/account/connections');
    await shoot(page, 'connections-last');
    await page.goto('/login?use=another');
    await shoot(page, 'login-providers-last-used');
    const other = await openBrowser();
    await logIn(other, ada);
    await other.goto('/account/connections');
    await shoot(other, 'connections');
    await invite(other, ['erin@example.org']);
    const path = new URL((await other.locator('code').first().textContent()) ?? '').pathname;
    const invited = await openBrowser();
    await invited.goto(path);
    await shoot(invited, 'invite-providers');
    await other.goto('/account/connections');
    await button(other, 'Link with Acme').click();
    await proveAtAcme(other, una);
    await shoot(other, 'connections-linked');
  });

  test('the page of the system', async ({ page, server }) => {
    await createAdmin(server);
    await logIn(page, ada);
    await page.goto('/dashboard/system');
    await shoot(page, 'system');
    await button(page, 'Try Acme').click();
    await proveAtAcme(page, una);
    await shoot(page, 'system-rehearsal');
  });

  test('the page on the way', async ({ page, server, browser }) => {
    await createAdmin(server);
    await logIn(page, ada);
    // The page goes on by itself, but not where there is nowhere to go.
    const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false, storageState: await page.context().storageState() });
    const away = await context.newPage();
    await away.goto('/account/connections');
    await away.route(/127\.0\.0\.1.*\/auth\?/, (route) => route.fulfill({ status: 204 }));
    await button(away, 'Link with Acme').click({ noWaitAfter: true });
    await away.waitForURL('/login/away');
    await shoot(away, 'away');
    await context.close();
  });
});

test.describe('with passkeys', () => {
  test.use({ settings: { LATCHKEY_PROVIDERS__PASSKEY__KIND: 'passkey' } });

  test('the pages of passkeys', async ({ page }) => {
    const device = await Device.attach(page);
    await register(page);
    for (const name of ['Chrome on Linux', 'My phone, which I carry everywhere']) {
      await page.goto('/account/security');
      if (name !== 'Chrome on Linux') await device.forget();
      await page.locator('#passkey-name').fill(name);
      await device.setPresent(true);
      await button(page, 'Add a passkey').click();
      await page.getByText('The passkey was added.').waitFor();
    }
    await device.setPresent(false);
    await page.locator('.passkey-rename > summary').first().click();
    await shoot(page, 'security-passkeys');
    await page.context().clearCookies();
    await page.goto('/login');
    await page.getByRole('button', { name: 'Log in with a passkey' }).waitFor();
    await shoot(page, 'login-passkey');
  });
});

test.describe('with mailed links and codes', () => {
  test.use({ hasMail: true, settings: { LATCHKEY_PROVIDERS__LINK__KIND: 'email-link', LATCHKEY_PROVIDERS__CODE__KIND: 'email-code' } });

  test('the pages of people who come in by mail', async ({ page, mailbox }) => {
    await page.goto('/login');
    await shoot(page, 'login-by-mail');
    await page.goto('/register');
    await shoot(page, 'register-by-mail');
    await page.goto('/login?with=link');
    await shoot(page, 'by-mail-ask');
    await field(page, 'E-mail').fill('bob..b@example.org');
    await button(page, 'Mail me a link').click();
    await shoot(page, 'by-mail-refused');
    await field(page, 'E-mail').fill(bob.email);
    await button(page, 'Mail me a link').click();
    await shoot(page, 'by-mail-waiting');
    await page.goto(linkIn(await mailbox.take(bob.email, /link to log in/)));
    await shoot(page, 'by-mail-link');
    await button(page, 'Log in').click();
    await page.goto('/account/connections');
    await shoot(page, 'by-mail-connections');
    await page.goto('/login?use=another&with=code');
    await field(page, 'E-mail').fill(bob.email);
    await button(page, 'Mail me a code').click();
    await field(page, 'Code').fill('0000-0000');
    await button(page, 'Continue').click();
    await shoot(page, 'by-mail-wrong-code');
    const mail = await mailbox.take(bob.email, /code to log in/);
    // Away from the site, whose policy is none of a mail's.
    await page.goto('about:blank');
    await page.setContent(mail.html);
    await shoot(page, 'by-mail-letter');
  });
});
