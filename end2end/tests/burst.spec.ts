// Many messages at once: the page shows them once per frame, and a person who types does not notice them.

import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import { NO_HASTE, groupOf, scriptOf, writeAll } from '../support/crowd.ts';
import { type Person, together } from '../support/person.ts';
import type { SeedClient } from '../support/seed.ts';
import type { ChatServer } from '../support/server.ts';
import { type SignUp, expect, test } from '../support/test.ts';

test.use({ serverFlags: NO_HASTE });
// Also when traces are asked for: recording one takes a picture of the page after every change, which is more work than
// all of the page's own.
test.use({ trace: 'off' });
test.describe.configure({ timeout: 180_000 });

/** More than fit into the document, so that only those near the window have rows. */
const HISTORY = 400;
/** A phone of the middle class, compared with a desktop computer. */
const SLOWER = 4;
const SECONDS = 8;
/** Messages that come at once. */
const BURST = 150;
/** Messages a second in the open group, and in each of the others. */
const [OPEN, OTHERS] = [20, 2];

interface Frames {
  /** Frames in which the element was changed. */
  changed: number;
  /** The largest number of times that it was changed in one frame. */
  most: number;
}

interface Load {
  keys: number[];
  tasks: number[];
}

declare global {
  interface Window {
    passes: Record<string, Frames>;
    load: Load;
  }
}

/** Counts how often each of these elements is changed in a frame. A pass of the page is one microtask's changes. */
async function countPasses(page: Page, selectors: string[]): Promise<void> {
  await page.evaluate((selectors) => {
    window.passes = {};
    let now = 0;
    const frame = () => {
      now += 1;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    for (const selector of selectors) {
      const element = document.querySelector(selector);
      if (element === null) throw new Error(`no ${selector}`);
      const seen: Frames = { changed: 0, most: 0 };
      let [last, times] = [-1, 0];
      new MutationObserver(() => {
        if (last !== now) {
          [last, times] = [now, 0];
          seen.changed += 1;
        }
        times += 1;
        seen.most = Math.max(seen.most, times);
      }).observe(element, { childList: true });
      window.passes[selector] = seen;
    }
  }, selectors);
}

/** Measures every key until it is painted, and every task that a browser calls long. */
async function weigh(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.load = { keys: [], tasks: [] };
    new PerformanceObserver((list) => {
      for (const event of list.getEntries()) {
        if (/^key/.test(event.name)) window.load.keys.push(event.duration);
      }
    }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) window.load.tasks.push(task.duration);
    }).observe({ type: 'longtask' });
  });
}

/** Writes so many messages a second. */
async function write(script: SeedClient, perSecond: number, seconds: number): Promise<void> {
  const start = Date.now();
  for (let number = 1; number <= perSecond * seconds; number += 1) {
    script.say('send_message', { message: `ráfaga ${number}` });
    await pause(start + (number * 1_000) / perSecond - Date.now());
  }
}

/** Ana has a long conversation and three more groups open, and scripts write in Bruno's name, first in the conversation. */
async function longConversation(server: ChatServer, signUp: SignUp): Promise<{ ana: Person; scripts: SeedClient[] }> {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const others = [];
  for (const name of ['Oaxaca', 'Puebla', 'Mérida']) others.push(await groupOf(ana, bruno, name));
  await together(ana, bruno, 'Ruta 40');
  await writeAll(server.file, [ana, bruno], HISTORY);
  const { origin } = new URL(ana.page.url());
  const scripts = [];
  for (const group of [ana.groupId, ...others]) scripts.push(await scriptOf(bruno, `${origin}/g/${group}`));
  await expect(ana.message(`mensaje ${HISTORY}`)).toBeInViewport();
  return { ana, scripts };
}

/** The keys and tasks since `weigh`, and the passes since `countPasses`, printed. */
async function told(page: Page, what: string): Promise<Record<string, Frames>> {
  const { load, passes } = await page.evaluate(() => ({ load: window.load, passes: window.passes }));
  load.keys.sort((one, other) => one - other);
  const busy = load.tasks.reduce((sum, task) => sum + task, 0);
  console.log(
    `${what}: ${load.keys.length} key events over 16 ms, their median ${load.keys.at(load.keys.length / 2) ?? 0} ms, the slowest ${load.keys.at(-1) ?? 0} ms; ` +
      `${load.tasks.length} tasks over 50 ms, ${busy} ms together, the longest ${Math.max(0, ...load.tasks)} ms; ${JSON.stringify(passes)}`,
  );
  return passes;
}

test('twenty messages a second come while a person types on a slow device', async ({ server, signUp }) => {
  const { ana, scripts } = await longConversation(server, signUp);
  const { page } = ana;
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await countPasses(page, ['.rows', '.group-rows']);
  await weigh(page);

  await ana.composer.focus();
  const written = scripts.map((script, number) => write(script, number === 0 ? OPEN : OTHERS, SECONDS));
  const start = Date.now();
  let typed = '';
  while (Date.now() < start + SECONDS * 1_000) {
    const key = 'vamos mañana '.charAt(typed.length % 13);
    await page.keyboard.type(key, { delay: 60 });
    typed += key;
    await pause(60);
  }
  await Promise.all(written);
  const end = Date.now();
  await expect(ana.message(`ráfaga ${OPEN * SECONDS}`)).toBeInViewport({ timeout: 60_000 });
  console.log(`all shown ${Date.now() - end} ms after the last was sent`);
  await expect(ana.composer).toHaveValue(typed);
  const passes = await told(page, `${typed.length} keys`);
  for (const [part, { most }] of Object.entries(passes)) expect(most, part).toBeLessThanOrEqual(1);
  for (const script of scripts) script.close();
});

test('a burst is shown once per frame', async ({ server, signUp }) => {
  const { ana, scripts: [script, ...others] } = await longConversation(server, signUp);
  const { page } = ana;
  if (script === undefined) throw new Error('nobody to write');
  await countPasses(page, ['.rows', '.group-rows']);
  await weigh(page);
  for (let number = 1; number <= BURST; number += 1) script.say('send_message', { message: `marea ${number}` });
  await expect(ana.message(`marea ${BURST}`)).toBeInViewport({ timeout: 30_000 });
  const shown = await told(page, 'at the end');
  for (const [part, { most }] of Object.entries(shown)) expect(most, part).toBeLessThanOrEqual(1);
  expect(shown['.rows']?.changed).toBeGreaterThan(0);
  for (const other of [script, ...others]) other.close();
});
