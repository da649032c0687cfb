// The trip of a group: its emoji, its days and the time at its place.

import type { Locator } from '@playwright/test';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

/** The day so many days from now, in the zone of the tests. */
function day(from: number): string {
  const zone = 'America/Mexico_City';
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(Date.now() + from * 86_400_000);
}

async function settings(person: Person): Promise<Locator> {
  await person.page.getByTestId('group-settings').click();
  return person.page.getByTestId('group-sheet');
}

async function save(sheet: Locator): Promise<void> {
  await sheet.getByTestId('save-group').click();
  await expect(sheet.getByRole('status')).toHaveText('Guardado');
}

test('the days of the trip stand in the header, for everybody and after a reload', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  const sheet = await settings(ana);
  await sheet.getByTestId('trip-starts').fill(day(12));
  await sheet.getByTestId('trip-ends').fill(day(11));
  await sheet.getByTestId('save-group').click();
  await expect(sheet.getByRole('alert')).toHaveText('El viaje no puede terminar antes de empezar.');
  await sheet.getByTestId('trip-ends').fill(day(21));
  await save(sheet);
  for (const person of [ana, bruno]) await expect(person.connection).toContainText('Faltan 12 días · 2 integrantes · 2 en línea');
  await sheet.getByTestId('trip-starts').fill(day(-2));
  await sheet.getByTestId('trip-ends').fill(day(7));
  await save(sheet);
  for (const person of [ana, bruno]) await expect(person.connection).toContainText('Día 3 de 10 · 2 integrantes');
  await bruno.page.reload();
  await expect(bruno.connection).toContainText('Día 3 de 10');
  // An emptied day is taken away.
  await sheet.getByTestId('trip-starts').fill('');
  await sheet.getByTestId('trip-ends').fill('');
  await save(sheet);
  for (const person of [ana, bruno]) await expect(person.connection).toHaveText('2 integrantes · 2 en línea');
});

test('the time at the place is shown where it differs from the own', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Katmandú');
  const sheet = await settings(ana);
  await sheet.getByTestId('time-zone').selectOption('Asia/Tokyo');
  await save(sheet);
  for (const person of [ana, bruno]) {
    await expect(person.page.locator('#content').getByTestId('place-time')).toHaveText(/^\d\d:\d\d en Tokyo$/);
  }
  // The header of a phone has no room for it, the details have.
  await bruno.page.setViewportSize({ width: 390, height: 844 });
  await expect(bruno.page.locator('#content').getByTestId('place-time')).toBeHidden();
  await bruno.page.getByTestId('show-members').click();
  await expect(bruno.page.getByTestId('members').getByTestId('place-time')).toHaveText(/^\d\d:\d\d en Tokyo$/);
  await bruno.page.setViewportSize({ width: 1280, height: 800 });
  await sheet.getByTestId('time-zone').selectOption('America/Mexico_City');
  await save(sheet);
  for (const person of [ana, bruno]) await expect(person.page.locator('#content').getByTestId('place-time')).toBeHidden();
});

test('a group gets an emoji, and loses it', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Oaxaca');
  const sheet = await settings(ana);
  await sheet.getByTestId('group-emoji').click();
  await ana.page.getByTestId('emoji-search').first().fill('taco');
  await ana.page.keyboard.press('Enter');
  await expect(sheet.getByTestId('group-emoji')).toHaveText('🌮');
  await save(sheet);
  await ana.page.keyboard.press('Escape');
  const avatar = ana.page.getByTestId('group-link').locator('.avatar');
  await expect(avatar).toHaveText('🌮');
  await expect(ana.page.locator('main .avatar-group')).toHaveText('🌮');
  await (await settings(ana)).getByRole('button', { name: 'Sin emoji' }).click();
  await save(sheet);
  await expect(avatar).toHaveText('O');
});
