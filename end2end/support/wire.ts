// Controls a page's socket: the test can cut it, drop a frame or delay frames. Everything else of the page, its network
// and the server is real.

import { type Page, type WebSocketRoute } from '@playwright/test';

/** A frame of the protocol. */
export interface Frame {
  type: string;
  data: Record<string, unknown>;
  ref?: string;
}

/** A frame that goes on in place of the judged one. */
export class Instead {
  readonly frame: Frame;

  constructor(frame: Frame) {
    this.frame = frame;
  }
}

/** What happens to a frame. Any other object is a frame that goes back to the sender, as if the other side had sent it. */
export type Verdict = 'pass' | 'drop' | 'hold' | Instead | object;

/** Decides what happens to a frame. */
export type Judge = (frame: Frame) => Verdict;

/** The close code of a failed server; the page then reconnects by itself. */
const FAILED = 1011;

const letPass: Judge = () => 'pass';

export class Wire {
  /** Decides about the frames that the page sends. */
  toServer: Judge = letPass;
  /** Decides about the frames that the server sends. */
  toPage: Judge = letPass;
  /** All frames of the page and the server, in the order in which they arrived here, whatever happened to them. */
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

  /** The frames of this type that the page has sent. */
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

  /** Lets all frames through again, and accepts new sockets. */
  async mend(): Promise<void> {
    this.toServer = letPass;
    this.toPage = letPass;
    await this.restore();
  }

  /** Lets sockets through again, and tells the page nothing. */
  accept(): void {
    this.#isCut = false;
  }

  /** Lets sockets through again, under the same judges. The page hears that there is a network, and does not wait for its
   * next attempt. */
  async restore(): Promise<void> {
    this.accept();
    await this.#page.evaluate(() => window.dispatchEvent(new Event('online')));
  }

  /** Lets the held frames through, in order, and everything after them. */
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
        else if (verdict instanceof Instead) to.send(JSON.stringify(verdict.frame));
        else if (typeof verdict === 'object') from.send(JSON.stringify(verdict));
      });
    carry('page', page, server, () => this.toServer);
    carry('server', server, page, () => this.toPage);
  }
}
