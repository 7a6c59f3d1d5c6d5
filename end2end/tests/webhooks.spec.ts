// `/dashboard/webhooks`: an admin sees what an application was told, tries it out, and sends again what it did not take.

import { expect, expectNoBarrier, test } from '../support/test.ts';
import { ada, bob, button, field, link, register, row, setUp } from '../support/steps.ts';
import type { Page } from '@playwright/test';

test.use({ hasHook: true });

/** Looks again and again until the newest delivery of this event shows this. */
async function showsAt(page: Page, event: string, text: string): Promise<void> {
  await expect(async () => {
    await page.goto('/dashboard/webhooks');
    await expect(row(page, event).first()).toContainText(text, { timeout: 500 });
  }).toPass({ timeout: 15_000 });
}

test('an application is told of a new user, and a test arrives', async ({ mode, page, server, hook }) => {
  await setUp(page, server);
  const created = await hook.take('user.created');
  expect(created.data.id).toBe(created.id);
  await link(page, 'Webhooks').click();
  await expect(page).toHaveURL('/dashboard/webhooks');
  await showsAt(page, 'user.created', 'Delivered');
  await expect(row(page, 'user.created')).toContainText('204 No Content');
  await expect(row(page, 'http://127.0.0.1')).toContainText('0 waiting, 0 failed');
  await expect(page.locator('body')).not.toContainText('s3cret-path');
  await expect(page.locator('body')).not.toContainText(hook.secret.slice(6, 20));
  await expectNoBarrier(page, mode);

  await button(page, 'Send a test to shop').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('status')).toContainText('A test is on its way');
  const test = await hook.take('webhook.test');
  expect(test.data.target).toEqual({ type: 'webhook', id: 'shop' });
  await showsAt(page, 'webhook.test', 'Delivered');
});

test('what an application did not take is found and sent again', async ({ mode, page, server, hook, openBrowser }) => {
  test.slow();
  await setUp(page, server);
  await hook.take('user.created');
  hook.status = 503;
  await register(await openBrowser(), bob);
  const first = await hook.take('user.created');
  await showsAt(page, 'user.created', 'Put off');
  // The first try again comes by itself after five seconds, the next one only after minutes.
  expect((await hook.take('user.created')).id).toBe(first.id);
  await expect(row(page, 'user.created').first()).toContainText('503 Service Unavailable');
  await button(page, 'Send a test to shop').click();
  await hook.take('webhook.test');
  await showsAt(page, 'webhook.test', 'Failed');
  await expect(page.getByText('Active, with failures')).toBeVisible();
  await expectNoBarrier(page, mode);

  await field(page, 'State').selectOption('waiting');
  await field(page, 'Endpoint').selectOption('shop');
  await button(page, 'Apply').click();
  await expect(page).toHaveURL('/dashboard/webhooks?endpoint=shop&state=waiting');
  await expect(row(page, 'webhook.test')).toHaveCount(0);
  hook.status = 200;
  await button(page, 'Try again: user.created to shop').click();
  await expect(page.getByRole('status')).toContainText('tried again');
  await expect(page).toHaveURL('/dashboard/webhooks?endpoint=shop&state=waiting');
  expect((await hook.take('user.created')).id).toBe(first.id);
  await showsAt(page, 'user.created', 'Delivered');
  await expect(page.getByRole('button', { name: /^Try again: user/ })).toHaveCount(0);
});

test('members see nothing of it', async ({ page, server, visit }) => {
  await register(page, ada);
  await visit(page, '/dashboard/webhooks', 403);
  await expect(page.locator('body')).not.toContainText('shop');
  expect(server.url).toContain('localhost');
});
