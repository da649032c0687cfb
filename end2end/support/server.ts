// The real server as a separate process, with its own port, folder and database (a file, or with TEST_STORE=postgres a
// database in the PostgreSQL that `postgres.ts` starts).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { serverBinary, siteRoot } from './build.ts';
import { freePort } from './ports.ts';
import { type TestDatabase, newDatabase } from './postgres.ts';

/** How long a start may take; it migrates an empty database. */
const START_MS = 20_000;
/** How long a drain may take before the server counts as stuck. */
const STOP_MS = 20_000;
/** How often a starting server is asked whether it is ready. */
const POLL_MS = 25;
/**
 * What no line of a log may hold (RELIABILITY §5.12): an e-mail address or the password of the tests' people, a token (they
 * begin like this), a secret of ours (43 characters of base64url).
 */
const SECRETS = /@example\.test|una-contraseña|\beyJ|(?<![\w-])[\w-]{43}(?![\w-])/;
/** How much of the log is kept for the report of a failed test. */
const LOG_LINES = 300;

export class ChatServer {
  /** The server's address; it stays the same through all restarts. */
  readonly url: string;
  readonly #port: number;
  readonly #folder: string;
  readonly #flags: readonly string[];
  readonly #log: string[] = [];
  readonly #leaks: string[] = [];
  readonly #database: TestDatabase | undefined;
  #process: ChildProcess | undefined;

  private constructor(
    port: number,
    folder: string,
    database: TestDatabase | undefined,
    flags: readonly string[],
  ) {
    this.#port = port;
    this.#database = database;
    this.#folder = folder;
    this.#flags = flags;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts a server with an empty database and waits until it is ready. */
  static async start(flags: readonly string[] = []): Promise<ChatServer> {
    const folder = await mkdtemp(join(tmpdir(), 'caravana-e2e-'));
    const server = new ChatServer(await freePort(), folder, await newDatabase(), flags);
    await server.up();
    return server;
  }

  /** The file of the database, for a test that writes to it as another program does; only on SQLite. */
  get file(): string {
    return join(this.#folder, 'chat.db');
  }

  /** Starts the process on the same port and the same database, and waits until it can serve. */
  async up(): Promise<void> {
    const process = spawn(serverBinary(), [...this.#flags], {
      // Outside of the repository, because the repository's `.env` is the developer's and must not affect the test.
      cwd: this.#folder,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = process;
    process.stdout.on('data', (text) => this.#record(text));
    process.stderr.on('data', (text) => this.#record(text));
    process.on('error', (error) => this.#record(String(error)));
    const deadline = Date.now() + START_MS;
    while (!(await this.#isReady())) {
      if (process.exitCode !== null || process.pid === undefined) throw new Error(`the server ended:\n${this.log}`);
      if (Date.now() > deadline) throw new Error(`the server was not ready in ${START_MS} ms:\n${this.log}`);
      await pause(POLL_MS);
    }
  }

  /** Ends the process at once, as a power cut would. */
  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process === undefined || process.exitCode !== null || process.pid === undefined) return;
    const exit = once(process, 'exit');
    process.kill('SIGKILL');
    await exit;
  }

  /** Asks the process to end and waits for its drain. A process that does not end is killed, and that is an error. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (process === undefined || process.exitCode !== null || process.pid === undefined) return;
    const exit = once(process, 'exit');
    process.kill('SIGTERM');
    const patience = new AbortController();
    const late = pause(STOP_MS, 'late' as const, { signal: patience.signal }).catch(() => 'ended' as const);
    const outcome = await Promise.race([exit, late]);
    patience.abort();
    if (outcome === 'late') {
      await this.kill();
      throw new Error(`the server did not end within ${STOP_MS} ms of SIGTERM:\n${this.log}`);
    }
    this.#process = undefined;
  }

  /** Kills the process and starts it again: what was acknowledged must be there. */
  async restart(): Promise<void> {
    await this.kill();
    await this.up();
  }

  /** Ends the process and removes its files. A log line that contains a secret is an error. */
  async dispose(): Promise<void> {
    try {
      await this.stop();
    } finally {
      await this.#database?.dispose();
      await rm(this.#folder, { recursive: true, force: true });
    }
    if (this.#leaks.length > 0) throw new Error(`secrets in the log:\n${this.#leaks.join('\n')}`);
  }

  /** The last lines that the process printed. */
  get log(): string {
    return this.#log.join('\n');
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
    } catch {
      return false;
    }
  }

  #record(text: Buffer | string): void {
    const lines = String(text).trimEnd().split('\n');
    this.#leaks.push(...lines.filter((line) => SECRETS.test(line)));
    this.#log.push(...lines);
    this.#log.splice(0, Math.max(0, this.#log.length - LOG_LINES));
  }

  /** Only the variables that the server needs, so that a developer's own settings never affect a test. */
  #environment(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      DATABASE_URL: this.#database?.url ?? `sqlite://${this.file}`,
      LEPTOS_SITE_ADDR: `127.0.0.1:${this.#port}`,
      LEPTOS_SITE_ROOT: siteRoot(),
      RUST_LOG: 'info,caravana_server=trace',
      // All tests share one address and reconnect often.
      HANDSHAKES_PER_SECOND: '1000',
    };
  }
}
