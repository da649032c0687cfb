//! Faults that must be survived: RELIABILITY's table, as far as it concerns one instance on SQLite.
//!
//! Real processes on real files, killed, stopped short by the kernel, cut off from their clients. What takes longer than
//! a moment is ignored here and run by `cargo xtask faults`.

mod clock;
mod crash_points;
mod crowd;
mod descriptors;
mod disk;
mod ids;
mod kill;
mod locked;
mod panics;
mod planned_end;
mod silence;

use caravana_protocol::GroupId;
use serde_json::Value;
use sqlx::SqliteConnection;

use crate::support::{TestServer, TestUser};

/// A server in a process of its own, somebody, and a group.
async fn ana_in_oaxaca() -> (TestServer, TestUser, GroupId) {
    let server = TestServer::builder().own_process().start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    (server, ana, group)
}

/// What any fault must leave: a sound file, and a log from 1 to its head without a hole. Answers the head.
async fn file_is_sound(server: &TestServer, group: GroupId) -> u64 {
    let mut file = server.foreign_connection().await;
    let sound: String = sqlx::query_scalar("pragma integrity_check").fetch_one(&mut file).await.unwrap();
    assert_eq!(sound, "ok");
    log_is_whole(&mut file, group).await
}

async fn log_is_whole(file: &mut SqliteConnection, group: GroupId) -> u64 {
    let seqs: Vec<i64> = sqlx::query_scalar("select seq from caravana_event where group_id = ?1 order by seq")
        .bind(group.to_string())
        .fetch_all(&mut *file)
        .await
        .unwrap();
    let head: i64 = sqlx::query_scalar("select head from caravana_head where group_id = ?1")
        .bind(group.to_string())
        .fetch_one(file)
        .await
        .unwrap();
    assert_eq!(seqs, (1..=head).collect::<Vec<_>>(), "the log has a hole, or does not end at its head");
    u64::try_from(head).unwrap()
}

/// The texts of a group's messages, oldest first, as the server tells them.
async fn history(user: &TestUser, group: GroupId) -> Vec<String> {
    let (mut texts, mut after) = (Vec::new(), 0);
    loop {
        let page: Value = user.get(&format!("/api/v1/groups/{group}/messages?after={after}&limit=200")).await.ok();
        for message in page["messages"].as_array().unwrap() {
            after = message["seq"].as_u64().unwrap();
            texts.push(message["message"].as_str().unwrap().to_owned());
        }
        if page["has_more_after"] == false {
            return texts;
        }
    }
}

/// Figures for people: what a fault cost on this machine.
#[expect(clippy::print_stderr, reason = "figures are for those who run the tests, not for a log")]
fn report(what: &str, figure: impl std::fmt::Display) {
    eprintln!("{what}: {figure}");
}
