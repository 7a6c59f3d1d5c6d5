// `/dashboard/users`: find people and manage them. The state of the list is its address.

import { expect, test } from '../support/test.ts';
import {
  ada, bob, button, disable, eve, expectLoggedOut, field, link, logIn, openUser, register, registerMany, row, setUp,
  tryToLogIn, userRows,
} from '../support/steps.ts';

const people = Array.from({ length: 30 }, (_, number) => {
  const letter = String.fromCharCode(97 + (number % 26));
  const two = String(number).padStart(2, '0');
  return { first: `${letter.toUpperCase()}${two}`, last: 'Many', email: `${letter}${two}@many.example` };
});

test('the list is searched, filtered, sorted and paged by its address', async ({ page, server }) => {
  await registerMany(server, people);
  await setUp(page, server);
  await expect(page.getByText('31 users')).toBeVisible();
  await expect(userRows(page)).toHaveCount(25);

  await link(page, 'E-mail').click();
  await expect(page).toHaveURL(/sort=email/);
  await expect(page.getByRole('columnheader', { name: 'E-mail' })).toHaveAttribute('aria-sort', 'ascending');
  await expect(userRows(page).first()).toContainText('a00@many.example');
  await page.getByRole('link', { name: 'Next' }).click();
  await expect(userRows(page)).toHaveCount(6);
  await expect(userRows(page).last()).toContainText('z25@many.example');
  await page.getByRole('link', { name: 'Previous' }).click();
  await expect(userRows(page).first()).toContainText('a00@many.example');
  await link(page, 'E-mail').click();
  await expect(userRows(page).first()).toContainText('z25@many.example');

  await page.getByRole('searchbox').fill('Y@MANY');
  await field(page, 'Role').selectOption('member');
  await page.getByRole('searchbox').press('Enter');
  await expect(page.getByText('Nothing matches')).toBeVisible();
  await page.getByRole('link', { name: 'Clear filters' }).last().click();
  await page.getByRole('searchbox').fill('25@many');
  await page.getByRole('searchbox').press('Enter');
  await expect(userRows(page)).toHaveCount(1);
  await expect(page).toHaveURL(/q=25%40many/);
  const view = page.url();

  await page.goto('/dashboard/users?role=admin');
  await expect(userRows(page)).toHaveCount(1);
  await expect(row(page, ada.email)).toBeVisible();
  await page.goto(view);
  await expect(row(page, 'z25@many.example')).toBeVisible();
});

test('somebody is turned off and on again', async ({ page, server, openBrowser }) => {
  await setUp(page, server);
  const other = await openBrowser();
  await register(other);
  await disable(page, bob);
  await page.goto('/dashboard/users?status=disabled');
  await expect(userRows(page)).toHaveCount(1);
  await expectLoggedOut(other);
  await openUser(page, bob);
  await button(page, 'Enable user').click();
  await expect(page.getByText('They can log in again.')).toBeVisible();
  await logIn(other);
});

test('an admin makes another one, who is then on a par', async ({ page, server, openBrowser, visit }) => {
  await setUp(page, server);
  const other = await openBrowser();
  await register(other);
  await visit(other, '/dashboard/users', 403);
  await openUser(page, bob);
  await field(page, 'Role').selectOption('admin');
  await button(page, 'Change role').click();
  await expect(page.getByText('The role was changed.')).toBeVisible();
  await logIn(await openBrowser());
  if ((await other.goto('/dashboard/users'))?.url().includes('/login')) await logIn(other);
  await openUser(other, ada);
  await field(other, 'Role').selectOption('member');
  await button(other, 'Change role').click();
  await expect(other.getByText('The role was changed.')).toBeVisible();
  await openUser(other, bob);
  await expect(other.getByText('This is your own account.')).toBeVisible();
  await expect(button(other, 'Change role')).toHaveCount(0);
});

test('an admin can\'t turn off, demote or delete themselves', async ({ page, server }) => {
  await setUp(page, server);
  await openUser(page, ada);
  await expect(page.getByText('This is your own account.')).toBeVisible();
  for (const name of ['Disable user…', 'Delete user…']) await expect(link(page, name)).toHaveCount(0);
  await page.goto(`${page.url()}?confirm=disable`);
  const really = button(page, 'Disable user');
  if (await really.count()) {
    await really.click();
    await expect(page.getByRole('alert')).toContainText("You can't do this to your own account.");
  }
  await page.goto('/dashboard/users');
  await expect(row(page, ada.email)).toContainText('Active');
});

test('somebody is deleted once their address is typed', async ({ page, server, openBrowser }) => {
  await setUp(page, server);
  const other = await openBrowser();
  await register(other);
  await openUser(page, bob);
  await link(page, 'Delete user…').click();
  await field(page, `Type ${bob.email} to confirm`).fill(eve.email);
  await button(page, 'Delete user').click();
  await expect(field(page, `Type ${bob.email} to confirm`)).toHaveAccessibleDescription(/Type the e-mail address/);
  await field(page, `Type ${bob.email} to confirm`).fill(bob.email);
  await button(page, 'Delete user').click();
  await expect(page.getByText('The user was deleted.')).toBeVisible();
  await expect(row(page, bob.email)).toHaveCount(0);
  await expectLoggedOut(other);
  await tryToLogIn(other, bob.email);
  await expect(other.getByRole('alert')).toHaveText("That e-mail and password don't match.");
  await register(other);
});

test('an admin ends the sessions of somebody', async ({ page, server, openBrowser }) => {
  await setUp(page, server);
  const other = await openBrowser();
  await register(other);
  await openUser(page, bob);
  await button(page, 'Log out everywhere').click();
  await expect(page.getByText('1 session was logged out.')).toBeVisible();
  await expectLoggedOut(other);
});
