// axe finds nothing: in every view, in both themes and both languages. Each view is opened once for each language; the theme
// is changed in it. Each rule runs where its answer can differ: the dark theme has the same elements in other colours, and the
// other language other words in the same colours.

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { showTheme } from '../support/theme.ts';

test.describe.configure({ timeout: 480_000 });

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** What the views show. */
interface Scene {
  ana: Person;
  page: Page;
  group: string;
  direct: string;
  closed: string;
  token: string;
}

interface View {
  what: string;
  size?: { width: number; height: number };
  /** Of somebody who is not signed in. */
  stranger?: boolean;
  path: (scene: Scene) => string;
  /** What is pressed there, and what is there then. The page may not have been taken over yet, so it is pressed until then. */
  press?: (page: Page) => Promise<void>;
  shown: (page: Page) => Locator;
}

const main = (page: Page): Locator => page.getByRole('main');
const inGroup = (scene: Scene): string => `/g/${scene.group}`;
/** A message of somebody else. */
const others = (page: Page): Locator => page.locator('.row:has([data-testid="quote"])').first();

async function menu(page: Page): Promise<void> {
  await others(page).locator('.bubble').hover();
  await page.getByTestId('bar-more').click({ timeout: 1_000 });
}

const VIEWS: View[] = [
  { what: 'the welcome', stranger: true, path: () => '/', shown: main },
  { what: 'the sign-up', stranger: true, path: () => '/register', shown: (page) => page.getByTestId('submit') },
  { what: 'the log-in', stranger: true, path: () => '/login', shown: (page) => page.getByTestId('submit') },
  { what: 'the lost password', stranger: true, path: () => '/reset', shown: main },
  { what: 'an invite, to a stranger', stranger: true, path: ({ token }) => `/i/${token}`, shown: main },
  { what: 'an invite that is none', stranger: true, path: () => `/i/${'a'.repeat(43)}`, shown: main },
  { what: 'a page that is not there', stranger: true, path: () => '/nada', shown: main },
  { what: 'an invite', path: ({ token }) => `/i/${token}`, shown: main },
  { what: 'the list', path: () => '/', shown: (page) => page.getByTestId('group-link').first() },
  { what: 'the list on a phone', size: PHONE, path: () => '/', shown: (page) => page.getByTestId('group-link').first() },
  { what: 'a group', path: inGroup, shown: others },
  { what: 'a group on a phone', size: PHONE, path: inGroup, shown: others },
  { what: 'the bar of a message', path: inGroup, press: (page) => others(page).locator('.bubble').hover(), shown: (page) => page.getByTestId('bar-more') },
  { what: 'the menu of a message', path: inGroup, press: menu, shown: (page) => page.getByTestId('message-menu').getByTestId('menu-close') },
  {
    what: 'the question before a block',
    path: inGroup,
    press: async (page) => {
      await menu(page);
      await page.getByTestId('message-menu').getByTestId('block').click({ timeout: 1_000 });
    },
    shown: (page) => page.getByTestId('question-yes'),
  },
  {
    what: 'selected messages',
    path: inGroup,
    press: async (page) => {
      await menu(page);
      await page.getByTestId('menu-select').click({ timeout: 1_000 });
    },
    shown: (page) => page.getByTestId('pick').first(),
  },
  {
    what: 'a reply',
    path: inGroup,
    press: async (page) => {
      await menu(page);
      await page.getByTestId('menu-reply').click({ timeout: 1_000 });
    },
    shown: (page) => page.getByTestId('composer-mode'),
  },
  { what: 'the members on a phone', size: PHONE, path: (scene) => `${inGroup(scene)}/miembros`, shown: (page) => page.locator('.member').first() },
  {
    what: 'the sheet of a member',
    path: inGroup,
    press: (page) => page.getByTestId('member-more').first().click({ timeout: 1_000 }),
    shown: (page) => page.getByTestId('send-direct'),
  },
  {
    what: 'the details',
    path: inGroup,
    press: (page) => page.getByTestId('group-settings').click({ timeout: 1_000 }),
    shown: (page) => page.getByTestId('save-group'),
  },
  {
    what: 'the search',
    path: inGroup,
    press: async (page) => {
      await page.keyboard.press('Control+f');
      await page.getByTestId('search-field').fill('salimos', { timeout: 1_000 });
    },
    shown: (page) => page.getByTestId('search').getByTestId('hit').first(),
  },
  {
    what: 'the filters of the search, on a phone',
    size: PHONE,
    path: inGroup,
    press: async (page) => {
      await page.keyboard.press('Control+f');
      const filters = page.getByTestId('search-filters');
      if (!(await page.getByTestId('search-person').isVisible())) await filters.click({ timeout: 1_000 });
    },
    shown: (page) => page.getByTestId('search-person'),
  },
  {
    what: 'the emoji',
    path: inGroup,
    press: (page) => page.getByTestId('open-emoji').click({ timeout: 1_000 }),
    shown: (page) => page.locator('dialog[open] .emoji').first(),
  },
  {
    what: 'an invitation',
    path: inGroup,
    press: (page) => page.getByTestId('invite').first().click({ timeout: 1_000 }),
    shown: (page) => page.locator('dialog[open]').getByTestId('copy-invite').or(page.locator('dialog[open]').getByTestId('no-invites')).first(),
  },
  {
    what: 'the preferences',
    path: () => '/',
    press: async (page) => {
      if (!(await page.locator('.menu-sheet').first().isVisible())) await page.locator('details.menu > summary').first().click({ timeout: 1_000 });
    },
    shown: (page) => page.getByTestId('account'),
  },
  {
    what: 'a new group',
    path: () => '/',
    press: (page) => page.getByTestId('new-group').click({ timeout: 1_000 }),
    shown: (page) => page.getByTestId('new-group-name'),
  },
  {
    what: 'the menu of a group',
    path: () => '/',
    press: async (page) => {
      await page.getByTestId('group-link').first().hover();
      await page.getByTestId('group-menu').first().click({ timeout: 1_000 });
    },
    shown: (page) => page.getByTestId('set-favourite'),
  },
  { what: 'the switcher', path: inGroup, press: (page) => page.keyboard.press('Control+k'), shown: (page) => page.getByTestId('switch-option').first() },
  { what: 'a conversation of two', path: ({ direct }) => `/g/${direct}`, shown: (page) => page.getByTestId('message').first() },
  { what: 'a conversation that is closed', path: ({ closed }) => `/g/${closed}`, shown: (page) => page.getByTestId('closed') },
  { what: 'the account with blocked people', path: () => '/account', shown: (page) => page.getByTestId('blocked-person') },
];

async function scene(signUp: (name: string) => Promise<Person>): Promise<Scene> {
  const [ana, bruno, carla] = [await signUp('Ana'), await signUp('Bruno'), await signUp('Carla')];
  await together(ana, bruno, 'Oaxaca en abril');
  const group = ana.groupId;
  const { token } = await ana.post<{ token: string }>(`/groups/${group}/invites`);
  await carla.post(`/invites/${token}/accept`);
  const { message } = await ana.post<{ message: { id: string } }>(`/groups/${group}/messages`, { message: '¿Salimos a las **7**? https://example.com' });
  await bruno.post(`/groups/${group}/messages`, { message: 'Salimos cuando digas, @Ana', reply_to: message.id });
  await carla.post(`/groups/${group}/messages`, { message: 'De quien está bloqueada' });
  await ana.page.request.put(`/api/v1/groups/${group}/messages/${message.id}/pin`, { headers: { 'sec-fetch-site': 'same-origin' } });
  const user = async (person: Person): Promise<string> =>
    ((await (await person.page.request.get('/api/v1/session')).json()) as { user: { id: string } }).user.id;
  const conversation = async (person: Person): Promise<string> =>
    (await ana.post<{ group: { id: string } }>('/direct', { user_id: await user(person) })).group.id;
  const [direct, closed] = [await conversation(bruno), await conversation(carla)];
  await ana.post(`/groups/${direct}/messages`, { message: 'Solo para ti' });
  await ana.post(`/groups/${closed}/messages`, { message: 'Hasta aquí' });
  const blocked = await ana.page.request.put(`/api/v1/blocks/${await user(carla)}`, { headers: { 'sec-fetch-site': 'same-origin' } });
  expect(blocked.ok()).toBe(true);
  return { ana, page: ana.page, group, direct, closed, token };
}

const COLOURS = ['color-contrast', 'link-in-text-block'];

/** What is looked at in a view: in these themes, by these rules. */
type Look = readonly ['light' | 'dark', (axe: AxeBuilder) => AxeBuilder];

const LOOKS: Record<string, Look[]> = {
  'es-MX': [
    ['light', (axe) => axe],
    ['dark', (axe) => axe.withRules(COLOURS)],
  ],
  'en-GB': [['light', (axe) => axe.disableRules(COLOURS)]],
};

/** Shows a view, and says what axe finds in it. */
async function inspect(page: Page, view: View, at: Scene, looks: Look[]): Promise<string[]> {
  await page.setViewportSize(view.size ?? DESKTOP);
  await page.goto(view.path(at));
  const { press } = view;
  if (press !== undefined) {
    await expect(async () => {
      if (!(await view.shown(page).isVisible())) await press(page);
      await expect(view.shown(page)).toBeVisible({ timeout: 2_000 });
    }, view.what).toPass({ timeout: 20_000 });
  }
  await expect(view.shown(page), view.what).toBeVisible();
  const found: string[] = [];
  for (const [theme, by] of looks) {
    await showTheme(page, theme);
    const { violations } = await by(new AxeBuilder({ page })).analyze();
    found.push(...violations.map(({ id, nodes }) => `${view.what}, ${theme}: ${id}: ${nodes.map((node) => node.html).join('\n')}`));
  }
  return found;
}

for (const [locale, looks] of Object.entries(LOOKS)) {
  test.describe(`in ${locale}`, () => {
    test.use({ locale });

    test('axe finds nothing in any view, light or dark', async ({ signUp, page }) => {
      const at = await scene(signUp);
      const found: string[] = [];
      for (const view of VIEWS) {
        const seen = await test.step(view.what, () => inspect(view.stranger === true ? page : at.page, view, at, looks));
        found.push(...seen);
      }
      expect(found).toEqual([]);
    });
  });
}
