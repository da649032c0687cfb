//! Groups and their members.

use caravana_protocol::rest::{Group, GroupAnswer, GroupsAnswer, MembersAnswer};
use caravana_protocol::{GroupId, Role};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{TestServer, TestUser};

async fn group_of(user: &TestUser, group: GroupId) -> Group {
    user.get(&format!("/api/v1/groups/{group}")).await.ok::<GroupAnswer>().group
}

async fn groups_of(user: &TestUser) -> Vec<Group> {
    user.get("/api/v1/groups").await.ok::<GroupsAnswer>().groups
}

async fn members_of(user: &TestUser, group: GroupId) -> Vec<(String, Role)> {
    let members = user.get(&format!("/api/v1/groups/{group}/members")).await.ok::<MembersAnswer>().members;
    members.into_iter().map(|member| (member.user.display_name, member.role)).collect()
}

#[tokio::test]
async fn the_maker_owns_a_new_group() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let answer = ana.post("/api/v1/groups", &json!({"name": " Lisboa  2027 ", "time_zone": "Europe/Lisbon"})).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let group = answer.ok::<GroupAnswer>().group;
    assert_eq!((group.name.as_str(), group.time_zone.as_deref()), ("Lisboa 2027", Some("Europe/Lisbon")));
    assert_eq!((group.role, group.member_count, group.members_can_invite), (Role::Owner, 1, true));
    assert_eq!((group.unread, group.last_read, group.last_message.is_none()), (0, 0, true));
    assert_eq!(group_of(&ana, group.id).await, group);
    assert_eq!(groups_of(&ana).await, [group]);
}

#[tokio::test]
async fn groups_are_listed_by_last_activity_with_what_is_unread() {
    let server = TestServer::start().await;
    let (ana, luis) = (server.register("Ana").await, server.register("Luis").await);
    let (old, new) = (ana.create_group("Old").await, ana.create_group("New").await);
    ana.brings(&luis, old).await;
    ana.brings(&luis, new).await;
    assert_eq!(groups_of(&luis).await.iter().map(|group| group.id).collect::<Vec<_>>(), [new, old]);
    ana.sends(old, "one").await;
    luis.sends(old, "mine").await;
    let id = ana.sends(old, "two").await.json()["message"]["id"].as_str().unwrap().to_owned();
    let list = groups_of(&luis).await;
    assert_eq!(list.iter().map(|group| group.id).collect::<Vec<_>>(), [old, new]);
    assert_eq!((list[0].unread, list[0].last_message.as_ref().unwrap().message.content.body.as_str()), (2, "two"));
    assert_eq!(group_of(&ana, old).await.unread, 1);
    ana.delete(&format!("/api/v1/groups/{old}/messages/{id}")).await;
    let group = group_of(&luis, old).await;
    assert_eq!(group.unread, 1, "a deleted message is not waiting to be read");
    assert_eq!(
        group.last_message.map(|last| (last.message.content.body, last.message.status)),
        Some((String::new(), false))
    );
}

#[tokio::test]
async fn owner_and_admins_change_a_group() {
    let server = TestServer::start().await;
    let (ana, luis) = (server.register("Ana").await, server.register("Luis").await);
    let group = ana.create_group("Lisboa").await;
    ana.brings(&luis, group).await;
    let path = format!("/api/v1/groups/{group}");
    luis.patch(&path, &json!({"name": "Mine"})).await.refused(403, "forbidden");
    ana.patch(&format!("{path}/members/{}", luis.id()), &json!({"role": "admin"})).await;
    let changed = luis.patch(&path, &json!({"name": "Porto", "members_can_invite": false})).await;
    let changed = changed.ok::<GroupAnswer>().group;
    assert_eq!((changed.name.as_str(), changed.members_can_invite, changed.role), ("Porto", false, Role::Admin));
    ana.patch(&path, &json!({"time_zone": "nowhere!"})).await.refused(422, "bad_request");
    ana.patch(&path, &json!({"name": ""})).await.refused(422, "bad_request");
}

#[tokio::test]
async fn an_ended_group_is_gone_for_everybody() {
    let server = TestServer::start().await;
    let (ana, luis) = (server.register("Ana").await, server.register("Luis").await);
    let group = ana.create_group("Lisboa").await;
    ana.brings(&luis, group).await;
    let path = format!("/api/v1/groups/{group}");
    luis.delete(&path).await.refused(403, "forbidden");
    assert_eq!(ana.delete(&path).await.status, StatusCode::NO_CONTENT);
    for user in [&ana, &luis] {
        user.get(&path).await.refused(404, "not_found");
        assert!(groups_of(user).await.is_empty());
    }
}

#[tokio::test]
async fn roles_are_given_and_the_group_is_handed_over() {
    let server = TestServer::start().await;
    let (ana, luis, eva) = (server.register("Ana").await, server.register("Luis").await, server.register("Eva").await);
    let group = ana.create_group("Lisboa").await;
    ana.brings(&luis, group).await;
    ana.brings(&eva, group).await;
    let member = |user: &TestUser| format!("/api/v1/groups/{group}/members/{}", user.id());
    luis.patch(&member(&eva), &json!({"role": "admin"})).await.refused(403, "forbidden");
    ana.patch(&member(&ana), &json!({"role": "member"})).await.refused(403, "forbidden");
    ana.patch(&member(&luis), &json!({"role": "king"})).await.refused(422, "bad_request");
    assert_eq!(ana.patch(&member(&luis), &json!({"role": "owner"})).await.status, StatusCode::NO_CONTENT);
    let expected = [("Luis", Role::Owner), ("Ana", Role::Admin), ("Eva", Role::Member)];
    assert_eq!(members_of(&eva, group).await, expected.map(|(name, role)| (name.to_owned(), role)));
    ana.delete(&member(&luis)).await.refused(403, "forbidden");
    assert_eq!(ana.delete(&member(&eva)).await.status, StatusCode::NO_CONTENT);
    eva.get(&format!("/api/v1/groups/{group}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_owner_who_leaves_hands_over_and_the_last_one_ends_the_group() {
    let server = TestServer::start().await;
    let (ana, luis, eva) = (server.register("Ana").await, server.register("Luis").await, server.register("Eva").await);
    let group = ana.create_group("Lisboa").await;
    ana.brings(&luis, group).await;
    ana.brings(&eva, group).await;
    let member = |user: &TestUser| format!("/api/v1/groups/{group}/members/{}", user.id());
    ana.patch(&member(&eva), &json!({"role": "admin"})).await;
    ana.delete(&member(&ana)).await;
    let expected = [("Eva", Role::Owner), ("Luis", Role::Member)];
    assert_eq!(members_of(&luis, group).await, expected.map(|(name, role)| (name.to_owned(), role)));
    eva.delete(&member(&eva)).await;
    assert_eq!(members_of(&luis, group).await, [("Luis".to_owned(), Role::Owner)]);
    assert_eq!(luis.delete(&member(&luis)).await.status, StatusCode::NO_CONTENT);
    luis.get(&format!("/api/v1/groups/{group}")).await.refused(404, "not_found");
}
