import { together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

test('a message written while the server is away is delivered once after its restart', async ({ signUp, server }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Barrancas del Cobre');
  await ana.send('antes');
  await bruno.sees('antes');

  await server.kill();
  await ana.send('mientras tanto');
  await expect(ana.message('mientras tanto')).toHaveAttribute('data-state', 'pending');
  await expect(ana.message('mientras tanto').getByTestId('message-tick')).toHaveAccessibleName('Enviando…');

  await server.up();
  await Promise.all([ana.isOnline(), bruno.isOnline()]);
  await bruno.sees('mientras tanto');
  await ana.seesSent('mientras tanto');

  // The later message proves that no earlier message is still on its way.
  await bruno.send('después');
  for (const person of [ana, bruno]) {
    await person.sees('después');
    await expect(person.messages).toContainText(['antes', 'mientras tanto', 'después']);
    await expect(person.messages).toHaveCount(3);
  }
});

test('after a planned restart the pages are back within three seconds of the server', async ({ signUp, server }) => {
  test.slow();
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Xochicalco');
  await server.stop();
  await ana.send('¿ya?');
  // Long enough for doubling waits to become long: both pages have tried for more than five seconds.
  for (const person of [ana, bruno]) {
    await expect(person.connection).toHaveAttribute('data-state', 'reconnecting', { timeout: 20_000 });
  }
  await server.up();
  const back = Date.now();
  await expect(bruno.message('¿ya?')).toBeVisible({ timeout: 20_000 });
  const seconds = (Date.now() - back) / 1_000;
  console.log(`the pages were back ${seconds} s after the server`);
  // Three seconds, plus what a busy machine needs for two sockets and a page of history.
  expect(seconds).toBeLessThan(5);
});

test('what was missed without a network arrives when it is back', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Bacalar');

  await bruno.page.context().setOffline(true);
  await expect(bruno.connection).toHaveAttribute('data-state', 'offline', { timeout: 30_000 });
  await ana.send('¿ya aterrizaste?');
  await ana.seesSent('¿ya aterrizaste?');
  await bruno.send('sigo en el avión');
  await expect(bruno.message('sigo en el avión')).toHaveAttribute('data-state', 'pending');

  await bruno.page.context().setOffline(false);
  await bruno.sees('¿ya aterrizaste?');
  await ana.sees('sigo en el avión');
  await bruno.seesSent('sigo en el avión');
});

test('a queued message survives a reload of the page', async ({ signUp, server }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Holbox');
  await server.kill();
  await ana.send('se guarda aquí');
  await expect(ana.message('se guarda aquí')).toHaveAttribute('data-state', 'pending');

  await server.up();
  await ana.page.reload();
  await bruno.sees('se guarda aquí');
  await ana.seesSent('se guarda aquí');
});
