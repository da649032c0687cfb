//! A user with a browser.

use std::net::SocketAddr;

use caravana_protocol::rest::{GroupAnswer, Invite, User, UserAnswer};
use caravana_protocol::{GroupId, UserId};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;

use super::TestServer;

/// The password of every test user.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A user with a cookie jar. Every request carries the origin of the server's own pages, as in a browser.
pub(crate) struct TestUser {
    client: reqwest::Client,
    /// The URL that requests go to.
    base: String,
    /// The origin of the server's own pages.
    origin: String,
    user: Option<User>,
    cookie: String,
    /// The bearer token of a user without a cookie.
    token: Option<String>,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn read(response: reqwest::Response) -> Self {
        Self { status: response.status(), headers: response.headers().clone(), text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} is no JSON: {}", self.status, self.text))
    }

    /// The body of a success.
    pub(crate) fn ok<T: DeserializeOwned>(&self) -> T {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// Status and error code of a refusal. A success has an empty code.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let code = if self.status.is_success() { Value::Null } else { self.json()["error"]["code"].clone() };
        (self.status.as_u16(), code.as_str().unwrap_or("").to_owned())
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.refusal(), (status, code.to_owned()), "{}", self.text);
        let error = &self.json()["error"];
        assert!(!error["message"].as_str().unwrap().is_empty());
        assert_eq!(error["request_id"].as_str(), self.headers["x-request-id"].to_str().ok());
    }
}

impl TestUser {
    pub(crate) fn stranger(server: &TestServer) -> Self {
        let client = reqwest::Client::builder()
            .cookie_store(true)
            // Kept connections are off: one to a killed server would make the next request fail.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { client, base: server.origin(), origin: server.origin(), user: None, cookie: String::new(), token: None }
    }

    pub(crate) async fn register(server: &TestServer, name: &str) -> Self {
        let mut user = Self::stranger(server);
        let email = format!("{}@example.org", name.to_lowercase().replace(' ', "."));
        let body = json!({"email": email, "password": PASSWORD, "display_name": name});
        let answer = user.post("/api/v1/auth/register", &body).await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().clone_into(&mut user.cookie);
        user.user = Some(answer.ok::<UserAnswer>().user);
        user
    }

    /// A user with only a token of the host's backend, in which the user is anonymous.
    pub(crate) async fn guest(server: &TestServer, name: &str) -> Self {
        let later = time::OffsetDateTime::now_utc().unix_timestamp() + 3_600;
        let claims = json!({
            "sub": uuid::Uuid::new_v4(),
            "exp": later,
            "role": "authenticated",
            "is_anonymous": true,
            "name": name,
        });
        let mut user = Self::stranger(server);
        user.token = Some(super::jwt(&claims));
        user.user = Some(user.get("/api/v1/session").await.ok::<UserAnswer>().user);
        user
    }

    /// The same signed-in user, with requests to another address.
    pub(crate) fn by(&self, address: SocketAddr) -> Self {
        let (client, user, cookie) = (self.client.clone(), self.user.clone(), self.cookie.clone());
        let token = self.token.clone();
        Self { client, base: format!("http://{address}"), origin: self.origin.clone(), user, cookie, token }
    }

    pub(crate) fn id(&self) -> UserId {
        self.user.as_ref().expect("a stranger has no id").id
    }

    /// `name=value` of the session cookie.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// A request with this person's cookie or token.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base)).header("origin", &self.origin);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        Answer::read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Posts a form of a page, as a browser without scripts does.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
        Answer::read(request.body(serde_urlencoded::to_string(fields).unwrap()).send().await.unwrap()).await
    }

    /// Posts such a form and returns the target of the redirect.
    pub(crate) async fn form_leads_to(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.form(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
        answer.headers["location"].to_str().unwrap().to_owned()
    }

    /// Makes a group.
    pub(crate) async fn create_group(&self, name: &str) -> GroupId {
        self.post("/api/v1/groups", &json!({"name": name})).await.ok::<GroupAnswer>().group.id
    }

    /// Creates an invite and lets the other user accept it.
    pub(crate) async fn brings(&self, other: &Self, group: GroupId) {
        let invite: Invite = self.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await.ok();
        let _: GroupAnswer = other.post(&format!("/api/v1/invites/{}/accept", invite.token), &json!({})).await.ok();
    }

    /// Sends a message by REST.
    pub(crate) async fn sends(&self, group: GroupId, text: &str) -> Answer {
        self.post(&format!("/api/v1/groups/{group}/messages"), &json!({"message": text})).await
    }

    /// A handshake with this person's cookie, for `tokio_tungstenite::connect_async`.
    pub(crate) fn handshake(&self, path: &str) -> Request {
        let mut request = format!("{}{path}", self.base.replacen("http", "ws", 1)).into_client_request().unwrap();
        if !self.cookie.is_empty() {
            request.headers_mut().insert("cookie", self.cookie.parse().unwrap());
        }
        if let Some(token) = &self.token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        request.headers_mut().insert("origin", self.origin.parse().unwrap());
        request
    }
}
