// The official client of the API that Latchkey's follows, as it comes from npm, in both of its modes: with the token in
// hand, and with a cookie. It needs no browser.

import { linkIn } from '../support/mailbox.ts';
import { clientOf, FetchError, type Client, type ClientMode } from '../support/sdk.ts';
import { ada, bob, createAdmin, eve, logIn, password } from '../support/steps.ts';
import type { Server } from '../support/server.ts';
import { expect, test } from '../support/test.ts';

const credentials = { email: bob.email, password };
const another = 'a brand new password';
const modes: ClientMode[] = ['jwt', 'session'];

/** Fails unless the call is refused with this status and these words. */
async function expectRefusal(call: Promise<unknown>, status: number, words: string | RegExp): Promise<void> {
  const refusal = await call.then(() => undefined, (error: unknown) => error);
  expect(refusal).toBeInstanceOf(FetchError);
  expect(refusal).toMatchObject({ status, message: expect.stringMatching(words) });
}

/** The e-mail address of whom the client is logged in as. */
async function whoAmI(sdk: Client): Promise<string> {
  const { user } = await sdk.client.fetch<{ user: { email: string } }>('/admin/users/me');
  return user.email;
}

/** Bob accepts an invite: with an identity that he registers, which has no user until then. */
async function acceptAs(server: Server, token: string): Promise<void> {
  const sdk = clientOf(server, 'jwt');
  await sdk.auth.register('user', 'emailpass', credentials);
  await expectRefusal(sdk.admin.user.me(), 401, 'Unauthorized');
  const names = { email: bob.email, first_name: bob.first, last_name: bob.last };
  await expectRefusal(sdk.admin.invite.accept({ ...names, invite_token: 'nonsense' }), 401, 'Unauthorized');
  const { user } = await sdk.admin.invite.accept({ ...names, invite_token: token });
  expect(user).toMatchObject({ email: bob.email, first_name: bob.first });
  await expectRefusal(sdk.admin.invite.accept({ ...names, invite_token: token }), 401, 'Unauthorized');
  await sdk.auth.login('user', 'emailpass', credentials);
  expect((await sdk.admin.user.me()).user.email).toBe(bob.email);
  await expectRefusal(sdk.admin.user.list(), 403, /./);
}

for (const mode of modes) {
  test(`the official client registers, logs in, refreshes and logs out (${mode})`, async ({ server }) => {
    const sdk = clientOf(server, mode);
    expect(await sdk.auth.register('user', 'emailpass', credentials)).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    await expectRefusal(sdk.auth.register('user', 'emailpass', credentials), 401, 'Identity with email already exists');
    await expectRefusal(sdk.auth.login('user', 'emailpass', { ...credentials, password: another }), 401, 'Invalid email or password');
    expect(typeof (await sdk.auth.login('user', 'emailpass', credentials))).toBe('string');
    expect(await whoAmI(sdk)).toBe(bob.email);
    const { token } = await sdk.auth.refresh();
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(await whoAmI(sdk)).toBe(bob.email);
    await sdk.auth.logout();
    await expectRefusal(whoAmI(sdk), 401, 'Unauthorized');
    await expectRefusal(sdk.auth.refresh(), 401, 'Unauthorized');
    // With a cookie, logging out ends the token on the server; with a token in hand the client only forgets it.
    const held = fetch(`${server.url}/admin/users/me`, { headers: { authorization: `Bearer ${token}` } });
    expect((await held).status).toBe(mode === 'session' ? 401 : 200);
  });
}

test.describe('where mails are sent', () => {
  test.use({ hasMail: true });

  for (const mode of modes) {
    test(`the official client sets a forgotten password (${mode})`, async ({ server, mailbox }) => {
      const sdk = clientOf(server, mode);
      await sdk.auth.register('user', 'emailpass', credentials);
      await sdk.auth.resetPassword('user', 'emailpass', { identifier: 'nobody@example.org' });
      await sdk.auth.resetPassword('user', 'emailpass', { identifier: bob.email });
      const token = linkIn(await mailbox.take(bob.email, /new password/)).split('/').pop() ?? '';

      await expectRefusal(sdk.auth.updateProvider('user', 'emailpass', { password: 'short' }, token), 400, /8 characters/);
      await expectRefusal(sdk.auth.updateProvider('user', 'emailpass', { password: another }, 'x'), 401, 'Invalid token');
      await sdk.auth.updateProvider('user', 'emailpass', { password: another }, token);
      await expectRefusal(sdk.auth.updateProvider('user', 'emailpass', { password }, token), 401, 'Invalid token');
      await expectRefusal(sdk.auth.login('user', 'emailpass', credentials), 401, 'Invalid email or password');
      await expectRefusal(sdk.auth.login('user', 'emailpass', { ...credentials, password: another }), 401, 'Email not verified');
    });
  }
});

test('the official client sees the providers, and is told what it may not', async ({ server }) => {
  const sdk = clientOf(server, 'jwt');
  const { providers } = (await sdk.auth.listProviders('user')) as { providers: { id: string }[] };
  expect(providers.map((provider) => provider.id)).toEqual(['emailpass']);
  await expectRefusal(sdk.auth.callback('user', 'emailpass', { code: '1', state: '2' }), 401, /not supported/);
  await expectRefusal(sdk.auth.login('nobody', 'emailpass', credentials), 404, /no such actor type/);
  await expectRefusal(sdk.client.fetch('/admin/nothing-here'), 404, /no such address/);
});

for (const mode of modes) {
  test(`the official client invites somebody, who accepts and logs in on the page, and looks after users (${mode})`, async ({ server, page }) => {
    await createAdmin(server);
    const sdk = clientOf(server, mode);
    await sdk.auth.login('user', 'emailpass', { email: ada.email, password });
    const { user: me } = await sdk.admin.user.me();
    expect(me).toMatchObject({ email: ada.email, first_name: ada.first });

    const { invite } = await sdk.admin.invite.create({ email: bob.email });
    await expectRefusal(sdk.admin.invite.create({ email: bob.email }), 422, /invited/);
    expect(invite).toMatchObject({ email: bob.email, accepted: false });
    expect((await sdk.admin.invite.list({ q: 'bob' })).invites.map(({ id }: { id: string }) => id)).toEqual([invite.id]);
    expect((await sdk.admin.invite.retrieve(invite.id)).invite).not.toHaveProperty('token');
    const { invite: resent } = await sdk.admin.invite.resend(invite.id);
    expect(resent.token).not.toBe(invite.token);
    const { invite: second } = await sdk.admin.invite.create({ email: eve.email });
    expect(await sdk.admin.invite.delete(second.id)).toMatchObject({ id: second.id, deleted: true });
    await expectRefusal(sdk.admin.invite.retrieve(second.id), 404, `Invite with id: ${second.id} was not found`);

    await acceptAs(server, resent.token);
    await logIn(page, bob);
    const { users, count } = await sdk.admin.user.list({ order: 'created_at', limit: 10 });
    expect([count, ...users.map(({ email }: { email: string }) => email)]).toEqual([2, ada.email, bob.email]);
    const [, guest] = users;
    const { user } = await sdk.admin.user.update(guest!.id, { first_name: 'Robert' });
    expect(user).toMatchObject({ first_name: 'Robert', last_name: bob.last });
    expect((await sdk.admin.user.retrieve(guest!.id)).user.first_name).toBe('Robert');
    await expectRefusal(sdk.admin.user.delete(me.id), 400, 'A user cannot delete itself');
    expect(await sdk.admin.user.delete(guest!.id)).toMatchObject({ id: guest!.id, object: 'user', deleted: true });
    await expectRefusal(sdk.admin.user.retrieve(guest!.id), 404, `User with id: ${guest!.id} was not found`);
  });
}
