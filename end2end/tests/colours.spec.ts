// Members have colours of their own.

import { groupOf, post, say } from '../support/crowd.ts';
import type { Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

/** The colour of each author in the conversation. */
async function colours(person: Person): Promise<Map<string, string>> {
  const seen = await person.page.locator('.author').evaluateAll((names) =>
    names.map((name) => [name.textContent ?? '', name.className.match(/tint-\d+/)?.[0] ?? '']),
  );
  return new Map(seen as [string, string][]);
}

test('the first members of a group all have different colours, which stay', async ({ signUp, browser, server, locale }) => {
  const ana = await signUp('Ana');
  const bruno = await signUp('Bruno');
  const group = await groupOf(ana, bruno, 'Oaxaca en abril');
  const { token } = await post<{ token: string }>(ana, `/groups/${group}/invites`);
  await say(bruno, 'Bruno', group);
  const join = async (name: string): Promise<void> => {
    const context = await browser.newContext({ baseURL: server.url, locale });
    const same = { 'sec-fetch-site': 'same-origin' };
    const account = { email: `${crypto.randomUUID()}@example.test`, password: 'una-contraseña-larga-de-prueba', display_name: name };
    expect((await context.request.post('/api/v1/auth/register', { headers: same, data: account })).ok()).toBe(true);
    expect((await context.request.post(`/api/v1/invites/${token}/accept`, { headers: same, data: {} })).ok()).toBe(true);
    const said = await context.request.post(`/api/v1/groups/${group}/messages`, { headers: same, data: { message: name } });
    expect(said.ok()).toBe(true);
    await context.close();
  };
  for (let number = 1; number <= 5; number += 1) await join(`Persona ${number}`);
  await ana.page.goto(`/g/${group}`);
  await ana.isOnline();
  await expect(ana.messages).toHaveCount(6);
  const before = await colours(ana);
  expect(before.size).toBe(6);
  expect(new Set(before.values()).size).toBe(6);

  // Others come while the page is open; nobody's colour changes, also after a reload.
  for (let number = 6; number <= 10; number += 1) await join(`Persona ${number}`);
  await expect(ana.messages).toHaveCount(11);
  await expect(async () => {
    const now = await colours(ana);
    expect(new Set(now.values()).size).toBe(11);
    for (const [name, colour] of before) expect(now.get(name)).toBe(colour);
  }).toPass();
  const here = await colours(ana);
  await ana.page.reload();
  await expect(ana.messages).toHaveCount(11);
  expect(await colours(ana)).toEqual(here);
});
