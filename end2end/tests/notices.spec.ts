// Notifications while the page is open, and the marks on its icon and title.

import type { Locator, Page } from '@playwright/test';
import { groupOf, say } from '../support/crowd.ts';
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
}

test('a message in another group notifies, and one on the screen does not', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  const patagonia = ana.groupId;
  await ana.page.goto('/');
  await together(ana, bruno, 'Oaxaca');
  const oaxaca = ana.groupId;
  await allow(bruno);
  await bruno.isOnline();
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
  await bruno.page.clock.install();
  await bruno.page.goto('/');
  await allow(bruno);
  const menu = bruno.page.locator('.sidebar details.menu');
  await menu.locator('summary').click();
  await bruno.page.getByTestId('notices').getByRole('button', { name: 'Desactivados' }).click();
  const link = bruno.page.getByTestId('group-link');
  const told = async () => (await shown(bruno.page)).map((notice) => notice.body);
  /** A message of Ana comes, and nothing is told. A notification waits for less than a second. */
  const isQuiet = async (text: string) => {
    const before = await told();
    await ana.send(text);
    await expect(link.locator('.group-badges')).toContainText('1 mensaje sin leer');
    await bruno.page.clock.fastForward(1_000);
    expect(await told()).toEqual(before);
  };
  const tells = async (text: string) => {
    await ana.send(text);
    await expect.poll(async () => (await told()).at(-1)).toContain(text);
  };
  await isQuiet('uno');
  await bruno.page.getByTestId('notices').getByRole('button', { name: 'Activados', exact: true }).click();
  await tells('dos');
  await bruno.page.keyboard.press('Escape');

  // The level and a silence are chosen in the details of the group, which are left for the list again.
  const sheet = bruno.page.getByTestId('group-sheet');
  const choose = async (choice: (from: Locator) => Promise<unknown>) => {
    await link.click();
    await bruno.isIn('Patagonia');
    await bruno.page.getByTestId('group-settings').click();
    const answer = bruno.page.waitForResponse((response) => response.request().method() === 'PATCH');
    await choice(sheet);
    await answer;
    await bruno.page.keyboard.press('Escape');
    await bruno.page.locator('.sidebar .brand').click();
    await expect(bruno.composer).toHaveCount(0);
    await expect(link).not.toContainText('sin leer');
  };
  await choose((from) => from.getByTestId('notify-mentions').click());
  await isQuiet('tres');
  await tells('cuatro @Bruno');
  await choose(async (from) => {
    await expect(from.getByTestId('notify-mentions')).toHaveAttribute('aria-pressed', 'true');
    await from.getByTestId('silence').selectOption({ label: 'Silenciar 8 horas' });
  });
  await expect(link).toContainText('Silenciado');
  await isQuiet('cinco @Bruno');
  await bruno.page.clock.fastForward('07:30:00');
  await expect(link).toContainText('Silenciado');
  await bruno.page.clock.fastForward('00:31:00');
  await expect(link).not.toContainText('Silenciado');
  await tells('seis @Bruno');
});

test('the browser is asked at a press and not before, and the icon of the app counts', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const groups = [await groupOf(ana, bruno, 'Uno'), await groupOf(ana, bruno, 'Dos')];
  // A browser that has not been asked, on a device where the page is installed.
  await bruno.page.addInitScript(() => {
    const told = { asked: [] as boolean[], shown: 0, badges: [] as number[] };
    class Unasked extends EventTarget {
      static permission: NotificationPermission = 'default';
      static async requestPermission(): Promise<NotificationPermission> {
        told.asked.push(navigator.userActivation.isActive);
        Unasked.permission = 'granted';
        return 'granted';
      }
      onclick: unknown = null;
      constructor() {
        super();
        told.shown += 1;
      }
      close(): void {}
    }
    const setAppBadge = async (count: number) => void told.badges.push(count);
    Object.defineProperty(navigator, 'setAppBadge', { value: setAppBadge });
    Object.assign(window, { Notification: Unasked, told });
  });
  const told = () => bruno.page.evaluate(() => (window as unknown as { told: { asked: boolean[]; shown: number; badges: number[] } }).told);
  await bruno.page.goto('/');
  for (const group of [...groups, ...groups.slice(0, 1)]) await say(ana, 'hola', group);
  await expect.poll(async () => (await told()).badges.at(-1)).toBe(3);
  await bruno.page.locator('.sidebar details.menu > summary').click();
  const choice = bruno.page.getByTestId('notices').getByRole('button', { name: 'Activados', exact: true });
  await expect(choice).toHaveAttribute('aria-pressed', 'false');
  expect(await told()).toMatchObject({ asked: [], shown: 0 });
  await choice.click();
  await expect(choice).toHaveAttribute('aria-pressed', 'true');
  expect((await told()).asked).toEqual([true]);
  await say(ana, 'otra', groups[0]);
  await expect.poll(async () => (await told()).shown).toBe(1);
  expect((await told()).badges.at(-1)).toBe(4);
  await bruno.page.keyboard.press('Escape');
  await bruno.page.getByTestId('group-link').filter({ hasText: 'Uno' }).click();
  await bruno.isIn('Uno');
  await expect.poll(async () => (await told()).badges.at(-1)).toBe(1);
});
