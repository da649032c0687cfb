// What the keys of the composer do, and what is said of what the server refuses.

import type { Locator } from '@playwright/test';
import type { Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { type Frame, Wire } from '../support/wire.ts';

const PHONE = { width: 390, height: 844 };

/** Refuses the frames of a type, as a server would. */
function refusing(type: string, code: string): (frame: Frame) => 'pass' | object {
  return (frame) => (frame.type === type ? { type: 'error', message: 'no', code, retryable: false, ref: frame.ref ?? frame.data.id } : 'pass');
}

/** What stands below a message that was refused. */
function refusal(person: Person, text: string): Locator {
  return person.message(text).getByRole('alert');
}

test('an Enter that an input method consumes sends nothing, whichever way the browser says so', async ({ signUp }) => {
  const ana = await signUp('Ana');
  await ana.createGroup('Kioto');
  await ana.composer.fill('こんにちは');
  /** Presses Enter and tells whether the page took it. */
  const enter = (init: { isComposing?: boolean; keyCode?: number }) =>
    ana.composer.evaluate((field, init) => {
      const press = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init });
      field.dispatchEvent(press);
      return press.defaultPrevented;
    }, init);
  expect(await enter({ isComposing: true })).toBe(false);
  expect(await enter({ keyCode: 229 })).toBe(false);
  await expect(ana.composer).toHaveValue('こんにちは');
  expect(await enter({ keyCode: 13 })).toBe(true);
  await ana.seesSent('こんにちは');
  await expect(ana.messages).toHaveCount(1);
});

test('a refused message says why and waits for a press, which sends it under the same id', async ({ signUp }) => {
  const ana = await signUp('Ana');
  const wire = await Wire.of(ana.page);
  await ana.createGroup('Izamal');
  wire.toServer = refusing('send_message', 'forbidden');
  await ana.send('¿puedo?');
  await expect(refusal(ana, '¿puedo?')).toHaveText(/^No se pudo enviar\s*No tienes permiso para hacer esto\.\s*Reintentar\s*Eliminar$/);
  await expect(ana.message('¿puedo?').getByTestId('message-tick')).toHaveAccessibleName('No se pudo enviar');
  // A new connection sends what waits, and this does not.
  wire.toServer = () => 'pass';
  const before = wire.log.length;
  await wire.cut();
  await wire.restore();
  await expect.poll(() => wire.log.slice(before).some(({ frame }) => frame.type === 'caught_up')).toBe(true);
  await ana.send('otra cosa');
  await ana.seesSent('otra cosa');
  await expect(ana.message('¿puedo?')).toHaveAttribute('data-state', 'failed');
  await ana.message('¿puedo?').getByTestId('retry').click();
  await ana.seesSent('¿puedo?');
  await expect(ana.message('¿puedo?').getByTestId('message-tick')).toHaveAccessibleName('Enviado');
  await expect(refusal(ana, '¿puedo?')).toHaveCount(0);
  const said = wire.said('send_message').filter(({ data }) => data.message === '¿puedo?');
  expect(said).toHaveLength(2);
  expect(said[1]?.data.id).toBe(said[0]?.data.id);

  // A change that is refused is told on its row, too, and can be tried again or given up.
  wire.toServer = refusing('edit_message', 'invalid_message');
  await ana.message('otra cosa').locator('.bubble').hover();
  await ana.page.getByTestId('bar-more').click();
  await ana.page.getByTestId('menu-edit').click();
  await ana.send('otra cosa, corregida');
  await expect(refusal(ana, 'otra cosa, corregida')).toContainText('No se pudo cambiar');
  await expect(refusal(ana, 'otra cosa, corregida')).toContainText('El mensaje tiene caracteres que no se pueden enviar.');
  wire.toServer = refusing('react', 'too_many_reactions');
  await ana.message('otra cosa, corregida').getByTestId('retry').click();
  await ana.seesSent('otra cosa, corregida');
  await ana.message('¿puedo?').locator('.bubble').hover();
  await ana.page.getByTestId('bar-more').click();
  await ana.page.getByTestId('quick').first().click();
  await expect(refusal(ana, '¿puedo?')).toContainText('Este mensaje ya tiene todas las reacciones que puede tener.');
  await ana.message('¿puedo?').getByTestId('discard').click();
  await expect(refusal(ana, '¿puedo?')).toHaveCount(0);
  await expect(ana.message('¿puedo?').getByTestId('reaction')).toHaveCount(0);
  await expect(ana.message('¿puedo?')).toHaveAttribute('data-state', 'sent');
});

test.describe('by finger', () => {
  test.use({ viewport: PHONE, hasTouch: true, isMobile: true });

  test('Enter is a new line, the field grows to six lines, and the button sends', async ({ signUp }) => {
    const ana = await signUp('Ana');
    await ana.createGroup('Loreto');
    const height = () => ana.composer.evaluate((field) => field.getBoundingClientRect().height);
    const hidden = () => ana.composer.evaluate((field) => field.scrollHeight - field.clientHeight);
    await ana.composer.tap();
    const [one, letters] = [await height(), await ana.composer.evaluate((field) => parseFloat(getComputedStyle(field).fontSize))];
    // Below 16 px, Safari enlarges the page when the field gets the focus.
    expect(letters).toBeGreaterThanOrEqual(16);
    await expect(ana.composer).toHaveAttribute('enterkeyhint', 'enter');
    await ana.page.keyboard.type('uno');
    await ana.page.keyboard.press('Enter');
    await ana.page.keyboard.type('dos');
    await expect(ana.composer).toHaveValue('uno\ndos');
    const line = (await height()) - one;
    expect(line).toBeGreaterThan(letters);
    await ana.page.getByTestId('send').tap();
    await ana.seesSent('uno\ndos');
    await expect(ana.messages).toHaveCount(1);
    await ana.composer.fill(Array(5).fill('línea').join('\n'));
    await expect.poll(height).toBeCloseTo(one + 4 * line, 0);
    expect(await hidden()).toBeLessThanOrEqual(1);
    await ana.composer.fill(Array(12).fill('línea').join('\n'));
    await expect.poll(hidden).toBeGreaterThan(line);
    // Six lines and a part of the seventh, which shows that there is more.
    const lines = (await height() - one) / line + 1;
    expect(lines).toBeGreaterThan(5);
    expect(lines).toBeLessThan(7);
  });
});
