// The islands: what JavaScript adds, and that pages without one load none of it.

import { expect, test } from '../support/test.ts';
import { bob, button, field, password, register } from '../support/steps.ts';

test('a password can be shown, and is hidden again before it is sent', async ({ page }) => {
  await page.goto('/login');
  const show = button(page, 'Show password');
  await expect(show).toHaveAttribute('aria-pressed', 'false');
  await field(page, 'Password').fill(password);
  await show.click();
  await expect(show).toHaveAttribute('aria-pressed', 'true');
  await expect(field(page, 'Password')).toHaveAttribute('type', 'text');
  await show.click();
  await expect(field(page, 'Password')).toHaveAttribute('type', 'password');
});

test('a new password is judged while it is typed', async ({ page }) => {
  await page.goto('/register');
  await expect(button(page, 'Show password')).toBeVisible();
  await field(page, 'E-mail').fill(bob.email);
  for (const [typed, words] of [
    ['short', /at least 8 characters/],
    [bob.email, /Not your e-mail address/],
    [password, /Long enough/],
  ] as const) {
    await field(page, 'Password').fill(typed);
    await expect(field(page, 'Password')).toHaveAccessibleDescription(words);
  }
});

test('only pages with an island load WebAssembly', async ({ page }) => {
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
  await page.goto('/login', { waitUntil: 'networkidle' });
  expect(loaded.filter((path) => path.endsWith('.wasm'))).toHaveLength(1);
  await register(page);
  loaded.length = 0;
  await page.goto('/account/sessions', { waitUntil: 'networkidle' });
  expect(loaded.filter((path) => /\.(wasm|js)$/.test(path))).toEqual([]);
});
