//! What a screen says about older messages follows the question for them (UX T6).

use caravana_client::testing::{World, ana, group};
use caravana_client::{Change, HistoryPage, Input, Older};
use caravana_protocol::CloseReason;

/// A world with so many messages, of which the newest page is shown.
fn with(messages: usize) -> World {
    let mut world = World::default();
    for number in 0..messages {
        world.server.post(ana(), &number.to_string());
    }
    world.give(Input::Start);
    world.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    world.changes.clear();
    world
}

fn ask(world: &mut World) {
    let page = world.group().timeline().older_page().unwrap_or_else(|| panic!("nothing older"));
    world.give(Input::Load { group: group(), page });
}

fn was_told(world: &World) -> bool {
    world.changes.contains(&Change::Progress { group: group() })
}

// The page set a flag with the question and cleared it when the ends of the loaded part changed. The second page of 260
// messages changed neither end: «Cargando…» stood there for ever, and nothing was asked for any more.
#[test]
fn every_page_tells_that_it_is_here_up_to_the_first_message() {
    for messages in [101, 260, 5_000] {
        let mut world = with(messages);
        let mut pages = 0;
        while world.group().older() != Older::Start {
            assert_eq!(world.group().older(), Older::More);
            world.hold_pages = true;
            ask(&mut world);
            assert_eq!(world.group().older(), Older::Loading);
            assert!(was_told(&world), "nobody was told of question {pages}");
            world.changes.clear();
            world.release_pages();
            assert!(was_told(&world), "nobody was told of page {pages}");
            world.changes.clear();
            pages += 1;
        }
        assert_eq!(pages, (messages - 1) / 50);
        assert_eq!(world.screen().len(), messages);
        assert_eq!(world.screen()[0], "0");
    }
}

#[test]
fn a_page_that_does_not_come_is_failed_until_it_is_asked_for_again() {
    let mut world = with(120);
    world.rest = false;
    ask(&mut world);
    assert_eq!(world.group().older(), Older::Failed);
    assert!(was_told(&world));
    world.rest = true;
    ask(&mut world);
    assert_eq!(world.group().older(), Older::More);
    assert_eq!(world.screen().len(), 100);
}

#[test]
fn a_page_that_nobody_answers_is_failed_after_a_while() {
    let mut world = with(120);
    world.hold_pages = true;
    ask(&mut world);
    world.pass(14_999);
    assert_eq!(world.group().older(), Older::Loading);
    world.changes.clear();
    world.pass(1);
    assert_eq!(world.group().older(), Older::Failed);
    assert!(was_told(&world));
    // A page that comes after its timeout belongs to no request.
    world.release_pages();
    assert_eq!(world.screen().len(), 50);
}

#[test]
fn a_link_that_is_back_makes_older_messages_worth_asking_for() {
    let mut world = with(120);
    world.rest = false;
    world.close(CloseReason::Abnormal);
    ask(&mut world);
    assert_eq!(world.group().older(), Older::Failed);
    world.rest = true;
    world.changes.clear();
    world.pass(2_000);
    assert_eq!(world.group().older(), Older::More);
    assert!(was_told(&world));
}

#[test]
fn who_asks_twice_is_answered_once() {
    let mut world = with(260);
    let page = world.group().timeline().older_page().unwrap_or_else(|| panic!("nothing older"));
    world.hold_pages = true;
    for _ in 0..3 {
        world.give(Input::Load { group: group(), page });
    }
    world.release_pages();
    assert_eq!((world.screen().len(), world.group().older()), (100, Older::More));
    // A request for this page came late: the page is loaded by now.
    world.give(Input::Load { group: group(), page });
    assert_eq!((world.screen().len(), world.group().older()), (100, Older::More));
    assert!(!world.changes.iter().any(|change| matches!(change, Change::HistoryFailed { .. })));
}

#[test]
fn another_question_or_a_closed_group_ends_the_loading() {
    for end in [Input::Load { group: group(), page: HistoryPage::Around(60) }, Input::CloseGroup { group: group() }] {
        let mut world = with(260);
        world.hold_pages = true;
        ask(&mut world);
        world.give(end);
        world.release_pages();
        if let Some(known) = world.session.group(group()) {
            assert_ne!(known.older(), Older::Loading);
        }
    }
}
