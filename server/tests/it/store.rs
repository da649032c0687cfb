//! The promises of every database adapter. Each test runs on both databases, on its own file or database.

use caravana_protocol::limits::REPLAY_PAGE_BYTES;
use caravana_protocol::rest::NewGroup;
use caravana_protocol::{Content, Event, GroupId, Message, MessageBody, MessageId, Seq, UserId};
use caravana_store::{NewAccount, NewInvite, NewMessage, SharedStore};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::database::{Database, Foreign, Kind};

/// Makes one test for each database from each line.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            use super::{Fixture, Kind};
            $(#[tokio::test] async fn $name() { super::$name(Fixture::new(Kind::Sqlite).await).await; })*
        }
        mod postgres {
            use super::{Fixture, Kind};
            $(#[tokio::test] async fn $name() { super::$name(Fixture::new(Kind::Postgres).await).await; })*
        }
    };
}

mod accounts;
mod bounds;
mod directs;
mod ends;
mod foreign;
mod log;
mod messages;

/// A database with a group of two members.
struct Fixture {
    // Declared before the folder and the database, because it uses them and fields are dropped in this order.
    store: SharedStore,
    database: Database,
    _folder: TempDir,
    group: GroupId,
    ana: UserId,
    bob: UserId,
}

impl Fixture {
    async fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(kind, folder.path().join("caravana.db")).await;
        let store = database.open().await;
        let (ana, bob) = (person(&store, "Ana").await, person(&store, "Bob").await);
        let group = GroupId::new(Uuid::new_v4());
        store.create_group(group, ana, NewGroup::named("Oaxaca")).await.unwrap();
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
        Event::MemberJoined(_)
        | Event::MemberLeft(_)
        | Event::GroupUpdated(_)
        | Event::ReactionChanged(_)
        | Event::MessagePinned(_)
        | Event::MessageUnpinned(_)
        | Event::Other(_) => None,
    }
}

fn seqs(events: &[Event]) -> Vec<Seq> {
    events.iter().map(Event::seq).collect()
}
