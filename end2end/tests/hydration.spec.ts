// The page is hydrated in several tasks. Whatever happens between two of them, the page is whole afterwards.

import type { Page } from '@playwright/test';
import { groupOf } from '../support/crowd.ts';
import { type Person, together } from '../support/person.ts';
import { type SignUp, expect, test } from '../support/test.ts';
import { MARK, translate } from '../support/translator.ts';

/** Milliseconds between two parts of the hydration; the page itself leaves none. */
const BETWEEN = 1_000;

/** Ana's conversation, loaded again, when its first part is hydrated and the others are not. */
async function halfway(signUp: SignUp): Promise<{ ana: Person; bruno: Person; page: Page }> {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await groupOf(ana, bruno, 'Puebla');
  await together(ana, bruno, 'Oaxaca en abril');
  await bruno.send('hola https://a.example/x');
  await ana.sees('hola https://a.example/x');
  const { page } = ana;
  await page.addInitScript((between) => {
    const state = window as unknown as { isHalfway: boolean };
    const plain = window.setTimeout.bind(window);
    const slow = (handler: TimerHandler, delay?: number, ...rest: unknown[]) => {
      if (delay !== undefined && delay > 0) return plain(handler, delay, ...rest);
      state.isHalfway = true;
      return plain(handler, between, ...rest);
    };
    window.setTimeout = slow as typeof window.setTimeout;
  }, BETWEEN);
  await page.reload({ waitUntil: 'commit' });
  await page.waitForFunction(() => (window as unknown as { isHalfway?: boolean }).isHalfway === true);
  return { ana, bruno, page };
}

/** The page shows what comes, and sends. */
async function isWhole(ana: Person, bruno: Person): Promise<void> {
  await expect(ana.connection).toHaveAttribute('data-state', 'online');
  await bruno.send('¿quién viene?');
  await ana.sees('¿quién viene?');
  await ana.send('yo');
  await ana.seesSent('yo');
}

test('a message that is sent while the page is hydrated is sent', async ({ signUp }) => {
  const { ana, bruno } = await halfway(signUp);
  await ana.composer.fill('ya voy');
  await ana.composer.press('Enter');
  await expect(ana.composer).toHaveValue('');
  await bruno.sees('ya voy');
  await ana.seesSent('ya voy');
  await isWhole(ana, bruno);
});

test('a browser that translates while the page is hydrated does not stop it', async ({ signUp }) => {
  const { ana, bruno, page } = await halfway(signUp);
  await translate(page);
  await expect(ana.texts.first()).toHaveText(new RegExp(MARK));
  await isWhole(ana, bruno);
});

test('another group that is opened while the page is hydrated is whole', async ({ signUp }) => {
  const { ana, page } = await halfway(signUp);
  await page.getByTestId('group-link').filter({ hasText: 'Puebla' }).click();
  await ana.isIn('Puebla');
  await expect(ana.connection).toHaveAttribute('data-state', 'online');
  await ana.send('aquí');
  await ana.seesSent('aquí');
  await page.goBack();
  await ana.isIn('Oaxaca en abril');
  await ana.sees('hola https://a.example/x');
});

// Once, the page was taken over as the one that its address named by then, and stopped at the first difference. After a
// reload, and after a sign-out, the entries before it belong to the same document: Back changes only the address.
test('Back before the page is taken over shows the page that it leads to', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const { page } = ana;
  await page.setViewportSize({ width: 390, height: 844 });
  await together(ana, bruno, 'Puebla');
  await page.goto('/');
  await page.getByTestId('group-link').click();
  await ana.isIn('Puebla');
  let pass = () => {};
  const gate = new Promise<void>((resolve) => {
    pass = resolve;
  });
  await page.route('**/*.wasm', async (route) => {
    await gate;
    await route.continue();
  });
  await page.reload({ waitUntil: 'domcontentloaded' });
  await page.evaluate(() => window.history.back());
  await expect(page).toHaveURL('/');
  pass();
  await page.getByTestId('group-link').click();
  await isWhole(ana, bruno);
});
