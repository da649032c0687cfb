//! Changes of messages that wait: in order, over lost sockets and reloads, and shown on their row meanwhile (G15).

use caravana_client::testing::{Answer, World, ana, group, id};
use caravana_client::{Change, Input, IntentId, OUTBOX_MESSAGES, RefusedReason, RowKey, SendState, TimelineChange};
use caravana_protocol::{CloseReason, ErrorCode};

/// A world in which one message of one's own is stored.
fn one() -> World {
    let mut world = World::online();
    world.send(id(1), "hola");
    world.changes.clear();
    world
}

fn change(world: &World, number: u128) -> (IntentId, SendState) {
    let intent = world.group().change_of(id(number)).unwrap_or_else(|| panic!("nothing is wanted of {number}"));
    (intent.id, intent.state)
}

#[test]
fn a_change_is_shown_at_once_and_answered_by_done() {
    let mut world = one();
    world.edit(id(1), "adiós");
    assert_eq!((world.screen(), world.server.texts()), (vec!["adiós".to_owned()], vec!["adiós".to_owned()]));
    assert!(world.group().outbox().is_empty() && world.stored.is_empty());
    world.delete(id(1));
    assert_eq!(world.screen(), [""]);
    let row = Change::Timeline { group: group(), what: TimelineChange::Updated(vec![RowKey::Message(id(1))]) };
    assert!(world.changes.contains(&row), "the row is told of");
    assert!(!world.changes.iter().any(|change| matches!(change, Change::Timeline { what, .. } if matches!(what, TimelineChange::Inserted(_) | TimelineChange::Reset))));
}

/// Edits and deletions were refused without a link, and the person had to come back to them.
#[test]
fn what_was_changed_without_a_link_is_kept_shown_and_said_in_order_when_it_is_back() {
    let mut world = one();
    world.send(id(2), "dos");
    world.give(Input::NetworkDown);
    world.edit(id(1), "uno");
    world.send(id(3), "tres");
    world.delete(id(2));
    assert_eq!(world.screen(), ["uno?", "-?", "tres?"]);
    assert_eq!(world.server.texts(), ["hola", "dos"]);
    world.reload();
    assert_eq!(world.stored.len(), 3);
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.pass(60_000);
    assert_eq!(world.server.texts(), ["uno", "", "tres"]);
    assert_eq!(world.screen(), ["uno", "", "tres"]);
    let kinds: Vec<&str> =
        world.said.iter().map(|(_, frame)| frame.kind()).filter(|kind| kind.ends_with("message")).collect();
    assert_eq!(kinds[2..], ["edit_message", "send_message", "delete_message"]);
    assert!(world.stored.is_empty() && world.group().outbox().is_empty());
}

#[test]
fn a_message_that_waits_can_be_changed_and_is_sent_first() {
    let mut world = World::online();
    world.give(Input::NetworkDown);
    world.send(id(1), "hloa");
    world.edit(id(1), "hola");
    assert_eq!(world.screen(), ["hola?"]);
    world.give(Input::NetworkUp);
    world.pass(60_000);
    assert_eq!((world.screen(), world.server.texts()), (vec!["hola".to_owned()], vec!["hola".to_owned()]));
    assert_eq!(world.server.arrivals[&id(1)], 1);
}

#[test]
fn the_last_text_counts_and_nothing_is_said_that_is_so_already() {
    let mut world = one();
    world.give(Input::NetworkDown);
    for text in ["a", "b", "c"] {
        world.edit(id(1), text);
    }
    assert_eq!((world.group().outbox().len(), world.stored.len()), (1, 1));
    world.give(Input::NetworkUp);
    world.pass(60_000);
    assert_eq!((world.server.changes, world.server.texts()), (1, vec!["c".to_owned()]));
    world.edit(id(1), "c");
    assert_eq!(world.server.changes, 1, "it says that already");
    assert!(world.group().outbox().is_empty() && world.stored.is_empty());
}

#[test]
fn nothing_is_wanted_of_a_message_that_is_to_be_deleted() {
    let mut world = one();
    world.give(Input::NetworkDown);
    world.edit(id(1), "a");
    world.delete(id(1));
    assert_eq!((world.screen(), world.group().outbox().len()), (vec!["-?".to_owned()], 1));
    world.edit(id(1), "b");
    let reason = RefusedReason::Deleted;
    assert!(world.changes.contains(&Change::Refused { group: group(), id: id(1), reason }));
    world.give(Input::NetworkUp);
    world.pass(60_000);
    assert_eq!((world.screen(), world.server.changes), (vec![String::new()], 1));
}

#[test]
fn a_change_whose_answer_is_lost_is_repeated_until_it_has_one() {
    for lost in [Answer::Lost, Answer::Unanswered, Answer::Swallowed] {
        let mut world = one();
        world.server.change_answers.push_back(lost.clone());
        world.edit(id(1), "adiós");
        world.pass(120_000);
        assert_eq!(
            (world.screen(), world.server.texts()),
            (vec!["adiós".to_owned()], vec!["adiós".to_owned()]),
            "{lost:?}"
        );
        assert!(world.group().outbox().is_empty() && world.stored.is_empty(), "{lost:?}");
        assert!(world.server.log.len() == 2, "{lost:?}: one event");
    }
}

#[test]
fn a_change_that_was_under_way_when_the_socket_broke_is_said_again() {
    let mut world = one();
    world.cut = true;
    world.edit(id(1), "adiós");
    assert_eq!(change(&world, 1).1, SendState::Sending);
    world.close(CloseReason::Abnormal);
    assert_eq!(change(&world, 1).1, SendState::Queued);
    world.pass(60_000);
    assert_eq!((world.screen(), world.server.texts()), (vec!["adiós".to_owned()], vec!["adiós".to_owned()]));
}

#[test]
fn what_the_server_refuses_says_why_on_its_row_and_holds_up_nobody() {
    let mut world = one();
    let other = world.server.post(ana(), "ajeno");
    world.work();
    world.edit(other, "mío");
    let code = Some(ErrorCode::Forbidden);
    assert_eq!(world.screen(), ["hola", "mío!"]);
    assert!(world.changes.contains(&Change::SendFailed { group: group(), id: other, code }));
    world.send(id(2), "sigo");
    assert_eq!(world.server.texts(), ["hola", "ajeno", "sigo"]);
    // The storage keeps the refused change. After it is discarded, the screen shows the log.
    assert_eq!(world.stored.len(), 1);
    let (intent, state) = change(&world, 0xffff_0001);
    assert_eq!(state, SendState::Failed { code, retryable: false });
    world.give(Input::Discard { group: group(), id: intent });
    assert_eq!(world.screen(), ["hola", "ajeno", "sigo"]);
    assert!(world.stored.is_empty());
}

#[test]
fn a_limit_makes_a_change_wait_and_a_retry_takes_up_what_was_refused() {
    let mut world = one();
    world.server.change_answers.push_back(Answer::Refused(ErrorCode::RateLimited, Some(2_000)));
    world.edit(id(1), "b");
    assert_eq!(world.screen(), ["b?"]);
    assert!(world.group().outbox().too_fast_until().is_some());
    world.pass(3_000);
    assert_eq!(world.screen(), ["b"]);
    world.server.change_answers.push_back(Answer::Refused(ErrorCode::StorageFull, None));
    world.delete(id(1));
    assert_eq!(world.screen(), ["-!"]);
    let (intent, _) = change(&world, 1);
    world.give(Input::Retry { group: group(), id: intent });
    assert_eq!(world.screen(), [""]);
}

#[test]
fn a_deletion_of_what_is_deleted_is_done() {
    let mut world = one();
    world.give(Input::NetworkDown);
    world.server.delete(id(1));
    world.delete(id(1));
    world.give(Input::NetworkUp);
    world.pass(60_000);
    assert!(world.group().outbox().is_empty(), "{:?}", world.group().outbox());
    world.edit(id(1), "x");
    assert_eq!(world.screen(), ["x!"], "and an edit of it is refused");
}

/// During a rolling upgrade the server may be one build behind: it answers no change, and the event is the answer.
#[test]
fn a_server_that_does_not_know_done_answers_by_the_event() {
    let mut world = one();
    world.server.knows_no_done = true;
    world.edit(id(1), "b");
    world.delete(id(1));
    assert_eq!(world.screen(), [""]);
    assert!(world.group().outbox().is_empty() && world.stored.is_empty());
}

/// It says nothing where nothing had to change, of a message that is not loaded here; it is not asked for ever.
#[test]
fn a_change_that_is_never_answered_ends_at_the_person() {
    let mut world = one();
    world.server.knows_no_done = true;
    world.server.lose_events = 1;
    world.server.change_answers.extend([Answer::Swallowed, Answer::Swallowed]);
    world.edit(id(1), "b");
    let sockets = world.opened_at.len();
    world.pass(20_000);
    assert_eq!(world.screen(), ["b!"]);
    world.pass(30_000);
    assert_eq!(world.opened_at.len(), sockets + 1, "the socket was replaced once");
    let (intent, state) = change(&world, 1);
    assert_eq!(state, SendState::Failed { code: None, retryable: true });
    world.give(Input::Retry { group: group(), id: intent });
    world.pass(60_000);
    assert_eq!((world.screen(), world.server.texts()), (vec!["b".to_owned()], vec!["b".to_owned()]));
}

#[test]
fn giving_up_a_message_gives_up_what_was_wanted_of_it() {
    let mut world = World::online();
    world.server.answers.push_back(Answer::Refused(ErrorCode::InvalidMessage, None));
    world.send(id(1), "hola");
    world.edit(id(1), "adiós");
    world.send(id(2), "sigo");
    assert_eq!(world.screen(), ["sigo", "adiós!"], "a change of what is not stored waits");
    assert_eq!(world.server.changes, 0);
    world.give(Input::Discard { group: group(), id: id(1).into() });
    assert_eq!((world.screen(), world.stored.len()), (vec!["sigo".to_owned()], 0));
}

#[test]
fn a_full_outbox_takes_no_more_changes_but_another_text_of_one_that_waits() {
    let mut world = one();
    world.give(Input::NetworkDown);
    world.edit(id(1), "a");
    for number in 2..=OUTBOX_MESSAGES as u128 {
        world.send(id(number), "x");
    }
    world.edit(id(2), "b");
    let reason = RefusedReason::OutboxFull;
    assert!(world.changes.contains(&Change::Refused { group: group(), id: id(2), reason }));
    world.edit(id(1), "c");
    assert_eq!(world.screen()[0], "c?");
    assert_eq!(world.stored.len(), OUTBOX_MESSAGES);
}

#[test]
fn another_page_takes_over_the_changes_that_were_left_behind() {
    let mut page = one();
    page.give(Input::NetworkDown);
    page.edit(id(1), "de la otra");
    let left: Vec<_> = page.stored.values().cloned().collect();
    let mut world = World::online();
    world.send(id(1), "hola");
    world.give(Input::Adopt(left));
    assert_eq!((world.screen(), world.server.texts()), (vec!["de la otra".to_owned()], vec!["de la otra".to_owned()]));
}
