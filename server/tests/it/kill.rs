//! A first test of the hardest promise: kill -9 in the middle of sends loses nothing that was acknowledged.

use std::collections::BTreeMap;

use caravana_protocol::GroupId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestServer, TestUser, Wire};

/// How often the server is killed.
const KILLS: usize = 3;

/// Sends without pause until the socket breaks. Answers what was acknowledged (id → seq) and what is uncertain.
async fn send_until_it_breaks(mut wire: Wire, at_least: usize) -> (BTreeMap<Uuid, u64>, Vec<Uuid>) {
    let mut uncertain: Vec<Uuid> = Vec::new();
    let mut acknowledged = BTreeMap::new();
    // A few more than the acknowledgements that the test waits for, so that the kill falls into the middle.
    for _ in 0..at_least + 200 {
        let id = Uuid::now_v7();
        uncertain.push(id);
        let frame = json!({"type": "send_message", "data": {"message": id.to_string(), "id": id}});
        if wire.try_say(&frame.to_string()).await.is_err() {
            break;
        }
    }
    while let Ok(frame) = wire.next().await {
        if frame["type"] == "message_sent" {
            let id: Uuid = frame["data"]["id"].as_str().unwrap().parse().unwrap();
            acknowledged.insert(id, frame["data"]["seq"].as_u64().unwrap());
            uncertain.retain(|other| *other != id);
        }
    }
    (acknowledged, uncertain)
}

async fn history(user: &TestUser, group: GroupId) -> BTreeMap<Uuid, (u64, String)> {
    let mut all = BTreeMap::new();
    let mut after = 0;
    loop {
        let page: Value = user.get(&format!("/api/v1/groups/{group}/messages?after={after}&limit=200")).await.ok();
        for message in page["messages"].as_array().unwrap() {
            let id = message["id"].as_str().unwrap().parse().unwrap();
            after = message["seq"].as_u64().unwrap();
            all.insert(id, (after, message["message"].as_str().unwrap().to_owned()));
        }
        if page["has_more_after"] == false {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_sends_loses_nothing_that_was_acknowledged() {
    let mut server = TestServer::builder().own_process().start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let mut acknowledged = BTreeMap::new();
    let mut uncertain = Vec::new();
    for round in 0..KILLS {
        let (mut watching, _) = Wire::open_group(&ana, group).await;
        let (wire, _) = Wire::open_group(&ana, group).await;
        let sending = tokio::spawn(send_until_it_breaks(wire, 100));
        for _ in 0..50 + 20 * round {
            watching.expect("new_message").await;
        }
        server.kill();
        let (sure, unsure) = sending.await.unwrap();
        acknowledged.extend(sure);
        uncertain.extend(unsure);
        server.start_process_again();
    }
    assert!(!acknowledged.is_empty());
    let stored = history(&ana, group).await;
    for (id, seq) in &acknowledged {
        assert_eq!(stored.get(id), Some(&(*seq, id.to_string())), "an acknowledged message is gone or moved");
    }
    // Whatever became of the others: after a repetition each is there once.
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    for id in &uncertain {
        wire.say("send_message", json!({"message": id.to_string(), "id": id})).await;
        let sent = wire.expect("message_sent").await;
        if let Some((seq, _)) = stored.get(id) {
            assert_eq!((sent["seq"].as_u64(), &sent["duplicate"]), (Some(*seq), &json!(true)));
        }
    }
    let stored = history(&ana, group).await;
    assert_eq!(stored.len(), acknowledged.len() + uncertain.len());
    let mut seqs: Vec<u64> = stored.values().map(|(seq, _)| *seq).collect();
    seqs.sort_unstable();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "a hole in the log");
}
