// `/login`: wrong words stay polite, the keyboard is enough, and one comes back to where one was.

import { expect, test } from '../support/test.ts';
import { bob, button, expectLoggedOut, field, heading, logIn, logOut, password, register, tryToLogIn } from '../support/steps.ts';

test('a wrong password is said, and the e-mail stays', async ({ page, openBrowser }) => {
  await register(await openBrowser());
  await tryToLogIn(page, bob.email, 'not the password');
  await expect(page.getByRole('alert')).toHaveText("That e-mail and password don't match.");
  await expect(page).toHaveURL('/login');
  await expect(page).toHaveTitle(/didn't work/);
  await expect(field(page, 'E-mail')).toHaveValue(bob.email);
  await expect(field(page, 'Password')).toHaveValue('');
  const wrong = await page.getByRole('alert').textContent();

  await tryToLogIn(page, 'nobody@example.org', 'not the password');
  await expect(page.getByRole('alert')).toHaveText(wrong ?? '');
  await page.reload();
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('the keyboard is enough', async ({ page, openBrowser }) => {
  await register(await openBrowser());
  await page.goto('/login');
  await expect(field(page, 'E-mail')).toBeFocused();
  await page.keyboard.type(bob.email);
  await page.keyboard.press('Tab');
  await expect(field(page, 'Password')).toBeFocused();
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/account');
  await page.waitForLoadState();
  const skip = page.getByRole('link', { name: 'Skip to content' });
  await page.keyboard.press('Tab');
  await expect(skip).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/account#content');
  // A browser moves on a frame after it has changed the address.
  await expect(skip).not.toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('First name')).toBeFocused();
});

test('one comes back to the page that asked', async ({ page, openBrowser }) => {
  await register(await openBrowser());
  await page.goto('/account/sessions');
  await expect(page).toHaveURL('/login?next=/account/sessions');
  await field(page, 'E-mail').fill(bob.email);
  await field(page, 'Password').fill('not the password');
  await button(page, 'Log in').click();
  await expect(page.getByRole('alert')).toBeVisible();
  await field(page, 'Password').fill(password);
  await button(page, 'Log in').click();
  await expect(page).toHaveURL('/account/sessions');
});

test('who is logged in is asked whether to go on', async ({ page }) => {
  await register(page);
  await page.goto('/login');
  await expect(page.getByText("You're logged in as bob@example.org.")).toBeVisible();
  await page.getByRole('link', { name: 'Continue' }).click();
  await expect(page).toHaveURL('/account');
});

test('logging out ends it, and going back shows nothing', async ({ page }) => {
  await register(page);
  await logOut(page);
  await expect(page.getByText('You are logged out.')).toBeVisible();
  await expectLoggedOut(page);
  await logIn(page);
  await expect(heading(page, 'Profile')).toBeVisible();
});
