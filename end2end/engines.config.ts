// How the journey runs in each engine. `cargo xtask engines` also installs them.

import { defineConfig } from '@playwright/test';
import config from './playwright.config.ts';

export default defineConfig({
  ...config,
  testDir: 'engines',
  testIgnore: [],
  timeout: 240_000,
  // The slowest first. Only Linux has WebKitGTK.
  projects: (process.platform === 'linux' ? ['webkit', 'firefox', 'chromium'] : ['chromium']).map((name) => ({ name })),
});
