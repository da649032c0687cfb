// The choice of an emoji: in a message and as a reaction, by keyboard and pointer, by its name in two languages.

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator } from '@playwright/test';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

const LIST = /\/emoji\/emoji\.[0-9a-f]{16}\.txt$/;

function picker(person: Person): Locator {
  return person.page.locator('dialog[open]').filter({ has: person.page.getByTestId('emoji-search') });
}

function chosen(person: Person): Locator {
  return picker(person).locator('.emoji[aria-selected="true"]');
}

async function open(person: Person): Promise<void> {
  await person.page.getByTestId('open-emoji').click();
  await expect(chosen(person)).toHaveCount(1);
}

test('an emoji is found by its name, walked to and put where the caret is', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const lists: string[] = [];
  ana.page.on('request', (request) => {
    if (LIST.test(new URL(request.url()).pathname)) lists.push(request.url());
  });
  await ana.createGroup('Patagonia');
  expect(lists, 'nobody has looked for an emoji').toEqual([]);
  await ana.composer.fill('qué frío');
  await ana.composer.press('Home');
  await open(ana);
  await expect(ana.page.getByTestId('emoji-search')).toBeFocused();
  await ana.page.keyboard.type('CORAZON ROJO');
  await expect(chosen(ana)).toHaveText('❤️');
  await ana.page.keyboard.press('Enter');
  await expect(ana.composer).toBeFocused();
  await expect(ana.composer).toHaveValue('❤️qué frío');
  // Escape returns to the button.
  await open(ana);
  await ana.page.keyboard.press('Escape');
  await expect(picker(ana)).toHaveCount(0);
  await expect(ana.page.getByTestId('open-emoji')).toBeFocused();
  // What was used last comes first. The arrows walk the grid.
  await open(ana);
  await expect(chosen(ana)).toHaveText('❤️');
  await picker(ana).getByRole('button', { name: 'Caras y emociones' }).click();
  await ana.page.getByTestId('emoji-search').focus();
  await expect(chosen(ana)).toHaveText('😀');
  await ana.page.keyboard.press('ArrowRight');
  await expect(chosen(ana)).toHaveText('😃');
  await ana.page.keyboard.press('ArrowDown');
  await ana.page.keyboard.press('ArrowLeft');
  const id = await chosen(ana).getAttribute('id');
  expect(id).toBe('emoji-grid-7');
  await expect(ana.page.getByTestId('emoji-search')).toHaveAttribute('aria-activedescendant', 'emoji-grid-7');
  for (let row = 0; row < 12; row += 1) await ana.page.keyboard.press('ArrowDown');
  await expect(chosen(ana)).toBeInViewport();
  expect((await new AxeBuilder({ page: ana.page }).include('dialog[open]').analyze()).violations).toEqual([]);
  await ana.page.getByTestId('emoji-search').fill('nada se llama así');
  await expect(picker(ana).getByText('Ningún emoji se llama así.')).toBeVisible();
  expect(lists).toHaveLength(1);
});

test('a skin tone stays chosen, and one reacts with any emoji', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.send('Llegamos');
  await bruno.sees('Llegamos');
  await open(bruno);
  await picker(bruno).getByRole('button', { name: 'Medio', exact: true }).click();
  await bruno.page.getByTestId('emoji-search').fill('waving hand');
  await bruno.page.getByTestId('emoji-search').press('Enter');
  await expect(bruno.composer).toHaveValue('👋🏽');
  await bruno.page.reload();
  await bruno.isOnline();
  await bruno.message('Llegamos').locator('.bubble').hover();
  await bruno.page.getByTestId('bar-more').click();
  await bruno.page.getByTestId('more-emoji').click();
  await expect(chosen(bruno), 'the device remembers').toHaveText('👋🏽');
  await bruno.page.getByTestId('emoji-search').fill('aplaud');
  await picker(bruno).locator('.emoji').first().click();
  await expect(ana.message('Llegamos').getByTestId('reaction')).toHaveText('👏🏽1');
});

test('a name after a colon becomes an emoji', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Patagonia');
  await ana.composer.click();
  await ana.page.keyboard.type('a las 10:30 hay :fueg');
  await expect(ana.page.getByTestId('completion').getByRole('option').first()).toContainText('fuego');
  await ana.page.keyboard.press('Enter');
  await expect(ana.composer).toHaveValue('a las 10:30 hay 🔥 ');
});

test('a list that does not come says so and comes when it is asked for again', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Patagonia');
  await ana.page.route(LIST, (route) => route.abort());
  await ana.page.getByTestId('open-emoji').click();
  await expect(picker(ana).getByRole('alert')).toBeVisible();
  await ana.page.unroute(LIST);
  await picker(ana).getByTestId('emoji-again').click();
  await expect(chosen(ana)).toHaveCount(1);
});
