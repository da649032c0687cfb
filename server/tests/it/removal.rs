//! The end of a membership (G9): a removed user's open sockets, valid cursors and tokens, and new requests.
//!
//! The table in `permissions` covers authorisation in general. These tests cover the moment in which it changes.

use std::time::{Duration, Instant};

use caravana_protocol::GroupId;
use serde_json::json;

use crate::support::{End, TestServer, TestUser, Wire};

/// G9's limit for sockets of the server on which the user was removed.
const HERE: Duration = Duration::from_secs(1);
/// G9's limit if only the sweep of the heads can notice the removal.
const BY_SWEEP: Duration = Duration::from_secs(10);

fn membership(group: GroupId, user: &TestUser) -> String {
    format!("/api/v1/groups/{group}/members/{}", user.id())
}

/// Several sockets of one user on both endpoints.
struct Open {
    alone: Vec<Wire>,
    many: Vec<Wire>,
}

impl Open {
    async fn of(user: &TestUser, group: GroupId) -> Self {
        let (mut alone, mut many) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            alone.push(Wire::open_group(user, group).await.0);
            let mut wire = Wire::open(user).await;
            wire.follow(group, None).await;
            many.push(wire);
        }
        Self { alone, many }
    }

    /// Waits until each of them is told that the user was removed from the group.
    async fn ends(&mut self, group: GroupId) {
        for wire in &mut self.many {
            assert_eq!(wire.expect("left").await, json!({"group_id": group, "reason": "removed"}));
        }
        for wire in &mut self.alone {
            assert_eq!(wire.expect("left").await["reason"], "removed");
            assert_eq!(wire.end().await, End::Code(4403));
        }
    }
}

#[tokio::test]
async fn a_removal_is_over_on_every_open_socket_within_a_second() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let eva = server.register("Eva").await;
    ana.brings(&eva, group).await;
    // One user is removed, the other leaves. Both have the same effect.
    for (actor, user) in [(&ana, &bob), (&eva, &eva)] {
        let mut open = Open::of(user, group).await;
        assert_eq!(actor.delete(&membership(group, user)).await.status, 204);
        let since = Instant::now();
        open.ends(group).await;
        assert!(since.elapsed() < HERE, "{:?}", since.elapsed());
        for wire in &mut open.many {
            // The socket itself stays open for the other groups.
            wire.say("subscribe", json!({"group_id": group})).await;
            assert_eq!(wire.error().await, "not_found");
        }
    }
}

#[tokio::test]
async fn a_removal_by_another_program_is_over_on_every_open_socket_in_time() {
    let server = TestServer::start().await;
    let (_ana, bob, group) = server.couple().await;
    let mut open = Open::of(&bob, group).await;
    let mut foreign = server.foreign().await;
    let since = Instant::now();
    foreign.run(&format!("delete from {{ours}}member where group_id = '{group}' and user_id = '{}'", bob.id())).await;
    open.ends(group).await;
    assert!(since.elapsed() < BY_SWEEP, "{:?}", since.elapsed());
}

/// After the answer to the removal, every kind of request must fail, also with everything that the user got before.
#[tokio::test]
async fn what_was_given_before_a_removal_opens_nothing_after_it() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let sent = bob.sends(group, "antes").await.json();
    let id = sent["message"]["id"].as_str().unwrap();
    let (mut wire, joined) = Wire::open_group(&bob, group).await;
    let cursor = json!({"epoch": joined["epoch"], "seq": 0});
    let ticket = bob.post("/api/v1/ws-ticket", &json!({})).await.json();
    assert_eq!(ana.delete(&membership(group, &bob)).await.status, 204);
    assert_eq!(wire.end().await, End::Code(4403));

    let path = |rest: &str| format!("/api/v1/groups/{group}{rest}");
    for rest in ["", "/members", "/messages", "/messages?before=9", "/messages?around=1", "/events?after=0"] {
        bob.get(&path(rest)).await.refused(404, "not_found");
    }
    bob.get(&format!("/chat/{group}/connections")).await.refused(404, "not_found");
    bob.sends(group, "después").await.refused(404, "not_found");
    bob.patch(&path(&format!("/messages/{id}")), &json!({"message": "otra cosa"})).await.refused(404, "not_found");
    bob.delete(&path(&format!("/messages/{id}"))).await.refused(404, "not_found");
    let page = bob.get(&format!("/g/{group}")).await;
    assert!(!page.text.contains("antes") && !page.text.contains("Oaxaca"), "{}", page.text);
    let ticket = format!("/ws/chat/{group}?ticket={}", ticket["ticket"].as_str().unwrap());
    assert_eq!(Wire::open_bare(&server, &ticket).await.err(), Some(404));

    // A socket that never followed the group gets the same answer, with any cursor.
    let mut wire = Wire::open(&bob).await;
    for (kind, data) in [
        ("subscribe", json!({"group_id": group, "cursor": cursor})),
        ("sync", json!({"group_id": group, "cursor": cursor})),
        ("send_message", json!({"group_id": group, "message": "después"})),
        ("edit_message", json!({"id": id, "message": "otra cosa"})),
        ("delete_message", json!({"id": id})),
        ("mark_read", json!({"group_id": group, "seq": 1})),
    ] {
        wire.say(kind, data).await;
        let frame = wire.next().await.unwrap();
        assert_eq!((&frame["type"], &frame["code"]), (&json!("error"), &json!("not_found")), "{kind}: {frame}");
    }
    let kept = ana.get(&path("/messages")).await.json();
    let texts: Vec<_> = kept["messages"].as_array().unwrap().iter().map(|message| &message["message"]).collect();
    assert_eq!(texts, ["antes"]);
}
