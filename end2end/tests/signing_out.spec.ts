// A sign-out leaves nothing in the browser: no draft, no unsent message, no page that can still be read.

import type { Page } from '@playwright/test';
import { PASSWORD, type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { Wire } from '../support/wire.ts';

const DRAFT = 'a media frase';

/** Everything that the app's pages keep in this browser. */
async function kept(page: Page): Promise<string[]> {
  return page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('caravana.')).sort());
}

async function drafts(page: Page): Promise<string[]> {
  return (await kept(page)).filter((key) => key.startsWith('caravana.draft.'));
}

async function write(person: Person, text: string): Promise<void> {
  await person.composer.fill(text);
  await expect.poll(() => drafts(person.page)).toHaveLength(1);
}

/** Presses the button behind the menu beside the groups. */
async function pressSignOut(page: Page): Promise<void> {
  await page.goto('/');
  await page.locator('summary[aria-label="Preferencias"]').first().click();
  await page.getByTestId('log-out').click();
}

async function isOut(page: Page): Promise<void> {
  await expect(page.getByRole('link', { name: 'Crear cuenta' })).toBeVisible();
  await expect(page.getByTestId('message')).toHaveCount(0);
}

async function signIn(page: Page, email: string): Promise<void> {
  await page.goto('/login');
  await page.getByTestId('email').fill(email);
  await page.getByTestId('password').fill(PASSWORD);
  await page.getByTestId('submit').click();
  await expect(page.getByTestId('new-group')).toBeVisible();
}

test('signing out by the button removes the draft', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Bacalar');
  await write(ana, DRAFT);
  await pressSignOut(ana.page);
  await isOut(ana.page);
  expect(await kept(ana.page)).toEqual([]);
  await signIn(ana.page, ana.email);
  await ana.page.getByTestId('group-link').click();
  await expect(ana.composer).toHaveValue('');
});

test('signing out with unsent messages asks first, and removes them only then', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  await together(ana, bruno, 'Holbox');
  await wire.cut();
  for (const text of ['uno', 'dos']) await ana.send(text);
  await write(ana, DRAFT);
  await expect.poll(() => ana.kept()).toHaveLength(2);

  await pressSignOut(ana.page);
  const dialog = ana.page.getByTestId('sign-out-dialog');
  await expect(dialog).toContainText('Tienes 2 mensajes sin enviar.');
  for (const [name, width, colorScheme] of [['desk', 1280, 'light'], ['phone', 390, 'dark']] as const) {
    await ana.page.setViewportSize({ width, height: 800 });
    await ana.page.emulateMedia({ colorScheme });
    await ana.page.screenshot({ path: test.info().outputPath(`${name}.png`) });
  }
  await ana.page.getByTestId('stay').click();
  await expect(dialog).toBeHidden();
  expect(await ana.kept()).toHaveLength(2);
  await ana.page.getByTestId('log-out').click();
  await ana.page.getByTestId('log-out-anyway').click();
  await isOut(ana.page);
  expect(await kept(ana.page)).toEqual([]);

  await wire.mend();
  await signIn(ana.page, ana.email);
  await ana.page.getByTestId('group-link').click();
  await ana.isOnline();
  await bruno.send('¿y Ana?');
  await ana.sees('¿y Ana?');
  await expect(ana.texts).toHaveText(['¿y Ana?']);
});

test('signing out without an answer of the server keeps everything and says so', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Celestún');
  await write(ana, DRAFT);
  await ana.page.goto('/');
  await ana.page.route('**/api/v1/auth/logout', (route) => route.abort());
  await ana.page.locator('summary[aria-label="Preferencias"]').first().click();
  await ana.page.getByTestId('log-out').click();
  await expect(ana.page.getByRole('alert').filter({ hasText: 'No pudimos hablar con el servidor' }).first()).toBeVisible();
  expect(await drafts(ana.page)).toHaveLength(1);
});

test('signing out before scripts run removes the draft when the next page runs', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Xilitla');
  await write(ana, DRAFT);
  // These files never arrive.
  await ana.page.route('**/*.wasm', () => new Promise(() => {}));
  await ana.page.goto('/', { waitUntil: 'domcontentloaded' });
  await ana.page.locator('summary[aria-label="Preferencias"]').first().click();
  await ana.page.getByTestId('log-out').click();
  await isOut(ana.page);
  expect(await drafts(ana.page)).toHaveLength(1);
  await ana.page.unroute('**/*.wasm');
  await ana.page.reload();
  await expect.poll(() => kept(ana.page)).toEqual([]);
  expect(await ana.page.evaluate(() => document.cookie)).not.toContain('signed_out');
});

test('ending the account removes the draft', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Calakmul');
  await write(ana, DRAFT);
  await ana.page.goto('/account');
  await ana.page.getByTestId('delete-account').click();
  await ana.page.getByTestId('delete-password').fill(PASSWORD);
  await ana.page.getByTestId('delete-for-ever').click();
  await expect(ana.page.getByRole('status')).toContainText('Tu cuenta fue eliminada');
  await expect.poll(() => kept(ana.page)).toEqual([]);
});

test('signing out in one tab ends the others, and nothing is kept from them', async ({ signUp, openTab }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Palenque');
  await ana.send('algo que leer');
  await ana.seesSent('algo que leer');
  const other = await openTab(ana);
  const account = await openTab(ana);
  await account.page.goto('/account');
  await other.isOnline();
  await write(other, DRAFT);
  await pressSignOut(ana.page);
  for (const tab of [ana, other, account]) await isOut(tab.page);
  expect(await kept(other.page)).toEqual([]);
});

test('a sign-in that ends by itself keeps the draft for the same person, and another one removes it', async ({ signUp, browser, server, watch, locale }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await ana.createGroup('Sisal');
  await write(ana, DRAFT);
  const phone = await (await browser.newContext({ baseURL: server.url, locale })).newPage();
  watch(phone);
  await signIn(phone, ana.email);
  const endElsewhere = async () => {
    await phone.goto('/account');
    await phone.getByTestId('end-other-sessions').click();
    await expect(phone.getByTestId('done')).toBeVisible();
    await expect(ana.page.getByText('Tu sesión ha caducado.').first()).toBeVisible();
  };
  await endElsewhere();
  await ana.page.getByRole('link', { name: 'Iniciar sesión' }).click();
  await signIn(ana.page, ana.email);
  await ana.page.getByTestId('group-link').click();
  await expect(ana.composer).toHaveValue(DRAFT);
  await ana.isOnline();

  await endElsewhere();
  await signIn(ana.page, bruno.email);
  await expect.poll(() => drafts(ana.page)).toEqual([]);
  await phone.context().close();
});

// Simulates WebKit's page cache: it keeps a left page unchanged, and sends it an event when it is shown again.
for (const [how, leave] of [
  // A change that the page notices by itself, while the server cannot be reached.
  ['in another page', async (page: Page) => page.evaluate(() => localStorage.removeItem('caravana.person'))],
  ['by a form', async (page: Page) => page.evaluate(() => (document.cookie = 'signed_out=1; path=/'))],
  // A change that only the server knows.
  ['elsewhere', undefined],
] as const) {
  test(`a page that returns from the browser’s cache after its person signed out ${how} shows nothing`, async ({ signUp }) => {
    const ana = await signUp('Ana');
    await ana.createGroup('Loreto');
    await ana.send('algo que leer');
    await ana.seesSent('algo que leer');
    const returns = () => ana.page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    // Without a sign-out the page stays.
    await returns();
    await ana.send('y algo más');
    await ana.seesSent('y algo más');
    await ana.page.context().setOffline(true);
    await returns();
    await ana.sees('y algo más');
    await ana.page.context().setOffline(false);
    await ana.isOnline();

    await ana.page.context().clearCookies({ name: /session/ });
    if (leave !== undefined) {
      await ana.page.route('**/api/v1/session', (route) => route.abort());
      await leave(ana.page);
    }
    await returns();
    await expect(ana.page.getByTestId('message')).toHaveCount(0);
    await expect(ana.page.getByRole('link', { name: 'Crear cuenta' }).first()).toBeVisible();
  });
}

test('after signing out, Back shows no message', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Mulegé');
  await ana.send('algo que leer');
  await ana.seesSent('algo que leer');
  await pressSignOut(ana.page);
  await isOut(ana.page);
  for (let step = 0; step < 4; step += 1) {
    await ana.page.goBack().catch(() => null);
    await expect(ana.page.getByTestId('message')).toHaveCount(0);
    await expect(ana.page.getByText('algo que leer')).toHaveCount(0);
  }
});
