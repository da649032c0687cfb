//! What a client missed comes once and in order after a reconnect, also while pages of history are loading (G4, G5, G17).

use std::collections::{BTreeMap, BTreeSet};

use caravana_client::testing::{Simulation, ana, group, me, numbers};
use caravana_client::{Change, HistoryPage, Input};
use caravana_protocol::{CloseReason, GroupId, Joined, ServerFrame};

#[test]
fn after_a_reconnect_the_missed_messages_are_shown_once_and_in_order() {
    let mut sim = Simulation::online();
    sim.post_numbers(0..5);
    sim.close(CloseReason::TooSlow);
    sim.post_numbers(5..60);
    sim.pass(1_000);
    assert_eq!(sim.screen(), numbers(0..60));
}

#[test]
fn after_a_reconnect_messages_are_shown_in_their_present_state() {
    let mut sim = Simulation::online();
    let (one, two) = (sim.server.post(ana(), "uno"), sim.server.post(ana(), "dos"));
    sim.work();
    sim.close(CloseReason::Abnormal);
    sim.server.edit(one, "uno!");
    sim.server.delete(two);
    let three = sim.server.post(ana(), "tres");
    sim.server.delete(three);
    sim.pass(1_000);
    assert_eq!(sim.screen(), ["uno!", "", ""]);
    assert!(sim.group().timeline().message(two).is_some_and(|message| !message.status));
    assert_eq!(sim.group().timeline().cursor().map(|cursor| cursor.seq), Some(sim.server.head()));
}

#[test]
fn after_too_many_missed_events_the_newest_page_replaces_the_rows() {
    let mut sim = Simulation::online();
    sim.post_numbers(0..5);
    sim.close(CloseReason::Abnormal);
    sim.post_numbers(5..205);
    sim.pass(1_000);
    assert_eq!(sim.screen(), numbers(155..205));
    assert!(sim.group().timeline().has_more_before());
    sim.post_numbers(205..207);
    assert_eq!(sim.screen(), numbers(155..207));
}

#[test]
fn a_restored_history_replaces_the_rows() {
    let mut sim = Simulation::online();
    sim.post_numbers(0..10);
    sim.give(Input::MarkRead { group: group(), seq: 10 });
    sim.close(CloseReason::Abnormal);
    sim.server.reads.clear();
    sim.server.restore(4);
    sim.pass(1_000);
    assert_eq!(sim.screen(), numbers(0..6));
    assert_eq!(sim.group().last_read(), 0, "seqs of the old history say nothing about this one");
    sim.post_numbers(100..102);
    assert_eq!(sim.screen()[6..], numbers(100..102));
    assert_eq!(sim.group().timeline().cursor().map(|cursor| cursor.epoch), Some(sim.server.epoch));
}

#[test]
fn a_page_of_another_history_is_never_mixed_with_the_rows() {
    let mut sim = Simulation::online();
    sim.post_numbers(0..60);
    sim.close(CloseReason::Abnormal);
    sim.reload();
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Start);
    // The history is restored while the socket is open, and the socket does not report it. The page shows it first.
    sim.server.restore(30);
    sim.post_numbers(100..140);
    let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
    sim.give(Input::Load { group: group(), page });
    let expected: Vec<String> = numbers(20..30).into_iter().chain(numbers(100..140)).collect();
    assert_eq!(sim.screen(), expected);
    assert_eq!(sim.group().timeline().cursor().map(|cursor| cursor.epoch), Some(sim.server.epoch));
    sim.post_numbers(140..141);
    assert_eq!(sim.screen().last().map(String::as_str), Some("140"));
}

#[test]
fn events_that_arrive_while_a_page_is_loading_are_neither_lost_nor_doubled() {
    let mut sim = Simulation::online();
    sim.post_numbers(0..5);
    sim.close(CloseReason::Abnormal);
    sim.post_numbers(5..205);
    sim.hold_pages = true;
    sim.pass(1_000);
    assert!(sim.group().is_filling());
    let edited = sim.server.post(ana(), "nuevo");
    sim.server.edit(edited, "nuevo!");
    let old = sim.group().timeline().cursor();
    assert!(old.is_some());
    sim.work();
    sim.release_pages();
    assert_eq!(sim.screen()[..50], numbers(155..205));
    assert_eq!(sim.screen()[50..], ["nuevo!"]);
}

#[test]
fn an_older_page_does_not_undo_a_change_that_arrived_while_it_was_loading() {
    let mut sim = Simulation::default();
    sim.post_numbers(0..80);
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    let first = sim.server.page_of_all().messages[0].id;
    sim.hold_pages = true;
    let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
    sim.give(Input::Load { group: group(), page });
    sim.server.delete(first);
    sim.work();
    sim.release_pages();
    assert_eq!(sim.screen().len(), 80);
    assert_eq!(sim.screen()[0], "", "a deleted text came back");
}

#[test]
fn reactions_and_pins_that_arrive_while_an_older_page_is_loading_are_on_it() {
    let mut sim = Simulation::default();
    sim.post_numbers(0..80);
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    let first = sim.server.page_of_all().messages[0].id;
    sim.hold_pages = true;
    let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
    sim.give(Input::Load { group: group(), page });
    sim.server.react_as(ana(), first, "🎉", true);
    sim.server.pin(first, true);
    sim.work();
    sim.release_pages();
    let message = sim.group().timeline().message(first).cloned().unwrap_or_else(|| panic!("not loaded"));
    assert_eq!((message.reactions.len(), message.pinned), (1, true));
}

#[test]
fn events_that_arrive_late_do_not_undo_a_newer_page() {
    let mut sim = Simulation::online();
    let one = sim.server.post(ana(), "uno");
    sim.work();
    // Both events are under way when a page that contains both changes arrives.
    sim.server.edit(one, "secreto");
    sim.server.delete(one);
    sim.changes.clear();
    sim.give(Input::Load { group: group(), page: HistoryPage::Latest });
    assert_eq!(sim.screen(), [""]);
    let told = sim.changes.iter().filter(|change| matches!(change, Change::Timeline { .. })).count();
    assert_eq!(told, 1, "the text between was shown: {:?}", sim.changes);
}

/// With many groups on a slow line, a group's turn came later than its timeout. So the session requested all groups again
/// and again, and in the end it gave the socket up.
#[test]
fn a_group_waits_longer_while_the_replay_of_another_group_makes_progress() {
    let mut sim = Simulation::online();
    sim.post_numbers(0..5);
    sim.server.ignores_subscribes = true;
    let other = GroupId::new(uuid::Uuid::from_u128(0xbeef));
    let page = Some(sim.server.page_of_all());
    sim.give(Input::OpenGroup { group: other, page, last_read: None });
    let asked = sim.said("subscribe");
    // The first group is replayed, one event every eight seconds.
    let (epoch, head) = (sim.server.epoch, sim.server.head() + 10);
    let (roster, reads) = (vec![me()], BTreeMap::new());
    sim.hear(ServerFrame::Joined(Joined {
        group_id: group(),
        epoch,
        head,
        roster,
        reads,
        hidden_reads: BTreeSet::new(),
    }));
    for number in 0..10 {
        sim.pass(8_000);
        sim.post_numbers(number..number + 1);
    }
    assert_eq!(sim.said("subscribe"), asked, "the line is busy, and nothing is lost");
    sim.pass(10_001);
    assert!(sim.said("subscribe") > asked, "now nothing comes any more");
}
