// A corpus of hostile texts and names (support/hostile.json), tested in the rendered page and in the hydrated page.
// server/tests/it/hostile.rs checks the HTML itself; these tests check what a browser makes of it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type APIRequestContext, type Page, expect } from '@playwright/test';
import { history } from '../support/history.ts';
import { type Person, together } from '../support/person.ts';
import { test } from '../support/test.ts';

interface Hostile {
  what: string;
  /** The text, or pieces with the number of repetitions of each. */
  text: string | [string, number][];
}

const corpus = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'support', 'hostile.json'), 'utf8')) as {
  messages: Hostile[];
  names: Hostile[];
};
// The defaults allow ten messages at once and two per second; this test is not about limits.
test.use({ serverFlags: ['--send-rate-per-user=1000', '--send-burst-per-user=1000', '--send-rate-per-group=1000'] });

const REL = 'noopener noreferrer nofollow ugc';
/** A phone. */
const NARROW = { width: 390, height: 844 };
const WIDE = { width: 1280, height: 800 };

function textOf({ text }: Hostile): string {
  return typeof text === 'string' ? text : text.map(([piece, times]) => piece.repeat(times)).join('');
}

/** Collects everything that a page should never do. */
async function guard(page: Page): Promise<string[]> {
  const problems: string[] = [];
  page.on('dialog', (dialog) => {
    problems.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`the console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!/^(blob:)?http:\/\/127\.0\.0\.1:/.test(request.url())) problems.push(`a request: ${request.url()}`);
  });
  page.on('popup', () => problems.push('a new window'));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`the policy forbids ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return problems;
}

/** Checks that no written text has become markup. */
async function isText(page: Page): Promise<void> {
  const found = await page.evaluate(() => {
    const texts = Array.from(document.querySelectorAll('[data-testid="message"] .text'));
    const elements = texts.flatMap((text) => Array.from(text.querySelectorAll('*')));
    const handlers = Array.from(document.querySelectorAll('*')).filter((element) =>
      element.getAttributeNames().some((name) => name.startsWith('on') || name === 'srcdoc'),
    );
    return {
      pwned: 'pwned' in window || document.getElementById('pwned') !== null,
      elements: elements
        .filter((element) => element.tagName !== 'A')
        .filter((element) => !['STRONG', 'EM', 'S', 'CODE', 'PRE', 'BLOCKQUOTE', 'UL', 'LI', 'SPAN'].includes(element.tagName)
          || element.getAttributeNames().some((name) => !['class', 'translate', 'aria-hidden'].includes(name)))
        .map((element) => element.outerHTML),
      handlers: handlers.map((element) => element.outerHTML),
      strangers: document.querySelectorAll('iframe, object, embed, img, base, meta[http-equiv]').length,
      links: Array.from(document.querySelectorAll('[data-testid="message"] a')).map((link) => ({
        href: link.getAttribute('href') ?? '',
        rel: link.getAttribute('rel'),
        protocol: (link as HTMLAnchorElement).protocol,
        user: (link as HTMLAnchorElement).username,
      })),
    };
  });
  expect(found).toMatchObject({ pwned: false, elements: [], handlers: [], strangers: 0 });
  expect(found.links.length).toBeGreaterThan(0);
  for (const link of found.links) {
    // A telephone number opens no page.
    expect(link.rel).toBe(link.protocol === 'tel:' ? null : REL);
    expect(['http:', 'https:', 'mailto:', 'tel:'], link.href).toContain(link.protocol);
    expect(link.user, link.href).toBe('');
  }
}

/** Checks that rows do not overlap, that each is as high as its text, and that nothing is wider than the page. */
async function keepsItsShape(page: Page): Promise<void> {
  const shape = await page.evaluate(() => {
    /** The boxes of the letters; white space may extend past the end of a line. */
    const inked = (text: Element): DOMRect[] => {
      const found: DOMRect[] = [];
      const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        for (const word of (node.textContent ?? '').matchAll(/[^\s]+/g)) {
          const range = document.createRange();
          range.setStart(node, word.index);
          range.setEnd(node, word.index + word[0].length);
          found.push(...Array.from(range.getClientRects()));
        }
      }
      return found;
    };
    const rows = Array.from(document.querySelectorAll('[data-testid="message"]'));
    const boxes = rows.map((row) => row.getBoundingClientRect());
    const outside = Array.from(document.querySelectorAll('main *, nav *, aside *, header *')).filter((element) => {
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      // Content that scrolls or is clipped in its own box does not add to the page's width.
      const cut = element.closest('.visually-hidden, .author, .group-name, .group-preview, .bar-title, .member-name, .bubble');
      return style.display !== 'inline' && box.width > 0 && cut === null && box.right > innerWidth + 1;
    });
    return {
      page: document.documentElement.scrollWidth - innerWidth,
      scrollers: Array.from(document.querySelectorAll('*'))
        .filter((element) => /auto|scroll/.test(getComputedStyle(element).overflowX))
        .filter((element) => element.scrollWidth > element.clientWidth + 1)
        .map((element) => element.className),
      outside: outside.map((element) => element.outerHTML.slice(0, 200)),
      overlapping: boxes.filter((box, index) => {
        const next = boxes[index + 1];
        return next !== undefined && next.top < box.bottom - 0.5;
      }).length,
      wide: rows.filter((row) => {
        const [bubble, text] = [row.querySelector('.bubble'), row.querySelector('.text')];
        if (bubble === null || text === null) return true;
        const box = bubble.getBoundingClientRect();
        return inked(text).some((line) => line.right > box.right + 1 || line.left < box.left - 1);
      }).map((row) => row.textContent?.slice(0, 80)),
      heights: boxes.map((box) => box.height),
      // Content that is drawn outside of its line: stacked marks.
      open: rows.filter((row) => getComputedStyle(row.querySelector('.bubble') ?? row).overflowY !== 'clip').length,
    };
  });
  expect(shape).toMatchObject({ outside: [], overlapping: 0, wide: [], scrollers: [], open: 0 });
  expect(shape.page).toBeLessThanOrEqual(0);
  for (const height of shape.heights) {
    expect(height).toBeGreaterThan(10);
    // 4,000 characters in the narrowest bubble; three hundred lines.
    expect(height).toBeLessThan(14_000);
  }
}

/** A text without what marks emphasis, quotes and lists, which a page does not show, and without white space. */
function bare(text: string): string {
  return text.replace(/[*_~`>•.\-\s\d]/g, '');
}

/** The texts that a page shows, in their order. */
function shown(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    Array.from(document.querySelectorAll('[data-testid="message"] .text')).map((text) => text.textContent ?? ''),
  );
}

async function write(writer: Person, server: string, messages: Hostile[]): Promise<string[]> {
  for (const hostile of messages) {
    const sent = await send(writer.page.request, writer.groupId, server, textOf(hostile));
    expect(sent.status(), hostile.what).toBe(201);
  }
  return (await history(writer)).map((message) => message.message);
}

// As many as fit into the first page of a history.
const PART = 45;
const parts = Array.from({ length: Math.ceil(corpus.messages.length / PART) }, (_, part) =>
  corpus.messages.slice(part * PART, (part + 1) * PART),
);

for (const [part, messages] of parts.entries()) test(`hostile messages are text, before and after the page is taken over, ${part + 1}`, async ({ signUp, server, browser }) => {
  test.setTimeout(180_000);
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Barranca del Cobre');
  const problems = await guard(ana.page);
  const texts = await write(bruno, server.url, messages);
  expect(texts.length).toBe(messages.length);

  // As they arrived one by one over the socket.
  await expect(ana.messages).toHaveCount(texts.length);
  expect((await shown(ana.page)).map(bare)).toEqual(texts.map(bare));
  await isText(ana.page);

  // As the server renders them, without scripts, and after hydration.
  const address = ana.page.url();
  const storageState = await ana.page.context().storageState();
  const context = await browser.newContext({ javaScriptEnabled: false, storageState, locale: 'es-MX' });
  const plain = await context.newPage();
  const plainProblems: string[] = [];
  plain.on('request', (request) => {
    if (!request.url().startsWith(server.url)) plainProblems.push(request.url());
  });
  await plain.goto(address);
  await expect(plain.getByTestId('message')).toHaveCount(texts.length);
  const rendered = await plain.locator('[data-testid="message"] .text').allTextContents();
  expect(rendered.map(bare)).toEqual(texts.map(bare));
  expect(await plain.locator('[data-testid="message"] .text *:not(a, strong, em, s, code, pre, blockquote, ul, li, span)').count()).toBe(0);
  expect(plainProblems).toEqual([]);
  await context.close();

  for (const size of [NARROW, WIDE]) {
    await ana.page.setViewportSize(size);
    await ana.page.goto(address);
    await ana.isOnline();
    await expect(ana.messages).toHaveCount(texts.length);
    expect((await shown(ana.page)).map(bare)).toEqual(texts.map(bare));
    await isText(ana.page);
    await keepsItsShape(ana.page);
  }
  // The group list shows each of them as a preview, on one line.
  await ana.page.setViewportSize(NARROW);
  await ana.page.goto('/');
  for (const hostile of messages) {
    await write(bruno, server.url, [hostile]);
    await isBounded(ana.page);
  }
  expect(problems).toEqual([]);
});

function send(request: APIRequestContext, group: string, origin: string, message: string) {
  return request.post(`/api/v1/groups/${group}/messages`, { data: { message }, headers: { origin } });
}

/** Checks that a page without messages keeps its width, too. */
async function isBounded(page: Page): Promise<void> {
  const { extra, pwned } = await page.evaluate(() => ({
    extra: document.documentElement.scrollWidth - innerWidth,
    pwned: 'pwned' in window || document.getElementById('pwned') !== null,
  }));
  expect(pwned).toBe(false);
  expect(extra, page.url()).toBeLessThanOrEqual(0);
}

test('hostile names are names in the list, the header, the members, the title and an invite', async ({ signUp, server, playwright }) => {
  test.setTimeout(180_000);
  const ana = await signUp('Ana');
  const problems = await guard(ana.page);
  await ana.page.setViewportSize(NARROW);
  const headers = { origin: server.url };
  for (const [number, hostile] of corpus.names.entries()) {
    const name = textOf(hostile);
    const made = await ana.page.request.post('/api/v1/groups', { data: { name }, headers });
    expect(made.status(), hostile.what).toBe(201);
    const { group } = await made.json();
    const invited = await ana.page.request.post(`/api/v1/groups/${group.id}/invites`, { data: {}, headers });
    const { token } = await invited.json();
    const stranger = await playwright.request.newContext({ baseURL: server.url, extraHTTPHeaders: headers });
    const account = { email: `hostil${number}-${group.id}@example.test`, password: 'una-contraseña-larga', display_name: name };
    const registered = await stranger.post('/api/v1/auth/register', { data: account });
    expect(registered.status(), hostile.what).toBe(201);
    const { user } = await registered.json();
    expect((await stranger.post(`/api/v1/invites/${token}/accept`, { data: {} })).status()).toBe(200);
    expect((await send(stranger, group.id, server.url, 'hola')).status()).toBe(201);
    await stranger.dispose();

    await ana.page.goto(`/g/${group.id}`);
    await ana.isOnline();
    await expect(ana.page.getByRole('heading', { level: 1 })).toHaveText(group.name, { useInnerText: false });
    expect(await ana.page.title()).toContain(group.name.replace(/\s+/g, ' '));
    await expect(ana.page.locator('.author')).toHaveText(user.display_name);
    await isBounded(ana.page);
    await ana.page.goto(`/g/${group.id}/miembros`);
    const members = ana.page.getByTestId('members').locator('.member-name bdi');
    await expect.poll(async () => (await members.allTextContents()).toSorted()).toEqual(['Ana', user.display_name].toSorted());
    await isBounded(ana.page);
    await ana.page.goto(`/i/${token}`);
    await expect(ana.page.getByTestId('accept-invite')).toBeVisible();
    expect(await ana.page.title()).toContain(group.name.replace(/\s+/g, ' '));
    await isBounded(ana.page);
  }
  await ana.page.goto('/');
  await expect(ana.page.getByTestId('group-link')).toHaveCount(corpus.names.length);
  await isBounded(ana.page);
  expect(problems).toEqual([]);
});
