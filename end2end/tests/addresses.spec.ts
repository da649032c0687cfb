// The addresses of the site: in development any address of the machine, otherwise only the configured one.

import { type Browser, type Page, chromium } from '@playwright/test';
import { chromium as chromiumPath } from '../support/build.ts';
import { PASSWORD, Person } from '../support/person.ts';
import { ChatServer } from '../support/server.ts';
import { expect, test } from '../support/test.ts';

/** A name of the local network, and a name that anybody could register. Both resolve to the test's server. */
const LOCAL = 'caravana.local';
const PUBLIC = 'caravana.example';

/**
 * A browser that resolves both names to this machine. Http is not loopback there, so the browser does not send what it
 * sends only from trustworthy pages.
 */
async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      `--host-resolver-rules=MAP ${LOCAL} 127.0.0.1, MAP ${PUBLIC} 127.0.0.1`,
    ],
  });
}

function at(server: ChatServer, host: string): string {
  return server.url.replace('127.0.0.1', host);
}

async function pageAt(browser: Browser, url: string, javaScriptEnabled = true): Promise<Page> {
  const context = await browser.newContext({ baseURL: url, locale: 'es-MX', javaScriptEnabled });
  return context.newPage();
}

test('without an address of its own, everything works by a name of the local network over plain http', async ({ server, watch }) => {
  const browser = await launch();
  const [ana, bruno] = [new Person('Ana', await pageAt(browser, at(server, LOCAL))), new Person('Bruno', await pageAt(browser, at(server, LOCAL)))];
  for (const person of [ana, bruno]) {
    watch(person.page);
    // By the form: the tests' own requests do not know the name.
    await person.page.goto('/register');
    await person.fillInAccount();
    await expect(person.page.getByTestId('new-group')).toBeVisible();
  }
  expect(await ana.page.evaluate(() => window.isSecureContext)).toBe(false);
  await expect(ana.page.getByTestId('wrong-address')).toHaveCount(0);
  await ana.createGroup('Tulum');
  await ana.page.getByRole('button', { name: 'Invitar' }).first().click();
  await ana.page.getByTestId('copy-invite').click();
  const link = await ana.page.getByTestId('invite-link').inputValue();
  expect(link.startsWith(`${at(server, LOCAL)}/i/`), link).toBe(true);
  await ana.page.keyboard.press('Escape');
  await bruno.accept(link);
  await bruno.send('hola');
  await ana.sees('hola');

  // The browser submits the account's forms itself.
  await ana.page.goto('/account');
  await ana.page.getByTestId('display-name').fill('Ana María');
  await ana.page.getByTestId('save-name').click();
  await expect(ana.page.getByTestId('done')).toBeVisible();
  await browser.close();
});

test('without scripts, over plain http that is not loopback, forms are posted and taken', async ({ server, watch }) => {
  const browser = await launch();
  const page = await pageAt(browser, at(server, LOCAL), false);
  watch(page);
  await page.goto('/register');
  await new Person('Ana', page).fillInAccount();
  await expect(page.getByTestId('new-group')).toBeVisible();
  await new Person('Ana', page).startGroup('Tulum');
  await page.getByTestId('composer').fill('hola');
  await page.getByTestId('send').click();
  await expect(page.getByTestId('message')).toHaveCount(1);
  await page.goto('/');
  await page.locator('summary[aria-label="Preferencias"]').first().click();
  await page.getByTestId('log-out').click();
  await expect(page.getByRole('main')).toContainText('Viajen juntos');
  await browser.close();
});

test('at another address than the site’s, the page says which is right, and a refused form is a page', async ({ watch }) => {
  const browser = await launch();
  const server = await ChatServer.start(['--public-url=http://chat.example.net']);
  const page = await pageAt(browser, at(server, PUBLIC));
  watch(page);
  await page.goto('/register');
  const strip = page.getByTestId('wrong-address');
  await expect(strip).toContainText('Esta no es la dirección de Caravana');
  await expect(strip.getByRole('link')).toHaveAttribute('href', 'http://chat.example.net/register');
  await new Person('Ana', page).fillInAccount();
  await expect(page.getByRole('alert').filter({ hasText: 'No aceptamos lo que se envió' })).toBeVisible();
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 });
    await page.screenshot({ path: test.info().outputPath(`strip-${width}.png`) });
  }

  const plain = await pageAt(browser, at(server, PUBLIC), false);
  watch(plain);
  await plain.goto('/login');
  await plain.getByTestId('email').fill('ana@example.test');
  await plain.getByTestId('password').fill(PASSWORD);
  await plain.getByTestId('submit').click();
  await expect(plain.getByRole('heading', { level: 1 })).toHaveText('Algo no salió bien');
  await expect(plain.getByRole('link', { name: 'Abrir chat.example.net' })).toHaveAttribute('href', 'http://chat.example.net');
  for (const colorScheme of ['light', 'dark'] as const) {
    await plain.emulateMedia({ colorScheme });
    await plain.screenshot({ path: test.info().outputPath(`refused-${colorScheme}.png`) });
  }
  expect(server.log.split('\n').filter((line) => line.includes('another address'))).toHaveLength(1);
  await browser.close();
  await server.dispose();
});

test('an invitation is not lost by signing up or in before scripts run, nor by a mistake', async ({ signUp, browser, baseURL, watch }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Guanajuato');
  const link = await ana.inviteLink();
  const context = await browser.newContext({ baseURL, locale: 'es-MX', javaScriptEnabled: false });
  const page = await context.newPage();
  watch(page);
  const bruno = new Person('Bruno', page);
  await page.goto(link);
  await page.locator('a[href^="/register"]').click();
  await page.getByTestId('display-name').fill('Bruno');
  await page.getByTestId('email').fill(ana.email);
  await page.getByTestId('password').fill(PASSWORD);
  await page.getByTestId('submit').click();
  await expect(page.getByRole('alert')).toContainText('Ya hay una cuenta con este correo.');
  await expect(page.getByTestId('taken-sign-in')).toBeVisible();
  await bruno.fillInAccount();
  await expect(page).toHaveURL(link);
  await page.getByTestId('accept-invite').click();
  await expect(page.getByRole('heading', { level: 1, name: 'Guanajuato' })).toBeVisible();
  await context.close();
});

test('a taken e-mail is named, and leads to signing in', async ({ signUp, page }) => {
  const ana = await signUp('Ana');
  await page.goto('/register?next=/i/abc');
  await page.getByTestId('display-name').fill('Otra Ana');
  await page.getByTestId('email').fill(ana.email);
  await page.getByTestId('password').fill(PASSWORD);
  await page.getByTestId('submit').click();
  await expect(page.getByRole('alert')).toContainText('Ya hay una cuenta con este correo.');
  await page.screenshot({ path: test.info().outputPath('taken.png') });
  await page.getByTestId('taken-sign-in').click();
  await expect(page).toHaveURL(/\/login\?next=\/i\/abc$/);
});

test('the icon is served where browsers look for it, and a long text breaks its lines', async ({ request, page, watch }) => {
  const icon = await request.get('/favicon.ico');
  expect([icon.status(), icon.headers()['content-type']]).toEqual([200, 'image/x-icon']);
  watch(page);
  await page.goto('/LICENSES.txt');
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
  expect(await page.evaluate(() => getComputedStyle(document.querySelector('pre') ?? document.body).whiteSpace)).toBe('pre-wrap');
});
