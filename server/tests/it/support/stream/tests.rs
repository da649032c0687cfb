//! Made-up sequences of frames. The judge accepts what the contract allows and catches each kind of violation.

use std::collections::{BTreeMap, BTreeSet};

use caravana_protocol::{
    CaughtUp, Epoch, ErrorCode, Event, GroupUpdated, Heartbeat, Joined, Left, LeftReason, Presence, Resync,
    ResyncReason, Timestamp, UserId, WireError,
};
use uuid::Uuid;

use super::*;

const GROUP: GroupId = GroupId::new(Uuid::from_u128(1));
const EPOCH: Epoch = Epoch::new(Uuid::from_u128(2));
const OTHER: Epoch = Epoch::new(Uuid::from_u128(3));

fn at(seq: Seq) -> Cursor {
    Cursor { epoch: EPOCH, seq }
}

fn subscribe(cursor: Option<Cursor>) -> ClientFrame {
    ClientFrame::Subscribe { group_id: GROUP, cursor }
}

fn joined(head: Seq) -> ServerFrame {
    ServerFrame::Joined(Joined {
        group_id: GROUP,
        epoch: EPOCH,
        head,
        roster: Vec::new(),
        reads: BTreeMap::new(),
        hidden_reads: BTreeSet::new(),
    })
}

fn event(seq: Seq) -> ServerFrame {
    ServerFrame::Event(Event::GroupUpdated(GroupUpdated {
        group_id: GROUP,
        seq,
        name: "Oaxaca".into(),
        time_zone: None,
        members_can_invite: true,
        emoji: None,
        starts_on: None,
        ends_on: None,
        renamed: None,
        at: Timestamp::from_unix_micros(0),
    }))
}

fn caught_up(seq: Seq) -> ServerFrame {
    ServerFrame::CaughtUp(CaughtUp { group_id: GROUP, epoch: EPOCH, seq })
}

fn resync(head: Seq, reason: ResyncReason) -> ServerFrame {
    ServerFrame::Resync(Resync { group_id: GROUP, epoch: EPOCH, head, reason })
}

fn left(reason: LeftReason) -> ServerFrame {
    ServerFrame::Left(Left { group_id: GROUP, reason })
}

fn refusal(reference: Option<&str>) -> ServerFrame {
    ServerFrame::Error(WireError::new(ErrorCode::NotFound, "no such group", reference.map(str::to_owned)))
}

fn heartbeat(head: Seq) -> ServerFrame {
    ServerFrame::Heartbeat(Heartbeat { t: Timestamp::from_unix_micros(0), heads: BTreeMap::from([(GROUP, head)]) })
}

fn presence() -> ServerFrame {
    let user_id = UserId::new(Uuid::from_u128(4));
    ServerFrame::Presence(Presence { group_id: GROUP, user_id, online: true })
}

/// A judge that has received the answer to one `subscribe` without a violation.
fn after(cursor: Option<Cursor>, heard: &[ServerFrame]) -> StreamJudge {
    let mut judge = StreamJudge::new();
    judge.said(&subscribe(cursor), None);
    for frame in heard {
        judge.heard(frame).unwrap();
    }
    judge
}

#[track_caller]
fn breach(mut judge: StreamJudge, frame: &ServerFrame, word: &str) {
    let verdict = judge.heard(frame).expect_err("a breach that was not seen");
    assert!(verdict.contains(word), "{verdict}");
}

#[test]
fn a_stream_without_a_cursor_is_live_from_the_head() {
    let mut judge = after(None, &[joined(7), event(8), presence(), event(9), heartbeat(9)]);
    assert_eq!((judge.position(GROUP), judge.is_live(GROUP)), (Some(9), true));
    judge.heard(&event(10)).unwrap();
}

#[test]
fn a_resume_is_replayed_up_to_caught_up_and_goes_on_live() {
    let judge = after(Some(at(5)), &[joined(7), event(6), event(7), event(8), caught_up(8), event(9)]);
    assert_eq!((judge.position(GROUP), judge.is_live(GROUP)), (Some(9), true));
    assert!(after(Some(at(7)), &[joined(7), caught_up(7)]).is_live(GROUP), "nothing was missed");
    assert!(!after(Some(at(5)), &[joined(7), event(6), event(7)]).is_live(GROUP), "the word is still to come");
}

#[test]
fn a_hole_is_caught_wherever_it_is() {
    breach(after(None, &[joined(7)]), &event(9), "hole");
    breach(after(Some(at(5)), &[joined(7)]), &event(7), "hole");
    breach(after(Some(at(5)), &[joined(9), event(6)]), &event(8), "hole");
    breach(after(Some(at(5)), &[joined(6), event(6), caught_up(6)]), &event(8), "hole");
}

#[test]
fn a_repeat_is_caught_wherever_it_is() {
    breach(after(None, &[joined(7)]), &event(7), "repeated");
    breach(after(Some(at(5)), &[joined(7)]), &event(5), "repeated");
    breach(after(Some(at(5)), &[joined(9), event(6), event(7)]), &event(6), "repeated");
    breach(after(Some(at(5)), &[joined(6), event(6), caught_up(6)]), &event(6), "repeated");
}

#[test]
fn caught_up_names_the_last_event_and_does_not_come_early() {
    breach(after(Some(at(5)), &[joined(7), event(6), event(7)]), &caught_up(6), "names 6");
    breach(after(Some(at(5)), &[joined(7), event(6), event(7)]), &caught_up(8), "names 8");
    breach(after(Some(at(5)), &[joined(7), event(6)]), &caught_up(6), "had named 7");
    breach(after(Some(at(5)), &[joined(7)]), &caught_up(5), "had named 7");
    breach(after(None, &[joined(7)]), &caught_up(7), "nothing is replayed");
    let other = ServerFrame::CaughtUp(CaughtUp { group_id: GROUP, epoch: OTHER, seq: 7 });
    breach(after(Some(at(7)), &[joined(7)]), &other, "joined");
}

#[test]
fn a_new_subscribe_starts_the_stream_afresh_and_nothing_of_the_old_one_comes_after_joined() {
    let mut judge = after(None, &[joined(7), event(8)]);
    judge.said(&ClientFrame::Sync { group_id: Some(GROUP), cursor: Cursor { epoch: EPOCH, seq: 7 } }, None);
    judge.heard(&event(9)).unwrap();
    judge.heard(&joined(9)).unwrap();
    breach(judge.clone(), &event(10), "hole");
    for frame in [event(8), event(9), caught_up(9), event(10)] {
        judge.heard(&frame).unwrap();
    }
    breach(judge, &joined(10), "answers no");
}

#[test]
fn a_resync_answers_a_cursor_that_it_tells_the_truth_about() {
    let foreign = Some(Cursor { epoch: OTHER, seq: 3 });
    let judge = after(foreign, &[joined(7), resync(7, ResyncReason::UnknownEpoch), event(8)]);
    assert!(judge.is_live(GROUP));
    after(Some(at(99)), &[joined(7), resync(7, ResyncReason::AboveHead)]);
    after(Some(at(1)), &[joined(5_002), resync(5_002, ResyncReason::TooDeep), event(5_003)]);
    breach(after(Some(at(1)), &[joined(5_001)]), &resync(5_001, ResyncReason::TooDeep), "TooDeep");
    breach(after(Some(at(1)), &[joined(7)]), &resync(7, ResyncReason::UnknownEpoch), "UnknownEpoch");
    breach(after(foreign, &[joined(7)]), &resync(8, ResyncReason::UnknownEpoch), "joined");
    breach(after(foreign, &[joined(7)]), &event(4), "another history");
    breach(after(None, &[joined(7)]), &resync(7, ResyncReason::AboveHead), "answers no cursor");
    breach(after(Some(at(5)), &[joined(7), event(6)]), &resync(7, ResyncReason::AboveHead), "answers no cursor");
}

#[test]
fn nothing_comes_of_a_group_that_is_not_followed() {
    breach(StreamJudge::new(), &event(1), "not followed");
    breach(StreamJudge::new(), &joined(1), "answers no");
    breach(StreamJudge::new(), &presence(), "not followed");
    breach(after(None, &[joined(7), left(LeftReason::Removed)]), &event(8), "not followed");
    breach(after(None, &[joined(7), left(LeftReason::GroupDeleted)]), &presence(), "not followed");
    breach(after(None, &[joined(7)]), &left(LeftReason::Asked), "answers no");
    breach(StreamJudge::new(), &left(LeftReason::Removed), "not followed");
}

#[test]
fn an_unsubscribe_counts_from_its_answer_on() {
    let mut judge = after(None, &[joined(7)]);
    judge.said(&ClientFrame::Unsubscribe { group_id: GROUP }, None);
    judge.heard(&event(8)).unwrap();
    judge.said(&subscribe(Some(at(7))), None);
    judge.heard(&left(LeftReason::Asked)).unwrap();
    breach(judge.clone(), &event(9), "not followed");
    for frame in [joined(9), event(8), event(9), caught_up(9)] {
        judge.heard(&frame).unwrap();
    }
    assert!(judge.is_live(GROUP) && judge.is_answered(GROUP));
}

#[test]
fn a_removal_may_fall_before_or_after_what_was_asked_last() {
    let mut judge = after(None, &[joined(7)]);
    judge.said(&subscribe(Some(at(5))), Some("r"));
    judge.heard(&left(LeftReason::Removed)).unwrap();
    // First case: the removal was the answer. The user is invited again and subscribes from another cursor.
    let mut answered = judge.clone();
    answered.said(&subscribe(Some(at(8))), Some("s"));
    for frame in [joined(9), event(9), caught_up(9)] {
        answered.heard(&frame).unwrap();
    }
    // Second case: the removal was not the answer. The answer is still to come, and it may be a refusal.
    judge.heard(&refusal(Some("r"))).unwrap();
    assert!(judge.is_answered(GROUP));
    breach(judge, &joined(9), "answers no");
}

#[test]
fn a_refused_subscribe_begins_nothing() {
    let mut judge = StreamJudge::new();
    judge.said(&subscribe(None), Some("r"));
    judge.heard(&refusal(Some("of something else"))).unwrap();
    assert!(!judge.is_answered(GROUP));
    judge.heard(&refusal(Some("r"))).unwrap();
    assert!(judge.is_answered(GROUP));
    breach(judge, &event(1), "not followed");
    let mut nameless = StreamJudge::new();
    nameless.said(&subscribe(None), None);
    nameless.heard(&refusal(None)).unwrap();
    breach(nameless.clone(), &event(1), "not followed");
    nameless.heard(&joined(3)).unwrap();
    nameless.heard(&event(4)).unwrap();
}

#[test]
fn a_heartbeat_shows_a_lost_tail() {
    breach(after(None, &[joined(7), event(8)]), &heartbeat(9), "lost tail");
    let mut behind = after(Some(at(5)), &[joined(7), event(6)]);
    behind.heard(&heartbeat(7)).unwrap();
}

#[test]
fn the_endpoint_of_one_group_subscribes_by_itself() {
    let mut judge = StreamJudge::of_group(GROUP, Some(at(5)));
    for frame in [joined(6), event(6), caught_up(6)] {
        judge.heard(&frame).unwrap();
    }
    judge.said(&ClientFrame::Sync { group_id: None, cursor: Cursor { epoch: EPOCH, seq: 6 } }, None);
    judge.heard(&joined(6)).unwrap();
    judge.heard(&caught_up(6)).unwrap();
    breach(judge, &caught_up(6), "nothing is replayed");
}
