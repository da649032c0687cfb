// How the pictures of docs/design.md are made: `cargo xtask pictures`.

import { defineConfig } from '@playwright/test';
import config from './playwright.config.ts';

export default defineConfig({ ...config, testDir: 'pictures', testIgnore: [] });
