//! Resuming, and pages of history beside the stream (G4, G5, G17).

use std::collections::BTreeMap;

use caravana_client::testing::{Answer, Simulation, ana, group, id, me};
use caravana_client::{Change, HistoryPage, Input, LinkState};
use caravana_protocol::{CloseReason, ErrorCode, GroupId, Joined, Left, LeftReason, ServerFrame, UserId, WireError};

fn post(sim: &mut Simulation, from: usize, to: usize) {
    for number in from..to {
        sim.server.post(ana(), &number.to_string());
    }
    sim.work();
}

fn numbers(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| number.to_string()).collect()
}

#[test]
fn what_was_missed_is_there_once_and_in_order_after_a_reconnect() {
    let mut sim = Simulation::online();
    post(&mut sim, 0, 5);
    sim.close(CloseReason::TooSlow);
    post(&mut sim, 5, 60);
    sim.pass(1_000);
    assert_eq!(sim.screen(), numbers(0, 60));
}

#[test]
fn what_was_edited_and_deleted_meanwhile_is_shown_as_it_is_now() {
    let mut sim = Simulation::online();
    let (one, two) = (sim.server.post(ana(), "uno"), sim.server.post(ana(), "dos"));
    sim.work();
    sim.close(CloseReason::Abnormal);
    sim.server.edit(one, "uno!");
    sim.server.delete(two);
    let three = sim.server.post(ana(), "tres");
    sim.server.delete(three);
    sim.pass(1_000);
    assert_eq!(sim.screen(), ["uno!", "", ""]);
    assert!(sim.group().timeline().message(two).is_some_and(|message| !message.status));
    assert_eq!(sim.group().timeline().cursor().map(|cursor| cursor.seq), Some(sim.server.head()));
}

#[test]
fn too_much_missed_means_the_last_page_afresh() {
    let mut sim = Simulation::online();
    post(&mut sim, 0, 5);
    sim.close(CloseReason::Abnormal);
    post(&mut sim, 5, 205);
    sim.pass(1_000);
    assert_eq!(sim.screen(), numbers(155, 205));
    assert!(sim.group().timeline().has_more_before());
    post(&mut sim, 205, 207);
    assert_eq!(sim.screen(), numbers(155, 207));
}

#[test]
fn a_restored_history_replaces_the_screen_and_never_forks() {
    let mut sim = Simulation::online();
    post(&mut sim, 0, 10);
    sim.give(Input::MarkRead { group: group(), seq: 10 });
    sim.close(CloseReason::Abnormal);
    sim.server.reads.clear();
    sim.server.restore(4);
    sim.pass(1_000);
    assert_eq!(sim.screen(), numbers(0, 6));
    assert_eq!(sim.group().last_read(), 0, "seqs of the old history say nothing about this one");
    post(&mut sim, 100, 102);
    assert_eq!(sim.screen()[6..], numbers(100, 102));
    assert_eq!(sim.group().timeline().cursor().map(|cursor| cursor.epoch), Some(sim.server.epoch));
}

#[test]
fn a_page_of_another_history_is_never_mixed_with_this_one() {
    let mut sim = Simulation::online();
    post(&mut sim, 0, 60);
    sim.close(CloseReason::Abnormal);
    sim.reload();
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Start);
    // The history is restored while the socket is open, and the socket does not report it. The page shows it first.
    sim.server.restore(30);
    post(&mut sim, 100, 140);
    let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
    sim.give(Input::Load { group: group(), page });
    let expected: Vec<String> = numbers(20, 30).into_iter().chain(numbers(100, 140)).collect();
    assert_eq!(sim.screen(), expected);
    assert_eq!(sim.group().timeline().cursor().map(|cursor| cursor.epoch), Some(sim.server.epoch));
    post(&mut sim, 140, 141);
    assert_eq!(sim.screen().last().map(String::as_str), Some("140"));
}

#[test]
fn events_that_come_while_the_page_is_under_way_are_neither_lost_nor_doubled() {
    let mut sim = Simulation::online();
    post(&mut sim, 0, 5);
    sim.close(CloseReason::Abnormal);
    post(&mut sim, 5, 205);
    sim.hold_pages = true;
    sim.pass(1_000);
    assert!(sim.group().is_filling());
    let edited = sim.server.post(ana(), "nuevo");
    sim.server.edit(edited, "nuevo!");
    let old = sim.group().timeline().cursor();
    assert!(old.is_some());
    sim.work();
    sim.release_pages();
    assert_eq!(sim.screen()[..50], numbers(155, 205));
    assert_eq!(sim.screen()[50..], ["nuevo!"]);
}

#[test]
fn an_edit_that_passes_while_an_old_page_is_under_way_is_not_undone_by_it() {
    let mut sim = Simulation::default();
    for number in 0..80 {
        sim.server.post(ana(), &number.to_string());
    }
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    let first = sim.server.page_of_all().messages[0].id;
    sim.hold_pages = true;
    let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
    sim.give(Input::Load { group: group(), page });
    sim.server.delete(first);
    sim.work();
    sim.release_pages();
    assert_eq!(sim.screen().len(), 80);
    assert_eq!(sim.screen()[0], "", "a deleted text came back");
}

#[test]
fn a_page_that_is_newer_than_the_stream_is_not_undone_by_what_comes_late() {
    let mut sim = Simulation::online();
    let one = sim.server.post(ana(), "uno");
    sim.work();
    // Both events are under way when a page that contains both changes arrives.
    sim.server.edit(one, "secreto");
    sim.server.delete(one);
    sim.changes.clear();
    sim.give(Input::Load { group: group(), page: HistoryPage::Latest });
    assert_eq!(sim.screen(), [""]);
    let told = sim.changes.iter().filter(|change| matches!(change, Change::Timeline { .. })).count();
    assert_eq!(told, 1, "the text between was shown: {:?}", sim.changes);
}

#[test]
fn older_pages_are_put_in_front_until_the_beginning() {
    let mut sim = Simulation::default();
    for number in 0..120 {
        sim.server.post(ana(), &number.to_string());
    }
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(sim.screen(), numbers(70, 120));
    for from in [20, 0] {
        let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
        sim.give(Input::Load { group: group(), page });
        assert_eq!(sim.screen(), numbers(from, 120));
    }
    assert_eq!(sim.group().timeline().older_page(), None);
}

#[test]
fn a_jump_to_an_old_message_leads_back_to_the_present_page_by_page() {
    let mut sim = Simulation::default();
    for number in 0..200 {
        sim.server.post(ana(), &number.to_string());
    }
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Load { group: group(), page: HistoryPage::Around(50) });
    assert!(sim.group().timeline().has_more_after());
    assert!(sim.screen().contains(&"49".to_owned()));
    post(&mut sim, 200, 203);
    assert!(!sim.screen().contains(&"200".to_owned()), "there would be a hole before it");
    while let Some(page) = sim.group().timeline().newer_page() {
        sim.give(Input::Load { group: group(), page });
    }
    assert_eq!(sim.screen().last().map(String::as_str), Some("202"));
    let screen = sim.screen();
    assert_eq!(screen, numbers(203 - screen.len(), 203));
    post(&mut sim, 203, 204);
    assert_eq!(sim.screen().last().map(String::as_str), Some("203"));
}

#[test]
fn a_jump_whose_page_is_older_than_the_stream_loses_nothing() {
    let mut sim = Simulation::online();
    post(&mut sim, 0, 60);
    sim.hold_pages = true;
    sim.give(Input::Load { group: group(), page: HistoryPage::Around(50) });
    post(&mut sim, 60, 62);
    sim.release_pages();
    assert_eq!(sim.screen().last().map(String::as_str), Some("61"));
    assert!(!sim.group().timeline().has_more_after());
}

#[test]
fn an_old_message_that_is_acknowledged_late_leaves_no_hole() {
    let mut sim = Simulation::online();
    sim.server.answers.push_back(Answer::Lost);
    sim.send(id(1), "mío");
    sim.reload();
    for number in 0..80 {
        sim.server.post(ana(), &number.to_string());
    }
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Start);
    assert!(sim.group().outbox().is_empty());
    assert_eq!(sim.screen(), numbers(30, 80), "it stands above a hole");
    let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
    sim.give(Input::Load { group: group(), page });
    assert_eq!(sim.screen()[0], "mío");
    assert_eq!(sim.screen()[1..], numbers(0, 80));
}

#[test]
fn an_own_message_leads_back_to_the_present() {
    let mut sim = Simulation::default();
    for number in 0..200 {
        sim.server.post(ana(), &number.to_string());
    }
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Load { group: group(), page: HistoryPage::Around(50) });
    sim.send(id(1), "aquí");
    assert_eq!(sim.screen().last().map(String::as_str), Some("aquí"));
    assert!(!sim.group().timeline().has_more_after());
    assert_eq!(sim.screen().iter().filter(|text| *text == "aquí").count(), 1);
}

#[test]
fn a_page_that_does_not_come_is_asked_for_again_and_the_group_follows_then() {
    let mut sim = Simulation::default();
    sim.server.post(ana(), "uno");
    sim.rest = false;
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.pass(20_000);
    assert!(sim.group().is_filling());
    assert_eq!(sim.session.link(), LinkState::Online);
    sim.rest = true;
    sim.pass(30_000);
    assert_eq!(sim.screen(), ["uno"]);
    assert!(sim.group().is_live());
}

#[test]
fn a_new_socket_is_a_reason_to_ask_for_the_page_at_once() {
    let mut sim = Simulation::default();
    sim.server.post(ana(), "uno");
    sim.rest = false;
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.pass(100_000);
    sim.close(CloseReason::Abnormal);
    sim.rest = true;
    sim.give(Input::RetryNow);
    assert_eq!(sim.screen(), ["uno"]);
}

#[test]
fn the_page_of_the_first_paint_needs_no_question() {
    let mut sim = Simulation::default();
    sim.server.post(ana(), "uno");
    let page = sim.server.page_of_all();
    sim.server.post(ana(), "dos");
    sim.rest = false;
    sim.give(Input::OpenGroup { group: group(), page: Some(page), last_read: None });
    assert_eq!(sim.screen(), ["uno"]);
    sim.give(Input::Start);
    assert_eq!(sim.screen(), ["uno", "dos"]);
}

#[test]
fn a_listed_group_is_live_without_its_history_and_loads_it_when_it_is_opened() {
    let mut sim = Simulation::default();
    for text in ["uno", "dos"] {
        sim.server.post(ana(), text);
    }
    let cursor = caravana_protocol::Cursor { epoch: sim.server.epoch, seq: 2 };
    sim.give(Input::Start);
    sim.give(Input::FollowGroup { group: group(), cursor, last_read: Some(2) });
    sim.server.post(ana(), "tres");
    sim.work();
    assert_eq!(sim.screen(), ["tres"]);
    assert_eq!(sim.group().unread_after(0), 1);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(sim.screen(), ["uno", "dos", "tres"]);
}

#[test]
fn memory_is_bounded_and_what_was_forgotten_can_be_loaded_again() {
    let mut sim = Simulation::default();
    let config = caravana_client::Config { rows: 100, ..caravana_client::Config::new(me()) };
    sim.session = caravana_client::Session::new(config, 1);
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    post(&mut sim, 0, 150);
    assert_eq!(sim.screen(), numbers(50, 150));
    let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
    sim.give(Input::Load { group: group(), page });
    assert_eq!(sim.screen(), numbers(0, 100));
    post(&mut sim, 150, 151);
    assert_eq!(sim.screen(), numbers(0, 100));
    let Some(page) = sim.group().timeline().newer_page() else { panic!("nothing newer") };
    sim.give(Input::Load { group: group(), page });
    assert_eq!(sim.screen(), numbers(50, 150));
    let Some(page) = sim.group().timeline().newer_page() else { panic!("nothing newer") };
    sim.give(Input::Load { group: group(), page });
    assert_eq!(sim.screen(), numbers(51, 151));
}

#[test]
fn members_come_as_rows_between_the_messages() {
    let mut sim = Simulation::online();
    sim.server.post(me(), "uno");
    sim.server.admit(ana());
    sim.server.post(ana(), "dos");
    sim.work();
    assert_eq!(sim.screen(), ["uno", "·", "dos"]);
    assert!(sim.changes.contains(&Change::Members { group: group() }));
}

#[test]
fn a_removed_member_hears_nothing_more_and_is_told() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.hear(ServerFrame::Left(Left { group_id: group(), reason: LeftReason::Removed }));
    assert!(sim.changes.contains(&Change::GroupLeft { group: group(), reason: Some(LeftReason::Removed) }));
    sim.server.post(ana(), "dos");
    sim.work();
    assert_eq!(sim.screen(), ["uno"]);
    let subscribed = sim.said("subscribe");
    sim.close(CloseReason::Abnormal);
    sim.pass(1_000);
    assert_eq!(sim.said("subscribe"), subscribed, "a group that was left is not asked for again");
}

#[test]
fn who_is_let_in_again_starts_afresh() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.hear(ServerFrame::Left(Left { group_id: group(), reason: LeftReason::Removed }));
    assert!(sim.group().is_gone());
    sim.server.post(ana(), "dos");
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(sim.screen(), ["uno", "dos"]);
    sim.server.post(ana(), "tres");
    sim.work();
    assert_eq!(sim.screen(), ["uno", "dos", "tres"]);
}

#[test]
fn an_answer_from_before_the_group_was_opened_does_not_close_it() {
    let refusal = |reference: &Option<String>| {
        ServerFrame::Error(WireError::new(ErrorCode::NotFound, "no such group", reference.clone()))
    };
    let mut sim = Simulation::online();
    sim.server.ignores_subscribes = true;
    sim.close(CloseReason::Abnormal);
    sim.pass(2_000);
    let (asked, old) = (sim.said("subscribe"), sim.last_reference.clone());
    // The first request was sent while the user was not a member. The user is added and opens the group before the
    // answer.
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.hear(refusal(&old));
    assert_eq!((sim.group().is_gone(), sim.said("subscribe")), (false, asked + 1));
    let new = sim.last_reference.clone();
    sim.hear(refusal(&old));
    assert!(!sim.group().is_gone(), "an old answer says nothing about the new question");
    sim.hear(refusal(&new));
    assert!(sim.group().is_gone());
}

#[test]
fn a_group_that_is_not_there_holds_nothing_up() {
    let mut sim = Simulation::default();
    let other = caravana_protocol::GroupId::new(uuid::Uuid::from_u128(99));
    sim.give(Input::OpenGroup { group: other, page: None, last_read: None });
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Start);
    assert!(sim.changes.contains(&Change::GroupLeft { group: other, reason: None }));
    assert_eq!(sim.session.link(), LinkState::Online);
    assert!(sim.group().is_live());
}

#[test]
fn a_closed_group_is_followed_no_longer() {
    let mut sim = Simulation::online();
    sim.give(Input::CloseGroup { group: group() });
    assert_eq!(sim.said("unsubscribe"), 1);
    assert!(sim.session.group(group()).is_none());
}

/// With many groups on a slow line the server's turns took longer than a group waited for its own: all were asked for again and
/// again, and in the end the socket was given up.
#[test]
fn a_group_is_waited_for_while_another_ones_replay_comes_forward() {
    let mut sim = Simulation::online();
    post(&mut sim, 0, 5);
    sim.server.ignores_subscribes = true;
    let other = GroupId::new(uuid::Uuid::from_u128(0xbeef));
    let page = Some(sim.server.page_of_all());
    sim.give(Input::OpenGroup { group: other, page, last_read: None });
    let asked = sim.said("subscribe");
    // The first group is replayed, one event every eight seconds.
    let (epoch, head) = (sim.server.epoch, sim.server.head() + 10);
    let (roster, reads) = (vec![me()], BTreeMap::new());
    sim.hear(ServerFrame::Joined(Joined { group_id: group(), epoch, head, roster, reads }));
    for number in 0..10 {
        sim.pass(8_000);
        post(&mut sim, number, number + 1);
    }
    assert_eq!(sim.said("subscribe"), asked, "the line is busy, and nothing is lost");
    sim.pass(10_001);
    assert!(sim.said("subscribe") > asked, "now nothing comes any more");
}

/// Who joined stood in the conversation until the page was loaded again.
#[test]
fn a_page_of_history_brings_who_joined_to_their_places() {
    let mut sim = Simulation::default();
    sim.server.post(ana(), "uno");
    sim.server.admit(UserId::new(uuid::Uuid::from_u128(0xc)));
    for text in ["dos", "tres"] {
        sim.server.post(ana(), text);
    }
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(sim.screen(), ["uno", "·", "dos", "tres"]);
    sim.server.admit(UserId::new(uuid::Uuid::from_u128(0xd)));
    sim.work();
    assert_eq!(sim.screen(), ["uno", "·", "dos", "tres", "·"]);
    // The same page once more changes nothing.
    sim.give(Input::Load { group: group(), page: HistoryPage::Latest });
    assert_eq!(sim.screen(), ["uno", "·", "dos", "tres", "·"]);
}

#[test]
fn older_pages_bring_theirs_without_a_hole_between() {
    let mut sim = Simulation::new(1);
    let config = caravana_client::Config { page_size: 2, ..caravana_client::Config::new(me()) };
    sim.session = caravana_client::Session::new(config, 1);
    for number in 0..6_u128 {
        sim.server.admit(UserId::new(uuid::Uuid::from_u128(0x100 + number)));
        sim.server.post(ana(), &format!("m{number}"));
    }
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(sim.screen(), ["m4", "·", "m5"]);
    while let Some(page) = sim.group().timeline().older_page() {
        sim.give(Input::Load { group: group(), page });
    }
    let all: Vec<String> = (0..6).flat_map(|number| ["·".to_owned(), format!("m{number}")]).collect();
    assert_eq!(sim.screen(), all);
}
