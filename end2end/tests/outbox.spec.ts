// Unacknowledged messages survive the page, and reach every member once and in order.

import { allHave, history } from '../support/history.ts';
import { together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { Wire } from '../support/wire.ts';

test('queued messages and the draft survive reloads, and go out once and in order', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  await together(ana, bruno, 'Sian Ka’an');
  await wire.cut();
  for (const text of ['uno', 'dos', 'tres']) await ana.send(text);
  await ana.composer.fill('a media frase');

  for (let reload = 0; reload < 2; reload += 1) {
    await ana.page.reload();
    await expect(ana.texts).toHaveText(['uno', 'dos', 'tres']);
    await expect(ana.pending).toHaveCount(3);
    await expect(ana.composer).toHaveValue('a media frase');
  }
  expect(await history(bruno)).toEqual([]);

  await wire.mend();
  await allHave([ana, bruno], ['uno', 'dos', 'tres']);
  await expect.poll(() => ana.kept()).toEqual([]);
  await ana.page.reload();
  await allHave([ana], ['uno', 'dos', 'tres']);
  await expect(ana.composer).toHaveValue('a media frase');
});

test('queued messages and the draft survive a crash of the tab', async ({ signUp, openTab }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  await together(ana, bruno, 'Hierve el Agua');
  await ana.send('antes');
  await bruno.sees('antes');
  await wire.cut();
  for (const text of ['uno', 'dos']) await ana.send(text);
  await ana.composer.fill('a media frase');
  await expect(ana.pending).toHaveCount(2);
  await ana.crash();

  const again = await openTab(ana);
  await allHave([again, bruno], ['antes', 'uno', 'dos']);
  await expect(again.composer).toHaveValue('a media frase');
  await expect.poll(() => again.kept()).toEqual([]);
});

test('what was written offline goes out after what others wrote meanwhile, for everybody alike', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(bruno.page);
  await together(ana, bruno, 'Mazunte');
  await ana.send('antes');
  await bruno.sees('antes');

  await bruno.page.context().setOffline(true);
  await expect(bruno.connection).toHaveAttribute('data-state', 'offline');
  for (const text of ['bruno uno', 'bruno dos']) await bruno.send(text);
  for (const text of ['ana uno', 'ana dos', 'ana tres']) {
    await ana.send(text);
    await ana.seesSent(text);
  }
  await expect(bruno.texts).toHaveText(['antes', 'bruno uno', 'bruno dos']);
  const offline = wire.log.length;
  await bruno.page.context().setOffline(false);

  const order = ['antes', 'ana uno', 'ana dos', 'ana tres', 'bruno uno', 'bruno dos'];
  await allHave([ana, bruno], order);
  const back = wire.log.slice(offline).map(({ frame }) => frame.type);
  expect(back.indexOf('caught_up')).toBeGreaterThan(-1);
  expect(back.indexOf('send_message')).toBeGreaterThan(back.indexOf('caught_up'));
  for (const person of [ana, bruno]) await person.page.reload();
  await allHave([ana, bruno], order);
});

test('a message whose acknowledgement is lost is shown once, as sent, and stored once', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  await together(ana, bruno, 'Laguna de Términos');
  wire.toPage = (frame) => (['message_sent', 'new_message'].includes(frame.type) ? 'drop' : 'pass');
  await ana.send('una sola vez');
  await bruno.sees('una sola vez');
  await expect(ana.message('una sola vez')).toHaveAttribute('data-state', 'pending');

  await wire.cut();
  await ana.send('otra detrás');
  await wire.mend();
  await allHave([ana, bruno], ['una sola vez', 'otra detrás']);
});

test('a message that is said twice is answered twice and stored once', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  await together(ana, bruno, 'Mahahual');
  // No answer to the message arrives, but the socket stays open: the page sends it again on the same socket.
  wire.toPage = (frame) => (['message_sent', 'new_message'].includes(frame.type) ? 'drop' : 'pass');
  await ana.send('¿me oyen?');
  await bruno.sees('¿me oyen?');
  const said = () => wire.said('send_message');
  wire.toPage = (frame) => (frame.type === 'message_sent' && frame.data.duplicate === true ? 'pass' : 'drop');
  await expect.poll(() => said().length, { timeout: 20_000 }).toBe(2);
  await ana.seesSent('¿me oyen?');
  const [first, second] = said();
  expect(second?.data).toEqual(first?.data);
  wire.release();
  await bruno.send('sí');
  await allHave([ana, bruno], ['¿me oyen?', 'sí']);
});

test('a kill of the server around every send loses and doubles nothing', async ({ signUp, server }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  await together(ana, bruno, 'Calakmul');
  const texts: string[] = [];
  // The page waits for its next attempt three times.
  test.slow();
  for (const fate of ['contestado', 'guardado', 'perdido']) {
    // At the power cut, the message was answered, or stored but not answered, or never received.
    if (fate === 'guardado') wire.toPage = (frame) => (['message_sent', 'new_message'].includes(frame.type) ? 'drop' : 'pass');
    if (fate === 'perdido') wire.toServer = (frame) => (frame.type === 'send_message' ? 'drop' : 'pass');
    await ana.send(`uno ${fate}`);
    if (fate === 'contestado') await ana.seesSent(`uno ${fate}`);
    if (fate === 'perdido') await expect.poll(() => wire.said('send_message').at(-1)?.data.message).toBe(`uno ${fate}`);
    else await bruno.sees(`uno ${fate}`);
    await server.kill();
    // A second message is written while the server is down, and the page reconnects by itself.
    await ana.send(`dos ${fate}`);
    await expect(ana.message(`dos ${fate}`)).toHaveAttribute('data-state', 'pending');
    wire.release();
    await server.up();
    texts.push(`uno ${fate}`, `dos ${fate}`);
    await allHave([ana, bruno], texts);
  }
});

test('a browser that keeps nothing sends all the same, and says what that means', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  await ana.page.addInitScript(() => {
    const forbidden = () => {
      throw new DOMException('storage is off in this browser', 'SecurityError');
    };
    Object.defineProperty(window, 'localStorage', { get: forbidden });
  });
  await together(ana, bruno, 'Sumidero');
  await ana.send('en línea');
  await ana.seesSent('en línea');
  await wire.cut();
  await expect(ana.continuity).not.toHaveAttribute('data-state', 'whole');
  await ana.send('sin red');
  await expect(ana.page.getByRole('alert').filter({ hasText: 'No cierres la página' })).toBeVisible();
  await wire.mend();
  await allHave([ana, bruno], ['en línea', 'sin red']);
});

test('a full storage keeps no message from being sent', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const wire = await Wire.of(ana.page);
  await together(ana, bruno, 'Nevado de Toluca');
  await ana.page.evaluate(() => {
    let block = 'x'.repeat(1 << 20);
    for (let number = 0; block.length > 0; number += 1) {
      try {
        localStorage.setItem(`full-${number}`, block);
      } catch {
        block = block.slice(0, Math.floor(block.length / 2));
      }
    }
  });
  await wire.cut();
  await expect(ana.continuity).not.toHaveAttribute('data-state', 'whole');
  for (const text of ['uno', 'dos']) await ana.send(text);
  await expect(ana.page.getByRole('alert').filter({ hasText: 'No cierres la página' })).toBeVisible();
  await wire.mend();
  await allHave([ana, bruno], ['uno', 'dos']);
});
