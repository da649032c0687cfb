// The group's details: rename, roles, remove, hand over, leave, delete.

import type { Locator } from '@playwright/test';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

function member(person: Person, name: string): Locator {
  return person.page.locator('.member', { hasText: name });
}

async function sheetOf(person: Person, name: string): Promise<Locator> {
  await member(person, name).getByTestId('member-more').click();
  return person.page.getByTestId('group-sheet');
}

async function settings(person: Person): Promise<Locator> {
  await person.page.getByTestId('group-settings').click();
  return person.page.getByTestId('group-sheet');
}

test('those who manage a group rename it and decide who invites', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await expect(ana.connection).toContainText('2 integrantes · 2 en línea');
  await expect(bruno.page.getByRole('button', { name: 'Invitar' }).first()).toBeVisible();
  const sheet = await settings(ana);
  await sheet.getByTestId('group-name').fill('Patagonia en marzo');
  await sheet.getByTestId('everybody-invites').uncheck();
  await sheet.getByTestId('save-group').click();
  await expect(sheet.getByRole('status')).toHaveText('Guardado');
  await ana.page.keyboard.press('Escape');
  for (const person of [ana, bruno]) {
    await expect(person.page.getByRole('heading', { level: 1, name: 'Patagonia en marzo' })).toBeVisible();
    await expect(person.page.getByTestId('group-link')).toContainText('Patagonia en marzo');
  }
  await expect(bruno.page.getByRole('button', { name: 'Invitar' })).toHaveCount(0);
  // A member may leave, and nothing else.
  const other = await settings(bruno);
  await expect(other.getByTestId('leave-group')).toBeVisible();
  await expect(other.getByTestId('group-name')).toHaveCount(0);
  await expect(other.getByTestId('delete-group')).toHaveCount(0);
});

test('the owner gives a role, removes a member and hands the group over', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  await (await sheetOf(ana, 'Bruno')).getByTestId('give-role').click();
  for (const person of [ana, bruno]) await expect(member(person, 'Bruno').locator('.member-role')).toHaveText('Administra');
  await expect(ana.page.getByTestId('group-sheet')).toBeHidden();
  // The owner can't be removed, and nobody does anything with oneself here.
  await expect((await sheetOf(bruno, 'Ana')).getByTestId('remove-member')).toHaveCount(0);
  await bruno.page.keyboard.press('Escape');
  await expect(member(bruno, 'Bruno').getByTestId('member-more')).toHaveCount(0);
  const sheet = await sheetOf(ana, 'Bruno');
  await sheet.getByTestId('hand-over').click();
  await sheet.getByTestId('question-yes').click();
  for (const person of [ana, bruno]) await expect(member(person, 'Bruno').locator('.member-role')).toHaveText('Organiza');
  const remove = await sheetOf(bruno, 'Ana');
  await remove.getByTestId('remove-member').click();
  await remove.getByTestId('question-no').click();
  await remove.getByTestId('remove-member').click();
  await remove.getByTestId('question-yes').click();
  await expect(ana.page.getByRole('alert').filter({ hasText: 'Ya no formas parte de este grupo.' })).toBeVisible();
  await expect(ana.composer).toBeDisabled();
  await expect(ana.page.getByTestId('send')).toBeDisabled();
  await expect(member(bruno, 'Ana')).toHaveCount(0);
});

test('one leaves a group, and its owner deletes it by typing its name', async ({ signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Patagonia');
  const leave = await settings(bruno);
  await leave.getByTestId('leave-group').click();
  await leave.getByTestId('question-yes').click();
  await expect(bruno.page).toHaveURL(/\/$/);
  await expect(bruno.page.getByTestId('group-link')).toHaveCount(0);
  await expect(member(ana, 'Bruno')).toHaveCount(0);
  const end = await settings(ana);
  await end.getByTestId('delete-group').click();
  await expect(end.getByTestId('question-yes')).toBeDisabled();
  await end.getByTestId('type-name').fill('patagonia');
  await expect(end.getByTestId('question-yes')).toBeDisabled();
  await end.getByTestId('type-name').fill('Patagonia');
  await end.getByTestId('question-yes').click();
  await expect(ana.page).toHaveURL(/\/$/);
  await expect(ana.page.getByTestId('group-link')).toHaveCount(0);
});
