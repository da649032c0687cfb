//! Another database replaces the one in use: an older copy, or a promoted standby.
//!
//! Its log continues with seqs that were already given to other messages. Clients that have seen those must not
//! continue from their cursor.

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

/// The limit for the drain of a planned end, which comes before the new start.
const ANEW: Duration = Duration::from_secs(15);
/// Longer than an existing connection may take to check which database it is connected to.
const LOOKED: Duration = Duration::from_secs(7);

async fn administer(cluster: &Cluster, statements: &[&str]) {
    let mut admin = cluster.options().connect().await.unwrap();
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe((*statement).to_owned())).execute(&mut admin).await.unwrap();
    }
}

/// Ends all sessions of that database and refuses new ones.
const EMPTY_LIVE: [&str; 2] = [
    "alter database live with allow_connections false",
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = 'live'",
];

/// A user who follows a group. Returns the socket and the data of `joined`.
async fn following(user: &TestUser, group: GroupId) -> (Wire, Value) {
    let mut wire = Wire::open(user).await;
    let joined = wire.follow(group, None).await;
    (wire, joined)
}

/// Waits until the socket is closed as by a planned restart. Returns the `new_message` frames before that.
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

/// Resumes with a cursor of the old log.
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
    // A standby would have the same files. From here on it has its own timeline.
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

/// Runs `pg_dump` or `pg_restore` on the database in use.
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
    // The sections are restored one after the other, because the restore of a whole trip takes minutes. First the old
    // tables are dropped, then all rows are restored. The triggers and keys, which number and check new rows, come
    // last.
    administer(&cluster, &["drop schema public, caravana cascade; create schema public"]).await;
    let plays_section = |section: &'static str| {
        let arguments = ["--dbname=postgres".to_owned(), format!("--section={section}"), dump.display().to_string()];
        let cluster = &cluster;
        async move { plays(cluster, "pg_restore", &arguments.each_ref().map(String::as_str)).await }
    };
    plays_section("pre-data").await;
    plays_section("data").await;
    // Users continue to send, for longer than the server needs to check its database.
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
