// Simulates a browser that translates the page: it replaces text nodes with its own elements, as Chromium does, and
// also translates later changes. Only elements that are marked otherwise stay as they are.

import type { Page } from '@playwright/test';

/** The prefix of every translated text. */
export const MARK = '⟦';

/** Translates the page that is shown, once. */
export async function translate(page: Page): Promise<void> {
  await page.evaluate((mark) => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found: Text[] = [];
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) found.push(node as Text);
    for (const text of found) {
      const kept = text.parentElement?.closest('script, style, textarea, font, [translate="no"]') ?? null;
      if (kept !== null || text.data.trim() === '') continue;
      const [outer, inner] = [document.createElement('font'), document.createElement('font')];
      inner.textContent = `${mark}${text.data}⟧`;
      outer.append(inner);
      text.replaceWith(outer);
    }
  }, MARK);
}

/** Collects texts that are written to text nodes which are no longer on the page: no reader will see them. */
export async function watchLostWords(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const lost: string[] = [];
    Object.assign(window, { lostWords: lost });
    // Nodes of a view that is being created are not on the page yet. The nodes of a removed view leave the page
    // together.
    const wasShown = new WeakSet<Node>();
    new MutationObserver((changes) => {
      for (const change of changes) for (const node of Array.from(change.removedNodes)) if (node instanceof Text) wasShown.add(node);
    }).observe(document, { childList: true, subtree: true });
    for (const [prototype, name] of [
      [Node.prototype, 'nodeValue'],
      [Node.prototype, 'textContent'],
      [CharacterData.prototype, 'data'],
    ] as const) {
      const property = Object.getOwnPropertyDescriptor(prototype, name);
      if (property?.set === undefined) throw new Error(`no ${name}`);
      const set = property.set;
      Object.defineProperty(prototype, name, {
        ...property,
        set(this: Node, value: string) {
          if (this instanceof Text && !this.isConnected && wasShown.has(this)) lost.push(`${this.data} → ${value}`);
          set.call(this, value);
        },
      });
    }
  });
}

/** What {@link watchLostWords} has collected. */
export function lostWords(page: Page): Promise<string[]> {
  return page.evaluate(() => (window as unknown as { lostWords: string[] }).lostWords);
}
