//! Faults of PostgreSQL and of the connection to it: RELIABILITY's rows about them.
//!
//! The tests always run on PostgreSQL, whatever `TEST_STORE` says, because a SQLite file can not have these faults. A
//! test that restarts the database server uses its own cluster.

mod blocked;
mod deaf;
mod disk;
mod gone;
mod instances;
mod pooler;
mod replaced;

use std::time::Duration;

use caravana_protocol::GroupId;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::support::database::Database;
use crate::support::postgres::{Cluster, TestDatabase};
use crate::support::{TestServer, TestUser};

/// RELIABILITY §3: how soon everything must work again.
const RECOVERY: Duration = Duration::from_secs(5);
/// What a slow machine may add to any time.
const SLACK: Duration = Duration::from_secs(2);
/// Shorter than the interval of the sweep, which would find everything later and hide the fault that a test looks for.
const BEFORE_THE_SWEEP: Duration = Duration::from_secs(3);
/// How often a waiting test checks its condition.
const LOOK: Duration = Duration::from_millis(20);

/// A server on its own database in the shared cluster, the user Ana, and her group.
async fn ana_in_oaxaca() -> (TestServer, TestUser, GroupId) {
    ana_on(Database::Postgres(TestDatabase::migrated().await), &[]).await
}

async fn ana_on(database: Database, flags: &[&str]) -> (TestServer, TestUser, GroupId) {
    let mut builder = TestServer::builder().on(database);
    for flag in flags {
        builder = builder.flag(flag);
    }
    let server = builder.start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    (server, ana, group)
}

/// Checks that rows of others, written one after the other, were not found by the sweep. It would need its whole interval
/// for every second of them. A machine that is busy for a moment delays some, so the middle of the times is what counts.
fn not_found_by_the_sweep(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let median = times[times.len() / 2];
    assert!(median < BEFORE_THE_SWEEP, "{what}: rows were seen after {times:?}");
}

/// A cluster for one test.
async fn cluster() -> Cluster {
    tokio::task::spawn_blocking(Cluster::start).await.unwrap()
}

/// The cluster's database, with this port in the server's URL.
fn through(cluster: &Cluster, port: u16) -> Database {
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
    Database::Arranged { url, options: cluster.options() }
}

/// Repeats the same send until it succeeds. Returns how long that took and how often it was refused as retryable.
async fn sends_at_last(user: &TestUser, group: GroupId, text: &str) -> (Duration, u32) {
    let (since, id) = (Instant::now(), uuid::Uuid::now_v7());
    let mut refused = 0;
    loop {
        let answer = user.post(&format!("/api/v1/groups/{group}/messages"), &json!({"id": id, "message": text})).await;
        match answer.status.as_u16() {
            200 | 201 => return (since.elapsed(), refused),
            503 => refused += 1,
            other => panic!("a send was answered {other}"),
        }
        assert!(since.elapsed() < RECOVERY * 6, "sending does not recover");
        sleep(LOOK).await;
    }
}
