// Parts of the page whose code is loaded when they are first shown.

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
