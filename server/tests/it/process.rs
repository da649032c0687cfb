//! The server process: probes, planned shutdown, restarts.

use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{PATIENCE, TestServer, end_of, eventually};

#[tokio::test]
async fn probes_answer() {
    let server = TestServer::start().await;
    let anybody = server.stranger();
    assert_eq!(anybody.get("/healthz").await.status, 200);
    assert_eq!(anybody.get("/readyz").await.json()["status"], "ready");
    assert_eq!(anybody.get("/version").await.json()["protocol"], "caravana.v1");
}

#[tokio::test]
async fn a_planned_end_says_goodbye_and_nothing_is_lost() {
    let mut server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    ana.sends(group, "hola").await;
    let (mut socket, _) = tokio_tungstenite::connect_async(ana.handshake("/ws")).await.unwrap();
    let reading = tokio::spawn(async move {
        let (mut warned, mut code) = (false, None);
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Text(text) => warned |= text.contains("going_away"),
                Message::Close(frame) => code = frame.map(|frame| u16::from(frame.code)),
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
        (warned, code)
    });
    server.restart().await;
    let read = timeout(PATIENCE, reading).await.expect("the socket is not closed").unwrap();
    assert_eq!(read, (true, Some(1012)));
    assert_eq!(ana.get("/api/v1/session").await.status, 200, "the sign-in outlives the process");
    let list = ana.get(&format!("/api/v1/groups/{group}/messages")).await.json();
    assert_eq!(list["messages"][0]["message"], "hola");
}

#[tokio::test]
async fn the_real_process_ends_on_sigterm_and_comes_back_after_kill() {
    let mut server = TestServer::builder().own_process().start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    assert_eq!(ana.sends(group, "uno").await.status, 201);
    server.kill();
    server.start_process_again();
    assert_eq!(ana.sends(group, "dos").await.status, 201);
    server.stop().await;
    server.start_process_again();
    let list = eventually("the history is there", || async {
        let answer = ana.get(&format!("/api/v1/groups/{group}/messages")).await;
        answer.status.is_success().then(|| answer.json())
    })
    .await;
    let texts: Vec<&str> =
        list["messages"].as_array().unwrap().iter().map(|message| message["message"].as_str().unwrap()).collect();
    assert_eq!(texts, ["uno", "dos"]);
}

#[tokio::test]
async fn a_second_process_on_the_same_database_is_refused() {
    let server = TestServer::builder().on_sqlite().start().await;
    // When the server answers, it has opened the database.
    assert_eq!(server.stranger().get("/healthz").await.status, 200);
    let mut second = std::process::Command::new(crate::support::server_binary());
    second.arg(format!("--database-url={}", server.database().url())).arg("--site-addr=127.0.0.1:0");
    let output = end_of(&mut second);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("DATABASE_URL") && text.contains("another server"), "{text}");
}
