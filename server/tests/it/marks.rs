//! Reactions, pins and mentions: sockets and REST, the present state of a message, limits, deletions, ended accounts.

use axum::http::Method;
use caravana_protocol::GroupId;
use caravana_protocol::limits::{PINS_PER_GROUP, REACTION_USERS, REACTIONS_PER_MEMBER, REACTIONS_PER_MESSAGE};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ServerBuilder, TestServer, TestUser, Wire, eventually};

/// Budgets that these tests do not reach.
const NO_HASTE: [&str; 3] =
    ["--send-rate-per-user=20000", "--send-burst-per-user=20000", "--send-rate-per-group=20000"];

async fn patient() -> TestServer {
    NO_HASTE.into_iter().fold(TestServer::builder(), ServerBuilder::flag).start().await
}

async fn sent(author: &TestUser, group: GroupId, text: &str) -> (String, u64) {
    let message = author.sends(group, text).await.json()["message"].clone();
    (message["id"].as_str().unwrap().to_owned(), message["seq"].as_u64().unwrap())
}

/// The message as it is now.
async fn now(reader: &TestUser, group: GroupId, id: &str) -> Value {
    let page = reader.get(&format!("/api/v1/groups/{group}/messages")).await.json();
    let found = page["messages"].as_array().unwrap().iter().find(|message| message["id"] == id);
    found.unwrap().clone()
}

async fn put(user: &TestUser, group: GroupId, id: &str, rest: &str) -> u16 {
    user.call(Method::PUT, &format!("/api/v1/groups/{group}/messages/{id}/{rest}"), None).await.status.as_u16()
}

#[tokio::test]
async fn a_reaction_is_an_event_and_then_part_of_its_message() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let (id, seq) = sent(&ana, group, "hola").await;
    let (mut wire, joined) = Wire::open_group(&bob, group).await;
    let react = |on: bool, reference: &str| {
        json!({"type": "react", "ref": reference, "data": {"id": id, "emoji": "❤️", "on": on}}).to_string()
    };
    wire.say_text(&react(true, "a")).await;
    let event = wire.expect("reaction_changed").await;
    let expected = json!({
        "group_id": group, "seq": seq + 1, "message_id": id, "message_seq": seq, "user_id": bob.id(),
        "emoji": "❤️", "on": true, "count": 1, "at": event["at"],
    });
    assert_eq!(event, expected);
    assert_eq!(wire.expect("done").await["seq"], seq + 1);
    let reactions = json!([{"emoji": "❤️", "count": 1, "users": [bob.id()]}]);
    assert_eq!(now(&ana, group, &id).await["reactions"], reactions);
    // The same again changes nothing.
    wire.say_text(&react(true, "b")).await;
    assert_eq!(wire.expect("done").await, json!({"ref": "b", "group_id": group, "seq": seq + 1}));
    assert_eq!(put(&ana, group, &id, "reactions/%F0%9F%8E%89").await, 204);
    assert_eq!(wire.expect("reaction_changed").await["emoji"], "🎉");
    // A replay shows the present state.
    let epoch = joined["epoch"].as_str().unwrap();
    let mut back = Wire::open_at(&ana, &format!("/ws/chat/{group}?epoch={epoch}&after={}", seq - 1)).await;
    let replayed = back.expect("new_message").await;
    assert_eq!(replayed["reactions"].as_array().unwrap().len(), 2, "in the order of their first use: {replayed}");
    assert_eq!(replayed["reactions"][0]["emoji"], "❤️");
    assert_eq!(back.expect("reaction_changed").await, expected);
    wire.say_text(&react(false, "c")).await;
    let back_taken = wire.expect("reaction_changed").await;
    assert_eq!((&back_taken["on"], &back_taken["count"]), (&json!(false), &json!(0)));
    assert_eq!(now(&ana, group, &id).await["reactions"], json!([{"emoji": "🎉", "count": 1, "users": [ana.id()]}]));
}

#[tokio::test]
async fn reactions_are_bounded_and_only_emoji() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let (id, _) = sent(&ana, group, "hola").await;
    let emoji = |number: usize| char::from_u32(0x1F600 + u32::try_from(number).unwrap()).unwrap().to_string();
    let mut wire = Wire::open(&ana).await;
    for number in 0..=REACTIONS_PER_MEMBER {
        let data = json!({"id": id, "emoji": emoji(number), "on": true});
        wire.say_text(&json!({"type": "react", "ref": "r", "data": data}).to_string()).await;
        if number < REACTIONS_PER_MEMBER {
            wire.expect("done").await;
        } else {
            assert_eq!(wire.error().await, "too_many_reactions");
        }
    }
    for wrong in ["", "a", "👍👍", "❤", "🇨", "👍 "] {
        wire.say("react", json!({"id": id, "emoji": wrong, "on": true})).await;
        assert_eq!(wire.error().await, "invalid_message", "{wrong:?}");
    }
    assert_eq!(put(&bob, group, &id, "reactions/a").await, 422);
    let mut kinds = REACTIONS_PER_MEMBER;
    while kinds < REACTIONS_PER_MESSAGE {
        let one = server.register(&format!("Otra{kinds}")).await;
        ana.brings(&one, group).await;
        let many = REACTIONS_PER_MEMBER.min(REACTIONS_PER_MESSAGE - kinds);
        let mut wire = Wire::open(&one).await;
        for number in kinds..kinds + many {
            let data = json!({"id": id, "emoji": emoji(number), "on": true});
            wire.say_text(&json!({"type": "react", "ref": "r", "data": data}).to_string()).await;
            wire.expect("done").await;
        }
        kinds += many;
    }
    assert_eq!(put(&bob, group, &id, "reactions/%F0%9F%8E%89").await, 409, "a new kind");
    assert_eq!(put(&bob, group, &id, "reactions/%F0%9F%98%80").await, 204, "one that is there");
    assert_eq!(now(&bob, group, &id).await["reactions"][0]["count"], 2);
}

#[tokio::test]
async fn of_many_who_react_the_first_are_named_and_all_are_counted() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let (id, _) = sent(&ana, group, "hola").await;
    let mut people = vec![bob];
    for _ in 0..=REACTION_USERS {
        let one = server.guest("Invitada").await;
        ana.brings(&one, group).await;
        people.push(one);
    }
    for one in &people {
        assert_eq!(put(one, group, &id, "reactions/%F0%9F%8E%89").await, 204);
    }
    let reaction = now(&ana, group, &id).await["reactions"][0].clone();
    let named = |reaction: &Value| reaction["users"].as_array().unwrap().clone();
    assert_eq!(reaction["count"], people.len());
    let first: Vec<Value> = people.iter().take(REACTION_USERS).map(|one| json!(one.id())).collect();
    assert_eq!(named(&reaction), first);
    let path = format!("/api/v1/groups/{group}/messages/{id}/reactions/%F0%9F%8E%89");
    assert_eq!(people[0].delete(&path).await.status, 204);
    let reaction = now(&ana, group, &id).await["reactions"][0].clone();
    assert_eq!(reaction["count"], people.len() - 1);
    let next: Vec<Value> = people.iter().skip(1).take(REACTION_USERS).map(|one| json!(one.id())).collect();
    assert_eq!(named(&reaction), next, "the next one is named");
}

#[tokio::test]
async fn a_deleted_message_loses_its_reactions_its_pin_and_its_mentions() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let body = json!({"message": "@Bob", "mentions": [bob.id()], "mentions_everyone": true});
    let message = ana.post(&format!("/api/v1/groups/{group}/messages"), &body).await.json()["message"].clone();
    let id = message["id"].as_str().unwrap();
    assert_eq!((&message["mentions"], &message["mentions_everyone"]), (&json!([bob.id()]), &json!(true)));
    assert_eq!(put(&bob, group, id, "reactions/%F0%9F%8E%89").await, 204);
    assert_eq!(put(&bob, group, id, "pin").await, 204);
    assert_eq!(now(&ana, group, id).await["pinned"], true);
    assert_eq!(ana.delete(&format!("/api/v1/groups/{group}/messages/{id}")).await.status, 204);
    let gone = now(&bob, group, id).await;
    for field in ["reactions", "pinned", "mentions", "mentions_everyone"] {
        assert_eq!(gone[field], Value::Null, "{field}");
    }
    assert_eq!(bob.get(&format!("/api/v1/groups/{group}/pins")).await.json(), json!({"messages": []}));
    for rest in ["reactions/%F0%9F%8E%89", "pin"] {
        assert_eq!(put(&bob, group, id, rest).await, 410, "{rest}");
    }
}

#[tokio::test]
async fn a_message_that_another_program_removes_is_no_longer_pinned() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let (id, _) = sent(&ana, group, "hola").await;
    assert_eq!(put(&bob, group, &id, "pin").await, 204);
    let (mut wire, _) = Wire::open_group(&bob, group).await;
    server.foreign().await.run(&format!("delete from group_chat where id = '{id}'")).await;
    wire.expect("message_deleted").await;
    assert_eq!(bob.get(&format!("/api/v1/groups/{group}/pins")).await.json(), json!({"messages": []}));
}

#[tokio::test]
async fn pins_are_listed_the_newest_first_and_bounded() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let (mut wire, _) = Wire::open_group(&bob, group).await;
    let mut ids = Vec::new();
    for number in 0..=PINS_PER_GROUP {
        ids.push(sent(&ana, group, &number.to_string()).await.0);
    }
    let (last, pinned) = ids.split_last().unwrap();
    for id in pinned {
        assert_eq!(put(&bob, group, id, "pin").await, 204);
    }
    let event = wire.expect("message_pinned").await;
    assert_eq!((&event["message_id"], &event["user_id"]), (&json!(pinned[0]), &json!(bob.id())));
    assert_eq!(put(&ana, group, last, "pin").await, 409);
    assert_eq!(put(&ana, group, &pinned[0], "pin").await, 204, "it is pinned already");
    let listed = ana.get(&format!("/api/v1/groups/{group}/pins")).await.json();
    let listed: Vec<&Value> = listed["messages"].as_array().unwrap().iter().map(|message| &message["id"]).collect();
    assert_eq!(listed, pinned.iter().rev().collect::<Vec<_>>());
    wire.say("pin_message", json!({"id": pinned[0], "on": false})).await;
    assert_eq!(wire.expect("message_unpinned").await["message_id"], json!(pinned[0]));
    assert_eq!(put(&ana, group, last, "pin").await, 204);
}

#[tokio::test]
async fn a_message_mentions_members_only_and_everyone_where_allowed() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let stranger = server.register("Nadie").await;
    let messages = format!("/api/v1/groups/{group}/messages");
    let body = json!({"message": "hola", "mentions": [bob.id(), stranger.id(), bob.id(), Uuid::new_v4()]});
    let message = ana.post(&messages, &body).await.json()["message"].clone();
    assert_eq!(message["mentions"], json!([bob.id()]));
    let path = format!("{messages}/{}", message["id"].as_str().unwrap());
    let edited = ana.patch(&path, &json!({"message": "hola", "mentions": []})).await.json()["message"].clone();
    assert_eq!((&edited["mentions"], edited["edited_at"].is_string()), (&Value::Null, true));
    let many = json!({"message": "hola", "mentions": vec![Uuid::nil(); 51]});
    ana.post(&messages, &many).await.refused(422, "bad_request");
    ana.post(&messages, &json!({"message": "hola", "mentions": ["x"]})).await.refused(400, "invalid_id");

    let everyone = json!({"message": "¡todos!", "mentions_everyone": true});
    assert_eq!(bob.post(&messages, &everyone).await.status, 201);
    for _ in 0..29 {
        ana.brings(&server.guest("Invitada").await, group).await;
    }
    bob.post(&messages, &everyone).await.refused(403, "forbidden");
    assert_eq!(ana.post(&messages, &everyone).await.status, 201, "the owner may");
}

#[tokio::test]
async fn a_reply_shows_what_it_answers_as_it_is_now() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let (id, _) = sent(&ana, group, &"ñ".repeat(300)).await;
    let messages = format!("/api/v1/groups/{group}/messages");
    let answer = bob.post(&messages, &json!({"message": "sí", "reply_to": id})).await.json()["message"].clone();
    let quote = |text: &str| json!({"user_id": ana.id(), "text": text});
    assert_eq!(answer["reply"], quote(&"ñ".repeat(200)));
    let reply = answer["id"].as_str().unwrap();
    ana.patch(&format!("{messages}/{id}"), &json!({"message": "ahora no"})).await;
    assert_eq!(now(&bob, group, reply).await["reply"], quote("ahora no"));
    ana.delete(&format!("{messages}/{id}")).await;
    assert_eq!(now(&bob, group, reply).await["reply"], quote(""));
}

#[tokio::test]
async fn only_its_author_sees_who_has_read_a_message() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let (id, seq) = sent(&ana, group, "hola").await;
    let path = format!("/api/v1/groups/{group}/messages/{id}/reads");
    assert_eq!(ana.get(&path).await.json(), json!({"read": []}));
    let mut wire = Wire::open(&bob).await;
    wire.follow(group, None).await;
    wire.say("mark_read", json!({"group_id": group, "seq": seq})).await;
    wire.expect("read").await;
    assert_eq!(ana.get(&path).await.json(), json!({"read": [bob.id()]}));
    bob.get(&path).await.refused(403, "forbidden");
}

#[tokio::test]
async fn an_ended_account_is_no_longer_named_by_its_reactions() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let (id, _) = sent(&ana, group, "hola").await;
    assert_eq!(put(&bob, group, &id, "reactions/%F0%9F%8E%89").await, 204);
    assert_eq!(put(&ana, group, &id, "reactions/%F0%9F%8E%89").await, 204);
    let delete = json!({"password": crate::support::PASSWORD});
    assert_eq!(bob.post("/api/v1/account/delete", &delete).await.status, 204);
    eventually("the reaction has no name", async || {
        let reaction = now(&ana, group, &id).await["reactions"][0].clone();
        (reaction["users"] == json!([ana.id()])).then(|| assert_eq!(reaction["count"], 2))
    })
    .await;
}
