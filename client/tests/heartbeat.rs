//! Silence, and what the heartbeat says about lost tails (G8).

use caravana_client::testing::{Door, World, ana, group};
use caravana_client::{Change, Input, LinkState};
use caravana_protocol::ErrorCode;

#[test]
fn a_socket_that_is_silent_for_35_seconds_is_given_up() {
    let mut world = World::online();
    world.cut = true;
    world.pass(34_999);
    assert_eq!(world.session.link(), LinkState::Online);
    world.pass(1);
    assert!(matches!(world.session.link(), LinkState::Waiting { .. }));
    assert_eq!(world.socket, None);
    world.pass(1_000);
    assert_eq!(world.session.link(), LinkState::Online);
}

#[test]
fn heartbeats_alone_keep_a_quiet_socket() {
    let mut world = World::online();
    world.pass(3_600_000);
    assert_eq!(world.opened_at.len(), 1);
}

#[test]
fn a_lost_tail_is_found_by_the_next_heartbeat() {
    let mut world = World::online();
    world.server.lose_events = 1;
    world.server.post(ana(), "perdido");
    world.work();
    assert!(world.screen().is_empty());
    world.pass(26_000);
    assert_eq!(world.screen(), ["perdido"]);
    assert_eq!(world.said("sync"), 1);
    world.pass(60_000);
    assert_eq!(world.said("sync"), 1, "nothing is missing any more");
}

#[test]
fn a_tab_that_wakes_finds_a_dead_socket_in_three_seconds() {
    let mut world = World::online();
    world.pass(10_000);
    world.cut = true;
    world.door = Door::Dead;
    world.give(Input::PageVisible);
    world.pass(3_000);
    assert_eq!(world.session.link(), LinkState::Connecting { attempt: 0 });
}

#[test]
fn a_tab_that_wakes_keeps_a_living_socket() {
    let mut world = World::online();
    world.pass(10_000);
    world.give(Input::PageVisible);
    world.pass(10_000);
    assert_eq!(world.session.link(), LinkState::Online);
    assert_eq!(world.opened_at.len(), 1);
}

/// The question is one of `sync`, and its answer is as good as any: nothing more comes over a stream that was refused.
#[test]
fn a_tab_that_wakes_after_a_removal_learns_of_it() {
    let mut world = World::online();
    world.server.refuses_subscribes = Some(ErrorCode::NotFound);
    world.pass(10_000);
    world.give(Input::PageVisible);
    assert!(world.group().is_gone());
    assert!(world.changes.contains(&Change::GroupLeft { group: group(), reason: None }));
}
