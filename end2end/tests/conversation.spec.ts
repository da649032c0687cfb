import { together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

test('what Ana sends, Bruno sees once, and Ana sees that it was sent', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Oaxaca en abril');

  await ana.send('¿A qué hora sale el camión?');
  await bruno.sees('¿A qué hora sale el camión?');
  await ana.seesSent('¿A qué hora sale el camión?');
  await expect(ana.message('¿A qué hora sale el camión?').getByTestId('message-tick')).toHaveAccessibleName('Leído por todos');

  await bruno.send('A las siete ☀️');
  await ana.sees('A las siete ☀️');
  await bruno.seesSent('A las siete ☀️');
});

test('messages stay in one order for both, and after a reload', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Valle de Bravo');
  const texts = ['uno', 'dos', 'tres', 'cuatro', 'cinco'].map((word) => `parada ${word}`);
  for (const [index, text] of texts.entries()) {
    const [author, reader] = index % 2 === 0 ? [ana, bruno] : [bruno, ana];
    await author.send(text);
    await reader.sees(text);
  }
  for (const person of [ana, bruno]) {
    await expect(person.messages).toHaveCount(texts.length);
    await expect(person.messages).toContainText(texts);
    await person.page.reload();
    await expect(person.messages).toContainText(texts);
  }
});

test('Bruno sees that Ana is typing, by name, until her message is there', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'San Cristóbal');

  await ana.composer.pressSequentially('Llego');
  await expect(bruno.typing).toContainText('Ana está escribiendo…');
  await expect(ana.typing).not.toContainText('escribiendo');

  await ana.composer.press('Enter');
  await bruno.sees('Llego');
  await expect(bruno.typing).not.toContainText('escribiendo');
});

test('a message is text and never markup', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Mérida');
  const text = '<img src=x onerror=alert(1)> & <b>negrita</b>';
  await ana.send(text);
  await bruno.sees(text);
  await expect(bruno.message(text).locator('img, b')).toHaveCount(0);
});

test('the first paint shows real messages without JavaScript', async ({ signUp, browser, baseURL }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Puerto Escondido');
  await ana.send('Nos vemos en la playa');
  await ana.seesSent('Nos vemos en la playa');

  const storageState = await ana.page.context().storageState();
  const context = await browser.newContext({ javaScriptEnabled: false, storageState, baseURL });
  const page = await context.newPage();
  await page.goto(ana.page.url());
  await expect(page.getByTestId('message')).toHaveText(/Nos vemos en la playa/);
  await context.close();
});
