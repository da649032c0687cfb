// How the page looks where that says something: who wrote, which pane, what the reader and the system have chosen.

import { groupOf, post, say } from '../support/crowd.ts';
import { expect, test } from '../support/test.ts';

test('the rows of a conversation show who wrote them, and what happened between them', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await ana.createGroup('Tajín');
  const { token } = await post<{ token: string }>(ana, `/groups/${ana.groupId}/invites`);
  await post(bruno, `/invites/${token}/accept`);
  const notices = ana.page.locator('.rows .notice');
  await expect(notices).toHaveText(['Bruno se unió al grupo']);
  for (const text of ['ya', 'llegué', '🎉🎉']) await say(bruno, text, ana.groupId);
  for (const text of ['bien', '🥳']) await ana.send(text);
  const renamed = await ana.page.request.patch(`/api/v1/groups/${ana.groupId}`, { headers: { 'sec-fetch-site': 'same-origin' }, data: { name: 'El Tajín' } });
  expect(renamed.ok()).toBe(true);
  await expect(notices).toHaveText(['Bruno se unió al grupo', 'El grupo ahora se llama «El Tajín»']);
  await ana.seesSent('🥳');

  // Each side has its messages; those of one author in a row show the name above the first and the picture at the last.
  const places = await ana.messages.evaluateAll((rows) =>
    rows.map((row) => {
      const [inner, outer] = [row.querySelector('.bubble')?.getBoundingClientRect(), row.closest('.scroller')?.getBoundingClientRect()];
      if (inner === undefined || outer === undefined) throw new Error('no bubble');
      const side = inner.left + inner.right > outer.left + outer.right ? 'right' : 'left';
      const size = parseFloat(getComputedStyle(row.querySelector('.text') as Element).fontSize);
      const colour = getComputedStyle(row.querySelector('.bubble') as Element).backgroundColor;
      return { side, colour, name: row.querySelectorAll('.author').length, picture: row.querySelectorAll('.avatar').length, large: size >= 32, top: inner.top, bottom: inner.bottom };
    }),
  );
  const shown = places.map(({ side, name, picture, large }) => `${side} ${name} ${picture} ${large}`);
  expect(shown).toEqual(['left 1 0 false', 'left 0 0 false', 'left 0 1 true', 'right 0 0 false', 'right 0 0 true']);
  expect(places[3]?.colour).not.toBe(places[0]?.colour);
  const gap = (row: number) => (places[row]?.top ?? 0) - (places[row - 1]?.bottom ?? 0);
  expect(gap(1)).toBeLessThan(gap(3));
  // What happened is in the middle, without a side.
  for (const notice of await notices.locator('bdi').all()) {
    const off = await notice.evaluate((text) => {
      const [inner, outer] = [text.getBoundingClientRect(), text.closest('.scroller')?.getBoundingClientRect()];
      return inner.left + inner.right - (outer?.left ?? 0) - (outer?.right ?? 0);
    });
    expect(Math.abs(off)).toBeLessThan(40);
  }
});

test('three panes, two or one by the width; motion and colours are the system’s', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  const group = await groupOf(ana, bruno, 'Comala con toda la familia');
  await say(bruno, 'hola', group);
  const { page } = ana;
  await page.goto(`/g/${group}`);
  await ana.isIn('Comala con toda la familia');
  await ana.sees('hola');
  const panes = async () => [page.locator('.sidebar'), page.locator('main.pane'), page.getByTestId('members')].map((pane) => pane.isVisible());
  for (const [width, seen] of [[1280, [true, true, true]], [900, [true, true, false]], [390, [false, true, false]]] as const) {
    await page.setViewportSize({ width, height: 800 });
    expect(await Promise.all(await panes()), `${width} px`).toEqual(seen);
    // The name of the group has all the room that it needs.
    const cut = await page.locator('.pane > .bar .bar-title').evaluate((title) => title.scrollWidth - title.clientWidth);
    expect(cut, `the name at ${width} px`).toBeLessThanOrEqual(0);
  }
  await page.setViewportSize({ width: 1280, height: 800 });

  /** The longest time that anything on the page moves, in milliseconds. */
  const longest = () =>
    page.evaluate(() => {
      const times = (text: string) => text.split(',').map((time) => parseFloat(time) * (time.trim().endsWith('ms') ? 1 : 1_000));
      const all = Array.from(document.querySelectorAll('*')).flatMap((element) =>
        [undefined, '::before', '::after'].flatMap((part) => {
          const style = getComputedStyle(element, part);
          return [...times(style.animationDuration), ...times(style.transitionDuration)];
        }),
      );
      return Math.max(...all);
    });
  expect(await longest()).toBeGreaterThan(100);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await longest()).toBeLessThanOrEqual(1);

  // In forced colours there are neither backgrounds nor shadows, so what can be pressed has a border.
  const strong = [page.getByTestId('send'), page.getByTestId('new-group'), page.getByTestId('invite'), ana.message('hola').locator('.bubble')];
  const borders = () => Promise.all(strong.map((part) => part.evaluate((element) => parseFloat(getComputedStyle(element).borderTopWidth))));
  expect(Math.max(...(await borders()))).toBe(0);
  await page.emulateMedia({ forcedColors: 'active' });
  expect(Math.min(...(await borders()))).toBeGreaterThanOrEqual(1);
});

test('language and theme are chosen in the preferences, and are in the first answer from then on', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const { page } = ana;
  const preferences = page.locator('details.menu > summary').first();
  const root = page.locator('html');
  /** The first tag that the server answers with. */
  const first = async () => /<html[^>]*>/.exec(await (await page.request.get('/')).text())?.[0];
  await expect(page.getByText('Crea un grupo y comparte el enlace, o abre la invitación que te enviaron.')).toBeVisible();
  await preferences.click();
  await page.getByRole('button', { name: 'Oscura' }).click();
  await expect(root).toHaveAttribute('data-theme', 'dark');
  const loaded = page.waitForEvent('load');
  await page.getByRole('button', { name: 'English' }).click();
  await loaded;
  await expect(root).toHaveAttribute('lang', 'en');
  await expect(root).toHaveAttribute('data-theme', 'dark');
  await expect(page.getByTestId('new-group')).toHaveText('New group');
  expect(await first()).toMatch(/lang="en".*data-theme="dark"|data-theme="dark".*lang="en"/);
  await preferences.click();
  await expect(page.getByRole('button', { name: 'English' })).toHaveAttribute('aria-pressed', 'true');
  await page.getByRole('button', { name: 'System' }).click();
  await page.getByRole('button', { name: 'Español' }).click();
  await expect(page.getByTestId('new-group')).toHaveText('Nuevo grupo');
  expect(await first()).not.toContain('dark');
});

test('what the device covers stays free, and a group that comes late leaves a moment without a sign of it', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const { page } = ana;
  const { group: late } = await post<{ group: { id: string } }>(ana, '/groups', { name: 'Tarda' });
  await page.setViewportSize({ width: 390, height: 844 });
  await ana.createGroup('Colima');
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Emulation.setSafeAreaInsetsOverride', { insets: { top: 59, bottom: 34 } });
  const header = page.locator('.pane > .bar').getByRole('heading');
  await expect.poll(async () => (await header.boundingBox())?.y).toBeGreaterThanOrEqual(59);
  const end = await ana.composer.evaluate((field) => field.getBoundingClientRect().bottom);
  expect(end).toBeLessThanOrEqual(844 - 34);

  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(`**/api/v1/groups/${late.id}/**`, async (route) => {
    await held;
    await route.continue();
  });
  await page.evaluate((path) => {
    const link = document.createElement('a');
    link.href = path;
    document.querySelector('main')?.append(link);
    link.click();
  }, `/g/${late.id}`);
  const skeleton = page.locator('.skeleton');
  await expect(skeleton).toHaveCSS('animation-delay', '0.2s');
  await expect(skeleton).toHaveCSS('animation-fill-mode', 'backwards');
  await expect(skeleton).toBeVisible();
  release();
  await ana.isIn('Tarda');
  await expect(skeleton).toHaveCount(0);
});
