// The reader's place: kept when one comes back, and the ways to a message and on from there.

import { NO_HASTE, fill, flood, groupOf, post, say } from '../support/crowd.ts';
import { together } from '../support/person.ts';
import { hiddenBelow, scrollUp, settled } from '../support/scroller.ts';
import { expect, test } from '../support/test.ts';
import { history } from '../support/history.ts';
import { Wire } from '../support/wire.ts';

test.use({ serverFlags: NO_HASTE });

/** The first visible message, and where it is. */
async function firstSeen(page: import('@playwright/test').Page): Promise<{ id: string; top: number }> {
  return page.evaluate(() => {
    const top = document.querySelector('.scroller')?.getBoundingClientRect().top ?? 0;
    for (const row of Array.from(document.querySelectorAll('[data-testid="message"]'))) {
      const place = row.getBoundingClientRect();
      if (place.bottom > top) return { id: row.getAttribute('data-id') ?? '', top: place.top - top };
    }
    throw new Error('no row');
  });
}

test('who comes back to a group finds it as it was; at the end, one is at the end again', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'La principal');
  await groupOf(ana, bruno, 'La otra');
  await fill([ana, bruno], 60);
  const link = (name: string) => ana.page.getByTestId('group-link').filter({ hasText: name });
  await scrollUp(ana.page, 1_200);
  const before = await firstSeen(ana.page);
  await link('La otra').click();
  await ana.isIn('La otra');
  await link('La principal').click();
  await ana.isIn('La principal');
  await expect(async () => {
    const now = await firstSeen(ana.page);
    expect(now.id).toBe(before.id);
    expect(Math.abs(now.top - before.top)).toBeLessThanOrEqual(1);
  }).toPass();
  await expect(ana.page.locator('.lit')).toHaveCount(0);

  await ana.page.getByRole('button', { name: 'Ir al último' }).click();
  await expect.poll(() => hiddenBelow(ana.page)).toBeLessThan(1);
  await link('La otra').click();
  await ana.isIn('La otra');
  await link('La principal').click();
  await ana.isIn('La principal');
  await settled(ana.page);
  expect(await hiddenBelow(ana.page)).toBeLessThan(1);
});

test('from a message that a link leads to, one reads on downwards to the newest', async ({ signUp }) => {
  test.setTimeout(120_000);
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Larga');
  await flood(bruno, 400);
  await ana.page.reload();
  await ana.isOnline();
  const page = await ana.page.request.get(`/api/v1/groups/${ana.groupId}/messages?limit=200`);
  const oldest = ((await page.json()) as { messages: { id: string; message: string }[] }).messages[0];
  if (oldest === undefined) throw new Error('no message');
  await ana.page.goto(`/g/${ana.groupId}/m/${oldest.id}`);
  await ana.isOnline();
  const row = ana.page.locator(`[data-id="${oldest.id}"]`);
  await expect(row).toBeInViewport();
  await expect(row).toBeFocused();
  // Reading on, page by page, without a jump: what is in view stays in view.
  await expect(async () => {
    await ana.page.getByRole('region', { name: 'Mensajes' }).evaluate((scroller) => {
      scroller.scrollTop += 300;
    });
    await expect(ana.message('mensaje 400')).toBeInViewport({ timeout: 50 });
  }).toPass({ timeout: 60_000, intervals: [30] });
  await expect(ana.page.getByTestId('newest')).toHaveCount(0);
});

test('newer messages that do not come say so in their place, and the button asks again', async ({ signUp }) => {
  test.setTimeout(120_000);
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Larga');
  await flood(bruno, 300);
  const page = await ana.page.request.get(`/api/v1/groups/${ana.groupId}/messages?limit=200`);
  const oldest = ((await page.json()) as { messages: { id: string; message: string }[] }).messages[0];
  if (oldest === undefined) throw new Error('no message');
  const AFTER = /\/messages\?.*after=/;
  let asked = 0;
  await ana.page.route(AFTER, async (route) => {
    asked += 1;
    await route.fulfill({ status: 503, body: '' });
  });
  await ana.page.goto(`/g/${ana.groupId}/m/${oldest.id}`);
  await ana.isOnline();
  await expect(ana.page.locator(`[data-id="${oldest.id}"]`)).toBeInViewport();
  const region = ana.page.getByRole('region', { name: 'Mensajes' });
  const down = (by: number) => region.evaluate((scroller, by) => scroller.scrollBy(0, by), by);
  const again = ana.page.getByRole('button', { name: 'No pudimos cargarlos. Reintentar' });
  await expect(async () => {
    await down(300);
    await expect(again).toBeInViewport({ timeout: 50 });
  }).toPass({ timeout: 30_000, intervals: [30] });
  // The page does not repeat the request by itself, however the reader scrolls.
  for (const by of [-200, 100, -100, 400]) {
    await down(by);
    await settled(ana.page);
  }
  await expect(again).toBeVisible();
  expect(asked).toBe(1);
  await ana.page.unroute(AFTER);
  const last = await ana.messages.last().getAttribute('data-id');
  await again.click();
  await expect(again).toHaveCount(0);
  await expect(ana.page.locator(`[data-id="${last ?? ''}"]`)).toBeInViewport();
  await expect(async () => {
    await down(300);
    await expect(ana.message('mensaje 300')).toBeInViewport({ timeout: 50 });
  }).toPass({ timeout: 30_000, intervals: [30] });
});

test('the first message in an empty group is announced, and a burst as a number', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const group = await groupOf(ana, bruno, 'Vacía');
  const wire = await Wire.of(ana.page);
  await ana.page.clock.install();
  await ana.page.goto(`/g/${group}`);
  await ana.isIn('Vacía');
  const log = ana.page.getByRole('log');
  await say(bruno, 'hola a todos', group);
  await expect(log).toHaveText('Bruno: hola a todos');
  // Whatever comes before the next frame is one burst, and while the clock stands still, there is none.
  await ana.page.clock.pauseAt((await ana.page.evaluate(() => Date.now())) + 100);
  const came = () => wire.log.filter(({ frame }) => frame.type === 'new_message').length;
  await Promise.all(Array.from({ length: 8 }, (_, number) => say(bruno, `ráfaga ${number}`, group)));
  await expect.poll(came).toBe(9);
  await ana.page.clock.resume();
  await expect(ana.message('ráfaga 7')).toHaveCount(1);
  await expect(log.locator('p')).toHaveText(['Bruno: hola a todos', '8 mensajes nuevos']);
  // The own messages are not announced.
  await ana.send('aquí estoy');
  await ana.seesSent('aquí estoy');
  await say(bruno, 'te vemos', group);
  await expect(log.locator('p')).toHaveText(['Bruno: hola a todos', '8 mensajes nuevos', 'Bruno: te vemos']);
});

test('a button leads to the mentions that were not in view', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Menciones');
  const group = ana.groupId;
  await fill([ana, bruno], 20);
  await ana.page.goto('/');
  const { user } = (await (await ana.page.request.get('/api/v1/session')).json()) as { user: { id: string } };
  const mention = (text: string) => post(bruno, `/groups/${group}/messages`, { message: text, mentions: [user.id] });
  for (let number = 0; number < 30; number += 1) await say(bruno, `relleno ${number}`, group);
  await mention('@Ana mira esto');
  for (let number = 30; number < 60; number += 1) await say(bruno, `relleno ${number}`, group);
  await ana.page.goto(`/g/${group}`);
  await ana.isIn('Menciones');
  const button = ana.page.getByTestId('to-mention');
  await expect(button).toBeVisible();
  await expect(button).toContainText('1');
  await button.click();
  await expect(ana.message('@Ana mira esto')).toBeInViewport();
  await expect(button).toBeHidden();
  // One that comes while the reader is away from the end.
  await mention('@Ana y esto otro');
  await expect(button).toBeVisible();
  await ana.page.getByRole('button', { name: 'Ir al último' }).click();
  await expect(ana.message('@Ana y esto otro')).toBeInViewport();
  await expect(button).toBeHidden();
  expect((await history(ana)).length).toBeGreaterThan(0);
});
