//! What people share of themselves: read marks and typing. Whoever does not share does not see.

use caravana_protocol::GroupId;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestServer, TestUser, Wire};

async fn share(user: &TestUser, patch: &Value) -> Value {
    let answer = user.patch("/api/v1/account", patch).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["user"].clone()
}

async fn reads_to(wire: &mut Wire, group: GroupId, seq: u64) {
    wire.say("mark_read", json!({"group_id": group, "seq": seq})).await;
}

/// The frames of this type that a socket was sent before the event of `text`, which comes now.
async fn before(wire: &mut Wire, text: &str, kinds: &[&str]) -> Vec<Value> {
    let mut seen = Vec::new();
    loop {
        for frame in wire.until("new_message").await {
            if frame["type"] == "new_message" && frame["data"]["message"] == text {
                return seen;
            }
            if kinds.iter().any(|kind| frame["type"] == *kind) {
                seen.push(frame["data"].clone());
            }
        }
    }
}

#[tokio::test]
async fn the_switches_are_on_until_somebody_switches_them_off_and_nobody_else_is_told() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let user = bob.get("/api/v1/session").await.json()["user"].clone();
    for switch in ["share_reads", "share_typing", "share_last_seen"] {
        assert_eq!(user.get(switch), None, "{switch} is left out while it is on");
    }
    let (mut one, mut other, mut of_ana) = (Wire::open(&bob).await, Wire::open(&bob).await, Wire::open(&ana).await);
    let off = share(&bob, &json!({"share_reads": false, "share_last_seen": false, "share_typing": null})).await;
    assert_eq!(
        (&off["share_reads"], &off["share_last_seen"], off.get("share_typing")),
        (&json!(false), &json!(false), None)
    );
    for wire in [&mut one, &mut other] {
        let told = wire.expect("account_changed").await["user"].clone();
        let expected = json!({"id": bob.id(), "display_name": "Bob", "share_reads": false, "share_last_seen": false});
        assert_eq!(told, expected);
    }
    assert_eq!(bob.get("/api/v1/session").await.json()["user"], off);
    assert_eq!(bob.get("/api/v1/account/export").await.json()["user"], off);
    let renamed = share(&bob, &json!({"display_name": "Roberto", "share_last_seen": true})).await;
    assert_eq!((&renamed["display_name"], &renamed["share_reads"]), (&json!("Roberto"), &json!(false)));
    assert_eq!(renamed.get("share_last_seen"), None);
    let named = one.expect("account_changed").await["user"].clone();
    assert_eq!((&named["display_name"], &named["share_reads"]), (&json!("Roberto"), &json!(false)));
    // A token of the user says the same.
    let token = bob.post("/api/v1/auth/token", &json!({})).await.json();
    let request = server.stranger().request(reqwest::Method::GET, "/api/v1/session");
    let request = request.bearer_auth(token["access_token"].as_str().unwrap());
    let by_token: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(by_token["user"]["share_reads"], false);
    let members = ana.get(&format!("/api/v1/groups/{group}/members")).await.text;
    assert!(!members.contains("share_"), "{members}");
    for wrong in [json!({"share_reads": "no"}), json!({"share_typing": 0}), json!({"share_last_seen": []})] {
        bob.patch("/api/v1/account", &wrong).await.refused(422, "bad_request");
    }
    ana.sends(group, "fin").await;
    of_ana.say("unsubscribe", json!({"group_id": group})).await;
    let frames = of_ana.until("left").await;
    assert!(frames.iter().all(|frame| frame["type"] != "account_changed"), "{frames:?}");
    let mut foreign = server.foreign().await;
    assert_eq!(foreign.numbers("select count(*) from {ours}privacy").await, [1]);
    assert_eq!(bob.post("/api/v1/account/delete", &json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(foreign.numbers("select count(*) from {ours}privacy").await, [0]);
}

#[tokio::test]
async fn read_marks_are_told_among_those_who_share_them() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let eva = server.register("Eva").await;
    ana.brings(&eva, group).await;
    let first = ana.sends(group, "uno").await.json()["message"].clone();
    let seq = first["seq"].as_u64().unwrap();
    let reads = format!("/api/v1/groups/{group}/messages/{}/reads", first["id"].as_str().unwrap());
    // Bob does not share from the start; his own sockets still have his mark.
    share(&bob, &json!({"share_reads": false})).await;
    let (mut of_ana, joined) = Wire::open_group(&ana, group).await;
    assert_eq!(joined["hidden_reads"], json!([bob.id()]));
    let (mut of_eva, _) = Wire::open_group(&eva, group).await;
    let (mut of_bob, joined) = Wire::open_group(&bob, group).await;
    assert_eq!(joined.get("hidden_reads"), None, "to Bob all are hidden");
    reads_to(&mut of_bob, group, seq).await;
    assert_eq!(of_bob.expect("read").await, json!({"group_id": group, "user_id": bob.id(), "seq": seq}));
    reads_to(&mut of_eva, group, seq).await;
    assert_eq!(of_ana.expect("read").await["user_id"], json!(eva.id()), "nothing was told of Bob");
    assert_eq!(ana.get(&reads).await.json(), json!({"read": [eva.id()]}));
    ana.sends(group, "dos").await;
    assert_eq!(before(&mut of_bob, "dos", &["read"]).await, Vec::<Value>::new(), "nor is Bob told of Eva");
    let (_, joined) = Wire::open_group(&ana, group).await;
    assert_eq!(joined["reads"], json!({eva.id().to_string(): seq}));
    let (_, joined) = Wire::open_group(&bob, group).await;
    assert_eq!(joined["reads"], json!({bob.id().to_string(): seq}));

    // Bob shares: both sides are told at once.
    share(&bob, &json!({"share_reads": true})).await;
    assert_eq!(of_ana.expect("read").await, json!({"group_id": group, "user_id": bob.id(), "seq": seq}));
    assert_eq!(of_bob.expect("read").await, json!({"group_id": group, "user_id": eva.id(), "seq": seq}));
    let read = ana.get(&reads).await.json()["read"].as_array().unwrap().len();
    assert_eq!(read, 2);
    // And no longer.
    share(&bob, &json!({"share_reads": false})).await;
    let hidden = |of: &TestUser| json!({"group_id": group, "user_id": of.id(), "seq": 0, "hidden": true});
    assert_eq!(of_ana.expect("read").await, hidden(&bob));
    assert_eq!(of_bob.expect("read").await, hidden(&eva));
    // An author who does not share sees nobody.
    share(&ana, &json!({"share_reads": false})).await;
    assert_eq!(ana.get(&reads).await.json(), json!({"read": []}));
}

/// The hub knows what a member shares from the store, or from the member's own first mark.
#[tokio::test]
async fn a_member_who_came_later_is_hidden_from_the_first_mark_on() {
    let server = TestServer::start().await;
    let (ana, _, group) = server.couple().await;
    let eva = server.register("Eva").await;
    share(&eva, &json!({"share_reads": false})).await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    ana.brings(&eva, group).await;
    let seq = ana.sends(group, "uno").await.json()["message"]["seq"].as_u64().unwrap();
    let (mut of_eva, _) = Wire::open_group(&eva, group).await;
    reads_to(&mut of_eva, group, seq).await;
    assert_eq!(of_eva.expect("read").await["seq"], seq);
    let told = of_ana.expect("read").await;
    assert_eq!(told, json!({"group_id": group, "user_id": eva.id(), "seq": 0, "hidden": true}));
    let (_, joined) = Wire::open_group(&ana, group).await;
    assert_eq!((&joined["hidden_reads"], &joined["reads"]), (&json!([eva.id()]), &json!({})));
}

#[tokio::test]
async fn typing_is_told_among_those_who_share_it() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let eva = server.register("Eva").await;
    ana.brings(&eva, group).await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    let (mut of_eva, _) = Wire::open_group(&eva, group).await;
    let kinds = ["user_typing", "user_stop_typing"];
    of_bob.say("typing", json!({})).await;
    assert_eq!(of_ana.expect("user_typing").await["user_id"], json!(bob.id()));
    assert_eq!(of_eva.expect("user_typing").await["user_id"], json!(bob.id()));
    // Whoever stops sharing stops typing, to the others.
    share(&bob, &json!({"share_typing": false})).await;
    assert_eq!(of_ana.expect("user_stop_typing").await["user_id"], json!(bob.id()));
    assert_eq!(of_eva.expect("user_stop_typing").await["user_id"], json!(bob.id()));
    of_bob.forget();
    of_bob.say("typing", json!({})).await;
    of_eva.say("typing", json!({})).await;
    assert_eq!(of_ana.expect("user_typing").await["user_id"], json!(eva.id()), "and not Bob");
    of_bob.say("send_message", json!({"message": "uno"})).await;
    assert_eq!(before(&mut of_bob, "uno", &kinds).await, Vec::<Value>::new(), "he sees nobody typing");
    of_eva.say("send_message", json!({"message": "dos"})).await;
    assert_eq!(before(&mut of_bob, "dos", &kinds).await, Vec::<Value>::new());
    // A new socket of Bob's knows it from its handshake.
    let (mut again, _) = Wire::open_group(&bob, group).await;
    again.say("typing", json!({})).await;
    again.say("send_message", json!({"message": "tres"})).await;
    let seen = before(&mut of_ana, "tres", &kinds).await;
    assert!(seen.iter().all(|typing| typing["user_id"] == json!(eva.id())), "{seen:?}");
    share(&bob, &json!({"share_typing": true})).await;
    again.say("typing", json!({})).await;
    assert_eq!(of_ana.expect("user_typing").await["user_id"], json!(bob.id()));
}
