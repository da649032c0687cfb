//! A PostgreSQL that stops and starts again, and a connection to it that becomes silent.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::crowd::Crowd;
use super::super::{database_is_sound, history, report};
use super::{LOOK, RECOVERY, SLACK, ana_on, cluster, sends_at_last, through};
use crate::support::{Chaos, TestServer};

/// Messages per second.
const RATE: u32 = 200;

/// Restarts the database without a shutdown, as after a crash, under traffic. The checker judges what every client saw.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_of_the_database_under_load_lose_nothing_and_double_nothing() {
    let cluster = cluster().await;
    let server = TestServer::builder().on(through(&cluster, cluster.port())).start().await;
    let crowd = Crowd::gather(&server, 6).await.arrives(1).await;
    // In another group, because the checker must know every message of the crowd's group.
    let aside = crowd.users[0].create_group("Aparte").await;
    let chat = crowd.chats(RATE);
    let mut slowest = Duration::ZERO;
    for _ in 0..3 {
        chat.goes_on(60).await;
        tokio::task::block_in_place(|| cluster.pg_ctl(&["--mode=immediate", "restart"]));
        let since = Instant::now();
        let (_, refused) = sends_at_last(&crowd.users[0], aside, "¿sigues ahí?").await;
        slowest = slowest.max(since.elapsed());
        report("sends refused after a restart", refused);
        assert_eq!(server.stranger().get("/readyz").await.status, 200);
    }
    drop(chat);
    assert!(slowest < RECOVERY, "sending came back after {slowest:?}");
    report("restarts of PostgreSQL", format!("slowest recovery {slowest:?}"));
    crowd.ends_soundly(&server).await;
}

/// Simulates a pulled cable: nothing arrives in either direction, and neither end gets an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_way_to_the_database_is_named_in_time_and_left() {
    let cluster = cluster().await;
    let chaos = Chaos::before((Ipv4Addr::LOCALHOST, cluster.port()).into());
    let (server, ana, group) = ana_on(through(&cluster, chaos.address.port()), &[]).await;
    ana.sends(group, "antes").await;
    chaos.black_hole();
    let since = Instant::now();
    let refusal = ana.sends(group, "mientras").await.refusal();
    assert_eq!(refusal, (503, "temporarily_unavailable".to_owned()));
    assert!(since.elapsed() < RECOVERY * 2 + SLACK, "a send waited {:?}", since.elapsed());
    assert_eq!(server.stranger().get("/readyz").await.status, 503);
    chaos.heal();
    let (took, _) = sends_at_last(&ana, group, "después").await;
    assert!(took < RECOVERY, "sending came back after {took:?}");
    let since = Instant::now();
    while server.stranger().get("/readyz").await.status != 200 {
        assert!(since.elapsed() < RECOVERY, "the database is there and the server does not see it");
        sleep(LOOK).await;
    }
    assert_eq!(history(&ana, group).await.last().map(String::as_str), Some("después"));
    report("a silent way to PostgreSQL", format!("sending came back {took:?} after it was mended"));
    database_is_sound(&server, group).await;
}
