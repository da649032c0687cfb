//! The clock jumps by an hour, forward and back, while the server runs (G18).

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::crowd::Crowd;
use crate::support::{TestServer, Wire, jwt};

/// The library that gives a process its own clock by `LD_PRELOAD`. `faketime` itself says where it is.
fn library() -> String {
    let said = Command::new("faketime").args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"]).output();
    let said =
        said.unwrap_or_else(|error| panic!("faketime can not be started ({error}); `cargo xtask setup` installs it"));
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// Whether the token can open a socket.
async fn opens(server: &TestServer, token: &str) -> bool {
    let mut request = server.ws_url("/ws").into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    tokio_tungstenite::connect_async(request).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_changes_nothing_but_the_end_of_tokens() {
    let clock = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(clock.path(), "+0").unwrap();
    let mut server = TestServer::builder()
        .own_process()
        .environment("LD_PRELOAD", &library())
        .environment("FAKETIME_TIMESTAMP_FILE", clock.path().to_str().unwrap())
        .environment("FAKETIME_NO_CACHE", "1")
        .environment("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .environment("DONT_FAKE_MONOTONIC", "1")
        .start()
        .await;
    let crowd = Crowd::gather(&server, 4).await.arrives(1).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let token = jwt(&json!({"sub": crowd.users[0].id(), "exp": now + 600}));
    let chat = crowd.chats(40);
    let mut shown = Vec::new();
    for (offset, good) in [("+0", true), ("+3600s", false), ("-3600s", true), ("+0", true)] {
        std::fs::write(clock.path(), offset).unwrap();
        chat.goes_on(20).await;
        assert_eq!(opens(&server, &token).await, good, "a token of ten minutes at {offset}");
        shown.push(shown_time(&crowd).await);
        // All clients reconnect, so that resumes and repeated sends happen under this clock.
        server.kill();
        server.start_process_again();
        crowd.clients.iter().for_each(|client| client.retry_now());
        crowd.is_online().await;
        chat.goes_on(20).await;
    }
    drop(chat);
    assert!(shown[1] > shown[0] + 3_000, "the clock did not jump: {shown:?}");
    assert!(shown[2] < shown[0] - 3_000, "the clock did not jump back: {shown:?}");
    crowd.ends_soundly(&server).await;
}

/// The server's current time, in seconds.
async fn shown_time(crowd: &Crowd) -> i64 {
    let mut wire = Wire::open_at(&crowd.users[0], "/ws").await;
    let hello = wire.expect("hello").await;
    let text = hello["server_time"].as_str().unwrap();
    time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap().unix_timestamp()
}
