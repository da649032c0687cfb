//! What `server doctor` finds, and what `server migrate` repairs.

use std::process::{Command, Output};

use caravana_postgres::{examine, migrate_and_repair};
use caravana_store::doctor::{Finding, State};
use sqlx::PgConnection;

use super::{group, head, run};
use crate::support::postgres::TestDatabase;

/// The findings, except for settings that the tests' own server disables for speed.
async fn wrong(database: &TestDatabase) -> Vec<String> {
    let findings = examine(&database.options(), None).await;
    let speed = |finding: &&Finding| finding.what.contains("fsync is off") || finding.what.contains("full_page_writes");
    let wrong = findings.iter().filter(|finding| finding.state == State::Wrong && !speed(finding));
    wrong.map(ToString::to_string).collect()
}

async fn database() -> (TestDatabase, PgConnection) {
    let database = TestDatabase::migrated().await;
    let connection = database.connect().await;
    (database, connection)
}

#[tokio::test]
async fn a_sound_database_is_called_sound_and_an_unknown_one_unknown() {
    let (database, _connection) = database().await;
    assert_eq!(wrong(&database).await, Vec::<String>::new());
    let good: Vec<_> = examine(&database.options(), None).await.into_iter().map(|finding| finding.what).collect();
    for words in [
        "PostgreSQL 1",
        "does not leave this machine",
        "clocks agree",
        "its own backend",
        "notification came through",
        "triggers",
        "its place",
    ] {
        assert!(good.iter().any(|what| what.contains(words)), "{words} in {good:?}");
    }
    let empty = TestDatabase::empty().await;
    let found = wrong(&empty).await;
    assert!(found.len() == 1 && found[0].contains("does not know Caravana"), "{found:?}");
    let nowhere = examine(&database.options().port(1), None).await;
    assert!(nowhere[0].what.contains("does not answer"), "{nowhere:?}");
}

#[tokio::test]
async fn every_fault_is_found_and_named() {
    let (database, mut connection) = database().await;
    let name = database.options().get_database().unwrap().to_owned();
    for (harm, repair, words) in [
        (
            "alter table group_chat disable trigger caravana_chat_deleted",
            "alter table group_chat enable trigger all",
            "caravana_chat_deleted of public.group_chat is disabled",
        ),
        (
            "alter table group_chat alter user_id set not null",
            "alter table group_chat alter user_id drop not null",
            "group_chat.user_id is `not null`",
        ),
        (
            "alter trigger member_updated on caravana.member rename to other",
            "alter trigger other on caravana.member rename to member_updated",
            "member_updated of caravana.member is missing",
        ),
        (
            "delete from caravana.migration where version = 5",
            "insert into caravana.migration (version, name, checksum) values (5, 'x', '')",
            "[5]",
        ),
        (
            "update caravana.adoption set finished_at = null",
            "update caravana.adoption set finished_at = now()",
            "still wait",
        ),
        (
            "create publication supabase_realtime",
            "drop publication supabase_realtime",
            "supabase_realtime does not have group_chat",
        ),
        (
            "alter table group_chat drop constraint group_chat_pkey",
            "alter table group_chat add primary key (id)",
            "a key on public.group_chat.id",
        ),
        (
            "alter database DB set default_transaction_read_only = on",
            "set transaction_read_only = off; alter database DB reset default_transaction_read_only",
            "read-only",
        ),
        (
            "alter database DB set synchronous_commit = off",
            "alter database DB reset synchronous_commit",
            "synchronous_commit is off",
        ),
        (
            "do $$ begin create role anon; exception when duplicate_object or unique_violation then null; end $$; grant usage on schema caravana to anon",
            "revoke usage on schema caravana from anon",
            "anon can reach the schema caravana",
        ),
        (
            "grant select on group_chat to anon",
            "alter table group_chat enable row level security",
            "anon can read or write all of group_chat",
        ),
    ] {
        run(&mut connection, &harm.replace("DB", &name)).await;
        let found = wrong(&database).await;
        assert!(found.len() == 1 && found[0].contains(words), "{words} is not in {found:?}");
        run(&mut connection, &repair.replace("DB", &name)).await;
        assert_eq!(wrong(&database).await, Vec::<String>::new(), "after {repair}");
    }
    run(&mut connection, &format!("alter database {name} set caravana.notify = off")).await;
    let notes = examine(&database.options(), None).await;
    assert!(
        notes.iter().any(|finding| finding.state == State::Note && finding.what.contains("caravana.notify")),
        "{notes:?}"
    );
}

#[tokio::test]
async fn what_was_written_past_the_triggers_is_found_and_gets_its_place() {
    let (database, mut connection) = database().await;
    run(
        &mut connection,
        &format!(
            "insert into groups (id, name) values ('{0}', 'G');
         insert into group_chat (group_id, message) values ('{0}', 'seen');
         set session_replication_role = replica;
         insert into group_chat (group_id, message) select '{0}', 'unseen ' || i from generate_series(1, 12000) i;
         reset session_replication_role",
            group(1),
        ),
    )
    .await;
    let found = wrong(&database).await;
    assert!(found.len() == 1 && found[0].contains("past the triggers"), "{found:?}");
    assert_eq!(migrate_and_repair(&database.options()).await.unwrap().backfilled, 12_000);
    assert_eq!(wrong(&database).await, Vec::<String>::new());
    assert_eq!(head(&mut connection, group(1)).await, 12_001);
}

fn server(task: &str, url: &str) -> Output {
    Command::new(crate::support::server_binary()).args([task, "--database-url", url]).output().unwrap()
}

#[tokio::test]
async fn the_operator_s_tasks_say_what_they_did_and_end_with_1_when_something_must_be_done() {
    let database = TestDatabase::empty().await;
    let url = database.url();
    let before = server("doctor", &url);
    assert_eq!(before.status.code(), Some(1));
    let done = server("migrate", &url);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("of the schema were added"));
    let after = String::from_utf8(server("doctor", &url).stdout).unwrap();
    assert!(after.contains("the schema is up to date") && after.contains("\n       -> "), "{after}");

    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("x.db").display());
    assert_eq!(server("doctor", &url).status.code(), Some(1), "there is nothing");
    assert!(server("migrate", &url).status.success());
    let sound = server("doctor", &url);
    assert!(sound.status.success(), "{}", String::from_utf8_lossy(&sound.stdout));
    assert!(String::from_utf8_lossy(&sound.stdout).contains("quick_check"));
    let wrong = server("migrate", "mysql://u:geheim@h/d");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&wrong.stderr).contains("geheim"));
}
