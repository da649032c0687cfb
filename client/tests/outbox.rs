//! What was written reaches the group once, in order, or the screen says that it did not (G2, G15).

use caravana_client::testing::{Answer, Simulation, ana, group, id};
use caravana_client::{Change, Input, LinkState, OUTBOX_MESSAGES, RefusedReason, SendState};
use caravana_protocol::{CloseReason, ErrorCode};

fn state(sim: &Simulation, number: u128) -> Option<SendState> {
    sim.group().outbox().get(id(number)).map(|entry| entry.state)
}

#[test]
fn a_message_is_shown_at_once_and_replaced_by_the_stored_one() {
    let mut sim = Simulation::online();
    sim.give(Input::NetworkDown);
    sim.send(id(1), "hola");
    assert_eq!(sim.screen(), ["hola?"]);
    let before: Vec<_> = sim.group().items().map(|item| item.key()).collect();
    sim.give(Input::NetworkUp);
    assert_eq!(sim.screen(), ["hola"]);
    let after: Vec<_> = sim.group().items().map(|item| item.key()).collect();
    assert_eq!(before, after, "the row keeps its key");
    assert!(sim.stored.is_empty(), "what is stored need not be kept");
}

#[test]
fn messages_written_offline_are_sent_in_order_and_before_later_ones() {
    let mut sim = Simulation::online();
    sim.give(Input::NetworkDown);
    for number in 1..=5 {
        sim.send(id(number), &number.to_string());
    }
    sim.server.answers.push_back(Answer::Swallowed);
    sim.give(Input::NetworkUp);
    sim.send(id(6), "6");
    sim.pass(10_000);
    assert_eq!(sim.server.texts(), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(sim.screen(), sim.server.texts());
}

#[test]
fn nothing_is_sent_before_the_group_has_caught_up() {
    let mut sim = Simulation::online();
    sim.close(CloseReason::Abnormal);
    sim.send(id(1), "después");
    sim.server.ignores_subscribes = true;
    sim.pass(5_000);
    assert_eq!(sim.session.link(), LinkState::Joining);
    assert_eq!(sim.said("send_message"), 0);
    sim.pass(10_000);
    assert_eq!(sim.session.link(), LinkState::Online);
    assert_eq!(sim.said("send_message"), 0, "the link is online, the group is not");
    sim.server.ignores_subscribes = false;
    sim.pass(30_000);
    assert_eq!(sim.screen(), ["después"]);
}

#[test]
fn a_message_whose_answer_was_lost_is_sent_again_and_shown_once() {
    let mut sim = Simulation::online();
    sim.server.answers.push_back(Answer::Lost);
    sim.send(id(1), "una vez");
    assert_eq!(state(&sim, 1), Some(SendState::Sending));
    sim.close(CloseReason::Abnormal);
    assert_eq!(state(&sim, 1), Some(SendState::Queued));
    sim.server.post(ana(), "otra");
    sim.pass(1_000);
    assert_eq!(sim.screen(), ["una vez", "otra"]);
    assert!(sim.group().outbox().is_empty());
    assert_eq!(sim.server.texts(), ["una vez", "otra"]);
}

#[test]
fn the_event_of_an_own_message_acknowledges_it() {
    let mut sim = Simulation::online();
    sim.server.answers.push_back(Answer::Unanswered);
    sim.send(id(1), "hola");
    assert_eq!(sim.screen(), ["hola"]);
    assert!(sim.group().outbox().is_empty());
    sim.pass(60_000);
    assert_eq!(sim.said("send_message"), 1);
}

#[test]
fn a_send_without_an_answer_is_repeated_and_then_the_socket_is_replaced() {
    let mut sim = Simulation::online();
    sim.server.answers.extend([Answer::Swallowed, Answer::Swallowed]);
    sim.send(id(1), "eco");
    sim.pass(10_000);
    assert_eq!(sim.said("send_message"), 2);
    assert_eq!(sim.opened_at.len(), 1);
    sim.pass(11_000);
    assert_eq!(sim.opened_at.len(), 2);
    assert_eq!(sim.screen(), ["eco"]);
    assert_eq!(sim.server.arrivals.len(), 1);
}

#[test]
fn a_server_that_is_busy_is_given_its_time_and_the_order_stays() {
    for code in [ErrorCode::RateLimited, ErrorCode::Overloaded, ErrorCode::TemporarilyUnavailable] {
        let mut sim = Simulation::online();
        sim.server.answers.push_back(Answer::Refused(code, Some(3_000)));
        sim.send(id(1), "1");
        sim.send(id(2), "2");
        let until = Some(sim.now.after(3_000));
        // The session tells the person only if they sent too fast.
        let told = until.filter(|_| code == ErrorCode::RateLimited);
        assert_eq!(sim.group().outbox().too_fast_until(), told, "{code}");
        sim.pass(2_999);
        assert_eq!(sim.said("send_message"), 1, "{code}");
        sim.pass(1);
        assert_eq!(sim.server.texts(), ["1", "2"], "{code}");
        assert_eq!(sim.group().outbox().too_fast_until(), None);
    }
}

#[test]
fn without_a_time_from_the_server_the_waits_grow() {
    let mut sim = Simulation::online();
    sim.server.answers.extend(vec![Answer::Refused(ErrorCode::TemporarilyUnavailable, None); 100]);
    sim.send(id(1), "1");
    sim.pass(120_000);
    assert!((6..12).contains(&sim.said("send_message")), "{}", sim.said("send_message"));
    sim.server.answers.clear();
    sim.pass(30_000);
    assert_eq!(sim.screen(), ["1"]);
}

#[test]
fn a_refused_message_keeps_its_reason_and_the_next_ones_are_sent() {
    let mut sim = Simulation::online();
    sim.server.answers.push_back(Answer::Refused(ErrorCode::MessageTooLong, None));
    sim.send(id(1), "demasiado");
    sim.send(id(2), "sigue");
    assert_eq!(sim.screen(), ["sigue", "demasiado!"]);
    let code = Some(ErrorCode::MessageTooLong);
    assert_eq!(state(&sim, 1), Some(SendState::Failed { code, retryable: false }));
    assert!(sim.changes.contains(&Change::SendFailed { group: group(), id: id(1), code }));
    sim.pass(600_000);
    assert_eq!(sim.said("send_message"), 2, "it was retried by itself");
}

#[test]
fn a_retry_is_sent_with_the_same_id() {
    let mut sim = Simulation::online();
    sim.server.answers.push_back(Answer::Refused(ErrorCode::StorageFull, None));
    sim.send(id(1), "otra vez");
    assert_eq!(state(&sim, 1), Some(SendState::Failed { code: Some(ErrorCode::StorageFull), retryable: true }));
    sim.give(Input::Retry { group: group(), id: id(1).into() });
    assert_eq!(sim.screen(), ["otra vez"]);
    assert_eq!(sim.server.arrivals[&id(1)], 2);
    assert!(sim.stored.is_empty());
}

#[test]
fn a_discarded_message_is_removed_and_one_under_way_stays() {
    let mut sim = Simulation::online();
    sim.server.answers.push_back(Answer::Swallowed);
    sim.send(id(1), "en camino");
    sim.send(id(2), "en cola");
    for number in [1, 2] {
        sim.give(Input::Discard { group: group(), id: id(number).into() });
    }
    assert_eq!(sim.screen(), ["en camino?"]);
    sim.pass(30_000);
    assert_eq!(sim.server.texts(), ["en camino"]);
    assert!(sim.stored.is_empty());
}

#[test]
fn the_outbox_survives_a_reload_and_is_sent_without_opening_the_group() {
    let mut sim = Simulation::online();
    sim.give(Input::NetworkDown);
    // Ids that sort against the order of writing: the order of writing must count.
    for number in [3, 2, 1] {
        sim.send(id(number), &number.to_string());
    }
    assert_eq!(sim.stored.len(), 3);
    sim.reload();
    sim.give(Input::Start);
    assert_eq!(sim.server.texts(), ["3", "2", "1"]);
    assert!(sim.stored.is_empty());
    assert!(sim.session.group(group()).is_none(), "nobody looks at it and nothing is left to send");
}

#[test]
fn a_message_written_after_a_reload_is_sent_after_the_restored_ones() {
    let mut sim = Simulation::online();
    sim.give(Input::NetworkDown);
    sim.send(id(9), "antes");
    sim.reload();
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.send(id(1), "después");
    sim.give(Input::Start);
    assert_eq!(sim.server.texts(), ["antes", "después"]);
}

#[test]
fn a_restored_message_that_was_stored_already_is_shown_once() {
    let mut sim = Simulation::online();
    sim.server.answers.push_back(Answer::Lost);
    sim.send(id(1), "ya está");
    sim.reload();
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(sim.screen(), ["ya está"]);
    assert!(sim.group().outbox().is_empty(), "the page says that it is stored");
    sim.give(Input::Start);
    assert_eq!(sim.screen(), ["ya está"]);
    assert!(sim.stored.is_empty());
}

#[test]
fn a_refused_message_is_still_refused_after_a_reload() {
    let mut sim = Simulation::online();
    sim.server.answers.push_back(Answer::Refused(ErrorCode::InvalidMessage, None));
    sim.send(id(1), "mal");
    sim.reload();
    sim.give(Input::Start);
    sim.pass(60_000);
    assert_eq!(sim.screen(), ["mal!"]);
    assert!(sim.server.texts().is_empty());
}

#[test]
fn messages_of_another_user_on_this_device_are_left_alone() {
    let mut sim = Simulation::online();
    sim.give(Input::NetworkDown);
    sim.send(id(1), "mío");
    for message in sim.stored.values_mut() {
        message.user_id = ana();
    }
    sim.reload();
    sim.give(Input::Start);
    assert!(sim.server.texts().is_empty());
    assert_eq!(sim.stored.len(), 1);
}

#[test]
fn a_full_outbox_refuses_new_messages() {
    let mut sim = Simulation::online();
    sim.give(Input::NetworkDown);
    for number in 0..OUTBOX_MESSAGES {
        sim.send(id(number as u128 + 1), "x");
    }
    assert_eq!(sim.session.outbox_room(), 0);
    sim.send(id(1_000), "de más");
    let reason = RefusedReason::OutboxFull;
    assert!(sim.changes.contains(&Change::Refused { group: group(), id: id(1_000), reason }));
    assert_eq!(sim.stored.len(), OUTBOX_MESSAGES);
    sim.give(Input::NetworkUp);
    assert_eq!(sim.server.texts().len(), OUTBOX_MESSAGES);
}

#[test]
fn an_id_can_be_used_only_once() {
    let mut sim = Simulation::online();
    sim.send(id(1), "uno");
    sim.send(id(1), "dos");
    let reason = RefusedReason::IdTaken;
    assert!(sim.changes.contains(&Change::Refused { group: group(), id: id(1), reason }));
    assert_eq!(sim.screen(), ["uno"]);
}

#[test]
fn a_closed_group_still_sends_what_waits_in_it() {
    let mut sim = Simulation::online();
    sim.close(CloseReason::Abnormal);
    sim.send(id(1), "adiós");
    sim.give(Input::CloseGroup { group: group() });
    sim.pass(1_000);
    assert_eq!(sim.server.texts(), ["adiós"]);
    assert!(sim.session.group(group()).is_none());
}

#[test]
fn waiting_messages_of_a_group_that_was_left_are_refused() {
    let mut sim = Simulation::online();
    sim.close(CloseReason::Abnormal);
    sim.send(id(1), "tarde");
    sim.server.refuses_subscribes = Some(ErrorCode::NotFound);
    sim.pass(1_000);
    assert_eq!(sim.screen(), ["tarde!"]);
    assert!(sim.changes.contains(&Change::GroupLeft { group: group(), reason: None }));
}
