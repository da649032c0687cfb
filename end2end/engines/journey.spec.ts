// One journey of two people through everything that depends on the browser: once in each engine.
//
// The other browser tests look closer, but only in Chromium. What is verified nowhere is in CONTRIBUTING.md.

import { writeFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { NO_HASTE } from '../support/crowd.ts';
import { ChatServer } from '../support/server.ts';
import { Chromium } from './chromium.ts';
import { Firefox } from './firefox.ts';
import type { Engine } from './tab.ts';
import { AFTER_OUTAGE, COMPOSER, SCROLLER, type Seen, Traveller, TYPING } from './traveller.ts';
import { WebKit } from './webkit.ts';

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };
/** More than two pages of history, and more than the document keeps. */
const HISTORY = 260;

const range = (length: number, name: string) => Array.from({ length }, (_, index) => `${name} ${index + 1}`);

test('two people travel through the whole app', async ({ browser }, testInfo) => {
  const engine: Engine = { chromium: () => new Chromium(browser), firefox: () => new Firefox(), webkit: () => new WebKit() }[
    testInfo.project.name as 'chromium' | 'firefox' | 'webkit'
  ]();
  const server = await ChatServer.start(NO_HASTE);
  const people: Traveller[] = [];
  try {
    for (const [name, size] of [['Ana', PHONE], ['Bruno', DESKTOP]] as const) {
      people.push(new Traveller(name, await engine.open(size), server.url));
    }
    const [ana, bruno] = people as [Traveller, Traveller];
    await journey(ana, bruno, server);
    for (const { tab } of people) {
      // A console that nobody hears would have been as quiet.
      await tab.evaluate(() => console.error('panicked on purpose'), null);
      await expect.poll(() => tab.problems).toHaveLength(1);
    }
  } catch (error) {
    for (const { name, tab } of people) {
      writeFileSync(testInfo.outputPath(`${name}.console`), tab.problems.join('\n'));
      await tab.screenshot().then((png) => writeFileSync(testInfo.outputPath(`${name}.png`), png), () => null);
    }
    writeFileSync(testInfo.outputPath('server.log'), server.log);
    throw error;
  } finally {
    await engine.close();
    await server.dispose();
  }
});

/** Names the part of the journey that fails or is slow. */
async function step(people: Traveller[], what: string, act: () => Promise<void>): Promise<void> {
  const start = Date.now();
  await test.step(what, act);
  console.log(`${test.info().project.name}: ${what}: ${((Date.now() - start) / 1_000).toFixed(1)} s`);
  for (const { name, tab } of people) expect(tab.problems, `errors in the pages of ${name}`).toEqual([]);
}

async function journey(ana: Traveller, bruno: Traveller, server: ChatServer): Promise<void> {
  const both = [ana, bruno];
  await step(both, 'sign up, make a group, invite', async () => {
    await ana.open('/register');
    await ana.fillInAccount();
    await ana.clickUntil('[data-testid="new-group"]', '[data-testid="new-group-name"]');
    await ana.write('[data-testid="new-group-name"]', 'Patagonia');
    await ana.tab.press('Enter');
    await ana.seesElement('[data-testid="first-link"]');
    const [link] = await ana.all('[data-testid="first-link"]');

    await bruno.open(link?.text ?? '');
    await bruno.click('a[href^="/register"]');
    await bruno.fillInAccount();
    await bruno.click('[data-testid="accept-invite"]');
    for (const person of both) await person.isOnline();
  });
  const group = await ana.groupId();
  const said: string[] = [];

  await step(both, 'chat both ways, and see who is typing', async () => {
    await ana.send('Hola, Bruno');
    await bruno.sees(['Hola, Bruno']);
    await bruno.send('¡Qué tal, Ana! ¿Mañana?');
    said.push('Hola, Bruno', '¡Qué tal, Ana! ¿Mañana?');
    for (const person of both) await person.sees(said);
    await ana.write(COMPOSER, 'Llego');
    const types = ({ text }: Seen) => text.includes('Ana está escribiendo…');
    await bruno.until(TYPING, 'Ana types', (seen) => seen.some(types));
    await ana.tab.press('Enter');
    said.push('Llego');
    for (const person of both) await person.sees(said);
    await bruno.until(TYPING, 'nobody types', (seen) => !seen.some(types));
  });

  await step(both, 'the server is killed, and a page that was closed meanwhile sends what it kept', async () => {
    await server.kill();
    await ana.send('sin servidor');
    await bruno.send('yo tampoco');
    await ana.until('[data-state="pending"]', 'waits', (seen) => seen.length === 1);
    // The browser's own error page is shown; nothing of the app runs.
    await ana.tab.reload();
    await server.up();
    await ana.open(`/g/${group}`);
    for (const person of both) {
      await person.isOnline(AFTER_OUTAGE);
      await person.seesAllSent(AFTER_OUTAGE);
      await person.until('[data-testid="message"]', 'all five', (seen) => seen.length === 5, AFTER_OUTAGE);
    }
    const texts = await ana.texts();
    expect(texts.slice(3).sort()).toEqual(['sin servidor', 'yo tampoco']);
    said.splice(0, said.length, ...(await bruno.texts()));
    expect(texts).toEqual(said);
    expect(await ana.kept('outbox.')).toEqual([]);
  });

  await step(both, 'write several lines; a draft survives a reload', async () => {
    await bruno.write(COMPOSER, 'uno');
    const height = (field: Seen | undefined) => (field === undefined ? 0 : field.bottom - field.top);
    const flat = height((await bruno.all(COMPOSER))[0]);
    await bruno.tab.press('Shift+Enter');
    await bruno.tab.type('dos');
    await bruno.until(COMPOSER, 'has grown', ([field]) => field?.value === 'uno\ndos' && height(field) > flat + 10);
    await expect(async () => expect((await bruno.kept('draft.')).join()).toContain('dos')).toPass();
    await bruno.tab.reload();
    await bruno.isOnline();
    await bruno.until(COMPOSER, 'has the draft', ([field]) => field?.value === 'uno\ndos');
    await bruno.click('[data-testid="send"]');
    said.push('uno\ndos');
    for (const person of both) await person.sees(said);
  });

  await step(both, 'a long history is read up to its start', async () => {
    await bruno.post(group, range(HISTORY, 'mensaje'));
    const holes: number[] = [];
    await ana.until('.text', 'the newest', (seen) => seen.at(-1)?.text === `mensaje ${HISTORY}` && seen.at(-1)?.inView === true);
    await expect(async () => {
      // Only the rows near the window are in the document; among those, none is missing.
      const numbers = (await ana.texts()).filter((text) => text.startsWith('mensaje ')).map((text) => Number(text.slice(8)));
      holes.push(...numbers.filter((number, place) => number !== (numbers[0] ?? 0) + place));
      await ana.tab.wheel(SCROLLER, -1_500);
      const start = await ana.all('.rows > .start');
      expect(start.some(({ inView }) => inView), 'the start is in view').toBe(true);
    }).toPass({ timeout: 60_000, intervals: [20] });
    const [first] = await ana.texts();
    expect(first).toBe(said[0]);
    expect(holes).toEqual([]);
  });

  await step(both, 'a group opens at the first unread message', async () => {
    await ana.click('.bar-back');
    await ana.seesElement('[data-testid="group-link"]');
    await bruno.post(group, range(30, 'nuevo'));
    await ana.until('[data-testid="group-link"]', 'counts', (seen) => seen.some(({ text }) => text.includes('30')));
    await ana.click('[data-testid="group-link"]');
    const isAtTheTop = ({ inView, top }: Seen) => inView && top < PHONE.height / 3;
    await ana.until('#unread', 'is at the top', (seen) => seen.length === 1 && seen.every(isAtTheTop));
  });

  await step(both, 'a burst moves nothing that is being read', async () => {
    await ana.settled();
    const before = await ana.all('#unread');
    await bruno.post(group, range(20, 'ráfaga'));
    await ana.until('.text', 'all came', (seen) => seen.at(-1)?.text === 'ráfaga 20');
    await ana.settled();
    const after = await ana.all('#unread');
    expect(Math.abs((after[0]?.top ?? 0) - (before[0]?.top ?? 0))).toBeLessThanOrEqual(1);
    await ana.click('.to-latest.shown');
    await ana.until('.text', 'the newest', (seen) => seen.at(-1)?.inView === true);
    await ana.until('.to-latest.shown', 'is gone', (seen) => seen.length === 0);
    // Who is at the end follows.
    await bruno.send('¿ya leíste?');
    await ana.until('.text', 'the newest', (seen) => seen.at(-1)?.text === '¿ya leíste?' && seen.at(-1)?.inView === true);
  });

  await step(both, 'after signing out, Back shows no message', async () => {
    await ana.click('.bar-back');
    await ana.click('summary[aria-label="Preferencias"]');
    await ana.click('[data-testid="log-out"]');
    await ana.seesElement('a[href^="/register"]');
        for (let step = 0; step < 3; step += 1) {
      await ana.tab.back();
      await ana.settled().catch(() => null);
      await ana.until('[data-testid="message"]', 'none', (seen) => seen.length === 0);
    }
    await expect(async () => expect(await ana.kept()).toEqual([])).toPass();
  });
}
