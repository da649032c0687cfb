//! Deleting an account if the host owns the table of messages, and if another server runs.

use std::time::Duration;

use caravana_protocol::rest::NewGroup;
use caravana_protocol::{Content, GroupId, MessageBody, MessageId, Timestamp, UserId};
use caravana_server::database;
use caravana_server::database::DatabaseSettings;
use caravana_store::{NewAccount, NewMessage, SharedStore, StoreError};
use sqlx::PgConnection;
use tokio::time::timeout;
use uuid::Uuid;

use super::{group, run, user};
use crate::support::postgres::TestDatabase;

/// A database with two users who have written one message each.
async fn two() -> (TestDatabase, PgConnection, SharedStore) {
    let database = TestDatabase::migrated().await;
    let settings = DatabaseSettings::at(database.url().parse().unwrap());
    let store = database::open(&settings, false).await.unwrap();
    for (number, name) in [(1, "ana"), (2, "eva")] {
        let (id, group_id) = (UserId::new(user(number)), GroupId::new(group(number)));
        let account = NewAccount {
            id,
            email: format!("{name}@example.org"),
            display_name: name.into(),
            password_hash: "hash".into(),
        };
        store.create_account(account).await.unwrap();
        store.create_group(group_id, id, NewGroup::named("Faro")).await.unwrap();
        let new_message = NewMessage {
            id: MessageId::new(Uuid::from_u128(number.into())),
            user_id: id,
            group_id,
            content: Content::text(MessageBody::parse(name).unwrap()),
            created_at: Timestamp::from_unix_micros(0),
        };
        store.append(new_message).await.unwrap();
    }
    let connection = database.connect().await;
    (database, connection, store)
}

async fn ends(store: &SharedStore, number: u8) -> Result<(), StoreError> {
    store.delete_account(UserId::new(user(number)), "hash").await
}

async fn named(connection: &mut PgConnection) -> Vec<String> {
    let named = "select message from group_chat where user_id is not null order by message";
    sqlx::query_scalar(named).fetch_all(connection).await.unwrap()
}

/// Regression: a host's table had `user_id uuid not null`. The answer was 204, but the name stayed on the messages for
/// ever, also the names of all accounts that were deleted later.
#[tokio::test]
async fn where_messages_need_an_author_no_account_ends() {
    let (_database, mut connection, store) = two().await;
    run(&mut connection, "alter table group_chat alter user_id set not null").await;
    assert!(matches!(ends(&store, 1).await, Err(StoreError::Forbidden)));
    assert!(store.account("ana@example.org").await.unwrap().is_some(), "nothing has changed");
    run(&mut connection, "alter table group_chat alter user_id drop not null").await;
    ends(&store, 1).await.unwrap();
    while store.forget_authors(5).await.unwrap() {}
    assert_eq!(named(&mut connection).await, ["eva"]);
}

#[tokio::test]
async fn an_account_that_can_not_be_removed_delays_no_other() {
    let (_database, mut connection, store) = two().await;
    ends(&store, 1).await.unwrap();
    ends(&store, 2).await.unwrap();
    let keeps = "alter table group_chat add constraint keeps check (user_id is not null or message <> 'ana') not valid";
    run(&mut connection, keeps).await;
    let failed = loop {
        match store.forget_authors(5).await {
            Ok(true) => {}
            other => break other,
        }
    };
    assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
    assert_eq!(named(&mut connection).await, ["ana"]);
    run(&mut connection, "alter table group_chat drop constraint keeps").await;
    while store.forget_authors(5).await.unwrap() {}
    assert_eq!(named(&mut connection).await, Vec::<String>::new());
}

/// Regression: while another server was removing the only deleted account, this server found nothing to do and answered
/// that nothing was left.
#[tokio::test]
async fn a_server_waits_for_an_account_that_another_is_removing() {
    let (database, mut connection, store) = two().await;
    ends(&store, 1).await.unwrap();
    run(&mut connection, "begin; select from caravana.ended for update").await;
    let forgetting = tokio::spawn({
        let store = store.clone();
        async move { store.forget_authors(5).await }
    });
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let mut looking = database.connect().await;
    let waits = async {
        loop {
            let waiting: i64 = sqlx::query_scalar(waits).fetch_one(&mut looking).await.unwrap();
            assert!(!forgetting.is_finished(), "it did not wait");
            if waiting > 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), waits).await.unwrap();
    run(&mut connection, "delete from caravana.ended; commit").await;
    assert!(!forgetting.await.unwrap().unwrap(), "the other one has done it");
}
