//! The link: attempts, waits, ends (G8, G12, G18).

use caravana_client::testing::{Door, Simulation, group, me};
use caravana_client::{Change, Ended, Input, LinkState, SessionCheck};
use caravana_protocol::{
    AuthExpiring, ClientFrame, CloseReason, ErrorCode, GoingAway, Retry, ServerFrame, Timestamp, UserId,
};

#[test]
fn a_start_ends_online_with_the_group_caught_up() {
    let sim = Simulation::online();
    assert!(sim.group().is_live());
    assert!(!sim.group().is_filling());
    assert_eq!(sim.opened_at.len(), 1);
}

#[test]
fn a_lost_socket_comes_back_within_a_second_and_resumes_from_the_cursor() {
    let mut sim = Simulation::online();
    sim.server.post(me(), "uno");
    sim.work();
    sim.close(CloseReason::Abnormal);
    assert!(matches!(sim.session.link(), LinkState::Waiting { attempt: 1, .. }));
    sim.server.post(me(), "dos");
    sim.pass(1_000);
    assert_eq!(sim.session.link(), LinkState::Online);
    assert_eq!(sim.screen(), ["uno", "dos"]);
    let Some((_, ClientFrame::Subscribe { cursor: Some(cursor), .. })) = sim.said.last() else {
        panic!("the last frame is no subscribe with a cursor")
    };
    assert_eq!(cursor.seq, 1);
}

#[test]
fn the_waits_grow_up_to_thirty_seconds_and_differ_between_clients() {
    let mut firsts = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let mut sim = Simulation::new(seed);
        sim.door = Door::Refused;
        sim.give(Input::Start);
        let mut waits = Vec::new();
        for _ in 0..12 {
            let LinkState::Waiting { retry_at, .. } = sim.session.link() else { panic!("it does not wait") };
            waits.push(retry_at.since(sim.now));
            sim.pass(retry_at.since(sim.now));
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
    let mut sim = Simulation::online();
    for failures in 1..=4 {
        sim.close(CloseReason::Internal);
        assert!(matches!(sim.session.link(), LinkState::Waiting { attempt, .. } if attempt == failures));
        sim.give(Input::RetryNow);
        assert_eq!(sim.session.link(), LinkState::Online);
        sim.pass(59_999);
    }
    sim.pass(1);
    sim.close(CloseReason::Internal);
    assert!(matches!(sim.session.link(), LinkState::Waiting { attempt: 1, .. }));
}

#[test]
fn every_close_reason_is_followed_as_the_table_says() {
    for reason in CloseReason::ALL {
        let mut sim = Simulation::online();
        sim.close(*reason);
        match reason.retry() {
            Retry::Never => {
                assert_eq!(sim.session.link(), LinkState::Closed { reason: Ended::ByServer(*reason) });
                sim.give(Input::NetworkUp);
                sim.give(Input::PageVisible);
                sim.pass(3_600_000);
                assert_eq!(sim.opened_at.len(), 1, "{reason:?} was retried");
            }
            Retry::Now => assert_eq!(sim.session.link(), LinkState::Online, "{reason:?}"),
            Retry::Backoff => {
                assert!(matches!(sim.session.link(), LinkState::Waiting { .. }), "{reason:?}");
                sim.pass(1_000);
                assert_eq!(sim.session.link(), LinkState::Online, "{reason:?}");
            }
        }
    }
}

#[test]
fn a_server_that_always_asks_to_reconnect_at_once_causes_no_loop() {
    let mut sim = Simulation::online();
    sim.close(CloseReason::TokenExpired);
    assert_eq!(sim.session.link(), LinkState::Online);
    sim.close(CloseReason::TokenExpired);
    assert!(matches!(sim.session.link(), LinkState::Waiting { .. }));
}

#[test]
fn a_person_can_connect_again_after_a_terminal_close() {
    let mut sim = Simulation::online();
    sim.close(CloseReason::TooManyConnections);
    sim.give(Input::RetryNow);
    assert_eq!(sim.checks, 1);
    assert_eq!(sim.session.link(), LinkState::Online);
}

#[test]
fn the_wait_after_a_planned_restart_has_jitter() {
    let mut waits = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let mut sim = Simulation::new(seed);
        sim.give(Input::Start);
        sim.hear(ServerFrame::GoingAway(GoingAway { retry_after_ms: 5_000 }));
        sim.close(CloseReason::Restart);
        let LinkState::Waiting { retry_at, .. } = sim.session.link() else { panic!("it does not wait") };
        let wait = retry_at.since(sim.now);
        assert!((5_000..=10_000).contains(&wait), "{wait}");
        waits.insert(wait);
    }
    assert!(waits.len() > 15);
}

/// After a restart of ten seconds a page reconnected only after 18 s: every refused attempt doubled the next wait, as after a
/// failure.
#[test]
fn after_a_planned_restart_a_client_is_back_within_three_seconds_of_the_server() {
    for (seed, away_ms) in (0..20).zip([2_000, 5_000, 10_000, 20_000, 45_000].into_iter().cycle()) {
        let mut sim = Simulation::new(seed);
        sim.give(Input::Start);
        sim.hear(ServerFrame::GoingAway(GoingAway { retry_after_ms: 500 }));
        (sim.door, sim.sign) = (Door::Refused, SessionCheck::Unreachable);
        sim.close(CloseReason::Restart);
        sim.pass(away_ms);
        assert!(sim.opened_at.len() + sim.checks < 60, "a server that is away is hammered: {}", sim.checks);
        (sim.door, sim.sign) = (Door::Open, SessionCheck::SignedIn);
        sim.pass(3_000);
        assert_eq!(sim.session.link(), LinkState::Online, "after {away_ms} ms");
    }
}

#[test]
fn the_waits_grow_if_a_server_does_not_come_back_from_its_restart() {
    let mut sim = Simulation::online();
    sim.hear(ServerFrame::GoingAway(GoingAway { retry_after_ms: 500 }));
    (sim.door, sim.sign) = (Door::Refused, SessionCheck::Unreachable);
    sim.close(CloseReason::Restart);
    sim.pass(120_000);
    let before = sim.checks;
    sim.pass(600_000);
    assert!((20..80).contains(&(sim.checks - before)), "{}", sim.checks - before);
}

/// A page returned from the browser's cache after some failed attempts. It became visible first, and only then learned that
/// its socket was lost. That loss drew a wait of up to 30 s, so 15 to 18 s passed before the next message.
#[test]
fn a_loss_that_is_told_after_the_tab_woke_is_answered_at_once() {
    for sign in [Input::PageVisible, Input::NetworkUp] {
        let mut sim = after_failures();
        sim.cut = true;
        sim.pass(10_000);
        sim.give(sign);
        assert_eq!(sim.session.link(), LinkState::Online, "nobody knows of the loss yet");
        sim.close(CloseReason::Abnormal);
        assert_eq!(sim.session.link(), LinkState::Online);
        // Only once: the session must not connect in a loop to a server that drops every socket.
        sim.close(CloseReason::Abnormal);
        assert!(matches!(sim.session.link(), LinkState::Waiting { .. }));
    }
}

#[test]
fn a_socket_that_died_in_a_sleeping_tab_is_replaced_three_seconds_after_it_woke() {
    let mut sim = after_failures();
    sim.cut = true;
    sim.pass(10_000);
    let opened = sim.opened_at.len();
    sim.give(Input::PageVisible);
    sim.pass(2_999);
    assert_eq!(sim.opened_at.len(), opened);
    sim.pass(1);
    assert_eq!(sim.opened_at.len(), opened + 1);
    assert_eq!(sim.session.link(), LinkState::Online);
}

#[test]
fn a_socket_that_answers_after_the_tab_woke_stays() {
    let mut sim = after_failures();
    sim.pass(10_000);
    let (opened, said) = (sim.opened_at.len(), sim.said.len());
    sim.give(Input::PageVisible);
    assert!(sim.said.len() > said, "it is asked for a sign of life");
    sim.pass(60_000);
    assert_eq!(sim.opened_at.len(), opened);
}

/// Attempts that were under way when the tab fell asleep got their whole timeout once more when it woke up.
#[test]
fn an_attempt_from_before_the_sleep_is_replaced() {
    let mut sim = Simulation::new(1);
    sim.door = Door::Dead;
    sim.give(Input::Start);
    sim.pass(5_000);
    sim.door = Door::Open;
    sim.give(Input::PageVisible);
    sim.pass(3_000);
    assert_eq!(sim.session.link(), LinkState::Online);
}

#[test]
fn a_first_attempt_is_not_given_up_because_the_page_has_just_been_shown() {
    let mut sim = Simulation::new(1);
    sim.door = Door::Dead;
    sim.give(Input::Start);
    sim.pass(500);
    sim.give(Input::PageVisible);
    sim.pass(9_499);
    assert_eq!(sim.session.link(), LinkState::Connecting { attempt: 0 });
    assert_eq!(sim.opened_at.len(), 1);
}

#[test]
fn after_a_wake_the_next_waits_are_short_and_grow_again() {
    for seed in 0..20 {
        let mut sim = Simulation::new(seed);
        (sim.door, sim.sign) = (Door::Refused, SessionCheck::Unreachable);
        sim.give(Input::Start);
        sim.pass(600_000);
        sim.give(Input::PageVisible);
        for most in [2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let LinkState::Waiting { retry_at, .. } = sim.session.link() else { panic!("it does not wait") };
            let wait = retry_at.since(sim.now);
            assert!(wait <= most, "{wait} of {most}");
            sim.pass(wait);
        }
    }
}

/// Online, after as many failures as make the next wait long.
fn after_failures() -> Simulation {
    let mut sim = Simulation::online();
    for _ in 0..6 {
        sim.close(CloseReason::Internal);
        sim.give(Input::RetryNow);
        assert_eq!(sim.session.link(), LinkState::Online);
    }
    sim
}

#[test]
fn without_a_network_nothing_is_tried_until_there_is_one() {
    let mut sim = Simulation::online();
    sim.give(Input::NetworkDown);
    assert_eq!(sim.session.link(), LinkState::Offline);
    assert_eq!(sim.socket, None, "the socket is kept open");
    sim.pass(3_600_000);
    assert_eq!(sim.opened_at.len(), 1);
    sim.give(Input::NetworkUp);
    assert_eq!(sim.session.link(), LinkState::Online);
}

#[test]
fn a_waiting_link_tries_at_once_when_the_tab_comes_to_the_front() {
    for sign in [Input::PageVisible, Input::NetworkUp, Input::RetryNow] {
        let mut sim = Simulation::online();
        sim.close(CloseReason::Abnormal);
        sim.give(sign);
        assert_eq!(sim.session.link(), LinkState::Online);
    }
}

#[test]
fn after_a_socket_that_never_opened_the_sign_in_is_checked() {
    let mut sim = Simulation::new(3);
    sim.door = Door::Refused;
    sim.give(Input::Start);
    assert_eq!(sim.checks, 0);
    sim.pass(1_000);
    assert!(sim.checks >= 1);
    sim.sign = SessionCheck::SignedOut;
    sim.pass(30_000);
    assert_eq!(sim.session.link(), LinkState::Closed { reason: Ended::SignedOut });
    let tried = sim.opened_at.len();
    sim.pass(3_600_000);
    assert_eq!(sim.opened_at.len(), tried);
}

#[test]
fn no_socket_is_opened_while_the_sign_in_can_not_be_checked() {
    let mut sim = Simulation::new(3);
    sim.door = Door::Refused;
    sim.sign = SessionCheck::Unreachable;
    sim.give(Input::Start);
    sim.pass(600_000);
    assert_eq!(sim.opened_at.len(), 1);
    assert!(sim.checks > 10);
    sim.sign = SessionCheck::SignedIn;
    sim.door = Door::Open;
    sim.pass(30_000);
    assert_eq!(sim.session.link(), LinkState::Online);
}

#[test]
fn a_socket_that_does_not_open_in_ten_seconds_is_given_up() {
    let mut sim = Simulation::new(1);
    sim.door = Door::Dead;
    sim.give(Input::Start);
    sim.pass(9_999);
    assert_eq!(sim.session.link(), LinkState::Connecting { attempt: 0 });
    sim.pass(1);
    assert!(matches!(sim.session.link(), LinkState::Waiting { attempt: 1, .. }));
}

#[test]
fn frames_of_an_old_socket_are_ignored() {
    let mut sim = Simulation::online();
    let Some(old) = sim.socket else { panic!("no socket") };
    sim.close(CloseReason::Abnormal);
    sim.pass(1_000);
    assert_eq!(sim.session.link(), LinkState::Online);
    sim.give(Input::Closed { socket: old, reason: CloseReason::SessionRevoked });
    sim.give(Input::Opened { socket: old });
    assert_eq!(sim.session.link(), LinkState::Online);
}

#[test]
fn nothing_is_sent_to_a_server_that_names_another_user() {
    let mut sim = Simulation::new(1);
    sim.server.user = UserId::new(uuid::Uuid::from_u128(0xff));
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.send(caravana_client::testing::id(1), "privado");
    sim.give(Input::Start);
    assert_eq!(sim.session.link(), LinkState::Closed { reason: Ended::OtherUser });
    assert!(sim.said.is_empty());
    assert_eq!(sim.socket, None);
}

#[test]
fn a_group_that_does_not_answer_delays_the_link_for_ten_seconds_at_most() {
    let mut sim = Simulation::new(1);
    sim.server.ignores_subscribes = true;
    sim.give(Input::Start);
    assert_eq!(sim.session.link(), LinkState::Online, "without groups there is nothing to wait for");
    sim.give(Input::Stop);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Start);
    assert_eq!(sim.session.link(), LinkState::Joining);
    sim.pass(10_000);
    assert_eq!(sim.session.link(), LinkState::Online);
    assert!(sim.group().is_filling());
}

#[test]
fn a_group_that_can_not_be_followed_now_is_requested_again() {
    let mut sim = Simulation::new(1);
    sim.server.refuses_subscribes = Some(ErrorCode::Overloaded);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Start);
    sim.pass(60_000);
    assert!(!sim.group().is_live());
    assert!((3..20).contains(&sim.said("subscribe")), "{}", sim.said("subscribe"));
    sim.server.refuses_subscribes = None;
    sim.pass(30_000);
    assert!(sim.group().is_live());
}

#[test]
fn a_token_that_ends_soon_is_replaced_on_the_open_socket() {
    let mut sim = Simulation::online();
    sim.hear(ServerFrame::AuthExpiring(AuthExpiring { expires_at: Timestamp::from_unix_micros(0) }));
    assert_eq!(sim.refreshes, 1);
    sim.give(Input::Token(caravana_client::Secret("fresh".into())));
    assert_eq!(sim.said("auth"), 1);
    assert_eq!(sim.opened_at.len(), 1);
}

#[test]
fn every_change_of_the_link_is_reported_once() {
    let mut sim = Simulation::online();
    sim.changes.clear();
    sim.close(CloseReason::Abnormal);
    let told = sim.changes.iter().filter(|change| **change == Change::Link).count();
    assert_eq!(told, 1);
}
