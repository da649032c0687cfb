//! A PostgreSQL that answers but can not do what the server asks.

use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::time::Instant;

use super::super::{database_is_sound, history};
use super::{SLACK, ana_in_oaxaca, sends_at_last};
use crate::support::database::Database;

/// How long a send waits for a log that another program has locked.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// So many groups that some share a lane with the locked one.
const GROUPS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_somebody_else_has_locked_holds_up_itself_only() {
    let (server, ana, group) = ana_in_oaxaca().await;
    let mut others = Vec::new();
    for number in 0..GROUPS {
        others.push(ana.create_group(&format!("Grupo {number}")).await);
    }
    let mut foreign = server.foreign().await;
    foreign.run(&format!("begin; select from caravana.head where group_id = '{group}' for update")).await;
    for round in 0..3 {
        let blocked = async {
            let since = Instant::now();
            let refusal = ana.sends(group, "mientras").await.refusal();
            assert_eq!(refusal, (503, "temporarily_unavailable".to_owned()));
            since.elapsed()
        };
        let free = join_all(others.iter().map(async |other| {
            let since = Instant::now();
            assert_eq!(ana.sends(*other, "sin esperar").await.status, 201);
            since.elapsed()
        }));
        let (waited, others_waited) = tokio::join!(blocked, free);
        let slowest = others_waited.into_iter().max().unwrap();
        let limit = if round == 0 { LOCK_PATIENCE + SLACK } else { SLACK };
        assert!(waited < LOCK_PATIENCE + SLACK, "the refusal came after {waited:?}");
        assert!(slowest < limit, "round {round}: another group waited {slowest:?}");
    }
    foreign.run("rollback").await;
    assert_eq!(ana.sends(group, "después").await.status, 201);
    assert_eq!(history(&ana, group).await, ["después"]);
    database_is_sound(&server, group).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_database_takes_nothing_shows_everything_and_is_used_again_when_it_may_be() {
    let (server, ana, group) = ana_in_oaxaca().await;
    ana.sends(group, "antes").await;
    let mut foreign = server.foreign().await;
    let Database::Postgres(_) = server.database() else { panic!() };
    let others = "select pg_terminate_backend(pid) from pg_stat_activity \
                  where datname = current_database() and pid <> pg_backend_pid()";
    let set = |value: &str| {
        format!(
            "do $$ begin execute format('alter database %I set default_transaction_read_only = {value}', \
             current_database()); end $$"
        )
    };
    foreign.run(&set("on")).await;
    foreign.run(others).await;
    assert_eq!(ana.sends(group, "mientras").await.refusal(), (503, "temporarily_unavailable".to_owned()));
    let me: Value = ana.get("/api/v1/session").await.ok();
    assert_eq!(me["user"]["id"], ana.id().to_string());
    assert_eq!(history(&ana, group).await, ["antes"]);
    foreign.run(&format!("set default_transaction_read_only = off; {}", set("off"))).await;
    foreign.run(others).await;
    sends_at_last(&ana, group, "después").await;
    assert_eq!(history(&ana, group).await, ["antes", "después"]);
    database_is_sound(&server, group).await;
}
