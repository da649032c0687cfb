// What one does with a message: reply, react, edit, delete, pin, link; by mouse, keyboard and finger; without a network.

import type { Locator } from '@playwright/test';
import { NO_HASTE, fill, say } from '../support/crowd.ts';
import { history } from '../support/history.ts';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { Wire } from '../support/wire.ts';

test.use({ serverFlags: NO_HASTE });

const PHONE = { width: 390, height: 844 };

/** Opens the menu of a message by the bar that the mouse shows. */
async function menuOf(person: Person, text: string): Promise<Locator> {
  await person.message(text).locator('.bubble').hover();
  await person.page.getByTestId('bar-more').click();
  const menu = person.page.getByTestId('message-menu');
  await expect(menu.getByTestId('menu-close')).toBeVisible();
  return menu;
}

async function choose(person: Person, text: string, entry: string): Promise<void> {
  await (await menuOf(person, text)).getByTestId(entry).click();
  await expect(person.page.getByTestId('message-menu')).toBeHidden();
}

function reaction(person: Person, text: string, emoji: string): Locator {
  return person.message(text).locator(`[data-emoji="${emoji}"]`);
}

test('a reply quotes the original, and a press on it goes there and back', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.send('¿Salimos a las seis?');
  await bruno.sees('¿Salimos a las seis?');
  await bruno.message('¿Salimos a las seis?').locator('.bubble').hover();
  await bruno.page.getByTestId('bar-reply').click();
  await expect(bruno.page.getByTestId('composer-mode')).toContainText('Respondes a');
  await expect(bruno.composer).toBeFocused();
  await bruno.page.keyboard.type('Mejor a las siete');
  await bruno.page.keyboard.press('Enter');
  await expect(bruno.page.getByTestId('composer-mode')).toHaveCount(0);
  for (const person of [ana, bruno]) {
    await person.sees('Mejor a las siete');
    const quote = person.message('Mejor a las siete').getByTestId('quote');
    await expect(quote).toContainText('Ana');
    await expect(quote).toContainText('¿Salimos a las seis?');
  }
  // An edited original is quoted as it is now, and at the end a deleted one.
  await choose(ana, '¿Salimos a las seis?', 'menu-edit');
  await ana.send('¿Salimos a las cinco?');
  await expect(bruno.message('Mejor a las siete').getByTestId('quote')).toContainText('¿Salimos a las cinco?');
  for (let number = 1; number <= 40; number += 1) await say(ana, `relleno ${number}`);
  await bruno.send('fin');
  await bruno.seesSent('fin');
  const quote = bruno.message('Mejor a las siete').getByTestId('quote');
  await quote.scrollIntoViewIfNeeded();
  await quote.click();
  await expect(bruno.message('¿Salimos a las cinco?')).toBeInViewport();
  await expect(bruno.message('¿Salimos a las cinco?')).toHaveClass(/\blit\b/);
  await bruno.page.getByTestId('go-back').click();
  await expect(bruno.message('Mejor a las siete')).toBeInViewport();
  await expect(bruno.page.getByTestId('go-back')).toBeHidden();
  const original = (await history(ana))[0]?.id ?? '';
  const gone = await ana.page.request.delete(`/api/v1/groups/${ana.groupId}/messages/${original}`, { headers: { 'sec-fetch-site': 'same-origin' } });
  expect(gone.ok()).toBe(true);
  await expect(quote).toContainText('Se eliminó este mensaje');
});

test('reactions are counted for everybody, and one takes back only the own one', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.send('Llegamos');
  await bruno.sees('Llegamos');
  await bruno.message('Llegamos').locator('.bubble').hover();
  await bruno.page.getByTestId('bar-react').click();
  const quick = bruno.page.getByTestId('message-menu').getByTestId('quick');
  await expect(quick).toHaveText(['👍', '❤️', '😂', '😮', '😢', '🙏']);
  await quick.nth(1).click();
  await expect(reaction(ana, 'Llegamos', '❤️')).toHaveText('❤️1');
  await expect(reaction(ana, 'Llegamos', '❤️')).toHaveAttribute('aria-pressed', 'false');
  await expect(reaction(ana, 'Llegamos', '❤️')).toHaveAttribute('title', /Bruno/);
  // A finger learns it in the menu.
  await (await menuOf(ana, 'Llegamos')).getByTestId('menu-reactors').click();
  await expect(ana.page.getByTestId('reactors')).toHaveText('❤️Bruno');
  await ana.page.keyboard.press('Escape');
  await reaction(ana, 'Llegamos', '❤️').click();
  for (const person of [ana, bruno]) {
    await expect(reaction(person, 'Llegamos', '❤️')).toHaveText('❤️2');
    await expect(reaction(person, 'Llegamos', '❤️')).toHaveAttribute('aria-pressed', 'true');
  }
  // By keyboard, and the chip keeps the focus.
  await reaction(ana, 'Llegamos', '❤️').focus();
  await ana.page.keyboard.press('Enter');
  await expect(reaction(bruno, 'Llegamos', '❤️')).toHaveText('❤️1');
  await expect(reaction(ana, 'Llegamos', '❤️')).toBeFocused();
  await ana.page.reload();
  await expect(reaction(ana, 'Llegamos', '❤️')).toHaveText('❤️1');
});

test('an edit takes the place of what is being written, and Escape brings that back', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.send('Nos vemos en la terminal');
  await ana.seesSent('Nos vemos en la terminal');
  // ↑ in the empty field edits the last own message; Escape leaves it as it is.
  await ana.composer.press('ArrowUp');
  await expect(ana.page.getByTestId('composer-mode')).toContainText('Editando');
  await expect(ana.composer).toHaveValue('Nos vemos en la terminal');
  await ana.composer.press('Escape');
  await expect(ana.composer).toHaveValue('');
  await ana.composer.fill('un borrador');
  await ana.composer.press('ArrowUp');
  await expect(ana.page.getByTestId('composer-mode'), 'with a text the caret moves').toHaveCount(0);
  await choose(ana, 'Nos vemos en la terminal', 'menu-edit');
  await expect(ana.composer).toHaveValue('Nos vemos en la terminal');
  await ana.send('Nos vemos en el puerto');
  await expect(ana.composer, 'the draft is back').toHaveValue('un borrador');
  for (const person of [ana, bruno]) {
    await person.sees('Nos vemos en el puerto');
    await expect(person.message('Nos vemos en el puerto').locator('.edited')).toHaveText('(editado)');
    await expect(person.message('Nos vemos en la terminal')).toHaveCount(0);
  }
  await ana.page.reload();
  await expect(ana.composer).toHaveValue('un borrador');
});

test('a deletion is asked for once, can be undone, and is sent after that', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.send('me equivoqué');
  await bruno.sees('me equivoqué');
  const first = await menuOf(ana, 'me equivoqué');
  await first.getByTestId('menu-delete').click();
  await first.getByTestId('delete-no').click();
  await expect(first.getByTestId('menu-delete')).toBeVisible();
  await first.getByTestId('menu-delete').click();
  await first.getByTestId('delete-yes').click();
  await expect(ana.page.locator('[data-testid="message"][data-state="deleted"]')).toHaveCount(1);
  await ana.page.getByTestId('undo-delete').getByRole('button').click();
  await ana.sees('me equivoqué');
  await bruno.sees('me equivoqué');
  const deleted = (person: Person) => person.page.locator('[data-testid="message"][data-state="deleted"]');
  await ana.page.clock.install();
  const remove = async (text: string) => {
    const menu = await menuOf(ana, text);
    await menu.getByTestId('menu-delete').click();
    await ana.page.clock.pauseAt((await ana.page.evaluate(() => Date.now())) + 100);
    await menu.getByTestId('delete-yes').click();
    await ana.page.clock.runFor(4_500);
  };
  await remove('me equivoqué');
  await expect(ana.page.getByTestId('undo-delete')).toBeVisible();
  await expect(deleted(ana)).toHaveCount(1);
  // For five seconds only Ana's page knows.
  await bruno.send('¿qué?');
  await bruno.seesSent('¿qué?');
  await bruno.sees('me equivoqué');
  await ana.page.clock.runFor(1_000);
  await ana.page.clock.resume();
  for (const person of [ana, bruno]) await expect(deleted(person)).toHaveCount(1);
  await expect(ana.page.getByTestId('undo-delete')).toHaveCount(0);
  // Who manages the group deletes what others wrote, too.
  await remove('¿qué?');
  await ana.page.clock.runFor(1_000);
  await ana.page.clock.resume();
  for (const person of [ana, bruno]) await expect(deleted(person)).toHaveCount(2);
  // Nothing can be done with it, and nobody may delete what somebody else wrote without the right to.
  await ana.send('mío');
  await bruno.sees('mío');
  await expect((await menuOf(bruno, 'mío')).getByTestId('menu-delete')).toHaveCount(0);
});

test('a page that ends before a deletion was sent sends it', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Sola');
  await ana.send('adiós');
  await ana.seesSent('adiós');
  const menu = await menuOf(ana, 'adiós');
  await menu.getByTestId('menu-delete').click();
  await menu.getByTestId('delete-yes').click();
  await ana.page.reload();
  await expect(ana.page.locator('[data-testid="message"][data-state="deleted"]')).toHaveCount(1);
});

test('pins stand under the header, and a press walks from the newest to the oldest', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  for (const text of ['hotel', 'vuelo']) {
    await ana.send(text);
    await ana.seesSent(text);
    await choose(ana, text, 'menu-pin');
    await expect(ana.page.getByTestId('pins')).toContainText(text);
  }
  const pins = bruno.page.getByTestId('pins');
  await expect(pins).toContainText('Fijado 1 de 2');
  await expect(pins).toContainText('vuelo');
  const address = bruno.page.url();
  await fill([ana, bruno], 200);
  await bruno.page.goto(address);
  await bruno.isOnline();
  await pins.click();
  await expect(bruno.message('vuelo')).toBeInViewport();
  await expect(pins).toContainText('hotel');
  await pins.click();
  await expect(bruno.message('hotel')).toBeInViewport();
  await choose(bruno, 'hotel', 'menu-pin');
  await expect(pins).toContainText('Fijado 1 de 1');
  // The details list them, the newest first, and a press goes there.
  const list = ana.page.getByTestId('pins-list');
  await ana.page.goto(new URL(address).pathname);
  await ana.isOnline();
  await choose(bruno, 'hotel', 'menu-pin');
  await expect(list.locator('summary')).toHaveText('Mensajes fijados (2)');
  await list.locator('summary').click();
  await expect(list.locator('.pin-row-text')).toHaveText(['hotel', 'vuelo']);
  await list.locator('.pin-row', { hasText: 'vuelo' }).click();
  await expect(ana.message('vuelo')).toBeInViewport();
});

test('a link to a message opens the conversation there, also far back', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.send('el principio');
  await ana.seesSent('el principio');
  const id = (await history(ana))[0]?.id ?? '';
  await ana.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await choose(ana, 'el principio', 'menu-link');
  const copied = () => ana.page.evaluate(() => navigator.clipboard.readText());
  await expect.poll(copied).toContain(`/g/${ana.groupId}/m/${id}`);
  await choose(ana, 'el principio', 'menu-copy');
  await expect.poll(copied).toBe('el principio');
  await fill([ana, bruno], 400);
  await bruno.page.goto(`/g/${ana.groupId}/m/${id}`);
  await expect(bruno.message('el principio')).toBeInViewport();
  // It is lit for a moment.
  await expect(bruno.message('el principio')).toHaveClass(/\blit\b/);
  await expect(bruno.message('el principio')).not.toHaveClass(/\blit\b/);
  // From there, back to the newest.
  await bruno.page.locator('.to-latest').click();
  await expect(bruno.message('mensaje 400')).toBeInViewport();
  await bruno.page.goto(`/g/${ana.groupId}/m/00000000-0000-7000-8000-000000000000`);
  await expect(bruno.page.locator('.toast')).toContainText('ya no existe');
});

test('what is done without a network is shown at once and goes out later', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.send('uno');
  await bruno.send('dos');
  for (const person of [ana, bruno]) for (const text of ['uno', 'dos']) await person.sees(text);
  const wire = await Wire.of(ana.page);
  await ana.page.reload();
  await ana.isOnline();
  await wire.cut();
  await choose(ana, 'uno', 'menu-edit');
  await ana.send('uno, corregido');
  await expect(ana.message('uno, corregido')).toHaveAttribute('data-state', 'pending');
  await (await menuOf(ana, 'dos')).getByTestId('quick').first().click();
  await expect(reaction(ana, 'dos', '👍')).toHaveClass(/reaction-waits/);
  await expect(bruno.message('uno')).toHaveCount(1);
  await wire.mend();
  await bruno.sees('uno, corregido');
  await expect(reaction(bruno, 'dos', '👍')).toHaveText('👍1');
  await expect(reaction(ana, 'dos', '👍')).not.toHaveClass(/reaction-waits/);
  await expect(ana.pending).toHaveCount(0);
});

test('the author of a message sees who has read it', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await ana.send('leído');
  await bruno.sees('leído');
  await expect(ana.message('leído').getByTestId('message-tick')).toHaveAttribute('aria-label', 'Leído por todos');
  await (await menuOf(ana, 'leído')).getByTestId('menu-info').click();
  await expect(ana.page.getByTestId('readers')).toContainText('Bruno');
});

test('everything is reached by keyboard alone', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Sola');
  for (const text of ['uno', 'dos', 'tres']) {
    await ana.send(text);
    await ana.seesSent(text);
  }
  const region = ana.page.getByRole('region', { name: 'Mensajes' });
  await region.focus();
  await ana.page.keyboard.press('ArrowUp');
  await expect(ana.message('tres')).toBeFocused();
  await ana.page.keyboard.press('ArrowUp');
  await expect(ana.message('dos')).toBeFocused();
  const menu = ana.page.getByTestId('message-menu');
  // The focus shows the bar, too.
  await expect(ana.page.getByTestId('bar-react')).toBeVisible();
  for (const key of ['Enter', 'Shift+F10', 'ContextMenu']) {
    await ana.page.keyboard.press(key);
    await expect(menu.getByTestId('menu-close'), key).toBeVisible();
    // The focus goes round in the menu; between its ends it is on nothing of the page.
    for (let steps = 0; steps < 20; steps += 1) {
      await ana.page.keyboard.press('Tab');
      expect(await ana.page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest('dialog') !== null)).toBe(true);
    }
    await ana.page.keyboard.press('Escape');
    await expect(menu).toBeHidden();
    await expect(ana.message('dos')).toBeFocused();
  }
  await ana.page.keyboard.press('Enter');
  await expect(menu.getByTestId('menu-reply')).toBeVisible();
  while (!(await menu.getByTestId('menu-reply').evaluate((entry) => entry === document.activeElement))) {
    await ana.page.keyboard.press('ArrowDown');
  }
  await ana.page.keyboard.press('Enter');
  await expect(ana.composer).toBeFocused();
  await ana.page.keyboard.type('a dos');
  await ana.page.keyboard.press('Enter');
  await expect(ana.message('a dos').getByTestId('quote')).toContainText('dos');
});

test.describe('by finger', () => {
  test.use({ viewport: PHONE, hasTouch: true, isMobile: true });

  test('a long press opens the sheet, and a swipe to the right replies', async ({ signUp }) => {
    const ana = await signUp('Ana');
    await ana.createGroup('Sola');
    await ana.composer.fill('hola');
    await ana.page.getByTestId('send').tap();
    await ana.seesSent('hola');
    const devtools = await ana.page.context().newCDPSession(ana.page);
    const touch = (type: string, points: { x: number; y: number }[]) => devtools.send('Input.dispatchTouchEvent', { type: type as 'touchStart', touchPoints: points });
    const box = await ana.message('hola').locator('.bubble').boundingBox();
    if (box === null) throw new Error('no bubble');
    const at = { x: box.x + 20, y: box.y + box.height / 2 };
    await touch('touchStart', [at]);
    await expect(ana.page.getByTestId('message-menu')).toBeVisible();
    await touch('touchEnd', []);
    await expect(ana.page.getByTestId('menu-reply')).toBeVisible();
    await ana.page.getByTestId('menu-close').tap();
    await expect(ana.page.getByTestId('message-menu')).toBeHidden();
    await touch('touchStart', [at]);
    for (const x of [10, 25, 40, 60, 75]) await touch('touchMove', [{ x: at.x + x, y: at.y }]);
    await touch('touchEnd', []);
    await expect(ana.page.getByTestId('composer-mode')).toContainText('hola');
    await ana.page.getByTestId('composer-cancel').click();
    await expect(ana.page.getByTestId('composer-mode')).toHaveCount(0);
  });
});
