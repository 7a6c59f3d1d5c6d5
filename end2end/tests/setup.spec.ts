// `/setup`: the first admin, once.

import { expect, test } from '../support/test.ts';
import { ada, button, expectLoggedOut, field, fillPerson, row, setUp } from '../support/steps.ts';

test('a token that no log has shown is refused, and what was typed stays', async ({ page, visit }) => {
  await visit(page, '/setup?token=AAAA');
  await fillPerson(page, ada);
  await button(page, 'Create admin').click();
  await expect(field(page, 'Setup token')).toHaveAccessibleDescription(/not the token from the log/);
  await expect(field(page, 'E-mail')).toHaveValue(ada.email);
  await expect(field(page, 'Password')).toHaveValue('');
  await expectLoggedOut(page);
});

test('the link in the log makes the first admin, and is gone then', async ({ page, server, openBrowser, visit }) => {
  const link = server.setupLink;
  await setUp(page, server);
  await expect(row(page, ada.email)).toContainText('Admin');
  const other = await openBrowser();
  await visit(other, link, 404);
});
