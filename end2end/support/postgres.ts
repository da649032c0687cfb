// A temporary PostgreSQL for a worker's server, if TEST_STORE=postgres asks for it. It cannot outlive the tests,
// however they end: a shell waits until its standard input is closed, then stops the cluster and removes its folder.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './ports.ts';

/** Where distributions install PostgreSQL's programs outside of the search path; the newest version first. */
const FOLDERS = [18, 17, 16, 15].map((version) => `/usr/lib/postgresql/${version}/bin`);

/** `$1`: where the programs are, `$2`: the folder, `$3`: the port. */
const KEEPER = `
trap '' INT HUP TERM
cd "$2" && umask 077
"$1/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync >log 2>&1 &&
printf "listen_addresses = '127.0.0.1'\\nport = $3\\nunix_socket_directories = ''\\nfsync = off\\n" >>data/postgresql.conf &&
"$1/pg_ctl" --pgdata=data --log=log --wait start >>log 2>&1 </dev/null && echo up &&
cat >/dev/null
"$1/pg_ctl" --pgdata=data --mode=immediate --wait stop >>log 2>&1
cd / && rm -rf "$2"
`;

export interface TestDatabase {
  /** The value for `DATABASE_URL`. */
  readonly url: string;
  /** Stops the database and removes its files. */
  dispose(): Promise<void>;
}

/** A new database, or nothing if the tests run on SQLite. */
export async function newDatabase(): Promise<TestDatabase | undefined> {
  const store = process.env.TEST_STORE ?? 'sqlite';
  if (store === 'sqlite' || store === '') return undefined;
  if (store !== 'postgres') throw new Error(`TEST_STORE is sqlite or postgres, not ${store}`);
  const folder = await mkdtemp(join(tmpdir(), 'caravana-e2e-postgres-'));
  const port = await freePort();
  const owner = systemsUser();
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', programs(), folder, String(port)], {
    ...owner,
    // An interrupt from the terminal must reach only the tests; the shell ends after them.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exit = once(keeper, 'exit');
  const said = await Promise.race([once(keeper.stdout, 'data').then(([text]) => String(text)), exit.then(() => '')]);
  if (said.trim() !== 'up') throw new Error('PostgreSQL does not start; its log went with its folder');
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`,
    async dispose() {
      keeper.stdin.end();
      await exit;
    },
  };
}

function programs(): string {
  const onPath = (process.env.PATH ?? '').split(delimiter);
  const folder = [...FOLDERS, ...onPath].find((folder) => existsSync(join(folder, 'initdb')));
  if (folder === undefined) throw new Error('there is no PostgreSQL on this machine; `cargo xtask setup` installs it');
  return folder;
}

/** The system's PostgreSQL user, if the tests run as root, because PostgreSQL refuses to run as root. */
function systemsUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
