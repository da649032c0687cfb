//! Sockets end when the sign-in behind them ends (G10). A ticket has no more rights than its sign-in.

use std::time::{Duration, Instant};

use caravana_protocol::UserId;
use caravana_store::{NewAccount, NewSession, Proof, SecretHash, TokenHolder};
use serde_json::json;

use crate::support::database::{Database, Kind};
use crate::support::{End, TestServer, TestUser, Wire, jwt, seconds_from_now};

/// G10's limit on this instance, and below it what a busy machine may add.
const PROMISED: Duration = Duration::from_secs(5);
const BUSY: Duration = Duration::from_secs(2);

async fn ticket(user: &TestUser) -> String {
    let answer = user.post("/api/v1/ws-ticket", &json!({})).await.json();
    format!("/ws?ticket={}", answer["ticket"].as_str().unwrap())
}

async fn token(user: &TestUser) -> String {
    let answer = user.post("/api/v1/auth/token", &json!({})).await.json();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn ends_in_time(wire: &mut Wire, code: u16) {
    let start = Instant::now();
    assert_eq!(wire.end().await, End::Code(code));
    assert!(start.elapsed() < PROMISED + BUSY, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_logout_ends_all_that_grew_out_of_the_sign_in_and_nothing_else() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let phone = server.stranger();
    let credentials = json!({"email": "ana@example.org", "password": crate::support::PASSWORD});
    assert_eq!(phone.post("/api/v1/auth/login", &credentials).await.status, 200);
    let (token, used, unused) = (token(&ana).await, ticket(&ana).await, ticket(&ana).await);
    let mut ended = [
        Wire::open(&ana).await,
        Wire::open_many_with_token(&server, &token).await,
        Wire::open_bare(&server, &used).await.unwrap(),
    ];
    let mut of_the_phone = Wire::open_bare(&server, &ticket(&phone).await).await.unwrap();
    ana.post("/api/v1/auth/logout", &json!({})).await;
    for wire in &mut ended {
        ends_in_time(wire, 4505).await;
    }
    assert_eq!(Wire::refused_with_token(&server, &token).await, 401, "a token ends with the sign-in that made it");
    assert_eq!(Wire::open_bare(&server, &unused).await.err(), Some(401), "and so does a ticket");
    of_the_phone.expect("hello").await;
    of_the_phone.say("unsubscribe", json!({"group_id": uuid::Uuid::now_v7()})).await;
    of_the_phone.expect("left").await;
}

#[tokio::test]
async fn a_sign_in_that_was_idle_for_too_long_ends_its_open_sockets() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.register("Ana").await, server.register("Bob").await);
    let mut sockets = [Wire::open(&ana).await, Wire::open_bare(&server, &ticket(&ana).await).await.unwrap()];
    let mut of_bob = Wire::open(&bob).await;
    // Simulates that two weeks have passed.
    let over =
        format!("update {{ours}}session set expires_at = {} where user_id = '{}'", seconds_from_now(0), ana.id());
    server.foreign().await.run(&over).await;
    for wire in &mut sockets {
        ends_in_time(wire, 4505).await;
    }
    of_bob.say("unsubscribe", json!({"group_id": uuid::Uuid::now_v7()})).await;
    of_bob.expect("left").await;
}

#[tokio::test]
async fn who_signs_out_everywhere_is_out_with_tokens_of_a_host_too() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let of_host =
        |issued: i64| jwt(&json!({"sub": ana.id(), "exp": seconds_from_now(600), "iat": seconds_from_now(issued)}));
    let old = of_host(-1);
    let mut wire = Wire::open_many_with_token(&server, &old).await;
    let out = format!("insert into {{ours}}sign_out (user_id, at) values ('{}', {})", ana.id(), seconds_from_now(0));
    server.foreign().await.run(&out).await;
    ends_in_time(&mut wire, 4505).await;
    assert_eq!(Wire::refused_with_token(&server, &old).await, 401);
    assert_eq!(Wire::refused_with_token(&server, &of_host(1)).await, 101, "who signs in anew is in");
}

#[tokio::test]
async fn a_socket_ends_with_its_token_also_when_a_ticket_stands_between() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    // The token has already expired: eight of the thirty seconds of leeway are left.
    let end = seconds_from_now(-22);
    let late = jwt(&json!({"sub": ana.id(), "exp": end}));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let issued = client.post(server.url("/api/v1/ws-ticket")).bearer_auth(&late).send().await.unwrap();
    let issued: serde_json::Value = issued.json().await.unwrap();
    let path = format!("/ws?ticket={}", issued["ticket"].as_str().unwrap());
    let mut sockets =
        [Wire::open_many_with_token(&server, &late).await, Wire::open_bare(&server, &path).await.unwrap()];
    for wire in &mut sockets {
        wire.expect("auth_expiring").await;
    }
    for wire in &mut sockets {
        assert_eq!(wire.end().await, End::Code(4001));
        let since = seconds_from_now(0) - end;
        assert!((29..=37).contains(&since), "{since} seconds after the token's end");
    }
}

#[tokio::test]
async fn a_token_that_ends_when_nobody_lives_any_more_harms_nobody() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let token = jwt(&json!({"sub": ana.id(), "exp": 253_402_300_799_i64}));
    let mut wire = Wire::open_many_with_token(&server, &token).await;
    wire.expect("hello").await;
    wire.say("auth", json!({ "token": token })).await;
    wire.say("unsubscribe", json!({"group_id": uuid::Uuid::now_v7()})).await;
    wire.expect("left").await;
}

#[tokio::test]
async fn signing_out_everywhere_spares_what_is_kept_and_what_is_newer() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(Kind::chosen(), folder.path().join("x.db")).await;
    let store = database.open().await;
    let (ana, now, later) = (UserId::new(uuid::Uuid::now_v7()), 1_000, 2_000);
    let account =
        NewAccount { id: ana, email: "ana@example.org".into(), display_name: "Ana".into(), password_hash: "x".into() };
    store.create_account(account).await.unwrap();
    let (here, there, ticket): (SecretHash, SecretHash, SecretHash) = ([1; 32], [2; 32], [3; 32]);
    for session in [here, there] {
        let session =
            NewSession { token: session, user: ana, password_hash: "x".into(), browser: None, now, expires_at: later };
        store.create_session(session).await.unwrap();
    }
    let by_cookie = |session| Proof { session: Some(session), ..Proof::default() };
    let by_token = |issued_at| Proof { issued_at, expires_at: Some(later), session: None };
    let [before, same, after] = [999, 1_000, 1_001].map(|second| by_token(Some(second)));
    let proofs = [by_cookie(here), by_cookie(there), before, same, after, by_token(None)];
    let holder = |proof| TokenHolder { id: ana, display_name: None, is_guest: false, proof };
    let all = || proofs.iter().map(|proof| (ana, *proof)).collect::<Vec<_>>();
    store.create_ticket(ticket, (ana, by_cookie(here)), later).await.unwrap();
    assert_eq!(store.ended(all(), now).await.unwrap(), []);

    store.end_sign_ins(ana, Some(here), now).await.unwrap();
    assert!(store.session(here, now).await.unwrap().is_some());
    assert!(store.session(there, now).await.unwrap().is_none());
    assert!(store.take_ticket(ticket, now).await.unwrap().is_none());
    let over: Vec<Proof> = store.ended(all(), now).await.unwrap().into_iter().map(|(_, proof)| proof).collect();
    // A token only says the second in which it was signed. A token from the second of the sign-out may be older than
    // it, so it ends, and so does a token without a time.
    assert_eq!(over, [by_cookie(there), before, same, by_token(None)]);
    for proof in proofs {
        let is_known = store.token_holder(holder(proof), now).await.unwrap().is_some();
        assert_eq!(is_known, proof == after, "{proof:?}");
    }
    // A second sign-out in the same second counts as one second later, so that it also ends what was made between the
    // two.
    assert_eq!(store.last_sign_out(ana).await.unwrap(), Some(1_000));
    store.end_sign_ins(ana, Some(here), now).await.unwrap();
    assert_eq!(store.last_sign_out(ana).await.unwrap(), Some(1_001));
    assert!(store.token_holder(holder(after), now).await.unwrap().is_none());
}

/// Regression: a token made in the second in which its holder signed out everywhere stayed valid, because both times
/// were equal.
#[tokio::test]
async fn no_token_of_the_second_of_a_sign_out_outlives_it_and_the_next_one_is_good() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let token =
        async || ana.post("/api/v1/auth/token", &json!({})).await.json()["access_token"].as_str().unwrap().to_owned();
    let status = async |token: &str| {
        client.get(server.url("/api/v1/session")).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    // All of it within one or two seconds, several times in each.
    for _ in 0..5 {
        let before = token().await;
        assert_eq!(status(&before).await, 200);
        assert_eq!(ana.delete("/api/v1/sessions").await.status, 204);
        let after = token().await;
        assert_eq!((status(&before).await, status(&after).await), (401, 200));
    }
    let of_host = |iat| jwt(&json!({"sub": ana.id(), "exp": seconds_from_now(600), "iat": iat}));
    let second = seconds_from_now(0);
    assert_eq!(status(&of_host(second)).await, 401, "it may be older");
    assert_eq!(status(&of_host(second + 10)).await, 200);
}

/// Regression: each sign-out everywhere was dated one second after the previous one. After a hundred within one second,
/// new tokens were dated in the future, and the host's tokens were refused for that time.
#[tokio::test]
async fn however_often_somebody_signs_out_everywhere_the_next_second_is_theirs_again() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let status = async |token: &str| {
        client.get(server.url("/api/v1/session")).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    for _ in 0..30 {
        assert_eq!(ana.delete("/api/v1/sessions").await.status, 204);
    }
    let next = seconds_from_now(2);
    let of_host = jwt(&json!({"sub": ana.id(), "exp": seconds_from_now(600), "iat": next}));
    assert_eq!(status(&of_host).await, 200);
    assert_eq!(status(&token(&ana).await).await, 200);
    let dated = server.foreign().await.numbers("select max(at) from {ours}sign_out").await;
    assert!(dated[0] < next, "{dated:?} and not before {next}");
}
