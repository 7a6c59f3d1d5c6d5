// People come in with an account that they have elsewhere: at a real OpenID provider, which asks them itself who they are.

import { augusta, grace, una } from '../support/openid.ts';
import {
  acmeLink, ada, button, cancelAtAcme, createAdmin, expectLoggedOut, field, heading, invite, logIn, logOut, password, proveAtAcme,
  row, setUp, tryToLogIn, userRows,
} from '../support/steps.ts';
import { expect, expectNoBarrier, test } from '../support/test.ts';

test.use({ hasAcme: true });

test('a newcomer registers by the provider, and logs in again with one click', async ({ mode, page, openBrowser }) => {
  await page.goto('/register');
  await acmeLink(page, 'Continue').click();
  await proveAtAcme(page, grace);
  await expect(page).toHaveURL('/account');
  await expect(page.getByLabel('First name')).toHaveValue(grace.given_name);
  await logOut(page);
  await expect(acmeLink(page, 'Log in')).toContainText('Last used');
  await expectNoBarrier(page, mode);
  await acmeLink(page, 'Log in').click();
  await expect(page).toHaveURL('/account');

  const other = await openBrowser();
  await other.goto('/account/connections');
  await expect(acmeLink(other, 'Log in')).not.toContainText('Last used');
  await acmeLink(other, 'Log in').click();
  await proveAtAcme(other, grace);
  await expect(other).toHaveURL('/account/connections');
  await expect(row(other, 'Acme')).toContainText(grace.email);
  await expect(row(other, 'Acme')).toContainText("The last way in can't be unlinked");
});

test('an account with a taken address is refused until its owner links it', async ({ mode, page, server, openBrowser }) => {
  await createAdmin(server);
  const refused = 'An account with this e-mail exists. Log in to it once to link Acme.';
  await page.goto('/login');
  await acmeLink(page, 'Log in').click();
  await proveAtAcme(page, augusta);
  await expect(page.getByRole('alert')).toHaveText(refused);
  await expect(page).toHaveURL(/\/login\?error=OAuthAccountNotLinked&/);
  await field(page, 'E-mail').fill(ada.email);
  await field(page, 'Password').fill(password);
  await button(page, 'Log in').click();
  await expect(page).toHaveURL('/account/connections');
  await button(page, 'Link with Acme').click();
  await expect(page).toHaveURL('/account/connections');
  await expect(page.getByRole('status')).toContainText('Linked. You can log in with it from now on.');
  await expect(row(page, 'Acme')).toContainText(augusta.email);
  await expectNoBarrier(page, mode);

  const other = await openBrowser();
  await other.goto('/login');
  await acmeLink(other, 'Log in').click();
  await proveAtAcme(other, augusta);
  await expect(other).toHaveURL('/dashboard/users');
  await expect(userRows(other)).toHaveCount(1);

  await button(page, 'Unlink Acme').click();
  await expect(page.getByRole('status')).toContainText('Unlinked. It lets nobody in any more.');
  await expect(row(page, 'Acme')).toHaveCount(0);
  await expectLoggedOut(other);
  await acmeLink(other, 'Log in').click();
  await expect(other.getByRole('alert')).toHaveText(refused);
});

test('an invite is accepted with an account of another address', async ({ mode, page, server, openBrowser }) => {
  await setUp(page, server);
  await invite(page, ['erin@example.org'], 'admin');
  const path = new URL((await page.locator('code').first().textContent()) ?? '').pathname;
  const other = await openBrowser();
  await other.goto(path);
  await expectNoBarrier(other, mode);
  await button(other, 'Accept with Acme').click();
  await cancelAtAcme(other);
  await expect(other).toHaveURL(path.replace('/link/', '/invite/'));
  await expect(other.getByRole('alert')).toHaveText('Acme sign-in was cancelled.');
  await button(other, 'Accept with Acme').click();
  await proveAtAcme(other, grace);
  await expect(other).toHaveURL('/account');
  await expect(other.getByRole('status')).toContainText("You're in.");
  await other.goto('/account/connections');
  await expect(row(other, 'Acme')).toContainText(grace.email);
  await other.goto('/dashboard/users');
  await expect(row(other, 'erin@example.org')).toContainText('Grace Hopper');
  await expect(userRows(other)).toHaveCount(2);
});

test('whoever turns back at the provider is told so, and nothing has changed', async ({ page, server }) => {
  await createAdmin(server);
  await page.goto('/login?next=/account/sessions');
  await acmeLink(page, 'Log in').click();
  await cancelAtAcme(page);
  await expect(page.getByRole('alert')).toHaveText('Acme sign-in was cancelled.');
  await expect(page.getByText('They said')).toHaveCount(0);
  await expectLoggedOut(page);
  await logIn(page, ada);
  await page.goto('/account/connections');
  await button(page, 'Link with Acme').click();
  await cancelAtAcme(page);
  await expect(page).toHaveURL('/account/connections');
  await expect(page.getByRole('alert')).toHaveText('You did not go on there, so nothing was changed.');
  await expect(row(page, 'Acme')).toHaveCount(0);
});

test('an admin sees what the provider tells, and what would be decided', async ({ mode, page, server, openBrowser }) => {
  await createAdmin(server);
  await tryToLogIn(page, ada.email);
  await page.goto('/dashboard/system');
  await button(page, 'Try Acme').click();
  await proveAtAcme(page, una);
  await expect(page).toHaveURL('/dashboard/system');
  await expect(heading(page, 'What Acme told')).toBeVisible();
  await expect(page.getByText(una.email, { exact: true })).toBeVisible();
  await expect(page.getByText(`An account for ${una.email} would be made, and its address would not count as confirmed`)).toBeVisible();
  await expectNoBarrier(page, mode);
  await page.goto('/dashboard/users');
  await expect(userRows(page)).toHaveCount(1);

  const other = await openBrowser();
  await other.goto('/login');
  await acmeLink(other, 'Log in').click();
  await proveAtAcme(other, una);
  await expect(other).toHaveURL('/account');
  await page.goto('/dashboard/system');
  await button(page, 'Try Acme').click();
  await expect(page.getByText(`You would be logged in as ${una.email}`)).toBeVisible();
});
