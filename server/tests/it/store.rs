//! The promises of every database adapter. Each test runs on both databases, on its own file or database.

use std::collections::BTreeSet;
use std::time::Duration;

use caravana_protocol::limits::REPLAY_PAGE_BYTES;
use caravana_protocol::{Content, Event, GroupId, Message, MessageBody, MessageId, Seq, Timestamp, UserId};
use caravana_store::{Anchor, Appended, Hint, NewAccount, NewInvite, NewMessage, SharedStore, StoreError};
use futures::future::join_all;
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::database::{Database, Foreign, Kind};

/// Makes one test for each database from each line.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            use super::{Kind, World};
            $(#[tokio::test] async fn $name() { super::$name(World::new(Kind::Sqlite).await).await; })*
        }
        mod postgres {
            use super::{Kind, World};
            $(#[tokio::test] async fn $name() { super::$name(World::new(Kind::Postgres).await).await; })*
        }
    };
}

mod accounts;
mod bounds;
mod ends;

on_both! {
    a_message_is_stored_once_whatever_its_sender_repeats
    fifty_parallel_sends_of_one_id_are_one_message
    an_id_belongs_to_one_author_group_text_and_reply
    a_text_that_was_kept_by_older_rules_is_repeated_by_todays
    a_stranger_can_neither_write_nor_read_nor_use_up_a_seq
    seqs_have_no_hole_and_a_sender_keeps_the_order
    an_answer_needs_a_message_of_the_same_group
    a_replay_shows_the_present_and_never_a_deleted_text
    only_authors_edit_and_only_authors_and_managers_delete
    read_marks_never_go_back_and_never_beyond_the_head
    history_pages_know_what_lies_on_either_side
    rows_of_other_programs_take_their_place_in_the_log
    a_row_that_can_not_be_read_blocks_nothing
    what_was_acknowledged_is_there_after_the_database_is_opened_again
    a_page_of_the_log_is_bounded
}

/// A database with a group of two members.
struct World {
    // Declared before the folder and the database, because it uses them and fields are dropped in this order.
    store: SharedStore,
    database: Database,
    _folder: TempDir,
    group: GroupId,
    ana: UserId,
    bob: UserId,
}

impl World {
    async fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(kind, folder.path().join("caravana.db")).await;
        let store = database.open().await;
        let (ana, bob) = (person(&store, "Ana").await, person(&store, "Bob").await);
        let group = GroupId::new(Uuid::new_v4());
        store.create_group(group, ana, "Oaxaca", None).await.unwrap();
        let token = [7; 32];
        store
            .create_invite(ana, group, NewInvite { token, max_uses: None, created_at: 0, expires_at: i64::MAX })
            .await
            .unwrap();
        store.accept_invite(token, bob, 0).await.unwrap();
        Self { store, database, _folder: folder, group, ana, bob }
    }

    fn new_message(&self, author: UserId, text: &str) -> NewMessage {
        NewMessage {
            id: MessageId::new(Uuid::now_v7()),
            user_id: author,
            group_id: self.group,
            content: self::text(text),
            created_at: "2026-11-22T12:00:00Z".parse().unwrap(),
        }
    }

    async fn say(&self, author: UserId, text: &str) -> Message {
        self.store.append(self.new_message(author, text)).await.unwrap().message
    }

    async fn log(&self) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        loop {
            let after = events.last().map_or(0, Event::seq);
            let page = self.store.replay(self.group, self.ana, after, REPLAY_PAGE_BYTES).await.unwrap().unwrap();
            if page.events.is_empty() {
                assert_eq!(page.head, after);
                return events;
            }
            events.extend(page.events);
        }
    }

    async fn foreign(&self) -> Foreign {
        self.database.foreign().await
    }
}

async fn person(store: &SharedStore, name: &str) -> UserId {
    let id = UserId::new(Uuid::new_v4());
    let account = NewAccount {
        id,
        email: format!("{id}@example.org"),
        display_name: name.into(),
        password_hash: "not a hash".into(),
    };
    store.create_account(account).await.unwrap().id
}

fn text(text: &str) -> Content<MessageBody> {
    Content::text(MessageBody::parse(text).unwrap())
}

fn answer_to(id: MessageId, body: &str) -> Content<MessageBody> {
    Content { reply_to: Some(id), ..text(body) }
}

fn text_of(event: &Event) -> Option<&str> {
    match event {
        Event::NewMessage(message) => Some(&message.content.body),
        Event::MessageEdited(change) | Event::MessageDeleted(change) => Some(&change.message.content.body),
        Event::MemberJoined(_) | Event::MemberLeft(_) | Event::GroupUpdated(_) | Event::Other(_) => None,
    }
}

fn seqs(events: &[Event]) -> Vec<Seq> {
    events.iter().map(Event::seq).collect()
}

async fn a_message_is_stored_once_whatever_its_sender_repeats(world: World) {
    let new_message = world.new_message(world.ana, "hola");
    let first = world.store.append(new_message.clone()).await.unwrap();
    assert!(!first.duplicate);
    let later = NewMessage { created_at: Timestamp::from_unix_micros(0), ..new_message };
    for _ in 0..3 {
        let again = world.store.append(later.clone()).await.unwrap();
        assert!(again.duplicate);
        assert_eq!(again.message, first.message);
    }
    assert_eq!(world.log().await.iter().filter(|event| text_of(event) == Some("hola")).count(), 1);
}

async fn fifty_parallel_sends_of_one_id_are_one_message(world: World) {
    let new_message = world.new_message(world.ana, "hola");
    let sends = join_all((0..50).map(|_| world.store.append(new_message.clone()))).await;
    let acks: Vec<Appended> = sends.into_iter().map(Result::unwrap).collect();
    assert_eq!(acks.iter().filter(|ack| !ack.duplicate).count(), 1);
    assert!(acks.iter().all(|ack| ack.message == acks[0].message));
}

async fn an_id_belongs_to_one_author_group_text_and_reply(world: World) {
    let other_group = GroupId::new(Uuid::new_v4());
    world.store.create_group(other_group, world.ana, "Cusco", None).await.unwrap();
    let original = world.say(world.bob, "la pregunta").await;
    let new_message = world.new_message(world.ana, "hola");
    world.store.append(new_message.clone()).await.unwrap();
    for stolen in [
        NewMessage { user_id: world.bob, ..new_message.clone() },
        NewMessage { group_id: other_group, ..new_message.clone() },
        NewMessage { content: text("adiós"), ..new_message.clone() },
        NewMessage { content: answer_to(original.id, "hola"), ..new_message.clone() },
    ] {
        assert!(matches!(world.store.append(stolen).await, Err(StoreError::Conflict)));
    }
    let composed = NewMessage { content: text("hola\r\nBob\r\n"), ..world.new_message(world.ana, "x") };
    world.store.append(composed.clone()).await.unwrap();
    let same = NewMessage { content: text("hola\nBob"), ..composed };
    assert!(world.store.append(same).await.unwrap().duplicate, "line ends are the same after normalisation");
}

/// An earlier version stored blank lines at the ends of a message. A client without an answer sends the message again,
/// under the same id, after the server was upgraded.
async fn a_text_that_was_kept_by_older_rules_is_repeated_by_todays(world: World) {
    let new_message = world.new_message(world.ana, "\n\nhola\n");
    let World { group, ana, .. } = world;
    let row = format!(
        "insert into group_chat (id, user_id, group_id, message) values ('{}', '{ana}', '{group}', '\n\nhola\n')",
        new_message.id
    );
    world.foreign().await.run(&row).await;
    let answer = world.store.append(new_message.clone()).await.unwrap();
    assert!(answer.duplicate);
    assert_eq!(answer.message.content.body, "\n\nhola\n", "the row stays as it is");
    let other = NewMessage { content: text("hola\n\nBob"), ..new_message };
    assert!(matches!(world.store.append(other).await, Err(StoreError::Conflict)));
}

async fn a_stranger_can_neither_write_nor_read_nor_use_up_a_seq(world: World) {
    let eva = person(&world.store, "Eva").await;
    let before = world.say(world.ana, "uno").await.seq;
    assert!(matches!(world.store.append(world.new_message(eva, "hola")).await, Err(StoreError::NotFound)));
    assert!(world.store.replay(world.group, eva, 0, REPLAY_PAGE_BYTES).await.unwrap().is_none());
    assert!(world.store.history(world.group, eva, Anchor::End, 50).await.unwrap().is_none());
    assert!(matches!(world.store.mark_read(world.group, eva, 1).await, Err(StoreError::NotFound)));
    assert_eq!(world.say(world.ana, "dos").await.seq, before + 1);
    let nowhere = NewMessage { group_id: GroupId::new(Uuid::new_v4()), ..world.new_message(world.ana, "hola") };
    assert!(matches!(world.store.append(nowhere).await, Err(StoreError::NotFound)));
}

async fn seqs_have_no_hole_and_a_sender_keeps_the_order(world: World) {
    let sends = (0..300).map(|number| {
        let author = if number % 2 == 0 { world.ana } else { world.bob };
        world.store.append(world.new_message(author, &number.to_string()))
    });
    let stored: Vec<Message> = join_all(sends).await.into_iter().map(|send| send.unwrap().message).collect();
    assert!(stored.is_sorted_by_key(|message| message.seq));
    let events = world.log().await;
    assert_eq!(seqs(&events), (1..=events.len() as u64).collect::<Vec<_>>());
    let texts: Vec<&str> = events.iter().filter_map(text_of).collect();
    assert_eq!(texts, (0..300).map(|number| number.to_string()).collect::<Vec<_>>());
}

async fn an_answer_needs_a_message_of_the_same_group(world: World) {
    let question = world.say(world.bob, "¿Hoy?").await;
    let answer = NewMessage { content: answer_to(question.id, "Sí"), ..world.new_message(world.ana, "Sí") };
    assert_eq!(world.store.append(answer).await.unwrap().message.content.reply_to, Some(question.id));
    let other_group = GroupId::new(Uuid::new_v4());
    world.store.create_group(other_group, world.ana, "Cusco", None).await.unwrap();
    let misplaced = NewMessage {
        content: answer_to(question.id, "Sí"),
        group_id: other_group,
        ..world.new_message(world.ana, "Sí")
    };
    assert!(matches!(world.store.append(misplaced).await, Err(StoreError::NotFound)));
}

async fn a_replay_shows_the_present_and_never_a_deleted_text(world: World) {
    let edited = world.say(world.ana, "antes").await;
    let deleted = world.say(world.ana, "secreto").await;
    let body = MessageBody::parse("después").unwrap();
    let change = world.store.edit(world.ana, edited.id, body.clone()).await.unwrap();
    assert_eq!((change.message.content.body.as_str(), change.message.seq), ("después", edited.seq));
    assert_eq!((change.seq, change.is_new), (deleted.seq + 1, true));
    let again = world.store.edit(world.ana, edited.id, body.clone()).await.unwrap();
    assert_eq!((again.seq, again.is_new), (deleted.seq + 1, false), "the same text is no change");
    let deletion = world.store.delete(world.ana, deleted.id).await.unwrap();
    assert_eq!((deletion.seq, deletion.is_new), (deleted.seq + 2, true));
    let again = world.store.delete(world.ana, deleted.id).await.unwrap();
    assert_eq!((again.seq, again.is_new, again.message.content.body.as_str()), (deleted.seq + 2, false, ""));
    assert!(matches!(world.store.edit(world.ana, deleted.id, body).await, Err(StoreError::Gone)));

    let events = world.log().await;
    assert!(events.iter().filter_map(text_of).all(|text| text != "secreto" && text != "antes"));
    let kinds: Vec<&str> = events.iter().map(Event::kind).collect();
    assert_eq!(kinds[kinds.len() - 4..], ["new_message", "new_message", "message_edited", "message_deleted"]);
    let Event::NewMessage(shown) = &events[events.len() - 4] else { panic!() };
    assert!(shown.edited_at.is_some() && shown.content.body == "después");
    let Event::NewMessage(shown) = &events[events.len() - 3] else { panic!() };
    assert!(!shown.status && shown.content.body.is_empty());
    let again = world.store.stored(deleted.id).await.unwrap().unwrap();
    assert_eq!(again.content.body, "");
}

async fn only_authors_edit_and_only_authors_and_managers_delete(world: World) {
    let of_bob = world.say(world.bob, "mío").await;
    let of_ana = world.say(world.ana, "mío").await;
    let body = MessageBody::parse("tuyo").unwrap();
    assert!(matches!(world.store.edit(world.ana, of_bob.id, body.clone()).await, Err(StoreError::Forbidden)));
    assert!(matches!(world.store.delete(world.bob, of_ana.id).await, Err(StoreError::Forbidden)));
    let eva = person(&world.store, "Eva").await;
    assert!(matches!(world.store.edit(eva, of_bob.id, body).await, Err(StoreError::NotFound)));
    world.store.delete(world.ana, of_bob.id).await.unwrap();
}

async fn read_marks_never_go_back_and_never_beyond_the_head(world: World) {
    let head = world.say(world.ana, "hola").await.seq;
    assert_eq!(world.store.mark_read(world.group, world.bob, 2).await.unwrap(), 2);
    assert_eq!(world.store.mark_read(world.group, world.bob, 1).await.unwrap(), 2);
    assert_eq!(world.store.mark_read(world.group, world.bob, 1_000).await.unwrap(), head);
    let state = world.store.group_state(world.group).await.unwrap().unwrap();
    assert_eq!((state.reads.get(&world.bob), state.head), (Some(&head), head));
    assert_eq!(state.members, [world.ana, world.bob].into());
}

async fn history_pages_know_what_lies_on_either_side(world: World) {
    let sends = (0..20).map(|number| world.store.append(world.new_message(world.ana, &number.to_string())));
    let first = join_all(sends).await.into_iter().next().unwrap().unwrap().message.seq;
    let last = first + 19;
    let expectations = [
        (Anchor::End, last - 4, last, true, false),
        (Anchor::Before(first + 5), first, first + 4, false, true),
        (Anchor::After(last - 5), last - 4, last, true, false),
        (Anchor::After(0), first, first + 4, false, true),
        (Anchor::Around(first + 10), first + 8, first + 12, true, true),
    ];
    for (anchor, from, to, before, after) in expectations {
        let page = world.store.history(world.group, world.bob, anchor, 5).await.unwrap().unwrap();
        let found: Vec<Seq> = page.messages.iter().map(|message| message.seq).collect();
        assert_eq!(found, (from..=to).collect::<Vec<_>>(), "{anchor:?}");
        assert_eq!((page.has_more_before, page.has_more_after, page.head), (before, after, last), "{anchor:?}");
    }
}

async fn rows_of_other_programs_take_their_place_in_the_log(world: World) {
    let own = world.say(world.ana, "nuestro").await;
    let mut hints = world.store.take_hints().unwrap();
    let mut foreign = world.foreign().await;
    if matches!(foreign, Foreign::Postgres(_)) {
        // This hint says that the store listens now.
        assert_eq!(hints.next().await, Some(Hint::Anything));
    }
    for text in ["uno", "dos"] {
        foreign.says(world.bob, world.group, &[text.to_owned()]).await;
    }
    foreign.run("update group_chat set message = 'tres' where message = 'dos'").await;
    foreign.run("delete from group_chat where message = 'uno'").await;
    let names_the_group = async {
        loop {
            match (hints.next().await.unwrap(), &foreign) {
                (Hint::Groups(groups), _) if groups.contains(&world.group) => return,
                // SQLite can not tell which group has changed.
                (Hint::Anything, Foreign::Sqlite(_)) => return,
                (Hint::Groups(_) | Hint::Anything, _) => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), names_the_group).await.expect("nothing was said of it");

    let events = world.log().await;
    let new = &events[events.len() - 4..];
    assert_eq!(seqs(new), (own.seq + 1..=own.seq + 4).collect::<Vec<_>>());
    let kinds: Vec<&str> = new.iter().map(Event::kind).collect();
    assert_eq!(kinds, ["new_message", "new_message", "message_edited", "message_deleted"]);
    assert_eq!(new.iter().filter_map(text_of).collect::<Vec<_>>(), ["", "tres", "tres", ""]);
}

/// The list of groups, one group, and its members must also work while the unreadable row is the last message.
async fn a_row_that_can_not_be_read_blocks_nothing(world: World) {
    let mut foreign = world.foreign().await;
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
        foreign.run(&statement.replace("{group}", &world.group.to_string())).await;
        let listed = world.store.groups(world.ana).await.unwrap();
        let seen = world.store.membership(world.group, world.ana).await.unwrap();
        assert_eq!((listed.len(), &listed[0].id), (1, &world.group));
        assert_eq!(seen.as_ref(), listed.first());
        let members = world.store.members(world.group, world.ana).await.unwrap().unwrap();
        assert_eq!(members.len(), 2);
    }
    let invited = world.store.invite([7; 32], 0).await.unwrap();
    let known = (world.store.user(world.ana).await.unwrap().unwrap(), world.store.belongings(world.ana).await.unwrap());
    if matches!(foreign, Foreign::Sqlite(_)) {
        let group = world.store.group(world.group, world.ana).await.unwrap().unwrap();
        assert_eq!((invited.name.as_str(), invited.invited_by.as_deref()), ("\u{fffd}B", Some("\u{fffd}A")));
        assert_eq!((known.0.display_name, known.1.memberships[0].name.as_str()), ("\u{fffd}A".into(), "\u{fffd}B"));
        assert_eq!(group.last_message.map(|last| last.content.body).as_deref(), Some("3.5"));
    }
    world.say(world.ana, "después").await;
    let events = world.log().await;
    assert_eq!(seqs(&events), (1..=events.len() as u64).collect::<Vec<_>>());
    let page = world.store.history(world.group, world.ana, Anchor::End, 50).await.unwrap().unwrap();
    assert_eq!(page.messages.last().map(|message| message.content.body.as_str()), Some("después"));
}

async fn what_was_acknowledged_is_there_after_the_database_is_opened_again(world: World) {
    let World { store, database, _folder, group, ana, .. } = world;
    let new_message = NewMessage {
        id: MessageId::new(Uuid::now_v7()),
        user_id: ana,
        group_id: group,
        content: Content::text(MessageBody::parse("hola").unwrap()),
        created_at: Timestamp::from_unix_micros(1),
    };
    let stored = store.append(new_message.clone()).await.unwrap().message;
    let epoch = store.group_state(group).await.unwrap().unwrap().epoch;
    store.close().await;
    assert!(matches!(store.append(new_message.clone()).await, Err(StoreError::Closed)));
    drop(store);
    let store = database.open().await;
    assert_eq!(store.append(new_message).await.unwrap().message, stored);
    assert_eq!(store.group_state(group).await.unwrap().unwrap().epoch, epoch);
}

async fn a_page_of_the_log_is_bounded(world: World) {
    let long = "ñ".repeat(4_000);
    join_all((0..520).map(|_| world.store.append(world.new_message(world.ana, &long)))).await;
    let page = world.store.replay(world.group, world.ana, 0, REPLAY_PAGE_BYTES).await.unwrap().unwrap();
    let bytes: usize = page.events.iter().filter_map(text_of).map(str::len).sum();
    assert!(page.events.len() < 500 && bytes <= 1024 * 1024, "{} events, {bytes} bytes", page.events.len());
    let all = world.log().await;
    assert_eq!(all.len(), 522);
    assert_eq!(seqs(&all).into_iter().collect::<BTreeSet<_>>().len(), 522);
}
