// People log in by what is mailed to them, with a real mail server: a link, or a code that is typed where it was asked for.

import { codeIn, linkIn } from '../support/mailbox.ts';
import { bob, button, eve, expectLoggedOut, field, heading, link, logOut, row } from '../support/steps.ts';
import { expect, expectNoBarrier, test } from '../support/test.ts';
import type { Page } from '@playwright/test';

test.use({ hasMail: true, settings: { LATCHKEY_PROVIDERS__LINK__KIND: 'email-link', LATCHKEY_PROVIDERS__CODE__KIND: 'email-code' } });

async function ask(page: Page, way: 'link' | 'code', email = bob.email): Promise<void> {
  await page.getByRole('link', { name: `Continue with a mailed ${way}` }).click();
  await expect(heading(page, `Log in with a mailed ${way}`)).toBeVisible();
  await field(page, 'E-mail').fill(email);
  await button(page, `Mail me a ${way}`).click();
  await expect(heading(page, 'Check your e-mail')).toBeVisible();
  await expect(page.locator('body')).toContainText(email);
}

test('a newcomer is in by the link, and comes back by it', async ({ mode, page, mailbox, openBrowser }) => {
  await page.goto('/register');
  await ask(page, 'link');
  await expectNoBarrier(page, mode);
  const url = linkIn(await mailbox.take(bob.email, /Your link to log in/));
  for (const method of ['GET', 'HEAD', 'GET']) expect((await fetch(url, { method })).status).toBe(200);
  const phone = await openBrowser();
  await phone.goto(url);
  await expect(phone.getByText('This logs you in as')).toContainText(bob.email);
  await expectNoBarrier(phone, mode);
  await button(phone, 'Log in').click();
  await expect(phone).toHaveURL('/account');
  await expectLoggedOut(page);
  await phone.goto('/account/connections');
  await expect(row(phone, 'a mailed link')).toContainText(bob.email);
  await expectNoBarrier(phone, mode);
  await phone.goto(url);
  await expect(heading(phone, 'This link was used')).toBeVisible();

  await phone.goto('/account');
  await logOut(phone);
  await expect(phone.getByRole('link', { name: 'Continue with a mailed link' })).toContainText('Last used');
  await ask(phone, 'link');
  await phone.goto(linkIn(await mailbox.take(bob.email, /Your link to log in/)));
  await button(phone, 'Log in').click();
  await expect(phone).toHaveURL('/account');
});

test('a code is typed where it was asked for, and leads where one wanted to go', async ({ mode, page, mailbox, openBrowser }) => {
  await page.goto('/account/sessions');
  await expect(page).toHaveURL('/login?next=/account/sessions');
  await ask(page, 'code');
  const mail = await mailbox.take(bob.email, /Your code to log in/);
  expect(mail.text).not.toContain('/link/');
  const code = codeIn(mail);
  const other = await openBrowser();
  await other.goto('/link');
  await field(other, 'E-mail').fill(bob.email);
  await field(other, 'Code').fill(code);
  await button(other, 'Continue').click();
  await expect(field(other, 'Code')).toHaveAccessibleDescription(/not right/);

  await field(page, 'Code').fill('0000-0000');
  await button(page, 'Continue').click();
  await expect(field(page, 'Code')).toHaveAccessibleDescription(/not right/);
  await expectNoBarrier(page, mode);
  await field(page, 'Code').fill(` ${code.toLowerCase().replace('-', ' ')} `);
  await button(page, 'Continue').click();
  await expect(page).toHaveURL('/account/sessions');
});

test('what is no address is said at its field', async ({ mode, page }) => {
  await page.goto('/login');
  await page.getByRole('link', { name: 'Continue with a mailed link' }).click();
  await field(page, 'E-mail').fill('bob..b@example.org');
  await button(page, 'Mail me a link').click();
  await expect(field(page, 'E-mail')).toHaveAccessibleDescription(/not an e-mail address/);
  await expect(field(page, 'E-mail')).toHaveValue('bob..b@example.org');
  await expectNoBarrier(page, mode);
});

test('who did not ask for a link ends it', async ({ page, mailbox, openBrowser }) => {
  await page.goto('/login');
  await ask(page, 'link', eve.email);
  const url = linkIn(await mailbox.take(eve.email, /Your link to log in/));
  const owner = await openBrowser();
  await owner.goto(url);
  await button(owner, "I didn't ask for this").click();
  await expect(owner.getByRole('status')).toContainText('no longer works');
  await owner.goto(url);
  await expect(heading(owner, 'This link no longer works')).toBeVisible();
  await link(page, 'Type it again').click();
  await expect(heading(page, 'Log in with a mailed link')).toBeVisible();
});

test('who waits is told how long, and then has a button to ask again', async ({ mode, page, mailbox }) => {
  if (mode === 'script') await page.clock.install();
  await page.goto('/login');
  await ask(page, 'link');
  await expect(page.getByText(/You can ask for another mail in \d+ seconds\./)).toBeVisible();
  await expect(button(page, 'Send again')).toBeHidden();
  if (mode === 'script') {
    await page.clock.runFor(61_000);
    await expect(page.getByText(/You can ask for another mail/)).toBeHidden();
    await expect(button(page, 'Send again')).toBeVisible();
  }
  await mailbox.take(bob.email, /Your link to log in/);
});
