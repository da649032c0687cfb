// A page's socket in the hands of the test: cut, robbed of a frame, or held up. Everything else of the page, its network
// and the server is real.

import { type Page, type WebSocketRoute } from '@playwright/test';

/** A frame of the protocol. */
export interface Frame {
  type: string;
  data: Record<string, unknown>;
  ref?: string;
}

/** What becomes of a frame. A frame in place of a word goes back to whoever spoke, as if the other side had said it. */
export type Verdict = 'pass' | 'drop' | 'hold' | object;

/** Looks at a frame on its way and decides. */
export type Judge = (frame: Frame) => Verdict;

/** The close code of a server that failed: the page tries again by itself. */
const FAILED = 1011;

const letPass: Judge = () => 'pass';

export class Wire {
  /** Decides about what the page says. */
  toServer: Judge = letPass;
  /** Decides about what the server says. */
  toPage: Judge = letPass;
  /** All that the page and the server have said, in the order in which it came by, whatever became of it. */
  readonly log: { by: 'page' | 'server'; frame: Frame }[] = [];
  readonly #page: Page;
  readonly #ends = new Set<WebSocketRoute>();
  #held: (() => void)[] = [];
  #isCut = false;

  private constructor(page: Page) {
    this.#page = page;
  }

  /** The wire of a page, from the page's next load on. */
  static async of(page: Page): Promise<Wire> {
    const wire = new Wire(page);
    await page.routeWebSocket(/\/ws$/, (end) => wire.#connect(end));
    return wire;
  }

  /** What the page has said of this type. */
  said(type: string): Frame[] {
    return this.log.filter(({ by, frame }) => by === 'page' && frame.type === type).map(({ frame }) => frame);
  }

  /** Breaks the socket, and every further one until the wire is mended. */
  async cut(): Promise<void> {
    this.#isCut = true;
    this.#held = [];
    const ends = [...this.#ends];
    this.#ends.clear();
    await Promise.all(ends.map((end) => end.close({ code: FAILED }).catch(() => {})));
  }

  /** Lets everything through again, and sockets too. */
  async mend(): Promise<void> {
    this.toServer = letPass;
    this.toPage = letPass;
    await this.restore();
  }

  /** Lets sockets through again, under the same judges. The page hears that there is a network, and does not wait for its
   * next attempt. */
  async restore(): Promise<void> {
    this.#isCut = false;
    await this.#page.evaluate(() => window.dispatchEvent(new Event('online')));
  }

  /** Lets through what was held, in order, and everything after it. */
  release(): void {
    this.toServer = letPass;
    this.toPage = letPass;
    for (const pass of this.#held.splice(0)) pass();
  }

  #connect(page: WebSocketRoute): void {
    if (this.#isCut) {
      void page.close({ code: FAILED });
      return;
    }
    const server = page.connectToServer();
    this.#ends.add(page).add(server);
    const carry = (by: 'page' | 'server', from: WebSocketRoute, to: WebSocketRoute, judge: () => Judge) =>
      from.onMessage((text) => {
        const frame = JSON.parse(text.toString()) as Frame;
        this.log.push({ by, frame });
        const pass = () => to.send(text);
        const verdict = judge()(frame);
        if (verdict === 'pass') pass();
        else if (verdict === 'hold') this.#held.push(pass);
        else if (typeof verdict === 'object') from.send(JSON.stringify(verdict));
      });
    carry('page', page, server, () => this.toServer);
    carry('server', server, page, () => this.toPage);
  }
}
