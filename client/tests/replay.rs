//! Resuming, and pages of history beside the stream (G4, G5, G17).

use std::collections::BTreeMap;

use caravana_client::testing::{Answer, World, ana, group, id, me};
use caravana_client::{Change, HistoryPage, Input, LinkState};
use caravana_protocol::{CloseReason, ErrorCode, GroupId, Joined, Left, LeftReason, ServerFrame, UserId, WireError};

fn post(world: &mut World, from: usize, to: usize) {
    for number in from..to {
        world.server.post(ana(), &number.to_string());
    }
    world.work();
}

fn numbers(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| number.to_string()).collect()
}

#[test]
fn what_was_missed_is_there_once_and_in_order_after_a_reconnect() {
    let mut world = World::online();
    post(&mut world, 0, 5);
    world.close(CloseReason::TooSlow);
    post(&mut world, 5, 60);
    world.pass(1_000);
    assert_eq!(world.screen(), numbers(0, 60));
}

#[test]
fn what_was_edited_and_deleted_meanwhile_is_shown_as_it_is_now() {
    let mut world = World::online();
    let (one, two) = (world.server.post(ana(), "uno"), world.server.post(ana(), "dos"));
    world.work();
    world.close(CloseReason::Abnormal);
    world.server.edit(one, "uno!");
    world.server.delete(two);
    let three = world.server.post(ana(), "tres");
    world.server.delete(three);
    world.pass(1_000);
    assert_eq!(world.screen(), ["uno!", "", ""]);
    assert!(world.group().timeline().message(two).is_some_and(|message| !message.status));
    assert_eq!(world.group().timeline().cursor().map(|cursor| cursor.seq), Some(world.server.head()));
}

#[test]
fn too_much_missed_means_the_last_page_afresh() {
    let mut world = World::online();
    post(&mut world, 0, 5);
    world.close(CloseReason::Abnormal);
    post(&mut world, 5, 205);
    world.pass(1_000);
    assert_eq!(world.screen(), numbers(155, 205));
    assert!(world.group().timeline().has_more_before());
    post(&mut world, 205, 207);
    assert_eq!(world.screen(), numbers(155, 207));
}

#[test]
fn a_restored_history_replaces_the_screen_and_never_forks() {
    let mut world = World::online();
    post(&mut world, 0, 10);
    world.give(Input::MarkRead { group: group(), seq: 10 });
    world.close(CloseReason::Abnormal);
    world.server.reads.clear();
    world.server.restore(4);
    world.pass(1_000);
    assert_eq!(world.screen(), numbers(0, 6));
    assert_eq!(world.group().last_read(), 0, "seqs of the old history say nothing about this one");
    post(&mut world, 100, 102);
    assert_eq!(world.screen()[6..], numbers(100, 102));
    assert_eq!(world.group().timeline().cursor().map(|cursor| cursor.epoch), Some(world.server.epoch));
}

#[test]
fn a_page_of_another_history_is_never_mixed_with_this_one() {
    let mut world = World::online();
    post(&mut world, 0, 60);
    world.close(CloseReason::Abnormal);
    world.reload();
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.give(Input::Start);
    // The history is restored while the socket is open, and the socket does not report it. The page shows it first.
    world.server.restore(30);
    post(&mut world, 100, 140);
    let Some(page) = world.group().timeline().older_page() else { panic!("nothing older") };
    world.give(Input::Load { group: group(), page });
    let expected: Vec<String> = numbers(20, 30).into_iter().chain(numbers(100, 140)).collect();
    assert_eq!(world.screen(), expected);
    assert_eq!(world.group().timeline().cursor().map(|cursor| cursor.epoch), Some(world.server.epoch));
    post(&mut world, 140, 141);
    assert_eq!(world.screen().last().map(String::as_str), Some("140"));
}

#[test]
fn events_that_come_while_the_page_is_under_way_are_neither_lost_nor_doubled() {
    let mut world = World::online();
    post(&mut world, 0, 5);
    world.close(CloseReason::Abnormal);
    post(&mut world, 5, 205);
    world.hold_pages = true;
    world.pass(1_000);
    assert!(world.group().is_filling());
    let edited = world.server.post(ana(), "nuevo");
    world.server.edit(edited, "nuevo!");
    let old = world.group().timeline().cursor();
    assert!(old.is_some());
    world.work();
    world.release_pages();
    assert_eq!(world.screen()[..50], numbers(155, 205));
    assert_eq!(world.screen()[50..], ["nuevo!"]);
}

#[test]
fn an_edit_that_passes_while_an_old_page_is_under_way_is_not_undone_by_it() {
    let mut world = World::default();
    for number in 0..80 {
        world.server.post(ana(), &number.to_string());
    }
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    let first = world.server.page_of_all().messages[0].id;
    world.hold_pages = true;
    let Some(page) = world.group().timeline().older_page() else { panic!("nothing older") };
    world.give(Input::Load { group: group(), page });
    world.server.delete(first);
    world.work();
    world.release_pages();
    assert_eq!(world.screen().len(), 80);
    assert_eq!(world.screen()[0], "", "a deleted text came back");
}

#[test]
fn a_page_that_is_newer_than_the_stream_is_not_undone_by_what_comes_late() {
    let mut world = World::online();
    let one = world.server.post(ana(), "uno");
    world.work();
    // Both events are under way when a page that contains both changes arrives.
    world.server.edit(one, "secreto");
    world.server.delete(one);
    world.changes.clear();
    world.give(Input::Load { group: group(), page: HistoryPage::Latest });
    assert_eq!(world.screen(), [""]);
    let told = world.changes.iter().filter(|change| matches!(change, Change::Timeline { .. })).count();
    assert_eq!(told, 1, "the text between was shown: {:?}", world.changes);
}

#[test]
fn older_pages_are_put_in_front_until_the_beginning() {
    let mut world = World::default();
    for number in 0..120 {
        world.server.post(ana(), &number.to_string());
    }
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(world.screen(), numbers(70, 120));
    for from in [20, 0] {
        let Some(page) = world.group().timeline().older_page() else { panic!("nothing older") };
        world.give(Input::Load { group: group(), page });
        assert_eq!(world.screen(), numbers(from, 120));
    }
    assert_eq!(world.group().timeline().older_page(), None);
}

#[test]
fn a_jump_to_an_old_message_leads_back_to_the_present_page_by_page() {
    let mut world = World::default();
    for number in 0..200 {
        world.server.post(ana(), &number.to_string());
    }
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.give(Input::Load { group: group(), page: HistoryPage::Around(50) });
    assert!(world.group().timeline().has_more_after());
    assert!(world.screen().contains(&"49".to_owned()));
    post(&mut world, 200, 203);
    assert!(!world.screen().contains(&"200".to_owned()), "there would be a hole before it");
    while let Some(page) = world.group().timeline().newer_page() {
        world.give(Input::Load { group: group(), page });
    }
    assert_eq!(world.screen().last().map(String::as_str), Some("202"));
    let screen = world.screen();
    assert_eq!(screen, numbers(203 - screen.len(), 203));
    post(&mut world, 203, 204);
    assert_eq!(world.screen().last().map(String::as_str), Some("203"));
}

#[test]
fn a_jump_whose_page_is_older_than_the_stream_loses_nothing() {
    let mut world = World::online();
    post(&mut world, 0, 60);
    world.hold_pages = true;
    world.give(Input::Load { group: group(), page: HistoryPage::Around(50) });
    post(&mut world, 60, 62);
    world.release_pages();
    assert_eq!(world.screen().last().map(String::as_str), Some("61"));
    assert!(!world.group().timeline().has_more_after());
}

#[test]
fn an_old_message_that_is_acknowledged_late_leaves_no_hole() {
    let mut world = World::online();
    world.server.answers.push_back(Answer::Lost);
    world.send(id(1), "mío");
    world.reload();
    for number in 0..80 {
        world.server.post(ana(), &number.to_string());
    }
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.give(Input::Start);
    assert!(world.group().outbox().is_empty());
    assert_eq!(world.screen(), numbers(30, 80), "it stands above a hole");
    let Some(page) = world.group().timeline().older_page() else { panic!("nothing older") };
    world.give(Input::Load { group: group(), page });
    assert_eq!(world.screen()[0], "mío");
    assert_eq!(world.screen()[1..], numbers(0, 80));
}

#[test]
fn an_own_message_leads_back_to_the_present() {
    let mut world = World::default();
    for number in 0..200 {
        world.server.post(ana(), &number.to_string());
    }
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.give(Input::Load { group: group(), page: HistoryPage::Around(50) });
    world.send(id(1), "aquí");
    assert_eq!(world.screen().last().map(String::as_str), Some("aquí"));
    assert!(!world.group().timeline().has_more_after());
    assert_eq!(world.screen().iter().filter(|text| *text == "aquí").count(), 1);
}

#[test]
fn a_page_that_does_not_come_is_asked_for_again_and_the_group_follows_then() {
    let mut world = World::default();
    world.server.post(ana(), "uno");
    world.rest = false;
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.pass(20_000);
    assert!(world.group().is_filling());
    assert_eq!(world.session.link(), LinkState::Online);
    world.rest = true;
    world.pass(30_000);
    assert_eq!(world.screen(), ["uno"]);
    assert!(world.group().is_live());
}

#[test]
fn a_new_socket_is_a_reason_to_ask_for_the_page_at_once() {
    let mut world = World::default();
    world.server.post(ana(), "uno");
    world.rest = false;
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.pass(100_000);
    world.close(CloseReason::Abnormal);
    world.rest = true;
    world.give(Input::RetryNow);
    assert_eq!(world.screen(), ["uno"]);
}

#[test]
fn the_page_of_the_first_paint_needs_no_question() {
    let mut world = World::default();
    world.server.post(ana(), "uno");
    let page = world.server.page_of_all();
    world.server.post(ana(), "dos");
    world.rest = false;
    world.give(Input::OpenGroup { group: group(), page: Some(page), last_read: None });
    assert_eq!(world.screen(), ["uno"]);
    world.give(Input::Start);
    assert_eq!(world.screen(), ["uno", "dos"]);
}

#[test]
fn a_listed_group_is_live_without_its_history_and_loads_it_when_it_is_opened() {
    let mut world = World::default();
    for text in ["uno", "dos"] {
        world.server.post(ana(), text);
    }
    let cursor = caravana_protocol::Cursor { epoch: world.server.epoch, seq: 2 };
    world.give(Input::Start);
    world.give(Input::FollowGroup { group: group(), cursor, last_read: Some(2) });
    world.server.post(ana(), "tres");
    world.work();
    assert_eq!(world.screen(), ["tres"]);
    assert_eq!(world.group().unread_after(0), 1);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(world.screen(), ["uno", "dos", "tres"]);
}

#[test]
fn memory_is_bounded_and_what_was_forgotten_can_be_loaded_again() {
    let mut world = World::default();
    let config = caravana_client::Config { rows: 100, ..caravana_client::Config::new(me()) };
    world.session = caravana_client::Session::new(config, 1);
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    post(&mut world, 0, 150);
    assert_eq!(world.screen(), numbers(50, 150));
    let Some(page) = world.group().timeline().older_page() else { panic!("nothing older") };
    world.give(Input::Load { group: group(), page });
    assert_eq!(world.screen(), numbers(0, 100));
    post(&mut world, 150, 151);
    assert_eq!(world.screen(), numbers(0, 100));
    let Some(page) = world.group().timeline().newer_page() else { panic!("nothing newer") };
    world.give(Input::Load { group: group(), page });
    assert_eq!(world.screen(), numbers(50, 150));
    let Some(page) = world.group().timeline().newer_page() else { panic!("nothing newer") };
    world.give(Input::Load { group: group(), page });
    assert_eq!(world.screen(), numbers(51, 151));
}

#[test]
fn members_come_as_rows_between_the_messages() {
    let mut world = World::online();
    world.server.post(me(), "uno");
    world.server.admit(ana());
    world.server.post(ana(), "dos");
    world.work();
    assert_eq!(world.screen(), ["uno", "·", "dos"]);
    assert!(world.changes.contains(&Change::Members { group: group() }));
}

#[test]
fn a_removed_member_hears_nothing_more_and_is_told() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    world.hear(ServerFrame::Left(Left { group_id: group(), reason: LeftReason::Removed }));
    assert!(world.changes.contains(&Change::GroupLeft { group: group(), reason: Some(LeftReason::Removed) }));
    world.server.post(ana(), "dos");
    world.work();
    assert_eq!(world.screen(), ["uno"]);
    let subscribed = world.said("subscribe");
    world.close(CloseReason::Abnormal);
    world.pass(1_000);
    assert_eq!(world.said("subscribe"), subscribed, "a group that was left is not asked for again");
}

#[test]
fn who_is_let_in_again_starts_afresh() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    world.hear(ServerFrame::Left(Left { group_id: group(), reason: LeftReason::Removed }));
    assert!(world.group().is_gone());
    world.server.post(ana(), "dos");
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(world.screen(), ["uno", "dos"]);
    world.server.post(ana(), "tres");
    world.work();
    assert_eq!(world.screen(), ["uno", "dos", "tres"]);
}

#[test]
fn an_answer_from_before_the_group_was_opened_does_not_close_it() {
    let refusal = |reference: &Option<String>| {
        ServerFrame::Error(WireError::new(ErrorCode::NotFound, "no such group", reference.clone()))
    };
    let mut world = World::online();
    world.server.ignores_subscribes = true;
    world.close(CloseReason::Abnormal);
    world.pass(2_000);
    let (asked, old) = (world.said("subscribe"), world.last_reference.clone());
    // The first request was sent while the user was not a member. The user is added and opens the group before the
    // answer.
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.hear(refusal(&old));
    assert_eq!((world.group().is_gone(), world.said("subscribe")), (false, asked + 1));
    let new = world.last_reference.clone();
    world.hear(refusal(&old));
    assert!(!world.group().is_gone(), "an old answer says nothing about the new question");
    world.hear(refusal(&new));
    assert!(world.group().is_gone());
}

#[test]
fn a_group_that_is_not_there_holds_nothing_up() {
    let mut world = World::default();
    let other = caravana_protocol::GroupId::new(uuid::Uuid::from_u128(99));
    world.give(Input::OpenGroup { group: other, page: None, last_read: None });
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.give(Input::Start);
    assert!(world.changes.contains(&Change::GroupLeft { group: other, reason: None }));
    assert_eq!(world.session.link(), LinkState::Online);
    assert!(world.group().is_live());
}

#[test]
fn a_closed_group_is_followed_no_longer() {
    let mut world = World::online();
    world.give(Input::CloseGroup { group: group() });
    assert_eq!(world.said("unsubscribe"), 1);
    assert!(world.session.group(group()).is_none());
}

/// With many groups on a slow line the server's turns took longer than a group waited for its own: all were asked for again and
/// again, and in the end the socket was given up.
#[test]
fn a_group_is_waited_for_while_another_ones_replay_comes_forward() {
    let mut world = World::online();
    post(&mut world, 0, 5);
    world.server.ignores_subscribes = true;
    let other = GroupId::new(uuid::Uuid::from_u128(0xbeef));
    let page = Some(world.server.page_of_all());
    world.give(Input::OpenGroup { group: other, page, last_read: None });
    let asked = world.said("subscribe");
    // The first group is replayed, one event every eight seconds.
    let (epoch, head) = (world.server.epoch, world.server.head() + 10);
    let (roster, reads) = (vec![me()], BTreeMap::new());
    world.hear(ServerFrame::Joined(Joined { group_id: group(), epoch, head, roster, reads }));
    for number in 0..10 {
        world.pass(8_000);
        post(&mut world, number, number + 1);
    }
    assert_eq!(world.said("subscribe"), asked, "the line is busy, and nothing is lost");
    world.pass(10_001);
    assert!(world.said("subscribe") > asked, "now nothing comes any more");
}

/// Who joined stood in the conversation until the page was loaded again.
#[test]
fn a_page_of_history_brings_who_joined_to_their_places() {
    let mut world = World::default();
    world.server.post(ana(), "uno");
    world.server.admit(UserId::new(uuid::Uuid::from_u128(0xc)));
    for text in ["dos", "tres"] {
        world.server.post(ana(), text);
    }
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(world.screen(), ["uno", "·", "dos", "tres"]);
    world.server.admit(UserId::new(uuid::Uuid::from_u128(0xd)));
    world.work();
    assert_eq!(world.screen(), ["uno", "·", "dos", "tres", "·"]);
    // The same page once more changes nothing.
    world.give(Input::Load { group: group(), page: HistoryPage::Latest });
    assert_eq!(world.screen(), ["uno", "·", "dos", "tres", "·"]);
}

#[test]
fn older_pages_bring_theirs_without_a_hole_between() {
    let mut world = World::new(1);
    let config = caravana_client::Config { page_size: 2, ..caravana_client::Config::new(me()) };
    world.session = caravana_client::Session::new(config, 1);
    for number in 0..6_u128 {
        world.server.admit(UserId::new(uuid::Uuid::from_u128(0x100 + number)));
        world.server.post(ana(), &format!("m{number}"));
    }
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(world.screen(), ["m4", "·", "m5"]);
    while let Some(page) = world.group().timeline().older_page() {
        world.give(Input::Load { group: group(), page });
    }
    let all: Vec<String> = (0..6).flat_map(|number| ["·".to_owned(), format!("m{number}")]).collect();
    assert_eq!(world.screen(), all);
}
