// The day of the visible rows is shown, exactly once.

import { NO_HASTE, fill } from '../support/crowd.ts';
import { together } from '../support/person.ts';
import { scrollToStart, settled } from '../support/scroller.ts';
import { expect, test } from '../support/test.ts';

test.use({ serverFlags: NO_HASTE });
test.describe.configure({ timeout: 120_000 });

const DAY_MS = 24 * 60 * 60 * 1_000;

interface Page {
  messages: { created_at: string }[];
}

// Once, all separators were sticky at the same place and overlapped: «2▯Ayer▯re».
for (const size of [{ width: 1280, height: 800 }, { width: 390, height: 664 }]) {
  test(`no two days lie over each other, ${size.width} px wide`, async ({ signUp }) => {
    const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
    await together(ana, bruno, 'Valle de Bravo');
    await ana.page.setViewportSize(size);
    // A test cannot write messages of yesterday, so it changes the dates of older pages: three messages a day.
    await ana.page.route(/\/messages\?.*before=/, async (route) => {
      const answer = await route.fetch();
      const page = (await answer.json()) as Page;
      page.messages.reverse().forEach((message, number) => {
        const then = Date.parse(message.created_at) - (1 + Math.floor(number / 3)) * DAY_MS;
        message.created_at = new Date(then).toISOString();
      });
      page.messages.reverse();
      await route.fulfill({ response: answer, json: page });
    });
    await fill([ana, bruno], 90);
    await expect(async () => {
      await scrollToStart(ana.page);
      await expect(ana.messages).toHaveCount(90, { timeout: 500 });
    }).toPass();
    await scrollToStart(ana.page);
    await settled(ana.page);

    const labels = new Set<string>();
    for (let place = 0; place < 60; place += 1) {
      await ana.page.getByRole('region', { name: 'Mensajes' }).evaluate((scroller) => scroller.scrollBy(0, 37));
      await settled(ana.page);
      const seen = await ana.page.evaluate(() => {
        const pane = document.querySelector('.scroller')?.getBoundingClientRect() ?? new DOMRect();
        const isVisible = (element: Element | null) => element?.checkVisibility({ visibilityProperty: true }) === true;
        const shown = Array.from(document.querySelectorAll('.day span')).filter(isVisible);
        const pills = shown.map((pill) => ({
          label: pill.textContent ?? '',
          box: pill.getBoundingClientRect(),
        })).filter(({ box }) => box.bottom > pane.top && box.top < pane.bottom);
        const over = pills.flatMap((a, at) =>
          pills.slice(at + 1).filter((b) => a.box.top < b.box.bottom && b.box.top < a.box.bottom).map((b) => `${a.label} ${b.label}`),
        );
        // The day of the first visible row.
        const things = Array.from(document.querySelectorAll('.rows > .day, .rows > .row'));
        const first = things.findIndex((thing) => thing.matches('.row') && thing.getBoundingClientRect().bottom > pane.top);
        const day = things.slice(0, first).findLast((thing) => thing.matches('.day'));
        const onTop = document.querySelector('.day-on-top span');
        const top = isVisible(onTop) ? onTop?.textContent : undefined;
        return { over, top, day: day?.textContent ?? '' };
      });
      expect(seen.over).toEqual([]);
      if (seen.top !== undefined) {
        expect(seen.top).toBe(seen.day);
        labels.add(seen.day);
      }
    }
    expect(labels.size).toBeGreaterThan(3);
  });
}
