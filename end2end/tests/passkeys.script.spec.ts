// Passkeys: the browser is real, the device is Chromium's own pretence of one.

import type { Page } from '@playwright/test';
import { Device } from '../support/device.ts';
import { button, expectLoggedOut, field, logOut, password, register, row } from '../support/steps.ts';
import { expect, expectAccessible, test } from '../support/test.ts';

test.use({ settings: { LATCHKEY_PROVIDERS__PASSKEY__KIND: 'passkey' } });

const logInButton = (page: Page) => page.getByRole('button', { name: 'Log in with a passkey' });

/** What the button says when it has not worked. */
const said = (page: Page) => page.locator('.passkey-said');

/** Adds a passkey under this name, with the owner at the device, who leaves it then. */
async function addPasskey(page: Page, device: Device, name: string): Promise<void> {
  await page.goto('/account/security');
  const form = page.locator('form[action="/api/add-passkey"]');
  await form.getByLabel('Name').fill(name);
  await device.setPresent(true);
  await form.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(page.getByRole('status').first()).toContainText('The passkey was added.');
  await device.setPresent(false);
}

test('a passkey is added, and logs in by the button', async ({ page }) => {
  const device = await Device.attach(page);
  await register(page);
  await addPasskey(page, device, 'My laptop');
  await expect(row(page, 'My laptop')).toContainText('On one device');
  await expect(row(page, 'My laptop')).toContainText('never');
  await expectAccessible(page);
  await logOut(page);
  await expectLoggedOut(page);
  await expect(logInButton(page)).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel('Keep me logged in on this device').check();
  await device.setPresent(true);
  await logInButton(page).focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/account');
  await device.setPresent(false);
  await page.goto('/account/security');
  await expect(row(page, 'My laptop')).toContainText('just now');
  const cookies = await page.context().cookies();
  expect(cookies.find(({ name }) => name === 'latchkey')?.expires, 'it outlives the browser').toBeGreaterThan(0);
  await logOut(page);
  await expect(logInButton(page)).toContainText('Last used');
});

test('a passkey is chosen where the e-mail is typed', async ({ page }) => {
  const device = await Device.attach(page, { isSynced: true });
  await register(page);
  await addPasskey(page, device, 'My phone');
  await expect(row(page, 'My phone')).toContainText('Synced');
  await logOut(page);
  await device.setPresent(true);
  await page.goto('/login?next=/account/sessions');
  await expect(page).toHaveURL('/account/sessions');
});

test('who says no, or has no passkey, is told so and may go on', async ({ page }) => {
  const device = await Device.attach(page);
  await register(page);
  await addPasskey(page, device, 'My laptop');
  await logOut(page);
  await device.setVerified(false);
  await device.setPresent(true);
  await logInButton(page).click();
  await expect(said(page)).toContainText('it was cancelled, or this device has no passkey');
  await expectAccessible(page);
  await device.setVerified(true);
  await logInButton(page).click();
  await expect(page).toHaveURL('/account');
});

test('a device keeps one passkey of an account', async ({ page }) => {
  const device = await Device.attach(page);
  await register(page);
  await addPasskey(page, device, 'My laptop');
  await device.setPresent(true);
  await button(page, 'Add a passkey').click();
  await expect(page.getByText('This device has a passkey for your account already.')).toBeVisible();
  expect(await device.size()).toBe(1);
  await expectAccessible(page);
});

test('a passkey is renamed and removed, and what is gone lets nobody in', async ({ page }) => {
  const device = await Device.attach(page);
  await register(page);
  await addPasskey(page, device, 'My laptop');
  await row(page, 'My laptop').locator('summary').click();
  await expectAccessible(page);
  await row(page, 'My laptop').getByLabel('Name', { exact: true }).fill('Old laptop');
  await button(page, 'Save name').click();
  await expect(page.getByRole('status').first()).toContainText('The passkey has a new name.');
  await button(page, 'Remove Old laptop').click();
  await expect(page.getByRole('status').first()).toContainText('The passkey was removed.');
  await expect(row(page, 'Old laptop')).toHaveCount(0);
  await logOut(page);
  await device.setPresent(true);
  await logInButton(page).click();
  await expect(page.getByRole('alert')).toHaveText("That passkey didn't work here. Try again, or log in another way.");
  await device.setPresent(false);
  await field(page, 'E-mail').fill('bob@example.org');
  await field(page, 'Password').fill(password);
  await button(page, 'Log in').click();
  await expect(page).toHaveURL('/account');
});

test('a browser that knows no passkeys is not offered any', async ({ page }) => {
  await page.addInitScript(() => Reflect.deleteProperty(window, 'PublicKeyCredential'));
  await page.goto('/login');
  await expect(button(page, 'Show password')).toBeVisible();
  await expect(logInButton(page)).toBeHidden();
  await register(page);
  await page.goto('/account/security');
  await expect(page.getByText('This browser knows no passkeys.')).toBeVisible();
  await expect(button(page, 'Add a passkey')).toBeHidden();
});
