//! The HTTP part of RELIABILITY §4.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::TestServer;

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    for (kind, body, status, code) in [
        ("application/json", "{", 400, "bad_json"),
        ("application/json", "", 400, "bad_json"),
        ("application/json", "\u{feff}{}", 400, "bad_json"),
        ("application/json", "[]", 422, "bad_request"),
        ("application/json", "null", 422, "bad_request"),
        ("application/json", "{} {}", 400, "bad_json"),
        ("application/json", r#"{"name": "\ud800"}"#, 400, "bad_json"),
        ("application/json", r#"{"name": 7}"#, 422, "bad_request"),
        ("application/json", "{}", 422, "bad_request"),
        ("application/json; charset=utf-8", "{}", 422, "bad_request"),
        ("text/plain", r#"{"name": "x"}"#, 415, "bad_request"),
        ("application/x-www-form-urlencoded", "name=x", 415, "bad_request"),
    ] {
        let request = ana.request(Method::POST, "/api/v1/groups").header("content-type", kind).body(body);
        let answer = crate::support::Answer::read(request.send().await.unwrap()).await;
        answer.refused(status, code);
    }
    let deep = "[".repeat(50_000);
    let request = ana.request(Method::POST, "/api/v1/groups").header("content-type", "application/json").body(deep);
    crate::support::Answer::read(request.send().await.unwrap()).await.refused(400, "bad_json");
}

#[tokio::test]
async fn a_large_body_is_refused_announced_or_not() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(64 * 1024));
    let request = |body: reqwest::Body| {
        ana.request(Method::POST, "/api/v1/groups").header("content-type", "application/json").body(body)
    };
    let announced = request(large.clone().into()).send().await.unwrap();
    crate::support::Answer::read(announced).await.refused(413, "too_large");
    // A chunked body has no length header, so the server must read it to find out its size.
    let head = format!(
        "POST /api/v1/groups HTTP/1.1\r\nhost: x\r\ncookie: {}\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        ana.cookie()
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    stream.write_all(chunk.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn ids_that_are_no_uuids_are_refused() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    for path in [
        "/api/v1/groups/7".to_owned(),
        "/api/v1/groups/7/members".into(),
        "/api/v1/groups/..%2F/messages".into(),
        "/api/v1/groups/%FF/messages".into(),
        "/chat/7/connections".into(),
        format!("/api/v1/groups/{}/events", "x".repeat(4_000)),
    ] {
        ana.get(&path).await.refused(400, "invalid_id");
    }
    ana.delete(&format!("/api/v1/groups/{group}/members/7")).await.refused(400, "invalid_id");
    ana.delete("/api/v1/sessions/7").await.refused(400, "invalid_id");
    ana.delete(&format!("/api/v1/groups/{group}/messages/7")).await.refused(400, "invalid_id");
}

#[tokio::test]
async fn a_query_that_can_not_be_understood_is_refused_and_an_unknown_name_is_ignored() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    let api = format!("/api/v1/groups/{group}");
    for query in [
        "messages?limit=0",
        "messages?limit=-1",
        "messages?limit=abc",
        "messages?limit=1.0",
        "messages?limit=201",
        "messages?limit=",
        "messages?before=1&after=1",
        "messages?before=1&around=1",
        "messages?after=1&around=1",
        "messages?before=-1",
        "messages?after=9223372036854775808",
        "events?after=-1",
        "events?after=x",
        "events?epoch=7",
        "events?after=0&after=0",
    ] {
        ana.get(&format!("{api}/{query}")).await.refused(400, "invalid_param");
    }
    for query in ["messages?limit=1&page=2", "messages?limit=200", "events?x", "events?after=0", "events?%FF=%FF"] {
        assert_eq!(ana.get(&format!("{api}/{query}")).await.status, 200, "{query}");
    }
}

#[tokio::test]
async fn head_is_get_without_the_body_and_options_is_refused_with_what_is_allowed() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    for path in ["/healthz", "/readyz", "/version", "/openapi.json", "/docs/api", "/api/v1/session", "/api/v1/groups"] {
        let (get, head) = (ana.get(path).await, ana.call(Method::HEAD, path, None).await);
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.headers["content-type"], get.headers["content-type"], "{path}");
    }
    let refused = ana.call(Method::OPTIONS, "/api/v1/groups", None).await;
    refused.refused(405, "bad_request");
    let mut allowed: Vec<&str> = refused.headers["allow"].to_str().unwrap().split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    assert!(!refused.headers.contains_key("access-control-allow-origin"), "no other page reads our answers");
}

#[tokio::test]
async fn unknown_routes_and_methods_have_the_envelope_too() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    for path in ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v2/groups", "/api/v1/groups/x/y/z/w"] {
        ana.get(path).await.refused(404, "not_found");
    }
    ana.delete("/api/v1/groups").await.refused(405, "bad_request");
    ana.get("/api/v1/auth/login").await.refused(405, "bad_request");
    ana.post("/healthz", &json!({})).await.refused(405, "bad_request");
}

#[tokio::test]
async fn answers_tell_browsers_what_they_are_not_for() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let answer = ana.get("/api/v1/session").await;
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; img-src 'self'; frame-ancestors 'none'"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(answer.headers[name], value, "{name}");
    }
    assert!(!answer.headers.contains_key("strict-transport-security"), "there is no TLS here");
}

#[tokio::test]
async fn too_many_headers_and_too_long_ones_are_cut_off() {
    let server = TestServer::start().await;
    for (head, status) in [
        ("x: y\r\n".repeat(101), "431"),
        (format!("x: {}\r\n", "y".repeat(70 * 1024)), "431"),
        ("broken\r\n".to_owned(), "400"),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{head}\r\n").as_bytes()).await.unwrap();
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"));
    }
}

#[tokio::test]
async fn a_full_server_says_so_and_its_probes_still_answer() {
    let server = TestServer::builder().flag("--max-connections=2").start().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // The answer to a request proves that the server has accepted and counted the connection.
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        held.push(stream);
    }
    let answer = server.stranger().get("/api/v1/session").await;
    answer.refused(503, "overloaded");
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(server.stranger().get("/healthz").await.status, 200);
}

#[tokio::test]
async fn one_address_can_not_take_all_connections() {
    let server = TestServer::builder().flag("--max-connections-per-address=1").start().await;
    let mut held = TcpStream::connect(server.address).await.unwrap();
    held.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    held.read_exact(&mut [0; 12]).await.unwrap();
    server.stranger().get("/api/v1/session").await.refused(429, "rate_limited");
}
