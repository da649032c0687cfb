// What the screen tells a person who sends too fast, and that no written message is lost.

import { allHave } from '../support/history.ts';
import { together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

// One message per second, two at once.
test.use({ serverFlags: ['--send-rate-per-user=1', '--send-burst-per-user=2'] });

test('who goes too fast sees how long to wait, and everything goes out by itself', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Sierra Gorda');
  const wait = ana.page.getByTestId('wait');
  await expect(wait).toHaveText('');
  const texts = ['uno', 'dos', 'tres', 'cuatro', 'cinco'];
  for (const text of texts) await ana.send(text);
  await expect(wait.locator('[aria-hidden]')).toHaveText(/^Vas muy rápido\. Espera \d+ s\.$/);
  await expect(wait.getByRole('status')).toHaveText(/^Vas muy rápido\. Espera \d+ s\.$/);
  // Waiting messages are on the screen, and the person can continue to write.
  await expect(ana.texts).toHaveText(texts);
  expect(await ana.pending.count()).toBeGreaterThan(0);
  await ana.composer.fill('a media frase');

  await allHave([ana, bruno], texts);
  await expect(wait).toHaveText('');
  await expect(ana.composer).toHaveValue('a media frase');
});

test('who reads English is told in English', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Sierra Gorda');
  await ana.page.context().addCookies([{ name: 'lang', value: 'en', url: ana.page.url() }]);
  await ana.page.reload();
  await ana.isOnline();
  for (const text of ['one', 'two', 'three', 'four']) await ana.send(text);
  await expect(ana.page.getByTestId('wait').getByRole('status')).toHaveText(/^You’re going too fast\. Wait \d+ s\.$/);
  await allHave([ana], ['one', 'two', 'three', 'four']);
});

test('the countdown of one group does not stand in another', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Xilitla');
  await ana.page.goto('/');
  await ana.createGroup('Aquismón');
  const [wait, link] = [ana.page.getByTestId('wait'), ana.page.getByTestId('group-link')];
  const texts = Array.from({ length: 12 }, (_, index) => `curva ${index}`);
  for (const text of texts) await ana.send(text);
  await expect(wait.getByRole('status')).not.toHaveText('');
  await ana.composer.fill('a media frase');
  await link.filter({ hasText: 'Xilitla' }).click();
  await expect(ana.page.getByRole('heading', { level: 1, name: 'Xilitla' })).toBeVisible();
  await expect(wait).toHaveText('');
  await expect(ana.composer).toHaveValue('');
  await expect(ana.texts).toHaveCount(0);

  await link.filter({ hasText: 'Aquismón' }).click();
  await expect(wait.getByRole('status')).not.toHaveText('');
  await expect(ana.composer).toHaveValue('a media frase');
  await allHave([ana], texts);
  await expect(wait).toHaveText('');
});
