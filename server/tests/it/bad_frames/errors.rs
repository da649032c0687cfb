//! RELIABILITY §4, frame by frame: each text gets exactly one answer, and the socket stays open.

use serde_json::{Value, json};
use uuid::Uuid;

use super::one;
use crate::support::{End, TestServer, Wire};

/// Sends a text and returns its error. Other frames before it are skipped.
async fn error_of(wire: &mut Wire, text: &str) -> Value {
    wire.say_text(text).await;
    wire.expect_frame("error").await
}

#[tokio::test]
async fn what_is_no_json_object_is_bad_json() {
    let (_server, ana, group) = one().await;
    // A socket accepts nine bad frames in a minute.
    let texts = [
        String::new(),
        "hola".into(),
        "[]".into(),
        "null".into(),
        "7".into(),
        r#""typing""#.into(),
        r#"{"type": "typing", "data": {}"#.into(),
        r#"{"type": "typing", "data": {}} {}"#.into(),
        "\u{feff}{}".into(),
        r#"{"type": "typing", "type": "typing", "data": {}}"#.into(),
        r#"{"type": "send_message", "data": {"message": "a", "message": "b"}}"#.into(),
        format!(r#"{{"type": "typing", "data": {{"x": {}{}}}}}"#, "[".repeat(15), "]".repeat(15)),
        format!(r#"{{"type": "typing", "data": {}"#, "[".repeat(60_000)),
        r#"{"type": "mark_read", "data": {"seq": 18446744073709551616}}"#.into(),
        r#"{"type": "mark_read", "data": {"seq": 1e400}}"#.into(),
        r#"{"type": "mark_read", "data": {"seq": 01}}"#.into(),
        r#"{"type": "send_message", "data": {"message": "\ud800"}}"#.into(),
    ];
    for texts in texts.chunks(9) {
        let (mut wire, _) = Wire::open_group(&ana, group).await;
        for text in texts {
            let error = error_of(&mut wire, text).await;
            assert_eq!(error["code"], "bad_json", "{}", &text[..text.len().min(80)]);
            assert_eq!((&error["retryable"], error.get("ref")), (&json!(false), None));
        }
        wire.say("send_message", json!({"message": "sigo"})).await;
        wire.expect("message_sent").await;
    }
}

#[tokio::test]
async fn nesting_up_to_the_limit_is_read() {
    let (_server, ana, group) = one().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    let deep = format!("{}{}", "[".repeat(14), "]".repeat(14));
    let text = format!(r#"{{"type": "send_message", "data": {{"message": "hondo", "x": {deep}}}}}"#);
    wire.say_text(&text).await;
    assert_eq!(wire.expect("message_sent").await["message"], "hondo");
}

#[tokio::test]
async fn a_frame_of_another_shape_is_named_by_what_is_wrong() {
    let (_server, ana, group) = one().await;
    let (epoch, nobody) = (Uuid::new_v4(), Uuid::new_v4());
    let cases: [(Value, &str); 35] = [
        (json!({}), "bad_request"),
        (json!({"data": {}}), "bad_request"),
        (json!({"type": 7, "data": {}}), "bad_request"),
        (json!({"type": "typing"}), "bad_request"),
        (json!({"type": "typing", "data": []}), "bad_request"),
        (json!({"type": "typing", "data": null}), "bad_request"),
        (json!({"type": "send_message", "data": {}}), "bad_request"),
        (json!({"type": "send_message", "data": {"message": null}}), "bad_request"),
        (json!({"type": "send_message", "data": {"message": 7}}), "bad_request"),
        (json!({"type": "edit_message", "data": {"message": "x"}}), "bad_request"),
        (json!({"type": "edit_message", "data": {"id": nobody}}), "bad_request"),
        (json!({"type": "react", "data": {"id": nobody, "on": true}}), "bad_request"),
        (json!({"type": "react", "data": {"id": nobody, "emoji": "🎉"}}), "bad_request"),
        (json!({"type": "pin_message", "data": {"id": nobody}}), "bad_request"),
        (json!({"type": "delete_message", "data": {}}), "bad_request"),
        (json!({"type": "mark_read", "data": {}}), "bad_request"),
        (json!({"type": "mark_read", "data": {"seq": -1}}), "bad_request"),
        (json!({"type": "mark_read", "data": {"seq": 1.5}}), "bad_request"),
        (json!({"type": "mark_read", "data": {"seq": u64::MAX}}), "bad_request"),
        (json!({"type": "subscribe", "data": {}}), "bad_request"),
        (json!({"type": "subscribe", "data": {"group_id": group, "cursor": 7}}), "bad_request"),
        (
            json!({"type": "subscribe", "data": {"group_id": group, "cursor": {"epoch": epoch, "seq": -1}}}),
            "bad_request",
        ),
        (json!({"type": "sync", "data": {"group_id": group}}), "bad_request"),
        (json!({"type": "unsubscribe", "data": {}}), "bad_request"),
        (json!({"type": "auth", "data": {}}), "bad_request"),
        (json!({"type": "typing", "data": {}, "ref": 7}), "bad_request"),
        (json!({"type": "typing", "data": {}, "ref": "x".repeat(65)}), "bad_request"),
        (json!({"type": "Typing", "data": {}}), "unknown_type"),
        (json!({"type": "", "data": {}}), "unknown_type"),
        (json!({"type": "send_message", "data": {"message": "x", "group_id": "7"}}), "invalid_id"),
        (json!({"type": "send_message", "data": {"message": "x", "reply_to": "7"}}), "invalid_id"),
        (json!({"type": "send_message", "data": {"message": "x", "user_id": "7"}}), "invalid_id"),
        (json!({"type": "edit_message", "data": {"id": "7", "message": "x"}}), "invalid_id"),
        (json!({"type": "subscribe", "data": {"group_id": "7"}}), "invalid_id"),
        (json!({"type": "subscribe", "data": {"group_id": group, "cursor": {"epoch": "7", "seq": 0}}}), "invalid_id"),
    ];
    for cases in cases.chunks(9) {
        let (mut wire, _) = Wire::open_group(&ana, group).await;
        for (frame, code) in cases {
            assert_eq!(error_of(&mut wire, &frame.to_string()).await["code"], *code, "{frame}");
        }
        wire.say("send_message", json!({"message": "sigo"})).await;
        wire.expect("message_sent").await;
    }
}

#[tokio::test]
async fn texts_that_can_not_be_messages_are_named_and_the_others_are_cleaned() {
    let (_server, ana, group) = one().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    for (text, code) in [
        ("", "empty_message"),
        (" \t\r\n ", "empty_message"),
        ("\u{200b}\u{200d}\u{2060}\u{feff}\u{3164}\u{00ad}\u{fe0f}", "empty_message"),
        ("a\u{0}", "invalid_message"),
        ("a\u{1b}[31m", "invalid_message"),
        ("a\u{7f}", "invalid_message"),
        ("a\u{85}", "invalid_message"),
        ("a\rb", "invalid_message"),
        (&"ñ".repeat(4_001), "message_too_long"),
        (&"😀".repeat(4_001), "message_too_long"),
    ] {
        let frame = json!({"type": "send_message", "data": {"message": text}});
        assert_eq!(error_of(&mut wire, &frame.to_string()).await["code"], code, "{text:.20?}");
        let answer = ana.sends(group, text).await;
        answer.refused(422, code);
    }
    for (text, stored) in [
        ("uno\r\ndos\tтри", "uno\ndos\tтри"),
        ("cafe\u{301}", "café"),
        ("\u{202e}atrás", "\u{202e}atrás\u{202c}"),
        ("\u{2067}a\u{2069}\u{2069}\u{202c}", "\u{2067}a\u{2069}"),
        (&"😀".repeat(4_000), &"😀".repeat(4_000)),
    ] {
        wire.say("send_message", json!({"message": text})).await;
        assert_eq!(wire.expect("message_sent").await["message"], stored, "{text:.20?}");
    }
    wire.say("send_message", json!({"message": format!("z{}", "\u{0301}".repeat(3_000))})).await;
    let stored = wire.expect("message_sent").await["message"].as_str().unwrap().chars().count();
    assert!(stored <= 9, "{stored} characters are left of a letter with 3,000 accents");
}

#[tokio::test]
async fn an_id_says_one_thing_for_ever() {
    let (_server, ana, group) = one().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    let (id, first) = (Uuid::now_v7(), Uuid::now_v7());
    wire.say("send_message", json!({"id": first, "message": "antes"})).await;
    wire.expect("message_sent").await;
    wire.say("send_message", json!({"id": id, "message": "hola"})).await;
    let sent = wire.expect("message_sent").await;
    for data in [json!({"id": id, "message": "otra"}), json!({"id": id, "message": "hola", "reply_to": first})] {
        let frame = json!({"type": "send_message", "data": data});
        let error = error_of(&mut wire, &frame.to_string()).await;
        assert_eq!((&error["code"], &error["ref"]), (&json!("id_conflict"), &json!(id)));
    }
    wire.say("send_message", json!({"id": id, "message": "hola"})).await;
    let again = wire.expect("message_sent").await;
    assert_eq!((&again["seq"], &again["duplicate"]), (&sent["seq"], &json!(true)));
    wire.say("delete_message", json!({"id": id})).await;
    wire.expect("message_deleted").await;
    for (kind, data) in [("edit_message", json!({"id": id, "message": "tarde"})), ("delete_message", json!({"id": id}))]
    {
        let frame = json!({"type": kind, "data": data});
        assert_eq!(error_of(&mut wire, &frame.to_string()).await["code"], "gone", "{kind}");
    }
}

#[tokio::test]
async fn a_cursor_that_is_not_ours_is_told_so() {
    let (_server, ana, group) = one().await;
    let mut wire = Wire::open(&ana).await;
    let joined = wire.follow(group, None).await;
    for (cursor, reason) in [
        (json!({"epoch": joined["epoch"], "seq": joined["head"].as_u64().unwrap() + 1}), "resync"),
        (json!({"epoch": joined["epoch"], "seq": i64::MAX}), "resync"),
        (json!({"epoch": Uuid::new_v4(), "seq": 0}), "resync"),
        (json!({"epoch": joined["epoch"], "seq": 0}), "caught_up"),
    ] {
        for kind in ["subscribe", "sync"] {
            wire.forget();
            wire.say(kind, json!({"group_id": group, "cursor": cursor})).await;
            wire.expect("joined").await;
            wire.expect(reason).await;
        }
    }
}

#[tokio::test]
async fn ten_frames_of_a_wrong_shape_end_the_socket_too() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let mut wire = Wire::open(&ana).await;
    for number in 0..10 {
        let text = if number % 2 == 0 { "{" } else { r#"{"type": "typing"}"# };
        wire.say_text(text).await;
    }
    assert_eq!(wire.end().await, End::Code(1008));
}

#[tokio::test]
async fn other_errors_do_not_end_a_socket() {
    let (_server, ana, group) = one().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    for _ in 0..30 {
        assert_eq!(error_of(&mut wire, r#"{"type": "volar", "data": {}}"#).await["code"], "unknown_type");
    }
    wire.say("send_message", json!({"message": "sigo"})).await;
    wire.expect("message_sent").await;
}
