//! What a screen says about older messages follows the question for them (UX T6).

use caravana_client::testing::{Simulation, ana, group};
use caravana_client::{Change, HistoryPage, Input, Older};
use caravana_protocol::CloseReason;

/// A simulation with so many messages, of which the newest page is shown.
fn with(messages: usize) -> Simulation {
    let mut sim = Simulation::default();
    for number in 0..messages {
        sim.server.post(ana(), &number.to_string());
    }
    sim.give(Input::Start);
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.changes.clear();
    sim
}

fn ask(sim: &mut Simulation) {
    let page = sim.group().timeline().older_page().unwrap_or_else(|| panic!("nothing older"));
    sim.give(Input::Load { group: group(), page });
}

fn was_told(sim: &Simulation) -> bool {
    sim.changes.contains(&Change::Progress { group: group() })
}

// The page set a flag with the question and cleared it when the ends of the loaded part changed. The second page of 260
// messages changed neither end: «Cargando…» stood there for ever, and nothing was asked for any more.
#[test]
fn every_older_page_is_reported_up_to_the_first_message() {
    for messages in [101, 260, 5_000] {
        let mut sim = with(messages);
        let mut pages = 0;
        while sim.group().older() != Older::Start {
            assert_eq!(sim.group().older(), Older::More);
            sim.hold_pages = true;
            ask(&mut sim);
            assert_eq!(sim.group().older(), Older::Loading);
            assert!(was_told(&sim), "nobody was told of question {pages}");
            sim.changes.clear();
            sim.release_pages();
            assert!(was_told(&sim), "nobody was told of page {pages}");
            sim.changes.clear();
            pages += 1;
        }
        assert_eq!(pages, (messages - 1) / 50);
        assert_eq!(sim.screen().len(), messages);
        assert_eq!(sim.screen()[0], "0");
    }
}

#[test]
fn a_page_that_can_not_be_loaded_stays_failed_until_it_is_requested_again() {
    let mut sim = with(120);
    sim.rest = false;
    ask(&mut sim);
    assert_eq!(sim.group().older(), Older::Failed);
    assert!(was_told(&sim));
    sim.rest = true;
    ask(&mut sim);
    assert_eq!(sim.group().older(), Older::More);
    assert_eq!(sim.screen().len(), 100);
}

#[test]
fn a_request_without_an_answer_fails_after_a_while() {
    let mut sim = with(120);
    sim.hold_pages = true;
    ask(&mut sim);
    sim.pass(14_999);
    assert_eq!(sim.group().older(), Older::Loading);
    sim.changes.clear();
    sim.pass(1);
    assert_eq!(sim.group().older(), Older::Failed);
    assert!(was_told(&sim));
    // A page that comes after its timeout belongs to no request.
    sim.release_pages();
    assert_eq!(sim.screen().len(), 50);
}

#[test]
fn after_a_reconnect_a_failed_page_can_be_requested_again() {
    let mut sim = with(120);
    sim.rest = false;
    sim.close(CloseReason::Abnormal);
    ask(&mut sim);
    assert_eq!(sim.group().older(), Older::Failed);
    sim.rest = true;
    sim.changes.clear();
    sim.pass(2_000);
    assert_eq!(sim.group().older(), Older::More);
    assert!(was_told(&sim));
}

#[test]
fn a_second_request_for_the_same_page_is_not_sent() {
    let mut sim = with(260);
    let page = sim.group().timeline().older_page().unwrap_or_else(|| panic!("nothing older"));
    sim.hold_pages = true;
    for _ in 0..3 {
        sim.give(Input::Load { group: group(), page });
    }
    sim.release_pages();
    assert_eq!((sim.screen().len(), sim.group().older()), (100, Older::More));
    // A request for this page came late: the page is loaded by now.
    sim.give(Input::Load { group: group(), page });
    assert_eq!((sim.screen().len(), sim.group().older()), (100, Older::More));
    assert!(!sim.changes.iter().any(|change| matches!(change, Change::HistoryFailed { .. })));
}

#[test]
fn another_request_or_closing_the_group_ends_the_loading() {
    for end in [Input::Load { group: group(), page: HistoryPage::Around(60) }, Input::CloseGroup { group: group() }] {
        let mut sim = with(260);
        sim.hold_pages = true;
        ask(&mut sim);
        sim.give(end);
        sim.release_pages();
        if let Some(known) = sim.session.group(group()) {
            assert_ne!(known.older(), Older::Loading);
        }
    }
}

#[test]
fn newer_messages_that_do_not_come_are_told_and_come_when_they_are_asked_for_again() {
    let mut sim = with(300);
    sim.give(Input::Load { group: group(), page: HistoryPage::Around(100) });
    sim.work();
    let page = sim.group().timeline().newer_page().unwrap_or_else(|| panic!("nothing newer"));
    assert!(!sim.group().newer_failed());
    sim.rest = false;
    sim.changes.clear();
    sim.give(Input::Load { group: group(), page });
    assert!(sim.group().newer_failed());
    assert!(was_told(&sim));
    sim.rest = true;
    sim.give(Input::Load { group: group(), page });
    assert!(!sim.group().newer_failed());
    assert_ne!(sim.group().timeline().newer_page(), Some(page));
    // A reconnect makes another attempt worthwhile.
    sim.rest = false;
    let page = sim.group().timeline().newer_page().unwrap_or_else(|| panic!("nothing newer"));
    sim.give(Input::Load { group: group(), page });
    assert!(sim.group().newer_failed());
    sim.close(CloseReason::Abnormal);
    sim.rest = true;
    sim.pass(2_000);
    assert!(!sim.group().newer_failed());
}

/// A page of older messages once took the place of the page that the reader was waiting for.
#[test]
fn older_messages_are_not_asked_for_while_the_reader_goes_to_another_part() {
    let mut sim = with(300);
    sim.hold_pages = true;
    sim.give(Input::Load { group: group(), page: HistoryPage::Around(50) });
    ask(&mut sim);
    sim.release_pages();
    let first = sim.group().timeline().rows().next().map(caravana_client::Row::seq);
    assert!(first.is_some_and(|seq| seq < 50), "{first:?}");
}
