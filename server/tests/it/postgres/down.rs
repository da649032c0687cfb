//! Removing Caravana from a database, and giving access to the users of a data API.

use std::process::Command;

use caravana_postgres::{examine, migrate};
use sqlx::{AssertSqlSafe, PgConnection};

use super::adoption::host;
use super::promises::becomes;
use super::{group, head, run, user};
use crate::support::postgres::{TestDatabase, programs};

const DOWN: &str = include_str!("../../../../migrations/postgres/down.sql");
const RLS: &str = include_str!("../../../../migrations/postgres/rls.sql");
/// The roles that Supabase creates. Roles belong to the whole server, so they may exist already.
const DATA_API: &str = "
    do $$ begin create role anon; exception when duplicate_object or unique_violation then null; end $$;
    do $$ begin create role authenticated; exception when duplicate_object or unique_violation then null; end $$;
    create schema auth; grant usage on schema auth to anon, authenticated;
    create function auth.uid() returns uuid language sql stable as $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
";

/// The schema as text, without the one line that is random.
fn dump(database: &TestDatabase) -> String {
    let done =
        Command::new(programs().join("pg_dump")).args(["--schema-only", "--dbname", &database.url()]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    text.lines()
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
        .collect::<Vec<_>>()
        .join("\n")
}

async fn rows(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from group_chat").fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn what_was_adopted_is_left_as_it_was() {
    let database = host().await;
    let mut connection = database.connect().await;
    run(&mut connection, DATA_API).await;
    run(&mut connection, "create publication supabase_realtime").await;
    let before = dump(&database);
    migrate(&database.options()).await.unwrap();
    run(&mut connection, RLS).await;
    let chat =
        format!("insert into group_chat (group_id, user_id, message) values ('{}', '{}', 'x')", group(1), user(1));
    run(&mut connection, &chat).await;
    assert_ne!(dump(&database), before);
    run(&mut connection, DOWN).await;
    let after = dump(&database);
    // The grants of rls.sql belong to the operator and stay.
    let after: String = after.replace("\n\n\n--\n-- Name: TABLE group_chat; Type: ACL; Schema: public; Owner: postgres\n--\n\nGRANT SELECT,INSERT ON TABLE public.group_chat TO authenticated;", "");
    assert_eq!(after, before);
    run(&mut connection, &chat).await;
    assert_eq!(rows(&mut connection).await, 2);
    // Migrate again: the rows from the meantime count as old rows.
    assert_eq!(migrate(&database.options()).await.unwrap().backfilled, 2);
}

#[tokio::test]
async fn what_caravana_made_itself_goes_if_it_is_empty_and_stays_if_it_is_not() {
    let empty = TestDatabase::empty().await;
    let before = dump(&empty);
    migrate(&empty.options()).await.unwrap();
    run(&mut empty.connect().await, DOWN).await;
    assert_eq!(dump(&empty), before);

    let used = TestDatabase::migrated().await;
    let mut connection = used.connect().await;
    run(
        &mut connection,
        "insert into users (display_name) values ('Ana'); insert into group_chat (message) values ('x')",
    )
    .await;
    run(&mut connection, DOWN).await;
    assert_eq!(rows(&mut connection).await, 1);
    let left: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    // `groups` is empty, but it stays because a remaining table refers to it.
    assert_eq!(left, ["group_chat", "groups", "users"]);
}

#[tokio::test]
async fn people_of_a_data_api_see_and_write_what_their_groups_do_and_no_more() {
    let database = TestDatabase::empty().await;
    let mut connection = database.connect().await;
    run(&mut connection, DATA_API).await;
    migrate(&database.options()).await.unwrap();
    run(
        &mut connection,
        &format!(
            "insert into users (id, display_name) values ('{0}', 'Ana'), ('{1}', 'Bob'), ('{2}', 'Eva');
         insert into groups (id, name) values ('{3}', 'Oaxaca'), ('{4}', 'Puebla');
         insert into caravana.member (group_id, user_id) values ('{3}', '{0}'), ('{3}', '{1}'), ('{4}', '{2}');
         insert into group_chat (group_id, user_id, message) values ('{3}', '{1}', 'hola'), ('{4}', '{2}', 'secreto');
         grant all on all tables in schema public to anon, authenticated",
            user(1),
            user(2),
            user(3),
            group(1),
            group(2),
        ),
    )
    .await;
    // Without rls.sql these roles can not read our tables.
    for role in ["anon", "authenticated"] {
        run(&mut connection, &format!("set role {role}")).await;
        assert_eq!(rows(&mut connection).await, 0, "{role}");
        assert!(sqlx::query("select 1 from caravana.member").execute(&mut connection).await.is_err());
        run(&mut connection, "reset role").await;
    }
    run(&mut connection, RLS).await;
    run(&mut connection, RLS).await;
    run(&mut connection, &format!("set request.jwt.claim.sub = '{}'; set role authenticated", user(1))).await;
    assert_eq!(rows(&mut connection).await, 1);
    let people: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&mut connection).await.unwrap();
    assert_eq!(people, 2);
    let write = |by, to| {
        let statement = format!(
            "insert into group_chat (group_id, user_id, message) values ('{}', '{}', 'x')",
            group(to),
            user(by)
        );
        sqlx::query(AssertSqlSafe(statement))
    };
    write(1, 1).execute(&mut connection).await.unwrap();
    assert!(write(2, 1).execute(&mut connection).await.is_err(), "as somebody else");
    assert!(write(1, 2).execute(&mut connection).await.is_err(), "into another's group");
    let done = sqlx::query("update group_chat set message = 'y'").execute(&mut connection).await.unwrap();
    assert_eq!(done.rows_affected(), 0);
    assert!(
        sqlx::query("select caravana.append(null, null, null, null, null)").execute(&mut connection).await.is_err()
    );
    run(&mut connection, "set role anon").await;
    assert_eq!(rows(&mut connection).await, 0);
    run(&mut connection, "reset role").await;
    assert_eq!(head(&mut connection, group(1)).await, 4, "two joined, two wrote");
}

/// A connection of somebody who uses the data API.
async fn of(database: &TestDatabase, number: u8, role: &str) -> PgConnection {
    let mut connection = database.connect().await;
    run(&mut connection, &format!("set request.jwt.claim.sub = '{}'; set role {role}", user(number))).await;
    connection
}

#[tokio::test]
async fn people_of_a_data_api_learn_of_no_blocks_and_write_nothing_after_one() {
    let database = TestDatabase::empty().await;
    let mut connection = database.connect().await;
    run(&mut connection, DATA_API).await;
    migrate(&database.options()).await.unwrap();
    let [ana, bob, eva, group] = [user(1), user(2), user(3), group(1)];
    run(
        &mut connection,
        &format!(
            "insert into users (id, display_name) values ('{ana}', 'Ana'), ('{bob}', 'Bob'), ('{eva}', 'Eva');
             insert into groups (id, name) values ('{group}', 'direct');
             insert into caravana.direct (group_id, low_user, high_user, opened_by) values ('{group}', '{ana}', '{bob}', '{ana}');
             insert into caravana.member (group_id, user_id) values ('{group}', '{ana}'), ('{group}', '{bob}');
             insert into caravana.block (user_id, blocked_id) values ('{eva}', '{bob}');
             grant all on all tables in schema public to anon, authenticated",
        ),
    )
    .await;
    run(&mut connection, RLS).await;
    for role in ["anon", "authenticated"] {
        let mut theirs = of(&database, 3, role).await;
        for statement in [
            "select from caravana.direct",
            "select from caravana.block",
            "update caravana.direct set closed = false",
            "delete from caravana.block",
        ] {
            assert!(sqlx::query(statement).execute(&mut theirs).await.is_err(), "{role}: {statement}");
        }
    }
    let findings = examine(&database.options(), None).await;
    assert!(findings.iter().any(|finding| finding.what.contains("nothing is open to anon")), "{findings:?}");

    let mut of_bob = of(&database, 2, "authenticated").await;
    let write = format!("insert into group_chat (group_id, user_id, message) values ('{group}', '{bob}', 'x')");
    run(&mut of_bob, &write).await;
    // The block has begun first and is not committed.
    let mut watcher = database.connect().await;
    run(&mut connection, "begin; update caravana.direct set closed = true").await;
    let writing = tokio::spawn(async move {
        let written = sqlx::query(AssertSqlSafe(write)).execute(&mut of_bob).await.map(|_| ());
        (written, of_bob)
    });
    let held_up =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    becomes(&mut watcher, 1, held_up).await;
    run(&mut connection, "commit").await;
    let (written, mut of_bob) = writing.await.unwrap();
    assert!(written.unwrap_err().to_string().contains("row-level security"));
    assert_eq!(rows(&mut connection).await, 1);
    // Whether it is closed is known to the two, and to nobody else.
    let mut of_eva = of(&database, 3, "authenticated").await;
    for (theirs, is_open) in [(&mut of_bob, false), (&mut of_eva, true)] {
        let asked = format!("select caravana_rls.is_open('{group}')");
        assert_eq!(sqlx::query_scalar::<_, bool>(AssertSqlSafe(asked)).fetch_one(theirs).await.unwrap(), is_open);
    }
}
