//! Events that are missing, early, late, or can't be read (G4).

use std::collections::BTreeMap;

use caravana_client::testing::{World, ana, group, id};
use caravana_client::{Change, HELD_EVENTS, Input, RowKey, Secret, TimelineChange};
use caravana_protocol::{CaughtUp, CloseReason, Columns, Cursor, Event, Joined, Other, Seq, ServerFrame, Timestamp};

#[test]
fn a_gap_is_filled_by_one_sync() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    world.server.lose_events = 1;
    for text in ["dos", "tres", "cuatro"] {
        world.server.post(ana(), text);
    }
    world.work();
    assert_eq!(world.screen(), ["uno", "dos", "tres", "cuatro"]);
    assert_eq!(world.said("sync"), 1);
    assert!(!world.group().is_filling());
}

#[test]
fn nothing_is_shown_above_a_gap() {
    let mut world = World::online();
    world.server.ignores_subscribes = true;
    world.server.lose_events = 1;
    for text in ["uno", "dos", "tres"] {
        world.server.post(ana(), text);
    }
    world.work();
    assert!(world.screen().is_empty());
    assert!(world.group().timeline().has_gap());
    assert!(world.group().is_filling());
    assert_eq!(world.group().timeline().cursor().map(|cursor| cursor.seq), Some(0));
}

#[test]
fn a_stream_that_begins_afresh_resets_what_was_held_of_the_old_one() {
    let mut world = World::online();
    world.server.ignores_subscribes = true;
    world.server.lose_events = 1;
    world.server.post(ana(), "uno");
    world.server.post(ana(), "dos");
    world.work();
    assert!(world.group().timeline().has_gap());
    let (group_id, epoch) = (group(), world.server.epoch);
    let (roster, reads) = (Vec::new(), BTreeMap::new());
    world.hear(ServerFrame::Joined(Joined { group_id, epoch, head: 2, roster, reads }));
    assert!(!world.group().timeline().has_gap());
}

#[test]
fn an_event_that_fills_the_gap_late_brings_the_held_ones_with_it() {
    let mut world = World::online();
    world.server.ignores_subscribes = true;
    world.server.lose_events = 1;
    for text in ["uno", "dos", "tres"] {
        world.server.post(ana(), text);
    }
    world.work();
    let late = world.server.log[0].clone();
    world.hear(ServerFrame::Event(late));
    assert_eq!(world.screen(), ["uno", "dos", "tres"]);
}

#[test]
fn an_event_that_comes_twice_is_applied_once() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    world.work();
    world.server.admit(ana());
    world.work();
    world.changes.clear();
    for again in world.server.log.clone() {
        world.hear(ServerFrame::Event(again));
    }
    assert_eq!(world.screen(), ["uno", "·"]);
    assert!(world.changes.is_empty(), "{:?}", world.changes);
}

#[test]
fn an_unanswered_sync_is_asked_again_and_then_the_socket_is_replaced() {
    let mut world = World::online();
    world.server.ignores_subscribes = true;
    world.server.lose_events = 1;
    world.server.post(ana(), "uno");
    world.server.post(ana(), "dos");
    world.work();
    assert_eq!(world.said("sync"), 1);
    world.pass(10_000);
    assert_eq!(world.said("sync") + world.said("subscribe"), 3);
    world.pass(19_999);
    assert_eq!(world.opened_at.len(), 1);
    world.pass(1_001);
    assert_eq!(world.opened_at.len(), 2);
    world.server.ignores_subscribes = false;
    world.pass(30_000);
    assert_eq!(world.screen(), ["uno", "dos"]);
}

#[test]
fn what_is_held_is_bounded_and_still_nothing_is_lost() {
    let mut world = World::online();
    world.server.depth = 5_000;
    world.server.ignores_subscribes = true;
    world.server.lose_events = 1;
    let count = HELD_EVENTS * 3;
    for number in 0..count {
        world.server.post(ana(), &number.to_string());
    }
    world.work();
    assert!(world.screen().is_empty());
    world.server.ignores_subscribes = false;
    world.pass(10_000);
    assert_eq!(world.screen().len(), count);
    assert_eq!(world.screen(), world.server.texts());
}

#[test]
fn a_text_that_can_not_be_read_harms_nothing() {
    let mut world = World::online();
    let Some(socket) = world.socket else { panic!("no socket") };
    for text in [r#"{"type":"new_message","data":{"seq":"?"}}"#, r#"{"type":"of the future"}"#, "[", "", "null"] {
        world.give(Input::Text { socket, text: Secret(text.into()) });
    }
    world.server.post(ana(), "uno");
    world.work();
    assert_eq!(world.screen(), ["uno"]);
    assert_eq!(world.opened_at.len(), 1);
}

#[test]
fn an_event_that_can_never_be_read_is_gone_around_by_the_page() {
    let mut world = World::online();
    world.server.unreadable = Some(2);
    for text in ["uno", "dos", "tres"] {
        world.server.post(ana(), text);
    }
    world.work();
    assert_eq!(world.screen(), ["uno", "dos", "tres"]);
    assert_eq!(world.said("sync"), 2);
    world.pass(300_000);
    assert_eq!(world.said("sync"), 2, "it asks for ever");
    world.server.post(ana(), "cuatro");
    world.work();
    assert_eq!(world.screen(), ["uno", "dos", "tres", "cuatro"]);
}

#[test]
fn a_replay_that_ends_in_another_history_is_no_replay() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    world.work();
    world.server.ignores_subscribes = true;
    world.close(CloseReason::Abnormal);
    world.server.restore(0);
    world.pass(1_000);
    let (group_id, epoch) = (group(), world.server.epoch);
    let (roster, reads) = (Vec::new(), BTreeMap::new());
    world.hear(ServerFrame::Joined(Joined { group_id, epoch, head: 1, roster, reads }));
    world.hear(ServerFrame::CaughtUp(CaughtUp { group_id, epoch, seq: 1 }));
    assert_eq!(world.group().timeline().cursor(), Some(Cursor { epoch, seq: 1 }));
    assert_eq!(world.screen(), ["uno"]);
}

#[test]
fn only_the_rows_that_changed_are_told() {
    let mut world = World::online();
    let id = world.server.post(ana(), "uno");
    world.work();
    world.server.post(ana(), "dos");
    world.work();
    world.changes.clear();
    world.server.edit(id, "uno!");
    world.work();
    let told: Vec<&TimelineChange> = world.changes.iter().filter_map(timeline).collect();
    assert_eq!(told, [&TimelineChange::Updated(vec![RowKey::Message(id)])]);
}

fn timeline(change: &Change) -> Option<&TimelineChange> {
    if let Change::Timeline { what, .. } = change { Some(what) } else { None }
}

#[test]
fn a_gap_is_known_until_it_is_filled_also_while_the_socket_is_away() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    world.work();
    assert!(world.group().is_whole());
    world.server.ignores_subscribes = true;
    world.server.lose_events = 1;
    world.server.post(ana(), "dos");
    world.server.post(ana(), "tres");
    world.work();
    let complete = |world: &World| world.group().complete_up_to().map(|message| message.content.body.clone());
    assert!(world.group().is_missing_some());
    assert!(!world.group().is_whole());
    assert_eq!(complete(&world).as_deref(), Some("uno"));
    world.close(CloseReason::Abnormal);
    assert!(world.group().is_missing_some(), "what was held is forgotten, the hole is not");
    world.server.ignores_subscribes = false;
    world.changes.clear();
    world.pass(30_000);
    assert!(!world.group().is_missing_some());
    assert!(world.group().is_whole());
    assert_eq!(complete(&world).as_deref(), Some("tres"));
    assert!(world.changes.contains(&Change::Progress { group: group() }));
}

#[test]
fn a_lost_tail_is_known_as_a_gap_from_the_heartbeat_on() {
    let mut world = World::online();
    world.server.ignores_subscribes = true;
    world.server.lose_events = 1;
    world.server.post(ana(), "uno");
    world.work();
    assert!(!world.group().is_missing_some(), "nobody can know yet");
    world.pass(30_000);
    assert!(world.group().is_missing_some());
    world.server.ignores_subscribes = false;
    world.pass(60_000);
    assert_eq!(world.screen(), ["uno"]);
    assert!(world.group().is_whole());
}

#[test]
fn an_early_event_that_the_log_does_not_have_leaves_no_gap() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    world.work();
    let mut stray = world.server.log[0].clone();
    if let caravana_protocol::Event::NewMessage(message) = &mut stray {
        message.seq = 1_000;
        message.id = id(77);
    }
    world.hear(ServerFrame::Event(stray));
    assert_eq!(world.said("sync"), 1);
    assert!(!world.group().is_missing_some());
    assert!(world.group().is_whole());
}

#[test]
fn nothing_counts_as_whole_while_the_link_is_down_or_the_page_is_missing() {
    let mut world = World::online();
    world.send(id(1), "uno");
    world.give(Input::NetworkDown);
    assert!(!world.group().is_whole());
    assert!(!world.group().is_missing_some(), "nothing is known to be missing");
    world.server.restore(0);
    world.hold_pages = true;
    world.give(Input::NetworkUp);
    assert!(world.group().is_missing_some(), "the rebuilt history is not here yet");
    assert!(!world.group().is_whole());
    world.release_pages();
    assert!(world.group().is_whole());
}

#[test]
fn an_own_message_above_a_gap_does_not_count_as_complete() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    world.work();
    world.server.ignores_subscribes = true;
    world.server.lose_events = 2;
    world.server.post(ana(), "dos");
    world.send(id(9), "tres");
    assert_eq!(world.screen(), ["uno", "tres"]);
    assert_eq!(world.group().complete_up_to().map(|message| message.content.body.as_str()), Some("uno"));
}

/// A kind that a client did not know was a gap to it: two `sync`s and a reload of the page for each.
#[test]
fn an_event_of_an_unknown_kind_moves_the_cursor_and_shows_nothing() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    let columns = Columns { message_id: None, actor_id: Some(ana()), at: Timestamp::from_unix_micros(0) };
    for kind in ["poll_closed", "message_sealed"] {
        let seq = world.server.log.len() as Seq + 1;
        let unknown = Other::stored(group(), seq, kind, columns, Some(r#"{"options":[1,2]}"#));
        world.server.append(Event::Other(unknown));
    }
    world.server.post(ana(), "dos");
    world.work();
    assert_eq!(world.screen(), ["uno", "dos"]);
    assert_eq!(world.group().timeline().cursor().map(|cursor| cursor.seq), Some(4));
    assert_eq!((world.said("sync"), world.said("subscribe")), (0, 1));
    assert_eq!(world.group().timeline().len(), 2, "no row for it");
}

/// The same while the client was away: it comes in the replay.
#[test]
fn an_unknown_event_in_a_replay_and_behind_a_gap_is_one_like_all() {
    let mut world = World::online();
    world.server.lose_events = 1;
    world.server.post(ana(), "uno");
    let columns = Columns { message_id: None, actor_id: None, at: Timestamp::from_unix_micros(0) };
    world.server.append(Event::Other(Other::stored(group(), 2, "poll_closed", columns, None)));
    world.server.post(ana(), "dos");
    world.work();
    assert_eq!(world.screen(), ["uno", "dos"]);
    assert_eq!(world.said("sync"), 1, "for what was lost, and not for what is unknown");
    assert_eq!(world.group().timeline().cursor().map(|cursor| cursor.seq), Some(3));
}
