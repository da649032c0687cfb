//! Conversations of two and blocks where only PostgreSQL can break them: when a block meets a write,
//! and in the tables of a host.

use caravana_postgres::migrate;
use caravana_protocol::rest::NewGroup;
use caravana_protocol::{Content, Emoji, GroupId, MessageBody, MessageId, UserId};
use caravana_store::{NewAccount, NewInvite, NewMessage, SharedStore, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

use super::adoption::host;
use super::promises::becomes;
use super::run;
use crate::support::database::Database;
use crate::support::postgres::TestDatabase;

/// How many statements wait for a lock.
const WAITING: &str =
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

/// Ana and Bob, and their conversation, in which Bob has written once.
struct Pair {
    store: SharedStore,
    _database: Database,
    ana: UserId,
    bob: UserId,
    group: GroupId,
    said: MessageId,
    /// Two connections of other programs.
    other: PgConnection,
    watcher: PgConnection,
}

impl Pair {
    async fn new() -> Self {
        let database = TestDatabase::migrated().await;
        let (other, watcher) = (database.connect().await, database.connect().await);
        let database = Database::Postgres(database);
        let store = database.open().await;
        let (ana, bob) = (person(&store, "Ana").await, person(&store, "Bob").await);
        let trip = GroupId::new(Uuid::new_v4());
        store.create_group(trip, ana, NewGroup::named("Oaxaca")).await.unwrap();
        let link = NewInvite { token: [7; 32], max_uses: None, created_at: 0, expires_at: i64::MAX };
        store.create_invite(ana, trip, link).await.unwrap();
        store.accept_invite([7; 32], bob, 0).await.unwrap();
        let group = store.open_direct(ana, bob, GroupId::new(Uuid::new_v4())).await.unwrap().0.id;
        let said = store.append(new_message(bob, group)).await.unwrap().message.id;
        Self { store, _database: database, ana, bob, group, said, other, watcher }
    }

    async fn waits(&mut self, number: i64) {
        becomes(&mut self.watcher, number, WAITING).await;
    }

    /// How many events come after both have joined.
    async fn has_events(&mut self, number: i64) {
        becomes(
            &mut self.watcher,
            2 + number,
            "select max(head) from caravana.head h join caravana.direct using (group_id)",
        )
        .await;
    }
}

async fn person(store: &SharedStore, name: &str) -> UserId {
    let id = UserId::new(Uuid::new_v4());
    let (email, password_hash) = (format!("{id}@example.org"), "not a hash".into());
    store.create_account(NewAccount { id, email, display_name: name.into(), password_hash }).await.unwrap().id
}

fn new_message(author: UserId, group: GroupId) -> NewMessage {
    NewMessage {
        id: MessageId::new(Uuid::now_v7()),
        user_id: author,
        group_id: group,
        content: Content::text(MessageBody::parse("¿por qué?").unwrap()),
        created_at: "2026-11-22T12:00:00Z".parse().unwrap(),
    }
}

/// The block has begun first and is not committed. Before the fix, what was written meanwhile was stored after it.
#[tokio::test]
async fn what_meets_a_block_is_not_stored_after_it() {
    let mut pair = Pair::new().await;
    let Pair { bob, group, said, .. } = pair;
    run(&mut pair.other, "begin; update caravana.direct set closed = true").await;
    let (react, pin) = (pair.store.clone(), pair.store.clone());
    let party = Emoji::parse("🎉").unwrap();
    let send = tokio::spawn(pair.store.append(new_message(bob, group)));
    let react = tokio::spawn(async move { react.react(bob, said, party, true).await });
    let pin = tokio::spawn(async move { pin.pin(bob, said, true).await });
    pair.waits(3).await;
    run(&mut pair.other, "commit").await;
    let refusals =
        [send.await.unwrap().err(), react.await.unwrap().err(), pin.await.unwrap().err()].map(Option::unwrap);
    assert!(refusals.iter().all(|refusal| matches!(refusal, StoreError::Blocked)), "{refusals:?}");
    pair.has_events(1).await;
    pair.store.close().await;
}

/// The send has begun first and waits for the log. Before the fix, the block was answered meanwhile.
#[tokio::test]
async fn a_block_waits_for_the_send_that_it_meets() {
    let mut pair = Pair::new().await;
    let Pair { ana, bob, group, .. } = pair;
    run(&mut pair.other, &format!("begin; select from caravana.head where group_id = '{group}' for update")).await;
    let send = tokio::spawn(pair.store.append(new_message(bob, group)));
    pair.waits(1).await;
    let store = pair.store.clone();
    let block = tokio::spawn(async move { store.block(ana, bob).await });
    pair.waits(2).await;
    run(&mut pair.other, "commit").await;
    block.await.unwrap().unwrap();
    send.await.unwrap().unwrap();
    pair.has_events(2).await;
    assert!(matches!(pair.store.append(new_message(bob, group)).await, Err(StoreError::Blocked)));
    pair.store.close().await;
}

/// Two authors of one group, who are people of a host.
async fn hosted(change: &str) -> (SharedStore, Database, [UserId; 2]) {
    let database = host().await;
    let mut connection = database.connect().await;
    run(&mut connection, change).await;
    for number in [1, 3, 9] {
        let (group, author) = (super::group(1), super::user(number));
        let says =
            format!("insert into group_chat (group_id, user_id, message) values ('{group}', '{author}', 'hola')");
        run(&mut connection, &says).await;
    }
    migrate(&database.options()).await.unwrap();
    let database = Database::Postgres(database);
    (database.open().await, database, [1, 3].map(|number| UserId::new(super::user(number))))
}

/// In the tables of a host, messages may be of people who are in no table any more.
const WITHOUT_ROWS: &str = "alter table group_chat drop constraint group_chat_user_id_fkey;";

#[tokio::test]
async fn people_of_a_host_have_conversations_and_block_each_other() {
    let (store, _database, [ana, bob]) = hosted(WITHOUT_ROWS).await;
    let (group, is_new) = store.open_direct(ana, bob, GroupId::new(Uuid::new_v4())).await.unwrap();
    // Bob has no name in the host's table.
    assert_eq!((is_new, group.peer_id, group.name.as_str()), (true, Some(bob), "Viajero"));
    let as_bob = store.membership(group.id, bob).await.unwrap().unwrap();
    assert_eq!(as_bob.name, "Ana López");
    store.append(new_message(bob, group.id)).await.unwrap();
    store.block(ana, bob).await.unwrap();
    assert!(matches!(store.append(new_message(bob, group.id)).await, Err(StoreError::Blocked)));
    // Nobody knows this author, but Ana can read what they wrote.
    let stranger = UserId::new(super::user(9));
    store.block(ana, stranger).await.unwrap();
    let listed = store.blocked(ana).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|user| (user.id, user.display_name.as_str())).collect();
    assert_eq!(listed, [(stranger, "Viajero"), (bob, "Viajero")]);
    assert!(matches!(store.block(ana, UserId::new(Uuid::new_v4())).await, Err(StoreError::NotFound)));
    for user in [bob, stranger] {
        store.unblock(ana, user).await.unwrap();
    }
    store.append(new_message(bob, group.id)).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn where_the_host_makes_the_groups_nobody_begins_a_conversation_and_blocks_work() {
    let change = format!(
        "{WITHOUT_ROWS} alter table groups add column owner int not null default 7; alter table groups alter owner drop default;"
    );
    let (store, _database, [ana, bob]) = hosted(&change).await;
    assert!(matches!(store.open_direct(ana, bob, GroupId::new(Uuid::new_v4())).await, Err(StoreError::Forbidden)));
    store.block(ana, bob).await.unwrap();
    assert_eq!(store.blocked(ana).await.unwrap().len(), 1);
    store.close().await;
}
