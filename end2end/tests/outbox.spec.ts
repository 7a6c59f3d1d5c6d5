// `/dashboard/mail`: what waits, what failed and why, and what an admin can do about it. The mail server says no where a
// test tells it to.

import { expect, expectNoBarrier, test } from '../support/test.ts';
import { linkIn } from '../support/mailbox.ts';
import { accept, ada, bob, button, eve, field, invite, link, row, setUp } from '../support/steps.ts';
import type { Locator, Page } from '@playwright/test';

test.use({ hasMail: true });

const retry = (page: Page): Locator => row(page, bob.email).getByRole('button', { name: /^Try again/ });
const copyLink = (page: Page): Locator => row(page, bob.email).getByRole('button', { name: /^Copy link/ });

/** Looks again and again until the newest mail to somebody shows this. */
async function showsAt(page: Page, address: string, text: string): Promise<void> {
  await expect(async () => {
    await page.goto('/dashboard/mail');
    await expect(row(page, address).first()).toContainText(text, { timeout: 500 });
  }).toPass({ timeout: 15_000 });
}

/** Presses Tab until something has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('the keyboard does not lead there');
}

test('a mail that is put off is found, tried again by the keyboard, and arrives', async ({ mode, page, server, mailbox }) => {
  mailbox.refuse(bob.email, 450, 'come back later');
  await setUp(page, server);
  await invite(page, [eve.email, bob.email]);
  await mailbox.take(eve.email, /invite/i);
  await link(page, 'Mail').click();
  await expect(page).toHaveURL('/dashboard/mail');
  await showsAt(page, bob.email, 'Put off');
  await expect(row(page, bob.email)).toContainText('come back later');
  await expect(page.getByText('1 waiting, 0 failed.')).toBeVisible();
  await expectNoBarrier(page, mode);

  mailbox.accept(bob.email);
  await page.getByRole('searchbox').focus();
  await page.keyboard.type('BOB@');
  await page.keyboard.press('Enter');
  await expect(row(page, eve.email)).toHaveCount(0);
  await tabTo(page, retry(page));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('status')).toContainText('tried again');
  await expect(page.getByRole('searchbox')).toHaveValue('BOB@');
  linkIn(await mailbox.take(bob.email, /invite/i));
  await showsAt(page, bob.email, 'Sent');
  await expect(retry(page)).toHaveCount(0);
  await expect(copyLink(page)).toHaveCount(0);
});

test('a failed mail says why; its link is handed on and goes on to work', async ({ mode, page, server, mailbox, openBrowser }) => {
  test.slow();
  mailbox.refuse(bob.email, 550, 'no such <b>person</b> here');
  await setUp(page, server);
  await invite(page, [bob.email], 'admin');
  await showsAt(page, bob.email, 'Failed');
  await expect(row(page, bob.email)).toContainText('no such <b>person</b> here');
  await expect(page.getByText('0 waiting, 1 failed.')).toBeVisible();
  await field(page, 'State').selectOption('failed');
  await button(page, 'Apply').click();
  await expect(page).toHaveURL(/state=failed/);
  await expect(page.locator('body')).not.toContainText('/link/');

  await copyLink(page).click();
  await expect(page).toHaveURL(/state=failed/);
  const copied = await field(page, `Link for ${bob.email}`).inputValue();
  expect(copied).toContain(`${server.url}/link/`);
  await expect(field(page, `Link for ${bob.email}`)).not.toBeEditable();
  await expectNoBarrier(page, mode);
  await page.reload();
  await expect(field(page, `Link for ${bob.email}`)).toHaveCount(0);

  await retry(page).click();
  await showsAt(page, bob.email, 'Failed');
  mailbox.accept(bob.email);
  await retry(page).click();
  expect(linkIn(await mailbox.take(bob.email, /invite/i))).toBe(copied);
  const other = await openBrowser();
  await accept(other, copied);
  await other.goto('/dashboard/mail');
  await expect(row(other, bob.email)).toContainText('Sent');
});

test('a test mail arrives, and one that was written while the mail server was away', async ({ page, server, mailbox }) => {
  await setUp(page, server);
  await page.goto('/dashboard/mail');
  await expect(page.getByText('No mails yet')).toBeVisible();
  await tabTo(page, button(page, 'Send me a test mail'));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('status')).toContainText('on its way to you');
  await mailbox.take(ada.email, /A test mail/);
  await showsAt(page, ada.email, 'Sent');

  await mailbox.close();
  await button(page, 'Send me a test mail').click();
  await showsAt(page, ada.email, 'Put off');
  await expect(page.getByText('1 waiting, 0 failed.')).toBeVisible();
  await mailbox.reopen();
  await mailbox.take(ada.email, /A test mail/);
});
