//! Each client frame × each column.

use std::collections::BTreeSet;

use caravana_protocol::ClientFrame;
use serde_json::{Value, json};

use super::people::{COLUMNS, NAMES, People, Place};
use crate::support::{End, TestServer, TestUser, Wire};

/// The result of a frame: the type of the answering frame, or the code of the error or of the close.
type Heard = &'static str;

/// The handshake was refused.
const CLOSED: Heard = "no socket";
/// The frame got no answer, but the frame after it did.
const NOTHING: Heard = "nothing";

/// The authorisation of every frame on `/ws`, after an attempt to follow the group. Columns as in
/// [`NAMES`](super::people::NAMES).
fn table() -> Vec<(&'static str, [Heard; COLUMNS])> {
    let stranger = "not_found";
    let all = |ok| [ok, ok, ok, stranger, stranger, ok, CLOSED];
    vec![
        ("subscribe", all("joined")),
        ("sync", all("joined")),
        // A user who does not follow the group gets `left`, whether the group exists or not.
        ("unsubscribe", ["left", "left", "left", "left", "left", "left", CLOSED]),
        ("send_message", all("message_sent")),
        ("edit_message", ["forbidden", "forbidden", "forbidden", stranger, stranger, "forbidden", CLOSED]),
        (
            "delete_message",
            ["message_deleted", "message_deleted", "forbidden", stranger, stranger, "forbidden", CLOSED],
        ),
        ("react", all("reaction_changed")),
        ("pin_message", all("message_pinned")),
        ("mark_read", all("read")),
        ("typing", [NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, CLOSED]),
        ("stop_typing", [NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, CLOSED]),
        ("auth", ["4500", "4500", "4500", "4500", "4500", "4500", CLOSED]),
    ]
}

#[test]
fn every_frame_has_a_row() {
    let rows: BTreeSet<&str> = table().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(rows, ClientFrame::KINDS.into_iter().collect());
}

#[tokio::test]
async fn every_frame_knows_who_may() {
    let server = TestServer::start().await;
    let people = People::arrive(&server).await;
    for (kind, expected) in table() {
        let place = people.meet().await;
        for ((name, user), expected) in NAMES.iter().zip(people.columns()).zip(expected) {
            let data = data(kind, &people, &place).await;
            assert_eq!(heard(user, &place, kind, data).await, expected, "{kind} by {name}");
        }
    }
}

/// What the members see: a non-member can not cause a visible frame in the group.
#[tokio::test]
async fn nobody_outside_is_seen_typing_or_reading_inside() {
    let server = TestServer::start().await;
    let people = People::arrive(&server).await;
    let place = people.meet().await;
    let group = place.group;
    let mut inside = Wire::open(&people.owner).await;
    inside.follow(group, None).await;
    for user in [&people.former, &people.other] {
        let mut wire = Wire::open(user).await;
        for kind in ["typing", "stop_typing"] {
            wire.say(kind, json!({"group_id": group})).await;
        }
        wire.say("mark_read", json!({"group_id": group, "seq": 1})).await;
        assert_eq!(wire.error().await, "not_found");
    }
    people.member.sends(group, "fin").await;
    let heard = inside.until("new_message").await;
    let kinds: Vec<&str> = heard.iter().filter_map(|frame| frame["type"].as_str()).collect();
    assert!(!kinds.contains(&"user_typing") && !kinds.contains(&"read"), "{kinds:?}");
}

async fn data(kind: &str, people: &People, place: &Place) -> Value {
    let group = place.group;
    match kind {
        "send_message" => json!({"group_id": group, "message": "hola"}),
        "edit_message" => json!({"id": people.message_of(&people.victim, group).await, "message": "otra cosa"}),
        "delete_message" => json!({"id": people.message_of(&people.victim, group).await}),
        "react" => json!({"id": people.message_of(&people.victim, group).await, "emoji": "🎉", "on": true}),
        "pin_message" => json!({"id": people.message_of(&people.victim, group).await, "on": true}),
        "mark_read" => {
            people.message_of(&people.victim, group).await;
            let log = people.owner.get(&format!("/api/v1/groups/{group}")).await.json();
            json!({"group_id": group, "seq": log["group"]["head"]})
        }
        "sync" => {
            let log = people.owner.get(&format!("/api/v1/groups/{group}")).await.json();
            json!({"group_id": group, "cursor": {"epoch": log["group"]["epoch"], "seq": log["group"]["head"]}})
        }
        // A token of another user than the one who sends the frame.
        "auth" => json!({"token": people.victim_token()}),
        _ => json!({"group_id": group}),
    }
}

/// The answer to one frame of a user who has tried to follow the group.
async fn heard(user: &TestUser, place: &Place, kind: &str, data: Value) -> String {
    let Some(mut wire) = Wire::try_open(user).await else { return CLOSED.to_owned() };
    let group = place.group;
    if kind != "subscribe" {
        wire.say("subscribe", json!({"group_id": group})).await;
        wire.say_text(r#"{"type": "sentinel", "data": {}, "ref": "before"}"#).await;
        wire.until_reference("before").await;
    }
    wire.say_text(&json!({"type": kind, "data": data, "ref": "asked"}).to_string()).await;
    wire.say_text(r#"{"type": "sentinel", "data": {}, "ref": "after"}"#).await;
    loop {
        match wire.next().await {
            Err(End::Code(code)) => return code.to_string(),
            Err(End::Cut) => return "cut".to_owned(),
            Ok(frame) if frame["ref"] == "asked" => return frame["code"].as_str().unwrap().to_owned(),
            // The answer to a send or a change may come after the answer to a later frame.
            Ok(frame) if frame["ref"] == "after" && !answered_late(kind) => return NOTHING.to_owned(),
            Ok(frame) => {
                let heard = frame["type"].as_str().unwrap_or_default();
                if answers(kind).contains(&heard) {
                    return heard.to_owned();
                }
            }
        }
    }
}

/// Frames that are answered after the commit, or by an event that the hub delivers.
fn answered_late(kind: &str) -> bool {
    matches!(
        kind,
        "send_message"
            | "edit_message"
            | "delete_message"
            | "react"
            | "pin_message"
            | "mark_read"
            | "subscribe"
            | "sync"
            | "auth"
    )
}

/// The frames that are an answer to this one.
fn answers(kind: &str) -> &'static [&'static str] {
    match kind {
        "subscribe" | "sync" => &["joined"],
        "unsubscribe" => &["left"],
        "send_message" => &["message_sent"],
        "edit_message" => &["message_edited"],
        "delete_message" => &["message_deleted"],
        "react" => &["reaction_changed"],
        "pin_message" => &["message_pinned"],
        "mark_read" => &["read"],
        _ => &[],
    }
}
