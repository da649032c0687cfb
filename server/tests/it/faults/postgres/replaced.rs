//! Another database in the place of the one that is being served: a copy from before, a standby that has taken over.
//!
//! Its log goes on at numbers that have been given already, to other messages. Whoever has seen those must not go on there.

use std::time::Duration;

use caravana_protocol::GroupId;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tokio::time::{Instant, timeout};

use super::super::{database_is_sound, history, report};
use super::{RECOVERY, SLACK, ana_on, cluster, sends_at_last, through};
use crate::support::database::Database;
use crate::support::postgres::{Cluster, programs};
use crate::support::{End, TestServer, TestUser, Wire};

/// The drain of a planned end, which comes before the new beginning.
const ANEW: Duration = Duration::from_secs(15);
/// Longer than an old connection goes without saying where it leads.
const LOOKED: Duration = Duration::from_secs(7);

async fn administer(cluster: &Cluster, statements: &[&str]) {
    let mut admin = cluster.options().connect().await.unwrap();
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe((*statement).to_owned())).execute(&mut admin).await.unwrap();
    }
}

/// Nobody is in that database, and nobody comes in.
const EMPTY_LIVE: [&str; 2] = [
    "alter database live with allow_connections false",
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = 'live'",
];

/// Somebody who follows a group, and what the hub has told them at the beginning.
async fn following(user: &TestUser, group: GroupId) -> (Wire, Value) {
    let mut wire = Wire::open(user).await;
    let joined = wire.follow(group, None).await;
    (wire, joined)
}

/// The socket is closed as by a planned restart. Answers what came over it before that, but for signs of life.
async fn sent_away(mut wire: Wire) -> Vec<Value> {
    let mut heard = Vec::new();
    let ended = timeout(ANEW + SLACK, async {
        loop {
            match wire.next().await {
                Ok(frame) => heard.push(frame),
                Err(end) => return end,
            }
        }
    });
    assert_eq!(ended.await.expect("the socket lives on"), End::Code(1012));
    heard.retain(|frame| frame["type"] == "new_message");
    heard
}

/// Comes back with a cursor of the old log.
async fn comes_back(user: &TestUser, group: GroupId, joined: &Value, seq: u64) -> Value {
    let mut wire = Wire::open(user).await;
    let cursor = json!({"epoch": joined["epoch"], "seq": seq});
    wire.say("subscribe", json!({"group_id": group, "cursor": cursor})).await;
    wire.expect("resync").await
}

async fn is_ready_again(server: &TestServer) {
    let since = Instant::now();
    while server.stranger().get("/readyz").await.status != 200 {
        assert!(since.elapsed() < ANEW + RECOVERY, "the server does not begin anew");
    }
    report("another database was noticed and served after", format!("{:?}", since.elapsed()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_under_a_running_server_is_no_fork() {
    let cluster = cluster().await;
    administer(&cluster, &["create database live"]).await;
    let url = format!("postgres://postgres@127.0.0.1:{}/live?sslmode=disable", cluster.port());
    let database = Database::Arranged { url, options: cluster.options().database("live") };
    let (server, ana, group) = ana_on(database, &[]).await;
    ana.sends(group, "en la copia").await;
    administer(&cluster, &EMPTY_LIVE).await;
    administer(&cluster, &["create database copy template live", "alter database live with allow_connections true"])
        .await;
    sends_at_last(&ana, group, "después de la copia").await;
    let (wire, joined) = following(&ana, group).await;
    let seen = ana.sends(group, "vista por todos").await.json()["message"]["seq"].as_u64().unwrap();

    administer(&cluster, &EMPTY_LIVE).await;
    administer(&cluster, &["alter database live rename to lost", "alter database copy rename to live"]).await;
    let heard = sent_away(wire).await;
    assert_eq!(heard.len(), 1, "nothing of the copy came to who had seen the original: {heard:?}");
    is_ready_again(&server).await;
    let resync = comes_back(&ana, group, &joined, seen).await;
    assert_eq!(resync["reason"], "unknown_epoch");
    assert_eq!(history(&ana, group).await, ["en la copia"]);
    sends_at_last(&ana, group, "otra vez").await;
    assert_eq!(history(&ana, group).await, ["en la copia", "otra vez"]);
    database_is_sound(&server, group).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_takes_over_begins_new_epochs_under_a_running_server() {
    let cluster = cluster().await;
    let (server, ana, group) = ana_on(through(&cluster, cluster.port()), &[]).await;
    let (wire, joined) = following(&ana, group).await;
    let seen = ana.sends(group, "antes").await.json()["message"]["seq"].as_u64().unwrap();
    // The same files as a standby would have, on a timeline of its own from here on.
    tokio::task::block_in_place(|| {
        cluster.pg_ctl(&["--mode=immediate", "stop"]);
        cluster.becomes_standby();
        cluster.pg_ctl(&["start"]);
        cluster.pg_ctl(&["promote"]);
    });
    sent_away(wire).await;
    is_ready_again(&server).await;
    assert_eq!(comes_back(&ana, group, &joined, seen).await["reason"], "unknown_epoch");
    sends_at_last(&ana, group, "después").await;
    assert_eq!(history(&ana, group).await, ["antes", "después"]);
    database_is_sound(&server, group).await;
}

/// What `pg_dump` and `pg_restore` do to the database that is being served.
async fn plays(cluster: &Cluster, program: &str, arguments: &[&str]) {
    let done = tokio::process::Command::new(programs().join(program))
        .args(["--host=127.0.0.1", "--username=postgres", &format!("--port={}", cluster.port())])
        .args(arguments)
        .output()
        .await
        .unwrap();
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_that_is_played_back_under_a_running_server_is_waited_for_and_is_no_fork() {
    let (cluster, folder) = (cluster().await, tempfile::tempdir().unwrap());
    let (server, ana, group) = ana_on(through(&cluster, cluster.port()), &[]).await;
    ana.sends(group, "en el volcado").await;
    let dump = folder.path().join("dump");
    plays(&cluster, "pg_dump", &["--format=custom", "--file", dump.to_str().unwrap(), "postgres"]).await;
    let (wire, joined) = following(&ana, group).await;
    let seen = ana.sends(group, "vista por todos").await.json()["message"]["seq"].as_u64().unwrap();
    // Step by step, because a dump of a whole trip takes minutes. First what was there goes, then all rows come; what numbers
    // and guards new ones, the triggers and keys, comes last.
    administer(&cluster, &["drop schema public, caravana cascade; create schema public"]).await;
    let plays_section = |section: &'static str| {
        let arguments = ["--dbname=postgres".to_owned(), format!("--section={section}"), dump.display().to_string()];
        let cluster = &cluster;
        async move { plays(cluster, "pg_restore", &arguments.each_ref().map(String::as_str)).await }
    };
    plays_section("pre-data").await;
    plays_section("data").await;
    // People go on meanwhile, for longer than the server takes to look where it is.
    let since = Instant::now();
    while since.elapsed() < LOOKED {
        let answer = ana.sends(group, "mientras").await;
        assert_eq!(answer.status.as_u16(), 503, "something of theirs ended up in what is not all there yet");
    }
    plays_section("post-data").await;
    sent_away(wire).await;
    is_ready_again(&server).await;
    assert_eq!(comes_back(&ana, group, &joined, seen).await["reason"], "unknown_epoch");
    sends_at_last(&ana, group, "después").await;
    let texts = history(&ana, group).await;
    assert_eq!(
        (texts.first().map(String::as_str), texts.last().map(String::as_str)),
        (Some("en el volcado"), Some("después"))
    );
    assert!(!texts.contains(&"vista por todos".to_owned()), "{texts:?}");
    database_is_sound(&server, group).await;
}
