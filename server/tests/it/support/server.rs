//! Starts, stops, kills and restarts the server that one test uses.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use caravana_protocol::GroupId;
use caravana_server::settings::Settings;
use caravana_server::shutdown::Shutdown;
use caravana_server::{ServeError, serve};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::database::{Database, Foreign, Kind};
use super::server_binary;
use super::{PATIENCE, TestUser, canary};

/// The secret that signs the tests' tokens.
pub(super) const JWT_SECRET: &str = "3q2-7wFvT9x_Zk1LmN0pQr5sUu8yAbCd";

/// A token that the host's backend could have signed.
pub(crate) fn jwt(claims: &serde_json::Value) -> String {
    let key = jsonwebtoken::EncodingKey::from_secret(JWT_SECRET.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), claims, &key).unwrap()
}

/// A time in a token: `seconds` from now, in seconds since 1970.
pub(crate) fn seconds_from_now(seconds: i64) -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

/// A server on port 0 with its own database. It runs in this process, or in its own process when the test has to kill
/// it.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    running: Running,
    logged: Logged,
    // Declared after the server that uses it, because fields are dropped in this order.
    database: Database,
    folder: TempDir,
}

enum Running {
    Here { shutdown: Shutdown, task: JoinHandle<Result<(), ServeError>> },
    Process(Child),
    Nowhere,
}

/// The log of a server that runs in its own process, and the thread that reads it.
#[derive(Default)]
struct Logged {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<thread::JoinHandle<()>>,
}

/// How many lines of a process' log are kept. All lines are checked for secrets, also those that are not kept.
const LOG_LINES: usize = 50_000;

/// Configures and starts a [`TestServer`].
#[derive(Default)]
pub(crate) struct ServerBuilder {
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    file: Option<PathBuf>,
    database: Option<Database>,
    is_on_sqlite: bool,
    own_process: bool,
}

impl ServerBuilder {
    /// A command-line flag, `--name=value`. It replaces a default flag of the tests that has the same name.
    pub(crate) fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// Runs the real binary, so that it can be killed or sent signals.
    pub(crate) fn own_process(mut self) -> Self {
        self.own_process = true;
        self
    }

    /// Sets an environment variable. Only for a server in its own process.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Puts the SQLite file at this path instead of into a temporary folder.
    pub(crate) fn database_at(mut self, path: PathBuf) -> Self {
        self.file = Some(path);
        self.on_sqlite()
    }

    /// Uses a database that the test has set up.
    pub(crate) fn on(mut self, database: Database) -> Self {
        self.database = Some(database);
        self
    }

    /// Uses SQLite whatever `TEST_STORE` says, because the test is about the SQLite file.
    pub(crate) fn on_sqlite(mut self) -> Self {
        self.is_on_sqlite = true;
        self
    }

    pub(crate) async fn start(self) -> TestServer {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("site")).unwrap();
        let kind = if self.is_on_sqlite { Kind::Sqlite } else { Kind::chosen() };
        let file = self.file.unwrap_or_else(|| folder.path().join("test.db"));
        let database = match self.database {
            Some(database) => database,
            None => Database::new(kind, file).await,
        };
        let mut flags = vec![
            format!("--database-url={}", database.url()),
            format!("--site-root={}", folder.path().join("site").display()),
            format!("--jwt-secret={JWT_SECRET}"),
            // Tests run many users behind one address and send fast, so the limits are set high.
            "--handshakes-per-second=100000".into(),
            "--max-connections-per-address=10000".into(),
            "--send-rate-per-user=1000000".into(),
            "--send-burst-per-user=1000000".into(),
            "--send-rate-per-group=1000000".into(),
            "--budget-factor=1000000".into(),
        ];
        let is_overridden = |given: &String| {
            let name = given.split('=').next();
            self.flags.iter().any(|flag| flag.split('=').next() == name)
        };
        flags.retain(|flag| !is_overridden(flag));
        flags.extend(self.flags);
        let (address, environment) = (([127, 0, 0, 1], 0).into(), self.environment);
        let (running, logged) = (Running::Nowhere, Logged::default());
        let mut server = TestServer { address, flags, environment, running, logged, database, folder };
        if self.own_process {
            server.spawn_process();
        } else {
            server.spawn_here().await;
        }
        server
    }
}

impl TestServer {
    /// A server with the tests' defaults.
    pub(crate) async fn start() -> Self {
        Self::builder().start().await
    }

    /// A server in its own process that serves its metrics.
    pub(crate) async fn counting() -> Self {
        Self::builder().own_process().flag("--metrics-addr=127.0.0.1:0").start().await
    }

    pub(crate) fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// A signed-in user with a new account.
    pub(crate) async fn register(&self, name: &str) -> TestUser {
        TestUser::register(self, name).await
    }

    /// Ana and Bob, and a group that Ana created and that Bob joined by Ana's invite.
    pub(crate) async fn couple(&self) -> (TestUser, TestUser, GroupId) {
        let (ana, bob) = (self.register("Ana").await, self.register("Bob").await);
        let group = ana.create_group("Oaxaca").await;
        ana.brings(&bob, group).await;
        (ana, bob, group)
    }

    /// A user with an anonymous account of the host's backend.
    pub(crate) async fn guest(&self, name: &str) -> TestUser {
        TestUser::guest(self, name).await
    }

    /// A user who has not signed in.
    pub(crate) fn stranger(&self) -> TestUser {
        TestUser::stranger(self)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn ws_url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// The origin of the server's own pages.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The path of the database file. Only for a server with [`ServerBuilder::on_sqlite`].
    pub(crate) fn file(&self) -> PathBuf {
        let Database::Sqlite(file) = &self.database else { panic!("a test about the file says so: on_sqlite()") };
        file.clone()
    }

    /// The database that the server uses.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Whether a line that the process has logged so far contains `words`. Only for a server in its own process.
    pub(crate) fn said(&self, words: &str) -> bool {
        self.logged.lines.lock().unwrap().iter().any(|line| line.contains(words))
    }

    /// The URL of the metrics. Only for a server in its own process, with `--metrics-addr`.
    pub(crate) fn metrics_url(&self) -> String {
        let lines = self.logged.lines.lock().unwrap();
        let said = lines.iter().find_map(|line| {
            serde_json::from_str::<serde_json::Value>(line).ok()?["metrics"].as_str().map(str::to_owned)
        });
        said.expect("the process did not say where it counts")
    }

    /// The current metrics: name with labels, and value. Only for a server in its own process, with `--metrics-addr`.
    pub(crate) async fn figures(&self) -> BTreeMap<String, f64> {
        let answer = reqwest::get(self.metrics_url()).await.unwrap();
        assert_eq!(answer.status(), reqwest::StatusCode::OK);
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
        let text = answer.text().await.unwrap();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("not Prometheus' text: {line}"));
                (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
            })
            .collect()
    }

    /// The process id. Only for a server in its own process.
    pub(crate) fn pid(&self) -> u32 {
        let Running::Process(child) = &self.running else { panic!("only a process of its own has an id") };
        child.id()
    }

    /// Waits until the process ends. The caller does not end it: it exits by itself, or another program kills it.
    pub(crate) async fn wait_for_end(&mut self) -> std::process::ExitStatus {
        let Running::Process(mut child) = std::mem::replace(&mut self.running, Running::Nowhere) else {
            panic!("only a process can be waited for")
        };
        tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap()
    }

    /// Another program's connection to the same database.
    pub(crate) async fn foreign(&self) -> Foreign {
        self.database.foreign().await
    }

    /// The folder of the built site.
    pub(crate) fn site_root(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    /// Starts a planned shutdown, as an operator would, and returns at once.
    pub(crate) fn ask_to_end(&mut self) {
        match &self.running {
            Running::Here { shutdown, .. } => shutdown.trigger(),
            Running::Process(child) => {
                let ended = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
                assert!(ended.success(), "SIGTERM could not be sent");
            }
            Running::Nowhere => {}
        }
    }

    /// Starts a planned shutdown and waits until the server has ended.
    pub(crate) async fn stop(&mut self) {
        self.ask_to_end();
        match std::mem::replace(&mut self.running, Running::Nowhere) {
            Running::Here { task, .. } => {
                tokio::time::timeout(PATIENCE * 2, task).await.expect("the end takes too long").unwrap().unwrap();
            }
            Running::Process(mut child) => {
                let ended = tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
                assert!(ended.success(), "the process ended with {ended}");
            }
            Running::Nowhere => {}
        }
    }

    /// Sends SIGKILL (kill -9). Only for a server in its own process.
    pub(crate) fn kill(&mut self) {
        let Running::Process(child) = &mut self.running else { panic!("only a process can be killed") };
        child.kill().unwrap();
        child.wait().unwrap();
        self.running = Running::Nowhere;
    }

    /// Starts the server again after [`Self::stop`] or [`Self::kill`], with the same database and the same port, in
    /// this process.
    pub(crate) async fn start_again(&mut self) {
        assert!(matches!(self.running, Running::Nowhere), "the server is still running");
        self.spawn_here().await;
    }

    /// Like [`Self::start_again`], with one more flag for this start only.
    pub(crate) async fn start_again_with(&mut self, flag: &str) {
        self.flags.push(flag.to_owned());
        self.start_again().await;
        self.flags.pop();
    }

    /// Like [`Self::start_again`], in its own process.
    pub(crate) fn start_process_again(&mut self) {
        assert!(matches!(self.running, Running::Nowhere), "the server is still running");
        self.spawn_process();
    }

    /// A planned shutdown and a new start.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// The settings that the server starts with.
    pub(crate) fn settings(&self) -> Settings {
        Settings::read(std::iter::once("server".to_owned()).chain(self.flags.iter().cloned())).unwrap()
    }

    /// The log of a server in its own process. Only after the process has ended: then the whole log has been read.
    pub(crate) fn log(&mut self) -> Vec<String> {
        assert!(matches!(self.running, Running::Nowhere), "the server is still running");
        self.logged.reader.take().expect("only a process has a log of its own").join().unwrap();
        std::mem::take(&mut self.logged.lines.lock().unwrap())
    }

    async fn spawn_here(&mut self) {
        canary::watch();
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let task = tokio::spawn(serve(listener, self.settings(), shutdown.clone()));
        self.running = Running::Here { shutdown, task };
    }

    /// Starts the process and reads its address from its log.
    fn spawn_process(&mut self) {
        let mut child = Command::new(server_binary())
            .args(&self.flags)
            .env("RUST_LOG", canary::TALKATIVE)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .arg(format!("--site-addr={}", self.address))
            .arg("--log-format=json")
            .current_dir(self.folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok).inspect(|line| canary::judge(line));
        let address = lines.by_ref().find_map(|line| {
            let said: serde_json::Value = serde_json::from_str(&line).ok()?;
            self.logged.lines.lock().unwrap().push(line);
            said["address"].as_str()?.strip_prefix("http://")?.parse().ok()
        });
        self.running = Running::Process(child);
        self.address = address.expect("the process did not say where it listens");
        // The pipe must be read all the time: a full pipe would block the process.
        let kept = Arc::clone(&self.logged.lines);
        self.logged.reader = Some(thread::spawn(move || {
            for line in lines {
                let mut kept = kept.lock().unwrap();
                if kept.len() < LOG_LINES {
                    kept.push(line);
                }
            }
        }));
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        match &mut self.running {
            Running::Here { shutdown, .. } => shutdown.trigger(),
            Running::Process(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Running::Nowhere => {}
        }
        if !thread::panicking() {
            canary::assert_nothing_was_found();
        }
    }
}
