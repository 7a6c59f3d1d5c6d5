// What people do by mail, with a real mail server: confirm an address, set a forgotten password, take a change back,
// accept an invite.

import { expect, test } from '../support/test.ts';
import { codeIn, linkIn } from '../support/mailbox.ts';
import {
  accept, bob, button, eve, field, fillPerson, heading, invite, link, logIn, password, row, setUp, tryToLogIn,
} from '../support/steps.ts';
import type { Page } from '@playwright/test';

test.use({ hasMail: true });

const another = 'a brand new password';

async function registerByMail(page: Page, person = bob): Promise<void> {
  await page.goto('/register');
  await fillPerson(page, person);
  await button(page, 'Create account').click();
  await expect(heading(page, 'Check your e-mail')).toBeVisible();
  await expect(page.locator('body')).toContainText(person.email);
}

test('who registers confirms the address by the link', async ({ page, mailbox }) => {
  await registerByMail(page);
  await page.goto(linkIn(await mailbox.take(bob.email, /Confirm/)));
  await button(page, 'Confirm').click();
  await expect(page).toHaveURL('/account');
  await expect(page.getByRole('status')).toContainText('confirmed');
});

test('who registers confirms the address by the code, typed where they registered', async ({ page, mailbox }) => {
  await registerByMail(page);
  const code = codeIn(await mailbox.take(bob.email, /Confirm/));
  await field(page, 'Code').fill('0000-0000');
  await button(page, 'Continue').click();
  await expect(field(page, 'Code')).toHaveAccessibleDescription(/not right/);
  await field(page, 'Code').fill(` ${code.toLowerCase().replace('-', ' ')} `);
  await button(page, 'Continue').click();
  await expect(page).toHaveURL('/account');
});

test('who confirms the address elsewhere chooses the password again', async ({ page, openBrowser, mailbox }) => {
  await registerByMail(await openBrowser());
  await page.goto(linkIn(await mailbox.take(bob.email, /Confirm/)));
  await button(page, 'Confirm').click();
  await expect(page).toHaveURL('/reset-password');
  await expect(page.getByRole('status')).toContainText('not the browser that you registered with');
  await field(page, 'New password').fill(another);
  await button(page, 'Set password').click();
  await expect(page).toHaveURL('/account');
  const later = await openBrowser();
  await tryToLogIn(later, bob.email);
  await expect(later.getByRole('alert')).toContainText("don't match");
  await logIn(later, bob, another);
});

test('nobody sees whether an address is taken; its owner is told', async ({ page, openBrowser, mailbox }) => {
  await registerByMail(await openBrowser());
  await mailbox.take(bob.email, /Confirm/);
  await registerByMail(page);
  const mail = await mailbox.take(bob.email, /already have an account/);
  expect(mail.text).not.toMatch(/\/link\/[\w-]{20}/);
});

test('who forgot the password sets a new one, and everybody else is out', async ({ page, openBrowser, mailbox }) => {
  const elsewhere = await openBrowser();
  await registerByMail(elsewhere);
  await elsewhere.goto(linkIn(await mailbox.take(bob.email, /Confirm/)));
  await button(elsewhere, 'Confirm').click();
  await expect(elsewhere).toHaveURL('/account');

  await page.goto('/login');
  await link(page, 'Forgot password?').click();
  await field(page, 'E-mail').fill(bob.email);
  await button(page, 'Mail me a link').click();
  await expect(heading(page, 'Check your e-mail')).toBeVisible();
  await page.goto(linkIn(await mailbox.take(bob.email, /new password/)));
  await expect(page.locator('body')).toContainText(bob.email);
  await button(page, 'Continue').click();
  await field(page, 'New password').fill('short');
  await button(page, 'Set password').click();
  await expect(field(page, 'New password')).toHaveAccessibleDescription(/at least 8 characters/);
  await field(page, 'New password').fill(another);
  await button(page, 'Set password').click();
  await expect(page).toHaveURL('/account');

  await elsewhere.reload();
  await expect(elsewhere).toHaveURL(/\/login/);
  await tryToLogIn(elsewhere, bob.email, password);
  await expect(elsewhere.getByRole('alert')).toContainText("don't match");

  await elsewhere.goto(linkIn(await mailbox.take(bob.email, /password was changed/)));
  await button(elsewhere, "It wasn't me").click();
  await expect(elsewhere.getByRole('status')).toContainText('no longer works');
  await page.reload();
  await expect(page).toHaveURL(/\/login/);
});

test('an unknown address gets the same page and no mail', async ({ page, mailbox }) => {
  await page.goto('/forgot-password');
  await field(page, 'E-mail').fill(eve.email);
  await button(page, 'Mail me a link').click();
  await expect(heading(page, 'Check your e-mail')).toBeVisible();
  // What is asked for after it is answered after it.
  await registerByMail(page);
  await mailbox.take(bob.email, /Confirm/);
  expect(mailbox.to(eve.email)).toEqual([]);
});

test('an address is changed by its new mail, and changed back by the old one', async ({ page, openBrowser, mailbox }) => {
  await registerByMail(page);
  await page.goto(linkIn(await mailbox.take(bob.email, /Confirm/)));
  await button(page, 'Confirm').click();
  await field(page, 'New e-mail').fill(eve.email);
  await field(page, 'Your password').fill(password);
  await button(page, 'Change e-mail').click();
  await expect(heading(page, 'Check your e-mail')).toBeVisible();
  await page.goto(linkIn(await mailbox.take(eve.email, /new e-mail/)));
  await button(page, 'Confirm').click();
  await expect(page.locator('body')).toContainText(eve.email);

  const owner = await openBrowser();
  await owner.goto(linkIn(await mailbox.take(bob.email, /was changed/)));
  await button(owner, 'Take it back').click();
  await field(owner, 'New password').fill(another);
  await button(owner, 'Set password').click();
  await expect(owner.locator('body')).toContainText(bob.email);
  await page.reload();
  await expect(page).toHaveURL(/\/login/);
});

for (const [role, name] of [['admin', 'Admin'], ['member', 'Member']] as const) {
  test(`who is invited as ${role} is in by the link, once`, async ({ page, server, mailbox, openBrowser, visit }) => {
    test.slow();
    await setUp(page, server);
    await invite(page, [bob.email], role);
    await expect(page.getByRole('status')).toContainText('1 person is invited. The mails are on their way.');
    await expect(page.locator('body')).not.toContainText('/link/');
    const url = linkIn(await mailbox.take(bob.email, /invite/i));
    for (const method of Array.from({ length: 10 }, () => ['GET', 'HEAD']).flat()) {
      expect((await fetch(url, { method })).status).toBe(200);
    }

    const other = await openBrowser();
    await other.goto(url);
    await expect(other.getByText(`invited you to Latchkey as ${name}.`)).toContainText('Ada Lovelace');
    await expect(field(other, 'E-mail')).toHaveValue(bob.email);
    await expect(field(other, 'E-mail')).not.toBeEditable();
    await accept(other, url);
    await visit(other, '/dashboard/users', role === 'admin' ? 200 : 403);
    await page.goto('/dashboard/users');
    await expect(row(page, bob.email)).toContainText(name);
    await visit(await openBrowser(), url, 410);
    await logIn(await openBrowser());
  });
}
