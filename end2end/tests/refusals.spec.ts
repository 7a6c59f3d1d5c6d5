// Pages for what is refused: each with its status, in words, with a way on.

import { expect, expectAccessible, test } from '../support/test.ts';
import { register } from '../support/steps.ts';

test('an unknown address is a page with status 404', async ({ page, visit }) => {
  await visit(page, '/nothing-here', 404);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.getByRole('link', { name: 'Continue' }).click();
  await expect(page).toHaveURL('/login');
});

test('a slash too many leads to the page', async ({ page }) => {
  await page.goto('/login/');
  await expect(page).toHaveURL('/login');
});

test('who is logged in without the right sees a page with status 403', async ({ page, visit, mode }) => {
  await register(page);
  for (const path of ['/dashboard/users', '/dashboard/users/00000000-0000-7000-8000-000000000000']) {
    await visit(page, path, 403);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  }
  if (mode === 'script') await expectAccessible(page);
});

test('who is not logged in is sent to the log-in', async ({ page }) => {
  await page.goto('/dashboard/users?q=a%20b');
  await expect(page).toHaveURL(/\/login\?next=/);
});
