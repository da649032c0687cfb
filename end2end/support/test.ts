// The `test` that all files use: a server for each worker, and a separate browser for each person of a test.

import { type Browser, type BrowserContextOptions, type Page, test as base } from '@playwright/test';
import { Person } from './person.ts';
import { ChatServer } from './server.ts';

export { expect } from '@playwright/test';

/** Creates an account in a separate browser, and leaves the person on the page with the group list. */
export type SignUp = (name: string) => Promise<Person>;

/** Opens another tab of a person's browser, at the same address. */
export type OpenTab = (person: Person) => Promise<Person>;

interface EachTest {
  /**
   * Watches a page: a panic, a hydration error, an error while the document is changed (which only debug builds
   * report) or something that the page's policy forbids fails the test, whatever the test itself looks at.
   */
  watch: (page: Page) => void;
  signUp: SignUp;
  openTab: OpenTab;
}

interface EachWorker {
  /** The server's flags, in addition to its defaults. */
  serverFlags: string[];
  server: ChatServer;
}

export const test = base.extend<EachTest, EachWorker>({
  serverFlags: [[], { option: true, scope: 'worker' }],

  server: [
    async ({ serverFlags }, use) => {
      const server = await ChatServer.start(serverFlags);
      await use(server);
      await server.dispose();
    },
    { scope: 'worker' },
  ],

  baseURL: async ({ server }, use) => use(server.url),

  watch: async ({ server }, use, testInfo) => {
    const problems: string[] = [];
    const documents: Promise<string>[] = [];
    await use((page) => {
      page.on('pageerror', (error) => problems.push(`${page.url()}: ${error.message}`));
      page.on('console', (message) => {
        if (/panicked|hydrat|Content Security Policy|Non-fatal error/i.test(message.text())) problems.push(`${page.url()}: ${message.text()}`);
        // The document shows why hydration failed: the message of a release build contains only the place in the code.
        if (/hydration error occurred|hydration\.rs/i.test(message.text())) documents.push(page.content().catch(String));
      });
    });
    for (const body of await Promise.all(documents)) await testInfo.attach('document.html', { body });
    if (testInfo.status !== testInfo.expectedStatus) await testInfo.attach('server.log', { body: server.log });
    base.expect(problems, 'errors in the pages of this test').toEqual([]);
  },

  page: async ({ page, watch }, use) => {
    watch(page);
    await use(page);
  },

  signUp: async ({ browser, server, watch, contextOptions, locale, timezoneId }, use) => {
    const people: Person[] = [];
    await use(async (name) => {
      const options = { ...contextOptions, locale, timezoneId, baseURL: server.url };
      const person = new Person(name, await newPage(browser, options, watch));
      people.push(person);
      await person.signUp();
      return person;
    });
    await Promise.all(people.map((person) => person.page.context().close()));
  },

  openTab: async ({ watch }, use) => {
    await use(async (person) => {
      const page = await person.page.context().newPage();
      watch(page);
      await page.goto(person.page.url());
      return new Person(person.name, page);
    });
  },
});

async function newPage(browser: Browser, options: BrowserContextOptions, watch: (page: Page) => void): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  watch(page);
  return page;
}
