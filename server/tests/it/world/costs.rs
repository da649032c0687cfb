//! What repeated requests cost the database, and what a slow database costs the clients.

use std::time::Duration;

use caravana_hub::{Caller, Connection, Scope};
use caravana_protocol::rest::Sharing;
use caravana_protocol::{MessageId, UserId, codec};
use caravana_server::socket;
use caravana_store::Proof;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Nature, World, runtime};
use crate::support::raw;

/// A world without travellers, so that only the test acts.
fn empty() -> World {
    World::begin(Nature { travellers: 0, ..Nature::default() }, 7)
}

fn user(number: u128) -> UserId {
    UserId::new(Uuid::from_u128(number))
}

fn connects(world: &World, user_id: UserId) -> Connection {
    let process = world.internet.server().unwrap();
    process.hub.connect(
        &Caller { user_id, proof: Proof::default(), is_direct: true, sharing: Sharing::default() },
        Scope::Many,
    )
}

/// Regression: an edit over the budget was refused only after the message had been read. Ten sockets caused 5,000 reads
/// a second.
#[test]
fn an_edit_or_a_deletion_over_the_budget_asks_the_database_nothing() {
    runtime().block_on(async {
        let world = empty();
        let hub = &world.internet.server().unwrap().hub;
        let id = MessageId::new(Uuid::from_u128(9));
        for _ in 0..500 {
            assert!(
                hub.edit(user(1), None, id, "otra", None).await.is_err()
                    && hub.delete(user(1), None, id).await.is_err()
            );
        }
        // The first ten of each are within the budget, and a few more as the budget refills.
        let asked = world.faults().asked["stored"];
        assert!((20..60).contains(&asked), "{asked} reads");
    });
}

/// Regression: each new stream read the group's head, the read marks and the membership, without a limit on how many
/// did so at once. A few users who subscribed in a loop occupied all readers of the database.
#[test]
fn however_many_streams_begin_a_few_read_the_database_at_once() {
    runtime().block_on(async {
        let world = empty();
        let mut connections = Vec::new();
        for number in 1..=100 {
            let mut connection = connects(&world, user(number));
            let group = Uuid::from_u128(number);
            let text = format!(r#"{{"type": "subscribe", "data": {{"group_id": "{group}"}}}}"#);
            connection.receive(codec::decode_client(&text)).await;
            connections.push(connection);
        }
        sleep(Duration::from_mins(1)).await;
        let faults = world.faults();
        assert_eq!((faults.asked["group_state"], faults.asked["role"]), (100, 100));
        assert!(faults.most_under_way <= 4, "{} at once", faults.most_under_way);
    });
}

/// Regression: while the database was slow, the server did not read the socket. It had read the beginning of a message,
/// counted it as unfinished for thirty seconds and closed with 1008, although the end had arrived long before. This hit
/// a phone that reconnected.
#[test]
fn a_message_whose_end_waits_to_be_read_does_not_count_as_unfinished() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = empty();
        world.faults().slowness_ms = 200_000;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let id = Uuid::from_u128(9);
        let slow = raw::text(&format!(r#"{{"type":"delete_message","data":{{"id":"{id}"}}}}"#));
        let next = raw::text(r#"{"type":"nothing","data":{},"ref":"behind"}"#);
        let (begun, rest) = next.split_at(9);
        client.write_all(rest).await.unwrap();
        let start = Instant::now();
        let connection = connects(&world, user(1));
        let early = [&slow[..], begun].concat();
        let serving = socket::drive(stream, &early, connection);
        let mut heard = Vec::new();
        let reading = async {
            let is_answered = |heard: &[u8]| heard.windows(8).any(|some| some == b"\"behind\"");
            while !is_answered(&heard) {
                assert!(client.read_buf(&mut heard).await.unwrap() > 0, "{}", String::from_utf8_lossy(&heard));
            }
        };
        tokio::select! {
            () = serving => panic!("it was closed"),
            () = reading => {}
        }
        assert!(start.elapsed() > Duration::from_mins(1), "the database was not slow: {:?}", start.elapsed());
    });
}
