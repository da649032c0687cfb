import { Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

test('an invitation shows the group before it is accepted, and lets its reader in', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await ana.createGroup('Tulum con amigos');
  const link = await ana.inviteLink();

  await bruno.page.goto(link);
  await expect(bruno.page.getByRole('main')).toContainText('Tulum con amigos');
  await expect(bruno.page.getByRole('main')).toContainText('1 integrante');
  await bruno.page.getByTestId('accept-invite').click();
  await bruno.isIn('Tulum con amigos');
});

test('somebody without an account is led through signing up and back to the invitation', async ({ signUp, page }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Guanajuato');
  await page.goto(await ana.inviteLink());
  await expect(page.getByRole('main')).toContainText('Guanajuato');

  await page.locator('a[href^="/register"]').click();
  const bruno = new Person('Bruno', page);
  await bruno.fillInAccount();
  await page.getByTestId('accept-invite').click();
  await bruno.isIn('Guanajuato');
});

test('an unknown invitation says so', async ({ page }) => {
  const response = await page.goto('/i/no-hay-tal-invitacion');
  expect(response?.status()).toBe(404);
  await expect(page.getByTestId('accept-invite')).toHaveCount(0);
});

test('somebody who is no member sees no group', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await ana.createGroup('Sólo Ana');
  const response = await bruno.page.goto(ana.page.url());
  expect(response?.status()).toBe(404);
  await expect(bruno.composer).toHaveCount(0);
});
