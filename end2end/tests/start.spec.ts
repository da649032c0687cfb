import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '../support/test.ts';

test('the page is readable without JavaScript', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL });
  const page = await context.newPage();
  const response = await page.goto('/');
  expect(response?.status()).toBe(200);
  await expect(page.getByRole('main')).toContainText('Caravana');
  await context.close();
});

test('the page hydrates without an error', async ({ page }) => {
  const wasm = page.waitForResponse((response) => response.url().endsWith('.wasm'));
  await page.goto('/');
  expect((await wasm).status()).toBe(200);
  await page.waitForLoadState('load');
  // Every test checks for every page that nothing panicked and that no hydration error was logged.
  await expect(page.getByRole('main')).toBeVisible();
});

test('the bundle is sent compressed and with the type that the browser can stream', async ({ request }) => {
  const html = await (await request.get('/')).text();
  const bundle = /\/pkg\/[^"']+\.wasm/.exec(html)?.[0];
  expect(bundle, 'the page names its bundle').toBeDefined();
  const response = await request.get(bundle ?? '', { headers: { 'accept-encoding': 'br' } });
  expect(response.headers()['content-type']).toBe('application/wasm');
});

test('the server says that it is alive, ready and which build it is', async ({ request }) => {
  for (const path of ['/healthz', '/readyz', '/version']) {
    expect((await request.get(path)).status(), path).toBe(200);
  }
});

for (const path of ['/', '/login', '/register']) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds nothing on ${path} in ${colorScheme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await page.goto(path);
      await expect(page.getByRole('main')).toBeVisible();
      const found = await new AxeBuilder({ page }).analyze();
      expect(found.violations.map((violation) => `${violation.id}: ${violation.help}`)).toEqual([]);
    });
  }
}
