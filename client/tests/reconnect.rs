//! The link: attempts, waits, ends (G8, G12, G18).

use caravana_client::testing::{Door, World, group, me};
use caravana_client::{Change, Ended, Input, LinkState, SessionCheck};
use caravana_protocol::{
    AuthExpiring, ClientFrame, CloseReason, ErrorCode, GoingAway, Retry, ServerFrame, Timestamp, UserId,
};

#[test]
fn a_start_ends_online_with_the_group_caught_up() {
    let world = World::online();
    assert!(world.group().is_live());
    assert!(!world.group().is_filling());
    assert_eq!(world.opened_at.len(), 1);
}

#[test]
fn a_lost_socket_comes_back_within_a_second_and_resumes_from_the_cursor() {
    let mut world = World::online();
    world.server.post(me(), "uno");
    world.work();
    world.close(CloseReason::Abnormal);
    assert!(matches!(world.session.link(), LinkState::Waiting { attempt: 1, .. }));
    world.server.post(me(), "dos");
    world.pass(1_000);
    assert_eq!(world.session.link(), LinkState::Online);
    assert_eq!(world.screen(), ["uno", "dos"]);
    let Some((_, ClientFrame::Subscribe { cursor: Some(cursor), .. })) = world.said.last() else {
        panic!("the last frame is no subscribe with a cursor")
    };
    assert_eq!(cursor.seq, 1);
}

#[test]
fn the_waits_grow_up_to_thirty_seconds_and_differ_between_clients() {
    let mut firsts = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let mut world = World::new(seed);
        world.door = Door::Refused;
        world.give(Input::Start);
        let mut waits = Vec::new();
        for _ in 0..12 {
            let LinkState::Waiting { retry_at, .. } = world.session.link() else { panic!("it does not wait") };
            waits.push(retry_at.since(world.now));
            world.pass(retry_at.since(world.now));
        }
        for (attempt, wait) in waits.iter().enumerate() {
            assert!(*wait <= (1_000 << attempt.min(5)).min(30_000), "{attempt}: {wait}");
        }
        assert!(waits[6..].iter().any(|wait| *wait > 8_000), "the window does not grow: {waits:?}");
        firsts.insert(waits[0]);
    }
    assert!(firsts.len() > 15, "the clients come back together");
}

#[test]
fn only_a_minute_online_makes_the_next_wait_short_again() {
    let mut world = World::online();
    for failures in 1..=4 {
        world.close(CloseReason::Internal);
        assert!(matches!(world.session.link(), LinkState::Waiting { attempt, .. } if attempt == failures));
        world.give(Input::RetryNow);
        assert_eq!(world.session.link(), LinkState::Online);
        world.pass(59_999);
    }
    world.pass(1);
    world.close(CloseReason::Internal);
    assert!(matches!(world.session.link(), LinkState::Waiting { attempt: 1, .. }));
}

#[test]
fn every_close_reason_is_followed_as_the_table_says() {
    for reason in CloseReason::ALL {
        let mut world = World::online();
        world.close(*reason);
        match reason.retry() {
            Retry::Never => {
                assert_eq!(world.session.link(), LinkState::Closed { reason: Ended::ByServer(*reason) });
                world.give(Input::NetworkUp);
                world.give(Input::PageVisible);
                world.pass(3_600_000);
                assert_eq!(world.opened_at.len(), 1, "{reason:?} was retried");
            }
            Retry::Now => assert_eq!(world.session.link(), LinkState::Online, "{reason:?}"),
            Retry::Backoff => {
                assert!(matches!(world.session.link(), LinkState::Waiting { .. }), "{reason:?}");
                world.pass(1_000);
                assert_eq!(world.session.link(), LinkState::Online, "{reason:?}");
            }
        }
    }
}

#[test]
fn a_server_that_asks_to_come_back_at_once_again_and_again_makes_no_loop() {
    let mut world = World::online();
    world.close(CloseReason::TokenExpired);
    assert_eq!(world.session.link(), LinkState::Online);
    world.close(CloseReason::TokenExpired);
    assert!(matches!(world.session.link(), LinkState::Waiting { .. }));
}

#[test]
fn a_person_may_ask_again_after_a_terminal_close() {
    let mut world = World::online();
    world.close(CloseReason::TooManyConnections);
    world.give(Input::RetryNow);
    assert_eq!(world.checks, 1);
    assert_eq!(world.session.link(), LinkState::Online);
}

#[test]
fn a_planned_restart_is_waited_for_with_jitter() {
    let mut waits = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let mut world = World::new(seed);
        world.give(Input::Start);
        world.hear(ServerFrame::GoingAway(GoingAway { retry_after_ms: 5_000 }));
        world.close(CloseReason::Restart);
        let LinkState::Waiting { retry_at, .. } = world.session.link() else { panic!("it does not wait") };
        let wait = retry_at.since(world.now);
        assert!((5_000..=10_000).contains(&wait), "{wait}");
        waits.insert(wait);
    }
    assert!(waits.len() > 15);
}

/// After a restart of ten seconds a page came back 18 s later: every refused attempt doubled the next wait, as if the server
/// had failed for no reason.
#[test]
fn after_a_planned_restart_a_client_is_back_within_three_seconds_of_the_server() {
    for (seed, away_ms) in (0..20).zip([2_000, 5_000, 10_000, 20_000, 45_000].into_iter().cycle()) {
        let mut world = World::new(seed);
        world.give(Input::Start);
        world.hear(ServerFrame::GoingAway(GoingAway { retry_after_ms: 500 }));
        (world.door, world.sign) = (Door::Refused, SessionCheck::Unreachable);
        world.close(CloseReason::Restart);
        world.pass(away_ms);
        assert!(world.opened_at.len() + world.checks < 60, "a server that is away is hammered: {}", world.checks);
        (world.door, world.sign) = (Door::Open, SessionCheck::SignedIn);
        world.pass(3_000);
        assert_eq!(world.session.link(), LinkState::Online, "after {away_ms} ms");
    }
}

#[test]
fn a_server_that_never_comes_back_from_its_restart_is_asked_less_and_less() {
    let mut world = World::online();
    world.hear(ServerFrame::GoingAway(GoingAway { retry_after_ms: 500 }));
    (world.door, world.sign) = (Door::Refused, SessionCheck::Unreachable);
    world.close(CloseReason::Restart);
    world.pass(120_000);
    let before = world.checks;
    world.pass(600_000);
    assert!((20..80).contains(&(world.checks - before)), "{}", world.checks - before);
}

/// A page came back from the browser's cache after some failures. It heard that it was in sight, and only then that its
/// socket had died; that loss drew a wait of up to 30 s, and 15 to 18 s passed before the next message.
#[test]
fn a_loss_that_is_told_after_the_tab_woke_is_answered_at_once() {
    for sign in [Input::PageVisible, Input::NetworkUp] {
        let mut world = world_after_failures();
        world.cut = true;
        world.pass(10_000);
        world.give(sign);
        assert_eq!(world.session.link(), LinkState::Online, "nobody knows of the loss yet");
        world.close(CloseReason::Abnormal);
        assert_eq!(world.session.link(), LinkState::Online);
        // Only once: the session must not connect in a loop to a server that drops every socket.
        world.close(CloseReason::Abnormal);
        assert!(matches!(world.session.link(), LinkState::Waiting { .. }));
    }
}

#[test]
fn a_socket_that_died_in_a_sleeping_tab_is_replaced_three_seconds_after_it_woke() {
    let mut world = world_after_failures();
    world.cut = true;
    world.pass(10_000);
    let opened = world.opened_at.len();
    world.give(Input::PageVisible);
    world.pass(2_999);
    assert_eq!(world.opened_at.len(), opened);
    world.pass(1);
    assert_eq!(world.opened_at.len(), opened + 1);
    assert_eq!(world.session.link(), LinkState::Online);
}

#[test]
fn a_socket_that_answers_after_the_tab_woke_stays() {
    let mut world = world_after_failures();
    world.pass(10_000);
    let (opened, said) = (world.opened_at.len(), world.said.len());
    world.give(Input::PageVisible);
    assert!(world.said.len() > said, "it is asked for a sign of life");
    world.pass(60_000);
    assert_eq!(world.opened_at.len(), opened);
}

/// Attempts that were under way when the tab fell asleep had their whole time once more when it woke.
#[test]
fn an_attempt_from_before_the_sleep_is_made_anew() {
    let mut world = World::new(1);
    world.door = Door::Dead;
    world.give(Input::Start);
    world.pass(5_000);
    world.door = Door::Open;
    world.give(Input::PageVisible);
    world.pass(3_000);
    assert_eq!(world.session.link(), LinkState::Online);
}

#[test]
fn a_first_attempt_is_not_given_up_because_the_page_has_just_been_shown() {
    let mut world = World::new(1);
    world.door = Door::Dead;
    world.give(Input::Start);
    world.pass(500);
    world.give(Input::PageVisible);
    world.pass(9_499);
    assert_eq!(world.session.link(), LinkState::Connecting { attempt: 0 });
    assert_eq!(world.opened_at.len(), 1);
}

#[test]
fn after_a_wake_the_next_waits_are_short_and_grow_again() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        (world.door, world.sign) = (Door::Refused, SessionCheck::Unreachable);
        world.give(Input::Start);
        world.pass(600_000);
        world.give(Input::PageVisible);
        for most in [2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let LinkState::Waiting { retry_at, .. } = world.session.link() else { panic!("it does not wait") };
            let wait = retry_at.since(world.now);
            assert!(wait <= most, "{wait} of {most}");
            world.pass(wait);
        }
    }
}

/// Online, after as many failures as make the next wait long.
fn world_after_failures() -> World {
    let mut world = World::online();
    for _ in 0..6 {
        world.close(CloseReason::Internal);
        world.give(Input::RetryNow);
        assert_eq!(world.session.link(), LinkState::Online);
    }
    world
}

#[test]
fn without_a_network_nothing_is_tried_until_there_is_one() {
    let mut world = World::online();
    world.give(Input::NetworkDown);
    assert_eq!(world.session.link(), LinkState::Offline);
    assert_eq!(world.socket, None, "the socket is kept open");
    world.pass(3_600_000);
    assert_eq!(world.opened_at.len(), 1);
    world.give(Input::NetworkUp);
    assert_eq!(world.session.link(), LinkState::Online);
}

#[test]
fn a_waiting_link_tries_at_once_when_the_tab_comes_to_the_front() {
    for sign in [Input::PageVisible, Input::NetworkUp, Input::RetryNow] {
        let mut world = World::online();
        world.close(CloseReason::Abnormal);
        world.give(sign);
        assert_eq!(world.session.link(), LinkState::Online);
    }
}

#[test]
fn a_socket_that_never_opened_is_followed_by_a_question_about_the_sign_in() {
    let mut world = World::new(3);
    world.door = Door::Refused;
    world.give(Input::Start);
    assert_eq!(world.checks, 0);
    world.pass(1_000);
    assert!(world.checks >= 1);
    world.sign = SessionCheck::SignedOut;
    world.pass(30_000);
    assert_eq!(world.session.link(), LinkState::Closed { reason: Ended::SignedOut });
    let tried = world.opened_at.len();
    world.pass(3_600_000);
    assert_eq!(world.opened_at.len(), tried);
}

#[test]
fn while_the_server_can_not_be_asked_no_socket_is_opened() {
    let mut world = World::new(3);
    world.door = Door::Refused;
    world.sign = SessionCheck::Unreachable;
    world.give(Input::Start);
    world.pass(600_000);
    assert_eq!(world.opened_at.len(), 1);
    assert!(world.checks > 10);
    world.sign = SessionCheck::SignedIn;
    world.door = Door::Open;
    world.pass(30_000);
    assert_eq!(world.session.link(), LinkState::Online);
}

#[test]
fn a_socket_that_does_not_open_in_ten_seconds_is_given_up() {
    let mut world = World::new(1);
    world.door = Door::Dead;
    world.give(Input::Start);
    world.pass(9_999);
    assert_eq!(world.session.link(), LinkState::Connecting { attempt: 0 });
    world.pass(1);
    assert!(matches!(world.session.link(), LinkState::Waiting { attempt: 1, .. }));
}

#[test]
fn what_an_old_socket_says_means_nothing() {
    let mut world = World::online();
    let Some(old) = world.socket else { panic!("no socket") };
    world.close(CloseReason::Abnormal);
    world.pass(1_000);
    assert_eq!(world.session.link(), LinkState::Online);
    world.give(Input::Closed { socket: old, reason: CloseReason::SessionRevoked });
    world.give(Input::Opened { socket: old });
    assert_eq!(world.session.link(), LinkState::Online);
}

#[test]
fn a_server_that_takes_the_client_for_somebody_else_is_told_nothing() {
    let mut world = World::new(1);
    world.server.user = UserId::new(uuid::Uuid::from_u128(0xff));
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.send(caravana_client::testing::id(1), "privado");
    world.give(Input::Start);
    assert_eq!(world.session.link(), LinkState::Closed { reason: Ended::OtherUser });
    assert!(world.said.is_empty());
    assert_eq!(world.socket, None);
}

#[test]
fn a_group_that_does_not_answer_keeps_the_link_from_being_online_for_ten_seconds_at_most() {
    let mut world = World::new(1);
    world.server.ignores_subscribes = true;
    world.give(Input::Start);
    assert_eq!(world.session.link(), LinkState::Online, "without groups there is nothing to wait for");
    world.give(Input::Stop);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.give(Input::Start);
    assert_eq!(world.session.link(), LinkState::Joining);
    world.pass(10_000);
    assert_eq!(world.session.link(), LinkState::Online);
    assert!(world.group().is_filling());
}

#[test]
fn a_group_that_can_not_be_followed_now_is_asked_for_again() {
    let mut world = World::new(1);
    world.server.refuses_subscribes = Some(ErrorCode::Overloaded);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.give(Input::Start);
    world.pass(60_000);
    assert!(!world.group().is_live());
    assert!((3..20).contains(&world.said("subscribe")), "{}", world.said("subscribe"));
    world.server.refuses_subscribes = None;
    world.pass(30_000);
    assert!(world.group().is_live());
}

#[test]
fn a_token_that_ends_soon_is_replaced_on_the_open_socket() {
    let mut world = World::online();
    world.hear(ServerFrame::AuthExpiring(AuthExpiring { expires_at: Timestamp::from_unix_micros(0) }));
    assert_eq!(world.refreshes, 1);
    world.give(Input::Token(caravana_client::Secret("fresh".into())));
    assert_eq!(world.said("auth"), 1);
    assert_eq!(world.opened_at.len(), 1);
}

#[test]
fn every_change_of_the_link_is_told_once() {
    let mut world = World::online();
    world.changes.clear();
    world.close(CloseReason::Abnormal);
    let told = world.changes.iter().filter(|change| **change == Change::Link).count();
    assert_eq!(told, 1);
}
