// What people do on the pages, in their words. Tests say what is done; where the buttons are is known here alone.

import { expect, type Locator, type Page } from '@playwright/test';
import type { Holder } from './openid.ts';
import type { Server } from './server.ts';

export interface Person {
  first: string;
  last: string;
  email: string;
}

export const password = 'correct horse battery staple';
export const ada: Person = { first: 'Ada', last: 'Lovelace', email: 'ada@example.org' };
export const bob: Person = { first: 'Bob', last: 'Noyce', email: 'bob@example.org' };
export const eve: Person = { first: 'Eve', last: 'Ensler', email: 'eve@example.org' };

export const field = (page: Page, label: string): Locator => page.getByLabel(label, { exact: true });
export const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true });
export const link = (page: Page, name: string): Locator => page.getByRole('link', { name, exact: true });
/** What opens the menu with one's name. */
export const menu = (page: Page): Locator => page.locator('summary').filter({ hasText: 'Your menu' });
export const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });

export async function fillPerson(page: Page, person: Person): Promise<void> {
  await page.getByLabel('First name').fill(person.first);
  await page.getByLabel('Last name').fill(person.last);
  await field(page, 'E-mail').fill(person.email);
  await field(page, 'Password').fill(password);
}

/** Makes the first admin by the link in the log. */
export async function setUp(page: Page, server: Server, person = ada): Promise<void> {
  await page.goto(server.setupLink);
  await fillPerson(page, person);
  await button(page, 'Create admin').click();
  await expect(page).toHaveURL('/dashboard/users');
}

/** The same without a browser. */
export async function createAdmin(server: Server, person = ada): Promise<void> {
  const token = new URL(server.setupLink).searchParams.get('token') ?? '';
  const body = new URLSearchParams({ token, first_name: person.first, last_name: person.last, email: person.email, password });
  const headers = { origin: server.url, accept: 'text/html' };
  const answer = await fetch(`${server.url}/api/setup`, { method: 'POST', body, headers, redirect: 'manual' });
  expect(answer.headers.get('location')).toBe('/dashboard/users');
}

export async function register(page: Page, person = bob): Promise<void> {
  await page.goto('/register');
  await fillPerson(page, person);
  await button(page, 'Create account').click();
  await expect(page).toHaveURL('/account');
}

/** Fills in the log-in page and sends it, whatever comes of it. */
export async function tryToLogIn(page: Page, email: string, typed = password): Promise<void> {
  await page.goto('/login');
  await field(page, 'E-mail').fill(email);
  await field(page, 'Password').fill(typed);
  await button(page, 'Log in').click();
}

export async function logIn(page: Page, person = bob, typed = password): Promise<void> {
  await tryToLogIn(page, person.email, typed);
  await expect(page).not.toHaveURL(/login/);
}

export async function logOut(page: Page): Promise<void> {
  await menu(page).click();
  await button(page, 'Log out').click();
  await expect(page).toHaveURL('/login');
}

/** Fails unless the next click shows that nobody is logged in any more. */
export async function expectLoggedOut(page: Page): Promise<void> {
  await page.goto('/account');
  await expect(page).toHaveURL('/login?next=/account');
}

/** The row of a table that holds this text. */
export const row = (page: Page, text: string): Locator => page.getByRole('row').filter({ hasText: text });

/** The rows of the user list, headings excepted. */
export const userRows = (page: Page): Locator => page.getByRole('row').filter({ has: page.getByRole('cell') });

/** Opens somebody in the dashboard. */
export async function openUser(page: Page, person: Person): Promise<void> {
  await page.goto('/dashboard/users');
  await row(page, person.email).getByRole('link').first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${person.first} ${person.last}`);
}

/** Invites by the page, whatever it then shows. */
export async function invite(page: Page, emails: string[], role = 'member'): Promise<void> {
  await page.goto('/dashboard/invites/new');
  await page.getByLabel('E-mail addresses').fill(emails.join('\n'));
  await field(page, 'Role').selectOption(role);
  await button(page, 'Preview').click();
  await button(page, emails.length === 1 ? 'Send 1 invite' : `Send ${emails.length} invites`).click();
}

/** Opens the link of an invite and accepts with a name and a password. */
export async function accept(page: Page, link: string, first = bob.first): Promise<void> {
  await page.goto(link);
  await page.getByLabel('First name').fill(first);
  await page.getByLabel('Last name').fill(bob.last);
  await field(page, 'Password').fill(password);
  await button(page, 'Accept invite').click();
  await expect(page).toHaveURL('/account');
  await expect(page.getByRole('status')).toContainText("You're in.");
}

/** The link to the provider of the test; a badge may follow its words. */
export const acmeLink = (page: Page, verb: 'Log in' | 'Continue'): Locator => page.getByRole('link', { name: `${verb} with Acme` });

/** Says at the provider who one is, which it remembers, and goes on. */
export async function proveAtAcme(page: Page, holder: Holder): Promise<void> {
  await button(page, `I am ${holder.given_name}`).click();
  await button(page, 'Allow').click();
}

export async function cancelAtAcme(page: Page): Promise<void> {
  await button(page, 'Cancel').click();
}

export async function disable(page: Page, person: Person): Promise<void> {
  await openUser(page, person);
  await link(page, 'Disable user…').click();
  await button(page, 'Disable user').click();
  await expect(page.getByText('Disabled.', { exact: false }).first()).toBeVisible();
}

/** Registers many people past the pages, for lists that have more than one page. */
export async function registerMany(server: Server, people: Person[]): Promise<void> {
  for (const { first, last, email } of people) {
    const body = new URLSearchParams({ first_name: first, last_name: last, email, password });
    const answer = await fetch(`${server.url}/api/register`, {
      method: 'POST',
      body,
      headers: { accept: 'application/json' },
    });
    expect(answer.status, email).toBe(200);
  }
}
