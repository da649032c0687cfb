//! Made-up histories, one for each kind of violation.

use std::collections::BTreeMap;
use std::time::Duration;

use caravana_protocol::{Cursor, Epoch, MessageId, Seq, UserId};
use uuid::Uuid;

use super::super::Vitals;
use super::super::history::{Applied, Client, Entry, History, Outcome, Sent, What};
use super::{KEPT, OWN, Rule, judge, lets_go};

const EPOCH: Epoch = Epoch::new(Uuid::from_u128(1));

fn ana() -> UserId {
    UserId::new(Uuid::from_u128(0xa))
}

fn bob() -> UserId {
    UserId::new(Uuid::from_u128(0xb))
}

fn id(number: u128) -> MessageId {
    MessageId::new(Uuid::from_u128(number))
}

fn message(number: u128, author: UserId) -> What {
    What::Message { id: id(number), author: Some(author), text: format!("text {number}") }
}

fn entry(seq: Seq, what: What) -> Entry {
    Entry { seq, what }
}

fn event(seq: Seq, what: What) -> Applied {
    Applied::Event { epoch: EPOCH, seq, what }
}

fn sent(number: u128, at: u64, acknowledged: (Seq, u64)) -> Sent {
    let outcome = Outcome::Acknowledged { seq: acknowledged.0, at: acknowledged.1 };
    Sent { id: id(number), text: format!("text {number}"), at, outcome, attempts: 1 }
}

fn client(user: UserId, sends: Vec<Sent>) -> Client {
    let start = Cursor { epoch: EPOCH, seq: 2 };
    let seen = [event(3, message(1, ana())), event(4, message(2, bob()))];
    Client {
        user,
        sends,
        applied: [Applied::Restart(start)].into_iter().chain(seen).collect(),
        broken_streams: Vec::new(),
        cursor: Some(Cursor { epoch: EPOCH, seq: 4 }),
        screen: Some(vec![id(1), id(2)]),
        settled: Some(Duration::from_secs(1)),
    }
}

/// A history without a violation: Ana writes, Bob sees it and answers, and both see both messages.
fn sound() -> History {
    History {
        epoch: EPOCH,
        head: 4,
        log: vec![
            entry(1, What::Joined(ana())),
            entry(2, What::Joined(bob())),
            entry(3, message(1, ana())),
            entry(4, message(2, bob())),
        ],
        clients: vec![client(ana(), vec![sent(1, 0, (3, 1))]), client(bob(), vec![sent(2, 2, (4, 3))])],
        foreign: BTreeMap::new(),
    }
}

#[track_caller]
fn breaks(rule: Rule, change: impl FnOnce(&mut History)) {
    let mut history = sound();
    change(&mut history);
    let broken: Vec<Rule> = judge(&history).into_iter().map(|violation| violation.rule).collect();
    assert!(broken.contains(&rule), "{rule:?} was not found; found were {broken:?}");
}

#[test]
fn a_sound_history_breaks_nothing() {
    assert_eq!(judge(&sound()), []);
}

#[test]
fn an_acknowledged_message_that_is_missing_is_found() {
    breaks(Rule::AcknowledgedIsStored, |history| history.log[2].what = What::Updated);
}

#[test]
fn a_message_that_is_stored_twice_is_found() {
    breaks(Rule::StoredOnce, |history| {
        history.log.push(entry(5, message(1, ana())));
        history.head = 5;
    });
}

#[test]
fn a_refused_message_that_is_stored_is_found() {
    breaks(Rule::StoredOnce, |history| history.clients[0].sends[0].outcome = Outcome::Refused);
}

#[test]
fn a_hole_in_the_log_is_found() {
    breaks(Rule::NoHole, |history| drop(history.log.remove(1)));
    breaks(Rule::NoHole, |history| history.head = 5);
    breaks(Rule::NoHole, |history| history.log[0].seq = 0);
}

#[test]
fn one_place_with_two_messages_is_found() {
    breaks(Rule::OneIdPerSeq, |history| history.clients[1].applied[1] = event(3, message(2, bob())));
    breaks(Rule::OneIdPerSeq, |history| history.clients[1].applied[1] = event(3, What::Updated));
}

#[test]
fn two_swapped_seqs_are_found() {
    breaks(Rule::OneIdPerSeq, |history| {
        history.log[2].what = message(2, bob());
        history.log[3].what = message(1, ana());
    });
}

#[test]
fn an_acknowledgement_with_another_place_is_found() {
    breaks(Rule::OneIdPerSeq, |history| {
        history.clients[0].sends[0].outcome = Outcome::Acknowledged { seq: 4, at: 1 };
    });
}

#[test]
fn a_hole_in_a_view_is_found() {
    breaks(Rule::ViewIsTheLog, |history| drop(history.clients[1].applied.remove(1)));
    breaks(Rule::ViewIsTheLog, |history| {
        history.clients[1].applied[1] = Applied::Unheard { epoch: EPOCH, seq: 3 };
    });
    breaks(Rule::ViewIsTheLog, |history| {
        history.clients[1].applied = vec![Applied::Skip(Cursor { epoch: EPOCH, seq: 4 })];
    });
}

#[test]
fn a_repeat_in_a_view_is_found() {
    breaks(Rule::ViewIsTheLog, |history| {
        let again = history.clients[1].applied[1].clone();
        history.clients[1].applied.insert(2, again);
    });
}

#[test]
fn a_broken_stream_is_found_though_the_client_has_healed_it() {
    breaks(Rule::ViewIsTheLog, |history| history.clients[0].broken_streams.push("5 after 3".into()));
}

#[test]
fn a_screen_that_is_not_the_log_is_found() {
    breaks(Rule::ViewIsTheLog, |history| history.clients[0].screen = Some(vec![id(2), id(1)]));
    breaks(Rule::ViewIsTheLog, |history| history.clients[0].screen = Some(vec![id(1)]));
}

#[test]
fn a_later_message_that_stands_before_an_acknowledged_one_is_found() {
    breaks(Rule::AcknowledgedFirst, |history| {
        // Bob's message was acknowledged before Ana wrote hers, but Ana's has the lower seq.
        history.clients[0].sends[0] = sent(1, 10, (3, 11));
    });
}

#[test]
fn what_a_removed_member_still_sees_is_found() {
    breaks(Rule::MembersOnly, |history| {
        history.log.push(entry(5, What::Left(bob())));
        history.log.push(entry(6, What::Updated));
        history.head = 6;
        history.clients[1].applied.extend([event(5, What::Left(bob())), event(6, What::Updated)]);
        history.clients[1].cursor = Some(Cursor { epoch: EPOCH, seq: 6 });
    });
}

#[test]
fn what_nobody_sent_is_found() {
    breaks(Rule::NothingInvented, |history| drop(history.clients[1].sends.pop()));
    breaks(Rule::NothingInvented, |history| history.clients[1].sends[0].text = "something else".into());
    breaks(Rule::NothingInvented, |history| {
        history.clients[1].applied.push(event(5, message(9, ana())));
        history.clients[1].cursor = Some(Cursor { epoch: EPOCH, seq: 5 });
    });
}

#[test]
fn who_never_gets_there_is_found() {
    breaks(Rule::Convergence, |history| history.clients[1].settled = None);
    breaks(Rule::Convergence, |history| history.clients[1].settled = Some(Duration::from_secs(11)));
    breaks(Rule::Convergence, |history| {
        history.clients[1].applied.pop();
        history.clients[1].cursor = Some(Cursor { epoch: EPOCH, seq: 3 });
    });
}

#[test]
fn a_process_that_does_not_let_go_is_found() {
    let before = Vitals { descriptors: 20, threads: 6, memory: 30_000 };
    assert_eq!(lets_go(&before, &before), []);
    for leak in [
        Vitals { descriptors: 21 + OWN, ..before },
        Vitals { threads: 7 + OWN, ..before },
        Vitals { memory: 30_001 + KEPT, ..before },
    ] {
        let rules: Vec<Rule> = lets_go(&before, &leak).into_iter().map(|violation| violation.rule).collect();
        assert_eq!(rules, [Rule::LetsGo], "{leak:?}");
    }
}

#[test]
fn a_message_of_another_program_is_no_invention() {
    let mut history = sound();
    history.log.push(entry(5, message(9, ana())));
    history.foreign.insert(id(9), "text 9".into());
    history.head = 5;
    for client in &mut history.clients {
        client.applied.push(event(5, message(9, ana())));
        client.cursor = Some(Cursor { epoch: EPOCH, seq: 5 });
        client.screen = Some(vec![id(1), id(2), id(9)]);
    }
    assert_eq!(judge(&history), []);
}
