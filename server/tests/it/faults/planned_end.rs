//! A planned restart under traffic (G11).

use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use tokio::time::Instant;

use super::crowd::Crowd;
use crate::support::{End, TestServer, TestUser, Wire};

/// The limit for the time from the signal to the end of the process.
const END_WITHIN: Duration = Duration::from_secs(15);

/// How many probes run at the same time. Each sends one request after the other.
const PROBES: usize = 4;

/// Sends requests until the answer is 503. `false` if the process ended before that.
async fn hears_not_ready(anybody: &TestUser) -> bool {
    loop {
        match anybody.request(Method::GET, "/readyz").send().await {
            Ok(answer) if answer.status() == 503 => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planned_restart_in_the_middle_of_traffic_loses_nothing() {
    let mut server = TestServer::builder().own_process().start().await;
    let crowd = Crowd::gather(&server, 10).await.arrives(4).await;
    let mut witness = Wire::open(&crowd.users[0]).await;
    let anybody = server.stranger();
    let chat = crowd.chats(200);
    chat.goes_on(100).await;
    let since = Instant::now();
    // Several probes, because the server closes forty sockets within a second. A later probe would find no server.
    let (told, ()) = tokio::join!(join_all((0..PROBES).map(|_| hears_not_ready(&anybody))), async {
        server.ask_to_end();
    });
    assert!(told.contains(&true), "it never said that it is not ready");
    witness.expect("going_away").await;
    assert_eq!(witness.end().await, End::Code(1012));
    assert!(server.wait_for_end().await.success(), "the process failed");
    assert!(since.elapsed() <= END_WITHIN, "the end took {:?}", since.elapsed());
    super::report("planned end with 41 sockets under 200 messages a second", format!("{:?}", since.elapsed()));
    server.start_process_again();
    crowd.is_online().await;
    chat.goes_on(100).await;
    drop(chat);
    crowd.ends_soundly(&server).await;
}
