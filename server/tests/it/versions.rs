//! Servers and clients that are one version apart, in both directions: unknown frames and events do no harm.
//!
//! Another program on the same database plays the newer server, as in a rolling upgrade. It writes an event of a kind
//! that this build does not know. The newer client sends a frame that this build does not know.

use std::sync::Arc;

use caravana_protocol::GroupId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::database::Foreign;
use crate::support::{RealClient, TestServer, Wire};

/// Writes an event as a newer server's trigger would: at the head, with new fields in the payload.
async fn newer_event(foreign: &mut Foreign, group: GroupId, kind: &str, message: Uuid, actor: Uuid, payload: &str) {
    let head = format!("update {{ours}}head set head = head + 1 where group_id = '{group}'");
    foreign.run(&head).await;
    let event = format!(
        "insert into {{ours}}event (group_id, seq, kind, message_id, actor_id, payload) \
         select group_id, head, '{kind}', '{message}', '{actor}', {payload} from {{ours}}head where group_id = '{group}'"
    );
    foreign.run(&event).await;
}

#[tokio::test]
async fn an_event_of_a_newer_server_is_passed_on_as_it_is_stored_and_shown_as_nothing() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (ana, bob) = (Arc::new(ana), Arc::new(bob));
    let (mut wire, joined) = Wire::open_group(&ana, group).await;
    let mut of_bob = RealClient::start(&bob, group).await;
    wire.say("send_message", json!({"message": "hola", "id": Uuid::now_v7()})).await;
    let sent = wire.expect("message_sent").await;
    of_bob.sees(&["hola"]).await;
    let (message, seq) = (sent["id"].as_str().unwrap().parse().unwrap(), sent["seq"].as_u64().unwrap());

    let mut foreign = server.foreign().await;
    let actor = bob.id().uuid();
    let payload = format!(r#"'{{"message_seq": {seq}, "emoji": "❤️", "on": true}}'"#);
    newer_event(&mut foreign, group, "poll_closed", message, actor, &payload).await;
    newer_event(&mut foreign, group, "hello", message, actor, "null").await;
    let reaction = wire.expect("poll_closed").await;
    let expected = json!({
        "group_id": group, "seq": seq + 1, "message_id": message, "user_id": bob.id(), "message_seq": seq,
        "emoji": "❤️", "on": true, "at": reaction["at"],
    });
    assert_eq!(reaction, expected);
    let nameless = wire.expect("unknown_event").await;
    assert_eq!((&nameless["seq"], &nameless["kind"]), (&json!(seq + 2), &json!("hello")));

    // Later events arrive as always, for connected and for returning clients.
    wire.say("send_message", json!({"message": "y otra", "id": Uuid::now_v7()})).await;
    of_bob.sees(&["hola", "y otra"]).await;
    of_bob
        .until("the head", |session| {
            session.group(group).and_then(|group| group.timeline().cursor()).is_some_and(|cursor| cursor.seq == seq + 3)
        })
        .await;
    let epoch = joined["epoch"].as_str().unwrap();
    let mut back = Wire::open_at(&ana, &format!("/ws/chat/{group}?epoch={epoch}&after={seq}")).await;
    assert_eq!(back.expect("poll_closed").await, expected);
    assert_eq!(back.expect("unknown_event").await, nameless);
    assert_eq!(back.expect("new_message").await["message"], "y otra");

    let page: Value = ana.get(&format!("/api/v1/groups/{group}/events?after={seq}")).await.json();
    assert_eq!(page["events"][0], json!({"type": "poll_closed", "data": expected}));
    let history: Value = ana.get(&format!("/api/v1/groups/{group}/messages")).await.json();
    assert_eq!(history["messages"].as_array().unwrap().len(), 2, "it is no message");
    let unread: Value = bob.get(&format!("/api/v1/groups/{group}")).await.json();
    assert_eq!(unread["group"]["head"], json!(seq + 3));
}

/// A payload that another program has broken must not stop the group.
#[tokio::test]
async fn an_event_with_an_invalid_payload_leaves_no_hole() {
    let server = TestServer::start().await;
    let (ana, _, group) = server.couple().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    let mut foreign = server.foreign().await;
    let (message, actor) = (Uuid::now_v7(), Uuid::now_v7());
    let giant = format!(r#"'{{"x": "{}"}}'"#, "ñ".repeat(70_000));
    for payload in ["'7'", "'[1, 2]'", "'\"x\"'", "null", r#"'{"seq": "x", "group_id": [1]}'"#, &giant] {
        newer_event(&mut foreign, group, "poll_closed", message, actor, payload).await;
        let event = wire.expect("poll_closed").await;
        assert_eq!(event["group_id"], json!(group));
        assert_eq!(event["x"], Value::Null, "what is too long for a frame is left out");
    }
    wire.say("send_message", json!({"message": "hola"})).await;
    assert_eq!(wire.expect("new_message").await["message"], "hola");
}

#[tokio::test]
async fn a_frame_of_a_newer_client_is_refused_by_name_and_the_socket_goes_on() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    wire.say_text(r#"{"type":"vote","ref":"v1","data":{"id":"x","option":2}}"#).await;
    let refused = wire.expect_frame("error").await;
    assert_eq!((&refused["code"], &refused["ref"]), (&json!("unknown_type"), &json!("v1")));
    // Unknown fields are ignored.
    wire.say("send_message", json!({"message": "hola", "mentions": [ana.id()], "poll": {"options": 2}})).await;
    assert_eq!(wire.expect("new_message").await["message"], "hola");
}
