// What passkeys leave to those who have no JavaScript: the pages say why none can be added, and log in as before.

import { button, logIn, logOut, register } from '../support/steps.ts';
import { expect, test } from '../support/test.ts';

test.use({ settings: { LATCHKEY_PROVIDERS__PASSKEY__KIND: 'passkey' } });

test('the pages go on without a passkey', async ({ mode, page }) => {
  await register(page);
  await page.goto('/account/security');
  const reason = page.locator('noscript p');
  if (mode === 'plain') {
    await expect(reason).toBeVisible();
    await expect(button(page, 'Add a passkey')).toBeHidden();
  } else {
    await expect(reason).toBeHidden();
    await expect(button(page, 'Add a passkey')).toBeVisible();
  }
  await logOut(page);
  const logInButton = page.getByRole('button', { name: 'Log in with a passkey' });
  if (mode === 'plain') await expect(logInButton).toBeHidden();
  else await expect(logInButton).toBeVisible();
  await logIn(page);
});
