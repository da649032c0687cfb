// Travellers let their browser translate the page. Once, after a translation the header still named the previous group,
// and typing, edits, the connection, counts and previews did not change any more: the app wrote them to text nodes that
// were no longer on the page.

import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { MARK, lostWords, translate, watchLostWords } from '../support/translator.ts';
import { Wire } from '../support/wire.ts';

/** Changes a message as its author, by REST. */
async function change(person: Person, text: string, how: 'patch' | 'delete', data?: object): Promise<void> {
  const id = await person.message(text).getAttribute('data-id');
  const origin = new URL(person.page.url()).origin;
  const answer = await person.page.request[how](`/api/v1/groups/${person.groupId}/messages/${id}`, { data, headers: { origin } });
  expect(answer.ok(), answer.url()).toBe(true);
}

test('what changes in a translated page is shown as it is', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const { page } = ana;
  await watchLostWords(page);
  const wire = await Wire.of(page);
  await together(ana, bruno, 'Oaxaca en abril');
  const oaxaca = page.url();
  await bruno.send('hola https://a.example/x');
  await bruno.send('adiós');
  await ana.sees('adiós');
  await ana.send('¿quién viene?');
  await ana.seesSent('¿quién viene?');
  await expect(ana.connection).toHaveText(/en línea/);
  await translate(page);
  await expect(ana.connection).toHaveText(new RegExp(MARK));
  await expect(ana.texts.last()).toHaveText(new RegExp(MARK));

  // Changes by others.
  await change(bruno, 'hola https://a.example/x', 'patch', { message: 'buenas https://a.example/y' });
  await ana.sees('buenas https://a.example/y');
  await expect(ana.message('buenas https://a.example/y').locator('a')).toHaveAttribute('href', 'https://a.example/y');
  await change(bruno, 'adiós', 'delete');
  await ana.sees('Se eliminó este mensaje');
  // A repeated typing notice is not sent within a short time, so this takes more than one key press.
  await expect(async () => {
    await bruno.composer.press('l');
    await expect(ana.typing).toHaveText('Bruno está escribiendo…', { timeout: 1_000 });
  }).toPass();
  await bruno.composer.fill('');
  await bruno.send('llego');
  await ana.sees('llego');
  await expect(page.getByTestId('group-link').first()).toContainText('llego');
  await expect(ana.typing).toHaveText('');
  await expect(ana.continuity).toContainText(/hasta el mensaje \d+/);
  await expect(page.getByTestId('members').locator('.status')).toHaveText(`${MARK}2 integrantes · 2 en línea⟧`);

  // The reader's own changes.
  await ana.composer.fill('x'.repeat(3_990));
  await expect(page.locator('.counter')).toHaveText('10');
  await translate(page);
  await ana.composer.fill('x'.repeat(4_002));
  await expect(page.locator('.counter')).toHaveText('Sobran 2 caracteres');
  await expect(page.locator('.composer-problem')).toContainText('demasiado largo');
  await translate(page);
  await ana.composer.fill('');
  await expect(page.locator('.composer-problem')).toHaveText('');

  // The connection.
  await translate(page);
  await page.context().setOffline(true);
  await wire.cut();
  await expect(ana.connection).toHaveText('Sin conexión');
  await translate(page);
  await page.context().setOffline(false);
  await wire.restore();
  await expect(ana.connection).toHaveText('Conexión restablecida', { timeout: 20_000 });

  // Another group: its name, its title, the counts of the first one.
  await translate(page);
  await ana.startGroup('Mérida');
  await ana.isIn('Mérida');
  await translate(page);
  await page.getByTestId('group-link').filter({ hasText: 'Oaxaca' }).click();
  await ana.isIn('Oaxaca en abril');
  await translate(page);
  await page.getByTestId('group-link').filter({ hasText: 'Mérida' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Mérida');
  await expect(page).toHaveTitle('Mérida · Caravana');
  for (const count of [1, 2]) {
    await bruno.send(`pregunta ${count}`);
    const badge = page.locator(`[data-testid="group-link"][href="${new URL(oaxaca).pathname}"] .badge [aria-hidden]`);
    await expect(badge).toHaveText(String(count));
    await translate(page);
  }
  await expect(page).toHaveTitle('(2) Mérida · Caravana');
  expect(await lostWords(page)).toEqual([]);
});

test('a page that is translated before it is taken over comes to life all the same', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const { page } = ana;
  await together(ana, bruno, 'Oaxaca en abril');
  await ana.send('hola https://a.example/x & <b>');
  await ana.seesSent('hola https://a.example/x & <b>');
  await watchLostWords(page);
  let takeOver = () => {};
  const translated = new Promise<void>((resolve) => (takeOver = resolve));
  await page.route(/\.wasm$/, async (route) => {
    await translated;
    await route.continue();
  });
  await page.reload({ waitUntil: 'domcontentloaded' });
  await translate(page);
  await expect(ana.texts.first()).toHaveText(new RegExp(MARK));
  takeOver();
  await ana.isOnline();
  await bruno.send('llego');
  await ana.sees('llego');
  await expect(ana.connection).toHaveText(/en línea/);
  await ana.send('te espero');
  await ana.seesSent('te espero');
  expect(await lostWords(page)).toEqual([]);
});
