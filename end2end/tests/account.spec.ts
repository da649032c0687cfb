import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { PASSWORD, type Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

const ANOTHER = 'otra-contraseña-bastante-larga';

/** Opens the account page as a person does: by the menu beside the groups. */
async function toAccount(person: Person): Promise<void> {
  await person.page.goto('/');
  await person.page.locator('summary[aria-label="Preferencias"]').first().click();
  await person.page.getByTestId('account').click();
  await expect(person.page.getByRole('heading', { name: 'Tu cuenta' })).toBeVisible();
}

async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto('/login');
  await page.getByTestId('email').fill(email);
  await page.getByTestId('password').fill(password);
  await page.getByTestId('submit').click();
}

async function changePassword(page: Page, present: string, next: string): Promise<void> {
  await page.getByTestId('present-password').fill(present);
  await page.getByTestId('new-password').fill(next);
  await page.getByTestId('change-password').click();
}

test('a changed password signs out elsewhere, and the new one signs in', async ({ signUp, browser, server, watch, locale }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Oaxaca en abril');
  const phone = await (await browser.newContext({ baseURL: server.url, locale })).newPage();
  watch(phone);
  await signIn(phone, ana.email, PASSWORD);
  await phone.getByTestId('group-link').click();
  await expect(phone.getByTestId('composer')).toBeVisible();

  await toAccount(ana);
  await changePassword(ana.page, 'no-es-la-contraseña', ANOTHER);
  await expect(ana.page.getByRole('alert').filter({ hasText: 'Esa no es tu contraseña actual.' })).toBeVisible();
  await changePassword(ana.page, PASSWORD, ANOTHER);
  await expect(ana.page.getByTestId('done')).toContainText('Tu contraseña cambió');

  // The other page is told without a reload, and this page stays signed in.
  await expect(phone.getByText('Tu sesión ha caducado.').first()).toBeVisible();
  await ana.page.goto('/');
  await expect(ana.page.getByTestId('new-group')).toBeVisible();
  await signIn(phone, ana.email, PASSWORD);
  await expect(phone.getByRole('alert')).toContainText('no coinciden');
  await signIn(phone, ana.email, ANOTHER);
  await expect(phone.getByTestId('new-group')).toBeVisible();
  await phone.context().close();
});

test('somebody sees where they are signed in and ends it', async ({ signUp, browser, server, watch, locale }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Oaxaca en abril');
  const phone = await (await browser.newContext({ baseURL: server.url, locale })).newPage();
  watch(phone);
  await signIn(phone, ana.email, PASSWORD);
  await phone.getByTestId('group-link').click();
  await expect(phone.getByTestId('composer')).toBeVisible();

  await toAccount(ana);
  const rows = ana.page.getByTestId('sign-in');
  await expect(rows).toHaveCount(2);
  await expect(rows.filter({ hasText: 'Este dispositivo' })).toHaveCount(1);
  await expect(rows.first()).toContainText('Linux');
  await ana.page.getByTestId('end-session').click();
  await expect(ana.page.getByTestId('done')).toBeVisible();
  await expect(rows).toHaveCount(1);
  await expect(phone.getByText('Tu sesión ha caducado.').first()).toBeVisible();
  await phone.context().close();
});

test('a deleted account leaves its messages as those of a deleted user', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await ana.createGroup('Oaxaca en abril');
  await bruno.accept(await ana.inviteLink());
  await ana.send('Nos vemos en el zócalo');
  await expect(bruno.message('Nos vemos en el zócalo')).toBeVisible();

  await toAccount(ana);
  await ana.page.getByTestId('delete-account').click();
  await ana.page.getByTestId('delete-password').fill(PASSWORD);
  await ana.page.getByTestId('delete-for-ever').click();
  await expect(ana.page.getByRole('status')).toContainText('Tu cuenta fue eliminada');

  // At once, and after a reload.
  await expect(bruno.page.getByText('Usuario eliminado salió del grupo')).toBeVisible();
  await bruno.page.reload();
  await expect(bruno.message('Nos vemos en el zócalo')).toContainText('Usuario eliminado');
  await expect(bruno.page.getByText('Ana', { exact: true })).toHaveCount(0);
});

test('the account can be used without scripts', async ({ signUp, browser, server, watch, locale }) => {
  const ana = await signUp('Ana');
  const cookies = await ana.page.context().cookies();
  const plain = await browser.newContext({ baseURL: server.url, locale, javaScriptEnabled: false });
  await plain.addCookies(cookies);
  const page = await plain.newPage();
  watch(page);
  await page.goto('/account');
  await page.getByTestId('display-name').fill('Ana María');
  await page.getByTestId('save-name').click();
  await expect(page.getByTestId('done')).toBeVisible();
  await expect(page.getByTestId('display-name')).toHaveValue('Ana María');
  await changePassword(page, PASSWORD, ANOTHER);
  await expect(page.getByTestId('done')).toContainText('Tu contraseña cambió');
  await plain.close();
});

test('where no mail is sent, the page says whom to ask', async ({ page }) => {
  await page.goto('/login');
  await page.getByTestId('forgot').click();
  await expect(page.getByTestId('ask-operator')).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the account is readable and usable by everybody (${colorScheme})`, async ({ signUp }, testInfo) => {
    const ana = await signUp('Ana');
    await ana.page.emulateMedia({ colorScheme });
    await toAccount(ana);
    await ana.page.getByTestId('delete-account').click();
    for (const width of [1280, 390, 320]) {
      await ana.page.setViewportSize({ width, height: 844 });
      const wider = await ana.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wider, `nothing is wider than ${width}px`).toBeLessThanOrEqual(0);
      await ana.page.screenshot({ fullPage: true, path: testInfo.outputPath(`${width}.png`) });
    }
    expect((await new AxeBuilder({ page: ana.page }).analyze()).violations).toEqual([]);
    await ana.page.goto('/reset/' + 'a'.repeat(43));
    expect((await new AxeBuilder({ page: ana.page }).analyze()).violations).toEqual([]);
  });
}

test('what others see of somebody is chosen on the account page, with and without scripts', async ({ signUp, browser, server, locale }) => {
  const ana = await signUp('Ana');
  await toAccount(ana);
  await expect(ana.page.getByTestId('share_reads')).toBeChecked();
  await ana.page.getByTestId('share_typing').uncheck();
  await ana.page.getByTestId('save-privacy').click();
  await expect(ana.page.getByTestId('done')).toHaveText('Tus opciones de privacidad quedaron guardadas.');
  await expect(ana.page.getByTestId('share_typing')).not.toBeChecked();
  await expect(ana.page.getByTestId('share_reads')).toBeChecked();
  const context = await browser.newContext({ baseURL: server.url, locale, javaScriptEnabled: false });
  await context.addCookies(await ana.page.context().cookies());
  const plain = await context.newPage();
  await plain.goto('/account');
  await plain.getByTestId('share_typing').check();
  await plain.getByTestId('share_reads').uncheck();
  await plain.getByTestId('save-privacy').click();
  await ana.page.goto('/account');
  await expect(ana.page.getByTestId('share_typing')).toBeChecked();
  await expect(ana.page.getByTestId('share_reads')).not.toBeChecked();
  await context.close();
});
