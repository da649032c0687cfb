// Names of members in a message: completed by keyboard and pointer, sent with their ids, and marked for those who read.

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator } from '@playwright/test';
import { NO_HASTE } from '../support/crowd.ts';
import { history } from '../support/history.ts';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { Wire } from '../support/wire.ts';

test.use({ serverFlags: NO_HASTE });

const PHONE = { width: 390, height: 844 };

function list(person: Person): Locator {
  return person.page.getByTestId('completion');
}

function marks(person: Person, text: string): Locator {
  return person.message(text).locator('.mention');
}

/** The option that the keyboard is on: assistive technology is told of it by the field. */
async function chosen(person: Person): Promise<string> {
  const id = (await person.composer.getAttribute('aria-activedescendant')) ?? '';
  await expect(list(person).locator('[aria-selected="true"]')).toHaveAttribute('id', id);
  return (await list(person).locator('[aria-selected="true"] .completion-name').textContent()) ?? '';
}

test('a name is completed by keyboard, and the one who is meant sees it', async ({ signUp }) => {
  const [ana, bruno, jose] = [await signUp('Ana'), await signUp('Bruno'), await signUp('María José Núñez')];
  await together(ana, bruno, 'Patagonia');
  await jose.accept(await ana.inviteLink());
  await ana.composer.click();
  await ana.page.keyboard.type('Hola @jos');
  await expect(list(ana).getByRole('option')).toHaveText([/María José Núñez/]);
  await ana.page.keyboard.press('Enter');
  await expect(ana.composer).toHaveValue('Hola @María José Núñez ');
  await expect(list(ana)).toHaveCount(0);
  // What follows a name is no longer completed.
  await ana.page.keyboard.type('y @');
  await expect(list(ana).getByRole('option')).toHaveCount(3);
  const first = await chosen(ana);
  await ana.page.keyboard.press('ArrowDown');
  expect(await chosen(ana)).not.toBe(first);
  await ana.page.keyboard.press('ArrowUp');
  expect(await chosen(ana)).toBe(first);
  expect((await new AxeBuilder({ page: ana.page }).include('.composer').analyze()).violations).toEqual([]);
  await ana.page.keyboard.type('br');
  await ana.page.keyboard.press('Tab');
  await expect(ana.composer).toBeFocused();
  await expect(ana.composer).toHaveValue('Hola @María José Núñez y @Bruno ');
  await ana.page.keyboard.press('Enter');
  const text = 'Hola @María José Núñez y @Bruno';
  for (const person of [ana, bruno, jose]) {
    await person.sees(text);
    await expect(marks(person, text)).toHaveText(['@María José Núñez', '@Bruno']);
  }
  await expect(marks(bruno, text).nth(1)).toHaveClass(/mention-you/);
  await expect(marks(bruno, text).first()).not.toHaveClass(/mention-you/);
  await expect(bruno.message(text)).toHaveClass(/\bfor-you\b/);
  await expect(ana.message(text)).not.toHaveClass(/\bfor-you\b/);
  const [stored] = await history(ana);
  expect(stored?.mentions).toHaveLength(2);
  // It is so after a reload, in the server's page, too.
  await bruno.page.reload();
  await expect(marks(bruno, text).nth(1)).toHaveClass(/mention-you/);
});

test('Escape closes the list, and only then leaves an edit', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.send('Salimos a las seis');
  await ana.seesSent('Salimos a las seis');
  await ana.composer.press('ArrowUp');
  await expect(ana.composer).toHaveValue('Salimos a las seis');
  await ana.page.keyboard.type(', @b');
  await expect(list(ana)).toBeVisible();
  await ana.page.keyboard.press('Escape');
  await expect(list(ana)).toHaveCount(0);
  await expect(ana.page.getByTestId('composer-mode')).toBeVisible();
  await ana.page.keyboard.type('r');
  await expect(list(ana), 'it stays closed for this word').toHaveCount(0);
  await ana.page.keyboard.type('uno');
  await ana.page.keyboard.press('Enter');
  const edited = 'Salimos a las seis, @bruno';
  await bruno.sees(edited);
  await expect(bruno.message(edited)).toHaveClass(/\bfor-you\b/);
  // Another edit takes the mention back.
  await ana.composer.press('ArrowUp');
  await expect(ana.composer).toHaveValue(edited);
  await ana.send('Salimos a las siete');
  await bruno.sees('Salimos a las siete');
  await expect(bruno.message('Salimos a las siete')).not.toHaveClass(/\bfor-you\b/);
  await ana.composer.press('ArrowUp');
  await ana.page.keyboard.type(' ');
  await ana.page.keyboard.press('Escape');
  await expect(ana.page.getByTestId('composer-mode')).toHaveCount(0);
});

test('all are mentioned in the language of either, and a mention that waits is sent later', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.composer.click();
  await ana.page.keyboard.type('¡@tod');
  await list(ana).getByRole('option').click();
  await expect(ana.composer).toBeFocused();
  await expect(ana.composer).toHaveValue('¡@todos ');
  await ana.page.keyboard.type('al bus!');
  await ana.page.keyboard.press('Enter');
  await bruno.sees('¡@todos al bus!');
  await expect(marks(bruno, '¡@todos al bus!')).toHaveClass(/mention-you/);
  const wire = await Wire.of(ana.page);
  await ana.page.reload();
  await ana.isOnline();
  await wire.cut();
  await ana.send('@everyone, @bruno y x@ana.example');
  await expect(marks(ana, '@everyone, @bruno y x@ana.example')).toHaveText(['@everyone', '@bruno']);
  await ana.page.reload();
  await wire.mend();
  await bruno.sees('@everyone, @bruno y x@ana.example');
  await expect(marks(bruno, '@everyone, @bruno y x@ana.example')).toHaveText(['@everyone', '@bruno']);
});

test('keys of an input method are not taken', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.composer.click();
  await ana.page.keyboard.type('@br');
  await expect(list(ana)).toBeVisible();
  const taken = await ana.composer.evaluate((field) => {
    const key = new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true });
    field.dispatchEvent(key);
    return key.defaultPrevented;
  });
  expect(taken).toBe(false);
  await expect(ana.composer).toHaveValue('@br');
});

test.describe('by finger', () => {
  test.use({ viewport: PHONE, hasTouch: true, isMobile: true });

  test('a tap takes a name, and the field keeps the focus', async ({ signUp }) => {
    const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
    await ana.createGroup('Patagonia');
    await bruno.accept(await ana.inviteLink());
    await ana.composer.tap();
    await ana.page.keyboard.type('@b');
    const option = list(ana).getByRole('option').first();
    expect((await option.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    await option.tap();
    await expect(ana.composer).toHaveValue('@Bruno ');
    await expect(ana.composer).toBeFocused();
    await ana.page.getByTestId('send').tap();
    await bruno.sees('@Bruno');
  });
});
