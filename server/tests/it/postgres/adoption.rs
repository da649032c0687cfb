//! Adopting existing tables that have more columns and have rows.

use caravana_postgres::{MigrateError, migrate};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{group, head, run, user};
use crate::support::postgres::TestDatabase;

/// Tables that a host could have: more columns, other names, rows with nulls.
pub(super) const HOST: &str = "
    create table public.users (
        id uuid primary key, email text not null, full_name text, avatar text, created_at timestamptz default now());
    create table public.groups (id uuid primary key default gen_random_uuid(), title varchar(80) not null, trip_id bigint);
    create table public.group_chat (
        id uuid primary key default gen_random_uuid(),
        created_at timestamptz default now(),
        user_id uuid references public.users (id),
        group_id uuid references public.groups (id),
        message text not null,
        status boolean default true,
        attachment jsonb default '{}',
        pinned boolean not null default false
    );
    insert into public.users (id, email, full_name)
    values ('00000000-0000-0000-0000-0000000000a1', 'ana@example.org', 'Ana López'),
           ('00000000-0000-0000-0000-0000000000a2', 'bob@example.org', '  '),
           ('00000000-0000-0000-0000-0000000000a3', 'eva@example.org', null);
    insert into public.groups (id, title)
    select ('00000000-0000-0000-0000-00000000000' || i)::uuid, 'Viaje ' || i from generate_series(1, 4) i;
";

/// 20,000 rows in three groups. They are not in time order, and some have no group, author, time or status.
const OLD_ROWS: &str = "
    insert into public.group_chat (id, created_at, user_id, group_id, message, status)
    select md5('row' || i)::uuid,
        case when i % 100 = 7 then null else timestamptz '2024-01-01' + (i * 7919 % 20000) * interval '1 minute' end,
        case when i % 50 = 3 then null else ('00000000-0000-0000-0000-0000000000a' || 1 + i % 2)::uuid end,
        case when i % 40 = 9 then null else ('00000000-0000-0000-0000-00000000000' || 1 + i % 3)::uuid end,
        'old ' || i, case when i % 10 = 0 then null else i % 11 <> 0 end
    from generate_series(1, 20000) i;
";

/// Counts rows whose seq is not the one that the contract requires.
const MISPLACED: &str = "
    select count(*) from (
        select c.id, row_number() over (partition by c.group_id order by c.created_at, c.id) as expected
        from public.group_chat c where c.group_id is not null and c.message like 'old %'
    ) c left join caravana.event e on e.message_id = c.id
    where e.seq is distinct from c.expected or e.kind is distinct from 'new_message'";

pub(super) async fn host() -> TestDatabase {
    let database = TestDatabase::empty().await;
    run(&mut database.connect().await, HOST).await;
    database
}

async fn count(connection: &mut PgConnection, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn old_rows_get_their_places_by_time_once_and_nothing_of_theirs_changes() {
    let database = host().await;
    let mut connection = database.connect().await;
    run(&mut connection, OLD_ROWS).await;
    let before: String = sqlx::query_scalar("select md5(string_agg(c::text, '' order by id)) from group_chat c")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let report = migrate(&database.options()).await.unwrap();
    assert_eq!(report.backfilled, 19_500);
    assert_eq!(count(&mut connection, MISPLACED).await, 0);
    let heads = count(&mut connection, "select sum(head)::bigint from caravana.head").await;
    assert_eq!(heads, 19_500, "no other event than the rows'");
    let after: String = sqlx::query_scalar("select md5(string_agg(c::text, '' order by id)) from group_chat c")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(before, after);
    let again = migrate(&database.options()).await.unwrap();
    assert_eq!((again.applied, again.backfilled), (vec![], 0));
    run(
        &mut connection,
        "insert into group_chat (group_id, message) values ('00000000-0000-0000-0000-000000000001', 'new')",
    )
    .await;
    assert_eq!(count(&mut connection, "select sum(head)::bigint from caravana.head").await, heads + 1);
}

#[tokio::test]
async fn authors_become_members_and_the_earliest_owns_the_group() {
    let database = host().await;
    let mut connection = database.connect().await;
    run(&mut connection, OLD_ROWS).await;
    migrate(&database.options()).await.unwrap();
    let members: Vec<(Uuid, Uuid, String)> =
        sqlx::query_as("select group_id, user_id, role from caravana.member order by group_id, user_id")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(members.len(), 6, "two authors in three groups, nobody in the fourth: {members:?}");
    for (group, user, role) in members {
        let first: Uuid = sqlx::query_scalar(
            "select user_id from group_chat where group_id = $1 and user_id is not null order by created_at, id limit 1",
        )
        .bind(group)
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert_eq!(role == "owner", user == first);
    }
}

#[tokio::test]
async fn names_are_taken_from_the_host_s_columns_and_what_can_not_be_filled_is_off() {
    let database = host().await;
    let report = migrate(&database.options()).await.unwrap();
    assert_eq!(report.sign_up_off.as_deref(), Some("users requires email, which nobody here can fill"));
    assert_eq!(report.groups_off, None);
    let mut connection = database.connect().await;
    let names: Vec<String> = sqlx::query_scalar("select display_name from caravana.user_name order by id")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(names, ["Ana López", "Viajero", "Viajero"]);
    let added: bool = sqlx::query_scalar("select caravana.add_user(gen_random_uuid(), 'Zoe')")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(!added);
    run(&mut connection, "select caravana.rename_group('00000000-0000-0000-0000-000000000001', 'Oaxaca')").await;
    assert_eq!(head(&mut connection, group(1)).await, 1, "a group_updated");
    // The host may still change its own table. The next start uses the new columns.
    run(&mut connection, "alter table users drop column full_name; alter table users add name text default 'Nadie'")
        .await;
    run(&mut connection, "update groups set trip_id = 7; alter table groups rename column title to label").await;
    run(&mut connection, "update groups set label = 'Otra'").await;
    let report = migrate(&database.options()).await.unwrap();
    assert_eq!(report.groups_off.as_deref(), Some("groups has no column for names"));
    let name: String = sqlx::query_scalar("select display_name from caravana.user_name limit 1")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(name, "Nadie");
}

#[tokio::test]
async fn tables_that_are_not_the_seed_s_are_refused_and_left_as_they_are() {
    for (change, words) in [
        ("alter table group_chat drop column status", "no column status"),
        ("alter table group_chat alter column created_at type timestamp", "created_at is timestamp"),
        ("alter table group_chat add room integer not null", "requires room"),
        ("alter table group_chat drop constraint group_chat_pkey", "neither its primary key"),
    ] {
        let database = host().await;
        let mut connection = database.connect().await;
        run(&mut connection, change).await;
        let refused = migrate(&database.options()).await.unwrap_err();
        assert!(
            matches!(&refused, MigrateError::Table { table: "group_chat", reason } if reason.contains(words)),
            "{refused}"
        );
        assert_eq!(count(&mut connection, "select count(*) from pg_namespace where nspname = 'caravana'").await, 0);
    }
}

/// A start is killed anywhere in the backfill, several times, while other programs write.
#[tokio::test]
async fn a_backfill_that_is_killed_again_and_again_while_others_write_numbers_every_row_once() {
    let database = host().await;
    let mut connection = database.connect().await;
    run(&mut connection, OLD_ROWS).await;
    let options = database.options();
    let writing = tokio::spawn({
        let mut other = database.connect().await;
        async move {
            for number in 0..300_i32 {
                sqlx::query("insert into group_chat (group_id, user_id, message) select $1, $2, 'meanwhile ' || $3 || '.' || i from generate_series(1, 3) i")
                    .bind(group(1 + u8::try_from(number % 4).unwrap()))
                    .bind(user(3))
                    .bind(number)
                    .execute(&mut other)
                    .await
                    .unwrap();
            }
        }
    });
    let mut kills = 0;
    loop {
        let start = tokio::spawn({
            let options = options.clone();
            async move { migrate(&options).await }
        });
        // Kills later each time, so that every part of the backfill is hit. The pause only chooses the moment of the
        // kill.
        let killed: i64 = loop {
            let found = count(&mut connection, "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'caravana migrate' and state <> 'idle'").await;
            if start.is_finished() {
                break 0;
            }
            if found > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(15 * (1 + kills))).await;
                break count(&mut connection, "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name = 'caravana migrate'").await;
            }
        };
        match start.await.unwrap() {
            Ok(_) => break,
            Err(_) => kills += u64::try_from(killed.min(1)).unwrap(),
        }
    }
    writing.await.unwrap();
    assert!(kills > 2, "the backfill was over before it could be killed");
    assert_eq!(count(&mut connection, "select count(*) from group_chat c where group_id is not null and not exists (select from caravana.event e where e.message_id = c.id and e.kind = 'new_message')").await, 0);
    assert_eq!(count(&mut connection, "select count(*) from (select message_id from caravana.event where kind = 'new_message' group by message_id having count(*) > 1) twice").await, 0);
    assert_eq!(count(&mut connection, "select count(*) from caravana.head h where backfilling or head <> (select count(*) from caravana.event e where e.group_id = h.group_id) or head <> (select max(seq) from caravana.event e where e.group_id = h.group_id)").await, 0);
    assert_eq!(count(&mut connection, "select count(*) from caravana.backlog").await, 0);
    // Rows of one program are in the order in which it wrote them.
    assert_eq!(count(&mut connection, "select count(*) from (select e.seq, lag(e.seq) over (partition by c.group_id order by c.created_at, split_part(c.message, ' ', 2)::numeric) as former from caravana.event e join group_chat c on c.id = e.message_id where c.message like 'meanwhile %.1') x where seq < former").await, 0);
}

#[tokio::test]
async fn a_role_that_owns_the_tables_and_is_no_superuser_can_adopt_them() {
    let database = TestDatabase::empty().await;
    let mut connection = database.connect().await;
    let role = format!("host_{}", std::process::id());
    run(&mut connection, &format!(
        "create role {role} login; grant create on database \"{}\" to {role}; grant all on schema public to {role}; create publication supabase_realtime; set role {role}; {HOST} {OLD_ROWS} reset role",
        database.options().get_database().unwrap(),
    )).await;
    let report = migrate(&database.options().username(&role)).await;
    let again = migrate(&database.options().username(&role)).await;
    let stranger = format!("stranger_{}", std::process::id());
    run(&mut connection, &format!("create role {stranger} login")).await;
    let refused = migrate(&database.options().username(&stranger)).await.unwrap_err();
    drop(connection);
    let mut connection = database.connect().await;
    run(&mut connection, &format!("drop owned by {role} cascade; drop role {role}; drop role {stranger}")).await;
    let (report, again) = (report.unwrap(), again.unwrap());
    assert_eq!((report.backfilled, again.backfilled), (19_500, 0));
    assert!(report.warnings[0].contains("supabase_realtime"), "{:?}", report.warnings);
    assert!(refused.to_string().contains("owner"), "{refused}");
}

/// The backfill does not see rows that come after it began. They wait in the backlog.
#[tokio::test]
async fn a_row_that_comes_behind_the_walk_is_numbered_when_its_group_is_closed() {
    let database = TestDatabase::migrated().await;
    let mut connection = database.connect().await;
    let write = format!("insert into group_chat (group_id, message) values ('{}', 'x')", group(1));
    run(&mut connection, &format!("insert into groups (id, name) values ('{}', 'G')", group(1))).await;
    run(
        &mut connection,
        "update caravana.adoption set finished_at = null; update caravana.head set backfilling = true",
    )
    .await;
    run(&mut connection, &write).await;
    assert_eq!(head(&mut connection, group(1)).await, 0, "an open group numbers nothing by itself");
    run(&mut connection, &format!("select caravana.backfill('{{}}', '{{}}', '{{{}}}')", group(1))).await;
    assert_eq!(head(&mut connection, group(1)).await, 1);
    run(&mut connection, &write).await;
    assert_eq!(head(&mut connection, group(1)).await, 2, "a closed one does");
}
