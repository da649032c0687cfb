// The details of a group of five thousand: they open as quickly as those of a small one.

import { execFileSync } from 'node:child_process';
import { expect, test } from '../support/test.ts';

test.describe.configure({ timeout: 180_000 });

const MEMBERS = 5_000;
/** So many are listed at first (members_panel.rs). */
const LISTED = 100;
/** How much slower than this machine the reader's is. */
const SLOWER = 4;

/** Members of a group, written into the database file by another program: file, group, how many. */
const MANY = `
import sqlite3, sys, uuid
file, group, members = sys.argv[1:]
with sqlite3.connect(file, timeout=30) as database:
    ids = [str(uuid.uuid4()) for _ in range(int(members))]
    database.executemany('insert into users (id, display_name) values (?, ?)', ((id, f'Persona {n:04}') for n, id in enumerate(ids)))
    database.executemany('insert into caravana_member (group_id, user_id) values (?, ?)', ((group, id) for id in ids))
`;

declare global {
  interface Window {
    longest: number;
  }
}

test('the details of a group of five thousand open quickly, a hundred rows at a time', async ({ server, signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Todo el pueblo');
  const [group, address] = [ana.groupId, ana.page.url()];
  await ana.page.goto('about:blank');
  execFileSync('python3', ['-c', MANY, server.file, group, String(MEMBERS - 1)]);
  await ana.page.setViewportSize({ width: 390, height: 844 });
  await ana.page.goto(address);
  await ana.isOnline();
  // The page carries some of the members, and then loads the others.
  await expect(ana.connection).toContainText(/5[., ]?000 integrantes · 1 en línea/, { timeout: 60_000 });
  const devtools = await ana.page.context().newCDPSession(ana.page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await ana.page.evaluate(() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
    }).observe({ type: 'longtask' });
  });
  const figures = async (what: string): Promise<void> => {
    const longest = await ana.page.evaluate(() => {
      const seen = window.longest;
      window.longest = 0;
      return seen;
    });
    // Only printed, because a debug build is slow.
    console.log(`${what}: the longest task ${longest} ms, ${SLOWER} times slower`);
  };
  const panel = ana.page.getByTestId('members');
  const rows = panel.locator('.member');
  const opened = Date.now();
  await ana.page.getByTestId('show-members').click();
  await expect(panel).toBeVisible();
  await expect(rows.filter({ hasText: 'Ana' })).toBeVisible();
  console.log(`the details were there after ${Date.now() - opened} ms`);
  await figures('opening');
  // Who is online, and the first of the others.
  await expect(rows).toHaveCount(1 + LISTED);
  await panel.getByTestId('more-members').click();
  await expect(rows).toHaveCount(1 + 2 * LISTED);
  await figures('a hundred more');
  await panel.getByTestId('find-member').fill('persona 4997');
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('Persona 4997');
  await figures('looking for one');
  // What the sheet about a member needs does not depend on how many there are.
  await rows.getByTestId('member-more').click();
  await expect(ana.page.getByTestId('group-sheet').getByTestId('send-direct')).toBeVisible();
  await figures('a member');
  await ana.page.keyboard.press('Escape');
  await ana.page.getByTestId('group-settings').click();
  await expect(ana.page.getByTestId('group-name')).toHaveValue('Todo el pueblo');
  await figures('the settings');
});
