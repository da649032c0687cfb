//! What was written reaches the group once, in order, or the screen says that it did not (G2, G15).

use caravana_client::testing::{Answer, World, ana, group, id};
use caravana_client::{Change, Input, LinkState, OUTBOX_MESSAGES, RefusedReason, SendState};
use caravana_protocol::{CloseReason, ErrorCode};

fn state(world: &World, number: u128) -> Option<SendState> {
    world.group().outbox().get(id(number)).map(|entry| entry.state)
}

#[test]
fn a_message_is_shown_at_once_and_replaced_by_the_stored_one() {
    let mut world = World::online();
    world.give(Input::NetworkDown);
    world.send(id(1), "hola");
    assert_eq!(world.screen(), ["hola?"]);
    let before: Vec<_> = world.group().items().map(|item| item.key()).collect();
    world.give(Input::NetworkUp);
    assert_eq!(world.screen(), ["hola"]);
    let after: Vec<_> = world.group().items().map(|item| item.key()).collect();
    assert_eq!(before, after, "the row keeps its key");
    assert!(world.stored.is_empty(), "what is stored need not be kept");
}

#[test]
fn what_is_written_offline_goes_out_in_order_and_before_what_is_written_later() {
    let mut world = World::online();
    world.give(Input::NetworkDown);
    for number in 1..=5 {
        world.send(id(number), &number.to_string());
    }
    world.server.answers.push_back(Answer::Swallowed);
    world.give(Input::NetworkUp);
    world.send(id(6), "6");
    world.pass(10_000);
    assert_eq!(world.server.texts(), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(world.screen(), world.server.texts());
}

#[test]
fn nothing_is_sent_before_the_group_has_caught_up() {
    let mut world = World::online();
    world.close(CloseReason::Abnormal);
    world.send(id(1), "después");
    world.server.ignores_subscribes = true;
    world.pass(5_000);
    assert_eq!(world.session.link(), LinkState::Joining);
    assert_eq!(world.said("send_message"), 0);
    world.pass(10_000);
    assert_eq!(world.session.link(), LinkState::Online);
    assert_eq!(world.said("send_message"), 0, "the link is online, the group is not");
    world.server.ignores_subscribes = false;
    world.pass(30_000);
    assert_eq!(world.screen(), ["después"]);
}

#[test]
fn a_lost_answer_is_asked_for_again_and_the_message_is_there_once() {
    let mut world = World::online();
    world.server.answers.push_back(Answer::Lost);
    world.send(id(1), "una vez");
    assert_eq!(state(&world, 1), Some(SendState::Sending));
    world.close(CloseReason::Abnormal);
    assert_eq!(state(&world, 1), Some(SendState::Queued));
    world.server.post(ana(), "otra");
    world.pass(1_000);
    assert_eq!(world.screen(), ["una vez", "otra"]);
    assert!(world.group().outbox().is_empty());
    assert_eq!(world.server.texts(), ["una vez", "otra"]);
}

#[test]
fn the_own_event_is_as_good_as_an_answer() {
    let mut world = World::online();
    world.server.answers.push_back(Answer::Unanswered);
    world.send(id(1), "hola");
    assert_eq!(world.screen(), ["hola"]);
    assert!(world.group().outbox().is_empty());
    world.pass(60_000);
    assert_eq!(world.said("send_message"), 1);
}

#[test]
fn a_send_without_an_answer_is_said_again_and_then_the_socket_is_replaced() {
    let mut world = World::online();
    world.server.answers.extend([Answer::Swallowed, Answer::Swallowed]);
    world.send(id(1), "eco");
    world.pass(10_000);
    assert_eq!(world.said("send_message"), 2);
    assert_eq!(world.opened_at.len(), 1);
    world.pass(11_000);
    assert_eq!(world.opened_at.len(), 2);
    assert_eq!(world.screen(), ["eco"]);
    assert_eq!(world.server.arrivals.len(), 1);
}

#[test]
fn a_server_that_is_busy_is_given_its_time_and_the_order_stays() {
    for code in [ErrorCode::RateLimited, ErrorCode::Overloaded, ErrorCode::TemporarilyUnavailable] {
        let mut world = World::online();
        world.server.answers.push_back(Answer::Refused(code, Some(3_000)));
        world.send(id(1), "1");
        world.send(id(2), "2");
        let until = Some(world.now.after(3_000));
        // The session tells the person only if they sent too fast.
        let told = until.filter(|_| code == ErrorCode::RateLimited);
        assert_eq!(world.group().outbox().too_fast_until(), told, "{code}");
        world.pass(2_999);
        assert_eq!(world.said("send_message"), 1, "{code}");
        world.pass(1);
        assert_eq!(world.server.texts(), ["1", "2"], "{code}");
        assert_eq!(world.group().outbox().too_fast_until(), None);
    }
}

#[test]
fn without_a_time_from_the_server_the_waits_grow() {
    let mut world = World::online();
    world.server.answers.extend(vec![Answer::Refused(ErrorCode::TemporarilyUnavailable, None); 100]);
    world.send(id(1), "1");
    world.pass(120_000);
    assert!((6..12).contains(&world.said("send_message")), "{}", world.said("send_message"));
    world.server.answers.clear();
    world.pass(30_000);
    assert_eq!(world.screen(), ["1"]);
}

#[test]
fn a_refused_message_stays_with_its_reason_and_the_next_ones_go_on() {
    let mut world = World::online();
    world.server.answers.push_back(Answer::Refused(ErrorCode::MessageTooLong, None));
    world.send(id(1), "demasiado");
    world.send(id(2), "sigue");
    assert_eq!(world.screen(), ["sigue", "demasiado!"]);
    let code = Some(ErrorCode::MessageTooLong);
    assert_eq!(state(&world, 1), Some(SendState::Failed { code, retryable: false }));
    assert!(world.changes.contains(&Change::SendFailed { group: group(), id: id(1), code }));
    world.pass(600_000);
    assert_eq!(world.said("send_message"), 2, "it was retried by itself");
}

#[test]
fn a_retry_goes_out_under_the_same_id() {
    let mut world = World::online();
    world.server.answers.push_back(Answer::Refused(ErrorCode::StorageFull, None));
    world.send(id(1), "otra vez");
    assert_eq!(state(&world, 1), Some(SendState::Failed { code: Some(ErrorCode::StorageFull), retryable: true }));
    world.give(Input::Retry { group: group(), id: id(1).into() });
    assert_eq!(world.screen(), ["otra vez"]);
    assert_eq!(world.server.arrivals[&id(1)], 2);
    assert!(world.stored.is_empty());
}

#[test]
fn a_discarded_message_is_gone_for_good_and_one_under_way_stays() {
    let mut world = World::online();
    world.server.answers.push_back(Answer::Swallowed);
    world.send(id(1), "en camino");
    world.send(id(2), "en cola");
    for number in [1, 2] {
        world.give(Input::Discard { group: group(), id: id(number).into() });
    }
    assert_eq!(world.screen(), ["en camino?"]);
    world.pass(30_000);
    assert_eq!(world.server.texts(), ["en camino"]);
    assert!(world.stored.is_empty());
}

#[test]
fn the_queue_survives_a_reload_and_goes_out_without_the_group_being_opened() {
    let mut world = World::online();
    world.give(Input::NetworkDown);
    // Ids that sort against the order of writing: the order of writing must count.
    for number in [3, 2, 1] {
        world.send(id(number), &number.to_string());
    }
    assert_eq!(world.stored.len(), 3);
    world.reload();
    world.give(Input::Start);
    assert_eq!(world.server.texts(), ["3", "2", "1"]);
    assert!(world.stored.is_empty());
    assert!(world.session.group(group()).is_none(), "nobody looks at it and nothing is left to send");
}

#[test]
fn a_message_written_after_a_reload_goes_behind_the_restored_ones() {
    let mut world = World::online();
    world.give(Input::NetworkDown);
    world.send(id(9), "antes");
    world.reload();
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.send(id(1), "después");
    world.give(Input::Start);
    assert_eq!(world.server.texts(), ["antes", "después"]);
}

#[test]
fn a_restored_message_that_was_stored_already_is_shown_once() {
    let mut world = World::online();
    world.server.answers.push_back(Answer::Lost);
    world.send(id(1), "ya está");
    world.reload();
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(world.screen(), ["ya está"]);
    assert!(world.group().outbox().is_empty(), "the page says that it is stored");
    world.give(Input::Start);
    assert_eq!(world.screen(), ["ya está"]);
    assert!(world.stored.is_empty());
}

#[test]
fn a_refused_message_is_still_refused_after_a_reload() {
    let mut world = World::online();
    world.server.answers.push_back(Answer::Refused(ErrorCode::InvalidMessage, None));
    world.send(id(1), "mal");
    world.reload();
    world.give(Input::Start);
    world.pass(60_000);
    assert_eq!(world.screen(), ["mal!"]);
    assert!(world.server.texts().is_empty());
}

#[test]
fn what_another_user_wrote_on_this_device_is_left_alone() {
    let mut world = World::online();
    world.give(Input::NetworkDown);
    world.send(id(1), "mío");
    for message in world.stored.values_mut() {
        message.user_id = ana();
    }
    world.reload();
    world.give(Input::Start);
    assert!(world.server.texts().is_empty());
    assert_eq!(world.stored.len(), 1);
}

#[test]
fn a_full_outbox_says_so_and_takes_nothing() {
    let mut world = World::online();
    world.give(Input::NetworkDown);
    for number in 0..OUTBOX_MESSAGES {
        world.send(id(number as u128 + 1), "x");
    }
    assert_eq!(world.session.outbox_room(), 0);
    world.send(id(1_000), "de más");
    let reason = RefusedReason::OutboxFull;
    assert!(world.changes.contains(&Change::Refused { group: group(), id: id(1_000), reason }));
    assert_eq!(world.stored.len(), OUTBOX_MESSAGES);
    world.give(Input::NetworkUp);
    assert_eq!(world.server.texts().len(), OUTBOX_MESSAGES);
}

#[test]
fn an_id_is_taken_once() {
    let mut world = World::online();
    world.send(id(1), "uno");
    world.send(id(1), "dos");
    let reason = RefusedReason::IdTaken;
    assert!(world.changes.contains(&Change::Refused { group: group(), id: id(1), reason }));
    assert_eq!(world.screen(), ["uno"]);
}

#[test]
fn a_closed_group_still_sends_what_waits_in_it() {
    let mut world = World::online();
    world.close(CloseReason::Abnormal);
    world.send(id(1), "adiós");
    world.give(Input::CloseGroup { group: group() });
    world.pass(1_000);
    assert_eq!(world.server.texts(), ["adiós"]);
    assert!(world.session.group(group()).is_none());
}

#[test]
fn what_waits_for_a_group_that_was_left_is_refused() {
    let mut world = World::online();
    world.close(CloseReason::Abnormal);
    world.send(id(1), "tarde");
    world.server.refuses_subscribes = Some(ErrorCode::NotFound);
    world.pass(1_000);
    assert_eq!(world.screen(), ["tarde!"]);
    assert!(world.changes.contains(&Change::GroupLeft { group: group(), reason: None }));
}
