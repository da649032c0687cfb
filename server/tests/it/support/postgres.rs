//! PostgreSQL for tests: one temporary cluster for this process, and one database for each test.
//!
//! If `TEST_DATABASE_URL` is set (with a role that may create databases), the tests use that server. Otherwise
//! [`Cluster`] starts the PostgreSQL that is installed on this machine.

mod cluster;

use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use caravana_postgres::migrate;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use tokio::sync::{Mutex, OnceCell, OwnedSemaphorePermit, Semaphore};

pub(crate) use cluster::{Cluster, programs};

/// How many databases may exist at the same time. Each may have servers with some dozen connections.
const DATABASES: usize = 8;

/// The database of one test. It is dropped with this value, even if clients are still connected.
pub(crate) struct TestDatabase {
    name: String,
    options: PgConnectOptions,
    admin: PgConnectOptions,
    _place: OwnedSemaphorePermit,
}

/// The server of all tests of this process.
struct Server {
    admin: PgConnectOptions,
    /// A migrated database that is copied for each test.
    template: String,
    places: Arc<Semaphore>,
    /// PostgreSQL refuses two `create database` at the same time from one template.
    creating: Mutex<()>,
    /// Lives as long as the process.
    _cluster: Option<Cluster>,
}

static SERVER: OnceCell<Server> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

impl TestDatabase {
    /// A database with the whole schema and no rows.
    pub(crate) async fn migrated() -> Self {
        let server = server().await;
        Self::create(server, &format!("template {}", server.template)).await
    }

    /// A database without a schema.
    pub(crate) async fn empty() -> Self {
        Self::create(server().await, "template template0").await
    }

    /// A copy of this database. No client may be connected to it.
    pub(crate) async fn copied(&self) -> Self {
        Self::create(server().await, &format!("template {}", self.name)).await
    }

    async fn create(server: &'static Server, how: &str) -> Self {
        let place = Arc::clone(&server.places).acquire_owned().await.unwrap();
        let name = format!("caravana_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let guard = server.creating.lock().await;
        let mut admin = connect(&server.admin).await;
        run(&mut admin, &format!("create database {name} {how}")).await;
        drop(guard);
        let options = server.admin.clone().database(&name);
        Self { name, options, admin: server.admin.clone(), _place: place }
    }

    /// How to connect as the database's owner.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Its `DATABASE_URL`.
    pub(crate) fn url(&self) -> String {
        let mut url = self.options.to_url_lossy();
        // The parameters are sqlx's own. Other programs do not know them.
        url.set_query(None);
        url.to_string()
    }

    /// A connection of another program.
    pub(crate) async fn connect(&self) -> PgConnection {
        connect(&self.options).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        // Not on the test's own runtime, which may be ending. A database that can not be dropped is removed with the
        // cluster.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Ok(mut admin) = admin.connect().await {
                    let drop = format!("drop database if exists {name} with (force)");
                    let _ = sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut admin).await;
                }
            });
        });
        let _ = dropping.join();
    }
}

async fn server() -> &'static Server {
    SERVER
        .get_or_init(|| async {
            let (admin, cluster) = if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
                (PgConnectOptions::from_str(&url).expect("TEST_DATABASE_URL is no address"), None)
            } else {
                let cluster = tokio::task::spawn_blocking(Cluster::start).await.unwrap();
                (cluster.options(), Some(cluster))
            };
            let template = template(&admin).await;
            let places = Arc::new(Semaphore::new(DATABASES));
            Server { admin, template, places, creating: Mutex::new(()), _cluster: cluster }
        })
        .await
}

/// Creates the database that is copied for each test. On the server of `TEST_DATABASE_URL` it remains after this
/// process.
async fn template(admin: &PgConnectOptions) -> String {
    let name = format!("caravana_test_{}_template", std::process::id());
    let mut connection = connect(admin).await;
    run(&mut connection, &format!("create database {name} template template0")).await;
    migrate(&admin.clone().database(&name)).await.unwrap();
    name
}

async fn connect(options: &PgConnectOptions) -> PgConnection {
    options.connect().await.unwrap_or_else(|error| panic!("the PostgreSQL of the tests does not answer: {error}"))
}

async fn run(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await.unwrap();
}
