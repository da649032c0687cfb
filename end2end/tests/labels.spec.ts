// Once, labels that depend on the reader's clock and zone were never updated: «Hoy» stayed above yesterday's messages,
// and after a change of the zone the page showed the hours of the old zone.

import type { Page } from '@playwright/test';
import { together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Moves the device to another zone. */
function travel(page: Page, minutesEast: number): Promise<void> {
  return page.evaluate((minutes) => {
    Date.prototype.getTimezoneOffset = () => -minutes;
  }, minutesEast);
}

test('at midnight «Hoy» becomes «Ayer» in front of the reader, and the hours follow the zone', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Oaxaca');
  const { page } = ana;
  await bruno.send('buenas');
  await ana.sees('buenas');
  const day = page.locator('.rows .day').last();
  const inList = page.getByTestId('group-link').locator('.group-time');
  const hour = page.getByTestId('message').locator('time');
  await expect(day).toHaveText('Hoy');
  await expect(inList).toHaveText(/^\d\d:\d\d$/);

  const sent = new Date((await hour.getAttribute('datetime')) ?? '');
  for (const east of [14 * 60, -11 * 60, 345]) {
    await travel(page, east);
    const there = new Date(sent.getTime() + east * 60_000).toISOString().slice(11, 16);
    await expect(hour).toHaveText(there);
  }

  await page.clock.setSystemTime(sent.getTime() + DAY_MS);
  await expect(day).toHaveText('Ayer');
  await expect(inList).toHaveText('Ayer');
  // A hidden page updates its labels when it becomes visible, without waiting for a timer.
  await page.clock.setSystemTime(sent.getTime() + 10 * DAY_MS);
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await expect(day).toHaveText(/^\d+ de \p{L}+/u);
});
