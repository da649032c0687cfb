// Parts of the page whose code is loaded when they are first shown.

import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';

const CHUNK = /\/(split|chunk)_[^/]*\.wasm$/;

test('the chat loads no code that only other pages need', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const chunks: string[] = [];
  ana.page.on('request', (request) => {
    if (CHUNK.test(new URL(request.url()).pathname)) chunks.push(request.url());
  });
  await ana.createGroup('Tulum');
  await ana.send('¿Quién llega el viernes?');
  expect(chunks).toEqual([]);
  await ana.page.getByRole('button', { name: 'Invitar' }).first().click();
  await expect(ana.page.getByTestId('no-invites')).toBeVisible();
  expect(chunks.some((url) => url.includes('split_invite'))).toBe(true);
});

test('a part that could not be loaded says so and comes when it is asked for again', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Tulum');
  await ana.page.route(CHUNK, (route) => route.abort());
  await ana.page.getByRole('button', { name: 'Invitar' }).first().click();
  const dialog = ana.page.locator('dialog[open]');
  await expect(dialog.getByRole('alert')).toContainText('Falta una parte de la página');
  await dialog.getByTestId('load-again').click();
  await expect(dialog.getByRole('alert')).toContainText('Falta una parte de la página');
  await ana.page.unroute(CHUNK);
  await dialog.getByTestId('load-again').click();
  await expect(ana.page.getByTestId('no-invites')).toBeVisible();
});

test('a page whose code is late works as it is, and is taken over when the code comes', async ({ page }) => {
  let isReachable = false;
  await page.route(CHUNK, (route) => (isReachable ? route.continue() : route.abort()));
  const failed = page.waitForEvent('requestfailed', (request) => CHUNK.test(new URL(request.url()).pathname));
  await page.goto('/login');
  await failed;
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.getByTestId('email').fill('nadie@example.com');
  isReachable = true;
  // A script that has taken over submits the form itself.
  const isTakenOver = (): Promise<boolean> =>
    page.evaluate(() => {
      const submit = new SubmitEvent('submit', { bubbles: true, cancelable: true });
      document.querySelector('form.form')?.dispatchEvent(submit);
      return submit.defaultPrevented;
    });
  await expect.poll(isTakenOver).toBe(true);
});

/** Holds all code that is loaded from now on, until the returned function is called. */
async function hold(page: Page): Promise<() => void> {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(CHUNK, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

// Once, what was typed before the code came was lost.
const FIELDS = [
  { what: 'the search', field: 'search-field', open: (page: Page) => page.keyboard.press('Control+f') },
  { what: 'the switcher', field: 'switch-field', open: (page: Page) => page.keyboard.press('Control+k') },
  { what: 'the emoji', field: 'emoji-search', open: (page: Page) => page.getByTestId('open-emoji').click() },
  { what: 'a new group', field: 'new-group-name', open: (page: Page) => page.getByTestId('new-group').click() },
] as const;

for (const { what, field, open } of FIELDS) {
  test(`what is typed while the code of ${what} is on its way is in its field`, async ({ signUp }) => {
    const ana = await signUp('Ana');
    await ana.createGroup('Tulum');
    await ana.composer.focus();
    const release = await hold(ana.page);
    await open(ana.page);
    await ana.page.keyboard.type('café');
    await expect(ana.page.getByTestId('lazy-field')).toHaveValue('café');
    await expect(ana.page.getByTestId(field)).toHaveCount(0);
    release();
    await expect(ana.page.getByTestId(field)).toHaveValue('café');
    await expect(ana.page.getByTestId(field)).toBeFocused();
    // One goes on behind it.
    await ana.page.keyboard.type(' o té');
    await expect(ana.page.getByTestId(field)).toHaveValue('café o té');
    await expect(ana.composer).toHaveValue('');
    await ana.page.keyboard.press('Escape');
    await expect(ana.page.getByTestId(field)).toBeHidden();
  });
}

test('no key that is pressed while the code of the details is on its way goes elsewhere', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Tulum');
  const release = await hold(ana.page);
  await ana.page.getByTestId('group-settings').click();
  await ana.page.keyboard.type('café');
  await ana.page.keyboard.press('Enter');
  await expect(ana.page.getByTestId('group-sheet')).toBeVisible();
  release();
  await expect(ana.page.getByTestId('group-name')).toHaveValue('Tulum');
  await expect(ana.page.getByTestId('group-sheet').getByRole('button').first()).toBeFocused();
  await expect(ana.composer).toHaveValue('');
  await expect(ana.messages).toHaveCount(0);
});
