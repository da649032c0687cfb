// A client that implements only the guide of the system that Caravana replaces, plus a bearer header.

import { WebSocket } from 'ws';

interface Frame {
  type: string;
  data: Record<string, unknown>;
}

export class SeedClient {
  readonly #socket: WebSocket;
  readonly #user: string;
  readonly #heard: Frame[] = [];
  #wake: () => void = () => {};

  private constructor(socket: WebSocket, user: string) {
    this.#socket = socket;
    this.#user = user;
    socket.on('message', (text) => {
      this.#heard.push(JSON.parse(text.toString()) as Frame);
      this.#wake();
    });
  }

  static async connect(url: string, user: string, token: string): Promise<SeedClient> {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    const client = new SeedClient(socket, user);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return client;
  }

  say(type: string, data: Record<string, unknown> = {}): void {
    this.#socket.send(JSON.stringify({ type, data: { user_id: this.#user, ...data } }));
  }

  /** The data of the next frame of this type. Earlier frames are skipped, like in the guide's client. */
  async hears(type: string): Promise<Record<string, unknown>> {
    const deadline = AbortSignal.timeout(10_000);
    for (;;) {
      const frame = this.#heard.shift();
      if (frame?.type === type) return frame.data;
      if (frame !== undefined) continue;
      deadline.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  close(): void {
    this.#socket.close();
  }
}
