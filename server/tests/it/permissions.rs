//! Each route × owner, member, former member, member of another group, anonymous.

use caravana_protocol::rest::Invite;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestServer, TestUser};

/// The people of the table, in its columns' order.
struct People {
    owner: TestUser,
    member: TestUser,
    former: TestUser,
    other: TestUser,
    anonymous: TestUser,
}

impl People {
    fn all(&self) -> [(&'static str, &TestUser); 5] {
        [
            ("owner", &self.owner),
            ("member", &self.member),
            ("former member", &self.former),
            ("member of another group", &self.other),
            ("anonymous", &self.anonymous),
        ]
    }
}

async fn people(server: &TestServer) -> (People, String) {
    let people = People {
        owner: server.register("Olga").await,
        member: server.register("Marta").await,
        former: server.register("Fermín").await,
        other: server.register("Otto").await,
        anonymous: server.stranger(),
    };
    let group = people.owner.create_group("Lisboa").await;
    people.other.create_group("Porto").await;
    people.owner.brings(&people.member, group).await;
    people.owner.brings(&people.former, group).await;
    people.former.delete(&format!("/api/v1/groups/{group}/members/{}", people.former.id())).await;
    (people, group.to_string())
}

#[tokio::test]
async fn every_route_knows_who_may() {
    let server = TestServer::start().await;
    let (people, group) = people(&server).await;
    let api = format!("/api/v1/groups/{group}");
    let own = people.owner.post(&format!("{api}/messages"), &json!({"message": "hola"})).await.json();
    let message = format!("{api}/messages/{}", own["message"]["id"].as_str().unwrap());
    let text = json!({"message": "hola"});
    // Reads first, then writes, those that end things last; what is refused changes nothing for the next line.
    for (method, path, body, expected) in [
        (Method::GET, api.clone(), None, [200, 200, 404, 404, 401]),
        (Method::GET, format!("{api}/members"), None, [200, 200, 404, 404, 401]),
        (Method::GET, format!("{api}/messages"), None, [200, 200, 404, 404, 401]),
        (Method::GET, format!("{api}/events"), None, [200, 200, 404, 404, 401]),
        (Method::GET, format!("/chat/{group}/connections"), None, [200, 200, 404, 404, 401]),
        (Method::GET, "/api/v1/groups".into(), None, [200, 200, 200, 200, 401]),
        (Method::GET, "/api/v1/session".into(), None, [200, 200, 200, 200, 401]),
        (Method::POST, format!("{api}/messages"), Some(&text), [201, 201, 404, 404, 401]),
        (Method::POST, format!("{api}/invites"), Some(&json!({})), [201, 201, 404, 404, 401]),
        (Method::PATCH, message.clone(), Some(&json!({"message": "adiós"})), [200, 403, 404, 404, 401]),
        (Method::PATCH, api.clone(), Some(&json!({"name": "Sintra"})), [200, 403, 404, 404, 401]),
        (
            Method::PATCH,
            format!("{api}/members/{}", people.member.id()),
            Some(&json!({"role": "member"})),
            [204, 403, 404, 404, 401],
        ),
        (Method::POST, "/api/v1/auth/token".into(), Some(&json!({})), [200, 200, 200, 200, 401]),
        (Method::POST, "/api/v1/ws-ticket".into(), Some(&json!({})), [200, 200, 200, 200, 401]),
    ] {
        for ((name, user), status) in people.all().into_iter().zip(expected) {
            let answer = user.call(method.clone(), &path, body).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path} by {name}: {}", answer.text);
        }
    }
    for (path, expected) in [
        (message, [404, 403, 404, 404, 401]),
        (format!("{api}/members/{}", people.owner.id()), [0, 403, 404, 404, 401]),
        (api, [0, 403, 404, 404, 401]),
    ] {
        for ((name, user), status) in people.all().into_iter().zip(expected).skip(1) {
            let answer = user.delete(&path).await;
            assert_eq!(answer.status.as_u16(), status, "DELETE {path} by {name}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn strangers_can_not_tell_a_foreign_group_from_none() {
    let server = TestServer::start().await;
    let (people, group) = people(&server).await;
    let nowhere = uuid::Uuid::now_v7().to_string();
    let body = |answer: Value| (answer["error"]["code"].clone(), answer["error"]["message"].clone());
    for tail in ["", "/members", "/messages", "/events"] {
        let mut seen = Vec::new();
        for id in [&group, &nowhere] {
            for user in [&people.former, &people.other] {
                seen.push(body(user.get(&format!("/api/v1/groups/{id}{tail}")).await.json()));
            }
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{tail}: {seen:?}");
    }
}

#[tokio::test]
async fn nobody_sees_anothers_email() {
    let server = TestServer::start().await;
    let (people, group) = people(&server).await;
    let answer = people.member.get(&format!("/api/v1/groups/{group}/members")).await;
    assert!(!answer.text.contains("@example.org"), "{}", answer.text);
}

#[tokio::test]
async fn an_invite_made_by_a_member_who_was_removed_still_belongs_to_the_group() {
    let server = TestServer::start().await;
    let (people, group) = people(&server).await;
    let invite: Invite = people.member.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await.ok();
    let removed = format!("/api/v1/groups/{group}/members/{}", people.member.id());
    assert_eq!(people.owner.delete(&removed).await.status, 204);
    assert_eq!(people.anonymous.get(&format!("/api/v1/invites/{}", invite.token)).await.status, 200);
}
