//! Joining, leaving and renaming: the server tells them on all sockets of the user.

use caravana_protocol::GroupId;
use caravana_protocol::rest::Invite;
use serde_json::{Value, json};

use crate::support::{TestServer, TestUser, Wire};

/// Two sockets of one user, as of two devices.
async fn two_of(user: &TestUser) -> [Wire; 2] {
    [Wire::open(user).await, Wire::open(user).await]
}

async fn added(wire: &mut Wire) -> Value {
    wire.expect("group_added").await["group"].take()
}

async fn invite(user: &TestUser, group: GroupId) -> String {
    user.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await.ok::<Invite>().token
}

/// Regression: a group that was made or entered on one device was missing in the list on another device until that page
/// was reloaded.
#[tokio::test]
async fn a_group_that_somebody_makes_or_enters_is_told_on_all_their_sockets_as_they_see_it() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.register("Ana").await, server.register("Bob").await);
    let (mut of_ana, mut of_bob) = (two_of(&ana).await, two_of(&bob).await);
    let group = ana.create_group("Lisboa").await;
    let seen = ana.get(&format!("/api/v1/groups/{group}")).await.json()["group"].clone();
    for wire in &mut of_ana {
        assert_eq!(added(wire).await, seen);
    }
    assert_eq!((seen["role"].as_str(), seen["last_message"].is_null()), (Some("owner"), true));
    ana.sends(group, "hola").await;

    // Once without a follower of the group, and once while its creator follows it.
    let eva = server.register("Eva").await;
    let mut of_eva = two_of(&eva).await;
    for (user, wires, follows) in [(&bob, &mut of_bob, false), (&eva, &mut of_eva, true)] {
        if follows {
            of_ana[0].follow(group, None).await;
        }
        assert_eq!(
            user.post(&format!("/api/v1/invites/{}/accept", invite(&ana, group).await), &json!({})).await.status,
            200
        );
        let seen = user.get(&format!("/api/v1/groups/{group}")).await.json()["group"].clone();
        for wire in wires {
            assert_eq!(added(wire).await, seen);
        }
        assert_eq!((seen["role"].as_str(), seen["unread"].as_u64()), (Some("member"), Some(1)));
    }
    // A group of another user is not announced.
    ana.create_group("Porto").await;
    assert_eq!(added(&mut of_ana[1]).await["name"], "Porto");
    for wire in of_ana.iter_mut().chain(&mut of_bob).chain(&mut of_eva) {
        wire.forget();
        wire.say("unsubscribe", json!({"group_id": group})).await;
        let frames = wire.until("left").await;
        assert!(frames.iter().all(|frame| frame["type"] != "group_removed"), "{frames:?}");
    }
}

#[tokio::test]
async fn a_new_role_is_told_to_the_one_who_has_it() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, mut of_bob) = (Wire::open(&ana).await, Wire::open(&bob).await);
    let path = format!("/api/v1/groups/{group}/members/{}", bob.id());
    ana.patch(&path, &json!({"role": "admin"})).await;
    assert_eq!(added(&mut of_bob).await["role"], "admin");
    of_bob.follow(group, None).await;
    ana.patch(&path, &json!({"role": "owner"})).await;
    assert_eq!(added(&mut of_bob).await["role"], "owner");
    assert_eq!(added(&mut of_ana).await["role"], "admin");
}

#[tokio::test]
async fn whoever_leaves_or_is_removed_is_told_on_sockets_that_do_not_follow_the_group_too() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let membership = format!("/api/v1/groups/{group}/members/{}", bob.id());
    for (actor, follows) in [(&ana, false), (&bob, false), (&ana, true), (&bob, true)] {
        let mut of_bob = two_of(&bob).await;
        if follows {
            of_bob[0].follow(group, None).await;
        }
        assert_eq!(actor.delete(&membership).await.status, 204);
        for wire in &mut of_bob {
            assert_eq!(wire.expect("group_removed").await, json!({"group_id": group}));
        }
        if follows {
            assert_eq!(of_bob[0].expect("left").await["reason"], "removed");
        }
        ana.brings(&bob, group).await;
        for wire in &mut of_bob {
            assert_eq!(added(wire).await["id"], json!(group));
        }
    }
}

#[tokio::test]
async fn the_end_of_a_group_is_told_to_all_who_were_in_it() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, mut of_bob) = (two_of(&ana).await, two_of(&bob).await);
    of_ana[0].follow(group, None).await;
    assert_eq!(ana.delete(&format!("/api/v1/groups/{group}")).await.status, 204);
    for wire in of_ana.iter_mut().chain(&mut of_bob) {
        assert_eq!(wire.expect("group_removed").await, json!({"group_id": group}));
    }
    assert_eq!(of_ana[0].expect("left").await["reason"], "group_deleted");
    // When the last member leaves, the group ends too.
    let alone = ana.create_group("Sola").await;
    assert_eq!(added(&mut of_ana[1]).await["id"], json!(alone));
    assert_eq!(ana.delete(&format!("/api/v1/groups/{alone}/members/{}", ana.id())).await.status, 204);
    assert_eq!(of_ana[1].expect("group_removed").await, json!({"group_id": alone}));
}

#[tokio::test]
async fn a_new_name_is_told_on_all_sockets_of_the_person_and_on_no_others() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, mut of_bob) = (two_of(&ana).await, Wire::open(&bob).await);
    of_ana[0].follow(group, None).await;
    of_bob.follow(group, None).await;
    assert_eq!(ana.patch("/api/v1/account", &json!({"display_name": "Ana María"})).await.status, 200);
    for wire in &mut of_ana {
        let user = json!({"id": ana.id(), "display_name": "Ana María"});
        assert_eq!(wire.expect("account_changed").await, json!({"user": user}));
    }
    ana.sends(group, "soy yo").await;
    let frames = of_bob.until("new_message").await;
    assert!(frames.iter().all(|frame| frame["type"] != "account_changed"), "{frames:?}");
}

/// Another program's change of the member table is noticed while a client follows the group.
#[tokio::test]
async fn an_entry_by_another_program_is_told_while_somebody_follows_the_group() {
    let server = TestServer::start().await;
    let (ana, eva) = (server.register("Ana").await, server.register("Eva").await);
    let group = ana.create_group("Lisboa").await;
    let mut of_ana = Wire::open(&ana).await;
    of_ana.follow(group, None).await;
    let mut of_eva = Wire::open(&eva).await;
    let (user, place) = (server.database().uuid(eva.id()), server.database().uuid(group));
    let mut foreign = server.foreign().await;
    let entry = format!("insert into {{ours}}member (group_id, user_id, role) values ({place}, {user}, 'member')");
    foreign.run(&entry).await;
    assert_eq!(added(&mut of_eva).await["role"], "member");
    foreign.run(&format!("delete from {{ours}}member where group_id = {place} and user_id = {user}")).await;
    assert_eq!(of_eva.expect("group_removed").await, json!({"group_id": group}));
}

/// Regression: a group without messages was at the end of the list, below every group with messages.
#[tokio::test]
async fn a_group_without_messages_stands_in_the_list_by_when_one_entered_it() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.register("Ana").await, server.register("Bob").await);
    let order = async |user: &TestUser| -> Vec<String> {
        let groups = user.get("/api/v1/groups").await.json()["groups"].take();
        groups.as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap().to_owned()).collect()
    };
    let old = ana.create_group("Antiguo").await;
    ana.sends(old, "hace tiempo").await;
    let quiet = ana.create_group("Callado").await;
    assert_eq!(order(&ana).await, ["Callado", "Antiguo"]);
    ana.sends(old, "ahora").await;
    assert_eq!(order(&ana).await, ["Antiguo", "Callado"]);
    // For a user who enters both groups now, both are new. The one entered last is first.
    ana.brings(&bob, old).await;
    ana.brings(&bob, quiet).await;
    assert_eq!(order(&bob).await, ["Callado", "Antiguo"]);
    // Another user's entry does not change the order in one's own list.
    assert_eq!(order(&ana).await, ["Antiguo", "Callado"]);
}
