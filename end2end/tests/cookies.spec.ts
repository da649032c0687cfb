// In a browser that refuses cookies a sign-in is not possible, and the page says so.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { chromium as chromiumPath } from '../support/build.ts';
import { Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

/** Chromium's own setting «block all cookies». */
const BLOCKED = { profile: { default_content_setting_values: { cookies: 2 } } };

test('where cookies are blocked, signing up says what is missing instead of leading to the front page', async ({ baseURL, watch }) => {
  const folder = await mkdtemp(join(tmpdir(), 'caravana-profile-'));
  await mkdir(join(folder, 'Default'));
  await writeFile(join(folder, 'Default', 'Preferences'), JSON.stringify(BLOCKED));
  const context = await chromium.launchPersistentContext(folder, {
    baseURL,
    locale: 'es-MX',
    executablePath: chromiumPath(),
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-gpu'],
  });
  const page = await context.newPage();
  watch(page);
  await page.goto('/register');
  // `navigator.cookieEnabled` is nevertheless true.
  const storage = await page.evaluate(() => {
    try {
      return `${localStorage.length} entries`;
    } catch {
      return 'blocked';
    }
  });
  expect(storage, 'the profile was taken').toBe('blocked');
  await new Person('Ana', page).fillInAccount();
  await expect(page.getByRole('alert')).toContainText('Tu navegador no guarda las cookies de este sitio');
  await page.screenshot({ path: test.info().outputPath('blocked.png') });
  await expect(page).toHaveURL(/\/register/);
  await context.close();
  await rm(folder, { recursive: true, force: true });
});
