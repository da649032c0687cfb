//! Frames that no client should send: RELIABILITY's table, frame by frame, and bytes that are no frames.

mod errors;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::support::{End, PATIENCE, TestServer, TestUser, Wire, raw};

async fn one() -> (TestServer, TestUser, caravana_protocol::GroupId) {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    (server, ana, group)
}

#[tokio::test]
async fn each_bad_frame_gets_its_error_and_the_socket_stays_open() {
    let (_server, ana, group) = one().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    let marks = format!("a{}", "\u{0301}".repeat(5_000));
    let cases = [
        (json!({"type": "volar", "data": {}}), Some("unknown_type")),
        (json!({"type": "send_message", "data": {"message": ""}}), Some("empty_message")),
        (json!({"type": "send_message", "data": {"message": " \u{200b}\n"}}), Some("empty_message")),
        (json!({"type": "send_message", "data": {"message": "x".repeat(4_001)}}), Some("message_too_long")),
        (json!({"type": "send_message", "data": {"message": "a\u{0}b"}}), Some("invalid_message")),
        (json!({"type": "send_message", "data": {"message": "x", "id": "1"}}), Some("invalid_id")),
        (json!({"type": "send_message", "data": {"message": "x", "user_id": Uuid::new_v4()}}), Some("user_mismatch")),
        (json!({"type": "send_message", "data": {"message": "x", "group_id": Uuid::new_v4()}}), Some("not_found")),
        (json!({"type": "send_message", "data": {"message": "x", "reply_to": Uuid::new_v4()}}), Some("not_found")),
        (json!({"type": "edit_message", "data": {"id": Uuid::new_v4(), "message": "x"}}), Some("not_found")),
        (json!({"type": "delete_message", "data": {"id": Uuid::new_v4()}}), Some("not_found")),
        (json!({"type": "send_message", "data": {"message": "x".repeat(4_000)}}), None),
        (json!({"type": "send_message", "data": {"message": marks}}), None),
    ];
    for (number, (mut frame, code)) in cases.into_iter().enumerate() {
        frame["ref"] = json!(number.to_string());
        wire.say_text(&frame.to_string()).await;
        match code {
            Some(code) => {
                let error = wire.expect_frame("error").await;
                assert_eq!((&error["code"], &error["ref"]), (&json!(code), &json!(number.to_string())), "{frame}");
            }
            None => {
                wire.expect("message_sent").await;
            }
        }
    }
}

#[tokio::test]
async fn ten_broken_frames_in_a_minute_end_the_socket() {
    let (_server, ana, group) = one().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    for _ in 0..10 {
        wire.say_text("[]").await;
    }
    for _ in 0..10 {
        assert_eq!(wire.error().await, "bad_json");
    }
    assert_eq!(wire.end().await, End::Code(1008));
}

#[tokio::test]
async fn too_many_sends_are_refused_with_the_time_to_wait_but_repetitions_are_answered() {
    let server = TestServer::builder().flag("--send-rate-per-user=1").flag("--send-burst-per-user=3").start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    let ids: Vec<Uuid> = (0..4).map(|_| Uuid::now_v7()).collect();
    for id in &ids {
        wire.say("send_message", json!({"message": "hola", "id": id})).await;
    }
    for _ in 0..3 {
        wire.expect("message_sent").await;
    }
    let error = wire.expect_frame("error").await;
    assert_eq!(
        (&error["code"], &error["retryable"], &error["ref"]),
        (&json!("rate_limited"), &json!(true), &json!(ids[3]))
    );
    assert!((1..=1_001).contains(&error["retry_after_ms"].as_u64().unwrap()), "{error}");
    for _ in 0..5 {
        wire.say("send_message", json!({"message": "hola", "id": ids[0]})).await;
        assert_eq!(wire.expect("message_sent").await["duplicate"], true);
    }
}

#[tokio::test]
async fn a_binary_frame_ends_the_socket() {
    let (_server, ana, group) = one().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    wire.say_raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(wire.end().await, End::Code(1003));
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_socket() {
    let (_server, ana, group) = one().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    wire.say_raw(Message::text("x".repeat(65 * 1024))).await;
    assert_eq!(wire.end().await, End::Code(1009));
}

#[tokio::test]
async fn a_flood_of_pings_ends_the_socket() {
    let (_server, ana, group) = one().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    for _ in 0..31 {
        wire.say_raw(Message::Ping(Vec::new().into())).await;
    }
    assert_eq!(wire.end().await, End::Code(1008));
}

/// Reads server frames until a close frame and returns its code.
async fn close_code(stream: &mut TcpStream) -> Option<u16> {
    let reading = async {
        loop {
            let first = stream.read_u8().await.ok()?;
            let length = match stream.read_u8().await.ok()? {
                126 => usize::from(stream.read_u16().await.ok()?),
                127 => usize::try_from(stream.read_u64().await.ok()?).ok()?,
                length => usize::from(length),
            };
            let mut payload = vec![0; length];
            stream.read_exact(&mut payload).await.ok()?;
            if first == 0x88 {
                return Some(u16::from_be_bytes([payload[0], payload[1]]));
            }
        }
    };
    timeout(PATIENCE, reading).await.expect("the socket was not closed in time")
}

#[tokio::test]
async fn bytes_that_break_the_rfc_are_answered_with_the_codes_of_the_rfc() {
    let (server, ana, _) = one().await;
    let announced = [&[0x81, 0xff][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    let cases: [(&str, Vec<u8>, u16); 8] = [
        ("unmasked", vec![0x81, 1, b'x'], 1002),
        ("a reserved bit", raw::frame(0xc1, b"x"), 1002),
        ("a reserved opcode", raw::frame(0x83, b"x"), 1002),
        ("a continuation of nothing", raw::frame(0x80, b"x"), 1002),
        ("a bad close code", raw::frame(0x88, &999_u16.to_be_bytes()), 1002),
        ("no UTF-8", raw::frame(0x81, &[0xff]), 1007),
        ("a huge length, announced only", announced, 1009),
        ("an ordinary close", raw::frame(0x88, &1000_u16.to_be_bytes()), 1000),
    ];
    for (what, bytes, code) in cases {
        let mut stream = raw::open(&server, &ana, "/ws").await;
        stream.write_all(&bytes).await.unwrap();
        assert_eq!(close_code(&mut stream).await, Some(code), "{what}");
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the server leaves");
    }
}

#[tokio::test]
async fn a_large_message_in_many_small_fragments_ends_the_socket() {
    let (server, ana, _) = one().await;
    let mut stream = raw::open(&server, &ana, "/ws").await;
    // Fragments of 125 bytes, none of them the last. Their sum exceeds the limit.
    let mut bytes = raw::frame(0x01, &[b'x'; 125]);
    for _ in 0..600 {
        bytes.extend(raw::frame(0x00, &[b'x'; 125]));
    }
    // The server may close before it has read everything.
    let _ = stream.write_all(&bytes).await;
    let code = close_code(&mut stream).await;
    assert!(matches!(code, Some(1009) | None), "{code:?}");
    let mut wire = Wire::open(&ana).await;
    wire.say("subscribe", json!({"group_id": Uuid::new_v4()})).await;
    assert_eq!(wire.error().await, "not_found", "the server goes on");
}

#[tokio::test]
async fn a_flood_of_pongs_ends_the_socket() {
    let (_server, ana, group) = one().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    for _ in 0..31 {
        wire.say_raw(Message::Pong(Vec::new().into())).await;
    }
    assert_eq!(wire.end().await, End::Code(1008));
}

#[tokio::test]
async fn frames_that_come_with_the_handshake_are_not_lost() {
    let (server, ana, group) = one().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let text = json!({"type": "send_message", "data": {"message": "temprano"}}).to_string();
    let request = format!(
        "GET /ws/chat/{group} HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\nCookie: {}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address,
        server.origin(),
        ana.cookie(),
    );
    stream.write_all(&[request.as_bytes(), &raw::text(&text)].concat()).await.unwrap();
    let (mut wire, joined) = Wire::open_group(&ana, group).await;
    let seen = joined["head"].as_u64().unwrap() >= 2;
    if !seen {
        assert_eq!(wire.expect("new_message").await["message"], "temprano");
    }
}
