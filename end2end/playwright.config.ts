// How the browser tests run. `cargo xtask e2e` builds the programs and passes their paths; see support/build.ts.

import { defineConfig } from '@playwright/test';
import { chromium } from './support/build.ts';

const isRoot = process.getuid?.() === 0;

// Behaviour of the page alone does not depend on the database, so these files run on SQLite only. A new file runs on
// both.
const PAGE_ALONE = [
  'accessibility',
  'addresses',
  'burst',
  'colours',
  'composing',
  'connection',
  'cookies',
  'days',
  'drafts',
  'emoji',
  'forms',
  'hostile',
  'hydration',
  'labels',
  'lazy',
  'loading',
  'long',
  'looks',
  'members',
  'notices',
  'older',
  'outbox',
  'panes',
  'place',
  'preferences',
  'reach',
  'scrolling',
  'selection',
  'signing_out',
  'tabs',
  'text',
  'translated',
];

export default defineConfig({
  testDir: 'tests',
  testIgnore: [
    ...(process.env.TEST_STORE === 'postgres' ? PAGE_ALONE.map((name) => `**/${name}.spec.ts`) : []),
    ...(process.env.FIGURES === undefined ? ['**/figures.spec.ts'] : []),
  ],
  // Each worker has its own server and database, so that files can run in parallel.
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  // A test that passes only at the second try has found a fault.
  retries: 0,
  forbidOnly: process.env.CI !== undefined,
  reporter: 'list',
  use: {
    browserName: 'chromium',
    locale: 'es-MX',
    timezoneId: 'America/Mexico_City',
    screenshot: 'only-on-failure',
    // Recording one takes more time than the tests themselves: a picture of the page after every change.
    trace: process.env.TRACE === '1' ? 'retain-on-failure' : 'off',
    video: 'off',
    launchOptions: {
      executablePath: chromium(),
      args: [
        ...(isRoot ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
