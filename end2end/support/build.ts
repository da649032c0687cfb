// The paths of the programs under test. `cargo xtask e2e` sets them in the environment; without them (`cargo leptos
// end-to-end`, or Playwright by hand) the newest build in `target` is used.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '..', '..');

/** The server's binary. */
export function serverBinary(): string {
  const target = resolve(repository, process.env.CARGO_TARGET_DIR ?? 'target');
  const builds = ['release', 'debug'].map((profile) => join(target, profile, 'server')).filter(exists);
  const newest = builds.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  return process.env.CARAVANA_SERVER ?? required(newest, 'no server was built; run `cargo xtask build`');
}

/** The built site's root. */
export function siteRoot(): string {
  const built = join(repository, 'target', 'site');
  return process.env.CARAVANA_SITE ?? required(exists(built) ? built : undefined, 'no site was built; run `cargo xtask build`');
}

/** The system's Chromium. */
export function chromium(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(exists);
  return process.env.CHROMIUM_PATH ?? required(found, 'no Chromium was found; run `cargo xtask setup`');
}

function exists(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function required(path: string | undefined, otherwise: string): string {
  if (path === undefined) throw new Error(otherwise);
  return path;
}
