// What the page says of its connection, and what a press on it does.

import { expect, test } from '../support/test.ts';
import { Instead, Wire } from '../support/wire.ts';

test('a lost connection is told in words, counts down, and is tried again at a press', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const { page } = ana;
  const wire = await Wire.of(page);
  const strip = page.locator('.banner');
  const header = ana.connection.locator('.status-text');
  const again = page.getByRole('button', { name: 'Reintentar ahora' });
  await page.clock.install();
  wire.toPage = (frame) => (frame.type === 'hello' ? 'hold' : 'pass');
  const { group } = await ana.post<{ group: { id: string } }>('/groups', { name: 'Cuatro Ciénegas' });
  await page.goto(`/g/${group.id}`);
  await expect(header).toHaveText('Conectando…');
  await expect(strip).toHaveCount(0);
  wire.release();
  await expect(header).toHaveText('1 integrante · 1 en línea');

  // From here on, time goes on only when the test says so.
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 100);
  await wire.cut();
  const seconds = async () => Number(/Reintento en (\d+) s/.exec((await strip.allTextContents()).join())?.[1]);
  const waits = () =>
    expect(async () => {
      await page.clock.fastForward(1_000);
      expect(await seconds()).toBeGreaterThan(2);
    }).toPass({ intervals: [20] });
  await waits();
  await expect(header).toHaveText('Reconectando…');
  await expect(strip).toHaveText(/^Reconectando…\s*Reintento en \d+ s\s*Reintentar ahora$/);
  await again.focus();
  const before = await seconds();
  await page.clock.fastForward(1_000);
  await expect.poll(seconds).toBe(before - 1);
  await expect(again, 'the focus stays while the seconds go by').toBeFocused();
  await page.clock.fastForward(60_000);
  await waits();
  await expect(strip).toHaveText(/^No podemos conectar con el servidor\. Seguimos intentándolo\.\s*Reintento en \d+ s\s*Reintentar ahora$/);
  await expect(header).toHaveText('Sin conexión');
  const colour = () => strip.evaluate((element) => getComputedStyle(element).backgroundColor);
  const alarm = await colour();

  // The clock stands still, so only the press can bring it back.
  wire.toPage = (frame) => (frame.type === 'caught_up' ? 'hold' : 'pass');
  wire.accept();
  await again.click();
  await expect(header).toHaveText('Actualizando mensajes…');
  await expect(strip).toHaveCount(0);
  wire.release();
  await expect(header).toHaveText('Conexión restablecida');
  await page.clock.fastForward(2_000);
  await expect(header).toHaveText('Conexión restablecida');
  await page.clock.fastForward(2_000);
  await expect(header).toHaveText('1 integrante · 1 en línea');

  // Without a network there is nothing to press, and it is no alarm.
  await page.context().setOffline(true);
  await expect(strip).toHaveText('Sin conexión a internet. Tus mensajes se enviarán al volver.');
  await expect(strip.getByRole('button')).toHaveCount(0);
  expect(await colour()).not.toBe(alarm);
  await expect(header).toHaveText('Sin conexión');
});

test('a new build of the server offers a reload, which keeps the draft', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const { page } = ana;
  const wire = await Wire.of(page);
  await ana.createGroup('Cuatro Ciénegas');
  const offer = page.getByRole('status').filter({ hasText: 'Hay una versión nueva.' });
  const reconnect = async () => {
    const joined = wire.log.length;
    await wire.cut();
    await wire.restore();
    await expect.poll(() => wire.log.slice(joined).some(({ frame }) => frame.type === 'caught_up')).toBe(true);
    await ana.isOnline();
  };
  await reconnect();
  await ana.composer.fill('a media frase');
  await expect(offer, 'the same build is nothing new').toHaveCount(0);
  wire.toPage = (frame) => (frame.type === 'hello' ? new Instead({ ...frame, data: { ...frame.data, build: 'otra' } }) : 'pass');
  await reconnect();
  await expect(offer).toBeVisible();
  const loaded = page.waitForEvent('load');
  await offer.getByRole('button', { name: 'Recargar' }).click();
  await loaded;
  await ana.isOnline();
  await expect(offer).toHaveCount(0);
  await expect(ana.composer).toHaveValue('a media frase');
});
