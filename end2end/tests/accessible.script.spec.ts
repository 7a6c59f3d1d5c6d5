// Every page, seen by axe in light and in dark. The pages are the same without JavaScript, but for the islands.

import { expect, expectAccessible, test } from '../support/test.ts';
import { ada, bob, button, field, logIn, menu, openUser, register, registerMany, setUp, tryToLogIn } from '../support/steps.ts';

// axe takes its time, and looks at each page twice.
test.describe.configure({ timeout: 180_000 });

test('the pages of visitors', async ({ page, server, visit }) => {
  for (const path of ['/login', '/register', '/forgot-password', '/reset-password', '/link', '/docs/api', server.setupLink]) {
    await visit(page, path);
    await expectAccessible(page);
  }
  await visit(page, '/nothing-here', 404);
  await expectAccessible(page);
  await tryToLogIn(page, 'nobody@example.org');
  await expect(page.getByRole('alert')).toBeVisible();
  await expectAccessible(page);
  await page.goto('/register');
  await field(page, 'E-mail').fill(bob.email);
  await field(page, 'Password').fill('short');
  await expectAccessible(page);
  await button(page, 'Create account').click();
  await expect(field(page, 'Password')).toHaveAttribute('aria-invalid', 'true');
  await expectAccessible(page);
});

test('the pages of an account', async ({ page, openBrowser }) => {
  await register(page);
  await logIn(await openBrowser());
  for (const path of ['/account', '/account/security', '/account/sessions', '/login']) {
    await page.goto(path);
    await expectAccessible(page);
  }
  await page.goto('/account');
  await menu(page).click();
  await expectAccessible(page);
});

test('the pages of the dashboard', async ({ page, server, openBrowser }) => {
  const many = Array.from({ length: 26 }, (_, number) => ({ first: 'Nn', last: `N${number}`, email: `n${number}@example.org` }));
  await registerMany(server, many);
  await setUp(page, server);
  await register(await openBrowser());
  for (const query of ['', '?sort=-email', '?q=bob', '?q=nobody-at-all']) {
    await page.goto(`/dashboard/users${query}`);
    await expectAccessible(page);
  }
  for (const person of [ada, bob]) {
    await openUser(page, person);
    await expectAccessible(page);
  }
  for (const path of ['/dashboard/audit', '/dashboard/audit?q=nobody', '/dashboard/mail', '/dashboard/webhooks']) {
    await page.goto(path);
    await expectAccessible(page);
  }
  await openUser(page, bob);
  const user = page.url();
  for (const question of ['disable', 'delete']) {
    await page.goto(`${user}?confirm=${question}`);
    await expectAccessible(page);
  }
});
