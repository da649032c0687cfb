//! Events that are missing, early, late, or can't be read (G4).

use std::collections::{BTreeMap, BTreeSet};

use caravana_client::testing::{Simulation, ana, group, id};
use caravana_client::{Change, HELD_EVENTS, Input, RowKey, Secret, TimelineChange};
use caravana_protocol::{CaughtUp, CloseReason, Columns, Cursor, Event, Joined, Other, Seq, ServerFrame, Timestamp};

#[test]
fn a_gap_is_filled_by_one_sync() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.server.lose_events = 1;
    for text in ["dos", "tres", "cuatro"] {
        sim.server.post(ana(), text);
    }
    sim.work();
    assert_eq!(sim.screen(), ["uno", "dos", "tres", "cuatro"]);
    assert_eq!(sim.said("sync"), 1);
    assert!(!sim.group().is_filling());
}

#[test]
fn nothing_is_shown_above_a_gap() {
    let mut sim = Simulation::online();
    sim.server.ignores_subscribes = true;
    sim.server.lose_events = 1;
    for text in ["uno", "dos", "tres"] {
        sim.server.post(ana(), text);
    }
    sim.work();
    assert!(sim.screen().is_empty());
    assert!(sim.group().timeline().has_gap());
    assert!(sim.group().is_filling());
    assert_eq!(sim.group().timeline().cursor().map(|cursor| cursor.seq), Some(0));
}

#[test]
fn a_new_stream_drops_the_held_events_of_the_old_one() {
    let mut sim = Simulation::online();
    sim.server.ignores_subscribes = true;
    sim.server.lose_events = 1;
    sim.server.post(ana(), "uno");
    sim.server.post(ana(), "dos");
    sim.work();
    assert!(sim.group().timeline().has_gap());
    let (group_id, epoch) = (group(), sim.server.epoch);
    let (roster, reads) = (Vec::new(), BTreeMap::new());
    sim.hear(ServerFrame::Joined(Joined { group_id, epoch, head: 2, roster, reads, hidden_reads: BTreeSet::new() }));
    assert!(!sim.group().timeline().has_gap());
}

#[test]
fn an_event_that_fills_a_gap_also_applies_the_held_events() {
    let mut sim = Simulation::online();
    sim.server.ignores_subscribes = true;
    sim.server.lose_events = 1;
    for text in ["uno", "dos", "tres"] {
        sim.server.post(ana(), text);
    }
    sim.work();
    let late = sim.server.log[0].clone();
    sim.hear(ServerFrame::Event(late));
    assert_eq!(sim.screen(), ["uno", "dos", "tres"]);
}

#[test]
fn an_event_that_comes_twice_is_applied_once() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.work();
    sim.server.admit(ana());
    sim.work();
    sim.changes.clear();
    for again in sim.server.log.clone() {
        sim.hear(ServerFrame::Event(again));
    }
    assert_eq!(sim.screen(), ["uno", "·"]);
    assert!(sim.changes.is_empty(), "{:?}", sim.changes);
}

#[test]
fn an_unanswered_sync_is_repeated_and_then_the_socket_is_replaced() {
    let mut sim = Simulation::online();
    sim.server.ignores_subscribes = true;
    sim.server.lose_events = 1;
    sim.server.post(ana(), "uno");
    sim.server.post(ana(), "dos");
    sim.work();
    assert_eq!(sim.said("sync"), 1);
    sim.pass(10_000);
    assert_eq!(sim.said("sync") + sim.said("subscribe"), 3);
    sim.pass(19_999);
    assert_eq!(sim.opened_at.len(), 1);
    sim.pass(1_001);
    assert_eq!(sim.opened_at.len(), 2);
    sim.server.ignores_subscribes = false;
    sim.pass(30_000);
    assert_eq!(sim.screen(), ["uno", "dos"]);
}

#[test]
fn held_events_are_bounded_and_nothing_is_lost() {
    let mut sim = Simulation::online();
    sim.server.depth = 5_000;
    sim.server.ignores_subscribes = true;
    sim.server.lose_events = 1;
    let count = HELD_EVENTS * 3;
    for number in 0..count {
        sim.server.post(ana(), &number.to_string());
    }
    sim.work();
    assert!(sim.screen().is_empty());
    sim.server.ignores_subscribes = false;
    sim.pass(10_000);
    assert_eq!(sim.screen().len(), count);
    assert_eq!(sim.screen(), sim.server.texts());
}

#[test]
fn frames_that_can_not_be_read_are_ignored() {
    let mut sim = Simulation::online();
    let Some(socket) = sim.socket else { panic!("no socket") };
    for text in [r#"{"type":"new_message","data":{"seq":"?"}}"#, r#"{"type":"of the future"}"#, "[", "", "null"] {
        sim.give(Input::Text { socket, text: Secret(text.into()) });
    }
    sim.server.post(ana(), "uno");
    sim.work();
    assert_eq!(sim.screen(), ["uno"]);
    assert_eq!(sim.opened_at.len(), 1);
}

#[test]
fn an_event_that_can_never_be_read_is_replaced_by_a_page_of_history() {
    let mut sim = Simulation::online();
    sim.server.unreadable = Some(2);
    for text in ["uno", "dos", "tres"] {
        sim.server.post(ana(), text);
    }
    sim.work();
    assert_eq!(sim.screen(), ["uno", "dos", "tres"]);
    assert_eq!(sim.said("sync"), 2);
    sim.pass(300_000);
    assert_eq!(sim.said("sync"), 2, "it asks for ever");
    sim.server.post(ana(), "cuatro");
    sim.work();
    assert_eq!(sim.screen(), ["uno", "dos", "tres", "cuatro"]);
}

#[test]
fn a_replay_that_ends_in_another_history_loads_the_group_again() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.work();
    sim.server.ignores_subscribes = true;
    sim.close(CloseReason::Abnormal);
    sim.server.restore(0);
    sim.pass(1_000);
    let (group_id, epoch) = (group(), sim.server.epoch);
    let (roster, reads) = (Vec::new(), BTreeMap::new());
    sim.hear(ServerFrame::Joined(Joined { group_id, epoch, head: 1, roster, reads, hidden_reads: BTreeSet::new() }));
    sim.hear(ServerFrame::CaughtUp(CaughtUp { group_id, epoch, seq: 1 }));
    assert_eq!(sim.group().timeline().cursor(), Some(Cursor { epoch, seq: 1 }));
    assert_eq!(sim.screen(), ["uno"]);
}

#[test]
fn only_the_rows_that_changed_are_reported() {
    let mut sim = Simulation::online();
    let id = sim.server.post(ana(), "uno");
    sim.work();
    sim.server.post(ana(), "dos");
    sim.work();
    sim.changes.clear();
    sim.server.edit(id, "uno!");
    sim.work();
    let told: Vec<&TimelineChange> = sim.changes.iter().filter_map(timeline).collect();
    assert_eq!(told, [&TimelineChange::Updated(vec![RowKey::Message(id)])]);
}

fn timeline(change: &Change) -> Option<&TimelineChange> {
    if let Change::Timeline { what, .. } = change { Some(what) } else { None }
}

#[test]
fn a_gap_is_reported_until_it_is_filled_even_without_a_socket() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.work();
    assert!(sim.group().is_whole());
    sim.server.ignores_subscribes = true;
    sim.server.lose_events = 1;
    sim.server.post(ana(), "dos");
    sim.server.post(ana(), "tres");
    sim.work();
    let complete = |sim: &Simulation| sim.group().complete_up_to().map(|message| message.content.body.clone());
    assert!(sim.group().is_missing_some());
    assert!(!sim.group().is_whole());
    assert_eq!(complete(&sim).as_deref(), Some("uno"));
    sim.close(CloseReason::Abnormal);
    assert!(sim.group().is_missing_some(), "what was held is forgotten, the hole is not");
    sim.server.ignores_subscribes = false;
    sim.changes.clear();
    sim.pass(30_000);
    assert!(!sim.group().is_missing_some());
    assert!(sim.group().is_whole());
    assert_eq!(complete(&sim).as_deref(), Some("tres"));
    assert!(sim.changes.contains(&Change::Progress { group: group() }));
}

#[test]
fn a_lost_last_event_is_reported_as_missing_after_the_heartbeat() {
    let mut sim = Simulation::online();
    sim.server.ignores_subscribes = true;
    sim.server.lose_events = 1;
    sim.server.post(ana(), "uno");
    sim.work();
    assert!(!sim.group().is_missing_some(), "nobody can know yet");
    sim.pass(30_000);
    assert!(sim.group().is_missing_some());
    sim.server.ignores_subscribes = false;
    sim.pass(60_000);
    assert_eq!(sim.screen(), ["uno"]);
    assert!(sim.group().is_whole());
}

#[test]
fn an_early_event_that_the_log_does_not_have_leaves_no_gap() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.work();
    let mut stray = sim.server.log[0].clone();
    if let caravana_protocol::Event::NewMessage(message) = &mut stray {
        message.seq = 1_000;
        message.id = id(77);
    }
    sim.hear(ServerFrame::Event(stray));
    assert_eq!(sim.said("sync"), 1);
    assert!(!sim.group().is_missing_some());
    assert!(sim.group().is_whole());
}

#[test]
fn a_group_is_not_whole_while_the_link_is_down_or_the_page_is_missing() {
    let mut sim = Simulation::online();
    sim.send(id(1), "uno");
    sim.give(Input::NetworkDown);
    assert!(!sim.group().is_whole());
    assert!(!sim.group().is_missing_some(), "nothing is known to be missing");
    sim.server.restore(0);
    sim.hold_pages = true;
    sim.give(Input::NetworkUp);
    assert!(sim.group().is_missing_some(), "the rebuilt history is not here yet");
    assert!(!sim.group().is_whole());
    sim.release_pages();
    assert!(sim.group().is_whole());
}

#[test]
fn an_own_message_above_a_gap_does_not_count_as_complete() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.work();
    sim.server.ignores_subscribes = true;
    sim.server.lose_events = 2;
    sim.server.post(ana(), "dos");
    sim.send(id(9), "tres");
    assert_eq!(sim.screen(), ["uno", "tres"]);
    assert_eq!(sim.group().complete_up_to().map(|message| message.content.body.as_str()), Some("uno"));
}

/// A client once treated an event of an unknown kind as a gap. Each such event cost two `sync`s and a reload of the page.
#[test]
fn an_event_of_an_unknown_kind_moves_the_cursor_and_shows_nothing() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    let columns = Columns { message_id: None, actor_id: Some(ana()), at: Timestamp::from_unix_micros(0) };
    for kind in ["poll_closed", "message_sealed"] {
        let seq = sim.server.log.len() as Seq + 1;
        let unknown = Other::stored(group(), seq, kind, columns, Some(r#"{"options":[1,2]}"#));
        sim.server.append(Event::Other(unknown));
    }
    sim.server.post(ana(), "dos");
    sim.work();
    assert_eq!(sim.screen(), ["uno", "dos"]);
    assert_eq!(sim.group().timeline().cursor().map(|cursor| cursor.seq), Some(4));
    assert_eq!((sim.said("sync"), sim.said("subscribe")), (0, 1));
    assert_eq!(sim.group().timeline().len(), 2, "no row for it");
}

/// The same while the client is offline: the event comes in the replay.
#[test]
fn an_unknown_event_in_a_replay_and_behind_a_gap_is_one_like_all() {
    let mut sim = Simulation::online();
    sim.server.lose_events = 1;
    sim.server.post(ana(), "uno");
    let columns = Columns { message_id: None, actor_id: None, at: Timestamp::from_unix_micros(0) };
    sim.server.append(Event::Other(Other::stored(group(), 2, "poll_closed", columns, None)));
    sim.server.post(ana(), "dos");
    sim.work();
    assert_eq!(sim.screen(), ["uno", "dos"]);
    assert_eq!(sim.said("sync"), 1, "for what was lost, and not for what is unknown");
    assert_eq!(sim.group().timeline().cursor().map(|cursor| cursor.seq), Some(3));
}
