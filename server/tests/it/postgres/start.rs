//! What the server checks when it starts on a PostgreSQL: durability, whose membership counts, and whether it is the
//! same database as before.

use std::collections::BTreeSet;

use caravana_postgres::{OpenError, PostgresSettings, PostgresStore};
use caravana_protocol::limits::REPLAY_PAGE_BYTES;
use caravana_protocol::rest::NewGroup;
use caravana_protocol::{Content, GroupId, MessageBody, MessageId, Role, UserId};
use caravana_store::{Groups as _, Invites as _, Log as _, Members as _, NewInvite, NewMessage, StoreError};
use uuid::Uuid;

use crate::support::postgres::TestDatabase;

/// Changes a setting for all later connections to this database.
async fn set(database: &TestDatabase, setting: &str) {
    let set = format!("do $$ begin execute format('alter database %I set {setting}', current_database()); end $$");
    sqlx::raw_sql(sqlx::AssertSqlSafe(set)).execute(&mut database.connect().await).await.unwrap();
}

async fn run(database: &TestDatabase, statements: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut database.connect().await).await.unwrap();
}

fn settings(database: &TestDatabase) -> PostgresSettings {
    PostgresSettings::at(database.url().parse().unwrap())
}

fn new_message(author: UserId, group_id: GroupId) -> NewMessage {
    NewMessage {
        id: MessageId::new(Uuid::now_v7()),
        user_id: author,
        group_id,
        content: Content::text(MessageBody::parse("hola").unwrap()),
        created_at: "2026-11-22T12:00:00Z".parse().unwrap(),
    }
}

#[tokio::test]
async fn a_database_that_may_lose_commits_is_refused_unless_that_is_wanted() {
    let database = TestDatabase::migrated().await;
    for weaker in ["off", "local", "remote_write"] {
        set(&database, &format!("synchronous_commit = {weaker}")).await;
        let refused = PostgresStore::open(&settings(&database), false).await;
        let Err(OpenError::Unsafe { setting, value }) = refused else { panic!("{weaker} was taken") };
        assert_eq!((setting, value.as_str()), ("synchronous_commit", weaker));
    }
    let wanted = PostgresSettings { allows_unsafe_durability: true, ..settings(&database) };
    PostgresStore::open(&wanted, false).await.unwrap().close().await;
    set(&database, "synchronous_commit = on").await;
    PostgresStore::open(&settings(&database), false).await.unwrap().close().await;
    // The tests' cluster runs without fsync, which production must refuse.
    let production = PostgresSettings { is_production: true, ..settings(&database) };
    assert!(matches!(PostgresStore::open(&production, false).await, Err(OpenError::Unsafe { setting: "fsync", .. })));
}

#[tokio::test]
async fn where_the_host_says_who_is_a_member_it_alone_is_believed_and_not_changed() {
    let database = TestDatabase::migrated().await;
    let (ana, bob, eva) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let trip = Uuid::new_v4();
    let host = format!(
        "insert into users (id, display_name) values ('{ana}', 'Ana'), ('{bob}', 'Bob'), ('{eva}', 'Eva');
         insert into groups (id, name) values ('{trip}', 'Oaxaca');
         create schema app;
         create table app.trips (trip uuid, person uuid, part text);
         insert into app.trips values ('{trip}', '{ana}', 'owner'), ('{trip}', '{bob}', null);
         create view app.trip_members as select trip as group_id, person as user_id, part as role from app.trips"
    );
    run(&database, host).await;
    let named = |view: &str| PostgresSettings { members_view: Some(view.parse().unwrap()), ..settings(&database) };
    assert!(matches!(PostgresStore::open(&named("app.trips"), false).await, Err(OpenError::MembersView(_))));
    assert!(matches!(PostgresStore::open(&named("nowhere"), false).await, Err(OpenError::MembersView(_))));
    let store = PostgresStore::open(&named("app.trip_members"), false).await.unwrap();
    let (group, ana, bob, eva) = (GroupId::new(trip), UserId::new(ana), UserId::new(bob), UserId::new(eva));

    assert_eq!(store.role(group, ana).await.unwrap(), Some(Role::Owner));
    assert_eq!(store.role(group, bob).await.unwrap(), Some(Role::Member));
    assert_eq!(store.role(group, eva).await.unwrap(), None);
    store.append(new_message(bob, group)).await.unwrap();
    assert!(matches!(store.append(new_message(eva, group)).await, Err(StoreError::NotFound)));
    assert!(store.replay(group, eva, 0, REPLAY_PAGE_BYTES).await.unwrap().is_none());
    let members: BTreeSet<UserId> =
        store.members(group, ana).await.unwrap().unwrap().into_iter().map(|member| member.user.id).collect();
    assert_eq!(members, [ana, bob].into());
    assert_eq!(store.groups(bob).await.unwrap()[0].member_count, 2);

    let invite = NewInvite { token: [1; 32], max_uses: None, created_at: 0, expires_at: i64::MAX };
    assert!(matches!(store.create_invite(ana, group, invite).await, Err(StoreError::Forbidden)));
    assert!(matches!(store.set_role(ana, group, bob, Role::Admin).await, Err(StoreError::Forbidden)));
    assert!(matches!(store.remove_member(ana, group, bob).await, Err(StoreError::Forbidden)));
    assert!(matches!(store.delete_group(ana, group).await, Err(StoreError::Forbidden)));
    let new = store.create_group(GroupId::new(Uuid::new_v4()), ana, NewGroup::named("Cusco")).await;
    assert!(matches!(new, Err(StoreError::Forbidden)));

    run(&database, format!("delete from app.trips where person = '{}'", bob.uuid())).await;
    assert!(matches!(store.append(new_message(bob, group)).await, Err(StoreError::NotFound)));
    store.close().await;
}

/// Simulates a restored dump: the rows are the same, and the tables are new.
#[tokio::test]
async fn a_restored_database_begins_new_epochs_and_an_ordinary_start_does_not() {
    let database = TestDatabase::migrated().await;
    let (ana, group) = (UserId::new(Uuid::new_v4()), GroupId::new(Uuid::new_v4()));
    run(&database, format!("insert into users (id, display_name) values ('{ana}', 'Ana')")).await;
    let start = async |new_epochs: bool| {
        let store = PostgresStore::open(&settings(&database), new_epochs).await.unwrap();
        if store.role(group, ana).await.unwrap().is_none() {
            store.create_group(group, ana, NewGroup::named("Oaxaca")).await.unwrap();
        }
        let epoch = store.group_state(group).await.unwrap().unwrap().epoch;
        store.close().await;
        epoch
    };
    let first = start(false).await;
    assert_eq!(start(false).await, first);
    let forced = start(true).await;
    assert_ne!(forced, first);
    let played_back = "create table caravana.copy (like caravana.head including all);
         insert into caravana.copy select * from caravana.head;
         drop table caravana.head;
         alter table caravana.copy rename to head";
    run(&database, played_back.into()).await;
    let after = start(false).await;
    assert_ne!(after, forced);
    assert_eq!(start(false).await, after, "once is enough");
}
