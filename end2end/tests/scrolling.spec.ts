// The reader's place: visible rows move only when the reader scrolls.

import { setTimeout as pause } from 'node:timers/promises';
import type { Locator, Page } from '@playwright/test';
import { NO_HASTE, fill, post, say } from '../support/crowd.ts';
import { type Person, together } from '../support/person.ts';
import { hiddenBelow, pointAtScroller, scrollToStart, scrollUp, settled, still, watch } from '../support/scroller.ts';
import { expect, test } from '../support/test.ts';

test.use({ serverFlags: NO_HASTE });
test.describe.configure({ timeout: 120_000 });

const PHONE = { width: 390, height: 664 };
const DESKTOP = { width: 1280, height: 800 };
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Two people with a conversation; the first of them reads it. */
async function conversation(signUp: (name: string) => Promise<Person>, messages: number, size = DESKTOP): Promise<[Person, Talker]> {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Costa Chica');
  await ana.page.setViewportSize(size);
  await fill([ana, bruno], messages);
  const group = ana.groupId;
  return [ana, (text) => say(bruno, text, group)];
}

/** Sends a message as the other person, who has no page. */
type Talker = (text: string) => Promise<void>;

/** Writes messages at this pace; the text determines the height of the row. */
async function burst(talk: Talker, texts: string[], every: number): Promise<void> {
  for (const text of texts) {
    const wait = pause(every);
    await talk(text);
    await wait;
  }
}

function lines(number: number): string {
  return `ráfaga ${number}${' y otra línea de texto que se parte en el teléfono'.repeat(number % 4)}`;
}

// Once, the scroll event of the correction itself caused a new measurement after the next row was added and before its
// frame: twelve messages moved the row that Ana was reading by 38 to 420 pixels.
for (const every of [30, 80, 130, 250]) {
  test(`twelve messages, one every ${every} ms, move nothing that is being read`, async ({ signUp }) => {
    const [ana, bruno] = await conversation(signUp, 48);
    await scrollUp(ana.page, 700);
    await watch(ana.page);
    await burst(bruno, Array.from({ length: 12 }, (_, number) => lines(number)), every);
    await expect(ana.messages.filter({ hasText: 'ráfaga' })).toHaveCount(12);
    await still(ana.page);
    await expect(ana.page.getByRole('button', { name: /12 mensajes nuevos.*Ir al último/ })).toBeVisible();
    await ana.page.getByRole('button', { name: /Ir al último/ }).click();
    await settled(ana.page);
    expect(await hiddenBelow(ana.page)).toBe(0);
    await expect(ana.page.getByRole('button', { name: /Ir al último/ })).toHaveCount(0);
  });
}

test('twenty messages a second move nothing on a slow phone, while its reader scrolls', async ({ signUp }) => {
  const [ana, bruno] = await conversation(signUp, 48, PHONE);
  const devtools = await ana.page.context().newCDPSession(ana.page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 6 });
  await scrollUp(ana.page, 700);
  await watch(ana.page);
  await burst(bruno, Array.from({ length: 40 }, (_, number) => lines(number)), 50);
  await expect(ana.messages.filter({ hasText: 'ráfaga' })).toHaveCount(40, { timeout: 30_000 });
  await still(ana.page);
  // The reader's own scrolling in the meantime is neither undone nor extended.
  const row = ana.message('mensaje 30');
  const before = await row.boundingBox();
  const writing = burst(bruno, Array.from({ length: 20 }, (_, number) => `segunda ${lines(number)}`), 50);
  await pointAtScroller(ana.page);
  for (let turn = 0; turn < 4; turn += 1) {
    await ana.page.mouse.wheel(0, -50);
    await settled(ana.page);
  }
  await writing;
  await expect(ana.messages.filter({ hasText: 'segunda' })).toHaveCount(20, { timeout: 30_000 });
  await expect
    .poll(async () => Math.abs(((await row.boundingBox())?.y ?? 0) - (before?.y ?? 0) - 200), { timeout: 10_000 })
    .toBeLessThanOrEqual(2);
});

// Once, the first older page removed the author's name from the row below it: 19 pixels.
for (const size of [DESKTOP, PHONE]) {
  for (const top of [0, 20, 99]) {
    test(`older pages move nothing at ${top} px below the start, ${size.width} px wide`, async ({ signUp }) => {
      const [ana] = await conversation(signUp, 230, size);
      for (const shown of [100, 150, 200, 230]) {
        await scrollToStart(ana.page, top);
        await watch(ana.page);
        await expect(ana.messages).toHaveCount(shown);
        await still(ana.page, `at ${shown} messages the row`);
      }
    });
  }
}

test('on a phone the way to the members and back keeps the place, and the next message too', async ({ signUp }) => {
  const [ana, bruno] = await conversation(signUp, 48, PHONE);
  await scrollUp(ana.page, 900);
  const place = await hiddenBelow(ana.page);
  expect(place).toBe(900);
  await watch(ana.page);
  await ana.page.getByTestId('show-members').click();
  await expect(ana.page.getByRole('complementary', { name: 'Integrantes' })).toBeInViewport();
  await bruno('mientras tanto');
  await expect(ana.message('mientras tanto')).toHaveCount(1);
  await ana.page.goBack();
  await expect(ana.page.getByRole('complementary', { name: 'Integrantes' })).not.toBeInViewport();
  await bruno('y después');
  await expect(ana.message('y después')).toHaveCount(1);
  await still(ana.page);
});

test('the list of groups keeps its place when another group is opened', async ({ signUp }) => {
  const ana = await signUp('Ana');
  for (let number = 0; number < 30; number += 1) await post(ana, '/groups', { name: `Grupo ${number}` });
  await ana.page.goto('/');
  const list = ana.page.locator('.groups');
  await list.evaluate((list) => list.scrollTo(0, 600));
  const row = ana.page.getByTestId('group-link').nth(14);
  const name = (await row.locator('.group-name').textContent()) ?? '';
  await row.click();
  await ana.isIn(name);
  expect(await list.evaluate((list) => list.scrollTop)).toBe(600);
});

test('rows that grow above or below leave what is being read where it is', async ({ signUp }) => {
  const [ana] = await conversation(signUp, 48);
  await scrollUp(ana.page, 900);
  await watch(ana.page, false);
  for (const which of ['first', 'last'] as const) {
    for (const height of [61.5, 300, 0]) {
      // Like a picture that loads late, or a text that a script unfolds.
      await ana.messages[which]().evaluate((row, height) => {
        (row as HTMLElement).style.paddingBottom = `${height}px`;
      }, height);
      await settled(ana.page);
    }
  }
  await still(ana.page);
  // All at once, as when a font arrives. Rows between the upper edge and the watched row grow, too.
  const edge = await firstInSight(ana.page);
  await ana.page.evaluate(() => {
    document.styleSheets[0]?.insertRule('.text { font-family: monospace; letter-spacing: 0.5px; line-height: 1.7 }');
  });
  await settled(ana.page);
  const after = await firstInSight(ana.page);
  expect(after.text).toBe(edge.text);
  expect(Math.abs(after.top - edge.top)).toBeLessThanOrEqual(1);
});

test('a composer that grows and a keyboard that opens push nothing, and who reads the newest keeps them in sight', async ({ signUp }) => {
  const [ana, bruno] = await conversation(signUp, 48, PHONE);
  await scrollUp(ana.page, 900);
  await watch(ana.page, false);
  await ana.composer.fill('uno\ndos\ntres\ncuatro\ncinco');
  await settled(ana.page);
  await ana.page.setViewportSize({ width: PHONE.width, height: 400 });
  await settled(ana.page);
  await bruno('con el teclado abierto');
  await expect(ana.message('con el teclado abierto')).toHaveCount(1);
  await ana.page.setViewportSize(PHONE);
  await settled(ana.page);
  await ana.composer.fill('');
  await settled(ana.page);
  await still(ana.page);

  await ana.page.getByRole('button', { name: /Ir al último/ }).click();
  await ana.composer.fill('uno\ndos\ntres\ncuatro\ncinco');
  await ana.page.setViewportSize({ width: PHONE.width, height: 400 });
  await settled(ana.page);
  expect(await hiddenBelow(ana.page)).toBe(0);
  await expect(ana.message('con el teclado abierto')).toBeInViewport({ ratio: 1 });
});

test('a group opens at the first unread message, and there it stays until the end is in sight', async ({ signUp }) => {
  const [ana, bruno] = await conversation(signUp, 40);
  const here = ana.page.url();
  await ana.page.goto('/');
  for (let number = 0; number < 30; number += 1) await bruno(`nuevo ${number}`);
  await ana.page.goto(here);
  await ana.isOnline();
  const divider = ana.page.getByText('Mensajes no leídos');
  await expect(divider).toBeInViewport();
  await settled(ana.page);
  const box = await divider.boundingBox();
  expect(box?.y).toBeLessThan(DESKTOP.height / 3);
  await bruno('uno más');
  await expect(ana.message('uno más')).toHaveCount(1);
  await settled(ana.page);
  expect(Math.abs(((await divider.boundingBox())?.y ?? 0) - (box?.y ?? 0))).toBeLessThanOrEqual(1);
});

// Once, a group that was opened from the list dropped the page that was loaded for it, and requested a shorter one.
test('a group that is opened from the list opens at the first of many unread messages, with one request', async ({ signUp }) => {
  const [ana, bruno] = await conversation(signUp, 40);
  const here = ana.page.url();
  await ana.page.goto('/');
  for (let number = 1; number <= 150; number += 1) await bruno(`nuevo ${number}`);
  // The page of another group, so that the session runs and knows the group only from the list.
  await post(ana, '/groups', { name: 'Sierra Sur' });
  await ana.page.goto('/');
  await ana.page.getByTestId('group-link').filter({ hasText: 'Sierra Sur' }).click();
  await ana.isIn('Sierra Sur');
  await ana.isOnline();
  const asked: string[] = [];
  ana.page.on('request', (request) => {
    if (/\/messages(\?|$)/.test(request.url())) asked.push(request.url());
  });
  await ana.page.getByTestId('group-link').filter({ hasText: 'Costa Chica' }).click();
  await ana.page.waitForURL(here);
  const divider = ana.page.getByText('Mensajes no leídos');
  await expect(divider).toBeInViewport();
  await expect(ana.message('nuevo 1')).toBeInViewport();
  await settled(ana.page);
  const box = await divider.boundingBox();
  expect(box?.y).toBeLessThan(DESKTOP.height / 3);
  await bruno('uno más');
  await expect(ana.page.getByRole('button', { name: /Ir al último/ })).toBeVisible();
  await pause(1_500);
  await settled(ana.page);
  expect(Math.abs(((await divider.boundingBox())?.y ?? 0) - (box?.y ?? 0))).toBeLessThanOrEqual(1);
  expect(asked.map((url) => new URL(url).search)).toEqual(['?limit=170']);
});

test('who is near the end follows, who is further up does not, and the own message is always shown', async ({ signUp }) => {
  const [ana, bruno] = await conversation(signUp, 48);
  await scrollUp(ana.page, 149);
  await bruno('cerca');
  await expect(ana.message('cerca')).toBeInViewport({ ratio: 1 });
  await settled(ana.page);
  expect(await hiddenBelow(ana.page)).toBe(0);

  await scrollUp(ana.page, 200);
  await watch(ana.page);
  await bruno('lejos');
  await expect(ana.message('lejos')).toHaveCount(1);
  await still(ana.page);

  await ana.send('lo mío');
  await expect(ana.message('lo mío')).toBeInViewport({ ratio: 1 });
  await settled(ana.page);
  expect(await hiddenBelow(ana.page)).toBe(0);
});

// Once, the browser's smooth scrolling to the end stopped where the label of the day appeared or disappeared.
test('one Home and one End go all the way, over every day', async ({ signUp }) => {
  const [ana] = await conversation(signUp, 200);
  await ana.page.route(/\/messages\?.*before=/, async (route) => {
    const answer = await route.fetch();
    const page = (await answer.json()) as { messages: { seq: number; created_at: string }[] };
    for (const message of page.messages) {
      const days = 1 + Math.floor((200 - message.seq) / 20);
      message.created_at = new Date(Date.parse(message.created_at) - days * DAY_MS).toISOString();
    }
    await route.fulfill({ response: answer, json: page });
  });
  await expect(async () => {
    await scrollToStart(ana.page);
    await expect(ana.messages).toHaveCount(200, { timeout: 500 });
  }).toPass();
  const scroller = ana.page.getByRole('region', { name: 'Mensajes' });
  await scroller.focus();
  const most = await scroller.evaluate((scroller) => scroller.scrollHeight - scroller.clientHeight);
  for (const [key, goal] of [['End', 0], ['Home', most]] as const) {
    for (const part of [0.1, 0.45, 0.7, 1]) {
      const from = Math.round(part * most);
      await scrollUp(ana.page, key === 'End' ? from : most - from);
      await ana.page.keyboard.press(key);
      await expect.poll(() => hiddenBelow(ana.page), `${key} from ${from} px away`).toBeCloseTo(goal, 0);
    }
  }
});

// Once, the row was kept in place by its upper edge, far above the window: «Ver más» and its bubble moved out of view.
for (const size of [DESKTOP, PHONE]) {
  for (const place of [0.25, 0.6, 0.95]) {
    test(`a message that is folded stays in sight, ${size.width} px wide, at ${place}`, async ({ signUp }) => {
      const [ana, bruno] = await conversation(signUp, 30, size);
      await bruno(Array.from({ length: 60 }, (_, line) => `parada ${line + 1}`).join('\n'));
      for (let number = 0; number < 30; number += 1) await bruno(`después ${number}`);
      const row = ana.messages.filter({ hasText: 'parada 60' });
      await expect(ana.message('después 29')).toHaveCount(1);
      const fold = row.getByTestId('fold');
      await fold.click();
      await expect(fold).toHaveText('Ver menos');
      await settled(ana.page);
      // Puts the lower edge of the bubble at this part of the scroller.
      await row.evaluate((row, place) => {
        const scroller = row.closest('.scroller');
        if (scroller === null) throw new Error('no scroller');
        const pane = scroller.getBoundingClientRect();
        scroller.scrollTop += row.getBoundingClientRect().bottom - (pane.top + pane.height * place);
      }, place);
      await settled(ana.page);
      const before = await edges(row);
      expect(before.top).toBeLessThan(0);
      await fold.click();
      await expect(fold).toHaveText('Ver más');
      await settled(ana.page);
      const after = await edges(row);
      await expect(fold).toBeInViewport({ ratio: 1 });
      if (Math.abs(after.bottom - before.bottom) > 2) {
        expect(after.bottom).toBeLessThanOrEqual(after.height + 2);
        expect(Math.min(Math.abs(after.top), Math.abs(after.bottom - after.height))).toBeLessThanOrEqual(2);
      }
      // And there it stays.
      await bruno('y otro más');
      await expect(ana.message('y otro más')).toHaveCount(1);
      await settled(ana.page);
      expect(Math.abs((await edges(row)).top - after.top)).toBeLessThanOrEqual(2);
    });
  }
}

/** A row's position in the scroller, and the scroller's height. */
async function edges(row: Locator): Promise<{ top: number; bottom: number; height: number }> {
  return row.evaluate((row) => {
    const pane = row.closest('.scroller')?.getBoundingClientRect() ?? new DOMRect();
    const { top, bottom } = row.getBoundingClientRect();
    return { top: top - pane.top, bottom: bottom - pane.top, height: pane.height };
  });
}

/** The first row that is completely visible. */
async function firstInSight(page: Page): Promise<{ text: string; top: number }> {
  return page.evaluate(() => {
    const pane = document.querySelector('.scroller')?.getBoundingClientRect();
    const rows = Array.from(document.querySelectorAll('[data-testid="message"]'));
    const row = rows.find((row) => row.getBoundingClientRect().top >= (pane?.top ?? 0));
    return { text: row?.querySelector('.text')?.textContent ?? '', top: row?.getBoundingClientRect().top ?? 0 };
  });
}
