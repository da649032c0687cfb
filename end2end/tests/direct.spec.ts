// Conversations of two people, and blocking somebody: by both, on all devices, in both languages.

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator } from '@playwright/test';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

const PHONE = { width: 390, height: 844 };

function member(person: Person, name: string): Locator {
  return person.page.locator('.member', { hasText: name });
}

async function sheetOf(person: Person, name: string): Promise<Locator> {
  await member(person, name).getByTestId('member-more').click();
  const sheet = person.page.getByTestId('group-sheet');
  await expect(sheet.getByTestId('block')).toBeVisible();
  return sheet;
}

/** Opens the conversation with a member of the open group. */
async function write(person: Person, name: string): Promise<void> {
  await (await sheetOf(person, name)).getByTestId('send-direct').click();
  await expect(person.page.getByRole('heading', { level: 1, name })).toBeVisible();
  await expect(person.page.getByTestId('group-sheet')).toBeHidden();
  await person.isOnline();
}

/** Blocks a member of the open group, or takes it back. */
async function block(person: Person, name: string): Promise<void> {
  const sheet = await sheetOf(person, name);
  await sheet.getByTestId('block').click();
  await expect(sheet.getByRole('heading', { name: `¿Bloquear a ${name}?` })).toBeVisible();
  await sheet.getByTestId('question-yes').click();
  await expect(person.page.getByTestId('group-sheet')).toBeHidden();
}

function listed(person: Person, name: string): Locator {
  return person.page.getByTestId('group-link').filter({ has: person.page.locator('.group-name', { hasText: name }) });
}

test('two members write to each other alone, and all devices have it', async ({ signUp, openTab }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  const tab = await openTab(bruno);
  // Nobody writes to oneself.
  await expect(member(ana, 'Ana').getByTestId('member-more')).toHaveCount(0);
  await write(ana, 'Bruno');
  // It is no trip: who is there, and no links.
  await expect(ana.connection).toContainText('En línea');
  await expect(ana.page.getByRole('button', { name: 'Invitar' })).toHaveCount(0);
  await expect(ana.page.locator('.empty')).toContainText('Solo ustedes dos leen esta conversación.');
  await expect(ana.page.locator('.notice')).toHaveCount(0);
  // Until something is written, the other's list shows nothing.
  await expect(listed(bruno, 'Ana')).toHaveCount(0);
  await ana.send('solo para ti');
  await ana.seesSent('solo para ti');
  for (const device of [bruno, tab]) await expect(listed(device, 'Ana')).toContainText('solo para ti');
  await expect(listed(ana, 'Bruno').locator('.avatar')).not.toHaveClass(/avatar-group/);
  await listed(bruno, 'Ana').click();
  await bruno.isIn('Ana');
  await bruno.sees('solo para ti');
  await bruno.send('gracias');
  await ana.sees('gracias');
  // From the other side it is the same one.
  await bruno.page.goBack();
  await bruno.isIn('Patagonia');
  await write(bruno, 'Ana');
  await bruno.sees('gracias');
  expect(bruno.groupId).toBe(ana.groupId);
  // What is rendered is what is taken over, and nobody leaves it.
  await bruno.page.reload();
  await bruno.isIn('Ana');
  await bruno.page.getByTestId('group-settings').click();
  const details = bruno.page.getByTestId('group-sheet');
  await expect(details.getByRole('heading', { name: 'Detalles de la conversación' })).toBeVisible();
  await expect(details.getByTestId('leave-group')).toHaveCount(0);
  await expect(details.getByTestId('send-direct')).toHaveCount(0);
  await details.getByTestId('set-archived').click();
  await expect(bruno.page.getByTestId('archived')).toContainText('Archivados (1)');
  await expect(tab.page.getByTestId('archived')).toContainText('Archivados (1)');
});

test('whom one has blocked can not write, and is folded in groups', async ({ signUp, openTab }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await write(ana, 'Bruno');
  await ana.send('hola');
  await ana.seesSent('hola');
  const tab = await openTab(ana);
  await tab.isIn('Bruno');
  await listed(bruno, 'Ana').click();
  await bruno.isIn('Ana');
  await ana.page.goBack();
  await ana.isIn('Patagonia');
  await block(ana, 'Bruno');
  // The other is told that it is closed, and no more; the reader's own device says why.
  await expect(bruno.page.getByTestId('closed')).toContainText('No puedes escribir a esta persona.');
  await expect(bruno.page.getByTestId('closed').getByTestId('unblock')).toBeHidden();
  await expect(bruno.composer).toBeHidden();
  await expect(tab.page.getByTestId('closed')).toContainText('Bloqueaste a esta persona.');
  await expect(tab.composer).toBeHidden();
  // In the group.
  await bruno.page.goBack();
  await bruno.isIn('Patagonia');
  await bruno.send('¿me lees?');
  await bruno.seesSent('¿me lees?');
  const folded = ana.page.getByTestId('show-blocked');
  await expect(folded).toContainText('Mensaje de una persona bloqueada');
  await expect(folded).toContainText('Mostrar');
  await expect(listed(ana, 'Patagonia')).toContainText('Mensaje de una persona bloqueada');
  await expect(ana.page.getByText('¿me lees?')).toHaveCount(0);
  await ana.page.reload();
  await ana.isIn('Patagonia');
  await expect(ana.page.getByTestId('show-blocked')).toBeVisible();
  await ana.page.getByTestId('show-blocked').click();
  await ana.sees('¿me lees?');
  // Taken back on the other device, where the composer was.
  await tab.page.getByTestId('closed').getByTestId('unblock').click();
  await expect(tab.composer).toBeVisible();
  await tab.send('ya está');
  await tab.seesSent('ya está');
  await expect(listed(ana, 'Patagonia')).toContainText('¿me lees?');
  await expect(listed(bruno, 'Ana')).toContainText('ya está');
});

// Once, such a mention counted in the list until the next load.
test('nobody hears of a mention by somebody whom one has blocked', async ({ signUp }) => {
  const [ana, bruno, carla] = [await signUp('Ana'), await signUp('Bruno'), await signUp('Carla')];
  await together(ana, bruno, 'Patagonia');
  const { token } = await ana.post<{ token: string }>(`/groups/${ana.groupId}/invites`);
  await carla.post(`/invites/${token}/accept`);
  await carla.page.goto(new URL(ana.page.url()).pathname);
  await carla.isIn('Patagonia');
  await block(ana, 'Bruno');
  await ana.createGroup('La otra');
  for (const person of [bruno, carla]) {
    await person.composer.fill('@Ana, ¿vienes?');
    await person.composer.press('Enter');
    await person.page.keyboard.press('Enter');
    await expect(person.messages.last()).toHaveAttribute('data-state', 'sent');
  }
  const row = listed(ana, 'Patagonia');
  await expect(row.locator('.badge:not(.badge-mention)')).toContainText('2');
  await expect(row.locator('.badge-mention')).toHaveText('@1 mención');
  await ana.page.reload();
  await ana.isIn('La otra');
  await expect(row.locator('.badge-mention')).toHaveText('@1 mención');
});

// Once, the header had the old name until the next load.
test('a conversation is called as the other person is now', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await write(ana, 'Bruno');
  await ana.send('hola');
  await listed(bruno, 'Ana').click();
  await bruno.sees('hola');
  const rename = async (name: string): Promise<void> => {
    const answer = await ana.page.request.patch('/api/v1/account', { headers: { 'sec-fetch-site': 'same-origin' }, data: { display_name: name } });
    expect(answer.ok()).toBe(true);
  };
  await rename('Anita');
  await expect(bruno.page.getByRole('heading', { level: 1, name: 'Anita', exact: true })).toBeVisible();
  await expect(listed(bruno, 'Anita')).toHaveCount(1);
  await expect(member(bruno, 'Anita')).toHaveCount(1);
  // And if nothing told of it, because there was no link.
  await bruno.page.context().setOffline(true);
  await expect(bruno.connection).toHaveAttribute('data-state', 'offline');
  await rename('Ana María');
  await bruno.page.context().setOffline(false);
  await expect(bruno.page.getByRole('heading', { level: 1, name: 'Ana María' })).toBeVisible({ timeout: 30_000 });
});

test('one blocks the author of a message from its menu, and takes it back there', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await bruno.send('¿me lees?');
  await ana.sees('¿me lees?');
  await ana.send('sí');
  await ana.seesSent('sí');
  const menu = ana.page.getByTestId('message-menu');
  const open = async (row: Locator): Promise<void> => {
    await row.locator('.bubble').hover();
    await ana.page.getByTestId('bar-more').click();
    await expect(menu.getByTestId('menu-close')).toBeVisible();
  };
  // Nobody blocks oneself.
  await open(ana.message('sí'));
  await expect(menu.getByTestId('block')).toHaveCount(0);
  await ana.page.keyboard.press('Escape');
  await open(ana.message('¿me lees?'));
  await expect(menu.getByTestId('block')).toHaveText('Bloquear');
  await menu.getByTestId('block').click();
  await expect(menu.getByRole('heading', { name: '¿Bloquear a Bruno?' })).toBeVisible();
  await menu.getByTestId('question-no').click();
  await menu.getByTestId('block').click();
  await menu.getByTestId('question-yes').click();
  await expect(menu).toBeHidden();
  await expect(ana.page.getByTestId('show-blocked')).toBeVisible();
  await open(ana.messages.first());
  await expect(menu.getByTestId('block')).toHaveText('Desbloquear');
  await menu.getByTestId('block').click();
  await expect(menu).toBeHidden();
  await ana.sees('¿me lees?');
});

test('the page of the account lists whom one has blocked', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await block(bruno, 'Ana');
  // Blocked before there was a conversation: there will be none.
  await (await sheetOf(ana, 'Bruno')).getByTestId('send-direct').click();
  await expect(ana.page.getByTestId('group-sheet').getByRole('alert').filter({ hasText: 'No puedes escribir a esta persona.' })).toBeVisible();
  await bruno.page.goto('/account');
  const people = bruno.page.getByTestId('blocked-people');
  await expect(people.getByTestId('blocked-person')).toContainText('Ana');
  // The page may not have been taken over yet.
  await expect(async () => {
    await people.getByTestId('unblock').click({ timeout: 1_000 });
    await expect(people).toContainText('No has bloqueado a nadie.', { timeout: 1_000 });
  }).toPass();
  await ana.page.getByTestId('group-sheet').getByTestId('send-direct').click();
  await expect(ana.page.getByRole('heading', { level: 1, name: 'Bruno' })).toBeVisible();
});

test('a conversation with somebody whose account is gone stays to be read', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await write(bruno, 'Ana');
  await bruno.send('me voy');
  await bruno.seesSent('me voy');
  await listed(ana, 'Bruno').click();
  await ana.sees('me voy');
  const status = await bruno.page.evaluate(async (password) => {
    const answer = await fetch('/api/v1/account/delete', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ password }),
    });
    return answer.status;
  }, 'una-contraseña-larga-de-prueba');
  expect(status).toBe(204);
  await ana.page.reload();
  await expect(ana.page.getByRole('heading', { level: 1, name: 'Cuenta eliminada' })).toBeVisible();
  await expect(ana.page.getByTestId('closed')).toContainText('Esta persona ya no tiene cuenta.');
  await ana.sees('me voy');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`on a phone it is usable, in ${colorScheme} colours`, async ({ signUp }) => {
    const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno de los Apellidos Larguísimos y Más Nombres Todavía')];
    await together(ana, bruno, 'Patagonia');
    await ana.page.setViewportSize(PHONE);
    await ana.page.emulateMedia({ colorScheme });
    await ana.page.getByTestId('show-members').click();
    const sheet = await sheetOf(ana, 'Bruno');
    const inspect = async () => {
      const { violations } = await new AxeBuilder({ page: ana.page }).analyze();
      expect(violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join('\n')}`)).toEqual([]);
    };
    await expect.poll(async () => (await sheet.getByTestId('block').boundingBox())?.height).toBeGreaterThanOrEqual(44);
    await inspect();
    await sheet.getByTestId('send-direct').click();
    await ana.isIn('Bruno');
    await ana.send('hola');
    await ana.seesSent('hola');
    await inspect();
    await ana.page.getByTestId('show-members').click();
    await ana.page.getByTestId('group-settings').click();
    await sheet.getByTestId('block').click();
    await sheet.getByTestId('question-yes').click();
    await expect(sheet).toBeHidden();
    await ana.page.goBack();
    await expect(ana.page.getByTestId('closed')).toBeVisible();
    await expect.poll(() => ana.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    await inspect();
  });
}

test.describe('in English', () => {
  test.use({ locale: 'en-GB' });

  test('the words are English', async ({ signUp }) => {
    const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
    await ana.createGroup('Patagonia');
    const token = await ana.page.evaluate(async () => {
      const path = `/api/v1/groups/${location.pathname.split('/')[2] ?? ''}/invites`;
      const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
      return ((await answer.json()) as { token: string }).token;
    });
    await bruno.accept(`/i/${token}`);
    const sheet = await sheetOf(ana, 'Bruno');
    await expect(sheet.getByTestId('send-direct')).toHaveText('Send a message');
    await sheet.getByTestId('block').click();
    await expect(sheet.getByRole('heading', { name: 'Block Bruno?' })).toBeVisible();
    await sheet.getByTestId('question-no').click();
    await sheet.getByTestId('send-direct').click();
    await expect(ana.page.locator('.empty')).toContainText('Only the two of you read this conversation.');
  });
});

test.describe('without scripts', () => {
  test('a conversation is read and written', async ({ signUp, browser, server }) => {
    const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
    await together(ana, bruno, 'Patagonia');
    await write(ana, 'Bruno');
    await ana.send('hola');
    await ana.seesSent('hola');
    const cookies = await ana.page.context().cookies();
    const context = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url, locale: 'es-ES' });
    await context.addCookies(cookies);
    const page = await context.newPage();
    await page.goto(`/g/${ana.groupId}`);
    await expect(page.getByRole('heading', { level: 1, name: 'Bruno' })).toBeVisible();
    await expect(page.getByTestId('message')).toContainText('hola');
    await page.getByTestId('composer').fill('desde aquí también');
    await page.getByTestId('send').click();
    await expect(page.getByTestId('message').last()).toContainText('desde aquí también');
    await ana.sees('desde aquí también');
    await context.close();
  });
});
