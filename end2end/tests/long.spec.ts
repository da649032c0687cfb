// A conversation of ten thousand messages: only the rows near the window are in the document, and the reader does not
// notice it.

import type { Page } from '@playwright/test';
import { NO_HASTE, say, writeAll } from '../support/crowd.ts';
import { type Person, together } from '../support/person.ts';
import { hiddenBelow, pointAtScroller, settled, still, watch } from '../support/scroller.ts';
import type { ChatServer } from '../support/server.ts';
import { expect, test } from '../support/test.ts';

test.use({ serverFlags: NO_HASTE });
test.describe.configure({ timeout: 180_000 });

const MESSAGES = 10_000;
/** UX.md, T7. */
const MOST_ROWS = 300;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

declare global {
  interface Window {
    most: number;
    longest: number;
  }
}

/** Counts the rows at every change of the document, and the tasks that a browser calls long. */
async function count(page: Page): Promise<void> {
  await page.evaluate(() => {
    const rows = document.querySelector('.rows');
    if (rows === null) throw new Error('no rows');
    const look = () => {
      window.most = Math.max(window.most, rows.querySelectorAll('[data-line]').length);
    };
    window.most = 0;
    window.longest = 0;
    look();
    new MutationObserver(look).observe(rows, { childList: true });
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
    }).observe({ type: 'longtask' });
  });
}

/** Checks the number of rows so far. The other figures are only printed, because a debug build is slow. */
async function judged(page: Page, what: string): Promise<void> {
  const { most, longest } = await page.evaluate(() => {
    const seen = { most: window.most, longest: window.longest };
    window.longest = 0;
    return seen;
  });
  console.log(`${what}: ${most} rows at most, the longest task ${longest} ms`);
  expect(most).toBeLessThanOrEqual(MOST_ROWS);
}

/** Waits until scrolling has stopped, and returns the numbers of the visible messages from top to bottom. */
async function inSight(page: Page): Promise<number[]> {
  const seen = await page.evaluate(async () => {
    const scroller = document.querySelector('.scroller');
    if (scroller === null) throw new Error('no scroller');
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    // The scroller must be still for three frames, because the browser scrolls smoothly.
    for (let at = scroller.scrollTop, calm = 0; calm < 3; at = scroller.scrollTop) {
      await frame();
      calm = scroller.scrollTop === at ? calm + 1 : 0;
    }
    const pane = scroller.getBoundingClientRect();
    const lines = Array.from(scroller.querySelectorAll('.rows > :not(.pad)')).map((line) => ({
      box: line.getBoundingClientRect(),
      number: /^mensaje (\d+)/.exec(line.querySelector('.text')?.textContent ?? '')?.[1],
    })).filter(({ box }) => box.bottom > pane.top && box.top < pane.bottom);
    // Between the upper and the lower edge, no empty space is larger than the one between two days.
    let [edge, gap] = [pane.top, 0];
    for (const { box } of lines) {
      gap = Math.max(gap, box.top - edge);
      edge = Math.max(edge, box.bottom);
    }
    gap = Math.max(gap, pane.bottom - edge);
    return { gap, numbers: lines.flatMap(({ number }) => (number === undefined ? [] : [Number(number)])) };
  });
  expect(seen.gap, 'an empty part of the window').toBeLessThan(40);
  const [first] = seen.numbers;
  if (first === undefined) throw new Error('no message in sight');
  expect(seen.numbers).toEqual(seen.numbers.map((_, place) => first + place));
  return seen.numbers;
}

/** Opens a conversation that another program has written, with all of it loaded in the page. */
async function conversation(server: ChatServer, people: Person[], messages = MESSAGES): Promise<void> {
  const [reader] = people;
  if (reader === undefined) throw new Error('nobody to read');
  const { page } = reader;
  await writeAll(server.file, people, messages);
  // Pages of the server's maximal size, because fifty of them already take long enough.
  await page.route(/\/messages\?.*before=/, (route) => route.continue({ url: route.request().url().replace(/limit=\d+/, 'limit=200') }));
  await count(page);
  await page.getByRole('region', { name: 'Mensajes' }).focus();
  await expect(async () => {
    await page.keyboard.press('Home');
    await expect(page.getByText('Este es el inicio de la conversación')).toBeInViewport({ timeout: 100 });
  }).toPass({ timeout: 100_000, intervals: [20] });
  expect((await inSight(page))[0]).toBe(1);
  await judged(page, 'while older ones come');
  await page.keyboard.press('End');
}

test('ten thousand messages are read by wheel, keys and finger, and a few are in the document', async ({ server, signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await ana.page.setViewportSize(DESKTOP);
  await together(ana, bruno, 'Ruta 40');
  await conversation(server, [ana, bruno]);
  const { page } = ana;
  const scroller = page.getByRole('region', { name: 'Mensajes' });
  expect((await inSight(page)).at(-1)).toBe(MESSAGES);
  await judged(page, 'at the end');

  await test.step('the wheel', async () => {
    await pointAtScroller(page);
    let [first] = await inSight(page);
    for (let turn = 0; turn < 16; turn += 1) {
      await page.mouse.wheel(0, turn % 4 === 3 ? -6_000 : -450);
      const [above] = await inSight(page);
      expect(above).toBeLessThan(first ?? 0);
      first = above;
    }
    for (let turn = 0; turn < 16; turn += 1) {
      await page.mouse.wheel(0, turn % 4 === 0 ? 6_000 : 450);
      await inSight(page);
    }
    await judged(page, 'by the wheel');
  });

  await test.step('keys', async () => {
    await scroller.focus();
    await page.keyboard.press('Home');
    expect((await inSight(page))[0]).toBe(1);
    await expect(page.getByText('Este es el inicio de la conversación')).toBeInViewport();
    let [first] = await inSight(page);
    for (let turn = 0; turn < 12; turn += 1) {
      const key = turn % 5 === 4 ? 'ArrowDown' : 'PageDown';
      const seen = await inSight(page);
      await page.keyboard.press(key);
      const [below] = await inSight(page);
      // One page further, without skipping a row.
      expect(below).toBeGreaterThanOrEqual(first ?? 0);
      expect(below).toBeLessThanOrEqual((seen.at(-1) ?? 0) + 1);
      first = below;
    }
    for (let turn = 0; turn < 6; turn += 1) {
      await page.keyboard.press('PageUp');
      const [above] = await inSight(page);
      expect(above).toBeLessThan(first ?? 0);
      first = above;
    }
    await page.keyboard.press('End');
    expect((await inSight(page)).at(-1)).toBe(MESSAGES);
    expect(await hiddenBelow(page)).toBe(0);
    await judged(page, 'by keys');
  });

  await test.step('a finger', async () => {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Emulation.setTouchEmulationEnabled', { enabled: true });
    const finger = (type: 'touchStart' | 'touchMove' | 'touchEnd', y?: number) =>
      devtools.send('Input.dispatchTouchEvent', { type, touchPoints: y === undefined ? [] : [{ x: 700, y }] });
    const swipe = async (from: number, to: number) => {
      await finger('touchStart', from);
      for (let part = 1; part <= 5; part += 1) await finger('touchMove', from + ((to - from) * part) / 5);
      await finger('touchEnd');
      return inSight(page);
    };
    let [first] = await inSight(page);
    for (let turn = 0; turn < 6; turn += 1) {
      const [above] = await swipe(150, 650);
      expect(above).toBeLessThan(first ?? 0);
      first = above;
    }
    for (let turn = 0; turn < 4; turn += 1) {
      const [below] = await swipe(650, 150);
      // The swipe may reach the end.
      expect(below).toBeGreaterThanOrEqual(first ?? 0);
      first = below;
    }
    await devtools.send('Emulation.setTouchEmulationEnabled', { enabled: false });
    await judged(page, 'by a finger');
  });

  await test.step('the bar', async () => {
    for (const part of [0.5, 0.02, 0.97, 0.35]) {
      await scroller.evaluate((scroller, part) => {
        scroller.scrollTop = (scroller.clientHeight - scroller.scrollHeight) * part;
      }, part);
      const [first] = await inSight(page);
      expect(Math.abs((first ?? 0) / MESSAGES - (1 - part))).toBeLessThan(0.05);
    }
    await judged(page, 'by the bar');
  });

  await test.step('what comes meanwhile', async () => {
    await scroller.evaluate((scroller) => {
      scroller.scrollTop = (scroller.clientHeight - scroller.scrollHeight) * 0.6;
    });
    await inSight(page);
    await watch(page);
    for (const text of ['uno', 'dos', 'tres']) await say(bruno, text, ana.groupId);
    const latest = page.getByRole('button', { name: /3 mensajes nuevos.*Ir al último/ });
    await expect(latest).toBeVisible();
    await still(page);
    await expect(page.getByRole('log').getByText('tres')).toHaveCount(1);
    await latest.click();
    await expect(ana.message('tres')).toBeInViewport({ ratio: 1 });
    await settled(page);
    expect(await hiddenBelow(page)).toBe(0);
    await say(bruno, 'cuatro', ana.groupId);
    await expect(ana.message('cuatro')).toBeInViewport({ ratio: 1 });
    await scroller.focus();
    await page.keyboard.press('Home');
    await inSight(page);
    await ana.send('lo mío');
    await expect(ana.message('lo mío')).toBeInViewport({ ratio: 1 });
    await judged(page, 'while others write');
  });

  await test.step('another width', async () => {
    await scroller.evaluate((scroller) => {
      scroller.scrollTop = (scroller.clientHeight - scroller.scrollHeight) * 0.4;
    });
    const [first] = await inSight(page);
    await page.setViewportSize(PHONE);
    const [narrow] = await inSight(page);
    expect(Math.abs((narrow ?? 0) - (first ?? 0))).toBeLessThanOrEqual(1);
    await judged(page, 'on a phone');
  });
});

// Once, the rows below were removed before the space for them existed, and the browser scrolled to the rows that were
// left.
test('who opens a group with more unread messages than a page stays at the first of them when older ones come', async ({ server, signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Ruta 40');
  const here = bruno.page.url();
  await writeAll(server.file, [ana, bruno], 1_000);
  const older = bruno.page.waitForResponse(/\/messages\?.*before=/);
  await bruno.page.goto(here);
  await older;
  await count(bruno.page);
  await expect.poll(async () => (await bruno.messages.count()) < 199).toBe(true);
  const [first] = await inSight(bruno.page);
  expect(first).toBeGreaterThan(800);
  expect(first).toBeLessThan(806);
  await judged(bruno.page, 'at the first unread message');
});
