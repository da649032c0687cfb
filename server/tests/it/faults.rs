//! Faults that the server must survive: RELIABILITY's table for one instance on SQLite.
//!
//! The tests run real processes on real files. They kill them, let system calls fail, and cut them off from their
//! clients. Long tests are ignored here; `cargo xtask faults` runs them.

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

/// A server in its own process on a SQLite file, with the user Ana and a group of hers.
async fn ana_in_oaxaca() -> (TestServer, TestUser, GroupId) {
    let server = TestServer::builder().on_sqlite().own_process().start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    (server, ana, group)
}

/// Checks what must hold after any fault: the database is intact, and the log has all seqs from 1 to its head. Returns
/// the head.
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

/// The texts of a group's messages, oldest first, as the server returns them.
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

/// Prints a measured figure for the person who runs the tests.
#[expect(clippy::print_stderr, reason = "figures are for those who run the tests, not for a log")]
fn report(what: &str, figure: impl std::fmt::Display) {
    eprintln!("{what}: {figure}");
}
