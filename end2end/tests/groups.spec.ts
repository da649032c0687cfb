// The list of groups is the same on every device, without a reload.

import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

const names = (person: Person) => person.page.getByTestId('group-link').locator('.group-name');

test('a group that is made, entered or left on one device is in the list of the other at once, in its place', async ({ signUp, openTab }) => {
  test.slow();
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Palenque');
  await ana.send('hace tiempo');
  await ana.seesSent('hace tiempo');
  const list = await openTab(bruno);
  await list.page.goto('/');
  await expect(names(list)).toHaveText(['Palenque']);

  // Created on the first device: the new group is at the top of the list, without a reload on the second device.
  await bruno.page.goto('/');
  await bruno.createGroup('Yaxchilán');
  await expect(names(list)).toHaveText(['Yaxchilán', 'Palenque']);
  await expect(names(bruno)).toHaveText(['Yaxchilán', 'Palenque']);
  await bruno.send('llegamos');
  await expect(list.page.getByTestId('group-link').first()).toContainText('llegamos');

  // Joined on the first device by Ana's link.
  await ana.page.goto('/');
  await ana.createGroup('Bonampak');
  await bruno.accept(await ana.inviteLink());
  await expect(names(list)).toHaveText(['Bonampak', 'Yaxchilán', 'Palenque']);
  await ana.send('¡bienvenido!');
  await expect(list.page.getByTestId('group-link').first()).toContainText('¡bienvenido!');

  // A message moves its group up on both devices, and a group that was left disappears.
  await ana.page.locator('[data-testid="group-link"]', { hasText: 'Palenque' }).click();
  await ana.isIn('Palenque');
  await ana.send('de vuelta');
  for (const tab of [list, bruno]) await expect(names(tab)).toHaveText(['Palenque', 'Bonampak', 'Yaxchilán']);
  const session = (await (await bruno.page.request.get('/api/v1/session')).json()) as { user: { id: string } };
  const left = await bruno.page.request.delete(`/api/v1/groups/${ana.groupId}/members/${session.user.id}`, {
    headers: { 'sec-fetch-site': 'same-origin' },
  });
  expect(left.ok()).toBe(true);
  for (const tab of [list, bruno]) await expect(names(tab)).toHaveText(['Bonampak', 'Yaxchilán']);
});

test('who may invite is shown the way to it, and whoever may not is not, as soon as that changes', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Palenque');
  const group = `/api/v1/groups/${ana.groupId}`;
  const change = async (path: string, data: object) => {
    const answer = await ana.page.request.patch(path, { headers: { 'sec-fetch-site': 'same-origin' }, data });
    expect(answer.ok(), await answer.text()).toBe(true);
  };
  const session = (await (await bruno.page.request.get('/api/v1/session')).json()) as { user: { id: string } };
  const [invite, inHeader] = [bruno.page.getByTestId('invite'), bruno.page.locator('.bar [aria-label="Invitar"]')];
  for (const way of [invite, inHeader]) await expect(way).toHaveCount(1);
  await change(group, { members_can_invite: false });
  for (const way of [invite, inHeader]) await expect(way).toHaveCount(0);
  await change(`${group}/members/${session.user.id}`, { role: 'admin' });
  for (const way of [invite, inHeader]) await expect(way).toHaveCount(1);
  await invite.click();
  await expect(bruno.page.getByRole('dialog')).toBeVisible();
  await change(`${group}/members/${session.user.id}`, { role: 'member' });
  for (const way of [invite, inHeader]) await expect(way).toHaveCount(0);

  // A person who left the group cannot invite.
  await change(group, { members_can_invite: true });
  for (const way of [invite, inHeader]) await expect(way).toHaveCount(1);
  const removed = await ana.page.request.delete(`${group}/members/${session.user.id}`, {
    headers: { 'sec-fetch-site': 'same-origin' },
  });
  expect(removed.ok()).toBe(true);
  for (const way of [invite, inHeader]) await expect(way).toHaveCount(0);
});
