// The menu of preferences: where it opens, and how one leaves it.

import type { Locator } from '@playwright/test';
import type { Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

function button(person: Person): Locator {
  return person.page.locator('.sidebar details.menu > summary');
}

function sheet(person: Person): Locator {
  return person.page.locator('.sidebar .menu-sheet');
}

async function open(person: Person): Promise<void> {
  await button(person).click();
  await expect(sheet(person)).toBeVisible();
}

for (const [what, width, height] of [['a desktop', 1280, 800], ['a phone', 390, 844], ['a narrow phone', 320, 568]] as const) {
  test(`on ${what} the menu opens below its button, and Escape and a press elsewhere close it`, async ({ signUp }) => {
    const ana = await signUp('Ana');
    await ana.createGroup('Patagonia');
    await ana.page.setViewportSize({ width, height });
    if (width < 720) await ana.page.goto('/');
    await expect(button(ana)).toBeVisible();
    // The page may not have been taken over yet, and then only the button closes the menu.
    await expect(async () => {
      if (!(await sheet(ana).isVisible())) await button(ana).click();
      await ana.page.keyboard.press('Escape');
      await expect(sheet(ana)).toBeHidden({ timeout: 500 });
    }).toPass();
    await expect(button(ana)).toBeFocused();

    await open(ana);
    const [above, box] = [await button(ana).boundingBox(), await sheet(ana).boundingBox()];
    if (above === null || box === null) throw new Error('not laid out');
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
    expect(box.y + box.height).toBeLessThanOrEqual(height);
    expect(box.y).toBeGreaterThanOrEqual(above.y + above.height);
    expect(Math.abs(box.x + box.width - above.x - above.width), 'its edge is that of the button').toBeLessThanOrEqual(1);
    // Nothing lies over it.
    const covered = await sheet(ana).evaluate((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const corners = [[left + 20, top + 20], [right - 20, top + 20], [left + 20, bottom - 20], [right - 20, bottom - 20]] as const;
      return corners.filter(([x, y]) => document.elementFromPoint(x, y)?.closest('.menu-sheet') !== element).length;
    });
    expect(covered).toBe(0);

    // By the keyboard into the menu, and out of it with the focus back on the button.
    await ana.page.keyboard.press('Tab');
    await expect(sheet(ana).getByRole('button').first()).toBeFocused();
    await ana.page.keyboard.press('Escape');
    await expect(sheet(ana)).toBeHidden();
    await expect(button(ana)).toBeFocused();

    // A press on what takes no focus, and one on what does.
    await open(ana);
    await sheet(ana).getByRole('button').first().focus();
    const brand = await ana.page.locator('.sidebar > .bar').boundingBox();
    if (brand === null) throw new Error('not laid out');
    await ana.page.mouse.click(brand.x + brand.width / 2, brand.y + 3);
    await expect(sheet(ana)).toBeHidden();
    await expect(button(ana)).toBeFocused();
    await open(ana);
    const field = ana.page.getByTestId('find-group');
    const place = await field.boundingBox();
    if (place === null) throw new Error('not laid out');
    await ana.page.mouse.click(place.x + 3, place.y + place.height / 2);
    await expect(sheet(ana)).toBeHidden();
    await expect(field).toBeFocused();
  });
}

test('Escape in the menu closes nothing else', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Patagonia');
  await ana.page.setViewportSize({ width: 1280, height: 800 });
  await ana.page.getByTestId('show-members').click();
  await expect(ana.page).toHaveURL(/\/miembros$/);
  await open(ana);
  await ana.page.keyboard.press('Escape');
  await expect(sheet(ana)).toBeHidden();
  await expect(ana.page).toHaveURL(/\/miembros$/);
  await ana.page.keyboard.press('Escape');
  await expect(ana.page).not.toHaveURL(/\/miembros$/);
});
