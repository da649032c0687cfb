// ✓✓ means that all members have read the message, including those who have never opened the group.

import { together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

test('a message is read by all when the last member has read it, and not before', async ({ signUp }) => {
  test.slow();
  const [ana, bruno, carla] = [await signUp('Ana'), await signUp('Bruno'), await signUp('Carla')];
  await together(ana, bruno, 'Bonampak');
  const link = await ana.inviteLink();
  // Carla joins without ever opening the group.
  const token = link.split('/').pop();
  const joined = await carla.page.request.post(`/api/v1/invites/${token}/accept`, {
    headers: { 'sec-fetch-site': 'same-origin' },
  });
  expect(joined.ok()).toBe(true);
  // A page that was open when Carla joined knows about her; a new page knows only what the server says.
  await ana.page.reload();
  await ana.isOnline();
  await ana.send('¿quién viene?');
  await bruno.sees('¿quién viene?');
  const tick = ana.message('¿quién viene?').locator('.tick');
  // Bruno's message arrives after the report of his read position.
  await bruno.send('yo');
  await ana.sees('yo');
  await ana.send('¡bien!');
  await expect(ana.message('¡bien!')).toHaveAttribute('data-state', 'sent');
  await expect(tick).not.toHaveClass(/tick-read/);

  await carla.page.goto(new URL(ana.page.url()).pathname);
  await carla.sees('¡bien!');
  await expect(tick).toHaveClass(/tick-read/);
});
