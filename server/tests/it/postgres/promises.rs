//! Promises of the adapter that only PostgreSQL can break: at start, while it listens, and when a send meets a removal.

use std::time::Duration;

use caravana_postgres::{OpenError, PostgresSettings, PostgresStore};
use caravana_protocol::rest::NewGroup;
use caravana_protocol::{Content, GroupId, MessageBody, MessageId, UserId};
use caravana_store::{Hint, Hints, NewAccount, NewMessage, SharedStore, StoreError};
use sqlx::PgConnection;
use tokio::time::timeout;
use uuid::Uuid;

use super::run;
use crate::support::database::Database;
use crate::support::postgres::TestDatabase;

/// Much longer than any step takes here, and shorter than any periodic check that would find it too.
const SOON: Duration = Duration::from_secs(10);

async fn ana_in_oaxaca(store: &SharedStore) -> (UserId, GroupId) {
    let ana = UserId::new(Uuid::new_v4());
    let account = NewAccount {
        id: ana,
        email: format!("{ana}@example.org"),
        display_name: "Ana".into(),
        password_hash: "not a hash".into(),
    };
    store.create_account(account).await.unwrap();
    let group = GroupId::new(Uuid::new_v4());
    store.create_group(group, ana, NewGroup::named("Oaxaca")).await.unwrap();
    (ana, group)
}

/// Repeats the query until it returns this number.
pub(super) async fn becomes(connection: &mut PgConnection, number: i64, query: &'static str) {
    let asking = async {
        while sqlx::query_scalar::<_, i64>(query).fetch_one(&mut *connection).await.unwrap() != number {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, asking).await.unwrap_or_else(|_| panic!("is not {number}: {query}"));
}

#[tokio::test]
async fn a_database_that_can_lose_commits_is_used_only_where_that_is_allowed() {
    let database = TestDatabase::migrated().await;
    let mut owner = database.connect().await;
    let name = database.options().get_database().unwrap().to_owned();
    for weak in ["off", "local", "remote_write"] {
        run(&mut owner, &format!("alter database {name} set synchronous_commit = {weak}")).await;
        let mut settings = PostgresSettings::at(database.url().parse().unwrap());
        match PostgresStore::open(&settings, false).await {
            Err(OpenError::Unsafe { setting, value }) => {
                assert_eq!((setting, value.as_str()), ("synchronous_commit", weak));
            }
            Err(other) => panic!("{weak}: {other:?}"),
            Ok(_) => panic!("{weak} is good enough"),
        }
        settings.allows_unsafe_durability = true;
        PostgresStore::open(&settings, false).await.unwrap().close().await;
    }
}

#[tokio::test]
async fn a_copy_of_the_database_begins_new_epochs_once() {
    let original = Database::Postgres(TestDatabase::migrated().await);
    let store = original.open().await;
    let (_, group) = ana_in_oaxaca(&store).await;
    let before = store.group_state(group).await.unwrap().unwrap().epoch;
    store.close().await;
    drop(store);
    let Database::Postgres(left) = &original else { panic!() };
    let copy = Database::Postgres(left.copied().await);
    let mut epochs = Vec::new();
    for database in [&copy, &copy, &original] {
        let store = database.open().await;
        epochs.push(store.group_state(group).await.unwrap().unwrap().epoch);
        store.close().await;
    }
    assert_ne!(epochs[0], before, "who has seen the original would go on at other messages");
    assert_eq!(epochs[1], epochs[0], "once is enough");
    assert_eq!(epochs[2], before, "the original is what it was");
}

async fn next(hints: &mut Hints) -> Option<Hint> {
    timeout(SOON, hints.next()).await.expect("nobody says anything")
}

/// A commit while no listener is connected leaves no notification.
#[tokio::test]
async fn a_listener_that_reconnects_looks_at_everything() {
    let database = TestDatabase::migrated().await;
    let mut owner = database.connect().await;
    let database = Database::Postgres(database);
    let store = database.open().await;
    let mut hints = store.hints();
    for _ in 0..3 {
        // This hint says that it listens now. Before that the listener can not be ended.
        assert_eq!(next(&mut hints).await, Some(Hint::Anything));
        let ended = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                     where datname = current_database() and query ilike 'listen%'";
        becomes(&mut owner, 1, ended).await;
    }
    assert_eq!(next(&mut hints).await, Some(Hint::Anything));
    store.close().await;
}

/// The removal has begun first and is not committed. The send has to wait for it, and must not be stored after it.
#[tokio::test]
async fn a_send_that_meets_a_removal_is_not_stored_after_it() {
    let database = TestDatabase::migrated().await;
    let (mut other, mut watcher) = (database.connect().await, database.connect().await);
    let database = Database::Postgres(database);
    let store = database.open().await;
    let (ana, group) = ana_in_oaxaca(&store).await;
    let new_message = NewMessage {
        id: MessageId::new(Uuid::now_v7()),
        user_id: ana,
        group_id: group,
        content: Content::text(MessageBody::parse("¿sigo aquí?").unwrap()),
        created_at: "2026-11-22T12:00:00Z".parse().unwrap(),
    };
    run(&mut other, &format!("begin; delete from caravana.member where group_id = '{group}'")).await;
    let send = tokio::spawn(store.append(new_message));
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    becomes(&mut watcher, 1, waiting).await;
    run(&mut other, "commit").await;
    assert!(matches!(send.await.unwrap(), Err(StoreError::NotFound)));
    // No message of the user may come after the event that the user left.
    becomes(&mut watcher, 0, "select count(*) from caravana.event where kind = 'new_message'").await;
    store.close().await;
}
