// What a load of the chat page costs, and what the page shows before its WASM is there.

import type { Browser, Page } from '@playwright/test';
import { NO_HASTE, fill, post, say } from '../support/crowd.ts';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { type Asked, Traffic, table } from '../support/traffic.ts';

test.use({ serverFlags: NO_HASTE });
test.describe.configure({ timeout: 180_000 });

/** What a page costs that has not changed since the last visit. */
const AGAIN_BYTES = 12_000;
/** What a first visit costs without the WASM: the page, the style, the font, the scripts. */
const FIRST_BYTES = 60_000;

/** A browser with an empty cache and the person's cookies, in this zone. */
async function elsewhere(browser: Browser, person: Person, timezoneId: string): Promise<Page> {
  const storageState = await person.page.context().storageState();
  const baseURL = new URL(person.page.url()).origin;
  return (await browser.newContext({ storageState, baseURL, locale: 'es-MX', timezoneId })).newPage();
}

/** Opens the page and waits until nothing more is asked for. */
async function load(page: Page, traffic: Traffic, url: string): Promise<Asked[]> {
  await page.goto(url);
  await expect(page.getByTestId('connection').first()).toHaveAttribute('data-state', 'online');
  await page.waitForLoadState('networkidle');
  return traffic.take();
}

const isOfBuild = ({ path }: Asked) => path.startsWith('/pkg/');
const bytes = (asked: Asked[]) => asked.reduce((sum, { bytes }) => sum + bytes, 0);

test('a first visit fetches each file once, and a second one only the page', async ({ browser, signUp, watch }, info) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Oaxaca en abril');
  await fill([ana, bruno], 60);
  const url = ana.page.url();
  const page = await elsewhere(browser, ana, 'America/Mexico_City');
  watch(page);
  const traffic = await Traffic.of(page);

  const first = await load(page, traffic, url);
  await info.attach('first', { body: table(first), contentType: 'text/plain' });
  // A preload and its use are one request, which the browser reports twice: the second comes from its memory.
  const fetched = first.filter(({ cached }) => !cached).map(({ path }) => path);
  expect(fetched.filter((path, at) => fetched.indexOf(path) !== at)).toEqual([]);
  const document = first.find(({ kind }) => kind === 'Document');
  expect(document?.encoding).toBe('br');
  const build = first.filter(isOfBuild);
  expect(build.length).toBeGreaterThanOrEqual(3);
  for (const { path, status } of build) expect([status, path]).toEqual([200, expect.stringMatching(/^\/pkg\/[0-9a-f]{16}\//)]);
  expect(bytes(first.filter(({ path }) => !path.endsWith('.wasm') && !path.endsWith('.js')))).toBeLessThan(FIRST_BYTES);
  await page.screenshot({ path: info.outputPath('first.png') });

  const second = await load(page, traffic, url);
  await info.attach('second', { body: table(second), contentType: 'text/plain' });
  expect(second.filter((asked) => isOfBuild(asked) && !asked.cached)).toEqual([]);
  expect(bytes(second)).toBeLessThan(AGAIN_BYTES);
  await page.context().close();
});

/** The hours that the page shows, and those that this browser would show. */
async function hours(page: Page): Promise<{ shown: string[]; own: string[]; zone: string | undefined; day: string }> {
  return page.evaluate(() => {
    const times = Array.from(document.querySelectorAll<HTMLTimeElement>('time[datetime]'));
    const two = (number: number) => String(number).padStart(2, '0');
    const own = (time: HTMLTimeElement) => {
      const at = new Date(time.dateTime);
      return `${two(at.getHours())}:${two(at.getMinutes())}`;
    };
    return {
      shown: times.map((time) => time.textContent ?? ''),
      own: times.map(own),
      zone: document.documentElement.dataset.zone,
      day: document.querySelector('.rows .day')?.textContent ?? '',
    };
  });
}

// Once, a page showed the hours of UTC until its WASM had come: up to 13 s on a slow link.
test('without its WASM a page shows the hours and the day of its reader', async ({ browser, signUp, watch }, info) => {
  const ana = await signUp('Ana');
  const { group } = await post<{ group: { id: string } }>(ana, '/groups', { name: 'Valle de Bravo' });
  await say(ana, '¿A qué hora sale el camión?', group.id);
  const url = `/g/${group.id}`;
  for (const timezoneId of ['Asia/Kathmandu', 'Europe/Madrid', 'Pacific/Kiritimati']) {
    const page = await elsewhere(browser, ana, timezoneId);
    await page.route('**/*.wasm', (route) => route.abort());

    // The first page in this zone was rendered for Mexico; its script corrects the hours.
    await page.goto(url);
    const first = await hours(page);
    expect(first.shown.length).toBeGreaterThan(0);
    expect(first.shown).toEqual(first.own);

    // From then on the server knows the zone. Without the script, only its own text is left.
    const html = await (await page.request.get(url)).text();
    await page.goto(url);
    const second = await hours(page);
    expect(second.shown).toEqual(second.own);
    for (const hour of second.own) expect(html).toContain(`>${hour}</time>`);
    expect(html).toContain(`data-zone="${second.zone}"`);
    expect(second.zone).not.toBe(first.zone);
    expect(second.day).toBe('Hoy');
    await page.screenshot({ path: info.outputPath(`without-wasm-${timezoneId.replace('/', '-')}.png`) });

    // Hydration finds the same text: the page is watched for errors from here on, and the hours stay.
    watch(page);
    await page.unroute('**/*.wasm');
    await page.goto(url);
    await expect(page.getByTestId('connection').first()).toHaveAttribute('data-state', 'online', { timeout: 30_000 });
    const third = await hours(page);
    expect(third.shown).toEqual(third.own);
    expect(third.day).toBe('Hoy');
    await page.context().close();
  }
});
