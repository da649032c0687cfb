//! Who may what: each route and each frame × owner, admin, member, former member, member of another group, guest,
//! anonymous.
//!
//! The rows are compared with what there is: the routes with the OpenAPI document (which a test of the server holds
//! equal to the routes that are served), the frames with the protocol's list. A new one without a row fails.

mod frames;
mod people;
mod routes;

use caravana_protocol::rest::Invite;
use serde_json::{Value, json};

use crate::support::TestServer;
use people::People;

#[tokio::test]
async fn strangers_can_not_tell_a_foreign_group_from_none() {
    let server = TestServer::start().await;
    let people = People::arrive(&server).await;
    let group = people.meet().await.group.to_string();
    let nowhere = uuid::Uuid::now_v7().to_string();
    let body = |answer: Value| (answer["error"]["code"].clone(), answer["error"]["message"].clone());
    for path in [
        "/api/v1/groups/{}",
        "/api/v1/groups/{}/members",
        "/api/v1/groups/{}/messages",
        "/api/v1/groups/{}/events",
        "/chat/{}/connections",
    ] {
        let mut seen = Vec::new();
        for id in [&group, &nowhere] {
            for user in [&people.former, &people.other] {
                seen.push(body(user.get(&path.replace("{}", id)).await.json()));
            }
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{path}: {seen:?}");
    }
}

#[tokio::test]
async fn nobody_sees_anothers_email() {
    let server = TestServer::start().await;
    let people = People::arrive(&server).await;
    let group = people.meet().await.group.to_string();
    let answer = people.member.get(&format!("/api/v1/groups/{group}/members")).await;
    assert!(!answer.text.contains("@example.org"), "{}", answer.text);
}

#[tokio::test]
async fn an_invite_made_by_a_member_who_was_removed_still_belongs_to_the_group() {
    let server = TestServer::start().await;
    let people = People::arrive(&server).await;
    let group = people.meet().await.group.to_string();
    let invite: Invite = people.member.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await.ok();
    let removed = format!("/api/v1/groups/{group}/members/{}", people.member.id());
    assert_eq!(people.owner.delete(&removed).await.status, 204);
    assert_eq!(people.anonymous.get(&format!("/api/v1/invites/{}", invite.token)).await.status, 200);
}
