//! The host's own table decides who is a member, tested over the wire.

use std::time::{Duration, Instant};

use serde_json::json;
use uuid::Uuid;

use super::run;
use crate::support::database::Database;
use crate::support::postgres::TestDatabase;
use crate::support::{End, TestServer, Wire};

/// G9's limit if no hint tells of a removal, and what a busy machine may add.
const IN_TIME: Duration = Duration::from_secs(12);

#[tokio::test]
async fn whoever_the_host_removes_is_out_on_open_sockets_in_time() {
    let (database, trip) = (TestDatabase::migrated().await, Uuid::new_v4());
    let mut host = database.connect().await;
    run(&mut host, "create table public.travellers (group_id uuid, user_id uuid)").await;
    let server =
        TestServer::builder().on(Database::Postgres(database)).flag("--members-view=public.travellers").start().await;
    let (ana, bob) = (server.register("Ana").await, server.register("Bob").await);
    run(&mut host, &format!("insert into groups (id, name) values ('{trip}', 'Oaxaca')")).await;
    for person in [&ana, &bob] {
        run(&mut host, &format!("insert into travellers values ('{trip}', '{}')", person.id())).await;
    }
    let group = caravana_protocol::GroupId::new(trip);
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    of_ana.say("send_message", json!({"message": "antes"})).await;
    of_bob.expect("new_message").await;

    run(&mut host, &format!("delete from travellers where user_id = '{}'", bob.id())).await;
    let removed = Instant::now();
    assert_eq!(of_bob.expect("left").await["reason"], "removed");
    assert!(removed.elapsed() < IN_TIME, "{:?}", removed.elapsed());
    assert_eq!(of_bob.end().await, End::Code(4403));
    of_ana.say("send_message", json!({"message": "después"})).await;
    of_ana.expect("message_sent").await;
}
