// WebKitGTK, by WebDriver over HTTP. A driver has one session, so each person has one of their own; the windows are on a
// screen that nobody sees.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../support/ports.ts';
import { type Engine, FAULT, type Key, LANGUAGES, type Size, type Tab, TIME_ZONE } from './tab.ts';

/** How long a driver or a screen may take to start. */
const START_MS = 20_000;
/** How long one command may take. */
const PATIENCE_MS = 30_000;
const POLL_MS = 25;

/** The key under which WebDriver names an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
const KEYS: Record<Key, string> = { Enter: '\uE007', 'Shift+Enter': '\uE008\uE007\uE000', Escape: '\uE00C' };

export class WebKit implements Engine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'caravana-webkit-'));
  readonly #processes: ChildProcess[] = [];
  #display: Promise<string> | undefined;

  async open(size: Size): Promise<Tab> {
    this.#display ??= this.#screen();
    const port = await freePort();
    const reports = join(this.#folder, `${port}.reports`);
    const driver = this.#start('WebKitWebDriver', [`--port=${port}`, '--host=127.0.0.1'], {
      DISPLAY: await this.#display,
      GDK_BACKEND: 'x11',
      LANG: 'C.UTF-8',
      TZ: TIME_ZONE,
      // The screen has no graphics card.
      LIBGL_ALWAYS_SOFTWARE: '1',
      WEBKIT_DISABLE_DMABUF_RENDERER: '1',
      XDG_DATA_HOME: this.#folder,
      XDG_CACHE_HOME: this.#folder,
    });
    const wire = new Wire(`http://127.0.0.1:${port}`);
    await wire.isUp(driver);
    const binary = '/usr/bin/python3';
    const args = [join(import.meta.dirname, 'webkit_window.py'), String(size.width), String(size.height), reports, ...LANGUAGES];
    await wire.begin({ 'webkitgtk:browserOptions': { binary, args } });
    return new WebKitTab(wire, reports);
  }

  async close(): Promise<void> {
    for (const process of this.#processes.reverse()) {
      if (process.exitCode !== null || process.pid === undefined) continue;
      const exit = once(process, 'exit');
      process.kill('SIGTERM');
      await exit;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Starts a screen and gives its name. */
  async #screen(): Promise<string> {
    const server = this.#start('Xvfb', ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], {});
    const [number] = (await once(server.stdio[3] as Readable, 'data', { signal: AbortSignal.timeout(START_MS) })) as [Buffer];
    return `:${number.toString().trim()}`;
  }

  #start(program: string, args: string[], environment: Record<string, string>): ChildProcess {
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    child.on('error', (error) => {
      throw new Error(`${program} did not start (${error.message}); run \`cargo xtask setup\``);
    });
    // A worker that has to be ended leaves nothing behind.
    process.once('exit', () => child.kill());
    this.#processes.push(child);
    return child;
  }
}

/** WebDriver's commands in one session. */
class Wire {
  readonly #driver: string;
  #session = '';

  constructor(driver: string) {
    this.#driver = driver;
  }

  async isUp(process: ChildProcess): Promise<void> {
    const deadline = Date.now() + START_MS;
    while (!(await fetch(`${this.#driver}/status`).then(({ ok }) => ok, () => false))) {
      if (process.exitCode !== null || Date.now() > deadline) throw new Error('WebKitWebDriver did not start');
      await pause(POLL_MS);
    }
  }

  async begin(alwaysMatch: object): Promise<void> {
    const { sessionId } = await this.#ask<{ sessionId: string }>('POST', '/session', { capabilities: { alwaysMatch } });
    this.#session = `/session/${sessionId}`;
  }

  async delete(command = ''): Promise<void> {
    await this.#ask('DELETE', this.#session + command);
  }

  async post<T>(command: string, body: object = {}): Promise<T> {
    return this.#ask<T>('POST', this.#session + command, body);
  }

  async get<T>(command: string): Promise<T> {
    return this.#ask<T>('GET', this.#session + command);
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(this.#driver + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const { value } = (await answer.json()) as { value: T & { error?: string; message?: string } };
    if (!answer.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  }
}

class WebKitTab implements Tab {
  readonly #wire: Wire;
  readonly #reports: string;

  constructor(wire: Wire, reports: string) {
    this.#wire = wire;
    this.#reports = reports;
  }

  get problems(): string[] {
    return readFileSync(this.#reports, 'utf8').split('\n').filter((line) => FAULT.test(line));
  }

  async goto(url: string): Promise<void> {
    await this.#wire.post('/url', { url }).catch(() => null);
  }

  async reload(): Promise<void> {
    await this.#wire.post('/refresh').catch(() => null);
  }

  async back(): Promise<void> {
    await this.#wire.post('/back').catch(() => null);
  }

  async evaluate<A, R>(act: (argument: A) => R | Promise<R>, argument: A): Promise<R> {
    const script = `const done = arguments[1];
      Promise.resolve().then(() => (${act})(arguments[0])).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const { value, error } = await this.#wire.post<{ value: R; error?: string }>('/execute/async', { script, args: [argument] });
    if (error !== undefined) throw new Error(error);
    return value;
  }

  async click(selector: string): Promise<void> {
    await this.#wire.post(`/element/${await this.#find(selector)}/click`);
  }

  async type(text: string): Promise<void> {
    const active = await this.#wire.get<Record<string, string>>('/element/active');
    await this.#wire.post(`/element/${active[ELEMENT]}/value`, { text });
  }

  async press(key: Key): Promise<void> {
    await this.type(KEYS[key]);
  }

  async wheel(selector: string, pixels: number): Promise<void> {
    const origin = { [ELEMENT]: await this.#find(selector) };
    const actions = [{ type: 'scroll', x: 0, y: 0, deltaX: 0, deltaY: pixels, origin }];
    await this.#wire.post('/actions', { actions: [{ type: 'wheel', id: 'wheel', actions }] });
    // The driver does nothing at a second turn that equals the first one, unless it has forgotten that one.
    await this.#wire.delete('/actions');
  }

  async screenshot(): Promise<Uint8Array> {
    return Buffer.from(await this.#wire.get<string>('/screenshot'), 'base64');
  }

  async close(): Promise<void> {
    await this.#wire.delete();
  }

  async #find(selector: string): Promise<string> {
    const found = await this.#wire.post<Record<string, string>>('/element', { using: 'css selector', value: selector });
    return found[ELEMENT] ?? '';
  }
}
