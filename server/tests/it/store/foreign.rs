//! The promises of every adapter about rows that other programs write.

use std::time::Duration;

use caravana_protocol::Event;
use caravana_store::{Anchor, Hint};
use uuid::Uuid;

use super::{Fixture, Kind, seqs, text_of};
use crate::support::database::Foreign;

on_both! {
    rows_of_other_programs_take_their_place_in_the_log
    a_row_that_can_not_be_read_blocks_nothing
    a_deletion_with_a_nonsense_payload_blocks_no_list
}

async fn rows_of_other_programs_take_their_place_in_the_log(fixture: Fixture) {
    let own = fixture.say(fixture.ana, "nuestro").await;
    let mut hints = fixture.store.hints();
    let mut foreign = fixture.foreign().await;
    if matches!(foreign, Foreign::Postgres(_)) {
        // This hint says that the store listens now.
        assert_eq!(hints.next().await, Some(Hint::Anything));
    }
    for text in ["uno", "dos"] {
        foreign.says(fixture.bob, fixture.group, &[text.to_owned()]).await;
    }
    foreign.run("update group_chat set message = 'tres' where message = 'dos'").await;
    foreign.run("delete from group_chat where message = 'uno'").await;
    let names_the_group = async {
        loop {
            match (hints.next().await.unwrap(), &foreign) {
                (Hint::Groups(groups), _) if groups.contains(&fixture.group) => return,
                // SQLite can not tell which group has changed.
                (Hint::Anything, Foreign::Sqlite(_)) => return,
                (Hint::Groups(_) | Hint::Anything, _) => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), names_the_group).await.expect("nothing was said of it");

    let events = fixture.log().await;
    let new = &events[events.len() - 4..];
    assert_eq!(seqs(new), (own.seq + 1..=own.seq + 4).collect::<Vec<_>>());
    let kinds: Vec<&str> = new.iter().map(Event::kind).collect();
    assert_eq!(kinds, ["new_message", "new_message", "message_edited", "message_deleted"]);
    assert_eq!(new.iter().filter_map(text_of).collect::<Vec<_>>(), ["", "tres", "tres", ""]);
}

/// The list of groups, one group, and its members must also work while the unreadable row is the last message.
async fn a_row_that_can_not_be_read_blocks_nothing(fixture: Fixture) {
    let mut foreign = fixture.foreign().await;
    let odd: &[&str] = match &foreign {
        Foreign::Sqlite(_) => {
            foreign.run("pragma foreign_keys = off").await;
            &[
                "insert into group_chat (id, created_at, user_id, group_id, message, status) \
                 values ('no es un id', 'ayer', 'nadie', '{group}', x'ff00', null)",
                "insert into group_chat (created_at, user_id, group_id, message, status) \
                 values (x'ff', x'00', '{group}', x'ff00', 'sí'), (5, 7, '{group}', 3.5, x'01')",
                "update users set display_name = x'ff41'",
                "update groups set name = x'ff42'",
                "update caravana_group set time_zone = x'ff43' where group_id = '{group}'",
            ]
        }
        Foreign::Postgres(_) => &["insert into group_chat (created_at, user_id, group_id, message, status) \
             values ('infinity', null, '{group}', '', null), ('4000-01-01 BC', null, '{group}', 'x', null), \
             (null, null, '{group}', 'y', null)"],
    };
    for statement in odd {
        foreign.run(&statement.replace("{group}", &fixture.group.to_string())).await;
        let listed = fixture.store.groups(fixture.ana).await.unwrap();
        let seen = fixture.store.membership(fixture.group, fixture.ana).await.unwrap();
        assert_eq!((listed.len(), &listed[0].id), (1, &fixture.group));
        assert_eq!(seen.as_ref(), listed.first());
        let members = fixture.store.members(fixture.group, fixture.ana).await.unwrap().unwrap();
        assert_eq!(members.len(), 2);
    }
    let invited = fixture.store.invite([7; 32], 0).await.unwrap();
    let known =
        (fixture.store.user(fixture.ana).await.unwrap().unwrap(), fixture.store.belongings(fixture.ana).await.unwrap());
    if matches!(foreign, Foreign::Sqlite(_)) {
        let group = fixture.store.group(fixture.group, fixture.ana).await.unwrap().unwrap();
        assert_eq!((invited.name.as_str(), invited.invited_by.as_deref()), ("\u{fffd}B", Some("\u{fffd}A")));
        assert_eq!((known.0.display_name, known.1.memberships[0].name.as_str()), ("\u{fffd}A".into(), "\u{fffd}B"));
        assert_eq!(group.last_message.map(|last| last.message.content.body).as_deref(), Some("3.5"));
    }
    fixture.say(fixture.ana, "después").await;
    let events = fixture.log().await;
    assert_eq!(seqs(&events), (1..=events.len() as u64).collect::<Vec<_>>());
    let page = fixture.store.history(fixture.group, fixture.ana, Anchor::End, 50).await.unwrap().unwrap();
    assert_eq!(page.messages.last().map(|message| message.content.body.as_str()), Some("después"));
}

/// The list counts unread messages by the payloads of deletions. Before the fix, one that it could not read made the
/// list fail for every other member.
async fn a_deletion_with_a_nonsense_payload_blocks_no_list(fixture: Fixture) {
    let mut foreign = fixture.foreign().await;
    let (head, event, text_only) = match &foreign {
        Foreign::Sqlite(_) => ("caravana_head", "caravana_event", &["{", "", "[", "nada"][..]),
        Foreign::Postgres(_) => ("caravana.head", "caravana.event", &[][..]),
    };
    let json =
        ["null", "[]", "7", "{}", r#"{"message_seq": "x"}"#, r#"{"message_seq": 1.5}"#, r#"{"message_seq": 1e300}"#];
    let payloads = json.iter().chain(text_only);
    for payload in payloads {
        foreign.run(&format!("update {head} set head = head + 1 where group_id = '{}'", fixture.group)).await;
        foreign
            .run(&format!(
                "insert into {event} (group_id, seq, kind, message_id, actor_id, payload) \
                 select group_id, head, 'message_deleted', '{}', '{}', '{payload}' from {head} where group_id = '{}'",
                Uuid::new_v4(),
                fixture.bob,
                fixture.group
            ))
            .await;
        let listed = fixture.store.groups(fixture.ana).await.unwrap_or_else(|error| panic!("{payload}: {error}"));
        assert_eq!(fixture.store.membership(fixture.group, fixture.ana).await.unwrap().as_ref(), listed.first());
    }
    let events = fixture.log().await;
    assert_eq!(seqs(&events), (1..=events.len() as u64).collect::<Vec<_>>());
}
