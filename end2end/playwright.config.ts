// How the browser tests run. `cargo xtask e2e` builds what they need and says where it is; see support/build.ts.

import { defineConfig } from '@playwright/test';
import { chromium } from './support/build.ts';

const isRoot = process.getuid?.() === 0;

// What only the page does is the same on every database, and is tried on SQLite alone. A new file is tried on both.
const PAGE_ALONE = [
  'addresses',
  'cookies',
  'days',
  'drafts',
  'labels',
  'long',
  'panes',
  'scrolling',
  'signing_out',
  'text',
  'translated',
];

export default defineConfig({
  testDir: 'tests',
  testIgnore: process.env.TEST_STORE === 'postgres' ? PAGE_ALONE.map((name) => `**/${name}.spec.ts`) : [],
  // Each worker has a server and a database of its own, so that files may run side by side.
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  // A test that passes only the second time has found something.
  retries: 0,
  forbidOnly: process.env.CI !== undefined,
  reporter: 'list',
  use: {
    browserName: 'chromium',
    locale: 'es-MX',
    timezoneId: 'America/Mexico_City',
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
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
