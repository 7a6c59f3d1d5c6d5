// `/account`: names, password, sessions. What is ended is out at its next click.

import { expect, test } from '../support/test.ts';
import { bob, button, expectLoggedOut, field, logIn, password, register, row } from '../support/steps.ts';

const newPassword = 'another horse, another battery';

test('one changes one\'s name', async ({ page }) => {
  await register(page);
  await page.getByLabel('First name').fill('Robert');
  await page.getByLabel('Last name').fill('');
  await button(page, 'Save').click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await expect(page.getByLabel('First name')).toHaveValue('Robert');
  await expect(page.getByLabel('Last name')).toHaveValue('');
  await page.reload();
  await expect(page.getByText('Saved.')).toHaveCount(0);
  await expect(page.getByLabel('First name')).toHaveValue('Robert');
});

test('a wrong current password changes nothing', async ({ page }) => {
  await register(page);
  await page.goto('/account/security');
  await field(page, 'Current password').fill('not the password');
  await field(page, 'New password').fill(newPassword);
  await button(page, 'Change password').click();
  await expect(field(page, 'Current password')).toHaveAccessibleDescription(/not your current password/);
  await field(page, 'Current password').fill(password);
  await field(page, 'New password').fill(bob.email);
  await button(page, 'Change password').click();
  await expect(field(page, 'New password')).toHaveAccessibleDescription(/Don't use your e-mail address/);
});

test('a changed password ends every other session', async ({ page, openBrowser }) => {
  await register(page);
  const other = await openBrowser();
  await logIn(other);
  await page.goto('/account/security');
  await field(page, 'Current password').fill(password);
  await field(page, 'New password').fill(newPassword);
  await button(page, 'Change password').click();
  await expect(page.getByText('Your password was changed. 1 session was logged out.')).toBeVisible();
  await page.reload();
  await expect(page).toHaveURL('/account/security');
  await expectLoggedOut(other);
  await logIn(other, bob, newPassword);
});

test('one sees where one is logged in, and logs out one of them', async ({ page, openBrowser }) => {
  await register(page);
  const other = await openBrowser();
  await logIn(other);
  await page.goto('/account/sessions');
  await expect(row(page, 'This browser')).toHaveCount(1);
  await expect(row(page, 'Chrome on Linux')).toHaveCount(2);
  await page.getByRole('button', { name: 'Log out Chrome on Linux' }).click();
  await expect(page.getByText('That session was logged out.')).toBeVisible();
  await expect(row(page, 'Chrome on Linux')).toHaveCount(1);
  await expectLoggedOut(other);
});

test('one logs out everywhere else', async ({ page, openBrowser }) => {
  await register(page);
  const others = [await openBrowser(), await openBrowser()];
  for (const other of others) await logIn(other);
  await page.goto('/account/sessions');
  await button(page, 'Log out everywhere else').click();
  await expect(page.getByText('2 sessions were logged out.')).toBeVisible();
  await expect(button(page, 'Log out everywhere else')).toHaveCount(0);
  for (const other of others) await expectLoggedOut(other);
});
