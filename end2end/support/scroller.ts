// Measures the positions of a conversation's rows on the screen, frame by frame.

import { type Page, expect } from '@playwright/test';
import type { Person } from './person.ts';

/** The distance that an unmoved row may still move, in CSS pixels. */
const STILL = 1;

interface Watched {
  worst: number;
  frames: number;
  stop: boolean;
}

declare global {
  interface Window {
    watched: Watched | undefined;
  }
}

/** Puts the mouse over the conversation, beside the rows: over a row, its bar would come under the mouse. */
export async function pointAtScroller(page: Page): Promise<void> {
  await page.getByRole('region', { name: 'Mensajes' }).hover({ position: { x: 6, y: 150 } });
}

/** Scrolls like a person who drags the scroll bar, to this many pixels below the start. */
export async function scrollToStart(page: Page, below = 0): Promise<void> {
  await page.getByRole('region', { name: 'Mensajes' }).evaluate((scroller, top) => {
    scroller.scrollTop = scroller.clientHeight - scroller.scrollHeight + top;
  }, below);
}

/** The same, counted from the end. */
export async function scrollUp(page: Page, from: number): Promise<void> {
  await page.getByRole('region', { name: 'Mensajes' }).evaluate((scroller, top) => {
    scroller.scrollTop = -top;
  }, from);
  await settled(page);
}

/** The pixels that are hidden below the visible rows. */
export async function hiddenBelow(page: Page): Promise<number> {
  return page.getByRole('region', { name: 'Mensajes' }).evaluate((scroller) => Math.abs(scroller.scrollTop));
}

/** Waits for two painted frames, so that the effects of the last action are visible. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
  );
}

/**
 * Looks at one row in the middle of the screen in every frame, as it was painted, until `still` is asked. With
 * `before` the same is looked at before the layout, too: what a script moved, it must have moved back by itself.
 *
 * What is painted is what an intersection observer measures: it does so after the layout and after all resize
 * observers. A task after the frame would be too late: the window's next size may be there already.
 */
export async function watch(page: Page, before = true): Promise<void> {
  await page.evaluate((before) => {
    const scroller = document.querySelector('.scroller');
    if (scroller === null) throw new Error('no scroller');
    const pane = scroller.getBoundingClientRect();
    const rows = Array.from(scroller.querySelectorAll('[data-testid="message"]'));
    const row = rows.find((row) => row.getBoundingClientRect().top > pane.top + pane.height / 3);
    if (row === undefined) throw new Error('no row in sight');
    const at = row.getBoundingClientRect().top;
    const watched: Watched = { worst: 0, frames: 0, stop: false };
    const look = (top: number) => {
      const moved = top - at;
      if (Math.abs(moved) > Math.abs(watched.worst)) watched.worst = moved;
    };
    const measured = (entries: IntersectionObserverEntry[]) => {
      watched.frames += entries.length;
      for (const entry of entries) look(entry.boundingClientRect.top);
    };
    const painted = new IntersectionObserver(measured);
    const frame = () => {
      measured(painted.takeRecords());
      painted.disconnect();
      if (watched.stop) return;
      if (before) look(row.getBoundingClientRect().top);
      // An element that is observed again is measured in this frame, even if it has not moved.
      painted.observe(row);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    window.watched = watched;
  }, before);
}

/** Checks that nothing moved the watched row. Returns the number of measured frames. */
export async function still(page: Page, what = 'the watched row'): Promise<number> {
  await settled(page);
  const { worst, frames } = await page.evaluate(() => {
    if (window.watched === undefined) throw new Error('nothing is watched');
    window.watched.stop = true;
    return window.watched;
  });
  expect(Math.abs(worst), `${what} moved by ${worst} px`).toBeLessThanOrEqual(STILL);
  expect(frames).toBeGreaterThan(0);
  return frames;
}

/**
 * The upper and lower edges of the elements that must never move (header, scroller, composer), and how far any other
 * element has scrolled.
 */
export async function frame(person: Person): Promise<object> {
  return person.page.evaluate(() => {
    const edges = (selector: string) => {
      const found = Array.from(document.querySelectorAll(selector)).map((element) => element.getBoundingClientRect());
      return found.filter((rect) => rect.height > 0).map((rect) => [Math.round(rect.top), Math.round(rect.bottom)]);
    };
    const panes = ['scroller', 'groups', 'members-body'];
    const scrolled = Array.from(document.querySelectorAll('*'))
      .filter((element) => element.scrollTop !== 0 && !panes.some((pane) => element.classList.contains(pane)))
      .map((element) => `${element.tagName}.${element.className}: ${element.scrollTop}`);
    return {
      header: edges('.pane > .bar'),
      composer: edges('.composer'),
      sidebar: edges('.sidebar > .bar'),
      newGroup: edges('.new-group'),
      taller: document.documentElement.scrollHeight - window.innerHeight,
      window: window.scrollY,
      scrolled,
    };
  });
}
