//! Links that lead into a group.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::TestServer;

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
    assert_eq!(preview, json!({"group": {"name": "Lisboa", "member_count": 1}}));
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
