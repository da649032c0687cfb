//! Another process holds the database lock (G13, G15).

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{database_is_sound, history};
use crate::support::{TestServer, Wire};

/// How long a write waits for the lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a busy machine may add to the answer time.
const SLACK: Duration = Duration::from_millis(1_500);
/// How many sockets send, and how many messages each. Each has 64 under way, so together they exceed the queue of the
/// writer.
const SOCKETS: usize = 80;
const SENDS: usize = 70;

/// Regression: a send that arrived while another one waited had to wait for the lock twice, once in the queue and once
/// in its own transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_is_waited_for_once_and_then_named_while_reads_go_on() {
    let server = TestServer::builder().on_sqlite().own_process().flag("--max-connections-per-user=100").start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    ana.sends(group, "antes").await;
    let mut wires = Vec::new();
    for _ in 0..SOCKETS {
        wires.push(Wire::open_group(&ana, group).await.0);
    }
    let mut other = server.foreign().await;
    other.run("begin exclusive").await;
    let one_by_one = join_all((0..4).map(async |number: u32| {
        sleep(Duration::from_secs(1) * number).await;
        let since = Instant::now();
        let refused = ana.sends(group, "mientras").await.refusal();
        assert_eq!(refused, (503, "temporarily_unavailable".to_owned()));
        assert!(since.elapsed() <= PATIENCE + SLACK, "the send after {number} s waited {:?}", since.elapsed());
        since.elapsed()
    }));
    // Starts later, when the other sends are already in the queue.
    let flood = join_all(wires.iter_mut().map(async |wire| {
        sleep(Duration::from_millis(3_500)).await;
        for _ in 0..SENDS {
            wire.say("send_message", json!({"message": "a la vez"})).await;
        }
        let mut codes = Vec::new();
        for _ in 0..SENDS {
            codes.push(wire.error().await);
        }
        codes
    }));
    let reads = async {
        for _ in 0..20 {
            let since = Instant::now();
            assert_eq!(history(&ana, group).await, ["antes"]);
            assert!(since.elapsed() < SLACK, "a read waited {:?}", since.elapsed());
            sleep(PATIENCE / 30).await;
        }
    };
    let (waits, codes, ()) = tokio::join!(one_by_one, flood, reads);
    assert!(waits[0] + SLACK >= PATIENCE, "the first send did not wait: {waits:?}");
    let codes: Vec<String> = codes.into_iter().flatten().collect();
    let count = |code: &str| codes.iter().filter(|given| *given == code).count();
    let (later, shed) = (count("temporarily_unavailable"), count("overloaded"));
    assert_eq!(later + shed, SOCKETS * SENDS, "other answers: {codes:?}");
    assert!(shed > 0, "the queue took all of them");
    super::report("sends while the database was locked", format!("waited {waits:?}; {later} later, {shed} shed"));
    other.run("rollback").await;
    assert_eq!(ana.sends(group, "después").await.status, 201);
    assert_eq!(history(&ana, group).await, ["antes", "después"]);
    database_is_sound(&server, group).await;
}
