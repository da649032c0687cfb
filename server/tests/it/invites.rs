//! Invite links into a group.

use caravana_protocol::GroupId;
use caravana_protocol::rest::{Invite, InvitesAnswer};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{TestServer, TestUser};

#[tokio::test]
async fn a_link_shows_the_group_and_lets_somebody_in() {
    let server = TestServer::start().await;
    let (ana, luis) = (server.register("Ana").await, server.register("Luis").await);
    let group = ana.create_group("Lisboa").await;
    let answer = ana.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(answer.json()["url"], format!("{}/i/{token}", server.origin()));
    let preview = server.stranger().get(&format!("/api/v1/invites/{token}")).await.json();
    assert_eq!(preview, json!({"group": {"name": "Lisboa", "member_count": 1, "invited_by": "Ana"}}));
    let accept = format!("/api/v1/invites/{token}/accept");
    server.stranger().post(&accept, &json!({})).await.refused(401, "unauthenticated");
    assert_eq!(luis.post(&accept, &json!({})).await.json()["group"]["role"], "member");
    assert_eq!(ana.post(&accept, &json!({})).await.json()["group"]["role"], "owner", "a member stays what they are");
}

#[tokio::test]
async fn a_link_ends_after_its_uses_but_members_may_open_it_again() {
    let server = TestServer::start().await;
    let (ana, luis, eva) = (server.register("Ana").await, server.register("Luis").await, server.register("Eva").await);
    let group = ana.create_group("Lisboa").await;
    let answer = ana.post(&format!("/api/v1/groups/{group}/invites"), &json!({"max_uses": 1})).await;
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let accept = format!("/api/v1/invites/{token}/accept");
    assert_eq!(luis.post(&accept, &json!({})).await.status, StatusCode::OK);
    assert_eq!(luis.post(&accept, &json!({})).await.status, StatusCode::OK);
    eva.post(&accept, &json!({})).await.refused(410, "gone");
    eva.get(&format!("/api/v1/invites/{token}")).await.refused(410, "gone");
    eva.get(&format!("/api/v1/groups/{group}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn two_people_can_not_share_the_last_use() {
    let server = TestServer::start().await;
    let (ana, luis, eva) = (server.register("Ana").await, server.register("Luis").await, server.register("Eva").await);
    let group = ana.create_group("Lisboa").await;
    let answer = ana.post(&format!("/api/v1/groups/{group}/invites"), &json!({"max_uses": 1})).await;
    let accept = format!("/api/v1/invites/{}/accept", answer.json()["token"].as_str().unwrap());
    let body = json!({});
    let (first, second) = tokio::join!(luis.post(&accept, &body), eva.post(&accept, &body));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410]);
}

#[tokio::test]
async fn members_invite_while_the_group_allows_it() {
    let server = TestServer::start().await;
    let (ana, luis) = (server.register("Ana").await, server.register("Luis").await);
    let group = ana.create_group("Lisboa").await;
    ana.brings(&luis, group).await;
    let invites = format!("/api/v1/groups/{group}/invites");
    assert_eq!(luis.post(&invites, &json!({})).await.status, StatusCode::CREATED);
    ana.patch(&format!("/api/v1/groups/{group}"), &json!({"members_can_invite": false})).await;
    luis.post(&invites, &json!({})).await.refused(403, "forbidden");
    assert_eq!(ana.post(&invites, &json!({})).await.status, StatusCode::CREATED);
    for body in [json!({"max_uses": 0}), json!({"expires_in": 0}), json!({"expires_in": -5}), json!({"max_uses": "x"})]
    {
        ana.post(&invites, &body).await.refused(422, "bad_request");
    }
    for body in [json!({"max_uses": 1.5}), json!({"max_uses": 1e300}), json!({"max_uses": -1.0})] {
        ana.post(&invites, &body).await.refused(422, "bad_request");
    }
    let spelled_out = json!({"max_uses": 3.0, "expires_in": 60.0});
    assert_eq!(ana.post(&invites, &spelled_out).await.status, StatusCode::CREATED, "3.0 is 3");
}

#[tokio::test]
async fn an_unknown_link_is_not_found() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    for token in ["x".to_owned(), "A".repeat(43), "..%2F..%2Fetc".to_owned()] {
        ana.get(&format!("/api/v1/invites/{token}")).await.refused(404, "not_found");
        ana.post(&format!("/api/v1/invites/{token}/accept"), &json!({})).await.refused(404, "not_found");
    }
}

fn invites(group: GroupId) -> String {
    format!("/api/v1/groups/{group}/invites")
}

async fn link(user: &TestUser, group: GroupId) -> Invite {
    user.post(&invites(group), &json!({})).await.ok()
}

async fn listed(user: &TestUser, group: GroupId) -> Vec<String> {
    let answer = user.get(&invites(group)).await.ok::<InvitesAnswer>();
    answer.invites.into_iter().map(|invite| invite.id.to_string()).collect()
}

async fn accepts(user: &TestUser, invite: &Invite) -> u16 {
    user.post(&format!("/api/v1/invites/{}/accept", invite.token), &json!({})).await.status.as_u16()
}

async fn removes(user: &TestUser, other: &TestUser, group: GroupId) {
    let answer = user.delete(&format!("/api/v1/groups/{group}/members/{}", other.id())).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
}

#[tokio::test]
async fn living_links_are_listed_for_who_manages_and_one_s_own_for_members_and_can_be_revoked() {
    let server = TestServer::start().await;
    let (ana, luis, eva) = (server.register("Ana").await, server.register("Luis").await, server.register("Eva").await);
    let group = ana.create_group("Lisboa").await;
    let first: Invite = ana.post(&invites(group), &json!({"max_uses": 3})).await.ok();
    assert_eq!(accepts(&luis, &first).await, 200);
    let own = link(&luis, group).await;
    let other_group = ana.create_group("Porto").await;
    let elsewhere = link(&ana, other_group).await;

    let all = ana.get(&invites(group)).await.json();
    let row = all["invites"].as_array().unwrap().iter().find(|row| row["id"] == first.id.to_string()).unwrap();
    assert_eq!((&row["created_by"], &row["uses"], &row["max_uses"]), (&json!(ana.id()), &json!(1), &json!(3)));
    assert_eq!(row["expires_at"], json!(first.expires_at));
    assert!(row["created_at"].is_string() && !all.to_string().contains(&first.token));
    assert_eq!(listed(&ana, group).await.len(), 2);
    assert_eq!(listed(&luis, group).await, [own.id.to_string()]);

    // A link of another member is visible only to members who manage the group. A link of another group is not visible
    // at all.
    let revoke = |invite: &Invite| format!("{}/{}", invites(group), invite.id);
    luis.delete(&revoke(&first)).await.refused(404, "not_found");
    eva.delete(&revoke(&first)).await.refused(404, "not_found");
    ana.delete(&revoke(&elsewhere)).await.refused(404, "not_found");
    ana.delete(&format!("{}/no-id", invites(group))).await.refused(400, "invalid_id");
    for _ in 0..2 {
        assert_eq!(luis.delete(&revoke(&own)).await.status, StatusCode::NO_CONTENT, "doing it again changes nothing");
    }
    assert_eq!(ana.delete(&revoke(&first)).await.status, StatusCode::NO_CONTENT);
    for invite in [&own, &first] {
        assert_eq!(accepts(&eva, invite).await, 410);
        server.stranger().get(&format!("/api/v1/invites/{}", invite.token)).await.refused(410, "gone");
    }
    assert_eq!(accepts(&luis, &first).await, 200, "a member just goes on to the group");
    assert!(listed(&ana, group).await.is_empty());
    assert_eq!(accepts(&eva, &elsewhere).await, 200);

    // A used-up link is in no list.
    let once: Invite = ana.post(&invites(group), &json!({"max_uses": 1})).await.ok();
    assert_eq!(accepts(&eva, &once).await, 200);
    assert!(listed(&ana, group).await.is_empty());
}

/// Regression: a removed user could come back by any valid link: one that they had made themselves or had used before,
/// even after members were no longer allowed to invite.
#[tokio::test]
async fn who_was_removed_comes_back_only_by_a_later_link_of_who_manages() {
    let server = TestServer::start().await;
    let (ana, luis, eva) = (server.register("Ana").await, server.register("Luis").await, server.register("Eva").await);
    let group = ana.create_group("Lisboa").await;
    ana.brings(&luis, group).await;
    let by_luis = link(&luis, group).await;
    let before = link(&ana, group).await;
    ana.brings(&eva, group).await;
    let (by_eva, sister) = (link(&eva, group).await, server.register("Lea").await);
    removes(&ana, &luis, group).await;

    assert_eq!(accepts(&sister, &by_luis).await, 410, "a removal revokes the links that the person made");
    assert_eq!(listed(&ana, group).await.len(), 4);
    let later_by_eva = link(&eva, group).await;
    for invite in [&by_luis, &before, &by_eva, &later_by_eva] {
        assert_eq!(accepts(&luis, invite).await, 410);
    }
    luis.get(&format!("/api/v1/groups/{group}")).await.refused(404, "not_found");
    assert_eq!(accepts(&sister, &before).await, 200, "it stays good for everybody else");
    let after = link(&ana, group).await;
    assert_eq!(accepts(&luis, &after).await, 200);
    assert_eq!(accepts(&sister, &by_luis).await, 200, "a member");
    assert_eq!(accepts(&server.register("Teo").await, &by_luis).await, 410, "what was revoked stays so");

    // A user who leaves may come back by any valid link. The links that the user made are revoked.
    let own = link(&luis, group).await;
    removes(&luis, &luis, group).await;
    assert_eq!(accepts(&luis, &own).await, 410);
    assert_eq!(accepts(&luis, &before).await, 200);
    // After a second removal, links from before it are invalid too.
    removes(&ana, &luis, group).await;
    assert_eq!(accepts(&luis, &after).await, 410);
}

#[tokio::test]
async fn links_of_members_rest_while_the_group_does_not_let_them_invite() {
    let server = TestServer::start().await;
    let (ana, luis, eva) = (server.register("Ana").await, server.register("Luis").await, server.register("Eva").await);
    let group = ana.create_group("Lisboa").await;
    ana.brings(&luis, group).await;
    let (of_member, of_owner) = (link(&luis, group).await, link(&ana, group).await);
    let may = async |may: bool| {
        let patch = json!({"members_can_invite": may});
        assert_eq!(ana.patch(&format!("/api/v1/groups/{group}"), &patch).await.status, StatusCode::OK);
    };
    may(false).await;
    assert_eq!(accepts(&eva, &of_member).await, 410);
    eva.get(&format!("/api/v1/invites/{}", of_member.token)).await.refused(410, "gone");
    assert!(!listed(&ana, group).await.contains(&of_member.id.to_string()));
    assert_eq!(luis.delete(&format!("{}/{}", invites(group), of_member.id)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(accepts(&eva, &of_owner).await, 200);
    may(true).await;
    assert_eq!(accepts(&server.register("Teo").await, &of_member).await, 410, "revoked meanwhile");
}

/// A removal and a use of a link at the same moment happen one after the other. No user is a member after both.
#[tokio::test]
async fn a_link_that_is_followed_while_it_ends_lets_in_before_that_or_not_at_all() {
    let server = TestServer::start().await;
    let (ana, luis) = (server.register("Ana").await, server.register("Luis").await);
    for round in 0..8 {
        let group = ana.create_group("Lisboa").await;
        ana.brings(&luis, group).await;
        let (by_luis, by_ana) = (link(&luis, group).await, link(&ana, group).await);
        let eva = server.register(&format!("Eva {round}")).await;
        let path = format!("/api/v1/groups/{group}/members/{}", luis.id());
        let revoke = format!("{}/{}", invites(group), by_ana.id);
        let (removed, revoked, back, came) =
            tokio::join!(ana.delete(&path), ana.delete(&revoke), accepts(&luis, &by_ana), accepts(&eva, &by_luis));
        assert_eq!((removed.status.as_u16(), revoked.status.as_u16()), (204, 204));
        // Either he was still a member when he used the link, or the link was no longer valid for him.
        assert!(matches!(back, 200 | 404 | 410) && matches!(came, 200 | 410), "{back} {came}");
        luis.get(&format!("/api/v1/groups/{group}")).await.refused(404, "not_found");
        assert_eq!(accepts(&luis, &by_luis).await, 410);
        assert_eq!(accepts(&luis, &by_ana).await, 410);
    }
}
