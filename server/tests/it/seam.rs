//! The seam between replay and live events (G5) under load: no event is lost or doubled, whatever a client does.
//!
//! Senders write messages. Clients subscribe, resume from any cursor, unsubscribe, and come back on the same or a new
//! socket. A judge checks the stream of every connection. At the end every client must be live at the head.

mod busy_group;
mod listener;

use caravana_protocol::{Event, ServerFrame};
use futures::future::{join, join_all};
use tokio::task::JoinHandle;

use crate::support::Wire;
use busy_group::BusyGroup;
use listener::{Listener, Tally};

/// How many clients subscribe and leave, and how many actions each does at least.
const LISTENERS: usize = 16;
const ACTS: usize = 15;
/// How many senders, and how many messages each sends in a turn of 40 ms: 500 messages a second together.
const SENDERS: usize = 4;
const EACH: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_begin_and_end_under_load_have_no_hole_and_no_repeat() {
    let busy = BusyGroup::new().await;
    let listening = listen(&busy, LISTENERS);
    join_all((0..SENDERS).map(|_| busy.talk(75, EACH, LISTENERS))).await;
    let tally = settle(&busy, listening).await;
    // Checks that the run exercised enough of each action.
    assert!(tally.joined > LISTENERS * ACTS / 2, "{tally:?}");
    assert!(tally.caught_up > LISTENERS && tally.resynced > LISTENERS / 2 && tally.opened > LISTENERS, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_begin_while_another_program_commits_thousands_of_rows_miss_none() {
    let busy = BusyGroup::new().await;
    let few = LISTENERS / 2;
    let listening = listen(&busy, few);
    let bulk = async {
        busy.foreign_rows(2_000).await;
        busy.are_done(few / 2).await;
        busy.foreign_rows(2_000).await;
    };
    join(bulk, busy.talk(25, EACH, few)).await;
    let tally = settle(&busy, listening).await;
    assert!(tally.joined > few * ACTS / 2 && tally.events > 4_000, "{tally:?}");
}

fn listen(busy: &BusyGroup, count: usize) -> Vec<JoinHandle<Tally>> {
    (0..count).map(|seed| tokio::spawn(Listener::new(busy, seed as u64).run(ACTS))).collect()
}

/// The senders have stopped. Every client must reach the head.
async fn settle(busy: &BusyGroup, listening: Vec<JoinHandle<Tally>>) -> Tally {
    busy.is_at(busy.head().await);
    let mut tally = Tally::default();
    for listener in listening {
        tally += listener.await.unwrap();
    }
    tally
}

/// A removal is an event like any other. A user who is removed while a stream begins gets the events before the
/// removal, then `left`, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_is_removed_while_streams_begin_gets_nothing_after_it() {
    let busy = BusyGroup::new().await;
    let carla = busy.another_member("Carla").await;
    let connections: Vec<_> =
        (0..8).map(|seed| tokio::spawn(Listener::of(&busy, &carla, seed).run_until_removed())).collect();
    let mut watching = Wire::open(&busy.ana).await;
    watching.follow(busy.group, None).await;
    let removal = async {
        busy.talk(10, EACH, 0).await;
        busy.removes(&carla).await;
        busy.talk(10, EACH, 0).await;
    };
    join(removal, busy.talk(40, EACH, 0)).await;
    let removed_at = loop {
        if let ServerFrame::Event(Event::MemberLeft(left)) = watching.next_frame().await.unwrap() {
            break left.seq;
        }
    };
    for connection in connections {
        let last = connection.await.unwrap();
        assert!(last < removed_at, "heard {last}, removed at {removed_at}");
    }
}
