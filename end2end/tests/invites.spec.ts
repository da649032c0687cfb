// The invite links of a group: who sees which links, and how a link is revoked.

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { showTheme } from '../support/theme.ts';

/** A single word with the maximal length of a name. */
const LONG_NAME = 'Maximiliana'.padEnd(60, 'ñandú');

const rows = ({ page }: Person): Locator => page.getByTestId('invite-row');
const told = ({ page }: Person): Locator => page.getByTestId('invite-status');

async function open({ page }: Person): Promise<void> {
  await page.getByRole('button', { name: 'Invitar' }).first().click();
  await expect(page.locator('dialog[open]')).toBeVisible();
}

/** Creates links by REST, like a program of the person. */
async function make(person: Person, bodies: object[]): Promise<string[]> {
  const headers = { origin: new URL(person.page.url()).origin };
  const urls: string[] = [];
  for (const data of bodies) {
    const answer = await person.page.request.post(`/api/v1/groups/${person.groupId}/invites`, { data, headers });
    expect(answer.status()).toBe(201);
    urls.push(((await answer.json()) as { url: string }).url);
  }
  return urls;
}

async function revoke(row: Locator): Promise<void> {
  await row.getByTestId('revoke-invite').click();
  await row.getByTestId('revoke-invite-now').click();
}

test('looking makes no link, and one that is made is copied and listed', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.page.addInitScript(() => {
    const share = async ({ url }: { url: string }) => document.body.setAttribute('data-shared', url);
    Object.defineProperty(navigator, 'share', { value: share });
  });
  await ana.createGroup('Tulum');
  await open(ana);
  await expect(ana.page.getByTestId('no-invites')).toHaveText('No hay ninguno en este momento.');
  await ana.page.keyboard.press('Escape');
  await open(ana);
  await expect(ana.page.getByTestId('no-invites')).toBeVisible();
  await ana.page.getByTestId('copy-invite').click();
  await expect(ana.page.getByTestId('invite-link')).toHaveValue(/\/i\//);
  await expect(rows(ana)).toHaveCount(1);
  await expect(rows(ana)).toContainText('Ana');
  await expect(rows(ana).getByText('Tú', { exact: true })).toBeVisible();
  await expect(rows(ana)).toContainText(/Vence el \d+ de \p{L}+( de \d{4})?, \d\d:\d\d\s· aún sin usar/u);
  // The dialog shares it by the browser's own sheet.
  await ana.page.getByTestId('share-invite').click();
  await expect(ana.page.locator('body')).toHaveAttribute('data-shared', await ana.page.getByTestId('invite-link').inputValue());
  // A second click copies the same link.
  await ana.page.getByTestId('copy-invite').click();
  await expect(rows(ana)).toHaveCount(1);
});

test('the owner sees everybody’s links, a member their own, and a revoked one lets nobody in', async ({ signUp, page }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Oaxaca en abril');
  const link = await bruno.inviteLink();
  await open(bruno);
  await expect(bruno.page.getByRole('heading', { name: 'Tus enlaces vigentes' })).toBeVisible();
  await expect(rows(bruno)).toHaveCount(1);
  await expect(rows(bruno)).toContainText('Bruno');

  await open(ana);
  await expect(ana.page.getByRole('heading', { name: 'Enlaces vigentes', exact: true })).toBeVisible();
  await expect(rows(ana)).toHaveCount(2);
  await expect(rows(ana).filter({ hasText: 'Ana' })).toContainText('entró 1 persona');
  await revoke(rows(ana).filter({ hasText: 'Bruno' }));
  await expect(told(ana)).toHaveText('Enlace anulado');
  await expect(told(ana)).toHaveRole('status');
  await expect(rows(ana).locator('bdi')).toHaveText(['Ana']);

  const response = await page.goto(link);
  expect(response?.status()).toBe(410);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Esta invitación ya no vale');
  // Revoking a link that is already revoked succeeds, too.
  await revoke(rows(bruno));
  await expect(bruno.page.getByTestId('no-invites')).toBeVisible();
});

test('a link that was just made goes from the dialog when it is revoked', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Palenque');
  await open(ana);
  await ana.page.getByTestId('copy-invite').click();
  const first = await ana.page.getByTestId('invite-link').inputValue();
  await revoke(rows(ana));
  await expect(ana.page.getByTestId('invite-link')).toHaveCount(0);
  await ana.page.getByTestId('copy-invite').click();
  await expect(ana.page.getByTestId('invite-link')).not.toHaveValue(first);
  await expect(rows(ana)).toHaveCount(1);
});

test('links are revoked by keyboard alone, after a question that Escape takes back', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const { page } = ana;
  await ana.createGroup('Bonampak');
  await make(ana, [{}, { max_uses: 1 }]);
  await open(ana);
  const button = (number: number) => rows(ana).nth(number).getByTestId('revoke-invite');
  const limited = rows(ana).filter({ hasText: 'queda 1 uso' }).getByTestId('revoke-invite');
  await expect(limited).toHaveAccessibleDescription(/Ana.*Vence el .* queda 1 uso/s);
  await button(0).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('group', { name: /¿Anular este enlace\?/ })).toBeVisible();
  await expect(page.getByTestId('keep-invite')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.locator('dialog[open]')).toBeVisible();
  await expect(button(0)).toBeFocused();
  for (const left of [1, 0]) {
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect(rows(ana)).toHaveCount(left);
    await expect(left > 0 ? button(0) : page.getByRole('heading', { name: 'Enlaces vigentes' })).toBeFocused();
  }
  await page.keyboard.press('Escape');
  await expect(page.locator('dialog[open]')).toHaveCount(0);
});

test('what is under way, and what did not work, is said in the row', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const { page } = ana;
  await ana.createGroup('Yaxchilán');
  await make(ana, [{}]);
  const answers: (() => Promise<void>)[] = [];
  await page.route(/\/invites\/[^/]+$/, (route) => {
    answers.push(() => route.abort());
  });
  await open(ana);
  await revoke(rows(ana));
  await expect(page.getByTestId('revoke-invite-now')).toHaveText('Anulando…');
  await expect(page.getByTestId('revoke-invite-now')).toHaveAttribute('aria-disabled', 'true');
  await expect(told(ana)).toHaveText('Anulando…');
  // A second click changes nothing.
  await page.getByTestId('revoke-invite-now').click({ force: true });
  await expect.poll(() => answers.length).toBe(1);
  for (const answer of answers) await answer();
  await expect(rows(ana).getByRole('alert')).toContainText('No pudimos hablar con el servidor.');
  await expect(page.getByTestId('revoke-invite-now')).toHaveText('Anular');
  await page.unroute(/\/invites\/[^/]+$/);
  await page.getByTestId('revoke-invite-now').click();
  await expect(page.getByTestId('no-invites')).toBeVisible();

  // A list that could not be loaded is requested again.
  await page.keyboard.press('Escape');
  await page.route(/\/invites$/, (route) => route.abort());
  await open(ana);
  await expect(page.locator('dialog[open]').getByRole('alert')).toContainText('No pudimos hablar con el servidor.');
  await page.unroute(/\/invites$/);
  await page.getByTestId('retry-invites').click();
  await expect(page.getByTestId('no-invites')).toBeVisible();
});

test('a row stays until its link’s end is answered, whatever the list says meanwhile', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const { page } = ana;
  await ana.createGroup('Calakmul');
  await make(ana, [{}, {}, {}]);
  let answer = () => {};
  const slow = new Promise<void>((resolve) => (answer = resolve));
  let first = true;
  await page.route(/\/invites\/[^/]+$/, async (route) => {
    const [response, isSlow] = [await route.fetch(), first];
    first = false;
    if (isSlow) await slow;
    await route.fulfill({ response });
  });
  await open(ana);
  await revoke(rows(ana).first());
  await expect(page.getByTestId('revoke-invite-now')).toHaveText('Anulando…');
  await revoke(rows(ana).last());
  await expect(rows(ana)).toHaveCount(2);
  // A link that is created in the meantime appears with the answer.
  await page.getByTestId('copy-invite').click();
  await expect(page.getByTestId('invite-link')).toBeVisible();
  await expect(page.getByTestId('revoke-invite-now')).toHaveText('Anulando…');
  answer();
  await expect(page.getByTestId('revoke-invite-now')).toHaveCount(0);
  await expect(told(ana)).toHaveText('Enlace anulado');
  await expect(rows(ana)).toHaveCount(2);
});

/** The elements of the page that are larger than their place. */
async function overflow(page: Page): Promise<Record<string, boolean>> {
  return page.evaluate(() => {
    const [dialog, list] = [document.querySelector('dialog[open]'), document.querySelector('.invite-rows')];
    if (!dialog || !list) throw new Error('the dialog is not open');
    return {
      'the page is wider': document.documentElement.scrollWidth > window.innerWidth,
      'the dialog is wider': dialog.scrollWidth > dialog.clientWidth,
      'the dialog is longer': dialog.scrollHeight > dialog.clientHeight,
      'the list is wider': list.scrollWidth > list.clientWidth,
      'the list is longer': list.scrollHeight > list.clientHeight,
    };
  });
}

test('long names and a hundred links stay inside the dialog, which everybody can use', async ({ signUp }, testInfo) => {
  test.setTimeout(120_000);
  const [ana, bruno] = [await signUp('Ana'), await signUp(LONG_NAME)];
  const { page } = ana;
  await together(ana, bruno, 'Patagonia');
  await make(bruno, [{ max_uses: 10 }]);
  await make(ana, Array.from({ length: 100 }, () => ({})));
  await make(bruno, [{}]);
  await open(ana);
  await ana.page.getByTestId('copy-invite').click();
  await expect(rows(ana)).toHaveCount(104);
  const long = rows(ana).filter({ hasText: LONG_NAME });
  await expect(long).toHaveCount(2);
  await long.first().getByTestId('revoke-invite').click();
  for (const colorScheme of ['light', 'dark'] as const) {
    await showTheme(page, colorScheme);
    for (const [width, height] of [[1280, 800], [390, 844], [320, 640]] as const) {
      await page.setViewportSize({ width, height });
      expect(await overflow(page), `${width} × ${height}`).toEqual({
        'the page is wider': false,
        'the dialog is wider': false,
        'the dialog is longer': false,
        'the list is wider': false,
        'the list is longer': true,
      });
      await page.screenshot({ path: testInfo.outputPath(`${width}-${colorScheme}.png`) });
    }
    const found = await new AxeBuilder({ page }).analyze();
    expect(found.violations.map((violation) => `${violation.id}: ${violation.help}`)).toEqual([]);
  }
});

test('on a phone the question about the last link is in sight, and so is what went wrong', async ({ signUp }, testInfo) => {
  const ana = await signUp('Ana');
  const { page } = ana;
  await ana.createGroup('Patagonia');
  await make(ana, Array.from({ length: 12 }, () => ({})));
  await page.setViewportSize({ width: 390, height: 844 });
  await page.route(/\/invites\/[^/]+$/, (route) => route.abort());
  await open(ana);
  await page.getByTestId('copy-invite').click();
  await expect(rows(ana)).toHaveCount(13);
  await rows(ana).last().getByTestId('revoke-invite').click();
  for (const button of ['keep-invite', 'revoke-invite-now']) await expect(page.getByTestId(button)).toBeInViewport({ ratio: 1 });
  await page.screenshot({ path: testInfo.outputPath('asked.png') });
  await page.getByTestId('revoke-invite-now').click();
  await expect(rows(ana).getByRole('alert')).toContainText('No pudimos hablar con el servidor.');
  await expect(rows(ana).getByRole('alert')).toBeInViewport({ ratio: 1 });
  for (const button of ['keep-invite', 'revoke-invite-now']) await expect(page.getByTestId(button)).toBeInViewport({ ratio: 1 });
  await page.screenshot({ path: testInfo.outputPath('refused.png') });
});
