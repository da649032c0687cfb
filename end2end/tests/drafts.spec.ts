// A draft belongs to one group, whatever way the reader takes to another group.

import type { Page } from '@playwright/test';
import { history } from '../support/history.ts';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { Wire } from '../support/wire.ts';

const PHONE = { width: 390, height: 844 };

/** The ways from one group to another. Each leads from the group that is open to the one with this id. */
const WAYS: Record<string, (page: Page, id: string) => Promise<void>> = {
  'by the list': (page, id) => page.locator(`[data-testid="group-link"][data-id="${id}"]`).click(),
  'by Back': async (page) => {
    await page.goBack();
  },
  'by a link of the page': async (page, id) => {
    // Like a link in a message or a notification: the page is not loaded again.
    await page.evaluate((path) => {
      const link = document.createElement('a');
      link.href = path;
      link.textContent = 'otro grupo';
      document.querySelector('main')?.append(link);
      link.click();
      link.remove();
    }, `/g/${id}`);
  },
};

interface Two {
  ana: Person;
  bruno: Person;
  first: string;
  second: string;
}

/** Ana and Bruno in two groups; Ana went from the first to the second by the list, and has the second open. */
async function twoGroups(ana: Person, bruno: Person): Promise<Two> {
  await together(ana, bruno, 'Tulum');
  const first = ana.groupId;
  await ana.page.goto('/');
  await together(ana, bruno, 'Cobá');
  const second = ana.groupId;
  await ana.page.goto(`/g/${first}`);
  await ana.isIn('Tulum');
  await go(ana, 'by the list', second, 'Cobá');
  return { ana, bruno, first, second };
}

async function go(person: Person, way: string, id: string, name: string): Promise<void> {
  await WAYS[way]?.(person.page, id);
  await expect(person.page).toHaveURL(new RegExp(`/g/${id}$`));
  await expect(person.page.getByRole('heading', { level: 1, name })).toBeVisible();
}

/** The texts that the server has stored of a group. */
async function stored(person: Person, group: string): Promise<string[]> {
  const answer = await person.page.request.get(`/api/v1/groups/${group}/messages`);
  return ((await answer.json()) as { messages: { message: string }[] }).messages.map(({ message }) => message);
}

for (const way of Object.keys(WAYS)) {
  test(`a draft stays in its group when the reader goes to another ${way}, and the other one's is there`, async ({ signUp }) => {
    test.slow();
    const { ana, bruno, first, second } = await twoGroups(await signUp('Ana'), await signUp('Bruno'));
    // From the second group to the first and back again, with drafts on both sides.
    await ana.composer.fill('para Cobá');
    await go(ana, way, first, 'Tulum');
    await expect(ana.composer).toHaveValue('');
    await ana.composer.pressSequentially('para Tulum');
    if (way === 'by Back') {
      await ana.page.goForward();
    } else {
      await WAYS[way]?.(ana.page, second);
    }
    await expect(ana.page.getByRole('heading', { level: 1, name: 'Cobá' })).toBeVisible();
    await expect(ana.composer).toHaveValue('para Cobá');

    // A key press does not overwrite the group's own draft, and Enter sends it in the group in which it was written.
    await ana.composer.press('End');
    await ana.composer.press('!');
    await ana.composer.press('Enter');
    await ana.seesSent('para Cobá!');
    await go(ana, 'by the list', first, 'Tulum');
    await expect(ana.composer).toHaveValue('para Tulum');
    await ana.composer.press('Enter');
    await ana.seesSent('para Tulum');
    await expect(ana.composer).toHaveValue('');
    expect(await stored(bruno, first)).toEqual(['para Tulum']);
    expect(await stored(bruno, second)).toEqual(['para Cobá!']);
    // After a reload neither draft is left.
    for (const group of [first, second]) {
      await ana.page.goto(`/g/${group}`);
      await ana.isOnline();
      await expect(ana.composer).toHaveValue('');
    }
  });
}

test('on a phone the draft of one group is never in the field of another', async ({ signUp }) => {
  const people = [await signUp('Ana'), await signUp('Bruno')] as const;
  await people[0].page.setViewportSize(PHONE);
  await together(people[0], people[1], 'Tulum');
  const [ana, bruno] = people;
  const first = ana.groupId;
  await ana.page.goto('/');
  await together(ana, bruno, 'Cobá');
  const second = ana.groupId;

  await ana.composer.fill('para Cobá');
  // Through the list, as people do on a phone, with the members' page on the way.
  await ana.page.getByTestId('show-members').click();
  await expect(ana.page.getByTestId('members')).toBeVisible();
  await ana.page.goBack();
  await expect(ana.composer).toHaveValue('para Cobá');
  await ana.page.locator('.bar-back').click();
  await ana.page.locator(`[data-testid="group-link"][data-id="${first}"]`).click();
  await expect(ana.page.getByRole('heading', { level: 1, name: 'Tulum' })).toBeVisible();
  await expect(ana.composer).toHaveValue('');
  await ana.composer.fill('para Tulum');
  // From one group to the other in one step, which skips the list between them.
  await ana.page.evaluate(() => window.history.go(-2));
  await expect(ana.page.getByRole('heading', { level: 1, name: 'Cobá' })).toBeVisible();
  await expect(ana.composer).toHaveValue('para Cobá');
  await ana.page.evaluate(() => window.history.go(2));
  await expect(ana.page.getByRole('heading', { level: 1, name: 'Tulum' })).toBeVisible();
  await expect(ana.composer).toHaveValue('para Tulum');
  await ana.page.getByTestId('send').click();
  await bruno.page.goto(`/g/${first}`);
  await bruno.sees('para Tulum');
  expect(await stored(bruno, second)).toEqual([]);
});

test('typing is told to the group in which one types, and ends in the one that is left', async ({ signUp }) => {
  test.slow();
  const ana = await signUp('Ana');
  const wire = await Wire.of(ana.page);
  const { bruno, first, second } = await twoGroups(ana, await signUp('Bruno'));
  await bruno.page.goto(`/g/${second}`);
  await bruno.isOnline();
  await ana.composer.pressSequentially('aquí');
  await expect(bruno.typing).toContainText('Ana está escribiendo…');

  await go(ana, 'by Back', first, 'Tulum');
  await expect(bruno.typing).not.toContainText('escribiendo');
  const before = wire.said('typing').length;
  await ana.composer.pressSequentially('allí');
  await expect.poll(() => wire.said('typing').length).toBeGreaterThan(before);
  const fresh = wire.said('typing').slice(before);
  expect(fresh.map(({ data }) => data.group_id)).toEqual(fresh.map(() => first));
  const stopped = wire.said('stop_typing').map(({ data }) => data.group_id);
  expect(stopped).toContain(second);
  // A restored draft does not count as typing.
  await ana.page.goForward();
  await expect(ana.composer).toHaveValue('aquí');
  await ana.send('aquí estoy');
  await bruno.sees('aquí estoy');
  expect(wire.said('typing').filter(({ data }) => data.group_id === first)).toHaveLength(fresh.length);
  expect(await history(bruno)).toHaveLength(1);
});

test('an open dialog and its link stay in the group that they belong to', async ({ signUp }) => {
  const { ana, second } = await twoGroups(await signUp('Ana'), await signUp('Bruno'));
  await ana.page.getByRole('button', { name: 'Invitar' }).first().click();
  await ana.page.getByTestId('copy-invite').click();
  const link = await ana.page.getByTestId('invite-link').inputValue();
  await ana.page.goBack();
  await expect(ana.page.getByRole('heading', { level: 1, name: 'Tulum' })).toBeVisible();
  await expect(ana.page.locator('dialog[open]')).toHaveCount(0);
  await ana.page.getByRole('button', { name: 'Invitar' }).first().click();
  await expect(ana.page.getByTestId('invite-link')).toHaveCount(0);
  await ana.page.getByTestId('copy-invite').click();
  await expect(ana.page.getByTestId('invite-link')).not.toHaveValue(link);
  expect(ana.groupId).not.toBe(second);
});
