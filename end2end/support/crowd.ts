// Long conversations, written quickly by people without an open page.

import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Person } from './person.ts';
import { SeedClient } from './seed.ts';

/** Flags of a server that lets the tests write as fast as they can. */
export const NO_HASTE = ['--send-rate-per-user=20000', '--send-burst-per-user=20000', '--send-rate-per-group=20000'];

/** Messages that one author writes in a row. */
const RUN = 3;
/** Messages that a script sends before it waits for their acknowledgements. */
const RUN_OVER_SOCKET = 50;

/**
 * Sends a REST request in a person's name. If the server answers that the person is too fast, waits as long as it says.
 */
export async function post<T>(person: Person, path: string, data: object = {}): Promise<T> {
  for (;;) {
    const answer = await person.page.request.post(`/api/v1${path}`, { headers: { 'sec-fetch-site': 'same-origin' }, data });
    if (answer.ok()) return (await answer.json()) as T;
    const seconds = Number(answer.headers()['retry-after']);
    if (answer.status() !== 429 || Number.isNaN(seconds)) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
    await pause(seconds * 1_000);
  }
}

/** Sends a message in the person's open group, without using the page. */
export async function say(person: Person, text: string, group = person.groupId): Promise<void> {
  await post(person, `/groups/${group}/messages`, { message: text });
}

/** The host creates a group and adds the guest. Returns the group's id. */
export async function groupOf(host: Person, guest: Person, name: string): Promise<string> {
  const { group } = await post<{ group: { id: string } }>(host, '/groups', { name });
  const { token } = await post<{ token: string }>(host, `/groups/${group.id}/invites`);
  await post(guest, `/invites/${token}/accept`);
  return group.id;
}

/** Writes `mensaje 1` to `mensaje n`; the people take turns, a few messages each. */
export async function fill(people: Person[], messages: number): Promise<void> {
  await whileNobodyLooks(people, async (group) => {
    for (let number = 0; number < messages; number += 1) {
      const author = people[Math.floor(number / RUN) % people.length];
      if (author !== undefined) await say(author, `mensaje ${number + 1}`, group);
    }
  });
}

/**
 * All people leave their pages, messages are written in their group, and the first person comes back and has read all
 * of them.
 */
async function whileNobodyLooks(people: Person[], write: (group: string) => Promise<void>): Promise<void> {
  const [reader] = people;
  if (reader === undefined) throw new Error('nobody to write');
  const [address, group] = [reader.page.url(), reader.groupId];
  for (const person of people) await person.page.goto('about:blank');
  await write(group);
  const script = await scriptOf(reader, address);
  const { group: now } = (await (await reader.page.request.get(`/api/v1/groups/${group}`)).json()) as { group: { head: number } };
  script.say('mark_read', { seq: now.head });
  while ((await script.hears('read')).seq !== now.head);
  script.close();
  await reader.page.goto(address);
  await reader.isOnline();
}

/** The same by one author over a socket: thousands of messages in seconds. */
export async function flood(person: Person, messages: number): Promise<void> {
  const address = person.page.url();
  const script = await scriptOf(person);
  await person.page.goto('about:blank');
  for (let number = 1; number <= messages; number += 1) {
    script.say('send_message', { message: `mensaje ${number}` });
    // Sends a few at a time, like a client that waits for acknowledgements.
    if (number % RUN_OVER_SOCKET === 0 || number === messages) {
      for (let heard = (number - 1) % RUN_OVER_SOCKET; heard >= 0; heard -= 1) await script.hears('message_sent');
    }
  }
  script.close();
  await person.page.goto(address);
  await person.isOnline();
}

/** Writes to the table of messages in one transaction: file, group, how many, authors. */
const OTHER_PROGRAM = `
import sqlite3, sys
file, group, messages, *authors = sys.argv[1:]
def text(n):
    return f'mensaje {n}' + ' y lo que hay que contar del camino' * (n * 7 % 5)
with sqlite3.connect(file, timeout=30) as database:
    database.executemany(
        'insert into group_chat (user_id, group_id, message) values (?, ?, ?)',
        ((authors[n // 3 % len(authors)], group, text(n)) for n in range(1, int(messages) + 1)))
`;

/**
 * The same by any number of authors, with some texts of several lines, all at once: the messages are written into the
 * database file, as another program would do.
 */
export async function writeAll(file: string, people: Person[], messages: number): Promise<void> {
  const ids = people.map(async (person) => {
    const session = await person.page.request.get('/api/v1/session');
    return ((await session.json()) as { user: { id: string } }).user.id;
  });
  await whileNobodyLooks(people, async (group) => {
    execFileSync('python3', ['-c', OTHER_PROGRAM, file, group, String(messages), ...(await Promise.all(ids))]);
  });
}

/** A script client in the group that the person has open, in that person's name. */
export async function scriptOf(person: Person, address = person.page.url()): Promise<SeedClient> {
  const { origin, pathname } = new URL(address);
  const { user } = (await (await person.page.request.get('/api/v1/session')).json()) as { user: { id: string } };
  const { access_token: token } = await post<{ access_token: string }>(person, '/auth/token');
  const group = pathname.split('/')[2];
  return SeedClient.connect(`${origin.replace('http', 'ws')}/ws/chat/${group}`, user.id, token);
}
