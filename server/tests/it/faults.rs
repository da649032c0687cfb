//! Faults that must be survived: RELIABILITY's table, as far as it concerns one instance on SQLite.
//!
//! Real processes on real files, killed, stopped short by the kernel, cut off from their clients. What takes longer than
//! a moment is ignored here and run by `cargo xtask faults`.

mod clock;
mod crash_points;
mod crowd;
mod descriptors;
mod disk;
mod flood;
mod ids;
mod kill;
mod large;
mod locked;
mod panics;
mod planned_end;
mod postgres;
mod silence;
mod starved;

use caravana_protocol::GroupId;
use serde_json::Value;

use crate::support::database::Foreign;
use crate::support::{TestServer, TestUser};

/// A server in a process of its own on a file, somebody, and a group.
async fn ana_in_oaxaca() -> (TestServer, TestUser, GroupId) {
    let server = TestServer::builder().on_sqlite().own_process().start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    (server, ana, group)
}

/// What any fault must leave: a sound database, and a log from 1 to its head without a hole. Answers the head.
async fn database_is_sound(server: &TestServer, group: GroupId) -> u64 {
    let mut foreign = server.foreign().await;
    assert!(foreign.is_sound().await);
    log_is_whole(&mut foreign, group).await
}

async fn log_is_whole(foreign: &mut Foreign, group: GroupId) -> u64 {
    let seqs = format!("select seq from {{ours}}event where group_id = '{group}' order by seq");
    let seqs = foreign.numbers(&seqs).await;
    let head = foreign.numbers(&format!("select head from {{ours}}head where group_id = '{group}'")).await[0];
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
