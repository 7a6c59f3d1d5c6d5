// `/register`: what is wrong is said at its field, and nothing typed is lost.

import { expect, test } from '../support/test.ts';
import { bob, button, field, fillPerson, register } from '../support/steps.ts';

test('what breaks a rule is said at its field', async ({ page }) => {
  await page.goto('/register');
  await fillPerson(page, bob);
  await field(page, 'Password').fill('7 chars');
  await button(page, 'Create account').click();
  await expect(page).toHaveURL('/register');
  await expect(field(page, 'Password')).toHaveAccessibleDescription(/at least 8 characters/);
  await expect(field(page, 'Password')).toHaveAttribute('aria-invalid', 'true');
  await expect(field(page, 'E-mail')).toHaveValue(bob.email);
  await expect(page.getByLabel('First name')).toHaveValue(bob.first);
  await expect(field(page, 'Password')).toHaveValue('');

  await field(page, 'Password').fill('password1');
  await button(page, 'Create account').click();
  await expect(field(page, 'Password')).toHaveAccessibleDescription(/among the first that others would guess/);
});

test('an address that is taken is not registered again', async ({ page, openBrowser }) => {
  await register(await openBrowser());
  await page.goto('/register');
  await fillPerson(page, { ...bob, email: 'BOB@example.org' });
  await button(page, 'Create account').click();
  await expect(page.getByRole('alert')).toContainText('No account was created.');
});

test('a name is shown as text, whatever it is', async ({ page }) => {
  await page.goto('/register');
  const first = '</title><script>document.title = "x"</script>';
  await fillPerson(page, { ...bob, first });
  await button(page, 'Create account').click();
  await expect(page).toHaveURL('/account');
  await expect(page.getByLabel('First name')).toHaveValue(first);
  await expect(page).toHaveTitle(/Profile/);
});
