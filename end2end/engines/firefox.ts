// Firefox ESR, by WebDriver BiDi, which it speaks without a driver. Each person has a process of their own: a second
// window of one process is in the background, and its timers are slow.

import { existsSync } from 'node:fs';
import { type Browser, type Page, launch } from 'puppeteer-core';
import { type Engine, FAULT, type Key, LANGUAGES, type Size, type Tab, TIME_ZONE } from './tab.ts';

/** How long an action of the browser may take. */
const PATIENCE_MS = 30_000;

/** Firefox calls it an error of the page that a server does not answer, or that the page is left while it loads. */
const NO_FAULT = /establish a connection|was interrupted|AbortError|loading dynamically imported/;

export class Firefox implements Engine {
  readonly #browsers: Browser[] = [];

  async open(viewport: Size): Promise<Tab> {
    const executablePath = process.env.FIREFOX_PATH ?? '/usr/bin/firefox-esr';
    if (!existsSync(executablePath)) throw new Error(`no Firefox at ${executablePath}; run \`cargo xtask setup\``);
    const browser = await launch({
      browser: 'firefox',
      executablePath,
      headless: true,
      defaultViewport: viewport,
      protocolTimeout: PATIENCE_MS,
      env: { ...process.env, TZ: TIME_ZONE, MOZ_DISABLE_CONTENT_SANDBOX: process.getuid?.() === 0 ? '1' : '0' },
      extraPrefsFirefox: { 'intl.accept_languages': LANGUAGES.join(',') },
    });
    this.#browsers.push(browser);
    const page = (await browser.pages())[0] ?? (await browser.newPage());
    await page.setViewport(viewport);
    return new FirefoxTab(page);
  }

  async close(): Promise<void> {
    await Promise.all(this.#browsers.map((browser) => browser.close()));
  }
}

class FirefoxTab implements Tab {
  readonly problems: string[] = [];
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    page.on('pageerror', (error) => {
      if (!NO_FAULT.test(String(error))) this.problems.push(String(error));
    });
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
    return (await this.#page.evaluate(act as (argument: unknown) => R | Promise<R>, argument)) as R;
  }

  async click(selector: string): Promise<void> {
    await this.#page.click(selector);
  }

  async type(text: string): Promise<void> {
    await this.#page.keyboard.type(text);
  }

  async press(key: Key): Promise<void> {
    if (key === 'Shift+Enter') {
      await this.#page.keyboard.down('Shift');
      await this.#page.keyboard.press('Enter');
      await this.#page.keyboard.up('Shift');
    } else {
      await this.#page.keyboard.press(key);
    }
  }

  async wheel(selector: string, pixels: number): Promise<void> {
    await this.#page.hover(selector);
    await this.#page.mouse.wheel({ deltaY: pixels });
  }

  async screenshot(): Promise<Uint8Array> {
    return this.#page.screenshot();
  }

  async close(): Promise<void> {
    await this.#page.browser().close();
  }
}
