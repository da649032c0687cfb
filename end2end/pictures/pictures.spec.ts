// Makes the pictures of docs/design.md: `cargo xtask pictures`.

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Page } from '@playwright/test';
import { NO_HASTE } from '../support/crowd.ts';
import { type SignUp, expect, test } from '../support/test.ts';
import { NAMES, type People, TRIP, tell } from './trip.ts';

test.use({ serverFlags: NO_HASTE });
test.describe.configure({ timeout: 240_000 });

const FOLDER = resolve(import.meta.dirname, '..', '..', 'docs', 'design');
/** The largest picture, and all of them, in bytes: they are kept in git. */
const LARGEST = 60_000;
const ALL = 600_000;
const QUALITY = 78;

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5 };
const DESKTOP = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 };
const VARIANTS = {
  'phone-es-light': { ...PHONE, locale: 'es-MX', colorScheme: 'light' },
  'phone-en-dark': { ...PHONE, locale: 'en-GB', colorScheme: 'dark' },
  'desktop-es-light': { ...DESKTOP, locale: 'es-MX', colorScheme: 'light' },
  'desktop-en-dark': { ...DESKTOP, locale: 'en-GB', colorScheme: 'dark' },
} as const;
type Variant = keyof typeof VARIANTS;

/** The way to each screen, and how it is shown. Every screen is there on a phone and at a desk, in both themes and languages. */
const SCREENS: { name: string; variants: Variant[]; go: (page: Page, trip: string, isPhone: boolean) => Promise<void> }[] = [
  { name: 'welcome', variants: ['phone-en-dark', 'desktop-es-light'], go: async (page) => void (await page.goto('/')) },
  {
    name: 'list',
    variants: ['phone-es-light', 'desktop-en-dark'],
    go: async (page) => {
      await page.goto('/');
      await expect(page.getByTestId('group-link')).toHaveCount(5);
    },
  },
  { name: 'group', variants: ['phone-es-light', 'phone-en-dark', 'desktop-es-light', 'desktop-en-dark'], go: openTrip },
  {
    name: 'sheet',
    variants: ['phone-es-light', 'desktop-en-dark'],
    go: async (page) => {
      await page.goto('/');
      const name = page.getByTestId('new-group-name');
      // Before scripts run, the button opens the plain form.
      await expect(async () => {
        await page.getByTestId('new-group').click();
        await expect(name).toBeVisible({ timeout: 2_000 });
      }).toPass();
      await name.fill('Atacama');
    },
  },
  {
    name: 'details',
    variants: ['phone-en-dark', 'desktop-es-light'],
    go: async (page, trip, isPhone) => {
      await openTrip(page, trip);
      await page.getByTestId(isPhone ? 'show-members' : 'group-settings').click();
      await expect(page.getByTestId(isPhone ? 'members' : 'group-name').first()).toBeInViewport();
    },
  },
  {
    name: 'search',
    variants: ['phone-es-light', 'desktop-en-dark'],
    go: async (page, trip) => {
      await openTrip(page, trip);
      await page.getByTestId('open-search').first().click();
      await page.getByTestId('search-field').fill('mirador');
      await expect(page.getByTestId('hit')).toHaveCount(2);
    },
  },
];

async function openTrip(page: Page, trip: string): Promise<void> {
  await page.goto(`/g/${trip}`);
  await expect(page.getByRole('heading', { level: 1, name: TRIP })).toBeVisible();
  await expect(page.getByTestId('connection').first()).toHaveAttribute('data-state', 'online');
  await expect(page.getByTestId('connection').first()).toContainText(/4 integrantes · 4 en línea|4 members · 4 online/);
}

/** What is visible, as WebP, which Playwright itself does not write. */
async function picture(page: Page): Promise<Buffer> {
  await page.evaluate(() => document.fonts.ready.then(() => {}));
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => null))).then(() => {}));
  const devtools = await page.context().newCDPSession(page);
  const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY });
  return Buffer.from(data, 'base64');
}

async function everybody(signUp: SignUp): Promise<People> {
  const people: Partial<People> = {};
  for (const name of NAMES) people[name] = await signUp(name);
  return people as People;
}

test('every screen has its picture', async ({ browser, baseURL, signUp, watch }) => {
  const people = await everybody(signUp);
  const trip = await tell(people);
  const storageState = await people.Lucía.page.context().storageState();
  // The others stay online, and nobody's page marks anything as read.
  for (const name of NAMES) await people[name].page.goto(name === 'Lucía' ? 'about:blank' : `/g/${trip}`);
  mkdirSync(FOLDER, { recursive: true });
  for (const { name, variants, go } of SCREENS) {
    for (const variant of variants) {
      const { locale, colorScheme, viewport, deviceScaleFactor } = VARIANTS[variant];
      const options = { baseURL, locale, colorScheme, viewport, deviceScaleFactor, reducedMotion: 'reduce' } as const;
      const signedIn = name === 'welcome' ? {} : { storageState };
      const context = await browser.newContext({ ...options, ...signedIn, timezoneId: 'America/Mexico_City' });
      const page = await context.newPage();
      watch(page);
      await go(page, trip, viewport.width < 600);
      const file = join(FOLDER, `${name}-${variant}.webp`);
      writeFileSync(file, await picture(page));
      await context.close();
    }
  }
  const sizes = SCREENS.flatMap(({ name, variants }) => variants.map((variant) => statSync(join(FOLDER, `${name}-${variant}.webp`)).size));
  console.log(`${sizes.length} pictures, the largest ${Math.max(...sizes)} bytes, together ${sizes.reduce((sum, size) => sum + size)}`);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(LARGEST);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(ALL);
});
