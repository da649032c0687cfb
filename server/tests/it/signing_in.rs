//! Sign up, sign in, sign out, tokens, and which requests the cookie may authenticate.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestServer, TestUser, jwt};

#[tokio::test]
async fn somebody_signs_up_out_and_in_again() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let session = ana.get("/api/v1/session").await.json();
    assert_eq!(session["user"]["display_name"], "Ana");
    assert_eq!(session["user"]["email"], "ana@example.org");
    assert_eq!(ana.post("/api/v1/auth/logout", &json!({})).await.status, StatusCode::NO_CONTENT);
    ana.get("/api/v1/session").await.refused(401, "unauthenticated");
    let answer = ana.post("/api/v1/auth/login", &json!({"email": " ANA@example.org", "password": PASSWORD})).await;
    assert_eq!(answer.json()["user"]["id"], session["user"]["id"]);
    assert_eq!(ana.get("/api/v1/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sign_in_has_a_new_guarded_secret_each_time_and_ends_alone() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let phone = server.stranger();
    let answer = phone.post("/api/v1/auth/login", &json!({"email": "ana@example.org", "password": PASSWORD})).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("caravana_session=") && !cookie.starts_with(ana.cookie()), "{cookie}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=1209600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    phone.post("/api/v1/auth/logout", &json!({})).await;
    assert_eq!(ana.get("/api/v1/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn behind_tls_the_cookie_can_not_be_set_by_a_neighbour() {
    let server = TestServer::builder().flag("--public-url=https://chat.example.org").start().await;
    let body = json!({"email": "ana@example.org", "password": PASSWORD, "display_name": "Ana"});
    let request = server.stranger().request(Method::POST, "/api/v1/auth/register");
    let answer = request.header("sec-fetch-site", "same-origin").json(&body).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-caravana_session=") && cookie.contains("; Secure"), "{cookie}");
    assert!(answer.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn an_unknown_email_and_a_wrong_password_look_the_same() {
    let server = TestServer::start().await;
    server.register("Ana").await;
    let guest = server.stranger();
    let mut bodies = Vec::new();
    for email in ["ana@example.org", "nobody@example.org"] {
        let answer = guest.post("/api/v1/auth/login", &json!({"email": email, "password": "wrong password"})).await;
        answer.refused(401, "invalid_credentials");
        bodies.push(answer.json()["error"]["message"].clone());
    }
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn the_sixth_failed_try_has_to_wait_even_with_the_right_password() {
    let server = TestServer::start().await;
    server.register("Ana").await;
    let login = |password: &'static str| {
        let guest = server.stranger();
        async move { guest.post("/api/v1/auth/login", &json!({"email": "ana@example.org", "password": password})).await }
    };
    for _ in 0..5 {
        login("wrong password").await.refused(401, "invalid_credentials");
    }
    let answer = login(PASSWORD).await;
    answer.refused(429, "rate_limited");
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
}

#[tokio::test]
async fn an_account_needs_an_email_a_name_and_a_long_password() {
    let server = TestServer::start().await;
    let good = json!({"email": "ana@example.org", "password": PASSWORD, "display_name": "Ana"});
    for (field, value) in [
        ("email", "ana"),
        ("password", "elevenchars"),
        ("password", &"x".repeat(129)),
        ("display_name", " \u{200b} "),
        ("display_name", &"x".repeat(61)),
    ] {
        let mut body = good.clone();
        body[field] = json!(value);
        server.stranger().post("/api/v1/auth/register", &body).await.refused(422, "bad_request");
    }
    assert_eq!(server.stranger().post("/api/v1/auth/register", &good).await.status, StatusCode::CREATED);
    server.stranger().post("/api/v1/auth/register", &good).await.refused(409, "id_conflict");
}

#[tokio::test]
async fn an_invalid_sign_up_does_not_count_as_a_guess() {
    let server = TestServer::start().await;
    let with = |password: &str| json!({"email": "ana@example.org", "password": password, "display_name": "Ana"});
    for _ in 0..8 {
        server.stranger().post("/api/v1/auth/register", &with("short")).await.refused(422, "bad_request");
    }
    assert_eq!(server.stranger().post("/api/v1/auth/register", &with(PASSWORD)).await.status, StatusCode::CREATED);
    for _ in 0..5 {
        server.stranger().post("/api/v1/auth/register", &with(PASSWORD)).await.refused(409, "id_conflict");
    }
    server.stranger().post("/api/v1/auth/register", &with(PASSWORD)).await.refused(429, "rate_limited");
}

#[tokio::test]
async fn a_write_with_a_cookie_needs_proof_of_our_own_page() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let own = server.origin();
    let post = |headers: Vec<(&'static str, String)>| {
        let mut request = reqwest::Client::builder().no_proxy().build().unwrap().post(server.url("/api/v1/groups"));
        request = request.header("cookie", ana.cookie()).json(&json!({"name": "Lisboa"}));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        async move { request.send().await.unwrap().status().as_u16() }
    };
    for (headers, status) in [
        (vec![("sec-fetch-site", "same-origin".to_owned())], 201),
        (vec![("origin", own.clone())], 201),
        (vec![("sec-fetch-site", "none".into()), ("origin", own.clone())], 201),
        (vec![], 403),
        (vec![("sec-fetch-site", "none".into())], 403),
        (vec![("sec-fetch-site", "cross-site".into()), ("origin", own.clone())], 403),
        (vec![("sec-fetch-site", "same-site".into())], 403),
        (vec![("origin", "null".into())], 403),
        (vec![("origin", "https://evil.org".into())], 403),
        (vec![("origin", format!("{own}.evil.org"))], 403),
        (vec![("origin", own.replace("http", "https"))], 403),
    ] {
        let shown = format!("{headers:?}");
        assert_eq!(post(headers).await, status, "{shown}");
    }
    let foreign_page =
        server.stranger().request(Method::POST, "/api/v1/auth/login").header("sec-fetch-site", "cross-site");
    let credentials = json!({"email": "ana@example.org", "password": PASSWORD});
    assert_eq!(foreign_page.json(&credentials).send().await.unwrap().status(), 403, "nobody is signed in from afar");
}

#[tokio::test]
async fn a_program_needs_no_cookie_and_no_origin() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let token = ana.post("/api/v1/auth/token", &json!({})).await.json();
    let token = token["access_token"].as_str().unwrap();
    let program = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = program
        .post(server.url("/api/v1/groups"))
        .bearer_auth(token)
        .json(&json!({"name": "Lisboa"}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    // A token can not be used to get another token. Only the cookie of a page can.
    let again = program.post(server.url("/api/v1/auth/token")).bearer_auth(token).send().await.unwrap();
    assert_eq!(again.status(), 401);
}

#[tokio::test]
async fn a_user_of_the_hosts_backend_is_created_at_first_sight() {
    let server = TestServer::start().await;
    let id = "0b1f3d52-4f47-4a61-9c55-6a0f35b7c001";
    let token = jwt(&json!({"sub": id, "exp": jwt_later(), "name": "Lucía"}));
    let session = with_token(&server, &token).await;
    assert_eq!(session.1["user"]["display_name"], "Lucía");
    assert_eq!(session.1["user"]["id"], id);
    let nameless = jwt(&json!({"sub": "0b1f3d52-4f47-4a61-9c55-6a0f35b7c002", "exp": jwt_later()}));
    assert_eq!(with_token(&server, &nameless).await.1["user"]["display_name"], "Viajero");
}

#[tokio::test]
async fn bad_tokens_open_no_session() {
    let server = TestServer::start().await;
    let sub = "0b1f3d52-4f47-4a61-9c55-6a0f35b7c001";
    let good = jwt(&json!({"sub": sub, "exp": jwt_later()}));
    let (_, rest) = good.split_once('.').unwrap();
    for (name, token) in [
        ("none", format!("eyJhbGciOiJub25lIn0.{rest}")),
        ("expired", jwt(&json!({"sub": sub, "exp": 1_000_000}))),
        ("no exp", jwt(&json!({"sub": sub}))),
        ("not yet", jwt(&json!({"sub": sub, "exp": jwt_later(), "nbf": jwt_later()}))),
        ("no sub", jwt(&json!({"exp": jwt_later()}))),
        ("anonymous", jwt(&json!({"sub": sub, "exp": jwt_later(), "role": "anon"}))),
        ("service", jwt(&json!({"sub": sub, "exp": jwt_later(), "role": "service_role"}))),
        ("cut", good[..good.len() - 2].to_owned()),
        ("empty", String::new()),
    ] {
        assert_eq!(with_token(&server, &token).await.0, 401, "{name}");
    }
    assert_eq!(with_token(&server, &good).await.0, 200);
    let huge = "x".repeat(2 * 1024 * 1024);
    let refused = reqwest::Client::builder().no_proxy().build().unwrap();
    let refused = refused.get(server.url("/api/v1/session")).bearer_auth(huge).send().await;
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status() == 431));
    let ana = server.register("Ana").await;
    ana.get(&format!("/api/v1/session?access_token={good}")).await.refused(400, "token_in_url");
}

fn jwt_later() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + 600
}

async fn with_token(server: &TestServer, token: &str) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(server.url("/api/v1/session")).bearer_auth(token).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn eight_people_can_sign_up_from_one_address() {
    let server = TestServer::start().await;
    for n in 0..8 {
        TestUser::register(&server, &format!("Guest {n}")).await;
    }
}
