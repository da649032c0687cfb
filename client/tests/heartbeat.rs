//! Silence, and what the heartbeat says about lost tails (G8).

use caravana_client::testing::{Door, Simulation, ana, group};
use caravana_client::{Change, Input, LinkState};
use caravana_protocol::ErrorCode;

#[test]
fn a_socket_that_is_silent_for_35_seconds_is_given_up() {
    let mut sim = Simulation::online();
    sim.cut = true;
    sim.pass(34_999);
    assert_eq!(sim.session.link(), LinkState::Online);
    sim.pass(1);
    assert!(matches!(sim.session.link(), LinkState::Waiting { .. }));
    assert_eq!(sim.socket, None);
    sim.pass(1_000);
    assert_eq!(sim.session.link(), LinkState::Online);
}

#[test]
fn heartbeats_alone_keep_a_quiet_socket() {
    let mut sim = Simulation::online();
    sim.pass(3_600_000);
    assert_eq!(sim.opened_at.len(), 1);
}

#[test]
fn a_lost_last_event_is_found_by_the_next_heartbeat() {
    let mut sim = Simulation::online();
    sim.server.lose_events = 1;
    sim.server.post(ana(), "perdido");
    sim.work();
    assert!(sim.screen().is_empty());
    sim.pass(26_000);
    assert_eq!(sim.screen(), ["perdido"]);
    assert_eq!(sim.said("sync"), 1);
    sim.pass(60_000);
    assert_eq!(sim.said("sync"), 1, "nothing is missing any more");
}

#[test]
fn a_tab_that_wakes_up_finds_a_dead_socket_within_three_seconds() {
    let mut sim = Simulation::online();
    sim.pass(10_000);
    sim.cut = true;
    sim.door = Door::Dead;
    sim.give(Input::PageVisible);
    sim.pass(3_000);
    assert_eq!(sim.session.link(), LinkState::Connecting { attempt: 0 });
}

#[test]
fn a_tab_that_wakes_up_keeps_a_live_socket() {
    let mut sim = Simulation::online();
    sim.pass(10_000);
    sim.give(Input::PageVisible);
    sim.pass(10_000);
    assert_eq!(sim.session.link(), LinkState::Online);
    assert_eq!(sim.opened_at.len(), 1);
}

/// The session checks the socket with `sync`. A refusal is an answer too, but no more events come after it.
#[test]
fn a_tab_that_wakes_up_learns_that_its_user_was_removed() {
    let mut sim = Simulation::online();
    sim.server.refuses_subscribes = Some(ErrorCode::NotFound);
    sim.pass(10_000);
    sim.give(Input::PageVisible);
    assert!(sim.group().is_gone());
    assert!(sim.changes.contains(&Change::GroupLeft { group: group(), reason: None }));
}
