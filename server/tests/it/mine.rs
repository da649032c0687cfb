//! What is a member's own in a group: notifications, archive, favourite; on all devices, and for as long as the membership.

use caravana_protocol::GroupId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{PASSWORD, TestServer, TestUser, Wire};

/// What the group shows as one's own, wherever the group is given.
async fn mine(user: &TestUser, group: GroupId) -> Value {
    let alone = user.get(&format!("/api/v1/groups/{group}")).await.json()["group"]["me"].clone();
    let list = user.get("/api/v1/groups").await.json()["groups"].clone();
    let listed = list.as_array().unwrap().iter().find(|one| one["id"] == json!(group)).unwrap()["me"].clone();
    assert_eq!(alone, listed);
    alone
}

async fn set(user: &TestUser, group: GroupId, patch: &Value) {
    let answer = user.patch(&format!("/api/v1/groups/{group}/me"), patch).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""), "{patch}");
}

fn defaults() -> Value {
    json!({"notify": "all", "archived": false, "favourite": false})
}

#[tokio::test]
async fn what_is_ones_own_is_kept_field_by_field_and_seen_by_nobody_else() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    assert_eq!(mine(&bob, group).await, defaults());
    set(&bob, group, &json!({"notify": "mentions", "muted_until": "2027-04-03T12:00:00.5+02:00"})).await;
    set(&bob, group, &json!({"archived": true, "favourite": null, "unknown": 7})).await;
    let muted =
        json!({"notify": "mentions", "muted_until": "2027-04-03T10:00:00.5Z", "archived": true, "favourite": false});
    assert_eq!(mine(&bob, group).await, muted);
    set(&bob, group, &json!({})).await;
    assert_eq!(mine(&bob, group).await, muted);
    set(&bob, group, &json!({"notify": "none", "muted_until": null, "favourite": true, "archived": false})).await;
    assert_eq!(mine(&bob, group).await, json!({"notify": "none", "archived": false, "favourite": true}));
    // For ever, and a moment that is over.
    for moment in ["9999-12-31T23:59:59Z", "1970-01-01T00:00:01Z"] {
        set(&bob, group, &json!({"muted_until": moment})).await;
        assert_eq!(mine(&bob, group).await["muted_until"], moment);
    }
    assert_eq!(mine(&ana, group).await, defaults(), "nothing of it is anybody else's");
    let members = ana.get(&format!("/api/v1/groups/{group}/members")).await.text;
    assert!(!members.contains("notify") && !members.contains("\"me\""), "{members}");
    let belongings = bob.get("/api/v1/account/export").await.json();
    assert_eq!(belongings["memberships"][0]["me"], mine(&bob, group).await);
    // A group that was just made or entered shows the defaults.
    let made = ana.post("/api/v1/groups", &json!({"name": "Porto"})).await.json();
    assert_eq!(made["group"]["me"], defaults());
}

#[tokio::test]
async fn all_sockets_of_the_user_are_told_of_a_change_and_nobody_else() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut one, mut other) = (Wire::open(&bob).await, Wire::open(&bob).await);
    other.follow(group, None).await;
    set(&bob, group, &json!({"favourite": true})).await;
    for wire in [&mut one, &mut other] {
        let told = wire.expect("group_added").await["group"].clone();
        assert_eq!(told["me"]["favourite"], true);
        assert_eq!(told, bob.get(&format!("/api/v1/groups/{group}")).await.json()["group"]);
    }
    // What is so already is told to nobody.
    for wire in [&mut one, &mut other, &mut of_ana] {
        wire.forget();
    }
    set(&bob, group, &json!({"favourite": true})).await;
    set(&bob, group, &json!({"archived": true})).await;
    for wire in [&mut one, &mut other] {
        assert_eq!(wire.expect("group_added").await["group"]["me"]["archived"], true);
    }
    bob.sends(group, "fin").await;
    let frames = of_ana.until("new_message").await;
    assert!(frames.iter().all(|frame| frame["type"] != "group_added"), "{frames:?}");
    let last = frames.last().unwrap()["data"]["seq"].as_u64().unwrap();
    let head = ana.get(&format!("/api/v1/groups/{group}")).await.json()["group"]["head"].as_u64().unwrap();
    assert_eq!(last, head, "no log has an event of it");
}

#[tokio::test]
async fn it_goes_with_the_membership_the_account_and_the_group() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let mut foreign = server.foreign().await;
    let member = format!("/api/v1/groups/{group}/members/{}", bob.id());
    let count = "select count(*) from {ours}preference";
    for by in [&bob, &ana] {
        set(&bob, group, &json!({"favourite": true})).await;
        assert_eq!(foreign.numbers(count).await, [1]);
        assert_eq!(by.delete(&member).await.status, 204);
        assert_eq!(foreign.numbers(count).await, [0]);
        ana.brings(&bob, group).await;
        assert_eq!(mine(&bob, group).await, defaults());
    }
    set(&bob, group, &json!({"favourite": true})).await;
    foreign.run(&format!("delete from {{ours}}member where user_id = '{}'", bob.id())).await;
    assert_eq!(foreign.numbers(count).await, [0], "another program removed the member");
    ana.brings(&bob, group).await;
    set(&bob, group, &json!({"favourite": true})).await;
    set(&ana, group, &json!({"favourite": true})).await;
    assert_eq!(bob.post("/api/v1/account/delete", &json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(foreign.numbers(count).await, [1]);
    assert_eq!(ana.delete(&format!("/api/v1/groups/{group}")).await.status, 204);
    assert_eq!(foreign.numbers(count).await, [0]);
}

#[tokio::test]
async fn what_can_not_be_understood_changes_nothing() {
    let server = TestServer::start().await;
    let (_, bob, group) = server.couple().await;
    let path = format!("/api/v1/groups/{group}/me");
    for wrong in [
        json!({"notify": "loud"}),
        json!({"notify": "Mentions"}),
        json!({"muted_until": "tomorrow"}),
        json!({"muted_until": "2027-04-03"}),
        json!({"muted_until": "10000-01-01T00:00:00Z"}),
        json!({"muted_until": 7}),
        json!({"archived": "yes"}),
        json!({"favourite": 1, "archived": true}),
        json!([]),
    ] {
        bob.patch(&path, &wrong).await.refused(422, "bad_request");
    }
    assert_eq!(mine(&bob, group).await, defaults());
    bob.patch(&format!("/api/v1/groups/{}/me", Uuid::now_v7()), &json!({})).await.refused(404, "not_found");
    bob.patch("/api/v1/groups/7/me", &json!({})).await.refused(400, "invalid_id");
}
