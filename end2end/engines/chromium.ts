// Chromium, by Playwright: shows that the journey itself is right.

import type { Browser, Page } from '@playwright/test';
import { type Engine, FAULT, type Key, LANGUAGES, type Size, type Tab, TIME_ZONE } from './tab.ts';

export class Chromium implements Engine {
  readonly #browser: Browser;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  async open(viewport: Size): Promise<Tab> {
    const context = await this.#browser.newContext({ viewport, locale: LANGUAGES[0], timezoneId: TIME_ZONE });
    return new ChromiumTab(await context.newPage());
  }

  async close(): Promise<void> {
    // The browser is Playwright's own.
  }
}

class ChromiumTab implements Tab {
  readonly problems: string[] = [];
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      if (FAULT.test(message.text())) this.problems.push(message.text());
    });
  }

  async goto(url: string): Promise<void> {
    await this.#page.goto(url).catch(() => null);
  }

  async reload(): Promise<void> {
    await this.#page.reload().catch(() => null);
  }

  async back(): Promise<void> {
    await this.#page.goBack().catch(() => null);
  }

  async evaluate<A, R>(act: (argument: A) => R | Promise<R>, argument: A): Promise<R> {
    return (await this.#page.evaluate(act as never, argument)) as R;
  }

  async click(selector: string): Promise<void> {
    await this.#page.locator(selector).first().click({ timeout: 10_000 });
  }

  async type(text: string): Promise<void> {
    await this.#page.keyboard.type(text);
  }

  async press(key: Key): Promise<void> {
    await this.#page.keyboard.press(key);
  }

  async wheel(selector: string, pixels: number): Promise<void> {
    await this.#page.locator(selector).first().hover();
    await this.#page.mouse.wheel(0, pixels);
  }

  async screenshot(): Promise<Uint8Array> {
    return this.#page.screenshot();
  }

  async close(): Promise<void> {
    await this.#page.context().close();
  }
}
