// How complete the conversation is, and that the screen says so.

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator } from '@playwright/test';
import { allHave, history } from '../support/history.ts';
import { together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { showTheme } from '../support/theme.ts';
import { Wire } from '../support/wire.ts';

test('the details say up to which message everything is here, and both see the same number', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Bahías de Huatulco');
  for (const person of [ana, bruno]) {
    await expect(person.continuity).toContainText('Aún no hay mensajes');
    await expect(person.continuity).toHaveAttribute('data-state', 'whole');
  }
  for (const text of ['primera parada', 'segunda parada']) {
    await ana.send(text);
    await ana.seesSent(text);
    const number = (await history(ana)).at(-1)?.seq;
    for (const person of [ana, bruno]) {
      await expect(person.continuity).toContainText(`Tienes todo hasta el mensaje ${number}`);
      await expect(person.continuity.getByRole('img', { name: 'Estás al día' })).toBeVisible();
    }
  }
});

test('the tick is gone as soon as the link is, and comes back with everything that was missed', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(bruno.page);
  await together(ana, bruno, 'Real de Catorce');
  await ana.send('uno');
  await bruno.sees('uno');
  const tick = bruno.continuity.getByRole('img', { name: 'Estás al día' });
  await expect(tick).toBeVisible();
  const before = (await history(ana)).at(-1)?.seq;

  await wire.cut();
  await expect(tick).toHaveCount(0, { timeout: 1_000 });
  await ana.send('dos');
  await ana.seesSent('dos');
  await expect(bruno.continuity).toContainText(`Sin conexión: tienes todo hasta el mensaje ${before}`);

  await wire.mend();
  await expect(tick).toBeVisible();
  const after = (await history(ana)).at(-1)?.seq;
  await expect(bruno.continuity).toContainText(`Tienes todo hasta el mensaje ${after}`);
  await allHave([ana, bruno], ['uno', 'dos']);
});

test('what the server painted says the same without JavaScript, and claims nothing about later', async ({ signUp, browser, baseURL }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Xilitla');
  await ana.send('llegamos');
  await ana.seesSent('llegamos');
  const number = (await history(ana)).at(-1)?.seq;

  const storageState = await ana.page.context().storageState();
  const context = await browser.newContext({ javaScriptEnabled: false, storageState, baseURL });
  const page = await context.newPage();
  await page.goto(ana.page.url());
  await expect(page.getByTestId('continuity')).toContainText(`Tienes todo hasta el mensaje ${number}`);
  await expect(page.getByTestId('continuity').getByRole('img')).toHaveCount(0);
  await context.close();
});

test('a gap is shown where it is until it is filled, and then nothing is missing', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(bruno.page);
  await together(ana, bruno, 'Cuatro Ciénegas');
  await ana.send('uno');
  await bruno.sees('uno');

  wire.toPage = (frame) => (frame.type === 'new_message' && frame.data.message === 'dos' ? 'drop' : 'pass');
  wire.toServer = (frame) => (['sync', 'subscribe'].includes(frame.type) ? 'hold' : 'pass');
  for (const text of ['dos', 'tres']) {
    await ana.send(text);
    await ana.seesSent(text);
  }
  await expect(bruno.gap).toHaveText('Faltan mensajes; se están recuperando…');
  await expect(bruno.gap).toHaveRole('status');
  await expect(bruno.gap).toBeVisible();
  // A message that arrived before the missing one is not shown above the gap. Bruno's own message is shown below the
  // gap.
  await expect(bruno.texts).toHaveText(['uno']);
  await bruno.send('cuatro');
  await expect(bruno.texts).toHaveText(['uno', 'cuatro']);
  expect(await isAbove(bruno.gap, bruno.message('cuatro'))).toBe(true);
  await expect(bruno.continuity).toContainText('Actualizando… tienes todo hasta el mensaje');
  for (const colorScheme of ['light', 'dark'] as const) {
    await showTheme(bruno.page, colorScheme);
    const found = await new AxeBuilder({ page: bruno.page }).analyze();
    expect(found.violations.map((violation) => `${violation.id}: ${violation.help}`)).toEqual([]);
  }

  wire.release();
  await allHave([ana, bruno], ['uno', 'dos', 'tres', 'cuatro']);
  await expect(bruno.gap).toHaveCount(0);
  await expect(bruno.continuity).toHaveAttribute('data-state', 'whole');
});

test('a history that was rebuilt is shown as missing until it is here, never as a conversation without messages', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(bruno.page);
  await together(ana, bruno, 'San Blas');
  for (const text of ['uno', 'dos']) {
    await ana.send(text);
    await bruno.sees(text);
  }
  const pages = new Gate();
  await bruno.page.route(/\/messages\?/, async (route) => {
    await pages.open;
    await route.continue();
  });
  // The server cannot continue from the cursor, as after its database was restored from a copy.
  const joined = wire.log.find(({ frame }) => frame.type === 'joined' && frame.data.group_id === bruno.groupId)?.frame;
  const head = (await history(ana)).at(-1)?.seq;
  wire.toServer = (frame) =>
    frame.type === 'subscribe'
      ? { type: 'resync', data: { group_id: bruno.groupId, epoch: joined?.data.epoch, head, reason: 'too_deep' } }
      : 'pass';
  await wire.cut();
  await wire.restore();
  await expect(bruno.gap).toBeVisible();
  await expect(bruno.messages).toHaveCount(0);
  await expect(bruno.page.getByText('Rompe el hielo')).toHaveCount(0);
  await expect(bruno.continuity).toHaveAttribute('data-state', 'updating');

  pages.pass();
  await expect(bruno.texts).toHaveText(['uno', 'dos']);
  await expect(bruno.gap).toHaveCount(0);
});

/** Something that waits until the test lets it through. */
class Gate {
  pass: () => void = () => {};
  readonly open = new Promise<void>((resolve) => {
    this.pass = resolve;
  });
}

/** Whether one element is above another on the screen. */
async function isAbove(upper: Locator, lower: Locator): Promise<boolean> {
  const [first, second] = [await upper.boundingBox(), await lower.boundingBox()];
  return first !== null && second !== null && first.y + first.height <= second.y;
}
