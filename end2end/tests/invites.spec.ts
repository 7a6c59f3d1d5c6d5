// Invites: an admin pastes addresses, sees what would come of it, sends; whoever has a link is in by it, once. No mail
// leaves these servers, so the links are handed on.

import type { Page } from '@playwright/test';
import { expect, expectNoBarrier, test } from '../support/test.ts';
import {
  accept, ada, bob, button, eve, expectLoggedOut, field, heading, invite, link, logIn, openUser, register, row, setUp,
} from '../support/steps.ts';

/** Invites by the page and answers with the path of each link that it shows. */
async function inviteByHand(page: Page, emails: string[], role?: string): Promise<string[]> {
  await invite(page, emails, role);
  await expect(page.getByRole('status')).toContainText('No mail was sent');
  const links = await page.locator('code').allTextContents();
  expect(links).toHaveLength(emails.length);
  return links.map((url) => new URL(url).pathname);
}

async function openInvite(page: Page, email: string): Promise<void> {
  await page.goto('/dashboard/invites');
  await link(page, email).click();
  await expect(heading(page, email)).toBeVisible();
}

test('an admin invites, and the link makes an admin, once', async ({ mode, page, server, openBrowser, visit }) => {
  await setUp(page, server);
  const [path] = await inviteByHand(page, [bob.email], 'admin');
  const other = await openBrowser();
  await other.goto(path!);
  await expect(other.getByText('invited you to Latchkey as Admin.')).toContainText('Ada Lovelace');
  await expect(field(other, 'E-mail')).toHaveValue(bob.email);
  await expect(field(other, 'E-mail')).not.toBeEditable();
  await expectNoBarrier(other, mode);

  await field(other, 'Password').fill('7 chars');
  await button(other, 'Accept invite').click();
  await expect(field(other, 'Password')).toHaveAccessibleDescription(/at least 8 characters/);
  await accept(other, path!);
  await expect(other.getByLabel('First name')).toHaveValue(bob.first);
  await other.goto('/dashboard/users');
  await expect(row(other, bob.email)).toContainText('Admin');
  await logIn(await openBrowser());

  await visit(await openBrowser(), path!, 410);
  await page.goto('/dashboard/invites?state=accepted');
  await expect(row(page, bob.email)).toContainText('Accepted');
});

test('a paste is previewed before anything is sent, and the result is told row by row', async ({ mode, page, server, openBrowser }) => {
  test.slow();
  await setUp(page, server);
  await inviteByHand(page, ['dora@example.org']);
  await page.goto('/dashboard/invites/new');
  const pasted = ['Bob Noyce <bob@example.org>', ada.email, 'dora@example.org', 'no address', 'carl@example.org,Carl',
    'BOB@example.org'];
  await page.getByLabel('E-mail addresses').fill(pasted.join('\n'));
  await page.getByLabel('Note').fill('Welcome <b>all</b>');
  await field(page, 'Expires in').selectOption('30d');
  await button(page, 'Preview').click();
  await expect(page.getByText('2 ready, 1 already a user, 1 already invited, 1 not an e-mail (line 4), 1 twice (line 6)')).toBeVisible();
  await expect(row(page, 'Line 4: no address')).toBeVisible();
  await expect(page.getByLabel('E-mail addresses')).toHaveValue(pasted.join('\n'));
  await expect(page.getByLabel('Note')).toHaveValue('Welcome <b>all</b>');
  await expectNoBarrier(page, mode);
  await button(page, 'Send 2 invites').click();
  await expect(row(page, bob.email)).toContainText('Invited');
  await expect(row(page, 'carl@example.org')).toContainText('/link/');
  await expectNoBarrier(page, mode);
  const url = await row(page, bob.email).locator('code').textContent();
  const other = await openBrowser();
  await other.goto(new URL(url!).pathname);
  await expect(other.getByText('Welcome <b>all</b>')).toBeVisible();

  await link(page, 'See all invites').click();
  await expect(page.getByText('3 invites')).toBeVisible();
});

test('an invite is renewed, revoked and deleted', async ({ mode, page, server, openBrowser, visit }) => {
  test.slow();
  await setUp(page, server);
  const [first] = await inviteByHand(page, [bob.email]);
  await openInvite(page, bob.email);
  await button(page, 'Copy link').click();
  const second = new URL(await field(page, 'Link').inputValue()).pathname;
  expect(second).not.toBe(first);
  await expectNoBarrier(page, mode);
  await button(page, 'Renew').click();
  const third = new URL(await field(page, 'Link').inputValue()).pathname;
  for (const path of [first!, second, third]) await visit(await openBrowser(), path);

  await link(page, 'Revoke invite…').click();
  await button(page, 'Revoke invite').click();
  await expect(page.getByText('The invite was revoked.')).toBeVisible();
  const other = await openBrowser();
  await visit(other, first!, 410);
  await expect(heading(other, 'This invite was taken back')).toBeVisible();
  await expectNoBarrier(other, mode);
  await button(other, 'Ask for a new one').click();
  await expect(other.getByRole('status')).toContainText('they are asked for a new one');

  await link(page, 'Delete invite…').click();
  await button(page, 'Delete invite').click();
  await expect(page.getByText('The invite was deleted.')).toBeVisible();
  await expect(page.getByText('No invites yet')).toBeVisible();
  await visit(other, first!, 404);
});

test('whoever is logged in as somebody else logs out and goes on', async ({ mode, page, server, openBrowser }) => {
  await setUp(page, server);
  const [path] = await inviteByHand(page, [bob.email]);
  const other = await openBrowser();
  await register(other, eve);
  await other.goto(path!);
  await expect(other.getByRole('alert')).toContainText(`This invite is for ${bob.email}, and you're logged in as ${eve.email}.`);
  await expectNoBarrier(other, mode);
  await button(other, 'Log out and go on').click();
  await accept(other, path!);
});

test('an account that somebody made in advance becomes the invited person\'s', async ({ page, server, openBrowser }) => {
  await setUp(page, server);
  const [path] = await inviteByHand(page, [bob.email]);
  const stranger = await openBrowser();
  await register(stranger, { ...bob, first: 'Stranger' });
  const other = await openBrowser();
  await accept(other, path!, 'Robert');
  await expect(other.getByLabel('First name')).toHaveValue('Robert');
  await expectLoggedOut(stranger);
});

test('a name and a note are shown as text, whatever they are', async ({ page, server, openBrowser }) => {
  const first = '</title><script>document.title = "x"</script>';
  await setUp(page, server, { ...ada, first });
  const [path] = await inviteByHand(page, [bob.email]);
  const other = await openBrowser();
  await other.goto(path!);
  await expect(other.getByText('invited you to Latchkey')).toContainText(first);
  await expect(other).toHaveTitle(/You're invited/);
  await accept(other, path!, '</textarea><img src=x onerror=alert(1)>');
  await openUser(page, { ...bob, first: '</textarea><img src=x onerror=alert(1)>' });
});

test('the list is searched, filtered and sorted by its address', async ({ mode, page, server }) => {
  await setUp(page, server);
  await inviteByHand(page, Array.from({ length: 30 }, (_, number) => `p${String(number).padStart(2, '0')}@many.example`));
  await inviteByHand(page, [bob.email], 'admin');
  await page.goto('/dashboard/invites');
  await expect(page.getByText('31 invites')).toBeVisible();
  await expectNoBarrier(page, mode);
  await link(page, 'E-mail').click();
  await expect(page.getByRole('columnheader', { name: 'E-mail' })).toHaveAttribute('aria-sort', 'ascending');
  await page.getByRole('link', { name: 'Next' }).click();
  await expect(row(page, 'p29@many.example')).toBeVisible();
  await page.getByRole('searchbox').fill('BOB@');
  await page.getByRole('searchbox').press('Enter');
  await expect(page.getByText('1 invite', { exact: true })).toBeVisible();
  await field(page, 'State').selectOption('revoked');
  await button(page, 'Apply').click();
  await expect(page.getByText('Nothing matches')).toBeVisible();
});
