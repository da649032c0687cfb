//! Notifications that do not arrive.

use std::sync::Arc;

use caravana_protocol::GroupId;
use tokio::time::Instant;

use super::super::report;
use super::{ana_in_oaxaca, ana_on, not_found_by_the_sweep};
use crate::support::database::Database;
use crate::support::postgres::TestDatabase;
use crate::support::{RealClient, TestServer, TestUser, eventually};

/// Checks that other programs' rows reach the screen soon.
async fn hears_others(server: &TestServer, ana: TestUser, group: GroupId, what: &str) {
    let ana = Arc::new(ana);
    let mut alice = RealClient::start(&ana, group).await;
    alice.is_live().await;
    let mut foreign = server.foreign().await;
    let (mut texts, mut times) = (Vec::new(), Vec::new());
    for number in 0..8 {
        texts.push(format!("desde fuera {number}"));
        foreign.says(ana.id(), group, &texts[number..]).await;
        let since = Instant::now();
        alice.sees(&texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
        times.push(since.elapsed());
    }
    report(what, format!("the rows were seen after {times:?}"));
    not_found_by_the_sweep(what, times);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_others_are_seen_at_once() {
    let (server, ana, group) = ana_in_oaxaca().await;
    hears_others(&server, ana, group, "notified").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_was_ended_listens_again() {
    let (server, ana, group) = ana_in_oaxaca().await;
    let mut foreign = server.foreign().await;
    let ended = "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity \
                 where datname = current_database() and query ilike 'listen%') ended";
    eventually("somebody listens", || {
        let own = server.foreign();
        async move { (own.await.numbers(ended).await == [1]).then_some(()) }
    })
    .await;
    // Waits until a listener is connected again.
    eventually("it listens again", || {
        let own = server.foreign();
        async move {
            let listening = "select count(*) from pg_stat_activity \
                             where datname = current_database() and query ilike 'listen%'";
            (own.await.numbers(listening).await == [1]).then_some(())
        }
    })
    .await;
    foreign.run("select 1").await;
    hears_others(&server, ana, group, "after the listener was ended").await;
}

/// Simulates a pooler in transaction mode: the listener is connected but no notification arrives. Here it listens in
/// another database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_notifications_are_eaten_the_database_is_asked_instead() {
    let (database, elsewhere) = (TestDatabase::migrated().await, TestDatabase::empty().await);
    let flag = format!("--database-listen-url={}", elsewhere.url());
    let (server, ana, group) = ana_on(Database::Postgres(database), &[&flag]).await;
    // The server tests its listener, which takes five seconds. Until then only the sweep finds new rows.
    for listeners in [1, 0] {
        eventually("somebody listens there and gives it up", || {
            let there = elsewhere.connect();
            async move {
                let listening = "select count(*) from pg_stat_activity \
                                 where datname = current_database() and query ilike 'listen%'";
                let found: i64 = sqlx::query_scalar(listening).fetch_one(&mut there.await).await.unwrap();
                (found == listeners).then_some(())
            }
        })
        .await;
    }
    hears_others(&server, ana, group, "asked four times a second").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_notifications_are_switched_off_the_database_is_asked_instead() {
    let database = TestDatabase::migrated().await;
    let owner = Database::Postgres(database);
    let off = "do $$ begin execute format('alter database %I set caravana.notify = off', current_database()); end $$";
    owner.foreign().await.run(off).await;
    let (server, ana, group) = ana_on(owner, &[]).await;
    hears_others(&server, ana, group, "NOTIFY off").await;
}

/// A hundred thousand rows in one commit: every connected client gets all of them as pages, and no client is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_rows_in_one_commit_reach_everybody_in_order() {
    const ROWS: u64 = 100_000;
    let (server, ana, group) = ana_in_oaxaca().await;
    let mut wire = crate::support::Wire::open(&ana).await;
    let joined = wire.follow(group, None).await;
    let head = joined["head"].as_u64().unwrap();
    let rows = format!(
        "insert into group_chat (user_id, group_id, message) \
         select '{}'::uuid, '{group}'::uuid, n::text from generate_series(1, {ROWS}) n",
        ana.id()
    );
    let since = Instant::now();
    server.foreign().await.run(&rows).await;
    let committed = since.elapsed();
    for number in 1..=ROWS {
        let message = wire.expect("new_message").await;
        assert_eq!(message["seq"].as_u64(), Some(head + number));
        assert_eq!(message["message"], number.to_string());
    }
    report("100,000 rows", format!("committed after {committed:?}, all delivered after {:?}", since.elapsed()));
}
