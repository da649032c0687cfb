// Two tabs of one person share the storage and the account, and show the same state.

import { allHave, history } from '../support/history.ts';
import { together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { Wire } from '../support/wire.ts';

/** A tab takes over another tab's unsent messages only after a delay; see the browser's adapters. */
const TAKEN_OVER = { timeout: 30_000 };

test('two tabs show the same messages in the same order, and what is read in one is read in the other', async ({ signUp, openTab }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Parras');
  const list = await openTab(ana);
  await list.page.goto('/');
  const row = list.page.getByTestId('group-link');
  // The first tab does not show the group now, so that nothing is marked as read.
  await ana.page.goto('/');
  for (const text of ['uno', 'dos']) await bruno.send(text);
  for (const tab of [ana, list]) await expect(tab.page.getByTestId('group-link')).toContainText('2 mensajes sin leer');
  await ana.page.getByTestId('group-link').click();
  await ana.sees('dos');
  await expect(row).not.toContainText('sin leer');

  await row.click();
  await list.isOnline();
  for (const [index, author] of [ana, list, bruno, list, ana].entries()) {
    await author.send(`parada ${index}`);
    await author.sees(`parada ${index}`);
    await expect(author.message(`parada ${index}`)).toHaveAttribute('data-state', 'sent');
  }
  await allHave([ana, list, bruno], ['uno', 'dos', 'parada 0', 'parada 1', 'parada 2', 'parada 3', 'parada 4']);
});

test('what waits in one tab is sent by another that reloads, once, and the first has nothing left', async ({ signUp, openTab }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  await together(ana, bruno, 'Tepoztlán');
  const other = await openTab(ana);
  await other.isOnline();
  await wire.cut();
  await ana.send('escrito sin red');
  await expect(ana.message('escrito sin red')).toHaveAttribute('data-state', 'pending');

  await other.page.reload();
  await allHave([other, bruno], ['escrito sin red']);
  await expect(ana.message('escrito sin red')).toHaveAttribute('data-state', 'pending');
  await bruno.send('te leo');

  await wire.mend();
  await allHave([ana, other, bruno], ['escrito sin red', 'te leo']);
  expect(await ana.kept()).toEqual([]);
});

test('two tabs that write without a network lose nothing of each other', async ({ signUp, openTab }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  await together(ana, bruno, 'Pátzcuaro');
  const other = await openTab(ana);
  const otherWire = await Wire.of(other.page);
  await other.page.reload();
  await other.isOnline();
  await Promise.all([wire.cut(), otherWire.cut()]);
  for (const round of ['uno', 'dos']) {
    await Promise.all([ana.send(`primera ${round}`), other.send(`segunda ${round}`)]);
  }
  await expect.poll(async () => (await ana.kept()).length).toBe(4);
  await Promise.all([ana.crash(), other.crash()]);

  const again = await openTab(ana);
  // Before the outbox is loaded, nothing is pending either; so wait for the messages first.
  await expect(again.texts).toHaveCount(4, { timeout: 30_000 });
  await expect(again.pending).toHaveCount(0, { timeout: 30_000 });
  const texts = (await history(again)).map((message) => message.message);
  await allHave([again, bruno], texts);
  expect([...texts].sort()).toEqual(['primera dos', 'primera uno', 'segunda dos', 'segunda uno']);
  for (const tab of ['primera', 'segunda']) {
    expect(texts.indexOf(`${tab} uno`)).toBeLessThan(texts.indexOf(`${tab} dos`));
  }
  expect(await again.kept()).toEqual([]);
});

test('what a tab leaves behind when it crashes is sent by the tab that stays', async ({ signUp, openTab }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  test.slow();
  await together(ana, bruno, 'Zipolite');
  const other = await openTab(ana);
  await other.isOnline();
  await wire.cut();
  for (const text of ['uno', 'dos']) await ana.send(text);
  await expect(ana.pending).toHaveCount(2);
  await ana.crash();

  await expect(other.texts).toHaveText(['uno', 'dos'], TAKEN_OVER);
  await allHave([other, bruno], ['uno', 'dos']);
  await expect.poll(() => other.kept()).toEqual([]);
});

test('a refused message that is given up in one tab is offered in the other no more', async ({ signUp, openTab }) => {
  const ana = await signUp('Ana');
  const wire = await Wire.of(ana.page);
  await ana.createGroup('Izamal');
  wire.toServer = (frame) =>
    frame.type === 'send_message'
      ? { type: 'error', message: 'no', code: 'forbidden', retryable: false, ref: frame.ref ?? frame.data.id }
      : 'pass';
  await ana.send('mejor no');
  await expect(ana.message('mejor no')).toHaveAttribute('data-state', 'failed');
  const other = await openTab(ana);
  await expect(other.message('mejor no')).toHaveAttribute('data-state', 'failed');

  await ana.page.getByTestId('discard').click();
  for (const tab of [ana, other]) await expect(tab.message('mejor no')).toHaveCount(0);
  expect(await other.kept()).toEqual([]);
});

test('a message sent in one tab does not take away what is being written in the other', async ({ signUp, openTab }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Bacalar');
  const other = await openTab(ana);
  await other.isOnline();
  await other.composer.fill('algo');
  await ana.composer.fill('una frase larga que aún no');
  await other.composer.press('Enter');
  await other.seesSent('algo');
  await ana.crash();

  const again = await openTab(other);
  await expect(again.composer).toHaveValue('una frase larga que aún no');
});
