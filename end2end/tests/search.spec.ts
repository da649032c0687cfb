// The search in messages: by keyboard and by finger, in a group and in all groups, in a long conversation, and without a
// network.

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator } from '@playwright/test';
import { NO_HASTE, flood, groupOf, say } from '../support/crowd.ts';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { showTheme } from '../support/theme.ts';

test.use({ serverFlags: NO_HASTE });

const PHONE = { width: 390, height: 844 };
const SEARCH = /\/api\/v1\/search\?/;

function panel(person: Person): Locator {
  return person.page.getByTestId('search');
}

function field(person: Person): Locator {
  return panel(person).getByTestId('search-field');
}

function hits(person: Person): Locator {
  return panel(person).getByTestId('hit');
}

function texts(person: Person): Locator {
  return hits(person).locator('.hit-text');
}

function chosen(person: Person): Locator {
  return panel(person).locator('.hit[aria-selected="true"]');
}

function status(person: Person): Locator {
  return panel(person).getByTestId('search-status');
}

/** Opens the search by its key. */
async function open(person: Person): Promise<void> {
  await person.page.keyboard.press('Control+f');
  await expect(field(person)).toBeFocused();
}

/** The words of all questions to the server, from now on. */
function questions(person: Person): string[] {
  const asked: string[] = [];
  person.page.on('request', (request) => {
    if (SEARCH.test(request.url())) asked.push(new URL(request.url()).searchParams.get('q') ?? '');
  });
  return asked;
}

test('what one types is found without its accents and marked, the arrows walk it, and Escape returns', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  for (let number = 1; number <= 30; number += 1) await say(ana, `relleno ${number}`);
  await say(ana, 'Nos vemos en el Café de la plaza');
  await say(bruno, 'Hay otra cafetería más cerca');
  await say(bruno, 'fin');
  await ana.sees('fin');
  const scroller = ana.page.locator('.scroller');
  await scroller.evaluate((element) => element.scrollBy(0, -300));
  await ana.composer.focus();
  const place = await scroller.evaluate((element) => element.scrollTop);
  const width = await scroller.evaluate((element) => element.clientWidth);
  const asked = questions(ana);
  await open(ana);
  await ana.page.keyboard.type('CAFE');
  await expect(texts(ana)).toHaveText(['Hay otra cafetería más cerca', 'Nos vemos en el Café de la plaza']);
  expect(asked, 'asked once, after the last key').toEqual(['CAFE']);
  await expect(hits(ana).locator('mark')).toHaveText(['cafe', 'Café']);
  await expect(hits(ana).locator('.hit-author')).toHaveText(['Bruno', 'Ana']);
  await expect(status(ana)).toHaveText('2 resultados');
  await expect(chosen(ana)).toContainText('Bruno');
  await ana.page.keyboard.press('ArrowDown');
  await expect(chosen(ana)).toContainText('Ana');
  const id = await chosen(ana).getAttribute('id');
  await expect(field(ana)).toHaveAttribute('aria-activedescendant', id ?? '');
  await expect(field(ana)).toBeFocused();
  await ana.page.keyboard.press('ArrowUp');
  await expect(chosen(ana)).toContainText('Bruno');
  await ana.page.keyboard.press('Escape');
  await expect(panel(ana)).toBeHidden();
  await expect(ana.composer).toBeFocused();
  expect(await scroller.evaluate((element) => element.scrollTop)).toBe(place);
  expect(await scroller.evaluate((element) => element.clientWidth)).toBe(width);
  // The words are still there, and selected, so that typing replaces them.
  await open(ana);
  await expect(field(ana)).toHaveValue('CAFE');
  await expect(hits(ana)).toHaveCount(2);
  await ana.page.keyboard.type('plaz');
  await expect(texts(ana)).toHaveText(['Nos vemos en el Café de la plaza']);
  await expect(hits(ana).locator('mark')).toHaveText(['plaz']);
  // A second press of the keys is the browser's.
  const isTaken = (on: Locator): Promise<boolean> =>
    on.evaluate((element) => {
      const press = new KeyboardEvent('keydown', { key: 'f', ctrlKey: true, bubbles: true, cancelable: true });
      element.dispatchEvent(press);
      return press.defaultPrevented;
    });
  expect(await isTaken(field(ana))).toBe(false);
  await ana.composer.focus();
  expect(await isTaken(ana.composer)).toBe(true);
  await expect(field(ana)).toBeFocused();
});

test('Enter goes to a message that is three thousand messages up, and more hits come as one goes on', async ({ signUp }) => {
  test.setTimeout(180_000);
  const ana = await signUp('Ana');
  await ana.createGroup('Ruta 40');
  await say(ana, 'Reservé la cabaña del lago');
  await flood(ana, 3_000);
  await open(ana);
  await ana.page.keyboard.type('reserve cabana');
  await expect(texts(ana)).toHaveText(['Reservé la cabaña del lago']);
  await ana.page.keyboard.press('Enter');
  await expect(ana.message('Reservé la cabaña del lago')).toBeInViewport();
  await expect(ana.message('Reservé la cabaña del lago')).toHaveClass(/\blit\b/);
  await expect(ana.message('mensaje 1'), 'with what stands around it').toBeInViewport();
  // On a wide screen the search stays for the next one.
  await expect(field(ana)).toBeFocused();
  await field(ana).fill('mens');
  await expect(hits(ana)).toHaveCount(20);
  await expect(status(ana)).toHaveText('Los primeros 20 resultados');
  await expect(texts(ana).first()).toHaveText('mensaje 3000');
  await panel(ana).getByTestId('search-more').scrollIntoViewIfNeeded();
  await expect(hits(ana)).toHaveCount(40);
  for (let step = 0; step < 45; step += 1) await ana.page.keyboard.press('ArrowDown');
  await expect.poll(() => hits(ana).count()).toBeGreaterThan(45);
  await expect(chosen(ana)).toBeInViewport({ ratio: 0.95 });
  const words = await texts(ana).allTextContents();
  expect(words).toEqual(words.map((_, place) => `mensaje ${3_000 - place}`));
  const wanted = (await chosen(ana).locator('.hit-text').textContent()) ?? '';
  await ana.page.keyboard.press('Enter');
  await expect(ana.message(wanted)).toBeInViewport();
});

test('one searches what a person wrote, and days are the reader’s own', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await say(ana, 'el bus sale a las seis');
  await say(bruno, 'el bus ya está lleno');
  await open(ana);
  await ana.page.keyboard.type('bus');
  await expect(hits(ana)).toHaveCount(2);
  await panel(ana).getByTestId('search-filters').click();
  await panel(ana).getByTestId('search-person').selectOption({ label: 'Bruno' });
  await expect(texts(ana)).toHaveText(['el bus ya está lleno']);
  await panel(ana).getByTestId('search-person').selectOption({ label: 'Cualquiera' });
  await expect(hits(ana)).toHaveCount(2);
  // A day of Mexico City, six hours after UTC's.
  const since = ana.page.waitForRequest((request) => new URL(request.url()).searchParams.get('since') === '2024-04-03T06:00:00Z');
  await panel(ana).getByTestId('search-since').fill('2024-04-03');
  await since;
  await expect(hits(ana)).toHaveCount(2);
  const until = ana.page.waitForRequest((request) => new URL(request.url()).searchParams.get('until') === '2024-04-06T05:59:59.999999Z');
  await panel(ana).getByTestId('search-until').fill('2024-04-05');
  await until;
  await expect(status(ana)).toHaveText('No encontramos nada con estos filtros.');
  await expect(hits(ana)).toHaveCount(0);
  await panel(ana).getByTestId('search-clear').click();
  await expect(hits(ana)).toHaveCount(2);
  await expect(panel(ana).getByTestId('search-since')).toHaveValue('');
  await expect(panel(ana).getByTestId('search-until')).toHaveValue('');
});

test('what is not in this group is found in all groups, and a hit opens its group at the message', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno con un nombre larguísimo de sesenta letras, ni una más')];
  await together(ana, bruno, 'Patagonia');
  const name = 'Los que en abril cruzan de Oaxaca a Chiapas con toda la famil';
  const other = await groupOf(ana, bruno, name.slice(0, 60));
  await say(bruno, 'Dejé el pasaporte en el hostal', other);
  await open(ana);
  await ana.page.keyboard.type('pasaporte');
  await expect(status(ana)).toHaveText('No encontramos nada.');
  await panel(ana).getByTestId('search-everywhere').click();
  await expect(texts(ana)).toHaveText(['Dejé el pasaporte en el hostal']);
  await expect(hits(ana).locator('.hit-group')).toHaveText([name.slice(0, 60)]);
  await expect(hits(ana).locator('.hit-author')).toHaveText([bruno.name]);
  await expect(panel(ana).getByTestId('search-all')).toHaveAttribute('aria-pressed', 'true');
  await field(ana).press('Enter');
  await ana.isIn(name.slice(0, 60));
  await expect(ana.message('Dejé el pasaporte en el hostal')).toBeInViewport();
  expect(new URL(ana.page.url()).pathname).toContain(`/g/${other}/m/`);
});

test('an answer that comes late is not shown', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Sola');
  await say(ana, 'plaza mayor');
  await say(ana, 'plaza menor');
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await ana.page.route(SEARCH, async (route) => {
    if (new URL(route.request().url()).searchParams.get('q') === 'plaza') await held;
    await route.continue();
  });
  await open(ana);
  const late = ana.page.waitForResponse((response) => new URL(response.url()).searchParams.get('q') === 'plaza');
  const first = ana.page.waitForRequest(SEARCH);
  // At once: letters that come slowly would be several searches.
  await field(ana).fill('plaza');
  await first;
  await expect(status(ana)).toHaveText('Buscando…');
  await field(ana).fill('plaza mayor');
  await expect(texts(ana)).toHaveText(['plaza mayor']);
  release();
  await (await late).finished();
  // A later search shows that the page has handled the late answer.
  await field(ana).fill('menor');
  await expect(texts(ana)).toHaveText(['plaza menor']);
  await field(ana).fill('plaza mayor');
  await expect(texts(ana)).toHaveText(['plaza mayor']);
});

test('what cannot be searched for says why, and so does a search without a network', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Sola');
  await say(ana, 'plaza mayor');
  const asked = questions(ana);
  await open(ana);
  await expect(status(ana)).toContainText('Los acentos y las mayúsculas no importan');
  await field(ana).fill('p');
  await expect(status(ana)).toHaveText('Escribe al menos 2 caracteres.');
  await field(ana).fill('plaza '.repeat(20));
  await expect(status(ana)).toHaveText('Es demasiado largo: busca con 100 caracteres como máximo.');
  expect(asked).toEqual([]);
  await ana.page.context().setOffline(true);
  await field(ana).fill('plaza');
  await expect(panel(ana).getByRole('alert')).toBeVisible();
  await expect(hits(ana)).toHaveCount(0);
  await ana.page.context().setOffline(false);
  await panel(ana).getByTestId('search-again').click();
  await expect(texts(ana)).toHaveText(['plaza mayor']);
  await expect(panel(ana).getByRole('alert')).toHaveCount(0);
});

test('on a phone the results make room for the message, and are there when one comes back', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Sola');
  await say(ana, 'la llave está en recepción');
  for (let number = 1; number <= 60; number += 1) await say(ana, `relleno ${number}`);
  await ana.page.setViewportSize(PHONE);
  await ana.page.reload();
  await ana.isOnline();
  const button = ana.page.getByTestId('open-search');
  const box = await button.boundingBox();
  expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
  await button.click();
  await expect(field(ana)).toBeFocused();
  expect((await panel(ana).boundingBox())?.width).toBe(PHONE.width);
  await field(ana).fill('llave');
  await hits(ana).click();
  await expect(panel(ana)).toBeHidden();
  await expect(ana.message('la llave está en recepción')).toBeInViewport();
  await expect(ana.message('la llave está en recepción')).toHaveClass(/\blit\b/);
  await button.click();
  await expect(field(ana)).toHaveValue('llave');
  await expect(hits(ana)).toHaveCount(1);
  await ana.page.keyboard.press('Escape');
  await expect(panel(ana)).toBeHidden();
  await expect(button).toBeFocused();
  await expect(ana.message('la llave está en recepción')).toBeInViewport();
});

test('axe finds nothing in the search, in both themes and languages', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  for (let number = 1; number <= 30; number += 1) await say(bruno, `vamos a la playa ${number}`);
  const look = async (): Promise<void> => {
    for (const theme of ['light', 'dark'] as const) {
      await showTheme(ana.page, theme);
      const { violations } = await new AxeBuilder({ page: ana.page }).analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
    }
  };
  await open(ana);
  await panel(ana).getByTestId('search-filters').click();
  await open(ana);
  await ana.page.keyboard.type('play');
  await expect(hits(ana)).toHaveCount(20);
  await look();
  await field(ana).fill('nada de esto');
  await expect(status(ana)).toHaveText('No encontramos nada.');
  await look();
  const { hostname } = new URL(ana.page.url());
  await ana.page.context().addCookies([{ name: 'lang', value: 'en', domain: hostname, path: '/' }]);
  await ana.page.reload();
  await ana.isOnline();
  await ana.page.setViewportSize(PHONE);
  await ana.page.getByRole('button', { name: 'Search messages' }).click();
  await field(ana).fill('play');
  await expect(status(ana)).toHaveText('The first 20 results');
  await look();
});

test('the field of the list finds messages of all groups below the groups, and a press opens one', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const { group: plaza } = await ana.post<{ group: { id: string } }>('/groups', { name: 'Plaza' });
  const { group: other } = await ana.post<{ group: { id: string } }>('/groups', { name: 'Otro' });
  await say(ana, 'el hotel está en la plaza', other.id);
  await say(ana, 'otra cosa', plaza.id);
  await ana.page.goto('/');
  const found = ana.page.getByTestId('found-messages');
  const groups = ana.page.getByTestId('group-link');
  await expect(groups).toHaveCount(2);
  await expect(found).toHaveCount(0);
  const asked = questions(ana);
  await ana.page.getByTestId('find-group').fill('PLAZÁ');
  await expect(groups.locator('.group-name')).toHaveText(['Plaza']);
  await expect(found.locator('.hit-text')).toHaveText(['el hotel está en la plaza']);
  await expect(found.locator('.hit-group')).toHaveText(['Otro']);
  await expect(found.locator('mark')).toHaveText(['plaza']);
  expect(asked).toEqual(['PLAZÁ']);
  await found.getByTestId('hit').click();
  await ana.isIn('Otro');
  await expect(ana.message('el hotel está en la plaza')).toBeInViewport();
  expect(new URL(ana.page.url()).pathname).toContain(`/g/${other.id}/m/`);
});
