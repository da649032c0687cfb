// Notifications while the page is open, and the marks on its icon and title.

import type { Page } from '@playwright/test';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

type Shown = { title: string; body: string; tag: string; silent: boolean | null };

/** Records the browser's notifications; they are still shown. */
async function watch(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const all: Notification[] = [];
    const Real = window.Notification;
    const Watched = class extends Real {
      constructor(title: string, options?: NotificationOptions) {
        super(title, options);
        all.push(this);
      }
    };
    Object.assign(window, { Notification: Watched, shownNotices: all });
  });
}

function shown(page: Page): Promise<Shown[]> {
  return page.evaluate(() => {
    const all = (window as unknown as { shownNotices?: Notification[] }).shownNotices ?? [];
    return all.map(({ title, body, tag, silent }) => ({ title, body, tag, silent }));
  });
}

async function pressLast(page: Page): Promise<void> {
  await page.evaluate(() => {
    const all = (window as unknown as { shownNotices: Notification[] }).shownNotices;
    all.at(-1)?.dispatchEvent(new Event('click'));
  });
}

async function allow(person: Person): Promise<void> {
  await person.page.context().grantPermissions(['notifications']);
  await watch(person.page);
  await person.page.reload();
  await person.isOnline();
}

test('a message in another group notifies, and one on the screen does not', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  const patagonia = ana.groupId;
  await ana.page.goto('/');
  await together(ana, bruno, 'Oaxaca');
  const oaxaca = ana.groupId;
  await allow(bruno);
  await ana.send('esto se ve');
  await bruno.sees('esto se ve');
  await ana.page.locator(`a[href="/g/${patagonia}"]`).click();
  await ana.isIn('Patagonia');
  await ana.send('*hola* a todos');
  await expect.poll(() => shown(bruno.page)).toEqual([{ title: 'Patagonia', body: expect.stringContaining('hola a todos'), tag: patagonia, silent: true }]);
  await expect(bruno.page).toHaveTitle(/^\(1\) /);
  const icon = bruno.page.locator('link[rel=icon][type="image/svg+xml"]');
  await expect(icon).toHaveAttribute('href', '/favicon-unread.svg');
  // A press opens the group without a new load, so that what was written stays.
  await bruno.composer.fill('un borrador');
  await pressLast(bruno.page);
  await bruno.isIn('Patagonia');
  await bruno.sees('hola a todos');
  await expect(icon).toHaveAttribute('href', '/favicon.svg');
  await bruno.page.locator(`a[href="/g/${oaxaca}"]`).click();
  await expect(bruno.composer).toHaveValue('un borrador');
});

test('notifications are switched on and off, and obey the settings of a group', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  const { groupId } = ana;
  await bruno.page.goto('/');
  await allow(bruno).catch(() => {});
  const menu = bruno.page.locator('.sidebar details.menu');
  await menu.locator('summary').click();
  await bruno.page.getByTestId('notices').getByRole('button', { name: 'Desactivados' }).click();
  const badge = bruno.page.getByTestId('group-link').locator('.badge');
  await ana.send('uno');
  await expect(badge).toContainText('1');
  expect(await shown(bruno.page)).toEqual([]);
  await bruno.page.getByTestId('notices').getByRole('button', { name: 'Activados', exact: true }).click();
  await ana.send('dos');
  await expect.poll(async () => (await shown(bruno.page)).length).toBe(1);
  await bruno.page.evaluate((group) => fetch(`/api/v1/groups/${group}/me`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ notify: 'mentions' }),
  }), groupId);
  await bruno.page.reload();
  await ana.send('tres');
  await expect(badge).toContainText('3');
  await ana.send('cuatro @Bruno');
  await expect.poll(async () => (await shown(bruno.page)).map((notice) => notice.body)).toEqual([expect.stringContaining('cuatro')]);
});
