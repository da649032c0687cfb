// The list of groups: what a row says, its order, its menu, the field, the quick switcher, a new group.

import { execFileSync } from 'node:child_process';
import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { groupOf, post, say } from '../support/crowd.ts';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

const PHONE = { width: 390, height: 844 };

const names = (page: Page) => page.getByTestId('group-link').locator('.group-name');

function row(page: Page, name: string): Locator {
  return page.locator('.group-item', { has: page.locator('.group-name', { hasText: new RegExp(`^${name}$`) }) });
}

async function idOf(person: Person): Promise<string> {
  const session = (await (await person.page.request.get('/api/v1/session')).json()) as { user: { id: string } };
  return session.user.id;
}

/** Chooses an entry of a row's menu with the mouse. */
async function choose(page: Page, name: string, entry: string): Promise<void> {
  await row(page, name).hover();
  await row(page, name).getByTestId('group-menu').click();
  await page.getByTestId('list-sheet').getByTestId(entry).click();
  await expect(page.getByTestId('list-sheet')).toBeHidden();
}

async function patch(person: Person, path: string, data: object): Promise<void> {
  const answer = await person.page.request.patch(`/api/v1${path}`, { headers: { 'sec-fetch-site': 'same-origin' }, data });
  expect(answer.ok(), await answer.text()).toBe(true);
}

test('a row says who wrote, who is typing, what was deleted, and what is not sent', async ({ signUp, openTab }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Palenque');
  await bruno.send('ya voy');
  await bruno.seesSent('ya voy');
  const list = await openTab(bruno);
  await list.page.goto('/');
  const line = row(list.page, 'Palenque').locator('.group-preview');
  await expect(line).toHaveText('Tú: ya voy');
  // Who is not connected yet would miss that somebody types.
  await ana.send('bien');
  await expect(line).toHaveText('Ana: bien');

  await ana.composer.pressSequentially('te esp');
  await expect(line).toHaveText('Ana está escribiendo…');
  await ana.send('te espero');
  await expect(line).toHaveText('Ana: te espero');
  await list.page.reload();
  await expect(line).toHaveText('Ana: te espero');
  const { messages } = (await (await ana.page.request.get(`/api/v1/groups/${ana.groupId}/messages`)).json()) as { messages: { id: string }[] };
  const last = messages.at(-1)?.id ?? '';
  await ana.page.request.delete(`/api/v1/groups/${ana.groupId}/messages/${last}`, { headers: { 'sec-fetch-site': 'same-origin' } });
  await expect(line).toHaveText('Se eliminó este mensaje');

  // The draft of the open group is in its composer and not in the list.
  await bruno.composer.fill('llevo\nlas llaves');
  await expect(line).toHaveText(/^Borrador:\s*llevo las llaves$/);
  await expect(row(bruno.page, 'Palenque').locator('.group-preview')).toHaveText('Se eliminó este mensaje');
  await groupOf(bruno, ana, 'Bonampak');
  await row(bruno.page, 'Bonampak').getByTestId('group-link').click();
  await bruno.isIn('Bonampak');
  await expect(row(bruno.page, 'Palenque').locator('.group-preview')).toHaveText(/^Borrador:\s*llevo las llaves$/);
  await row(bruno.page, 'Palenque').getByTestId('group-link').click();
  await bruno.isIn('Palenque');
  await bruno.send('llevo las llaves');
  await expect(line).toHaveText('Tú: llevo las llaves');
});

test('a mention is marked beside the unread messages until it is read', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const group = await groupOf(ana, bruno, 'Palenque');
  await bruno.page.goto('/');
  const badges = row(bruno.page, 'Palenque').locator('.group-badges');
  await say(ana, 'hola a los dos', group);
  await expect(badges).toHaveText(/1 mensaje sin leer/);
  await expect(badges.locator('.badge-mention')).toHaveCount(0);
  await post(ana, `/groups/${group}/messages`, { message: '@Bruno ¿vienes?', mentions: [await idOf(bruno)] });
  await expect(badges).toHaveText(/1 mención.*2 mensajes sin leer/s);
  await bruno.page.reload();
  await expect(badges).toHaveText(/1 mención.*2 mensajes sin leer/s);
  await row(bruno.page, 'Palenque').getByTestId('group-link').click();
  await bruno.isIn('Palenque');
  await expect(badges.locator('.badge')).toHaveCount(0);

  // Once, a page that opened on a group with unread messages stopped: a row changed before the list knew its rows.
  await bruno.page.goto('about:blank');
  await say(ana, '¿ya saliste?', group);
  await bruno.page.goto(`/g/${group}`);
  await bruno.isIn('Palenque');
  await expect(badges.locator('.badge')).toHaveCount(0);
});

test('favourites are first, what is archived is apart, what is muted is quiet, on every device', async ({ signUp, openTab }) => {
  test.slow();
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const groups = new Map<string, string>();
  for (const name of ['Uxmal', 'Palenque', 'Bonampak']) groups.set(name, await groupOf(ana, bruno, name));
  await bruno.page.goto('/');
  const other = await openTab(bruno);
  const both = [bruno.page, other.page];
  await expect(names(bruno.page)).toHaveText(['Bonampak', 'Palenque', 'Uxmal']);
  await choose(bruno.page, 'Uxmal', 'set-favourite');
  for (const page of both) {
    await expect(names(page)).toHaveText(['Uxmal', 'Bonampak', 'Palenque']);
    await expect(row(page, 'Uxmal')).toContainText('Favorito');
  }
  await choose(bruno.page, 'Palenque', 'mute-always');
  for (const page of both) await expect(row(page, 'Palenque')).toContainText('Silenciado');
  await say(ana, 'nadie lo oye', groups.get('Palenque'));
  for (const page of both) {
    await expect(row(page, 'Palenque').locator('.badge-quiet')).toContainText('1 mensaje sin leer');
    await expect(page).toHaveTitle('Grupos · Caravana');
  }
  await say(ana, 'esto sí', groups.get('Bonampak'));
  for (const page of both) await expect(page).toHaveTitle('(1) Grupos · Caravana');
  await choose(bruno.page, 'Bonampak', 'mark-read');
  for (const page of both) {
    await expect(page).toHaveTitle('Grupos · Caravana');
    await expect(row(page, 'Bonampak').locator('.badge')).toHaveCount(0);
  }

  await choose(bruno.page, 'Bonampak', 'set-archived');
  for (const page of both) {
    await expect(page.getByTestId('archived')).toContainText('Archivados (1)');
    await expect(row(page, 'Bonampak')).toBeHidden();
  }
  await bruno.page.getByTestId('archived').locator('summary').click();
  await expect(row(bruno.page, 'Bonampak')).toBeVisible();
  await choose(bruno.page, 'Bonampak', 'set-archived');
  for (const page of both) await expect(page.getByTestId('archived')).toHaveCount(0);
  await choose(other.page, 'Palenque', 'unmute');
  for (const page of both) await expect(row(page, 'Palenque')).not.toContainText('Silenciado');
  await expect(bruno.page).toHaveTitle('(1) Grupos · Caravana');

  // What the server refuses is taken back with a word.
  await bruno.page.route('**/me', (route) => route.abort());
  await choose(bruno.page, 'Uxmal', 'set-favourite');
  await expect(bruno.page.getByRole('alert').filter({ hasText: 'conexión' })).toBeVisible();
  await expect(names(bruno.page).first()).toHaveText('Uxmal');
  await expect(row(bruno.page, 'Uxmal')).toContainText('Favorito');
});

test('a silence of an hour ends by itself', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const { group } = await post<{ group: { id: string } }>(ana, '/groups', { name: 'Palenque' });
  await ana.page.clock.install();
  await ana.page.goto('/');
  await ana.page.clock.runFor(2_000);
  await choose(ana.page, 'Palenque', 'mute-hour');
  await expect(row(ana.page, 'Palenque')).toContainText('Silenciado');
  // The row says so before the server does.
  const left = async (): Promise<number> => {
    const answer = await ana.page.request.get(`/api/v1/groups/${group.id}`);
    const { muted_until: until } = ((await answer.json()) as { group: { me: { muted_until?: string } } }).group.me;
    return until === undefined ? 0 : new Date(until).getTime() - Date.now();
  };
  await expect.poll(left).toBeGreaterThan(50 * 60_000);
  expect(await left()).toBeLessThan(70 * 60_000);
  await ana.page.clock.fastForward('01:01:00');
  await expect(row(ana.page, 'Palenque')).not.toContainText('Silenciado');
});

test('the menu of a row is opened by the keyboard and gives the focus back', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await post(ana, '/groups', { name: 'Palenque' });
  await ana.page.goto('/');
  await row(ana.page, 'Palenque').getByTestId('group-link').focus();
  await ana.page.keyboard.press('Tab');
  const button = row(ana.page, 'Palenque').getByTestId('group-menu');
  await expect(button).toBeFocused();
  await expect(button).toHaveCSS('opacity', '1');
  // The page may not be taken over yet.
  await expect(async () => {
    await button.press('Enter');
    await expect(ana.page.getByTestId('list-sheet')).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await expect(ana.page.getByTestId('set-favourite')).toBeFocused();
  expect((await new AxeBuilder({ page: ana.page }).analyze()).violations).toEqual([]);
  await ana.page.keyboard.press('Escape');
  await expect(button).toBeFocused();
});

test('the field finds groups by name, and Ctrl+K goes to one', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  for (const name of ['Mérida', 'Málaga', 'Palenque']) await groupOf(ana, bruno, name);
  await bruno.page.goto('/');
  await row(bruno.page, 'Palenque').getByTestId('group-link').click();
  await bruno.isIn('Palenque');
  const field = bruno.page.getByTestId('find-group');
  await field.fill('MERI');
  await expect(names(bruno.page)).toHaveText(['Mérida']);
  await field.fill('zzz');
  await expect(names(bruno.page)).toHaveCount(0);
  await expect(bruno.page.getByText('Ningún grupo se llama así.')).toBeVisible();
  await field.press('Escape');
  await expect(field).toHaveValue('');
  await expect(names(bruno.page)).toHaveText(['Palenque', 'Málaga', 'Mérida']);

  const sheet = bruno.page.getByTestId('list-sheet');
  const options = sheet.getByTestId('switch-option');
  await bruno.composer.focus();
  await bruno.page.keyboard.press('Control+k');
  await expect(sheet.getByTestId('switch-field')).toBeFocused();
  await expect(options.locator('.switch-name')).toHaveText(['Málaga', 'Mérida', 'Palenque']);
  expect((await new AxeBuilder({ page: bruno.page }).include('dialog[open]').analyze()).violations).toEqual([]);
  await bruno.page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
  await expect(bruno.composer).toBeFocused();

  await bruno.page.keyboard.press('Meta+k');
  await bruno.page.keyboard.press('ArrowDown');
  await expect(options.nth(1)).toHaveAttribute('aria-selected', 'true');
  await bruno.page.keyboard.press('Enter');
  await bruno.isIn('Mérida');
  await expect(sheet).toBeHidden();
  await bruno.page.keyboard.press('Control+k');
  await bruno.page.keyboard.type('mála');
  await expect(options).toHaveCount(1);
  await bruno.page.keyboard.press('Enter');
  await bruno.isIn('Málaga');
});

// Once, the dialog was hidden with the list, and the page took no key until Escape.
test('Ctrl+K goes to a group where the list is not in sight, too', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const ids = new Map<string, string>();
  for (const name of ['Mérida', 'Palenque']) ids.set(name, await groupOf(ana, bruno, name));
  const sheet = ana.page.getByTestId('list-sheet');
  await ana.page.goto(`/g/${ids.get('Palenque') ?? ''}`);
  await ana.isIn('Palenque');
  await ana.page.setViewportSize(PHONE);
  await expect(ana.page.getByTestId('find-group')).toBeHidden();
  await ana.page.keyboard.press('Control+k');
  await expect(sheet.getByTestId('switch-field')).toBeFocused();
  await expect(sheet.getByTestId('switch-field')).toBeInViewport();
  await ana.page.keyboard.type('mér');
  await ana.page.keyboard.press('Enter');
  await ana.isIn('Mérida');
  await expect(sheet).toBeHidden();
  // Beside the members, too.
  await ana.page.setViewportSize({ width: 900, height: 700 });
  await ana.page.getByTestId('show-members').click();
  await expect(ana.page.getByTestId('find-group')).toBeHidden();
  await ana.page.keyboard.press('Control+k');
  await expect(sheet.getByTestId('switch-field')).toBeInViewport();
  await ana.page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
});

for (const { locale, words } of [
  { locale: 'es-MX', words: { name: 'Ponle un nombre al grupo.', dates: 'El viaje no puede terminar antes de empezar.' } },
  { locale: 'en-GB', words: { name: 'Give the group a name.', dates: "The trip can't end before it begins." } },
]) {
  test.describe(`in ${locale}`, () => {
    test.use({ locale });

    test('a new group has a name, an emoji and the days of its trip', async ({ signUp }) => {
      const ana = await signUp('Ana');
      await ana.page.setViewportSize(PHONE);
      await ana.page.reload();
      const sheet = ana.page.getByTestId('list-sheet');
      // The page may not be taken over yet, and then the button opens the plain form.
      await expect(async () => {
        await ana.page.getByTestId('new-group').click();
        await expect(sheet).toBeVisible({ timeout: 1_000 });
      }).toPass();
      await expect(sheet.getByTestId('new-group-name')).toBeFocused();
      expect((await new AxeBuilder({ page: ana.page }).include('dialog[open]').analyze()).violations).toEqual([]);
      await sheet.getByTestId('create-group').click();
      await expect(sheet.getByText(words.name)).toBeVisible();
      await expect(sheet.getByTestId('new-group-name')).toBeFocused();
      await sheet.getByTestId('new-group-name').fill('Oaxaca en abril');
      await sheet.getByTestId('group-emoji').filter({ hasText: '🌮' }).click();
      await expect(sheet.getByTestId('group-emoji').filter({ hasText: '🌮' })).toHaveAttribute('aria-pressed', 'true');
      await sheet.getByTestId('trip-starts').fill('2027-04-10');
      await sheet.getByTestId('trip-ends').fill('2027-04-03');
      await sheet.getByTestId('create-group').click();
      await expect(sheet.getByText(words.dates)).toBeVisible();
      await sheet.getByTestId('trip-ends').fill('2027-04-17');
      await expect(sheet.getByText(words.dates)).toBeHidden();
      await sheet.getByTestId('create-group').click();
      await ana.isIn('Oaxaca en abril');
      const { group } = (await (await ana.page.request.get(`/api/v1/groups/${ana.groupId}`)).json()) as { group: object };
      expect(group).toMatchObject({ emoji: '🌮', starts_on: '2027-04-10', ends_on: '2027-04-17' });
      await ana.page.goto('/');
      await expect(row(ana.page, 'Oaxaca en abril').locator('.avatar')).toHaveText('🌮');
      // Another device changes it.
      await patch(ana, `/groups/${(group as { id: string }).id}`, { name: 'Oaxaca', emoji: null });
      await expect(row(ana.page, 'Oaxaca').locator('.avatar')).toHaveText('O');
      expect((await new AxeBuilder({ page: ana.page }).analyze()).violations).toEqual([]);
    });
  });
}

/** Groups of one person, written into the database file by another program: file, person, how many. */
const MANY = `
import sqlite3, sys, uuid
file, person, groups = sys.argv[1:]
with sqlite3.connect(file, timeout=30) as database:
    for n in range(int(groups)):
        group = str(uuid.uuid4())
        database.execute('insert into groups (id, name) values (?, ?)', (group, f'Grupo {n:04}'))
        database.execute("insert into caravana_member (group_id, user_id, role) values (?, ?, 'owner')", (group, person))
        database.execute('insert into group_chat (user_id, group_id, message) values (?, ?, ?)', (person, group, f'mensaje {n}'))
`;

test('of 3,000 groups the first rows are in the document, the others come on scrolling, and all are found', async ({ signUp, server, browser }) => {
  test.skip((process.env.TEST_STORE ?? 'sqlite') !== 'sqlite', 'writes to the database file');
  test.slow();
  const ana = await signUp('Ana');
  execFileSync('python3', ['-c', MANY, server.file, await idOf(ana), '3000']);
  const links = ana.page.getByTestId('group-link');
  // Another program's rows enter the log in a moment.
  await expect(async () => {
    await ana.page.goto('/');
    await expect(links).toHaveCount(60, { timeout: 2_000 });
  }).toPass();
  const more = ana.page.getByTestId('more-groups');
  await expect(more).toHaveText('2940 grupos más');
  const painted = await ana.page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  test.info().annotations.push({ type: 'first paint with 3,000 groups, ms', description: String(painted) });
  await expect(async () => {
    await ana.page.locator('.groups').evaluate((list) => list.scrollTo(0, list.scrollHeight));
    expect(await links.count()).toBeGreaterThan(120);
  }).toPass();
  await ana.page.getByTestId('find-group').fill('GRUPO 27');
  await expect(links).toHaveCount(100);
  await ana.page.getByTestId('find-group').fill('grupo 2712');
  await expect(names(ana.page)).toHaveText(['Grupo 2712']);
  await ana.page.keyboard.press('Control+k');
  await ana.page.getByTestId('switch-field').fill('0007');
  await ana.page.keyboard.press('Enter');
  await ana.isIn('Grupo 0007');

  const storageState = await ana.page.context().storageState();
  const plain = await browser.newContext({ javaScriptEnabled: false, storageState, baseURL: server.url, locale: 'es-MX' });
  const page = await plain.newPage();
  await page.goto('/');
  await expect(page.getByTestId('find-group')).toBeHidden();
  await page.getByTestId('more-groups').click();
  await expect(page.getByTestId('group-link')).toHaveCount(3_000);
  await plain.close();
});

test('a new group is at the top at once and shows its invite link, which is copied and shared', async ({ signUp, openTab }) => {
  const ana = await signUp('Ana');
  await ana.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await ana.page.addInitScript(() => {
    Object.defineProperty(navigator, 'share', {
      configurable: true,
      value: async (what: { url: string }) => document.body.setAttribute('data-shared', what.url),
    });
  });
  await post(ana, '/groups', { name: 'Uxmal' });
  await ana.page.goto('/');
  const other = await openTab(ana);
  await expect(async () => {
    await ana.page.getByTestId('new-group').click();
    await expect(ana.page.getByTestId('list-sheet')).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await ana.page.getByTestId('new-group-name').fill('Palenque');
  await ana.page.getByTestId('create-group').click();
  await ana.isIn('Palenque');
  for (const page of [ana.page, other.page]) await expect(names(page)).toHaveText(['Palenque', 'Uxmal']);
  const link = (await ana.page.getByTestId('first-link').textContent()) ?? '';
  expect(link).toMatch(/^http.*\/i\//);
  await ana.page.getByTestId('first-copy').click();
  await expect.poll(() => ana.page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await ana.page.getByTestId('first-share').click();
  await expect(ana.page.locator('body')).toHaveAttribute('data-shared', link);
  expect((await new AxeBuilder({ page: ana.page }).analyze()).violations).toEqual([]);
  // After a reload the link is not known any more, and can be made again.
  await ana.page.reload();
  await ana.isIn('Palenque');
  await ana.page.getByTestId('first-invite').click();
  await expect(ana.page.getByRole('dialog')).toBeVisible();
});
