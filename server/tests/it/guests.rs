//! Guests: users with a token of a person who has not signed up. The tests cover each route, and what happens when a
//! guest signs up.

use caravana_protocol::GroupId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, TestUser, Wire, jwt, seconds_from_now};

/// A guest, who has only a token.
struct Guest<'a> {
    server: &'a TestServer,
    id: String,
    token: String,
}

fn token(id: &str, is_anonymous: bool, name: Option<&str>) -> String {
    jwt(&json!({
        "sub": id, "exp": seconds_from_now(600), "iat": seconds_from_now(0),
        "role": "authenticated", "is_anonymous": is_anonymous, "name": name
    }))
}

impl<'a> Guest<'a> {
    fn new(server: &'a TestServer) -> Self {
        let id = uuid::Uuid::now_v7().to_string();
        Self { server, token: token(&id, true, None), id }
    }

    /// The guest signs up at the host and gets a new token.
    fn signs_up(&mut self, name: &str) {
        self.token = token(&self.id, false, Some(name));
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(method, self.server.url(path)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::read(request.send().await.unwrap()).await
    }

    async fn comes_to(&self, host: &TestUser, group: GroupId) {
        let invite = host.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await.json();
        let path = format!("/api/v1/invites/{}/accept", invite["token"].as_str().unwrap());
        assert_eq!(self.call(Method::POST, &path, None).await.status, 200);
    }
}

#[tokio::test]
async fn a_guest_reads_and_writes_where_invited_and_has_no_groups_of_their_own() {
    let server = TestServer::start().await;
    let olga = server.register("Olga").await;
    let (group, other) = (olga.create_group("Lisboa").await, olga.create_group("Porto").await);
    let guest = Guest::new(&server);
    guest.comes_to(&olga, group).await;
    let api = format!("/api/v1/groups/{group}");
    let text = json!({"message": "hola"});
    let own = guest.call(Method::POST, &format!("{api}/messages"), Some(&text)).await.json();
    let own = format!("{api}/messages/{}", own["message"]["id"].as_str().unwrap());
    for (method, path, body, expected) in [
        (Method::GET, "/api/v1/session".to_owned(), None, 200),
        (Method::GET, "/api/v1/groups".into(), None, 200),
        (Method::GET, api.clone(), None, 200),
        (Method::GET, format!("{api}/members"), None, 200),
        (Method::GET, format!("{api}/messages"), None, 200),
        (Method::GET, format!("{api}/events"), None, 200),
        (Method::GET, format!("/chat/{group}/connections"), None, 200),
        (Method::POST, format!("{api}/messages"), Some(&text), 201),
        (Method::PATCH, own.clone(), Some(&json!({"message": "adiós"})), 200),
        (Method::DELETE, own, None, 204),
        (Method::POST, "/api/v1/ws-ticket".into(), None, 200),
        (Method::POST, "/api/v1/auth/token".into(), None, 401),
        (Method::POST, "/api/v1/groups".into(), Some(&json!({"name": "Sintra"})), 403),
        (Method::POST, format!("{api}/invites"), Some(&json!({})), 403),
        (Method::POST, format!("/api/v1/groups/{other}/invites"), Some(&json!({})), 404),
        (Method::PATCH, api.clone(), Some(&json!({"name": "Sintra"})), 403),
        (Method::DELETE, api.clone(), None, 403),
        (Method::PATCH, format!("{api}/members/{}", olga.id()), Some(&json!({"role": "member"})), 403),
        (Method::DELETE, format!("{api}/members/{}", olga.id()), None, 403),
        (Method::GET, format!("/api/v1/groups/{other}"), None, 404),
        (Method::DELETE, format!("{api}/members/{}", guest.id), None, 204),
        (Method::GET, api.clone(), None, 404),
    ] {
        let answer = guest.call(method.clone(), &path, body).await;
        assert_eq!(answer.status.as_u16(), expected, "{method} {path}: {}", answer.text);
        if expected == 403 {
            answer.refused(403, "forbidden");
        }
    }
}

#[tokio::test]
async fn a_guest_talks_over_a_socket() {
    let server = TestServer::start().await;
    let olga = server.register("Olga").await;
    let group = olga.create_group("Lisboa").await;
    let guest = Guest::new(&server);
    guest.comes_to(&olga, group).await;
    let mut wire = Wire::open_with_token(&server, group, &guest.token).await;
    wire.expect("joined").await;
    wire.say("send_message", json!({"message": "hola"})).await;
    assert_eq!(wire.expect("message_sent").await["user_id"], guest.id);
}

#[tokio::test]
async fn nobody_can_hand_a_group_to_a_guest_until_they_sign_up() {
    let server = TestServer::start().await;
    let olga = server.register("Olga").await;
    let group = olga.create_group("Lisboa").await;
    let mut guest = Guest::new(&server);
    guest.comes_to(&olga, group).await;
    let member = format!("/api/v1/groups/{group}/members/{}", guest.id);
    for role in ["owner", "admin"] {
        olga.patch(&member, &json!({ "role": role })).await.refused(403, "forbidden");
    }
    assert_eq!(olga.patch(&member, &json!({"role": "member"})).await.status, 204);
    guest.signs_up("Greta");
    let session = guest.call(Method::GET, "/api/v1/session", None).await.json();
    assert_eq!(session["user"], json!({"id": guest.id, "display_name": "Greta"}));
    assert_eq!(olga.patch(&member, &json!({"role": "admin"})).await.status, 204);
    assert_eq!(guest.call(Method::POST, "/api/v1/groups", Some(&json!({"name": "Sintra"}))).await.status, 201);
    assert_eq!(guest.call(Method::POST, &format!("/api/v1/groups/{group}/invites"), None).await.status, 201);
}

#[tokio::test]
async fn an_owner_who_leaves_hands_over_to_somebody_permanent_if_there_is_one() {
    let server = TestServer::start().await;
    let (olga, marta) = (server.register("Olga").await, server.register("Marta").await);
    let group = olga.create_group("Lisboa").await;
    let guest = Guest::new(&server);
    guest.comes_to(&olga, group).await;
    olga.brings(&marta, group).await;
    assert_eq!(olga.delete(&format!("/api/v1/groups/{group}/members/{}", olga.id())).await.status, 204);
    let now = marta.get(&format!("/api/v1/groups/{group}")).await.json();
    assert_eq!(now["group"]["role"], "owner", "the guest was here before, and is a guest");
}

/// Regression: the most recently seen token decided. An older token, from before the sign-up and still kept by another
/// page, made the user a guest again.
#[tokio::test]
async fn who_has_signed_up_is_no_guest_again_whatever_an_older_token_says() {
    let server = TestServer::start().await;
    let olga = server.register("Olga").await;
    let group = olga.create_group("Lisboa").await;
    let mut greta = Guest::new(&server);
    greta.comes_to(&olga, group).await;
    let older = greta.token.clone();
    greta.signs_up("Greta");
    assert_eq!(greta.call(Method::GET, "/api/v1/session", None).await.status, 200);
    greta.token = older;
    assert_eq!(greta.call(Method::GET, "/api/v1/session", None).await.status, 200, "it is their token still");
    let member = format!("/api/v1/groups/{group}/members/{}", greta.id);
    assert_eq!(olga.patch(&member, &json!({"role": "admin"})).await.status, 204);
    assert_eq!(greta.call(Method::POST, "/api/v1/groups", Some(&json!({"name": "Sintra"}))).await.status, 201);

    // The same holds for a user who was never here as a guest, and for a user with an account of ours.
    let mut late = Guest::new(&server);
    let older = late.token.clone();
    late.signs_up("Lea");
    assert_eq!(late.call(Method::GET, "/api/v1/session", None).await.status, 200);
    let of_olga =
        Guest { server: &server, id: olga.id().to_string(), token: token(&olga.id().to_string(), true, None) };
    late.token = older;
    for person in [late, of_olga] {
        assert_eq!(person.call(Method::POST, "/api/v1/groups", Some(&json!({"name": "Faro"}))).await.status, 201);
    }
    let now = olga.get(&format!("/api/v1/groups/{group}")).await.json();
    assert_eq!(now["group"]["role"], "owner");
}
