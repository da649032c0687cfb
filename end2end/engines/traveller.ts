// A person of the journey: what they do and see, in any engine.

import { randomUUID } from 'node:crypto';
import { expect } from '@playwright/test';
import type { Tab } from './tab.ts';
import { PASSWORD } from '../support/person.ts';

/** How long a result may take, unless a wait between two attempts to connect is part of it. */
const SOON = { timeout: 15_000, intervals: [50] };
export const AFTER_OUTAGE = { timeout: 45_000, intervals: [100] };

/** What one element shows. */
export interface Seen {
  text: string;
  value: string;
  state: string | null;
  top: number;
  bottom: number;
  /** Whether it can be seen, at least in part. */
  inView: boolean;
}

export const COMPOSER = '[data-testid="composer"]';
export const TYPING = '[data-testid="typing"]';
export const SCROLLER = '.scroller';
const MESSAGE = '[data-testid="message"]';

export class Traveller {
  readonly name: string;
  readonly tab: Tab;
  readonly #home: string;
  #token: string | undefined;
  readonly email = `${randomUUID()}@example.test`;

  constructor(name: string, tab: Tab, home: string) {
    this.name = name;
    this.tab = tab;
    this.#home = home;
  }

  async open(path: string): Promise<void> {
    await this.tab.goto(new URL(path, this.#home).href);
  }

  // What is on the screen.

  async all(selector: string): Promise<Seen[]> {
    return this.tab.evaluate((selector: string) => {
      return Array.from(document.querySelectorAll(selector)).map((element) => {
        const { top, bottom, left, right, height } = element.getBoundingClientRect();
        const across = left < window.innerWidth && right > 0 && top < window.innerHeight && bottom > 0;
        return {
          text: element.textContent ?? '',
          value: element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? element.value : '',
          state: element.getAttribute('data-state'),
          top,
          bottom,
          inView: across && height > 0 && element.checkVisibility({ visibilityProperty: true }),
        };
      });
    }, selector);
  }

  /** The texts of the messages in the document, from top to bottom. */
  async texts(): Promise<string[]> {
    return (await this.all(`${MESSAGE} .text`)).map(({ text }) => text);
  }

  /** What the app keeps in this browser under names that begin like this. */
  async kept(what = ''): Promise<string[]> {
    const all = await this.tab.evaluate(() => Object.entries(localStorage) as [string, string][], null);
    return all.filter(([key]) => key.startsWith(`caravana.${what}`)).map(([, value]) => value);
  }

  /** Waits until what is asked is true of the elements. */
  async until(selector: string, what: string, isTrue: (seen: Seen[]) => boolean, patience = SOON): Promise<void> {
    await expect(async () => {
      const seen = await this.all(selector);
      expect(isTrue(seen), `${this.name}: ${what}; there is ${JSON.stringify(seen.slice(-5))}`).toBe(true);
    }).toPass(patience);
  }

  async seesElement(selector: string, patience = SOON): Promise<void> {
    await this.until(selector, `${selector} is visible`, (seen) => seen.some(({ inView }) => inView), patience);
  }

  /** Sees exactly these messages, in this order. */
  async sees(texts: string[], patience = SOON): Promise<void> {
    await expect(async () => expect(await this.texts(), this.name).toEqual(texts)).toPass(patience);
  }

  /** Sees that the server has taken all own messages. */
  async seesAllSent(patience = SOON): Promise<void> {
    await this.until(MESSAGE, 'all are sent', (seen) => seen.every(({ state }) => state !== 'pending'), patience);
  }

  async isOnline(patience = SOON): Promise<void> {
    const online = ({ state }: Seen) => state === 'online' || state === 'restored';
    await this.until('[data-testid="connection"]', 'online', (seen) => seen.some(online), patience);
  }

  // What a person does.

  /** Clicks as soon as the element is there and can be clicked. */
  async click(selector: string): Promise<void> {
    await this.seesElement(selector);
    await expect(() => this.tab.click(selector)).toPass(SOON);
  }

  /** Clicks again until something is there: before the page is taken over, a button does what it does without scripts. */
  async clickUntil(selector: string, result: string): Promise<void> {
    await expect(async () => {
      await this.click(selector);
      await this.seesElement(result, { ...SOON, timeout: 2_000 });
    }).toPass(AFTER_OUTAGE);
  }

  /** Writes into a field with keys. */
  async write(selector: string, text: string): Promise<void> {
    await this.click(selector);
    await this.tab.type(text);
    await this.until(selector, `says «${text}»`, ([field]) => field?.value.endsWith(text) ?? false);
  }

  async fillInAccount(): Promise<void> {
    await this.write('[data-testid="display-name"]', this.name);
    await this.write('[data-testid="email"]', this.email);
    await this.write('[data-testid="password"]', PASSWORD);
    await this.click('[data-testid="submit"]');
  }

  async send(text: string): Promise<void> {
    await this.write(COMPOSER, text);
    await this.tab.press('Enter');
    await this.until(COMPOSER, 'is empty', ([field]) => field?.value === '');
  }

  /** Sends messages one after the other in this person's name, as a program does that runs elsewhere. */
  async post(group: string, texts: string[]): Promise<void> {
    this.#token ??= await this.tab.evaluate(async () => {
      const answer = await fetch('/api/v1/auth/token', { method: 'POST' });
      return ((await answer.json()) as { access_token: string }).access_token;
    }, null);
    for (const message of texts) {
      const answer = await fetch(new URL(`/api/v1/groups/${group}/messages`, this.#home), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
        body: JSON.stringify({ message }),
      });
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    }
  }

  async groupId(): Promise<string> {
    return this.tab.evaluate(() => location.pathname.split('/')[2] ?? '', null);
  }

  /** Waits for two painted frames. */
  async settled(): Promise<void> {
    await this.tab.evaluate(
      () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
      null,
    );
  }
}
