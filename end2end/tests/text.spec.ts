// How a text looks: its direction, its alignment, its length, and what is read aloud of it.

import type { Locator, Page } from '@playwright/test';
import { history } from '../support/history.ts';
import { together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };
/** The time that a key or a paste may take until the next frame, whatever is in the field. */
const PATIENCE_MS = 200;
/** Unoptimised builds on a shared machine take longer; the fault took 22,000 ms. */
const SLACK = 5;

/** Where the letters of each line begin and end, measured from the side at which the text should begin. */
function linesOf(text: Locator): Promise<{ left: number; right: number }[]> {
  return text.evaluate((element) => {
    const box = element.getBoundingClientRect();
    const node = element.firstChild;
    if (!(node instanceof Text)) throw new Error('no text');
    let at = 0;
    return node.data.split('\n').map((line) => {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + line.length);
      at += line.length + 1;
      const { left, right } = range.getBoundingClientRect();
      return { left: left - box.left, right: box.right - right };
    });
  });
}

/** Once, a line that is read from right to left was aligned left, with its full stop on the wrong side. */
test('each line of a message is read in its own direction', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Haifa');
  const text = 'hola.\nשלום לכולם.\nuna línea mucho más larga que las otras dos';
  await ana.composer.fill(text);
  await ana.composer.press('Enter');
  for (const person of [ana, bruno]) {
    const shown = person.texts.filter({ hasText: 'hola.' });
    await expect(shown).toHaveText(text);
    const [spanish, hebrew] = await linesOf(shown);
    expect(spanish?.left).toBeLessThan(2);
    expect(spanish?.right).toBeGreaterThan(50);
    expect(hebrew?.right).toBeLessThan(2);
    expect(hebrew?.left).toBeGreaterThan(50);
  }
});

test('blank lines at the ends of a message are not sent, not shown and not counted', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Cholula');
  await ana.send('\n\n  hola\n\nBruno \n \n\n');
  const shown = '  hola\n\nBruno ';
  await expect.poll(() => bruno.texts.allTextContents()).toEqual([shown]);
  await expect.poll(() => ana.texts.allTextContents()).toEqual([shown]);
  expect((await history(ana)).map((message) => message.message)).toEqual([shown]);
  await ana.composer.fill(`${'\n'.repeat(400)}${'x'.repeat(4_000)}${'\n'.repeat(400)}`);
  await expect(ana.page.locator('.counter')).toHaveText('0');
  await expect(ana.page.getByTestId('send')).toBeEnabled();
  await ana.composer.fill('\n\n\n');
  await expect(ana.page.getByTestId('send')).toBeDisabled();
});

const isFolded = (text: Locator) => text.evaluate((element) => element.scrollHeight > element.clientHeight + 1 && element.clientHeight > 0);

test('a long message shows its beginning, and the rest for whoever asks or looks for it', async ({ signUp, browser, baseURL }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Cuetzalan');
  const stops = Array.from({ length: 60 }, (_, line) => `parada ${line + 1}.`);
  const text = [...stops, 'https://a.example/mapa'].join('\n');
  await ana.send(text);
  const { page } = bruno;
  const shown = bruno.texts.first();
  await expect(shown).toHaveText(text);
  const more = page.getByTestId('fold');
  await expect(more).toHaveText('Ver más');
  await expect(more).toHaveAttribute('aria-expanded', 'false');
  expect(await isFolded(shown)).toBe(true);
  const lines = await shown.evaluate((element) => element.clientHeight / Number.parseFloat(getComputedStyle(element).lineHeight));
  expect(lines).toBeGreaterThan(19);
  expect(lines).toBeLessThan(21);

  await more.press('Enter');
  await expect(more).toHaveText('Ver menos');
  await expect(more).toHaveAttribute('aria-expanded', 'true');
  expect(await isFolded(shown)).toBe(false);
  await more.click();
  await expect(more).toHaveText('Ver más');
  expect(await isFolded(shown)).toBe(true);

  // A text unfolds when a search or the focus brings a hidden part into view.
  await shown.locator('a').focus();
  await expect(more).toHaveText('Ver menos');
  expect(await isFolded(shown)).toBe(false);

  // Without scripts the text is shown whole.
  const storageState = await page.context().storageState();
  const context = await browser.newContext({ javaScriptEnabled: false, storageState, baseURL });
  const plain = await context.newPage();
  await plain.goto(page.url());
  await expect(plain.getByTestId('message')).toContainText('parada 60.');
  await expect(plain.getByTestId('fold')).toBeHidden();
  await expect(plain.locator('.text')).toHaveCSS('max-height', 'none');
  await context.close();
});

test('what is long in a narrow bubble only is folded there only', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Tepoztlán');
  await ana.send('el camino es largo y bonito '.repeat(40).trim());
  for (const [size, folded] of [[PHONE, true], [DESKTOP, false]] as const) {
    await ana.page.setViewportSize(size);
    await expect(ana.page.getByTestId('fold')).toBeVisible({ visible: folded });
    await expect.poll(() => isFolded(ana.texts.first())).toBe(folded);
  }
});

test('what a message may not have is taken out of what is pasted', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Xilitla');
  await ana.composer.fill('(el fin)');
  await ana.composer.press('Home');
  await ana.page.keyboard.press('ArrowRight');
  await ana.page.keyboard.insertText('\u001B[1mhola\u0007\u0000 a\u000Btodos\u009B, ');
  await expect(ana.composer).toHaveValue('([1mhola a\ntodos, el fin)');
  // The caret is after the pasted text.
  await ana.page.keyboard.insertText('ya ');
  await expect(ana.composer).toHaveValue('([1mhola a\ntodos, ya el fin)');
  await expect(ana.page.locator('.composer-problem')).toHaveText('');
  await ana.composer.press('Enter');
  await expect(bruno.texts).toHaveText(['([1mhola a\ntodos, ya el fin)']);
});

/** Presses a key in the field. Returns the time until the next frame. */
async function press(page: Page, key: string): Promise<number> {
  const begin = Date.now();
  await page.keyboard.press(key);
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
  return Date.now() - begin;
}

/** Pastes a text into the field, as the browser passes it to the page. Returns the time until the next frame. */
async function paste(page: Page, piece: string): Promise<number> {
  return await page.evaluate((piece) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', piece.repeat(1_000_000 / piece.length));
    const begin = performance.now();
    document.activeElement?.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    return new Promise<number>((resolve) =>
      requestAnimationFrame(() => setTimeout(() => resolve(Math.round(performance.now() - begin)))),
    );
  }, piece);
}

/** Once, a paste of 1,000,000 characters stopped the page for 22 s, and each later key for 30 s. */
test('a paste of a million characters costs no more than a moment, and neither does the next key', async ({ signUp }) => {
  test.setTimeout(180_000);
  const ana = await signUp('Ana');
  await ana.createGroup('Real de Catorce');
  for (const piece of ['hola mundo ', 'xxxxxxxxxx', 'hola\nmundo ']) {
    await ana.composer.fill('');
    await ana.composer.focus();
    const pasted = await paste(ana.page, piece);
    const keys = [await press(ana.page, 'Backspace'), await press(ana.page, 'a'), await press(ana.page, 'Backspace')];
    console.log(`a million of ${JSON.stringify(piece)}: pasted in ${pasted} ms, a key in ${keys.join(', ')} ms`);
    await expect(ana.page.locator('.counter')).toHaveText(/^Sobran \d+/);
    await expect(ana.page.getByTestId('send')).toBeDisabled();
    // The note about the missing part stays as long as any pasted text is in the field.
    await expect(ana.page.locator('.composer-problem')).toContainText(/Se pegaron solo los primeros 16\s000 caracteres/);
    for (const took of [pasted, ...keys]) expect(took).toBeLessThan(PATIENCE_MS * SLACK);
  }
  await ana.composer.fill('');
  await expect(ana.page.locator('.composer-problem')).toHaveText('');
  const kept = await ana.page.evaluate(() => Object.values(localStorage).map((value) => String(value).length));
  for (const length of kept) expect(length).toBeLessThan(100_000);
});

/** Once, the first message of a group was shown but not announced. */
test('the first message of a group is read aloud like every other', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Zacatlán');
  const log = ana.page.locator('[role="log"] p');
  await expect(log).toHaveCount(0);
  await bruno.send('¿hay alguien?');
  await expect(log).toHaveText(['Bruno: ¿hay alguien?']);
  await bruno.send('¿nadie?');
  await expect(log).toHaveText(['Bruno: ¿hay alguien?', 'Bruno: ¿nadie?']);
});

test('a text is formatted as people type it, and stored as they typed it', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Mérida');
  const text = [
    '*Mañana* a las _ocho_, ~no a las nueve~: `andén 3`',
    '> ¿Y el boleto?',
    '- agua y *pan*',
    '1. www.renfe.com/horarios',
    '```',
    'A   B',
    '```',
    'Llama al +52 999 123 4567 o a ana@correo.example',
  ].join('\n');
  await ana.composer.fill(text);
  await ana.composer.press('Enter');
  for (const person of [ana, bruno]) {
    const shown = person.texts.first();
    await expect(shown.locator('strong')).toHaveText(['Mañana', 'pan']);
    await expect(shown.locator('em')).toHaveText('ocho');
    await expect(shown.locator('s')).toHaveText('no a las nueve');
    await expect(shown.locator('code')).toHaveText('andén 3');
    await expect(shown.locator('blockquote')).toHaveText('¿Y el boleto?');
    await expect(shown.locator('li')).toHaveText(['•agua y pan', '1.www.renfe.com/horarios']);
    await expect(shown.locator('pre')).toHaveText('A   B');
    const links = await shown.locator('a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    expect(links).toEqual(['https://www.renfe.com/horarios', 'tel:+529991234567', 'mailto:ana@correo.example']);
  }
  expect((await history(ana)).map((message) => message.message)).toEqual([text]);
  // Whoever edits or copies the message gets what was typed.
  await ana.composer.press('ArrowUp');
  await expect(ana.composer).toHaveValue(text);
});
