//! Conversations of two people, and blocking somebody.

use caravana_protocol::{GroupId, UserId};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, PASSWORD, TestServer, TestUser, Wire};

async fn open(user: &TestUser, other: UserId) -> Answer {
    user.post("/api/v1/direct", &json!({"user_id": other})).await
}

/// The conversation of two users, as the first one sees it.
async fn begun(user: &TestUser, other: &TestUser) -> (GroupId, Value) {
    let answer = open(user, other.id()).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    let group = answer.json()["group"].clone();
    (group["id"].as_str().unwrap().parse().unwrap(), group)
}

async fn seen(user: &TestUser, group: GroupId) -> Value {
    user.get(&format!("/api/v1/groups/{group}")).await.json()["group"].clone()
}

async fn block(user: &TestUser, other: &TestUser) {
    let answer = user.call(Method::PUT, &format!("/api/v1/blocks/{}", other.id()), None).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
}

async fn unblock(user: &TestUser, other: &TestUser) {
    assert_eq!(user.delete(&format!("/api/v1/blocks/{}", other.id())).await.status, 204);
}

#[tokio::test]
async fn two_people_have_one_conversation_with_the_others_name_on_all_devices() {
    let server = TestServer::start().await;
    let (ana, bob, trip) = server.couple().await;
    let (mut of_ana, mut of_bob) = (Wire::open(&ana).await, Wire::open(&bob).await);
    let made = open(&ana, bob.id()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (group, as_ana) = begun(&ana, &bob).await;
    for (group, other) in [(&as_ana, &bob), (&seen(&bob, group).await, &ana)] {
        let expected = json!(["direct", other.id(), "member", 2, false, null]);
        let said = ["kind", "peer_id", "role", "member_count", "members_can_invite", "closed"].map(|key| &group[key]);
        assert_eq!(json!(said), expected);
    }
    assert_eq!((as_ana["name"].as_str(), seen(&bob, group).await["name"].as_str()), (Some("Bob"), Some("Ana")));
    assert_eq!(of_ana.expect("group_added").await["group"]["name"], "Bob");
    assert_eq!(of_bob.expect("group_added").await["group"]["name"], "Ana");
    // Whoever asks, and however often, it is the same.
    let again = open(&bob, ana.id()).await;
    assert_eq!((again.status.as_u16(), &again.json()["group"]["id"]), (200, &json!(group)));
    // An ordinary group says nothing of it.
    let ordinary = seen(&ana, trip).await;
    assert!(["kind", "peer_id", "closed"].iter().all(|key| ordinary.get(key).is_none()), "{ordinary}");

    // The same log, history and search.
    of_bob.follow(group, None).await;
    assert_eq!(ana.sends(group, "solo para ti").await.status, 201);
    assert_eq!(of_bob.expect("new_message").await["message"], "solo para ti");
    assert_eq!(bob.sends(group, "gracias").await.status, 201);
    let hits = bob.get("/api/v1/search?q=solo").await.json();
    assert_eq!(hits["hits"][0]["group"]["name"], "Ana", "{hits}");
    let list = bob.get("/api/v1/groups").await.json();
    assert_eq!((&list["groups"][0]["name"], list.get("blocked")), (&json!("Ana"), None));
    // A new name shows at once.
    assert_eq!(ana.patch("/api/v1/account", &json!({"display_name": "Anita"})).await.status, 200);
    assert_eq!(seen(&bob, group).await["name"], "Anita");
    assert_eq!(of_bob.expect("group_added").await["group"]["name"], "Anita");
}

#[tokio::test]
async fn whoever_begins_it_at_the_same_time_there_is_one() {
    let server = TestServer::start().await;
    let (ana, bob, _) = server.couple().await;
    let tries = (0..8).map(|number| {
        let (user, other) = if number % 2 == 0 { (&ana, &bob) } else { (&bob, &ana) };
        open(user, other.id())
    });
    let answers = futures::future::join_all(tries).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{answers:?}");
    let first = answers[0].json()["group"]["id"].clone();
    assert!(answers.iter().all(|answer| answer.status.is_success() && answer.json()["group"]["id"] == first));
}

#[tokio::test]
async fn only_somebody_known_can_be_written_to() {
    let server = TestServer::start().await;
    let (ana, bob, trip) = server.couple().await;
    let eva = server.register("Eva").await;
    open(&ana, eva.id()).await.refused(404, "not_found");
    open(&ana, UserId::new(Uuid::now_v7())).await.refused(404, "not_found");
    open(&ana, ana.id()).await.refused(422, "bad_request");
    for body in [json!({}), json!({"user_id": 7}), json!({"user_id": "Bob"})] {
        ana.post("/api/v1/direct", &body).await.refused(422, "bad_request");
    }
    let block_of = async |other: String| ana.call(Method::PUT, &format!("/api/v1/blocks/{other}"), None).await;
    block_of(eva.id().to_string()).await.refused(404, "not_found");
    block_of(Uuid::now_v7().to_string()).await.refused(404, "not_found");
    block_of(ana.id().to_string()).await.refused(422, "bad_request");
    block_of("7".into()).await.refused(400, "invalid_id");
    ana.delete("/api/v1/blocks/7").await.refused(400, "invalid_id");
    // The conversation outlives the group.
    let (group, _) = begun(&ana, &bob).await;
    assert_eq!(ana.delete(&format!("/api/v1/groups/{trip}")).await.status, 204);
    assert_eq!(begun(&bob, &ana).await.0, group);
    assert_eq!(bob.sends(group, "sigo aquí").await.status, 201);
    // Others know nothing of it.
    eva.get(&format!("/api/v1/groups/{group}")).await.refused(404, "not_found");
    eva.sends(group, "hola").await.refused(404, "not_found");
}

#[tokio::test]
async fn it_has_no_roles_no_links_and_nobody_leaves_it() {
    let server = TestServer::start().await;
    let (ana, bob, _) = server.couple().await;
    let (group, before) = begun(&ana, &bob).await;
    let api = format!("/api/v1/groups/{group}");
    for user in [&ana, &bob] {
        let own = format!("{api}/members/{}", user.id());
        let others = format!("{api}/members/{}", if user.id() == ana.id() { bob.id() } else { ana.id() });
        user.post(&format!("{api}/invites"), &json!({})).await.refused(403, "forbidden");
        user.delete(&own).await.refused(403, "forbidden");
        user.delete(&others).await.refused(403, "forbidden");
        for role in ["owner", "admin"] {
            user.patch(&own, &json!({"role": role})).await.refused(403, "forbidden");
            user.patch(&others, &json!({"role": role})).await.refused(403, "forbidden");
        }
        for patch in [
            json!({"name": "Nosotros"}),
            json!({"emoji": "🌮"}),
            json!({"starts_on": "2027-04-03"}),
            json!({"members_can_invite": true}),
            json!({"time_zone": "Europe/Madrid"}),
        ] {
            user.patch(&api, &patch).await.refused(403, "forbidden");
        }
        user.delete(&api).await.refused(403, "forbidden");
    }
    assert_eq!(seen(&ana, group).await, before, "nothing of it changed anything");
    // What is one's own works.
    assert_eq!(ana.patch(&format!("{api}/me"), &json!({"archived": true})).await.status, 204);
    assert_eq!(seen(&ana, group).await["me"]["archived"], true);
}

#[tokio::test]
async fn nothing_new_is_written_while_one_has_blocked_the_other() {
    let server = TestServer::start().await;
    let (ana, bob, trip) = server.couple().await;
    let (group, _) = begun(&ana, &bob).await;
    let said = bob.sends(group, "hola").await.json()["message"]["id"].as_str().unwrap().to_owned();
    let (mut of_ana, mut of_bob) = (Wire::open(&ana).await, Wire::open(&bob).await);
    of_bob.follow(group, None).await;
    block(&ana, &bob).await;
    assert_eq!(of_ana.expect("account_changed").await["user"]["blocked"], json!([bob.id()]));
    assert_eq!(of_ana.expect("group_added").await["group"]["closed"], true);
    assert_eq!(of_bob.expect("group_added").await["group"]["closed"], true);
    let message = format!("/api/v1/groups/{group}/messages/{said}");
    for user in [&ana, &bob] {
        user.sends(group, "¿hola?").await.refused(403, "blocked");
        let reply = json!({"message": "¿hola?", "reply_to": said});
        user.post(&format!("/api/v1/groups/{group}/messages"), &reply).await.refused(403, "blocked");
        for mark in ["reactions/%F0%9F%8E%89", "pin"] {
            user.call(Method::PUT, &format!("{message}/{mark}"), None).await.refused(403, "blocked");
        }
        // In a group they still meet.
        assert_eq!(user.sends(trip, "buenas").await.status, 201);
    }
    of_bob.say("send_message", json!({"group_id": group, "message": "¿por qué?"})).await;
    assert_eq!(of_bob.error().await, "blocked");
    // A repetition of what was stored is answered as ever; one's own is still one's own.
    let repeated = json!({"message": "hola", "id": said});
    assert_eq!(bob.post(&format!("/api/v1/groups/{group}/messages"), &repeated).await.status, 200);
    assert_eq!(bob.patch(&message, &json!({"message": "adiós"})).await.status, 200);
    assert_eq!(bob.delete(&message).await.status, 204);
    // It is still there to read, and to find again.
    assert_eq!(begun(&bob, &ana).await.1["closed"], true);
    // Both sides: it opens only when neither blocks the other.
    block(&bob, &ana).await;
    unblock(&ana, &bob).await;
    ana.sends(group, "¿ya?").await.refused(403, "blocked");
    unblock(&bob, &ana).await;
    assert_eq!(ana.sends(group, "¿ya?").await.status, 201);
    assert_eq!(seen(&bob, group).await.get("closed"), None);
}

#[tokio::test]
async fn whom_one_has_blocked_is_listed_and_can_not_begin_a_conversation() {
    let server = TestServer::start().await;
    let (ana, bob, trip) = server.couple().await;
    let eva = server.register("Eva").await;
    ana.brings(&eva, trip).await;
    let blocked = async |user: &TestUser| user.get("/api/v1/blocks").await.json();
    assert_eq!(blocked(&ana).await, json!({"users": []}));
    for other in [&bob, &eva, &bob] {
        block(&ana, other).await;
    }
    let names = |list: Value| -> Vec<String> {
        list["users"].as_array().unwrap().iter().map(|user| user["display_name"].as_str().unwrap().into()).collect()
    };
    let mut listed = names(blocked(&ana).await);
    listed.sort();
    assert_eq!(listed, ["Bob", "Eva"]);
    assert_eq!(blocked(&bob).await, json!({"users": []}), "it is nobody else's");
    let list = ana.get("/api/v1/groups").await.json();
    assert_eq!(list["blocked"].as_array().unwrap().len(), 2);
    for (user, other) in [(&ana, &bob), (&bob, &ana)] {
        open(user, other.id()).await.refused(403, "blocked");
    }
    // A mention by somebody who is blocked does not count.
    let mention = json!({"message": "@Ana", "mentions": [ana.id()]});
    assert_eq!(bob.post(&format!("/api/v1/groups/{trip}/messages"), &mention).await.status, 201);
    let group = seen(&ana, trip).await;
    assert_eq!((&group["unread"], group.get("unread_mentions")), (&json!(1), None));
    let export = ana.get("/api/v1/account/export").await.json();
    assert_eq!(names(json!({"users": export["blocked"]})).len(), 2, "{export}");
    // Whose messages are there to read can be blocked, also after they left.
    assert_eq!(bob.delete(&format!("/api/v1/groups/{trip}/members/{}", bob.id())).await.status, 204);
    unblock(&ana, &bob).await;
    block(&ana, &bob).await;
    unblock(&ana, &eva).await;
    unblock(&ana, &eva).await;
    assert_eq!(names(blocked(&ana).await), ["Bob"]);
}

#[tokio::test]
async fn a_conversation_stays_when_the_others_account_ends_and_ends_with_both() {
    let server = TestServer::start().await;
    let (ana, bob, _) = server.couple().await;
    let (group, _) = begun(&ana, &bob).await;
    bob.sends(group, "me voy").await;
    block(&ana, &bob).await;
    let gone = async |user: &TestUser| {
        let answer = user.post("/api/v1/account/delete", &json!({"password": PASSWORD})).await;
        assert_eq!(answer.status, 204, "{}", answer.text);
    };
    gone(&bob).await;
    let left = seen(&ana, group).await;
    let said = ["kind", "name", "closed", "member_count", "role"].map(|key| &left[key]);
    assert_eq!(json!(said), json!(["direct", "", true, 1, "member"]));
    ana.sends(group, "¿estás?").await.refused(403, "blocked");
    assert_eq!(ana.get("/api/v1/blocks").await.json(), json!({"users": []}));
    unblock(&ana, &bob).await;
    assert_eq!(begun(&ana, &bob).await.1["closed"], true);
    gone(&ana).await;
    let mut foreign = server.foreign().await;
    assert_eq!(foreign.numbers("select count(*) from {ours}direct").await, [0]);
    assert_eq!(foreign.numbers("select count(*) from {ours}block").await, [0]);
}

/// The members of the conversation who are online, as this user's requests are told.
async fn online(user: &TestUser, group: GroupId) -> Vec<Value> {
    let connections = user.get(&format!("/chat/{group}/connections")).await.json();
    let listed = user.get(&format!("/api/v1/groups/{group}/members")).await.json();
    let users = connections["users"].as_array().unwrap();
    let connected: Vec<Value> = users.iter().map(|user| user["user_id"].clone()).collect();
    let seen = listed["members"].as_array().unwrap().iter().filter(|member| member["online"] == true).count();
    assert_eq!(connected.len(), seen, "{connections} {listed}");
    connected
}

/// The frames of the conversation's soft state that a socket was sent. Nothing can be written in it, so a refusal is the last
/// frame: both sockets have one before, and by then what they said was carried out.
async fn soft_frames(wire: &mut Wire, group: GroupId) -> Vec<Value> {
    wire.say("send_message", json!({"group_id": group, "message": "¿?"})).await;
    let soft = ["presence", "user_typing", "user_stop_typing", "read"];
    let mut frames = wire.until("error").await;
    frames.retain(|frame| soft.iter().any(|kind| frame["type"] == *kind));
    frames.into_iter().map(|frame| json!([frame["type"], frame["data"]])).collect()
}

/// Before the fix, a closed conversation still told each of the two when the other was there, typed and had read.
#[tokio::test]
async fn while_one_has_blocked_the_other_neither_learns_what_the_other_does() {
    let server = TestServer::start().await;
    let (ana, bob, _) = server.couple().await;
    let (group, _) = begun(&ana, &bob).await;
    let said = ana.sends(group, "hola").await.json()["message"].clone();
    let (id, seq) = (said["id"].as_str().unwrap(), said["seq"].as_u64().unwrap());
    let reads = format!("/api/v1/groups/{group}/messages/{id}/reads");
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    of_ana.expect("presence").await;
    for wire in [&mut of_ana, &mut of_bob] {
        wire.say("mark_read", json!({"seq": seq})).await;
        wire.say("typing", json!({})).await;
    }
    for wire in [&mut of_ana, &mut of_bob] {
        wire.expect("user_typing").await;
        wire.expect("read").await;
        wire.expect("read").await;
        wire.forget();
    }
    assert_eq!(ana.get(&reads).await.json(), json!({"read": [bob.id()]}));

    // What each knew of the other ends.
    block(&ana, &bob).await;
    for (wire, other) in [(&mut of_ana, &bob), (&mut of_bob, &ana)] {
        assert_eq!(wire.expect("user_stop_typing").await, json!({"group_id": group, "user_id": other.id()}));
        assert_eq!(wire.expect("presence").await, json!({"group_id": group, "user_id": other.id(), "online": false}));
        let hidden = json!({"group_id": group, "user_id": other.id(), "seq": 0, "hidden": true});
        assert_eq!(wire.expect("read").await, hidden);
        assert_eq!(wire.expect("group_added").await["group"]["closed"], true);
        wire.forget();
    }
    // Nothing passes in either direction.
    let (again_ana, joined_ana) = Wire::open_group(&ana, group).await;
    let (again_bob, joined_bob) = Wire::open_group(&bob, group).await;
    for (joined, own, other) in [(&joined_ana, &ana, &bob), (&joined_bob, &bob, &ana)] {
        assert_eq!(joined["roster"], json!([own.id()]));
        assert_eq!(joined["reads"], json!({own.id().to_string(): seq}));
        assert_eq!(joined["hidden_reads"], json!([other.id()]));
        assert_eq!(online(own, group).await, [json!(own.id())]);
    }
    drop((again_ana, again_bob));
    for wire in [&mut of_ana, &mut of_bob] {
        wire.say("typing", json!({})).await;
        wire.say("mark_read", json!({"seq": seq + 1})).await;
        wire.say("stop_typing", json!({})).await;
    }
    for _ in 0..2 {
        for wire in [&mut of_ana, &mut of_bob] {
            assert_eq!(soft_frames(wire, group).await, Vec::<Value>::new());
        }
    }
    assert_eq!(ana.get(&reads).await.json(), json!({"read": []}));

    // After the end of the block all of it passes again.
    unblock(&ana, &bob).await;
    for (wire, other) in [(&mut of_ana, &bob), (&mut of_bob, &ana)] {
        assert_eq!(wire.expect("read").await, json!({"group_id": group, "user_id": other.id(), "seq": seq}));
        let presence = [wire.expect("presence").await, wire.expect("presence").await];
        let other = json!({"group_id": group, "user_id": other.id(), "online": true});
        assert!(presence.contains(&other), "{presence:?}");
        wire.forget();
    }
    of_bob.say("typing", json!({})).await;
    assert_eq!(of_ana.expect("user_typing").await["user_id"], json!(bob.id()));
    assert_eq!(ana.get(&reads).await.json(), json!({"read": [bob.id()]}));
    assert_eq!(online(&ana, group).await.len(), 2);
    let (_, joined) = Wire::open_group(&ana, group).await;
    assert_eq!((joined["roster"].as_array().unwrap().len(), joined.get("hidden_reads")), (2, None));
}
