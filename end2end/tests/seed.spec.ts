import { together } from '../support/person.ts';
import { SeedClient } from '../support/seed.ts';
import { expect, test } from '../support/test.ts';

test('a script written for the old system chats with Ana in her browser', async ({ signUp, server }) => {
  const [ana, guide] = [await signUp('Ana'), await signUp('Guía')];
  await together(ana, guide, 'Sierra Norte');
  const group = new URL(ana.page.url()).pathname.split('/')[2];
  const ask = guide.page.request;
  const { user } = await (await ask.get('/api/v1/session')).json();
  const answer = await ask.post('/api/v1/auth/token', { headers: { origin: server.url } });
  const { access_token: token } = await answer.json();
  // From now on this person has no page, only the script.
  await guide.page.goto('about:blank');
  const script = await SeedClient.connect(`${server.url.replace('http', 'ws')}/ws/chat/${group}`, user.id, token);

  script.say('typing');
  await expect(ana.typing).toContainText('Guía');
  script.say('send_message', { message: '¡Hola a todos!' });
  expect(await script.hears('message_sent')).toMatchObject({
    user_id: user.id,
    group_id: group,
    message: '¡Hola a todos!',
    status: true,
  });
  await ana.sees('¡Hola a todos!');
  await expect(ana.typing).not.toContainText('Guía');

  await ana.composer.pressSequentially('Bien');
  expect(await script.hears('user_typing')).toEqual({ user_id: expect.any(String), group_id: group });
  await ana.composer.press('Enter');
  expect(await script.hears('new_message')).toMatchObject({ message: 'Bien', group_id: group });

  const connections = await (await ana.page.request.get(`/chat/${group}/connections`)).json();
  expect(connections).toMatchObject({ group_id: group, active_connections: 2 });
  expect(connections.users).toHaveLength(2);
  script.close();
});
