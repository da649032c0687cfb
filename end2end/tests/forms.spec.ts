// The account's forms: what is wrong with a field is said beside it, in the page's own words.

import { PASSWORD, Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

test('what is wrong with a field is said beside it, and the focus goes to the first one', async ({ page }) => {
  await page.goto('/register');
  const [name, email, password] = ['display-name', 'email', 'password'].map((id) => page.getByTestId(id));
  if (name === undefined || email === undefined || password === undefined) throw new Error('no fields');
  // Once hydrated, one may write at once, and the page checks the fields itself.
  await expect(page.locator('form')).toHaveJSProperty('noValidate', true);
  await expect(name).toBeFocused();
  await page.getByTestId('submit').click();
  await expect(name).toBeFocused();
  await expect(name).toHaveAccessibleDescription(/^Escribe tu nombre\./);
  await expect(email).toHaveAccessibleDescription('Escribe tu correo.');
  await expect(name).toHaveAttribute('aria-invalid', 'true');

  await name.fill('Ana');
  await expect(page.getByText('Escribe tu nombre.')).toBeHidden();
  await email.fill('ana@@example');
  await password.fill('corta');
  await password.press('Enter');
  await expect(email).toBeFocused();
  await expect(email).toHaveAccessibleDescription(/no parece completo/);
  await expect(password).toHaveAccessibleDescription(/usa al menos 12 caracteres/);
  await expect(page).toHaveURL(/\/register$/);
});

test('a password can be looked at while it is written', async ({ page }) => {
  await page.goto('/login');
  await expect(page.getByTestId('email')).toBeFocused();
  const password = page.getByTestId('password');
  await password.fill(PASSWORD);
  await page.getByRole('button', { name: 'Mostrar la contraseña' }).click();
  await expect(password).toHaveAttribute('type', 'text');
  await page.getByRole('button', { name: 'Ocultar la contraseña' }).click();
  await expect(password).toHaveAttribute('type', 'password');
  await expect(password).toHaveValue(PASSWORD);
});

test('a refusal is tied to its field', async ({ signUp, page }) => {
  const ana = await signUp('Ana');
  const other = new Person('Otra Ana', page);
  await page.goto('/register');
  await page.getByTestId('display-name').fill(other.name);
  await page.getByTestId('email').fill(ana.email);
  await page.getByTestId('password').fill(PASSWORD);
  await page.getByTestId('submit').click();
  await expect(page.getByTestId('email')).toBeFocused();
  await expect(page.getByTestId('email')).toHaveAccessibleDescription(/Ya hay una cuenta con este correo\. Iniciar sesión/);
  await page.getByTestId('taken-sign-in').click();
  await page.getByTestId('email').fill(ana.email);
  await page.getByTestId('password').fill('no-es-la-contraseña');
  await page.getByTestId('submit').click();
  // Which of the two is wrong is not said.
  await expect(page.getByTestId('password')).toHaveAccessibleDescription('El correo o la contraseña no coinciden.');
  await expect(page.getByTestId('email')).toHaveAccessibleDescription('El correo o la contraseña no coinciden.');
});

test('who is signed in is led on from the forms', async ({ signUp }) => {
  const ana = await signUp('Ana');
  for (const path of ['/login', '/register']) {
    await ana.page.goto(path);
    await expect(ana.page).toHaveURL(/:\d+\/$/);
    const answer = await ana.page.request.get(`${path}?next=/account`, { maxRedirects: 0, headers: { accept: 'text/html' } });
    expect([answer.status(), answer.headers()['location']]).toEqual([302, '/account']);
  }
  await ana.page.goto('/login?next=//evil.example');
  await expect(ana.page).toHaveURL(/:\d+\/$/);
});

test('on touch no field takes the focus, and without scripts the browser checks the fields', async ({ browser, server, watch, locale }) => {
  const phone = await browser.newContext({ baseURL: server.url, locale, hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
  const page = await phone.newPage();
  watch(page);
  await page.goto('/login');
  await expect(page.locator('form')).toHaveJSProperty('noValidate', true);
  await expect(page.getByTestId('email')).not.toBeFocused();
  const show = await page.getByTestId('show-password').boundingBox();
  expect(Math.min(show?.height ?? 0, show?.width ?? 0)).toBeGreaterThanOrEqual(44);
  await phone.close();

  const plain = await browser.newContext({ baseURL: server.url, locale, javaScriptEnabled: false });
  const still = await plain.newPage();
  watch(still);
  await still.goto('/register');
  expect(await still.locator('form').getAttribute('novalidate')).toBeNull();
  await expect(still.getByTestId('show-password')).toBeHidden();
  await plain.close();
});
