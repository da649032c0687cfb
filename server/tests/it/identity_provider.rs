//! Users with tokens of Supabase Auth, which the server verifies with the published keys.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{End, KeyServer, Published, SigningKey, TestServer, Wire, eventually, seconds_from_now};

const ANA: &str = "0b1f3d52-4f47-4a61-9c55-6a0f35b7c001";

/// The claims of Supabase for a signed-in user.
fn claims(provider: &KeyServer) -> Value {
    json!({
        "sub": ANA, "iss": provider.issuer(), "aud": "authenticated", "role": "authenticated",
        "exp": seconds_from_now(3_600), "iat": seconds_from_now(0), "is_anonymous": false,
        "session_id": "7a1c1f5e-8a5e-4f4e-9c55-6a0f35b7c0ff", "user_metadata": {"full_name": "Ana María"}
    })
}

async fn server_of(provider: &KeyServer) -> TestServer {
    TestServer::builder().flag(&format!("--supabase-url={}", provider.url())).start().await
}

/// Status and body of `GET /session` with this token.
async fn ask(server: &TestServer, token: &str) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(server.url("/api/v1/session")).bearer_auth(token).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn status(server: &TestServer, token: &str) -> u16 {
    ask(server, token).await.0
}

#[tokio::test]
async fn keys_of_all_three_kinds_let_people_in() {
    let keys = [SigningKey::es256("ec"), SigningKey::rs256("rsa"), SigningKey::ed25519("ed")];
    let provider = KeyServer::start(&keys.each_ref()).await;
    let server = server_of(&provider).await;
    for key in &keys {
        let (status, body) = ask(&server, &key.sign(&claims(&provider))).await;
        assert_eq!((status, body["user"]["id"].as_str()), (200, Some(ANA)));
        assert_eq!(body["user"]["display_name"], "Ana María");
    }
    let mut wire = Wire::open_many_with_token(&server, &keys[0].sign(&claims(&provider))).await;
    assert_eq!(wire.expect("hello").await["user_id"], ANA);
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused_on_every_way() {
    let (key, stranger) = (SigningKey::es256("k1"), SigningKey::es256("k1"));
    let rsa = SigningKey::rs256("k1");
    let provider = KeyServer::start(&[&key]).await;
    let server = server_of(&provider).await;
    let good = claims(&provider);
    let with = |claim: &str, value: Value| {
        let mut claims = good.clone();
        claims[claim] = value;
        key.sign(&claims)
    };
    let without = |claim: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(claim);
        key.sign(&claims)
    };
    let signed = key.sign(&good);
    let (_, rest) = signed.split_once('.').unwrap();
    let public = key.public();
    let as_secret = jsonwebtoken::EncodingKey::from_secret(public.to_string().as_bytes());
    let mut confused = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    confused.kid = Some("k1".into());
    for (name, token) in [
        ("none", format!("eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.{rest}")),
        ("signed with the public key", jsonwebtoken::encode(&confused, &good, &as_secret).unwrap()),
        ("signed by somebody else", stranger.sign(&good)),
        ("another kind of key under the same id", rsa.sign(&good)),
        ("an unknown key", stranger.sign_as(&good, Some("k2"))),
        ("a path for a key", key.sign_as(&good, Some("../../x"))),
        ("no key", key.sign_as(&good, None)),
        ("no exp", without("exp")),
        ("expired", with("exp", json!(seconds_from_now(-31)))),
        ("exp as text", with("exp", json!("tomorrow"))),
        ("negative exp", with("exp", json!(-1))),
        ("not yet", with("nbf", json!(seconds_from_now(60)))),
        ("another audience", with("aud", json!("other"))),
        ("no audience", without("aud")),
        ("another issuer", with("iss", json!("https://evil.supabase.co/auth/v1"))),
        ("no issuer", without("iss")),
        ("no sub", without("sub")),
        ("sub is no id", with("sub", json!("ana"))),
        ("no role", without("role")),
        ("anonymous key", with("role", json!("anon"))),
        ("service key", with("role", json!("service_role"))),
        ("longer than a token is", with("user_metadata", json!({"x": "x".repeat(8 * 1024)}))),
    ] {
        let (status, body) = ask(&server, &token).await;
        assert_eq!((status, body["error"]["code"].as_str()), (401, Some("unauthenticated")), "{name}");
        assert_eq!(Wire::refused_with_token(&server, &token).await, 401, "{name}");
        let mut wire = Wire::open_many_with_token(&server, &signed).await;
        wire.say("auth", json!({ "token": token })).await;
        assert_eq!(wire.end().await, End::Code(4500), "{name}");
    }
    assert_eq!(status(&server, &signed).await, 200);
}

#[tokio::test]
async fn a_rotated_key_is_found_at_once_and_the_old_one_is_forgotten() {
    let (old, new, unknown) = (SigningKey::es256("old"), SigningKey::ed25519("new"), SigningKey::es256("unknown"));
    let provider = KeyServer::start(&[&old]).await;
    let server = server_of(&provider).await;
    assert_eq!(status(&server, &old.sign(&claims(&provider))).await, 200);
    provider.rotate(&[&new]);
    assert_eq!(status(&server, &new.sign(&claims(&provider))).await, 200);
    assert_eq!(status(&server, &old.sign(&claims(&provider))).await, 401);
    for _ in 0..20 {
        assert_eq!(status(&server, &unknown.sign(&claims(&provider))).await, 401);
    }
    assert_eq!(provider.requests(), 2, "an unknown key is a reason to fetch once a minute");
}

#[tokio::test]
async fn known_people_come_in_while_the_provider_is_down() {
    let (key, unknown) = (SigningKey::es256("k1"), SigningKey::es256("k2"));
    let mut provider = KeyServer::start(&[&key]).await;
    let server = server_of(&provider).await;
    assert_eq!(status(&server, &key.sign(&claims(&provider))).await, 200);
    provider.stop().await;
    assert_eq!(status(&server, &unknown.sign(&claims(&provider))).await, 401);
    assert_eq!(status(&server, &key.sign(&claims(&provider))).await, 200);
}

#[tokio::test]
async fn a_provider_that_is_down_at_the_start_is_found_when_it_comes() {
    let key = SigningKey::es256("k1");
    let mut provider = KeyServer::start(&[&key]).await;
    provider.stop().await;
    let server = server_of(&provider).await;
    let ana = server.register("Ana").await;
    let token = key.sign(&claims(&provider));
    let (status, body) = ask(&server, &token).await;
    assert_eq!((status, body["error"]["code"].as_str()), (503, Some("temporarily_unavailable")));
    // An open socket stays open, because nothing shows that its token is invalid.
    let mut wire = Wire::open(&ana).await;
    wire.say("auth", json!({ "token": token })).await;
    assert_eq!(wire.error().await, "temporarily_unavailable");
    provider.start_again().await;
    let (server, token) = (&server, &token);
    eventually("the keys are fetched", || async move { (ask(server, token).await.0 == 200).then_some(()) }).await;
}

#[tokio::test]
async fn nothing_that_a_provider_does_holds_up_a_person_for_long() {
    let key = SigningKey::es256("k1");
    let (provider, elsewhere) = (KeyServer::start(&[&key]).await, KeyServer::start(&[&key]).await);
    let list = format!("{}/auth/v1/.well-known/jwks.json", elsewhere.url());
    for published in [
        Published::Silence,
        Published::Answer(format!("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n{}", "x".repeat(100_000))),
        Published::Answer("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>".into()),
        Published::Answer("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".into()),
        Published::Answer(format!("HTTP/1.1 302 Found\r\nlocation: {list}\r\ncontent-length: 0\r\n\r\n")),
    ] {
        provider.publish(published);
        let server = server_of(&provider).await;
        let start = Instant::now();
        assert_eq!(status(&server, &key.sign(&claims(&provider))).await, 503);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        let ana = server.register("Ana").await;
        Wire::open(&ana).await;
    }
}

#[tokio::test]
async fn a_fresh_token_of_the_provider_keeps_a_socket_open() {
    let key = SigningKey::rs256("k1");
    let provider = KeyServer::start(&[&key]).await;
    let server = server_of(&provider).await;
    let until = |seconds: i64| {
        let mut claims = claims(&provider);
        claims["exp"] = json!(seconds_from_now(seconds));
        key.sign(&claims)
    };
    let mut wire = Wire::open_many_with_token(&server, &until(40)).await;
    let first = wire.expect("auth_expiring").await["expires_at"].as_str().unwrap().to_owned();
    wire.say("auth", json!({"token": until(50)})).await;
    let second = wire.expect("auth_expiring").await["expires_at"].as_str().unwrap().to_owned();
    assert!(second > first, "{second} is not after {first}");
}
