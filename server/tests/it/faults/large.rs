//! The largest messages and groups (G7): how much memory the server needs for returning clients, and how much other
//! clients are slowed down.

use std::time::Duration;

use serde_json::json;

use super::flood::{Bystander, Memory};
use crate::support::{TestServer, TestUser, Wire};

/// All sockets resume this many messages at once, and some of them read nothing.
async fn returns(rows: usize, sockets: usize) {
    let server = TestServer::builder().own_process().environment("RUST_LOG", "info");
    let server = server.flag("--max-connections-per-user=100").start().await;
    let (ana, bob, group) = server.couple().await;
    let (_, joined) = Wire::open_group(&bob, group).await;
    let cursor = json!({"epoch": joined["epoch"], "seq": joined["head"]});
    let memory = Memory::of(&server);
    server.foreign().await.says(ana.id(), group, &vec!["\"".repeat(4_000); rows]).await;
    let other = ana.create_group("Puebla").await;
    let bystander = Bystander::starts(&server, &ana, other).await;
    let mut idle = Vec::new();
    for _ in 0..sockets / 2 {
        let mut wire = Wire::open(&bob).await;
        wire.say("subscribe", json!({"group_id": group, "cursor": cursor})).await;
        idle.push(wire);
    }
    for _ in 0..sockets / 2 {
        comes_back(&bob, group, &cursor, rows).await;
    }
    let felt = bystander.ends().await;
    drop(idle);
    let grown = memory.settles(Duration::from_secs(10)).await;
    super::report(
        &format!("{sockets} sockets come back to {rows} messages of 4,000 quotes"),
        format!("{felt}; {grown}"),
    );
    felt.is_served();
    assert!(grown.height() < 40 + 3 * sockets, "{grown}");
}

async fn comes_back(user: &TestUser, group: caravana_protocol::GroupId, cursor: &serde_json::Value, rows: usize) {
    let mut wire = Wire::open(user).await;
    wire.say("subscribe", json!({"group_id": group, "cursor": cursor})).await;
    let events = wire.until("caught_up").await.iter().filter(|frame| frame["type"] == "new_message").count();
    assert_eq!(events, rows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_back_to_much_costs_little() {
    returns(400, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: cargo xtask faults"]
async fn fifty_sockets_that_come_back_to_five_thousand_large_messages_cost_little() {
    returns(4_900, 50).await;
}
