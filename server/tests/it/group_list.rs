//! What the list of groups shows of each group's messages.

use caravana_protocol::GroupId;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestServer, TestUser, Wire, eventually};

/// The group as this member sees it in the list, and alone.
async fn listed(user: &TestUser, group: GroupId) -> Value {
    let list = user.get("/api/v1/groups").await.json()["groups"].clone();
    let listed = list.as_array().unwrap().iter().find(|one| one["id"] == json!(group)).unwrap().clone();
    let alone = user.get(&format!("/api/v1/groups/{group}")).await.json()["group"].clone();
    assert_eq!(listed, alone);
    listed
}

#[tokio::test]
async fn the_last_message_names_its_author_until_the_account_ends() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    bob.sends(group, "hola").await;
    let last = listed(&ana, group).await["last_message"].clone();
    assert_eq!((&last["display_name"], &last["user_id"]), (&json!("Bob"), &json!(bob.id())));
    assert_eq!(bob.patch("/api/v1/account", &json!({"display_name": "Roberto"})).await.status, 200);
    assert_eq!(listed(&ana, group).await["last_message"]["display_name"], "Roberto");
    // A message of a page has no name: a client that opens a group knows its members.
    let page = ana.get(&format!("/api/v1/groups/{group}/messages")).await.json();
    assert_eq!(page["messages"][0]["display_name"], Value::Null);
    assert_eq!(bob.post("/api/v1/account/delete", &json!({"password": PASSWORD})).await.status, 204);
    eventually("the message has no author", async || {
        let last = listed(&ana, group).await["last_message"].clone();
        last["user_id"].is_null().then(|| assert_eq!(last.get("display_name"), None))
    })
    .await;
}

/// What mentions Bob and is unread, by his list.
async fn mentions(bob: &TestUser, group: GroupId) -> Value {
    listed(bob, group).await["unread_mentions"].clone()
}

#[tokio::test]
async fn unread_mentions_are_those_of_others_that_are_neither_read_nor_deleted() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let messages = format!("/api/v1/groups/{group}/messages");
    let says = async |who: &TestUser, body: Value| who.post(&messages, &body).await.json()["message"].clone();
    assert_eq!(mentions(&bob, group).await, Value::Null, "left out where it is 0");
    let first = says(&ana, json!({"message": "@Bob", "mentions": [bob.id()]})).await;
    says(&ana, json!({"message": "¡todos!", "mentions_everyone": true})).await;
    let both = says(&ana, json!({"message": "@Bob y todos", "mentions": [bob.id()], "mentions_everyone": true})).await;
    says(&ana, json!({"message": "@Ana", "mentions": [ana.id()]})).await;
    says(&bob, json!({"message": "mía", "mentions": [bob.id()], "mentions_everyone": true})).await;
    assert_eq!(mentions(&bob, group).await, 3, "a message counts once, and not one's own");
    assert_eq!(mentions(&ana, group).await, 1, "that of Bob");
    // A mention that an edit adds or takes away.
    let path = |message: &Value| format!("{messages}/{}", message["id"].as_str().unwrap());
    ana.patch(&path(&first), &json!({"message": "nada", "mentions": []})).await;
    assert_eq!(mentions(&bob, group).await, 2);
    ana.patch(&path(&first), &json!({"message": "@Bob", "mentions": [bob.id()]})).await;
    assert_eq!(mentions(&bob, group).await, 3);
    ana.delete(&path(&both)).await;
    assert_eq!(mentions(&bob, group).await, 2);
    let mut wire = Wire::open(&bob).await;
    wire.follow(group, None).await;
    wire.say("mark_read", json!({"group_id": group, "seq": first["seq"]})).await;
    wire.expect("read").await;
    assert_eq!(mentions(&bob, group).await, 1);
    wire.say("mark_read", json!({"group_id": group, "seq": 1_000})).await;
    wire.expect("read").await;
    assert_eq!(mentions(&bob, group).await, Value::Null);
}

#[tokio::test]
async fn a_message_that_another_program_removes_or_moves_mentions_nobody() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let other = ana.create_group("Porto").await;
    ana.brings(&bob, other).await;
    let path = format!("/api/v1/groups/{group}/messages");
    let mut ids = Vec::new();
    for _ in 0..3 {
        let sent = ana.post(&path, &json!({"message": "¡todos!", "mentions_everyone": true})).await.json();
        ids.push(sent["message"]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(mentions(&bob, group).await, 3);
    let mut foreign = server.foreign().await;
    foreign.run(&format!("delete from group_chat where id = '{}'", ids[0])).await;
    assert_eq!(mentions(&bob, group).await, 2);
    foreign.run(&format!("update group_chat set status = false where id = '{}'", ids[1])).await;
    assert_eq!(mentions(&bob, group).await, 1);
    foreign.run(&format!("update group_chat set group_id = '{other}' where id = '{}'", ids[2])).await;
    assert_eq!((mentions(&bob, group).await, mentions(&bob, other).await), (Value::Null, Value::Null));
}
