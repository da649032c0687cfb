//! Pages of history: the first one, older and newer ones, and those that fail (G4, G5).

use caravana_client::testing::{Answer, Simulation, ana, group, id, me, numbers};
use caravana_client::{Config, HistoryPage, Input, LinkState, Session};
use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CloseReason, Cursor, UserId};

#[test]
fn the_page_of_the_first_paint_is_shown_without_a_request() {
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
    let cursor = Cursor { epoch: sim.server.epoch, seq: 2 };
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
fn older_pages_are_added_before_the_rows_up_to_the_first_message() {
    let mut sim = Simulation::default();
    sim.post_numbers(0..120);
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(sim.screen(), numbers(70..120));
    for from in [20, 0] {
        let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
        sim.give(Input::Load { group: group(), page });
        assert_eq!(sim.screen(), numbers(from..120));
    }
    assert_eq!(sim.group().timeline().older_page(), None);
}

#[test]
fn after_a_jump_to_an_old_message_newer_pages_lead_back_to_the_newest() {
    let mut sim = Simulation::default();
    sim.post_numbers(0..200);
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Load { group: group(), page: HistoryPage::Around(50) });
    assert!(sim.group().timeline().has_more_after());
    assert!(sim.screen().contains(&"49".to_owned()));
    sim.post_numbers(200..203);
    assert!(!sim.screen().contains(&"200".to_owned()), "there would be a hole before it");
    while let Some(page) = sim.group().timeline().newer_page() {
        sim.give(Input::Load { group: group(), page });
    }
    assert_eq!(sim.screen().last().map(String::as_str), Some("202"));
    let screen = sim.screen();
    assert_eq!(screen, numbers(203 - screen.len()..203));
    sim.post_numbers(203..204);
    assert_eq!(sim.screen().last().map(String::as_str), Some("203"));
}

#[test]
fn a_jump_loses_nothing_that_arrived_while_its_page_was_loading() {
    let mut sim = Simulation::online();
    sim.post_numbers(0..60);
    sim.hold_pages = true;
    sim.give(Input::Load { group: group(), page: HistoryPage::Around(50) });
    sim.post_numbers(60..62);
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
    sim.post_numbers(0..80);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Start);
    assert!(sim.group().outbox().is_empty());
    assert_eq!(sim.screen(), numbers(30..80), "it stands above a hole");
    let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
    sim.give(Input::Load { group: group(), page });
    assert_eq!(sim.screen()[0], "mío");
    assert_eq!(sim.screen()[1..], numbers(0..80));
}

#[test]
fn sending_a_message_after_a_jump_loads_the_newest_messages() {
    let mut sim = Simulation::default();
    sim.post_numbers(0..200);
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Load { group: group(), page: HistoryPage::Around(50) });
    sim.send(id(1), "aquí");
    assert_eq!(sim.screen().last().map(String::as_str), Some("aquí"));
    assert!(!sim.group().timeline().has_more_after());
    assert_eq!(sim.screen().iter().filter(|text| *text == "aquí").count(), 1);
}

#[test]
fn a_newest_page_that_fails_is_requested_again_and_then_the_group_is_followed() {
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
fn a_failed_newest_page_is_requested_at_once_over_a_new_socket() {
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
fn rows_in_memory_are_bounded_and_forgotten_rows_can_be_loaded_again() {
    let mut sim = Simulation::default();
    let config = Config { rows: 100, ..Config::new(me()) };
    sim.session = Session::new(config, 1);
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.post_numbers(0..150);
    assert_eq!(sim.screen(), numbers(50..150));
    let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
    sim.give(Input::Load { group: group(), page });
    assert_eq!(sim.screen(), numbers(0..100));
    sim.post_numbers(150..151);
    assert_eq!(sim.screen(), numbers(0..100));
    let Some(page) = sim.group().timeline().newer_page() else { panic!("nothing newer") };
    sim.give(Input::Load { group: group(), page });
    assert_eq!(sim.screen(), numbers(50..150));
    let Some(page) = sim.group().timeline().newer_page() else { panic!("nothing newer") };
    sim.give(Input::Load { group: group(), page });
    assert_eq!(sim.screen(), numbers(51..151));
}

/// A row of a member who joined was shown live, but it was gone after the page was loaded again.
#[test]
fn a_page_of_history_shows_joined_members_in_their_places() {
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
fn older_pages_show_joined_members_without_a_hole() {
    let mut sim = Simulation::new(1);
    let config = Config { page_size: 2, ..Config::new(me()) };
    sim.session = Session::new(config, 1);
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

/// 150 numbers of which a list knows, and the group is followed from there. Nothing of it is loaded.
fn listed(sim: &mut Simulation) {
    sim.post_numbers(0..150);
    let cursor = Cursor { epoch: sim.server.epoch, seq: sim.server.head() };
    sim.give(Input::FollowGroup { group: group(), cursor, last_read: Some(50) });
}

/// The page that the screen loads for the first unread message, with some read ones above it.
fn page_of_screen(sim: &Simulation) -> MessagesAnswer {
    match sim.server.page(group(), HistoryPage::Latest, 120) {
        Ok(page) => page,
        Err(error) => panic!("{error:?}"),
    }
}

fn open_with(sim: &mut Simulation, page: MessagesAnswer) {
    sim.give(Input::OpenGroup { group: group(), page: Some(page), last_read: Some(50) });
}

/// The page was dropped, and the session loaded a shorter one, without the first unread message.
#[test]
fn the_page_with_which_a_listed_group_is_opened_is_taken_without_a_request() {
    let mut sim = Simulation::default();
    sim.give(Input::Start);
    listed(&mut sim);
    let page = page_of_screen(&sim);
    sim.post_numbers(150..153);
    open_with(&mut sim, page);
    assert_eq!(sim.screen(), numbers(30..153));
    sim.post_numbers(153..155);
    assert_eq!(sim.screen(), numbers(30..155));
    assert!(sim.group().is_whole());
    assert_eq!(sim.pages, 0);
    let Some(page) = sim.group().timeline().older_page() else { panic!("nothing older") };
    sim.give(Input::Load { group: group(), page });
    assert_eq!(sim.screen(), numbers(0..155));
}

#[test]
fn a_page_that_is_ahead_of_the_stream_is_taken_and_its_events_are_not_doubled() {
    let mut sim = Simulation::default();
    sim.give(Input::Start);
    listed(&mut sim);
    sim.server.lose_events = 3;
    sim.post_numbers(150..153);
    let page = page_of_screen(&sim);
    open_with(&mut sim, page);
    assert_eq!(sim.screen(), numbers(33..153));
    sim.post_numbers(153..154);
    assert_eq!(sim.screen(), numbers(33..154));
    assert!(sim.group().is_whole());
    assert_eq!(sim.pages, 0);
}

#[test]
fn changes_that_came_after_the_page_was_read_are_not_lost_when_it_is_taken() {
    let mut sim = Simulation::default();
    sim.give(Input::Start);
    sim.server.post(ana(), "uno");
    let (edited, deleted) = (sim.server.post(ana(), "dos"), sim.server.post(ana(), "tres"));
    let cursor = Cursor { epoch: sim.server.epoch, seq: 3 };
    sim.give(Input::FollowGroup { group: group(), cursor, last_read: None });
    let page = sim.server.page_of_all();
    sim.server.edit(edited, "DOS");
    sim.server.delete(deleted);
    sim.work();
    open_with(&mut sim, page);
    assert_eq!(sim.screen(), ["uno", "DOS", ""]);
    assert_eq!(sim.pages, 0);
}

#[test]
fn a_page_of_which_too_many_changes_were_forgotten_is_requested_again() {
    let mut sim = Simulation::default();
    sim.give(Input::Start);
    let edited = sim.server.post(ana(), "uno");
    let other = sim.server.post(ana(), "dos");
    let cursor = Cursor { epoch: sim.server.epoch, seq: 2 };
    sim.give(Input::FollowGroup { group: group(), cursor, last_read: None });
    let page = sim.server.page_of_all();
    sim.server.edit(edited, "UNO");
    for number in 0..256 {
        sim.server.edit(other, &number.to_string());
    }
    sim.work();
    open_with(&mut sim, page);
    assert_eq!(sim.screen(), ["UNO", "255"]);
    assert_eq!(sim.pages, 1);
}

#[test]
fn a_page_that_ends_before_the_rows_begin_or_is_of_another_history_is_requested_again() {
    let mut sim = Simulation::default();
    sim.give(Input::Start);
    sim.post_numbers(0..10);
    let page = page_of_screen(&sim);
    sim.post_numbers(10..150);
    listed_at_head(&mut sim);
    open_with(&mut sim, page);
    assert_eq!((sim.screen(), sim.pages), (numbers(100..150), 1));

    let mut sim = Simulation::default();
    sim.give(Input::Start);
    sim.post_numbers(0..10);
    let page = page_of_screen(&sim);
    sim.server.restore(2);
    listed_at_head(&mut sim);
    open_with(&mut sim, page);
    assert_eq!((sim.screen(), sim.pages), (numbers(0..8), 1));
}

fn listed_at_head(sim: &mut Simulation) {
    let cursor = Cursor { epoch: sim.server.epoch, seq: sim.server.head() };
    sim.give(Input::FollowGroup { group: group(), cursor, last_read: None });
}

/// A group that was left in the middle of an old part opens at its newest messages.
#[test]
fn the_page_with_which_a_group_is_opened_again_leads_back_from_a_jump() {
    let mut sim = Simulation::online();
    sim.post_numbers(0..200);
    sim.give(Input::Load { group: group(), page: HistoryPage::Around(20) });
    assert!(sim.group().timeline().has_more_after());
    sim.post_numbers(200..210);
    let (page, asked) = (page_of_screen(&sim), sim.pages);
    open_with(&mut sim, page);
    assert_eq!(sim.screen(), numbers(90..210));
    assert!(!sim.group().timeline().has_more_after());
    assert_eq!(sim.pages, asked);
}

#[test]
fn a_page_that_begins_after_the_cursor_shows_the_gap_until_the_stream_has_filled_it() {
    let mut sim = Simulation::default();
    sim.post_numbers(0..10);
    listed_at_head(&mut sim);
    sim.post_numbers(10..150);
    sim.server.depth = 1_000;
    let Ok(page) = sim.server.page(group(), HistoryPage::Latest, 50) else { panic!("no page") };
    open_with(&mut sim, page);
    assert_eq!(sim.screen(), numbers(100..150));
    assert!(sim.group().is_missing_some());
    sim.give(Input::Start);
    assert_eq!(sim.screen(), numbers(10..150));
    assert!(sim.group().is_whole());
}
