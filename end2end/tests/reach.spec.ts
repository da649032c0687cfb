// What everybody reaches: by finger, by keyboard, on narrow and enlarged screens.

import type { Locator, Page } from '@playwright/test';
import { groupOf, post, say } from '../support/crowd.ts';
import { together } from '../support/person.ts';
import { scrollUp } from '../support/scroller.ts';
import { expect, test } from '../support/test.ts';

/** What can be pressed and is smaller than a finger. Links within a text may be. */
async function small(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    Array.from(document.querySelectorAll<HTMLElement>('button, summary, select, input:not([type=hidden]), textarea, label.check, a[class]'))
      .filter((element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
      .filter((element) => element.closest('.visually-hidden, .skip, .text, .card-foot, label.check > input') === null && !element.classList.contains('skip'))
      .filter((element) => {
        const place = element.getBoundingClientRect();
        // A link whose area is spread over its row by the style sheet counts with that area.
        const spread = getComputedStyle(element, '::after').position === 'absolute';
        return !spread && place.width > 0 && (place.width < 43.5 || place.height < 43.5);
      })
      .map((element) => `${element.tagName} ${element.className} «${element.textContent?.trim() ?? ''}» ${JSON.stringify(element.getBoundingClientRect())}`),
  );
}

test('every button is as large as a finger', async ({ signUp, browser, server, locale, watch }) => {
  // Eight pages.
  test.slow();
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Oaxaca en abril con toda la familia');
  await bruno.send('¿Salimos a las 7?');
  await ana.sees('¿Salimos a las 7?');
  const phone = await browser.newContext({ baseURL: server.url, locale, hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
  await phone.addCookies(await ana.page.context().cookies());
  const page = await phone.newPage();
  watch(page);
  // What opens over a page, and what opens it.
  const over: Record<string, [opens: Locator, opened: Locator][]> = {
    '/': [
      [page.locator('.sidebar details.menu > summary'), page.locator('.menu-sheet')],
      [page.getByTestId('new-group'), page.getByTestId('list-sheet')],
    ],
    [`/g/${ana.groupId}`]: [
      [page.getByTestId('open-search'), page.getByTestId('search')],
      [page.getByTestId('open-emoji'), page.locator('[data-testid="emoji-picker"] .emoji').first()],
    ],
    [`/g/${ana.groupId}/miembros`]: [
      [page.getByTestId('group-settings'), page.getByTestId('group-name')],
      [page.getByTestId('member-more'), page.getByTestId('remove-member')],
    ],
    '/account': [],
  };
  for (const [path, parts] of Object.entries(over)) {
    await page.goto(path);
    await expect(page.locator('.bar:visible, .plain-bar:visible').first()).toBeVisible();
    expect(await small(page), path).toEqual([]);
    for (const [opens, opened] of parts) {
      // The page may not be taken over yet.
      await expect(async () => {
        if (!(await opened.isVisible())) await opens.tap({ timeout: 1_000 });
        await expect(opened).toBeVisible({ timeout: 1_000 });
      }).toPass();
      // What was pressed is smaller for a moment.
      await expect.poll(() => small(page), `${opens} on ${path}`).toEqual([]);
      await page.keyboard.press('Escape');
      await expect(opened).toBeHidden();
    }
  }
  await phone.clearCookies();
  /** On how many lines the text of a link is. */
  const lines = (link: Element) => {
    const text = document.createRange();
    text.selectNodeContents(link);
    return new Set(Array.from(text.getClientRects(), (line) => Math.round(line.bottom))).size;
  };
  for (const path of ['/', '/login', '/register', '/reset']) {
    await page.goto(path);
    await expect(page.locator('.brand').first()).toBeVisible();
    expect(await small(page), path).toEqual([]);
    if (path === '/') expect(await page.getByRole('link', { name: 'Crear cuenta' }).first().evaluate(lines)).toBe(1);
  }
  await phone.close();
});

test('nothing is wider than a narrow or an enlarged screen', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Iñaki de la Torre y Fernández de Córdoba y Ruiz de Alarcón')];
  await together(ana, bruno, 'Un viaje con un nombre que no cabe en ninguna parte del teléfono');
  await bruno.send('una-palabra-larguísima-'.repeat(8));
  for (const [width, height] of [[320, 568], [640, 400]] as const) {
    await ana.page.setViewportSize({ width, height });
    for (const path of ['/', `/g/${ana.groupId}`, `/g/${ana.groupId}/miembros`]) {
      await ana.page.goto(path);
      await expect(ana.page.locator('.bar:visible').first()).toBeVisible();
      const wider = await ana.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wider, `${path} at ${width}`).toBeLessThanOrEqual(0);
    }
  }
});

test('on a desktop one may write at once, and the skip link leads there', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const group = await groupOf(ana, bruno, 'Oaxaca en abril');
  await groupOf(ana, bruno, 'La otra');
  await ana.page.goto(`/g/${group}`);
  await ana.isIn('Oaxaca en abril');
  await expect(ana.composer).toBeFocused();
  await ana.page.getByTestId('group-link').filter({ hasText: 'La otra' }).click();
  await ana.isIn('La otra');
  await expect(ana.composer).toBeFocused();
  await ana.page.locator('.skip').focus();
  await ana.page.keyboard.press('Enter');
  await expect(ana.composer).toBeFocused();
  // An empty field is no error, and the browser says nothing.
  await expect(ana.page.locator('form.composer')).toHaveJSProperty('noValidate', true);
  await expect(ana.page.getByTestId('send')).toHaveAttribute('aria-disabled', 'true');
  await ana.composer.fill('hola');
  await expect(ana.page.getByTestId('send')).not.toHaveAttribute('aria-disabled', 'true');
});

test('the details list who is online first, cover nothing, and Escape closes them', async ({ signUp, browser, server, locale }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Oaxaca en abril');
  const long = 'Iñaki de la Torre y Fernández de Córdoba y Ruiz de Alarcón';
  const { token } = await post<{ token: string }>(ana, `/groups/${ana.groupId}/invites`);
  const context = await browser.newContext({ baseURL: server.url, locale });
  const headers = { 'sec-fetch-site': 'same-origin' };
  await context.request.post('/api/v1/auth/register', { headers, data: { email: `${crypto.randomUUID()}@example.test`, password: 'una-contraseña-larga', display_name: long } });
  await context.request.post(`/api/v1/invites/${token}/accept`, { headers, data: {} });
  await context.close();
  for (let number = 0; number < 40; number += 1) await say(ana, `mensaje ${number}`);

  await ana.page.setViewportSize({ width: 900, height: 700 });
  await ana.page.goto(`/g/${ana.groupId}`);
  await ana.isOnline();
  await scrollUp(ana.page, 600);
  await ana.page.getByTestId('show-members').click();
  const panel = ana.page.getByTestId('members');
  await expect(panel.getByText('En línea · 2')).toBeVisible();
  await expect(panel.getByText('Desconectados · 1')).toBeVisible();
  const name = panel.locator('.member', { hasText: 'Iñaki' }).locator('.member-name');
  expect((await name.boundingBox())?.width).toBeGreaterThan(120);
  await expect(ana.page.getByTestId('send')).toBeInViewport({ ratio: 1 });
  const covered = await ana.page.getByTestId('send').evaluate((send) => {
    const place = send.getBoundingClientRect();
    return document.elementFromPoint(place.x + place.width / 2, place.y + place.height / 2)?.closest('[data-testid="send"]') === null;
  });
  expect(covered).toBe(false);
  await ana.page.keyboard.press('Escape');
  await expect(panel).toBeHidden();

  // On a phone the details are the page: nobody gets to what is below, and it stays where it was.
  await ana.page.setViewportSize({ width: 390, height: 700 });
  await scrollUp(ana.page, 500);
  const before = await ana.page.locator('.scroller').evaluate((scroller) => scroller.scrollTop);
  await ana.page.getByTestId('show-members').click();
  await expect(panel).toBeVisible();
  for (let steps = 0; steps < 12; steps += 1) {
    await ana.page.keyboard.press('Tab');
    expect(await ana.page.evaluate(() => document.activeElement?.closest('main') === null)).toBe(true);
  }
  await ana.page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
  const after = await ana.page.locator('.scroller').evaluate((scroller) => scroller.scrollTop);
  expect(Math.abs(after - before)).toBeLessThanOrEqual(1);
});

test('after a row was put aside by keyboard, the focus is on the next one', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  for (const name of ['Uno', 'Dos', 'Tres']) await groupOf(ana, bruno, name);
  await ana.page.goto('/');
  const links = ana.page.getByTestId('group-link');
  await expect(links).toHaveCount(3);
  await ana.page.getByTestId('group-menu').first().focus();
  await ana.page.keyboard.press('Enter');
  await ana.page.getByTestId('set-archived').focus();
  await ana.page.keyboard.press('Enter');
  await expect(links.filter({ hasText: 'Dos' })).toBeFocused();
});

test('a keyboard that lies over the page does not cover the composer', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Oaxaca');
  await ana.page.setViewportSize({ width: 390, height: 844 });
  const end = () => ana.composer.evaluate((field) => field.getBoundingClientRect().bottom);
  const whole = await end();
  // Chromium makes the page smaller by itself, so this plays a browser that does not.
  const keyboard = async (height: number | undefined) =>
    ana.page.evaluate((seen) => {
      const viewport = window.visualViewport!;
      if (seen === undefined) Reflect.deleteProperty(viewport, 'height');
      else Object.defineProperty(viewport, 'height', { configurable: true, value: seen });
      viewport.dispatchEvent(new Event('resize'));
    }, height);
  await keyboard(844 - 336);
  await expect.poll(end).toBeLessThan(844 - 336);
  await keyboard(undefined);
  await expect.poll(end).toBe(whole);
});
