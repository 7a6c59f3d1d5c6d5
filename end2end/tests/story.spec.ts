// The whole of it in one go: from an empty server to an admin who has turned somebody off.

import { expect, test } from '../support/test.ts';
import { ada, bob, button, expectLoggedOut, field, link, openUser, register, row, setUp, tryToLogIn } from '../support/steps.ts';

test('an admin sees who registered, and turns one off', async ({ page, server, openBrowser }) => {
  await setUp(page, server);
  const other = await openBrowser();
  await register(other);

  await page.goto('/dashboard/users');
  await expect(row(page, ada.email)).toContainText('Admin');
  await expect(row(page, bob.email)).toContainText('Member');

  await page.getByRole('searchbox').fill('noyc');
  await page.getByRole('searchbox').press('Enter');
  await expect(page).toHaveURL(/q=noyc/);
  await expect(row(page, bob.email)).toBeVisible();
  await expect(row(page, ada.email)).toHaveCount(0);

  await openUser(page, bob);
  await link(page, 'Disable user…').click();
  await expect(page.getByText('Their open session ends at once.')).toBeVisible();
  await button(page, 'Disable user').click();
  await expect(page.getByText('1 session was logged out.')).toBeVisible();

  await expectLoggedOut(other);
  await tryToLogIn(other, bob.email);
  await expect(other.getByText('This account is turned off.')).toBeVisible();
  await expect(field(other, 'E-mail')).toHaveValue(bob.email);
});
