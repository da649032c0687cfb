//! Rows that any program writes, and their seqs.

use std::time::{Duration, Instant};

use sqlx::postgres::PgListener;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::{group, head, run, user};
use crate::support::postgres::TestDatabase;

const PEOPLE: &str = "
    insert into users (id, display_name) values ('00000000-0000-0000-0000-0000000000a1', 'Ana'), ('00000000-0000-0000-0000-0000000000a2', 'Bob');
    insert into groups (id, name) select ('00000000-0000-0000-0000-0000000000' || lpad(i::text, 2, '0'))::uuid, 'G' from generate_series(1, 9) i;
";

async fn trip() -> (TestDatabase, PgConnection) {
    let database = TestDatabase::migrated().await;
    let mut connection = database.connect().await;
    run(&mut connection, PEOPLE).await;
    (database, connection)
}

async fn log(connection: &mut PgConnection, group: Uuid) -> Vec<String> {
    let rows: Vec<(i64, String, Option<String>)> = sqlx::query_as(
        "select e.seq, e.kind, coalesce(c.message, e.payload ->> 'role') from caravana.event e \
         left join group_chat c on c.id = e.message_id and c.group_id = e.group_id where e.group_id = $1 order by e.seq",
    )
    .bind(group)
    .fetch_all(connection)
    .await
    .unwrap();
    rows.into_iter()
        .map(|(seq, kind, what)| format!("{seq} {kind} {}", what.unwrap_or_default()).trim().to_owned())
        .collect()
}

#[tokio::test]
async fn eight_programs_write_at_once_and_the_seqs_are_the_order_of_the_commits() {
    let (database, mut connection) = trip().await;
    run(&mut connection, "create table seen (at bigserial, group_id uuid, head bigint)").await;
    let writers = (0..8_i32).map(|writer| {
        let options = database.options();
        tokio::spawn(async move {
            let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
            for number in 0..60 {
                let mut tx = connection.begin().await.unwrap();
                sqlx::query("insert into group_chat (group_id, user_id, message) values ($1, $2, $3)")
                    .bind(group(1 + u8::try_from(number % 2).unwrap()))
                    .bind(user(1))
                    .bind(format!("{writer}.{number}"))
                    .execute(&mut *tx)
                    .await
                    .unwrap();
                // Inside the transaction that holds the head's lock: no other writer can come between this statement
                // and the commit.
                sqlx::query(
                    "insert into seen (group_id, head) select group_id, head from caravana.head where group_id = $1",
                )
                .bind(group(1 + u8::try_from(number % 2).unwrap()))
                .execute(&mut *tx)
                .await
                .unwrap();
                if number % 7 == 3 { tx.rollback().await.unwrap() } else { tx.commit().await.unwrap() }
            }
        })
    });
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    for number in [1, 2] {
        let seqs: Vec<i64> = sqlx::query_scalar("select seq from caravana.event where group_id = $1 order by seq")
            .bind(group(number))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let expected = head(&mut connection, group(number)).await;
        assert_eq!(seqs, (1..=expected).collect::<Vec<_>>(), "without a hole, and a rollback uses none");
        let seen: Vec<i64> = sqlx::query_scalar("select head from seen where group_id = $1 order by at")
            .bind(group(number))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert_eq!(seen, seqs, "the order of the commits");
    }
    let total: i64 =
        sqlx::query_scalar("select count(*) from caravana.event").fetch_one(&mut connection).await.unwrap();
    assert_eq!(total, 8 * 51);
}

#[tokio::test]
async fn a_hundred_thousand_rows_of_one_statement_keep_their_order_and_move_each_head_once() {
    let (database, mut connection) = trip().await;
    let mut listener =
        PgListener::connect_with(&sqlx::PgPool::connect_with(database.options()).await.unwrap()).await.unwrap();
    listener.listen("caravana").await.unwrap();
    let start = Instant::now();
    run(
        &mut connection,
        "insert into group_chat (group_id, user_id, message) \
         select ('00000000-0000-0000-0000-00000000000' || 1 + i % 9)::uuid, '00000000-0000-0000-0000-0000000000a1', i::text \
         from generate_series(1, 100000) i",
    )
    .await;
    assert!(start.elapsed() < Duration::from_mins(1), "{:?}", start.elapsed());
    let disordered: i64 = sqlx::query_scalar(
        "select count(*) from (select c.message::int as i, lag(c.message::int) over (partition by e.group_id order by e.seq) as former \
         from caravana.event e join group_chat c on c.id = e.message_id) x where i < former",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(disordered, 0);
    assert_eq!(head(&mut connection, group(2)).await, 11_112);
    let mut hints = Vec::new();
    for _ in 0..9 {
        hints.push(listener.recv().await.unwrap().payload().to_owned());
    }
    run(&mut connection, "select pg_notify('caravana', 'the end')").await;
    assert_eq!(listener.recv().await.unwrap().payload(), "the end", "one hint for each group and no more");
    assert_eq!(hints.len(), 9);
    let start = Instant::now();
    run(&mut connection, "update group_chat set message = message || '!' where message like '1%'; update group_chat set message = message || '?'").await;
    assert!(start.elapsed() < Duration::from_mins(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn statements_that_name_their_groups_in_opposite_orders_do_not_wait_for_each_other() {
    let (database, mut connection) = trip().await;
    let writers = (0..6_u8).map(|writer| {
        let options = database.options();
        tokio::spawn(async move {
            let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
            // The planner may join the heads in any order: here one plan reads them by id, the other in the order of a
            // hash table.
            let (plan, groups): (_, Vec<Uuid>) = if writer % 2 == 0 {
                ("set enable_hashjoin = off; set enable_nestloop = off", (1..=9).map(group).collect())
            } else {
                (
                    "set enable_hashjoin = off; set enable_mergejoin = off; set enable_seqscan = off",
                    (1..=9).rev().map(group).collect(),
                )
            };
            run(&mut connection, plan).await;
            for _ in 0..40 {
                sqlx::query("insert into group_chat (group_id, message) select g, 'x' from unnest($1::uuid[]) g")
                    .bind(&groups)
                    .execute(&mut connection)
                    .await
                    .expect("a deadlock");
            }
        })
    });
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(head(&mut connection, group(9)).await, 240);
}

#[tokio::test]
async fn every_kind_of_change_has_its_event_and_what_is_no_change_has_none() {
    let (_database, mut connection) = trip().await;
    let a = "00000000-0000-0000-0000-00000000000a";
    let one = format!("where id = '{a}'");
    run(&mut connection, &format!("insert into group_chat (id, group_id, message, status, created_at, user_id) values ('{a}', '{}', 'a', null, null, null)", group(1))).await;
    for change in [
        format!(
            "insert into group_chat (id, group_id, message) values ('{a}', '{}', 'other') on conflict do nothing",
            group(1)
        ),
        format!("update group_chat set message = message {one}"),
        format!("update group_chat set status = true {one}"),
        format!("update group_chat set message = 'b' {one}"),
        format!("update group_chat set status = false {one}"),
        format!("update group_chat set message = 'c' {one}"),
        format!("update group_chat set status = null {one}"),
        format!(
            "insert into group_chat (id, group_id, message) values ('{a}', '{}', 'd') on conflict (id) do update set message = excluded.message",
            group(1)
        ),
        format!("update group_chat set group_id = '{}' {one}", group(2)),
        format!("update group_chat set group_id = null {one}"),
        format!("delete from group_chat {one}"),
        format!("insert into group_chat (id, group_id, message) values ('{a}', '{}', 'again')", group(1)),
        "insert into group_chat (message) values ('nowhere')".to_owned(),
        "truncate group_chat".to_owned(),
    ] {
        run(&mut connection, &change).await;
    }
    let kinds =
        |log: Vec<String>| log.into_iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>();
    assert_eq!(
        kinds(log(&mut connection, group(1)).await),
        [
            "new_message",
            "message_edited",
            "message_deleted",
            "message_edited",
            "message_edited",
            "message_deleted",
            "new_message",
            "message_deleted"
        ],
    );
    assert_eq!(kinds(log(&mut connection, group(2)).await), ["new_message", "message_deleted"]);
}

#[tokio::test]
async fn members_and_groups_have_their_events_too() {
    let (_database, mut connection) = trip().await;
    for change in [
        format!(
            "insert into caravana.member (group_id, user_id, role) values ('{0}', '{1}', 'owner'), ('{0}', '{2}', 'member')",
            group(1),
            user(1),
            user(2)
        ),
        "update caravana.member set joined_at = now()".to_owned(),
        format!("update caravana.member set role = 'admin' where user_id = '{}'", user(2)),
        "update groups set name = name".to_owned(),
        format!("update groups set name = 'Oaxaca' where id = '{}'", group(1)),
        format!("update caravana.\"group\" set members_can_invite = false where group_id = '{}'", group(1)),
        format!("delete from users where id = '{}'", user(2)),
        format!("delete from groups where id = '{}'", group(1)),
    ] {
        run(&mut connection, &change).await;
    }
    assert_eq!(
        log(&mut connection, group(1)).await,
        [
            "1 member_joined owner",
            "2 member_joined member",
            "3 member_joined admin",
            "4 group_updated",
            "5 group_updated",
            "6 member_left",
            "7 member_left"
        ],
    );
    assert_eq!(head(&mut connection, group(2)).await, 0);
}

#[tokio::test]
async fn a_row_of_a_group_that_nobody_made_gets_its_place() {
    let (_database, mut connection) = trip().await;
    run(&mut connection, "alter table group_chat drop constraint group_chat_group_id_fkey").await;
    run(
        &mut connection,
        &format!("insert into group_chat (group_id, message) values ('{0}', 'x'), ('{0}', 'y')", group(77)),
    )
    .await;
    assert_eq!(head(&mut connection, group(77)).await, 2);
}

#[tokio::test]
async fn hints_can_be_switched_off_and_many_groups_are_one_hint() {
    let (database, mut connection) = trip().await;
    let mut listener =
        PgListener::connect_with(&sqlx::PgPool::connect_with(database.options()).await.unwrap()).await.unwrap();
    listener.listen("caravana").await.unwrap();
    run(&mut connection, "alter table group_chat drop constraint group_chat_group_id_fkey").await;
    run(&mut connection, &format!("set caravana.notify = off; insert into group_chat (group_id, message) values ('{}', 'x'); reset caravana.notify", group(1))).await;
    run(
        &mut connection,
        "insert into group_chat (group_id, message) select gen_random_uuid(), 'x' from generate_series(1, 500)",
    )
    .await;
    assert_eq!(listener.recv().await.unwrap().payload(), "");
    run(&mut connection, &format!("begin; insert into group_chat (group_id, message) values ('{0}', 'x'); insert into group_chat (group_id, message) values ('{0}', 'x'); commit", group(1))).await;
    assert_eq!(listener.recv().await.unwrap().payload(), group(1).to_string());
    run(&mut connection, "select pg_notify('caravana', 'the end')").await;
    assert_eq!(listener.recv().await.unwrap().payload(), "the end");
}
