// Selecting several messages: copying and deleting them.

import { together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

test('several messages are copied in their order, and own ones deleted with one question', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Oaxaca en abril');
  for (const [person, text] of [[ana, 'uno'], [bruno, 'dos'], [ana, 'tres']] as const) {
    await person.send(text);
    await ana.sees(text);
    await bruno.sees(text);
  }
  await ana.seesSent('tres');
  const begin = async (text: string): Promise<void> => {
    await ana.message(text).focus();
    await ana.page.keyboard.press('Enter');
    await ana.page.getByTestId('menu-select').click();
  };
  const bar = ana.page.getByTestId('selection');
  await begin('tres');
  await expect(bar).toContainText('1 seleccionado');
  await expect(ana.composer).toBeHidden();
  // A press anywhere on a row counts, and Space on its box.
  await ana.message('dos').locator('.bubble').click({ force: true });
  await ana.message('uno').getByTestId('pick').focus();
  await ana.page.keyboard.press('Space');
  await expect(bar).toContainText('3 seleccionados');
  await expect(ana.page.getByTestId('selection-delete'), 'one of them is not their own').toBeEnabled();
  await ana.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await ana.page.getByTestId('selection-copy').click();
  const copied = await ana.page.evaluate(() => navigator.clipboard.readText());
  expect(copied.replace(/[⁨⁩]/g, '')).toMatch(/^\[\d+:\d+\] Ana: uno\n\[\d+:\d+\] Bruno: dos\n\[\d+:\d+\] Ana: tres$/);
  await expect(bar).toHaveCount(0);
  await expect(ana.composer).toBeVisible();

  await begin('uno');
  await ana.message('tres').getByTestId('pick').check();
  await ana.page.getByTestId('selection-delete').click();
  await expect(bar).toContainText('¿Eliminar 2 mensajes?');
  await ana.page.keyboard.press('Escape');
  await expect(bar).toContainText('2 seleccionados');
  await ana.page.getByTestId('selection-delete').click();
  await ana.page.getByTestId('selection-yes').click();
  const deleted = (person: typeof ana) => person.page.locator('[data-testid="message"][data-state="deleted"]');
  await expect(deleted(ana)).toHaveCount(2);
  await expect(ana.page.getByTestId('undo-delete')).toContainText('Se eliminaron 2 mensajes');
  await ana.page.getByTestId('undo-delete').getByRole('button').click();
  await expect(deleted(ana)).toHaveCount(0);

  // Others' messages are only deleted by who manages the group.
  await bruno.message('dos').focus();
  await bruno.page.keyboard.press('Enter');
  await bruno.page.getByTestId('menu-select').click();
  await bruno.message('uno').getByTestId('pick').check();
  await expect(bruno.page.getByTestId('selection-delete')).toBeDisabled();
  await bruno.message('uno').getByTestId('pick').uncheck();
  await bruno.page.getByTestId('selection-delete').click();
  await bruno.page.getByTestId('selection-yes').click();
  await expect(deleted(ana)).toHaveCount(1, { timeout: 15_000 });
  await begin('tres');
  await ana.page.keyboard.press('Escape');
  await expect(bar).toHaveCount(0);
});
