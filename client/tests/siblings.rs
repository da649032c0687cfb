//! Two pages of one person on one device: they share the storage and the server, and nothing else (G2, G15).

use caravana_client::testing::{Answer, Simulation, ana, group, id};
use caravana_client::{Input, SavedIntent};
use caravana_protocol::ErrorCode;

/// What a page that is offline leaves in the storage.
fn kept(texts: &[(u128, &str)]) -> Vec<SavedIntent> {
    let mut page = Simulation::online();
    page.give(Input::NetworkDown);
    for (number, text) in texts {
        page.send(id(*number), text);
    }
    page.stored.into_values().collect()
}

#[test]
fn messages_that_a_page_left_behind_are_sent_by_another_page() {
    let mut sim = Simulation::online();
    sim.give(Input::Adopt(kept(&[(1, "uno"), (2, "dos")])));
    assert_eq!(sim.server.texts(), ["uno", "dos"]);
    assert_eq!(sim.screen(), ["uno", "dos"]);
    assert!(sim.group().outbox().is_empty());
}

#[test]
fn a_group_that_is_not_open_is_followed_to_send_what_was_left_behind() {
    let mut sim = Simulation::new(1);
    sim.give(Input::Start);
    sim.give(Input::Adopt(kept(&[(1, "uno")])));
    assert_eq!(sim.server.texts(), ["uno"]);
    assert!(sim.session.group(group()).is_none(), "nobody looks at it and nothing is left to send");
}

#[test]
fn a_message_that_both_pages_send_is_shown_once() {
    let mut sim = Simulation::online();
    sim.give(Input::NetworkDown);
    sim.send(id(1), "uno");
    let saved: Vec<SavedIntent> = sim.stored.values().cloned().collect();
    sim.give(Input::Adopt(saved.clone()));
    assert_eq!(sim.screen(), ["uno?"], "it is known here already");
    sim.give(Input::NetworkUp);
    sim.give(Input::Adopt(saved));
    assert_eq!(sim.screen(), ["uno"], "it is stored already");
    assert_eq!(sim.server.arrivals[&id(1)], 1);
}

#[test]
fn messages_of_another_user_are_not_adopted() {
    let mut sim = Simulation::online();
    let mut saved = kept(&[(1, "ajeno")]);
    for message in &mut saved {
        message.user_id = ana();
    }
    sim.give(Input::Adopt(saved));
    assert!(sim.server.texts().is_empty());
}

#[test]
fn a_refused_message_that_another_page_discarded_is_removed() {
    let mut sim = Simulation::online();
    sim.server.answers.push_back(Answer::Refused(ErrorCode::StorageFull, None));
    sim.send(id(1), "mal");
    assert_eq!(sim.screen(), ["mal!"]);
    sim.give(Input::Forgotten { id: id(1).into() });
    assert!(sim.screen().is_empty());
}

#[test]
fn a_waiting_message_is_never_dropped_because_another_page_forgot_it() {
    let mut sim = Simulation::online();
    sim.give(Input::NetworkDown);
    sim.send(id(1), "uno");
    sim.give(Input::Forgotten { id: id(1).into() });
    assert_eq!(sim.screen(), ["uno?"]);
    sim.give(Input::NetworkUp);
    assert_eq!(sim.screen(), ["uno"]);
}

/// A page that had slept sent its old edit again when it woke up, and so undid the newer edit of another page.
#[test]
fn a_change_that_another_page_made_is_not_repeated() {
    let mut asleep = Simulation::online();
    asleep.send(id(1), "hola");
    asleep.give(Input::NetworkDown);
    asleep.edit(id(1), "vieja");
    let intent = asleep.group().changes_of(id(1)).next_back().map(|intent| intent.id);
    // Another page took it over, and the message was changed again since.
    asleep.server.edit(id(1), "vieja");
    asleep.server.edit(id(1), "nueva");
    asleep.give(Input::Forgotten { id: intent.unwrap_or_else(|| panic!("nothing is wanted")) });
    asleep.give(Input::NetworkUp);
    asleep.pass(60_000);
    assert_eq!((asleep.screen(), asleep.server.texts()), (vec!["nueva".to_owned()], vec!["nueva".to_owned()]));
    assert_eq!(asleep.server.changes, 0);
}
