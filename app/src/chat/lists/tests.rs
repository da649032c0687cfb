use caravana_protocol::rest::{GroupKind, LastMessage};
use caravana_protocol::{Content, Epoch, GroupId, MessageId, Role, Timestamp};
use uuid::Uuid;

use super::*;
use crate::i18n::Lang;

const ME: u128 = 1;
const ANA: u128 = 2;
const NOW: i64 = 1_800_000_000_000;

fn user(number: u128) -> UserId {
    UserId::new(Uuid::from_u128(number))
}

fn message(author: u128, text: &str) -> Message {
    Message {
        id: MessageId::new(Uuid::from_u128(7)),
        user_id: Some(user(author)),
        group_id: GroupId::new(Uuid::from_u128(9)),
        content: Content::text(text.to_owned()),
        created_at: Timestamp::from_unix_micros(NOW * 1_000),
        status: true,
        seq: 1,
        edited_at: None,
        reply: None,
        reactions: Vec::new(),
        pinned: false,
    }
}

fn group(number: u128, name: &str, minutes: i64, me: Mine) -> Group {
    Group {
        id: GroupId::new(Uuid::from_u128(number)),
        kind: GroupKind::Group,
        peer_id: None,
        closed: false,
        name: name.to_owned(),
        time_zone: None,
        emoji: None,
        starts_on: None,
        ends_on: None,
        role: Role::Member,
        member_count: 2,
        members_can_invite: true,
        epoch: Epoch::new(Uuid::from_u128(1)),
        head: 1,
        last_read: 0,
        unread: 1,
        unread_mentions: 0,
        last_message: Some(LastMessage { message: message(ANA, "hola"), display_name: Some("Ana".to_owned()) }),
        joined_at: Timestamp::from_unix_micros((NOW + minutes * 60_000) * 1_000),
        me,
    }
}

fn rows() -> Vec<GroupRow> {
    let favourite = Mine { favourite: true, ..Mine::default() };
    let archived = Mine { archived: true, favourite: true, ..Mine::default() };
    let groups = [
        group(1, "Málaga", 1, Mine::default()),
        group(2, "Mérida", 5, Mine::default()),
        group(3, "Tulum", 2, favourite),
        group(4, "Oaxaca", 9, archived),
        group(5, "Bacalar", 4, favourite),
    ];
    group_rows(&groups, user(ME), &[], Lang::Es.words(), Some(NOW))
}

fn names(rows: &[GroupRow], ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| rows.iter().find(|row| row.id == *id).unwrap().name.clone()).collect()
}

#[test]
fn favourites_are_first_and_what_is_put_aside_is_apart() {
    let rows = rows();
    let all = listed(&rows, "", 60);
    assert_eq!(names(&rows, &all.rows), ["Bacalar", "Tulum", "Mérida", "Málaga"]);
    assert_eq!(names(&rows, &all.archived), ["Oaxaca"]);
    assert_eq!((all.archived_count, all.more), (1, 0));
    let some = listed(&rows, "", 3);
    assert_eq!((some.rows.len(), some.more), (3, 1));
}

#[test]
fn a_group_is_found_without_accents_and_case_also_where_it_is_put_aside() {
    let rows = rows();
    let found = |query| names(&rows, &listed(&rows, query, 60).rows);
    assert_eq!(found("MERI"), ["Mérida"]);
    assert_eq!(found(" acá"), ["Bacalar", "Oaxaca"]);
    assert_eq!(found("axaca"), ["Oaxaca"]);
    assert!(found("Cancún").is_empty());
    assert_eq!(listed(&rows, "a", 2).more, 2);
}

#[test]
fn the_latest_group_is_the_first_to_switch_to_and_the_open_one_the_last() {
    let rows = rows();
    let open = rows.iter().find(|row| row.name == "Oaxaca").unwrap().id.clone();
    let to = |query| names(&rows, &to_switch(&rows, query, &open, 60));
    assert_eq!(to(""), ["Mérida", "Bacalar", "Tulum", "Málaga", "Oaxaca"]);
    assert_eq!(to("m"), ["Mérida", "Tulum", "Málaga"]);
}

#[test]
fn a_preview_names_who_wrote_it() {
    let (me, words) = (user(ME), Lang::Es.words());
    let plain = |text: String| text.replace(['\u{2068}', '\u{2069}'], "");
    let hers = message(ANA, "¿a qué\n\n hora?");
    assert_eq!(plain(preview(&hers, Some("Ana"), me, words)), "Ana: ¿a qué hora?");
    assert_eq!(plain(preview(&hers, None, me, words)), "¿a qué hora?");
    assert_eq!(plain(preview(&message(ME, "ya"), Some("Yo"), me, words)), "Tú: ya");
    assert_eq!(preview(&hers.deleted(), Some("Ana"), me, words), words.deleted);
    assert_eq!(one_line(&"x".repeat(9_000)).len(), 120);
}

#[test]
fn a_group_is_muted_until_its_time_is_over() {
    let until = |millis| Mine { muted_until: Some(Timestamp::from_unix_micros(millis * 1_000)), ..Mine::default() };
    assert!(is_muted(&until(NOW + 1), Some(NOW)) && !is_muted(&until(NOW), Some(NOW)));
    assert!(!is_muted(&Mine::default(), Some(NOW)) && is_muted(&until(NOW), None));
    let unmuted = changed(until(NOW), MinePatch { muted_until: Some(None), ..MinePatch::default() });
    assert_eq!(unmuted, Mine::default());
    assert_eq!(
        changed(until(NOW), MinePatch { favourite: Some(true), ..MinePatch::default() }).muted_until,
        until(NOW).muted_until
    );
}
