// Only the panes scroll: header, composer and list stay in place.

import { NO_HASTE, groupOf, say } from '../support/crowd.ts';
import { together } from '../support/person.ts';
import { frame, settled } from '../support/scroller.ts';
import { expect, test } from '../support/test.ts';

test.use({ serverFlags: NO_HASTE });

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 664 };

const STILL = { taller: 0, window: 0, scrolled: [] };

// Once, the hidden texts of unread badges were positioned relative to the document and made it taller than the window.
// When a divider was scrolled into view, the document scrolled, too, and half of the window was empty.
for (const unread of [0, 14, 33, 99]) {
  test(`with ${unread} unread groups nothing but the panes scrolls`, async ({ signUp }) => {
    test.setTimeout(120_000);
    const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
    await bruno.page.setViewportSize(DESKTOP);
    await together(ana, bruno, 'La principal');
    const main = bruno.groupId;
    for (let number = 0; number < unread; number += 1) await say(ana, 'hola', await groupOf(ana, bruno, `Grupo ${number}`));
    // Many read messages above the divider, and enough unread ones below it.
    for (let number = 0; number < 40; number += 1) await say(ana, `leído ${number}`, main);
    await bruno.sees('leído 39');
    // A page that is loaded before all messages are marked as read opens at the first unread message, and the end may
    // be out of view.
    const unreadHere = async () => (await (await bruno.page.request.get(`/api/v1/groups/${main}`)).json()).group.unread;
    await expect.poll(unreadHere).toBe(0);
    await bruno.page.goto('/');
    for (let number = 0; number < 40; number += 1) await say(ana, `nuevo ${number}`, main);
    await bruno.page.goto(`/g/${main}`);
    await bruno.isIn('La principal');
    await expect(bruno.page.getByText('Mensajes no leídos')).toBeInViewport();
    const before = await frame(bruno);
    expect(before).toMatchObject({ ...STILL, header: [[0, expect.any(Number)]], composer: [[expect.any(Number), 800]] });

    // The wheel and Space over everything that is not a pane.
    for (const selector of ['.pane > .bar', '.composer', '.sidebar > .bar', '.new-group']) {
      const box = await bruno.page.locator(selector).boundingBox();
      if (box === null) throw new Error(selector);
      await bruno.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      for (const delta of [600, 1200, -300]) await bruno.page.mouse.wheel(0, delta);
      await settled(bruno.page);
      expect(await frame(bruno), `the wheel over ${selector}`).toEqual(before);
    }
    await bruno.page.locator('.pane > .bar .bar-title').click();
    for (const key of ['Space', 'PageDown', 'End']) await bruno.page.keyboard.press(key);
    await settled(bruno.page);
    expect(await frame(bruno), 'keys over the header').toEqual(before);

    // Opened from another group by the list; then the focus moves to the last element of each pane.
    if (unread > 0) {
      // The first groups of many are so far down that they have no rows yet.
      const last = `Grupo ${unread - 1}`;
      await bruno.page.getByTestId('group-link').filter({ hasText: last }).first().click();
      await bruno.isIn(last);
      await bruno.page.getByTestId('group-link').filter({ hasText: 'La principal' }).click();
      await bruno.isIn('La principal');
      expect(await frame(bruno), 'after two changes of the group').toEqual(before);
    }
    await bruno.page.getByTestId('group-link').last().focus();
    await bruno.messages.first().focus();
    await bruno.messages.last().focus();
    await bruno.page.getByTestId('new-group').focus();
    await settled(bruno.page);
    expect(await frame(bruno), 'after the focus went everywhere').toEqual(before);

    // The press on the header has opened the details, which cover the conversation on a phone.
    await bruno.page.setViewportSize(PHONE);
    await bruno.page.goto(`/g/${main}`);
    await bruno.isIn('La principal');
    expect(await frame(bruno), 'on a phone').toMatchObject({ ...STILL, header: [[0, expect.any(Number)]], composer: [[expect.any(Number), 664]] });
    await bruno.page.goto('/');
    await expect(bruno.page.getByTestId('new-group')).toBeVisible();
    expect(await frame(bruno), 'the list on a phone').toMatchObject(STILL);
  });
}

// Once, the menu stayed open until its own button was pressed again.
test('the preferences close by Escape, by a press elsewhere, and when the focus goes', async ({ signUp }) => {
  const { page } = await signUp('Ana');
  const button = page.locator('summary[aria-label="Preferencias"]').first();
  const menu = page.locator('details.menu').first();
  const sheet = menu.locator('.menu-sheet');
  await button.click();
  await expect(sheet).toBeVisible();
  await sheet.getByRole('button', { name: 'Oscura' }).click();
  await expect(sheet).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
  await expect(button).toBeFocused();

  await button.click();
  // The menu covers the field of the list.
  await page.locator('main').click();
  await expect(sheet).toBeHidden();

  await button.focus();
  await page.keyboard.press('Enter');
  await expect(sheet).toBeVisible();
  await page.keyboard.press('Shift+Tab');
  await expect(sheet).toBeHidden();
});
