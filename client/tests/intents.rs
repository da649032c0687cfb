//! Changes of messages that wait: in order, over lost sockets and reloads, and shown on their row meanwhile (G15).

use caravana_client::testing::{Answer, Simulation, ana, group, id};
use caravana_client::{Change, Input, IntentId, OUTBOX_MESSAGES, RefusedReason, RowKey, SendState, TimelineChange};
use caravana_protocol::{CloseReason, ErrorCode};

/// A simulation in which one message of one's own is stored.
fn one() -> Simulation {
    let mut sim = Simulation::online();
    sim.send(id(1), "hola");
    sim.changes.clear();
    sim
}

fn change(sim: &Simulation, number: u128) -> (IntentId, SendState) {
    let intent =
        sim.group().changes_of(id(number)).next_back().unwrap_or_else(|| panic!("nothing is wanted of {number}"));
    (intent.id, intent.state)
}

#[test]
fn a_change_is_shown_at_once_and_answered_by_done() {
    let mut sim = one();
    sim.edit(id(1), "adiós");
    assert_eq!((sim.screen(), sim.server.texts()), (vec!["adiós".to_owned()], vec!["adiós".to_owned()]));
    assert!(sim.group().outbox().is_empty() && sim.stored.is_empty());
    sim.delete(id(1));
    assert_eq!(sim.screen(), [""]);
    let row = Change::Timeline { group: group(), what: TimelineChange::Updated(vec![RowKey::Message(id(1))]) };
    assert!(sim.changes.contains(&row), "the row is told of");
    assert!(!sim.changes.iter().any(|change| matches!(change, Change::Timeline { what, .. } if matches!(what, TimelineChange::Inserted(_) | TimelineChange::Reset))));
}

/// Edits and deletions were once refused while offline, and the person had to repeat them later.
#[test]
fn changes_made_offline_are_shown_and_are_sent_in_order_after_a_reconnect() {
    let mut sim = one();
    sim.send(id(2), "dos");
    sim.give(Input::NetworkDown);
    sim.edit(id(1), "uno");
    sim.send(id(3), "tres");
    sim.delete(id(2));
    assert_eq!(sim.screen(), ["uno?", "-?", "tres?"]);
    assert_eq!(sim.server.texts(), ["hola", "dos"]);
    sim.reload();
    assert_eq!(sim.stored.len(), 3);
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.pass(60_000);
    assert_eq!(sim.server.texts(), ["uno", "", "tres"]);
    assert_eq!(sim.screen(), ["uno", "", "tres"]);
    let kinds: Vec<&str> =
        sim.said.iter().map(|(_, frame)| frame.kind()).filter(|kind| kind.ends_with("message")).collect();
    assert_eq!(kinds[2..], ["edit_message", "send_message", "delete_message"]);
    assert!(sim.stored.is_empty() && sim.group().outbox().is_empty());
}

#[test]
fn a_waiting_message_can_be_changed_and_is_sent_before_the_change() {
    let mut sim = Simulation::online();
    sim.give(Input::NetworkDown);
    sim.send(id(1), "hloa");
    sim.edit(id(1), "hola");
    assert_eq!(sim.screen(), ["hola?"]);
    sim.give(Input::NetworkUp);
    sim.pass(60_000);
    assert_eq!((sim.screen(), sim.server.texts()), (vec!["hola".to_owned()], vec!["hola".to_owned()]));
    assert_eq!(sim.server.arrivals[&id(1)], 1);
}

#[test]
fn only_the_last_text_is_sent_and_only_if_the_log_does_not_show_it() {
    let mut sim = one();
    sim.give(Input::NetworkDown);
    for text in ["a", "b", "c"] {
        sim.edit(id(1), text);
    }
    assert_eq!((sim.group().outbox().len(), sim.stored.len()), (1, 1));
    sim.give(Input::NetworkUp);
    sim.pass(60_000);
    assert_eq!((sim.server.changes, sim.server.texts()), (1, vec!["c".to_owned()]));
    sim.edit(id(1), "c");
    assert_eq!(sim.server.changes, 1, "it says that already");
    assert!(sim.group().outbox().is_empty() && sim.stored.is_empty());
}

#[test]
fn an_edit_carries_whom_the_new_text_mentions_over_a_reload() {
    let mut sim = one();
    sim.give(Input::NetworkDown);
    sim.edit_mentioning(id(1), "hola @Ana", Some(vec![ana()]));
    sim.reload();
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.pass(60_000);
    let mentions = |sim: &Simulation| sim.group().timeline().message(id(1)).unwrap().content.mentions.clone();
    assert_eq!((sim.server.texts(), mentions(&sim)), (vec!["hola @Ana".to_owned()], vec![ana()]));
    // An edit that does not say whom it mentions leaves that as it is; only the mentions may differ, too.
    sim.edit(id(1), "hola, @Ana");
    assert_eq!(mentions(&sim), [ana()]);
    sim.edit_mentioning(id(1), "hola, @Ana", Some(Vec::new()));
    assert_eq!((mentions(&sim), sim.server.changes), (Vec::new(), 3));
    assert!(sim.group().outbox().is_empty() && sim.stored.is_empty());
}

#[test]
fn a_message_that_is_to_be_deleted_takes_no_other_change() {
    let mut sim = one();
    sim.give(Input::NetworkDown);
    sim.edit(id(1), "a");
    sim.delete(id(1));
    assert_eq!((sim.screen(), sim.group().outbox().len()), (vec!["-?".to_owned()], 1));
    sim.edit(id(1), "b");
    let reason = RefusedReason::Deleted;
    assert!(sim.changes.contains(&Change::Refused { group: group(), id: id(1), reason }));
    sim.give(Input::NetworkUp);
    sim.pass(60_000);
    assert_eq!((sim.screen(), sim.server.changes), (vec![String::new()], 1));
}

#[test]
fn a_change_whose_answer_is_lost_is_repeated_until_it_has_one() {
    for lost in [Answer::Lost, Answer::Unanswered, Answer::Swallowed] {
        let mut sim = one();
        sim.server.change_answers.push_back(lost.clone());
        sim.edit(id(1), "adiós");
        sim.pass(120_000);
        assert_eq!(
            (sim.screen(), sim.server.texts()),
            (vec!["adiós".to_owned()], vec!["adiós".to_owned()]),
            "{lost:?}"
        );
        assert!(sim.group().outbox().is_empty() && sim.stored.is_empty(), "{lost:?}");
        assert!(sim.server.log.len() == 2, "{lost:?}: one event");
    }
}

#[test]
fn a_change_that_was_under_way_when_the_socket_broke_is_sent_again() {
    let mut sim = one();
    sim.cut = true;
    sim.edit(id(1), "adiós");
    assert_eq!(change(&sim, 1).1, SendState::Sending);
    sim.close(CloseReason::Abnormal);
    assert_eq!(change(&sim, 1).1, SendState::Queued);
    sim.pass(60_000);
    assert_eq!((sim.screen(), sim.server.texts()), (vec!["adiós".to_owned()], vec!["adiós".to_owned()]));
}

#[test]
fn a_refused_change_keeps_its_reason_and_does_not_delay_the_others() {
    let mut sim = one();
    let other = sim.server.post(ana(), "ajeno");
    sim.work();
    sim.edit(other, "mío");
    let code = Some(ErrorCode::Forbidden);
    assert_eq!(sim.screen(), ["hola", "mío!"]);
    assert!(sim.changes.contains(&Change::SendFailed { group: group(), id: other, code }));
    sim.send(id(2), "sigo");
    assert_eq!(sim.server.texts(), ["hola", "ajeno", "sigo"]);
    // The storage keeps the refused change. After it is discarded, the screen shows the log.
    assert_eq!(sim.stored.len(), 1);
    let (intent, state) = change(&sim, 0xffff_0001);
    assert_eq!(state, SendState::Failed { code, retryable: false });
    sim.give(Input::Discard { group: group(), id: intent });
    assert_eq!(sim.screen(), ["hola", "ajeno", "sigo"]);
    assert!(sim.stored.is_empty());
}

#[test]
fn a_rate_limited_change_waits_and_a_refused_one_can_be_retried() {
    let mut sim = one();
    sim.server.change_answers.push_back(Answer::Refused(ErrorCode::RateLimited, Some(2_000)));
    sim.edit(id(1), "b");
    assert_eq!(sim.screen(), ["b?"]);
    assert!(sim.group().outbox().too_fast_until().is_some());
    sim.pass(3_000);
    assert_eq!(sim.screen(), ["b"]);
    sim.server.change_answers.push_back(Answer::Refused(ErrorCode::StorageFull, None));
    sim.delete(id(1));
    assert_eq!(sim.screen(), ["-!"]);
    let (intent, _) = change(&sim, 1);
    sim.give(Input::Retry { group: group(), id: intent });
    assert_eq!(sim.screen(), [""]);
}

#[test]
fn deleting_a_deleted_message_counts_as_done() {
    let mut sim = one();
    sim.give(Input::NetworkDown);
    sim.server.delete(id(1));
    sim.delete(id(1));
    sim.give(Input::NetworkUp);
    sim.pass(60_000);
    assert!(sim.group().outbox().is_empty(), "{:?}", sim.group().outbox());
    sim.edit(id(1), "x");
    assert_eq!(sim.screen(), ["x!"], "and an edit of it is refused");
}

/// During a rolling upgrade the server may be one build older. It does not send `done`, so the event is the answer.
#[test]
fn without_done_the_event_of_a_change_is_its_answer() {
    let mut sim = one();
    sim.server.knows_no_done = true;
    sim.edit(id(1), "b");
    sim.delete(id(1));
    assert_eq!(sim.screen(), [""]);
    assert!(sim.group().outbox().is_empty() && sim.stored.is_empty());
}

/// Such a server answers nothing if nothing had to change. The session does not repeat the change for ever.
#[test]
fn a_change_that_is_never_answered_is_left_to_the_person() {
    let mut sim = one();
    sim.server.knows_no_done = true;
    sim.server.lose_events = 1;
    sim.server.change_answers.extend([Answer::Swallowed, Answer::Swallowed]);
    sim.edit(id(1), "b");
    let sockets = sim.opened_at.len();
    sim.pass(20_000);
    assert_eq!(sim.screen(), ["b!"]);
    sim.pass(30_000);
    assert_eq!(sim.opened_at.len(), sockets + 1, "the socket was replaced once");
    let (intent, state) = change(&sim, 1);
    assert_eq!(state, SendState::Failed { code: None, retryable: true });
    sim.give(Input::Retry { group: group(), id: intent });
    sim.pass(60_000);
    assert_eq!((sim.screen(), sim.server.texts()), (vec!["b".to_owned()], vec!["b".to_owned()]));
}

#[test]
fn discarding_a_message_discards_its_changes() {
    let mut sim = Simulation::online();
    sim.server.answers.push_back(Answer::Refused(ErrorCode::InvalidMessage, None));
    sim.send(id(1), "hola");
    sim.edit(id(1), "adiós");
    sim.send(id(2), "sigo");
    assert_eq!(sim.screen(), ["sigo", "adiós!"], "a change of what is not stored waits");
    assert_eq!(sim.server.changes, 0);
    sim.give(Input::Discard { group: group(), id: id(1).into() });
    assert_eq!((sim.screen(), sim.stored.len()), (vec!["sigo".to_owned()], 0));
}

#[test]
fn a_full_outbox_takes_only_another_text_for_a_waiting_change() {
    let mut sim = one();
    sim.give(Input::NetworkDown);
    sim.edit(id(1), "a");
    for number in 2..=OUTBOX_MESSAGES as u128 {
        sim.send(id(number), "x");
    }
    sim.edit(id(2), "b");
    let reason = RefusedReason::OutboxFull;
    assert!(sim.changes.contains(&Change::Refused { group: group(), id: id(2), reason }));
    sim.edit(id(1), "c");
    assert_eq!(sim.screen()[0], "c?");
    assert_eq!(sim.stored.len(), OUTBOX_MESSAGES);
}

#[test]
fn another_page_takes_over_unsent_changes() {
    let mut page = one();
    page.give(Input::NetworkDown);
    page.edit(id(1), "de la otra");
    let left: Vec<_> = page.stored.values().cloned().collect();
    let mut sim = Simulation::online();
    sim.send(id(1), "hola");
    sim.give(Input::Adopt(left));
    assert_eq!((sim.screen(), sim.server.texts()), (vec!["de la otra".to_owned()], vec!["de la otra".to_owned()]));
}

fn reactions(sim: &Simulation, number: u128) -> Vec<(String, u64, bool)> {
    let message = sim.group().timeline().message(id(number)).unwrap_or_else(|| panic!("no message {number}"));
    let shown = message.reactions.iter();
    shown.map(|one| (one.emoji.clone(), one.count, one.users.contains(&sim.server.user))).collect()
}

#[test]
fn a_reaction_and_a_pin_are_shown_when_they_are_answered_and_are_counted_once() {
    let mut sim = one();
    sim.react(id(1), "🎉", true);
    sim.server.react_as(ana(), id(1), "🎉", true);
    sim.work();
    assert_eq!(reactions(&sim, 1), [("🎉".to_owned(), 2, true)]);
    sim.react(id(1), "🎉", false);
    assert_eq!(reactions(&sim, 1), [("🎉".to_owned(), 1, false)]);
    sim.pin(id(1), true);
    assert!(sim.group().timeline().message(id(1)).is_some_and(|message| message.pinned));
    assert!(sim.changes.contains(&Change::Pins { group: group() }));
    assert!(sim.group().outbox().is_empty() && sim.stored.is_empty());
}

#[test]
fn marks_made_offline_survive_a_reload_and_only_the_last_of_a_kind_is_sent() {
    let mut sim = one();
    sim.give(Input::NetworkDown);
    sim.react(id(1), "🎉", true);
    sim.react(id(1), "👍", true);
    sim.react(id(1), "🎉", false);
    sim.pin(id(1), true);
    sim.edit(id(1), "uno");
    assert_eq!(sim.group().changes_of(id(1)).count(), 4);
    sim.reload();
    assert_eq!(sim.stored.len(), 4);
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.pass(60_000);
    assert_eq!(reactions(&sim, 1), [("👍".to_owned(), 1, true)]);
    assert_eq!(sim.said("react"), 2, "only the last of each kind is sent");
    assert!(sim.group().timeline().message(id(1)).is_some_and(|message| message.pinned));
    assert_eq!(sim.screen(), ["uno"]);
    assert!(sim.stored.is_empty() && sim.group().outbox().is_empty());
}

#[test]
fn a_refused_reaction_says_why_and_keeps_no_other_change_waiting() {
    let mut sim = one();
    sim.server.change_answers.push_back(Answer::Refused(ErrorCode::TooManyReactions, None));
    sim.react(id(1), "🎉", true);
    let (_, state) = change(&sim, 1);
    assert_eq!(state, SendState::Failed { code: Some(ErrorCode::TooManyReactions), retryable: false });
    sim.react(id(1), "👍", true);
    sim.edit(id(1), "uno");
    assert_eq!((sim.screen(), reactions(&sim, 1)), (vec!["uno".to_owned()], vec![("👍".to_owned(), 1, true)]));
    assert_eq!(sim.group().outbox().len(), 1);
    sim.delete(id(1));
    assert!(sim.group().outbox().is_empty(), "a deletion leaves nothing to ask for");
}

/// A reaction to a message that somebody deletes meanwhile has nothing to wait for.
#[test]
fn a_reaction_to_a_deleted_message_ends_without_a_complaint() {
    let mut sim = one();
    sim.give(Input::NetworkDown);
    sim.react(id(1), "🎉", true);
    sim.server.delete(id(1));
    sim.give(Input::NetworkUp);
    sim.pass(60_000);
    assert!(sim.group().outbox().is_empty());
    assert_eq!(sim.screen(), [""]);
}

/// The answer to a reaction once hid what others had done to the message a moment before.
#[test]
fn a_reaction_that_is_answered_first_does_not_hide_those_before_it() {
    let mut sim = one();
    sim.server.lose_events = 1;
    sim.server.react_as(ana(), id(1), "👍", true);
    sim.react(id(1), "🎉", true);
    sim.pass(60_000);
    // In the order in which they came here; a page that is loaded again has the server's.
    assert_eq!(reactions(&sim, 1), [("🎉".to_owned(), 1, true), ("👍".to_owned(), 1, false)]);
}
