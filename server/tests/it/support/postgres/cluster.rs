//! A PostgreSQL server that lives as long as its owner.
//!
//! It ends with this process, however the process ends: a shell holds the other end of a pipe. When the pipe breaks,
//! the shell stops the server by its process id and removes the folder. The data need not survive a crash of the
//! machine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

/// Where distributions install the programs that are not on the search path, newest first.
const FOLDERS: [&str; 4] = [
    "/usr/lib/postgresql/18/bin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
];

/// As on a production server, except for settings that matter only when the machine crashes.
const CONFIGURATION: &str = "
listen_addresses = '127.0.0.1'
max_connections = 250
fsync = off
full_page_writes = off
synchronous_commit = on
wal_level = logical
max_replication_slots = 20
max_wal_senders = 20
shared_buffers = 64MB
timezone = 'UTC'
";

/// The shell that watches the server. `$1`: the folder of the programs, `$2`: the server's folder, `$3`: the
/// configuration.
const KEEPER: &str = r#"
trap '' INT HUP TERM
cd "$2" && umask 077
"$1/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync >log 2>&1 &&
printf '%s' "$3" >>data/postgresql.conf &&
"$1/pg_ctl" --pgdata=data --log=log --wait start >>log 2>&1 </dev/null && echo up &&
cat >/dev/null
"$1/pg_ctl" --pgdata=data --mode=immediate --wait stop >>log 2>&1
cd / && rm -rf "$2"
"#;

/// How many ports are tried, because another program may take a free port first.
const ATTEMPTS: u32 = 3;

/// A PostgreSQL server of this process.
pub(crate) struct Cluster {
    programs: PathBuf,
    owner: Option<Owner>,
    port: u16,
    folder: PathBuf,
    keeper: Child,
    /// The server ends when this is dropped.
    pipe: Option<ChildStdin>,
}

/// The user that the server runs as, because PostgreSQL refuses root.
#[derive(Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
}

impl Cluster {
    /// Starts a server with an empty cluster. Blocks for about two seconds.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// Like [`Self::start`], with more lines of configuration.
    pub(crate) fn start_with(configuration: &str) -> Self {
        let programs = programs();
        let mut log = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(&programs, configuration) {
                Ok(cluster) => return cluster,
                Err(said) => log = said,
            }
        }
        panic!("PostgreSQL does not start; it said: {log}")
    }

    fn try_start(programs: &Path, configuration: &str) -> Result<Self, String> {
        let owner = owner();
        let folder = tempfile::Builder::new().prefix("caravana-postgres-").tempdir().unwrap().keep();
        if let Some(owner) = owner {
            std::os::unix::fs::chown(&folder, Some(owner.user), Some(owner.group)).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let socket = folder.display();
        let configuration =
            format!("{CONFIGURATION}port = {port}\nunix_socket_directories = '{socket}'\n{configuration}\n");
        let mut command = as_owner(Command::new("/bin/sh"), owner);
        command
            .args(["-c", KEEPER, "keeper"])
            .arg(programs)
            .arg(&folder)
            .arg(configuration)
            // Ctrl+C in the terminal must reach only the tests. The shell ends after them.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut keeper = command.spawn().expect("there is no shell");
        let mut said = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let pipe = keeper.stdin.take();
        let mut cluster = Self { programs: programs.to_owned(), owner, port, folder, keeper, pipe };
        if said.trim() == "up" {
            return Ok(cluster);
        }
        cluster.pipe = None;
        Err("its log went with its folder; run initdb and pg_ctl by hand".to_owned())
    }

    /// How to connect as superuser to the database `postgres`.
    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username("postgres")
            .database("postgres")
            .ssl_mode(sqlx::postgres::PgSslMode::Disable)
            // On a busy machine sqlx would warn of the tests' own statements, with the addresses of people in them.
            .disable_statement_logging()
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Makes it a standby: after its next start it recovers until it is promoted. Call it only while the server is
    /// stopped.
    pub(crate) fn becomes_standby(&self) {
        let signal = self.folder.join("data/standby.signal");
        let made = as_owner(Command::new("touch"), self.owner).arg(signal).status().unwrap();
        assert!(made.success(), "standby.signal can't be made");
    }

    /// Writes a file into the data folder that only its owner can read.
    pub(crate) fn keeps(&self, name: &str, content: &str) {
        let mut writing = as_owner(Command::new("/bin/sh"), self.owner)
            .args(["-c", "umask 077 && cat >\"$1\"", "sh"])
            .arg(self.folder.join("data").join(name))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writing.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
        assert!(writing.wait().unwrap().success(), "{name} can't be written");
    }

    /// Calls `pg_ctl`, for example with `["--mode=immediate", "restart"]`, and waits until it is done.
    pub(crate) fn pg_ctl(&self, arguments: &[&str]) {
        let done = as_owner(Command::new(self.programs.join("pg_ctl")), self.owner)
            .arg(format!("--pgdata={}", self.folder.join("data").display()))
            .arg(format!("--log={}", self.folder.join("log").display()))
            .arg("--wait")
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "pg_ctl {arguments:?} ended with {done}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.pipe = None;
        let _ = self.keeper.wait();
    }
}

/// The folder of the PostgreSQL programs. Fails the test if there is none.
pub(crate) fn programs() -> PathBuf {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    FOLDERS
        .iter()
        .map(PathBuf::from)
        .chain(std::env::split_paths(&on_path))
        .find(|folder| folder.join("initdb").is_file())
        .expect(
            "there is no PostgreSQL on this machine; `cargo xtask setup` installs it, or TEST_DATABASE_URL names one",
        )
}

/// The system's user for PostgreSQL. `None` if this process is not root.
fn owner() -> Option<Owner> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let answer = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
        String::from_utf8(answer.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let (user, group) = (id(&["-u", "postgres"]), id(&["-g", "postgres"]));
    Some(user.zip(group).map(|(user, group)| Owner { user, group }).expect("root needs the system's user `postgres`"))
}

fn as_owner(mut command: Command, owner: Option<Owner>) -> Command {
    if let Some(owner) = owner {
        command.uid(owner.user).gid(owner.group);
    }
    command
}
