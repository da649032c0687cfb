// What the server has stored, asked by REST.

import { expect } from '@playwright/test';
import type { Person } from './person.ts';

/** As long as a page may take to come back by itself: the longest wait between two attempts, and what follows. */
const BACK = { timeout: 45_000 };

/** A stored message, as far as the tests look at it. */
export interface Stored {
  id: string;
  seq: number;
  message: string;
}

/** The messages of the group in which a person is, in their order. */
export async function history(person: Person): Promise<Stored[]> {
  const answer = await person.page.request.get(`/api/v1/groups/${person.groupId}/messages?limit=200`);
  expect(answer.ok()).toBe(true);
  return ((await answer.json()) as { messages: Stored[] }).messages;
}

/** Everybody shows exactly these messages in this order, all of them stored, and the database has nothing else. */
export async function allHave(people: Person[], texts: string[]): Promise<void> {
  for (const person of people) {
    await expect(person.texts).toHaveText(texts, BACK);
    await expect(person.pending).toHaveCount(0, BACK);
  }
  const [first] = people;
  if (first === undefined) throw new Error('nobody to ask');
  const stored = await history(first);
  expect(stored.map((message) => message.message)).toEqual(texts);
  expect(new Set(stored.map((message) => message.id)).size).toBe(texts.length);
}
