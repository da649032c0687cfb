// A group's history can be read up to its start, whatever happens on the way.

import { NO_HASTE, fill, flood } from '../support/crowd.ts';
import type { Person } from '../support/person.ts';
import { together } from '../support/person.ts';
import { pointAtScroller, scrollToStart } from '../support/scroller.ts';
import { expect, test } from '../support/test.ts';

test.use({ serverFlags: NO_HASTE });
// Pages and their rows are loaded one after the other, which takes time.
test.describe.configure({ timeout: 180_000 });

const START = 'Este es el inicio de la conversación';

/** Repeats an action until the start of the conversation is visible. */
async function until(person: Person, again: () => Promise<void>, patience = 120_000): Promise<void> {
  // By its position: searching the texts of thousands of rows takes longer than loading them.
  const start = person.page.locator('.rows > .start');
  await expect(async () => {
    await again();
    await expect(start).toBeInViewport({ timeout: 100 });
  }).toPass({ timeout: patience, intervals: [20] });
}

/**
 * Every message is shown once and in order. With more than 240 messages, only those near the window are in the
 * document.
 */
async function isWhole(person: Person, messages: number): Promise<void> {
  const scroller = person.page.getByRole('region', { name: 'Mensajes' });
  const seen = new Set<number>();
  await scrollToStart(person.page);
  await expect(async () => {
    const texts = await person.texts.allTextContents();
    const numbers = texts.map((text) => Number(text.replace('mensaje ', '')));
    expect(numbers).toEqual(numbers.map((_, place) => (numbers[0] ?? 0) + place));
    for (const number of numbers) seen.add(number);
    await scroller.evaluate((scroller) => scroller.scrollBy(0, 600));
    expect(seen.size).toBe(messages);
  }).toPass({ intervals: [20] });
  expect(Math.max(...seen)).toBe(messages);
}

// Once, the flag «loading» was set by the request and cleared only when a page changed whether there are more messages.
// The second page did not change that, and «Cargando…» stayed forever.
for (const messages of [101, 260]) {
  test(`the first of ${messages} messages is reached by the wheel`, async ({ signUp }) => {
    const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
    await together(ana, bruno, 'Ruta Maya');
    await fill([ana, bruno], messages);
    await pointAtScroller(ana.page);
    await until(ana, () => ana.page.mouse.wheel(0, -900));
    await expect(ana.message('mensaje 1')).toBeInViewport();
    await expect(ana.page.getByText('Cargando…')).toHaveCount(0);
    await isWhole(ana, messages);
  });

  test(`the first of ${messages} messages is reached by the button`, async ({ signUp }) => {
    const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
    await together(ana, bruno, 'Ruta Maya');
    await fill([ana, bruno], messages);
    await expect(async () => {
      const button = ana.page.getByRole('button', { name: 'Ver mensajes anteriores' });
      if ((await button.count()) > 0) await button.click({ timeout: 1_000 });
      await expect(ana.page.getByText(START)).toHaveCount(1, { timeout: 100 });
    }).toPass({ timeout: 120_000, intervals: [20] });
    await isWhole(ana, messages);
  });

  test(`the first of ${messages} messages is reached by the keyboard`, async ({ signUp }) => {
    const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
    await together(ana, bruno, 'Ruta Maya');
    await fill([ana, bruno], messages);
    await ana.page.getByRole('region', { name: 'Mensajes' }).focus();
    for (const key of ['PageUp', 'PageUp', 'Home']) await ana.page.keyboard.press(key);
    await until(ana, () => ana.page.keyboard.press('Home'));
    await expect(ana.message('mensaje 1')).toBeInViewport();
    await isWhole(ana, messages);
  });
}

// HISTORY=5000 runs this with 5,000 messages, which takes minutes; client/tests/older.rs always uses that many.
const MANY = Number(process.env.HISTORY ?? '1000');

test(`the first of ${MANY} messages is reached`, async ({ signUp }) => {
  test.setTimeout(MANY * 300);
  const ana = await signUp('Ana');
  await ana.createGroup('Panamericana');
  await flood(ana, MANY);
  await ana.page.getByRole('region', { name: 'Mensajes' }).focus();
  await until(ana, () => ana.page.keyboard.press('Home'), MANY * 240);
  await expect(ana.message('mensaje 1')).toBeInViewport();
});

test('a page that does not come says so in its place, and the button asks again', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Barrancas del Cobre');
  await fill([ana, bruno], 120);
  let asked = 0;
  await ana.page.route(/\/messages\?.*before=/, async (route) => {
    asked += 1;
    await route.fulfill({ status: 503, body: '' });
  });
  await scrollToStart(ana.page);
  const again = ana.page.getByRole('button', { name: 'No pudimos cargarlos. Reintentar' });
  await expect(again).toBeVisible();
  // The page does not repeat the request by itself, however the reader scrolls.
  await pointAtScroller(ana.page);
  for (const delta of [200, -100, 100, -400]) await ana.page.mouse.wheel(0, delta);
  await expect(again).toBeVisible();
  expect(asked).toBe(1);
  await ana.page.unroute(/\/messages\?.*before=/);
  await again.click();
  await until(ana, () => scrollToStart(ana.page));
  await expect(ana.messages).toHaveCount(120);
});

test('a page that is under way while the group is changed leaves both groups as they should be', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Real del Monte');
  await fill([ana, bruno], 120);
  const first = ana.groupId;
  await ana.page.goto('/');
  await ana.createGroup('Huasca');
  await fill([ana], 120);
  await ana.page.goto(`/g/${first}`);
  await ana.isIn('Real del Monte');

  let pass = () => {};
  const gate = new Promise<void>((resolve) => {
    pass = resolve;
  });
  await ana.page.route(new RegExp(`${first}/messages\\?.*before=`), async (route) => {
    await gate;
    await route.continue();
  });
  await scrollToStart(ana.page);
  await expect(ana.page.getByRole('button', { name: 'Cargando…' })).toBeVisible();
  await ana.page.getByTestId('group-link').filter({ hasText: 'Huasca' }).click();
  await ana.isIn('Huasca');
  await until(ana, () => scrollToStart(ana.page));
  await expect(ana.messages).toHaveCount(120);

  pass();
  await ana.page.getByTestId('group-link').filter({ hasText: 'Real del Monte' }).click();
  await ana.isIn('Real del Monte');
  await until(ana, () => scrollToStart(ana.page));
  await expect(ana.messages).toHaveCount(120);
  await expect(ana.message('mensaje 1')).toHaveCount(1);
});
