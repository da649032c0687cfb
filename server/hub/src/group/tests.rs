//! Tests of the rule of the log and of the seam, without their surroundings.

use std::collections::BTreeMap;

use caravana_protocol::{Epoch, MemberJoined, MemberLeft, Role, Timestamp};
use uuid::Uuid;

use super::*;
use crate::mailbox::Next;
use crate::samples::{GROUP, message, peer, user};

/// A group at seq 10 with one live follower that has read its `joined`.
async fn followed(peer: &Arc<Peer>) -> Group {
    let mut group = Group::default();
    group.enter(peer, 1);
    let epoch = Epoch::new(Uuid::from_u128(3));
    assert!(!group.load(GroupState {
        epoch,
        head: 10,
        members: [peer.user].into(),
        reads: BTreeMap::new(),
        hidden: BTreeSet::new(),
        is_closed: false
    }));
    assert_eq!(group.join(GROUP, peer.key, 1, 0, true), Step::Live);
    heard(peer).await;
    group
}

/// Takes the waiting frames and returns their number.
async fn heard(peer: &Peer) -> usize {
    let mut number = 0;
    while peer.mailbox.waiting_bytes() > 0 {
        let Next::Write(frames) = peer.mailbox.next().await else { break };
        peer.mailbox.written(frames.len(), frames.iter().map(Outgoing::len).sum());
        number += frames.len();
    }
    number
}

fn apply(group: &mut Group, seq: Seq) -> Applied {
    group.apply(&message(seq), &Outgoing::event(&message(seq)))
}

#[tokio::test]
async fn only_the_next_event_is_delivered() {
    let peer = peer(1);
    let mut group = followed(&peer).await;
    assert_eq!(apply(&mut group, 10), Applied::Yes);
    assert_eq!(heard(&peer).await, 0, "what was delivered before is dropped");
    assert_eq!(apply(&mut group, 11), Applied::Yes);
    assert_eq!(apply(&mut group, 13), Applied::Gap);
    assert_eq!(heard(&peer).await, 1, "what comes behind a gap waits for the log");
    group.apply_page(13, &Outgoing::page(&[message(12), message(13)]));
    assert_eq!((heard(&peer).await, group.delivered()), (1, 13), "a page is one entry");
}

#[tokio::test]
async fn a_page_gives_each_follower_what_it_has_not_got() {
    let (early, late) = (peer(1), peer(2));
    let mut group = followed(&early).await;
    group.enter(&late, 1);
    group.join(GROUP, late.key, 1, 12, true);
    heard(&early).await;
    heard(&late).await;
    let page = Outgoing::page(&[message(11), message(12), message(13)]);
    group.apply_page(13, &page);
    assert_eq!(early.mailbox.waiting_bytes(), page.after(10).len());
    assert_eq!(late.mailbox.waiting_bytes(), page.after(12).len());
}

#[tokio::test]
async fn a_stream_goes_live_only_when_nothing_was_delivered_beyond_it() {
    let (live, late) = (peer(1), peer(2));
    let mut group = followed(&live).await;
    group.enter(&late, 1);
    assert_eq!(group.join(GROUP, late.key, 1, 0, false), Step::Behind);
    apply(&mut group, 11);
    assert_eq!(group.go_live(GROUP, late.key, 1, 10), Step::Behind, "11 would be lost");
    assert_eq!(group.go_live(GROUP, late.key, 1, 11), Step::Live);
    heard(&late).await;
    apply(&mut group, 12);
    assert_eq!(heard(&late).await, 1);
    group.enter(&late, 2);
    assert_eq!(group.go_live(GROUP, late.key, 1, 12), Step::Ended, "a new subscribe has taken its place");
}

#[tokio::test]
async fn a_commit_while_the_store_is_being_read_is_not_forgotten() {
    let peer = peer(1);
    let mut group = Group::default();
    group.enter(&peer, 1);
    apply(&mut group, 11);
    let epoch = Epoch::new(Uuid::from_u128(3));
    assert!(
        group.load(GroupState {
            epoch,
            head: 10,
            members: BTreeSet::new(),
            reads: BTreeMap::new(),
            hidden: BTreeSet::new(),
            is_closed: false
        }),
        "11 must be read"
    );
}

#[tokio::test]
async fn whoever_left_gets_nothing_of_it() {
    let (stays, leaves) = (peer(1), peer(2));
    let mut group = followed(&stays).await;
    group.enter(&leaves, 1);
    group.join(GROUP, leaves.key, 1, 0, true);
    heard(&stays).await;
    heard(&leaves).await;
    let left = Event::MemberLeft(MemberLeft {
        group_id: GROUP,
        seq: 11,
        user_id: leaves.user,
        display_name: "Bob".into(),
        at: Timestamp::from_unix_micros(0),
    });
    group.apply(&left, &Outgoing::event(&left));
    assert_eq!(heard(&leaves).await, 1, "the word that it is over, and nothing else");
    apply(&mut group, 12);
    assert_eq!(heard(&leaves).await, 0);
    assert!(heard(&stays).await >= 2);
}

/// The member receives both events and stays live.
#[tokio::test]
async fn who_has_come_back_by_the_time_the_removal_is_heard_of_is_not_cut_off() {
    let returns = peer(1);
    let mut group = followed(&returns).await;
    let (display_name, at) = ("Ana".to_owned(), Timestamp::from_unix_micros(0));
    let (group_id, user_id) = (GROUP, returns.user);
    let left = Event::MemberLeft(MemberLeft { group_id, seq: 11, user_id, display_name: display_name.clone(), at });
    let joined = Event::MemberJoined(MemberJoined { group_id, seq: 12, user_id, display_name, role: Role::Member, at });
    group.apply_before(&left, &Outgoing::event(&left), std::slice::from_ref(&joined));
    group.apply_before(&joined, &Outgoing::event(&joined), &[]);
    assert_eq!(heard(&returns).await, 2, "both events, and no word that it is over");
    apply(&mut group, 13);
    assert_eq!(heard(&returns).await, 1);
}

/// Before the fix, a change of role counted as a new member: after a hundred changes typing was no longer shown in a
/// group of two.
#[tokio::test]
async fn another_role_makes_no_other_member() {
    let (ana, bob) = (peer(1), peer(2));
    let mut group = followed(&ana).await;
    group.enter(&bob, 1);
    group.join(GROUP, bob.key, 1, 0, true);
    for seq in 11..=150 {
        let (display_name, at) = ("Bob".to_owned(), Timestamp::from_unix_micros(0));
        let role = if seq % 2 == 0 { Role::Member } else { Role::Admin };
        let joined =
            Event::MemberJoined(MemberJoined { group_id: GROUP, seq, user_id: bob.user, display_name, role, at });
        group.apply(&joined, &Outgoing::event(&joined));
        heard(&ana).await;
    }
    group.start_typing(bob.user, GROUP, Instant::now());
    assert_eq!(heard(&ana).await, 1, "is seen typing");
}

#[tokio::test]
async fn a_hint_of_a_history_that_is_no_more_is_chased_once() {
    let peer = peer(1);
    let mut group = followed(&peer).await;
    assert!(group.hint(1_000));
    assert!(group.begin_pull());
    assert_eq!(group.next_pull(), 10);
    assert!(!group.end_pull(true));
    assert!(!group.hint(10));
}

/// A group of more than a hundred members has no presence. Before the fix, the rosters on open connections stayed wrong
/// after it had become small again.
#[tokio::test]
async fn a_group_that_is_small_again_tells_of_every_member() {
    let (ana, gone) = (peer(1), peer(2));
    let mut group = Group::default();
    let members = (1..=101).map(user).collect();
    let epoch = Epoch::new(Uuid::from_u128(3));
    group.load(GroupState {
        epoch,
        head: 10,
        members,
        reads: BTreeMap::new(),
        hidden: BTreeSet::new(),
        is_closed: false,
    });
    for peer in [&ana, &gone] {
        group.enter(peer, 1);
        group.join(GROUP, peer.key, 1, 0, true);
        group.tell_everyone_if_lively_again(GROUP);
    }
    group.leave(gone.key, GROUP);
    group.tell_everyone_if_lively_again(GROUP);
    assert_eq!(heard(&ana).await, 1, "nothing but `joined`");
    let left = MemberLeft {
        group_id: GROUP,
        seq: 11,
        user_id: user(101),
        display_name: String::new(),
        at: Timestamp::from_unix_micros(0),
    };
    let event = Event::MemberLeft(left);
    group.apply(&event, &Outgoing::event(&event));
    group.tell_everyone_if_lively_again(GROUP);
    assert_eq!(heard(&ana).await, 2, "the event, and the presence of all members");
    group.tell_everyone_if_lively_again(GROUP);
    assert_eq!(heard(&ana).await, 0);
}

/// The store was read just before a block, and its answer comes after the signal of it.
#[tokio::test]
async fn a_signal_that_it_is_closed_counts_more_than_what_the_store_said_before() {
    let (ana, bob) = (peer(1), peer(2));
    let mut group = Group::default();
    group.enter(&ana, 1);
    group.set_closed(GROUP, true);
    let members = [ana.user, bob.user].into();
    let epoch = Epoch::new(Uuid::from_u128(3));
    let (reads, hidden) = (BTreeMap::new(), BTreeSet::new());
    group.load(GroupState { epoch, head: 10, members, reads, hidden, is_closed: false });
    group.enter(&bob, 1);
    for peer in [&ana, &bob] {
        group.join(GROUP, peer.key, 1, 0, true);
    }
    group.start_typing(bob.user, GROUP, Instant::now());
    assert_eq!(heard(&ana).await, 1, "nothing but `joined`");
}
