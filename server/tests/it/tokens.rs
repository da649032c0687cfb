//! Sockets that end with their token, and the limit on sockets of one user.

use std::time::{SystemTime, UNIX_EPOCH};

use caravana_protocol::UserId;
use serde_json::json;

use crate::support::{End, TestServer, Wire, jwt};

fn token(user: UserId, seconds: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    jwt(&json!({"sub": user, "exp": now + seconds}))
}

#[tokio::test]
async fn who_has_little_time_left_is_told_at_once_and_may_bring_a_fresh_token() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let mut wire = Wire::open_with_token(&server, group, &token(ana.id(), 40)).await;
    let first = wire.expect("auth_expiring").await["expires_at"].as_str().unwrap().to_owned();
    wire.say("auth", json!({"token": token(ana.id(), 50)})).await;
    let second = wire.expect("auth_expiring").await["expires_at"].as_str().unwrap().to_owned();
    assert!(second > first, "{second} is not after {first}");
    wire.say("auth", json!({"token": token(ana.id(), 3_600)})).await;
    wire.say("send_message", json!({"message": "sigo aquí"})).await;
    wire.expect("message_sent").await;
}

#[tokio::test]
async fn a_token_of_somebody_else_or_of_nobody_ends_the_socket() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.register("Ana").await, server.register("Bob").await);
    for token in [token(bob.id(), 3_600), "no es un token".to_owned()] {
        let mut wire = Wire::open(&ana).await;
        wire.say("auth", json!({"token": token})).await;
        assert_eq!(wire.end().await, End::Code(4500));
    }
}

#[tokio::test]
async fn the_socket_after_the_last_that_one_may_have_is_closed_with_the_reason() {
    let server = TestServer::builder().flag("--max-connections-per-user=2").start().await;
    let ana = server.register("Ana").await;
    let (one, _two) = (Wire::open(&ana).await, Wire::open(&ana).await);
    assert_eq!(Wire::open_at(&ana, "/ws").await.end().await, End::Code(4504));
    drop(one);
    loop {
        let mut again = Wire::open_at(&ana, "/ws").await;
        match again.next().await {
            Ok(frame) => {
                assert_eq!(frame["type"], "hello");
                break;
            }
            // The server has not noticed yet that the first socket is closed.
            Err(end) => assert_eq!(end, End::Code(4504)),
        }
    }
}
