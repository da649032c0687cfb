//! A non-member gets the same answers about a group as about no group, whatever the request and however wrong it is.

use std::collections::BTreeSet;

use caravana_protocol::ClientFrame;
use reqwest::Method;
use serde_json::{Value, json};

use super::people::{People, Place};
use crate::support::{Answer, End, TestServer, TestUser, Wire};

/// The ids in a path, of existing objects or of none.
struct Named {
    group: String,
    message: String,
    user: String,
    invite: String,
}

impl Named {
    async fn of(people: &People, place: &Place) -> Self {
        Self {
            group: place.group.to_string(),
            message: people.message_of(&people.victim, place.group).await,
            user: people.victim.id().to_string(),
            invite: place.invite_id.clone(),
        }
    }

    fn nothing() -> Self {
        let [group, message, user, invite] = std::array::from_fn(|_| uuid::Uuid::now_v7().to_string());
        Self { group, message, user, invite }
    }

    fn into(&self, path: &str) -> String {
        let path = path.replace("{group_id}", &self.group).replace("{message_id}", &self.message);
        path.replace("{user_id}", &self.user).replace("{invite_id}", &self.invite).replace("{emoji}", EMOJI)
    }
}

/// Bodies with their types: valid ones for all routes, and one that no route accepts.
fn bodies() -> Vec<(&'static str, String)> {
    let json = |body: Value| ("application/json", body.to_string());
    vec![
        json(json!({"message": "buenas", "name": "Sintra", "role": "member"})),
        json(json!({})),
        json(json!({"message": "  ", "name": "", "role": "king", "max_uses": 0, "expires_in": -1})),
        json(json!({"message": 7, "name": [], "role": {}, "id": "no", "reply_to": "no"})),
        json(json!([])),
        ("application/json", "{".into()),
        ("application/json", format!("{{\"message\": \"{}\"}}", "x".repeat(70_000))),
        ("text/plain", "buenas".into()),
    ]
}

/// 🎉 in an address.
const EMOJI: &str = "%F0%9F%8E%89";

const QUERIES: [&str; 4] = ["", "?limit=0", "?before=1&after=1", "?after=x&epoch=y"];

async fn ask(user: &TestUser, method: &str, path: &str, body: Option<&(&str, String)>) -> Answer {
    let method: Method = method.to_uppercase().parse().unwrap();
    let mut request = user.request(method, path);
    if let Some((kind, text)) = body {
        request = request.header("content-type", *kind).body(text.clone());
    }
    Answer::read(request.send().await.unwrap()).await
}

/// Regression: a former member or a stranger edited a message with a text that can not be a message. The answer was 422
/// if the message existed and 404 if it did not.
#[tokio::test]
async fn strangers_can_not_tell_a_foreign_group_from_none() {
    let server = TestServer::start().await;
    let people = People::arrive(&server).await;
    let there = Named::of(&people, &people.meet().await).await;
    let document = server.stranger().get("/openapi.json").await.json();
    let mut wrong = BTreeSet::new();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.contains("{group_id}")) {
        for method in item.as_object().unwrap().keys() {
            let bodies: Vec<_> = if method == "get" { vec![] } else { bodies() };
            let bodies = std::iter::once(None).chain(bodies.iter().map(Some)).collect::<Vec<_>>();
            for (named, user) in [(&there, &people.former), (&there, &people.other), (&Named::nothing(), &people.other)]
            {
                for query in QUERIES.iter().take(if method == "get" { QUERIES.len() } else { 1 }) {
                    for body in &bodies {
                        let answer = ask(user, method, &format!("{}{query}", named.into(path)), *body).await;
                        tried += 1;
                        if (answer.status.as_u16(), &answer.json()["error"]["code"]) != (404, &json!("not_found")) {
                            wrong.insert(format!("{method} {path}{query} {body:?}: {}", answer.text));
                        }
                        let message = answer.json()["error"]["message"].clone();
                        assert_eq!(message, json!("there is no such thing here"), "{method} {path}");
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty() && tried > 200, "{tried}: {wrong:#?}");
}

/// Data of a frame: valid, and with errors that can be found without knowing the group.
fn frames(kind: &str, named: &Named) -> Vec<Value> {
    let cursor = json!({"epoch": uuid::Uuid::nil(), "seq": 9});
    let group = &named.group;
    match kind {
        "send_message" => ["hola", "  ", &"x".repeat(4_001)]
            .into_iter()
            .flat_map(|text| {
                [
                    json!({"group_id": group, "message": text}),
                    // A non-member must not learn that an id is already used in the group.
                    json!({"group_id": group, "message": text, "id": named.message}),
                    json!({"group_id": group, "message": text, "reply_to": named.message}),
                ]
            })
            .collect(),
        "edit_message" => ["hola", "  "].map(|text| json!({"id": named.message, "message": text})).to_vec(),
        "delete_message" => vec![json!({"id": named.message})],
        "react" => ["🎉", "x"].map(|emoji| json!({"id": named.message, "emoji": emoji, "on": true})).to_vec(),
        "pin_message" => vec![json!({"id": named.message, "on": true})],
        "mark_read" => [0, 1, u32::MAX].map(|seq| json!({"group_id": group, "seq": seq})).to_vec(),
        "subscribe" => vec![json!({"group_id": group}), json!({"group_id": group, "cursor": cursor})],
        "sync" => vec![json!({"group_id": group, "cursor": cursor})],
        "typing" | "stop_typing" | "unsubscribe" => vec![json!({"group_id": group})],
        // This frame names no group.
        "auth" => vec![],
        other => panic!("say what a stranger may try with {other}"),
    }
}

/// The codes of the errors that answer these frames, in order. `-` for a frame without an error.
async fn heard(user: &TestUser, kind: &str, frames: &[Value]) -> Vec<String> {
    let mut codes = Vec::new();
    for data in frames {
        let mut wire = Wire::open(user).await;
        wire.say_text(&json!({"type": kind, "data": data, "ref": "asked"}).to_string()).await;
        // These frames always get an error, which may come late. The others may get none, so the answer to the next
        // frame shows that.
        if !matches!(kind, "typing" | "stop_typing" | "unsubscribe") {
            codes.push(wire.error().await);
            continue;
        }
        wire.say_text(r#"{"type": "sentinel", "data": {}, "ref": "after"}"#).await;
        let code = loop {
            match wire.next().await {
                Ok(frame) if frame["ref"] == "after" => break "-".to_owned(),
                Ok(frame) if frame["type"] == "error" => break frame["code"].as_str().unwrap().to_owned(),
                Ok(_) => {}
                Err(End::Code(code)) => break code.to_string(),
                Err(End::Cut) => break "cut".to_owned(),
            }
        };
        codes.push(code);
    }
    codes
}

#[tokio::test]
async fn strangers_can_not_tell_a_foreign_group_from_none_by_a_frame() {
    let server = TestServer::start().await;
    let people = People::arrive(&server).await;
    let there = Named::of(&people, &people.meet().await).await;
    for kind in ClientFrame::KINDS {
        let of_none = heard(&people.other, kind, &frames(kind, &Named::nothing())).await;
        for user in [&people.former, &people.other] {
            assert_eq!(heard(user, kind, &frames(kind, &there)).await, of_none, "{kind}");
        }
    }
}
