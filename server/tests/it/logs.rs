//! Data that must never be in a log or a metric (RELIABILITY §5.12): bodies, tokens, cookies, query strings, e-mails,
//! names, passwords.
//!
//! All servers of the suite are checked ([`crate::support::canary`]). Here a real process with the most verbose logs of
//! every crate gets every kind of request. Then the test searches its whole log for the data of these requests.

use futures::SinkExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::support::canary::{CANARY, secret_in};
use crate::support::{Answer, TestServer, TestUser, Wire, jwt, seconds_from_now};

/// A signed-in user with the canary in every property.
async fn bird(server: &TestServer) -> TestUser {
    let bird = server.register(CANARY).await;
    let account = json!({"email": format!("{CANARY}@{CANARY}.org"), "password": format!("{CANARY} {CANARY}"),
        "display_name": CANARY});
    let stranger = server.stranger();
    assert_eq!(stranger.post("/api/v1/auth/register", &account).await.status, 201);
    stranger.post("/api/v1/auth/login", &account).await;
    let wrong = json!({"email": format!("{CANARY}@{CANARY}.org"), "password": format!("{CANARY} no")});
    // Also sign-ins that are refused because there were too many.
    for _ in 0..7 {
        stranger.post("/api/v1/auth/login", &wrong).await;
    }
    bird
}

/// Uses the group of the canary in every way. All requests succeed.
async fn lives(server: &TestServer, bird: &TestUser) -> Vec<String> {
    let group = bird.create_group(CANARY).await;
    let path = format!("/api/v1/groups/{group}");
    let sent = bird.sends(group, CANARY).await.json();
    let message = sent["message"]["id"].as_str().unwrap().to_owned();
    bird.patch(&format!("{path}/messages/{message}"), &json!({"message": format!("{CANARY} otra vez")})).await;
    bird.patch(&path, &json!({"name": format!("{CANARY} dos")})).await;
    let invite = bird.post(&format!("{path}/invites"), &json!({})).await.json();
    let invite = invite["token"].as_str().unwrap().to_owned();
    let ticket = bird.post("/api/v1/ws-ticket", &json!({})).await.json()["ticket"].as_str().unwrap().to_owned();
    let token = bird.post("/api/v1/auth/token", &json!({})).await.json()["access_token"].as_str().unwrap().to_owned();
    let guest = server.register("Gala").await;
    for page in [format!("/i/{invite}"), format!("/g/{group}?{CANARY}={CANARY}"), format!("/?next=/{CANARY}")] {
        bird.get(&page).await;
        guest.get(&page).await;
    }
    guest.post(&format!("/api/v1/invites/{invite}/accept"), &json!({})).await;
    drop(Wire::open_bare(server, &format!("/ws/chat/{group}?ticket={ticket}")).await.unwrap());
    drop(Wire::open_with_token(server, group, &token).await);

    let mut wire = Wire::open(bird).await;
    let joined = wire.follow(group, None).await;
    for (kind, data) in [
        ("send_message", json!({"group_id": group, "message": CANARY, "more": CANARY})),
        ("send_message", json!({"group_id": group, "message": format!("{CANARY}\0")})),
        ("send_message", json!({"group_id": group, "message": CANARY, "id": CANARY})),
        ("send_message", json!({"group_id": group, "message": CANARY, "user_id": guest.id()})),
        ("edit_message", json!({"id": message, "message": CANARY})),
        ("react", json!({"id": message, "emoji": CANARY, "on": true})),
        ("edit_message", json!({"id": message, "message": [CANARY]})),
        ("subscribe", json!({"group_id": CANARY, "cursor": {"epoch": CANARY, "seq": CANARY}})),
        ("sync", json!({"group_id": group, "cursor": {"epoch": joined["epoch"], "seq": 0, "more": CANARY}})),
        ("typing", json!({"group_id": group, "user_id": CANARY})),
        (CANARY, json!({CANARY: CANARY})),
    ] {
        wire.say_text(&json!({"type": kind, "data": data, "ref": CANARY}).to_string()).await;
    }
    wire.say_text(&format!("{{\"{CANARY}\": {CANARY}")).await;
    wire.until("error").await;
    wire.say("auth", json!({"token": format!("eyJhbGciOiJIUzI1NiJ9.{CANARY}.{CANARY}")})).await;
    wire.end().await;
    let (mut raw, _) = tokio_tungstenite::connect_async(bird.handshake("/ws")).await.unwrap();
    let goodbye = CloseFrame { code: 4000.into(), reason: CANARY.into() };
    raw.send(Message::Close(Some(goodbye))).await.unwrap();
    let (mut raw, _) = tokio_tungstenite::connect_async(bird.handshake("/ws")).await.unwrap();
    raw.send(Message::binary(CANARY)).await.unwrap();
    bird.delete(&format!("{path}/messages/{message}")).await;
    vec![invite, ticket, token, bird.cookie().split('=').nth(1).unwrap().to_owned()]
}

/// Sends every documented request and some others, with the canary in every possible place.
async fn asks_everything(server: &TestServer, bird: &TestUser) -> usize {
    let document = bird.get("/openapi.json").await.json();
    let stranger = server.stranger();
    let good = jwt(&json!({"sub": uuid::Uuid::now_v7(), "exp": seconds_from_now(60), "name": CANARY,
        "email": format!("{CANARY}@example.org")}));
    let bad = jwt(&json!({"sub": CANARY, "exp": CANARY}));
    let mut asked = 0;
    let described = document["paths"].as_object().unwrap();
    let others = [
        "/",
        "/login",
        "/register",
        "/logout",
        "/groups",
        "/g/{id}",
        "/i/{token}",
        "/docs/api",
        "/ws",
        "/ws/chat/{id}",
        "/{any}",
        "/pkg/{any}",
    ];
    let paths: Vec<&str> = described.keys().map(String::as_str).chain(others).collect();
    for path in paths {
        let group = uuid::Uuid::now_v7().to_string();
        for with in [CANARY, &group] {
            let filled = filled(path, with);
            for method in ["GET", "POST", "PATCH", "DELETE", "PUT", "ANY-WORD"] {
                // This would end the sign-in that the other requests need.
                if path.ends_with("/logout") {
                    continue;
                }
                for (number, user) in [bird, &stranger].into_iter().enumerate() {
                    for body in bodies() {
                        let query = format!("?{CANARY}={CANARY}&limit={CANARY}&before={CANARY}&error={CANARY}");
                        let request = user
                            .request(method.parse::<Method>().unwrap(), &format!("{filled}{query}"))
                            .header("x-request-id", CANARY)
                            .header("user-agent", CANARY)
                            .header("x-forwarded-for", CANARY)
                            .header("referer", format!("http://{CANARY}/{CANARY}"))
                            .header("accept-language", CANARY);
                        let request = match number {
                            0 => request,
                            _ => request.bearer_auth(if asked % 2 == 0 { &good } else { &bad }),
                        };
                        let (kind, body) = body;
                        Answer::read(request.header("content-type", kind).body(body).send().await.unwrap()).await;
                        asked += 1;
                    }
                }
            }
        }
    }
    for query in ["token", "access_token", "ticket"] {
        stranger.get(&format!("/ws?{query}={CANARY}")).await;
        assert!(Wire::open_bare(server, &format!("/ws?{query}={CANARY}")).await.is_err());
    }
    asked
}

fn filled(path: &str, with: &str) -> String {
    path.split('{').map(|part| part.split_once('}').map_or(part.into(), |(_, rest)| format!("{with}{rest}"))).collect()
}

fn bodies() -> [(&'static str, String); 4] {
    let wrong = json!({"email": [CANARY], "password": {CANARY: CANARY}, "display_name": 1, "name": {CANARY: CANARY},
        "message": [CANARY], "id": CANARY, "role": CANARY, "max_uses": CANARY, "time_zone": CANARY});
    let form = format!("email={CANARY}&password={CANARY}&name={CANARY}&message={CANARY}&id={CANARY}&next=/{CANARY}");
    [
        ("application/json", wrong.to_string()),
        ("application/json", format!("{{\"{CANARY}\": {CANARY}")),
        ("application/x-www-form-urlencoded", form),
        ("text/plain", CANARY.to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_people_say_or_hold_reaches_a_log() {
    let builder = TestServer::builder().own_process().environment("RUST_LOG", "trace");
    let mut server = builder.flag("--metrics-addr=127.0.0.1:0").start().await;
    let bird = bird(&server).await;
    let secrets = lives(&server, &bird).await;
    let asked = asks_everything(&server, &bird).await;
    let figures = reqwest::get(server.metrics_url()).await.unwrap().text().await.unwrap();
    server.stop().await;
    let mut lines = server.log();
    let answered = lines.iter().filter(|line| line.contains("\"answered\"")).count();
    assert!(answered > asked, "{answered} answers of {asked} were logged: this is not the log that was looked for");
    assert!(
        figures.contains("caravana_http_requests_total{method=\"other\""),
        "they are the figures of what was asked"
    );
    lines.extend(figures.lines().map(str::to_owned));
    for line in &lines {
        assert_eq!(secret_in(line), None, "{line}");
        assert!(!secrets.iter().any(|secret| line.contains(secret)), "{line}");
    }
    let ids: Value = serde_json::from_str(lines.iter().find(|line| line.contains("\"answered\"")).unwrap()).unwrap();
    assert!(
        ids["request_id"].as_str().is_some_and(|id| id.len() == 32),
        "the server's own id, not the client's: {ids}"
    );
}
