// The stored messages of the server, read by REST.

import { expect } from '@playwright/test';
import type { Person } from './person.ts';

/** The time that a page may take to reconnect by itself: the longest wait between two attempts, and what follows. */
const BACK = { timeout: 45_000 };

/** The part of a stored message that the tests use. */
export interface Stored {
  id: string;
  seq: number;
  message: string;
  mentions?: string[];
}

/** The messages of the person's open group, in their order. */
export async function history(person: Person): Promise<Stored[]> {
  const answer = await person.page.request.get(`/api/v1/groups/${person.groupId}/messages?limit=200`);
  expect(answer.ok()).toBe(true);
  return ((await answer.json()) as { messages: Stored[] }).messages;
}

/**
 * Every person's page shows exactly these messages in this order, all of them stored, and the server has no others.
 */
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
