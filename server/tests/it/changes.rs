//! Edits and deletions over a socket: the answer `done`, and repeated changes.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestServer, Wire};

/// Sends a change with a `ref` and returns its answer.
async fn changes(wire: &mut Wire, kind: &str, data: Value) -> Value {
    let reference = Uuid::new_v4().to_string();
    wire.say_text(&json!({"type": kind, "ref": reference, "data": data}).to_string()).await;
    let done = wire.expect("done").await;
    assert_eq!(done["ref"], json!(reference));
    wire.forget();
    done
}

#[tokio::test]
async fn a_change_with_a_reference_is_answered_by_done_also_where_nothing_has_to_change() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    wire.say("send_message", json!({"message": "hola"})).await;
    let sent = wire.expect("message_sent").await;
    let (id, seq) = (sent["id"].clone(), sent["seq"].as_u64().unwrap());
    let done = |number: u64| (json!(group), json!(number));
    let of = |answer: &Value| (answer["group_id"].clone(), answer["seq"].clone());

    let edit = json!({"id": id, "message": "hola, Bruno"});
    assert_eq!(of(&changes(&mut wire, "edit_message", edit.clone()).await), done(seq + 1));
    assert_eq!(of(&changes(&mut wire, "edit_message", edit.clone()).await), done(seq + 1), "it is so already");
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    of_bob.say("send_message", json!({"message": "qué tal"})).await;
    of_bob.expect("message_sent").await;
    assert_eq!(of(&changes(&mut wire, "edit_message", edit).await), done(seq + 2), "the head");
    assert_eq!(of(&changes(&mut wire, "delete_message", json!({"id": id})).await), done(seq + 3));
    assert_eq!(of(&changes(&mut wire, "delete_message", json!({"id": id})).await), done(seq + 3), "it is so already");

    // Without a `ref` there is no `done`: only the event is sent, and a repetition is an error.
    wire.say("delete_message", json!({"id": id})).await;
    let refused = wire.expect_frame("error").await;
    assert_eq!((&refused["code"], &refused["ref"]), (&json!("gone"), &id));
    wire.say_text(&json!({"type": "edit_message", "ref": "e", "data": {"id": id, "message": "x"}}).to_string()).await;
    let refused = wire.expect_frame("error").await;
    assert_eq!((&refused["code"], &refused["ref"]), (&json!("gone"), &json!("e")), "what is deleted is not edited");
    // A user who may not change the message gets no `done`, whether it is already deleted or not.
    of_bob.say_text(&json!({"type": "delete_message", "ref": "d", "data": {"id": id}}).to_string()).await;
    let refused = of_bob.expect_frame("error").await;
    assert_eq!((&refused["code"], &refused["ref"]), (&json!("forbidden"), &json!("d")));
}

#[tokio::test]
async fn changes_reach_everybody_in_order_and_done_comes_after_the_answers_before_it() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    let id = Uuid::now_v7();
    wire.say("send_message", json!({"message": "0", "id": id})).await;
    wire.expect("message_sent").await;
    for round in 1..=5 {
        let edit =
            json!({"type": "edit_message", "ref": round.to_string(), "data": {"id": id, "message": round.to_string()}});
        wire.say_text(&edit.to_string()).await;
        assert_eq!(of_bob.expect("message_edited").await["message"], round.to_string());
        assert_eq!(wire.expect("done").await["ref"], round.to_string());
    }
    wire.say_text(&json!({"type": "delete_message", "ref": "x", "data": {"id": id}}).to_string()).await;
    let deleted = of_bob.expect("message_deleted").await;
    assert_eq!((&deleted["message"], &deleted["status"]), (&json!(""), &json!(false)));
}
