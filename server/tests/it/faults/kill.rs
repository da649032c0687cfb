//! kill -9 under full traffic, and the storm of returning clients (G1–G5, G12, G15).

use std::time::Duration;

use rand::RngExt as _;
use tokio::time::Instant;

use super::crowd::{Crowd, until};
use crate::support::checker::{KEPT, lets_go};
use crate::support::history::{History, Outcome};
use crate::support::{TestServer, Vitals};

/// Messages per second.
const RATE: u32 = 500;
/// The limit for the time from the start of the process to its first ready answer. RELIABILITY promises 3 s on a quiet
/// machine.
const BACK_WITHIN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_in_the_middle_of_traffic_lose_nothing_and_double_nothing() {
    is_killed(5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: cargo xtask faults"]
async fn fifty_kills_in_the_middle_of_traffic_lose_nothing_and_double_nothing() {
    is_killed(50).await;
}

async fn is_killed(times: u32) {
    let mut server = TestServer::builder().own_process().start().await;
    let crowd = Crowd::gather(&server, 12).await.arrives(1).await;
    let since = Instant::now();
    let (chat, mut slowest) = (crowd.chats(RATE), Duration::ZERO);
    for _ in 0..times {
        let moment = rand::rng().random_range(10..200);
        chat.goes_on(moment).await;
        chat.is_sending().await;
        server.kill();
        slowest = slowest.max(comes_back(&mut server).await);
        // After repeated kills a client's backoff grows. The test reconnects at once.
        crowd.clients.iter().for_each(|client| client.retry_now());
    }
    let written = chat.written();
    drop(chat);
    let rate = f64::from(u32::try_from(written).unwrap()) / since.elapsed().as_secs_f64();
    assert!(slowest <= BACK_WITHIN, "one start took {slowest:?}");
    let history = crowd.ends_soundly(&server).await;
    let (acknowledged, repeated) = outcomes(&history);
    super::report(
        "kills",
        format!(
            "{times}; {written} messages written, {rate:.0}/s over all, {acknowledged} acknowledged, {repeated} sent \
             more than once; slowest start {slowest:?}"
        ),
    );
    assert!(times < 50 || repeated > 0, "no kill fell between a send and its acknowledgement");
}

/// Starts the process again. Returns how long it took to become ready.
async fn comes_back(server: &mut TestServer) -> Duration {
    let since = Instant::now();
    server.start_process_again();
    let anybody = server.stranger();
    while anybody.get("/readyz").await.status != 200 {
        assert!(since.elapsed() < BACK_WITHIN * 10, "the server does not come back");
    }
    since.elapsed()
}

fn outcomes(history: &History) -> (usize, usize) {
    let sends = || history.clients.iter().flat_map(|client| &client.sends);
    let acknowledged = sends().filter(|sent| matches!(sent.outcome, Outcome::Acknowledged { .. })).count();
    (acknowledged, sends().filter(|sent| sent.attempts > 1).count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_returning_clients_is_caught_up_and_leaves_nothing_behind() {
    storm(30, 10, Duration::from_secs(30)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: cargo xtask faults"]
async fn a_great_storm_of_returning_clients_is_caught_up_and_leaves_nothing_behind() {
    // Both ends of 1,500 sockets run on one machine, without compiler optimisation.
    storm(150, 10, Duration::from_mins(1)).await;
}

/// How much memory one connected client may cost, in KiB.
const EACH: usize = 128;

/// How many messages are written while the server is down.
const MEANWHILE: usize = 100;

async fn storm(users: usize, devices: usize, within: Duration) {
    let mut server = TestServer::builder().own_process().start().await;
    let crowd = Crowd::gather(&server, users).await.arrives(devices).await;
    let clients = crowd.clients.len();
    crowd.clients[0].send("antes");
    until("the first message is stored", || crowd.clients[0].unsent() == 0).await;
    server.kill();
    until("everybody has noticed", || {
        crowd.clients.iter().all(|client| client.link() != caravana_client::LinkState::Online)
    })
    .await;
    // Only some clients write: each message goes to all clients, and all clients run in this process.
    for (number, client) in crowd.clients.iter().step_by(clients.div_ceil(MEANWHILE)).enumerate() {
        client.send(&format!("mientras tanto {number}"));
    }
    let since = Instant::now();
    server.start_process_again();
    let empty = Vitals::of(server.pid());
    crowd.is_online().await;
    until("all is sent", || crowd.clients.iter().all(|client| client.unsent() == 0)).await;
    let took = since.elapsed();
    let full = Vitals::of(server.pid());
    super::report("storm", format!("{clients} clients back and everything sent in {took:?}; {empty:?} then {full:?}"));
    assert!(took < within, "{took:?}");
    assert!(full.memory < empty.memory + KEPT + EACH * clients, "{empty:?} before, {full:?} with all of them");
    crowd.ends_soundly(&server).await;
    until("the process lets go of everything", || lets_go(&empty, &Vitals::of(server.pid())).is_empty()).await;
    super::report("after the storm", format!("{:?}", Vitals::of(server.pid())));
}
