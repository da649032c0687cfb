// What a page's loads cost: each request with the bytes that came over the wire.

import type { Page } from '@playwright/test';

/** One request of a page. */
export interface Asked {
  /** Path and query. */
  path: string;
  status: number;
  /** Taken from the browser's own cache, without a request to the server. */
  cached: boolean;
  /** Bytes over the wire, headers included. */
  bytes: number;
  encoding: string;
  kind: string;
}

/** Records all requests of a page by http from now on. Sockets are not requests. */
export class Traffic {
  readonly #asked = new Map<string, Asked>();

  static async of(page: Page): Promise<Traffic> {
    const traffic = new Traffic();
    const devtools = await page.context().newCDPSession(page);
    devtools.on('Network.requestWillBeSent', ({ requestId, request, type }) => {
      const { pathname, search, protocol } = new URL(request.url);
      if (!protocol.startsWith('http')) return;
      const path = pathname + search;
      traffic.#asked.set(requestId, { path, status: 0, cached: false, bytes: 0, encoding: '', kind: type ?? '' });
    });
    devtools.on('Network.requestServedFromCache', ({ requestId }) => traffic.#note(requestId, { cached: true }));
    devtools.on('Network.responseReceived', ({ requestId, response }) => {
      const encoding = response.headers['content-encoding'] ?? '';
      traffic.#note(requestId, { status: response.status, encoding });
      if (response.fromDiskCache === true || response.fromPrefetchCache === true) traffic.#note(requestId, { cached: true });
    });
    devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => traffic.#note(requestId, { bytes: encodedDataLength }));
    await devtools.send('Network.enable');
    return traffic;
  }

  #note(id: string, what: Partial<Asked>): void {
    const asked = this.#asked.get(id);
    if (asked !== undefined) Object.assign(asked, what);
  }

  /** Everything that was asked for since the last call. */
  take(): Asked[] {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    return asked;
  }
}

/** As a table, for a person who reads the result of a test. */
export function table(asked: Asked[]): string {
  const rows = asked.map(({ path, status, cached, bytes, encoding }) => `${String(bytes).padStart(9)} ${status} ${(cached ? 'cached' : encoding).padEnd(6)} ${path}`);
  const sum = asked.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...rows, `${String(sum).padStart(9)} in all`].join('\n');
}
