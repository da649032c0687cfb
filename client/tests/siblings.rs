//! Two pages of one person on one device: they share the storage and the server, and nothing else (G2, G15).

use caravana_client::testing::{Answer, World, ana, group, id};
use caravana_client::{Input, SavedIntent};
use caravana_protocol::ErrorCode;

/// What a page that is offline leaves in the storage.
fn kept(texts: &[(u128, &str)]) -> Vec<SavedIntent> {
    let mut page = World::online();
    page.give(Input::NetworkDown);
    for (number, text) in texts {
        page.send(id(*number), text);
    }
    page.stored.into_values().collect()
}

#[test]
fn what_a_page_left_behind_is_sent_by_the_one_that_stays() {
    let mut world = World::online();
    world.give(Input::Adopt(kept(&[(1, "uno"), (2, "dos")])));
    assert_eq!(world.server.texts(), ["uno", "dos"]);
    assert_eq!(world.screen(), ["uno", "dos"]);
    assert!(world.group().outbox().is_empty());
}

#[test]
fn a_group_that_nobody_opened_is_followed_for_what_was_left_behind_in_it() {
    let mut world = World::new(1);
    world.give(Input::Start);
    world.give(Input::Adopt(kept(&[(1, "uno")])));
    assert_eq!(world.server.texts(), ["uno"]);
    assert!(world.session.group(group()).is_none(), "nobody looks at it and nothing is left to send");
}

#[test]
fn what_both_pages_send_is_there_once() {
    let mut world = World::online();
    world.give(Input::NetworkDown);
    world.send(id(1), "uno");
    let saved: Vec<SavedIntent> = world.stored.values().cloned().collect();
    world.give(Input::Adopt(saved.clone()));
    assert_eq!(world.screen(), ["uno?"], "it is known here already");
    world.give(Input::NetworkUp);
    world.give(Input::Adopt(saved));
    assert_eq!(world.screen(), ["uno"], "it is stored already");
    assert_eq!(world.server.arrivals[&id(1)], 1);
}

#[test]
fn nobody_adopts_what_another_user_wrote() {
    let mut world = World::online();
    let mut saved = kept(&[(1, "ajeno")]);
    for message in &mut saved {
        message.user_id = ana();
    }
    world.give(Input::Adopt(saved));
    assert!(world.server.texts().is_empty());
}

#[test]
fn a_refused_message_that_was_given_up_on_another_page_is_offered_no_more() {
    let mut world = World::online();
    world.server.answers.push_back(Answer::Refused(ErrorCode::StorageFull, None));
    world.send(id(1), "mal");
    assert_eq!(world.screen(), ["mal!"]);
    world.give(Input::Forgotten { id: id(1).into() });
    assert!(world.screen().is_empty());
}

#[test]
fn a_waiting_message_is_never_dropped_because_another_page_forgot_it() {
    let mut world = World::online();
    world.give(Input::NetworkDown);
    world.send(id(1), "uno");
    world.give(Input::Forgotten { id: id(1).into() });
    assert_eq!(world.screen(), ["uno?"]);
    world.give(Input::NetworkUp);
    assert_eq!(world.screen(), ["uno"]);
}

/// A page that had slept said its old edit again when it woke, over the newer one of another page.
#[test]
fn a_change_that_another_page_has_made_is_not_made_again_here() {
    let mut asleep = World::online();
    asleep.send(id(1), "hola");
    asleep.give(Input::NetworkDown);
    asleep.edit(id(1), "vieja");
    let intent = asleep.group().change_of(id(1)).map(|intent| intent.id);
    // Another page took it over, and the message was changed again since.
    asleep.server.edit(id(1), "vieja");
    asleep.server.edit(id(1), "nueva");
    asleep.give(Input::Forgotten { id: intent.unwrap_or_else(|| panic!("nothing is wanted")) });
    asleep.give(Input::NetworkUp);
    asleep.pass(60_000);
    assert_eq!((asleep.screen(), asleep.server.texts()), (vec!["nueva".to_owned()], vec!["nueva".to_owned()]));
    assert_eq!(asleep.server.changes, 0);
}
