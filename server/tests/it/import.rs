//! Import from SQLite to PostgreSQL and back, without a visible change for clients.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use axum::http::Method;
use caravana_server::database::{DatabaseAddress, DatabaseSettings};
use caravana_server::import::{ImportError, Moved, Progress, import, is_unfinished};
use futures::FutureExt as _;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::support::TestServer;
use crate::support::postgres::TestDatabase;

/// Tables that an import does not copy.
const LEFT_BEHIND: [&str; 3] = ["_sqlx_migrations", "caravana_database", "caravana_ticket"];
/// The tables of the search begin so. They are made anew.
const INDEX: &str = "caravana_search_";
/// Rows of another program, so many that an import needs several transactions.
const FOREIGN: u64 = 5_000;

/// Ends the import by a panic after so many transactions, to simulate a kill.
struct Impatient(u32);

impl Progress for Impatient {
    fn begins(&mut self, rows: u64, moved: u64) {
        assert!(moved <= rows, "{moved} of {rows} are moved already");
    }

    fn moved(&mut self, _: &str, _: u64) {
        self.0 = self.0.checked_sub(1).expect("no patience left");
    }
}

async fn moves(from: &str, to: &str) -> Result<Moved, ImportError> {
    import(&at(from), &at(to), &mut Impatient(u32::MAX)).await
}

fn at(address: &str) -> DatabaseAddress {
    address.parse().unwrap()
}

/// A database with a value in every column of every table.
async fn lived_in(folder: &TempDir) -> String {
    let path = folder.path().join("old.db");
    let mut server = TestServer::builder().on_sqlite().database_at(path.clone()).start().await;
    let (ana, bob, group) = server.couple().await;
    let first = ana.sends(group, "hola a \"todos\"\n🧭").await.json()["message"]["id"].clone();
    let answer = json!({"message": "¿qué tal?", "reply_to": first, "mentions": [ana.id()]});
    let answer = bob.post(&format!("/api/v1/groups/{group}/messages"), &answer).await.json();
    let id = answer["message"]["id"].as_str().unwrap();
    bob.patch(&format!("/api/v1/groups/{group}/messages/{id}"), &json!({"message": "corregido"})).await;
    for mark in ["reactions/%F0%9F%8E%89", "pin"] {
        ana.call(Method::PUT, &format!("/api/v1/groups/{group}/messages/{id}/{mark}"), None).await;
    }
    ana.post("/api/v1/direct", &json!({"user_id": bob.id()})).await;
    ana.call(Method::PUT, &format!("/api/v1/blocks/{}", bob.id()), None).await;
    ana.delete(&format!("/api/v1/groups/{group}/messages/{}", first.as_str().unwrap())).await;
    let trip = json!({
        "name": "Oaxaca 🌮", "time_zone": "America/Mexico_City", "emoji": "🌮",
        "starts_on": "2027-04-03", "ends_on": "2027-04-11",
    });
    ana.patch(&format!("/api/v1/groups/{group}"), &trip).await;
    let mine = json!({"notify": "mentions", "muted_until": "2027-04-03T12:00:00.25Z", "favourite": true});
    bob.patch(&format!("/api/v1/groups/{group}/me"), &mine).await;
    bob.patch("/api/v1/account", &json!({"share_typing": false})).await;
    ana.post(&format!("/api/v1/groups/{group}/invites"), &json!({"max_uses": 3})).await;
    let ended = ana.create_group("Se acaba").await;
    ana.delete(&format!("/api/v1/groups/{ended}")).await;
    let (mut wire, _) = crate::support::Wire::open_group(&bob, group).await;
    wire.say("mark_read", json!({"seq": 3})).await;
    wire.expect("read").await;
    server.stop().await;
    let address = format!("sqlite://{}", path.display());
    let mut other = sqlite(&address).await;
    let statements = [
        format!("insert into caravana_guest values ('{}')", bob.id()),
        format!("insert into caravana_signed_up values ('{}')", ana.id()),
        format!("insert into caravana_sign_out values ('{}', 5)", bob.id()),
        format!("insert into caravana_removed values ('{group}', '{}', 2)", bob.id()),
        format!("insert into caravana_ended values ('{}')", uuid::Uuid::new_v4()),
        format!("insert into caravana_reset values (x'00ff10', '{}', 7)", bob.id()),
        "update caravana_session set browser = 'Firefox'".to_owned(),
        "update caravana_invite set created_at = 8, revoked_at = 9".to_owned(),
        // Rows of another program, with nulls where the seed allows them, and many at once.
        "insert into group_chat (id, message, created_at, status) values (lower(hex(randomblob(16))), 'nowhere', null, null)"
            .to_owned(),
        format!(
            "insert into group_chat (user_id, group_id, message) with recursive n (i) as \
             (select 1 union all select i + 1 from n where i < {FOREIGN}) select '{}', '{group}', 'm' || i from n",
            ana.id()
        ),
    ];
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut other).await.unwrap();
    }
    other.close().await.unwrap();
    address
}

async fn sqlite(address: &str) -> SqliteConnection {
    SqliteConnection::connect(address).await.unwrap()
}

type Dump = BTreeMap<String, Vec<Value>>;

/// All rows of all tables as JSON, with values in PostgreSQL's notation.
async fn dump(connection: &mut SqliteConnection) -> Dump {
    let tables: Vec<String> = sqlx::query_scalar("select name from sqlite_master where type = 'table'")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    let mut dump = Dump::new();
    let is_copied = |table: &String| !LEFT_BEHIND.contains(&table.as_str()) && !table.starts_with(INDEX);
    for table in tables.into_iter().filter(is_copied) {
        let columns: Vec<String> = sqlx::query_scalar("select name from pragma_table_info(?)")
            .bind(&table)
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        let values: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        let statement = format!("select json_array({}) from {table}", values.join(", "));
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(&mut *connection).await.unwrap();
        let mut rows: Vec<Value> = rows
            .iter()
            .map(|row| serde_json::from_str::<Vec<String>>(row).unwrap().into_iter().zip(&columns))
            .map(|row| row.map(|(value, column)| (column.clone(), alike(column, &value))).collect())
            .collect();
        for column in &columns {
            assert!(rows.iter().any(|row| !row[column].is_null()), "{table}.{column} is tried with nothing");
        }
        rows.sort_by_key(ToString::to_string);
        dump.insert(table, rows);
    }
    dump
}

/// Makes equal values look equal: times with and without microseconds, epochs with and without hyphens.
fn alike(column: &str, value: &str) -> Value {
    let text = value.trim_matches('\'');
    if value == "NULL" {
        Value::Null
    } else if let Ok(time) = text.parse::<caravana_protocol::Timestamp>() {
        time.to_string().into()
    } else if let Ok(id) = uuid::Uuid::parse_str(text) {
        id.to_string().into()
    } else if matches!(column, "payload" | "reactions" | "mentions") {
        serde_json::from_str(text).unwrap()
    } else {
        text.into()
    }
}

#[tokio::test]
async fn everything_goes_to_postgresql_and_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (old, database) = (lived_in(&folder).await, TestDatabase::empty().await);
    let moved = moves(&old, &database.url()).await.unwrap();
    assert_eq!((moved.groups, moved.replaced), (3, 0));
    let back = format!("sqlite://{}", folder.path().join("new.db").display());
    assert_eq!(moves(&database.url(), &back).await.unwrap(), moved);
    let (before, after) = (dump(&mut sqlite(&old).await).await, dump(&mut sqlite(&back).await).await);
    assert_eq!(before["group_chat"].len() as u64, FOREIGN + 3);
    for (table, rows) in before {
        assert_eq!(rows.len(), after[&table].len(), "{table}");
        for (row, moved) in rows.iter().zip(&after[&table]) {
            assert_eq!(row, moved, "{table}");
        }
    }
}

#[tokio::test]
async fn an_import_that_was_killed_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (old, database) = (lived_in(&folder).await, TestDatabase::empty().await);
    let to = database.url();
    let half = DatabaseSettings::at(at(&to));
    let mut calls = 0;
    let moved = loop {
        calls += 1;
        assert!(calls < 100, "it does not come forward");
        // Each call completes two transactions and panics in the third.
        let once = AssertUnwindSafe(import(&at(&old), &at(&to), &mut Impatient(2))).catch_unwind().await;
        if let Ok(done) = once {
            break done.unwrap();
        }
        assert!(is_unfinished(&half).await, "a server must not start on it");
    };
    assert!(calls > 5, "{calls} calls were enough");
    assert_eq!(moved.groups, 3);
    assert!(!is_unfinished(&half).await);
    let mut there = database.connect().await;
    assert_eq!(count(&mut there, "public.group_chat").await, FOREIGN + 3);
    // The triggers must be enabled again.
    let before: i64 = sqlx::query_scalar("select max(head) from caravana.head").fetch_one(&mut there).await.unwrap();
    assert!(u64::try_from(before).unwrap() > FOREIGN);
    let off: i64 = sqlx::query_scalar("select count(*) from pg_trigger where tgenabled = 'D'")
        .fetch_one(&mut there)
        .await
        .unwrap();
    assert_eq!(off, 0);
}

async fn count(connection: &mut PgConnection, table: &str) -> u64 {
    let count: i64 =
        sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table}"))).fetch_one(connection).await.unwrap();
    count.unsigned_abs()
}

/// The host's tables can have any names for people and groups.
#[tokio::test]
async fn an_adopted_database_moves_out_with_its_names() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestDatabase::empty().await);
    let mut host = database.connect().await;
    sqlx::raw_sql(
        "create table users (id uuid primary key default gen_random_uuid(), full_name text, phone text not null);
         create table groups (id uuid primary key default gen_random_uuid(), title text, created_at timestamptz default now());
         create table group_chat (id uuid primary key default gen_random_uuid(), created_at timestamptz default now(),
             user_id uuid references users (id), group_id uuid references groups (id), message text not null,
             status boolean default true, mood text);
         insert into users (full_name, phone) values ('Ana', '1'), (null, '2');
         insert into groups (title) values ('Oaxaca');
         insert into group_chat (user_id, group_id, message) select u.id, g.id, 'hola' from users u, groups g;",
    )
    .execute(&mut host)
    .await
    .unwrap();
    // The server that adopted the database migrates it.
    caravana_postgres::migrate(&database.options()).await.unwrap();
    let to = format!("sqlite://{}", folder.path().join("new.db").display());
    let moved = moves(&database.url(), &to).await.unwrap();
    assert_eq!((moved.groups, moved.replaced), (1, 0));
    let mut there = sqlite(&to).await;
    let mut names: Vec<String> = sqlx::query_scalar("select display_name from users union all select name from groups")
        .fetch_all(&mut there)
        .await
        .unwrap();
    names.sort();
    assert_eq!(names, ["Ana", "Oaxaca", "Viajero"]);
    let log: Vec<(i64, String)> = sqlx::query_as(
        "select e.seq, c.message from caravana_event e join group_chat c on c.id = e.message_id order by e.seq",
    )
    .fetch_all(&mut there)
    .await
    .unwrap();
    assert_eq!(log, [(1, "hola".into()), (2, "hola".into())]);
    let members: i64 = sqlx::query_scalar("select count(*) from caravana_member").fetch_one(&mut there).await.unwrap();
    assert_eq!(members, 2);
}

#[tokio::test]
async fn an_import_that_could_mix_two_histories_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (old, database) = (lived_in(&folder).await, TestDatabase::empty().await);
    let to = database.url();
    assert!(matches!(moves(&old, &old).await, Err(ImportError::SameKind)));
    let nowhere = format!("sqlite://{}", folder.path().join("nowhere.db").display());
    assert!(matches!(moves(&nowhere, &to).await, Err(ImportError::Source)));
    assert!(!Path::new(&nowhere["sqlite://".len()..]).exists(), "a wrong name must not make a file");

    // Half of the import runs. Then the source gets new rows.
    let half = AssertUnwindSafe(import(&at(&old), &at(&to), &mut Impatient(2))).catch_unwind().await;
    assert!(half.is_err());
    let mut other = sqlite(&old).await;
    sqlx::query("update group_chat set message = 'later' where message = 'm1'").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    assert!(matches!(moves(&old, &to).await, Err(ImportError::Changed)));

    let full = TestDatabase::empty().await;
    moves(&old, &full.url()).await.unwrap();
    assert!(matches!(moves(&old, &full.url()).await, Err(ImportError::NotEmpty)));

    let foreign = TestDatabase::empty().await;
    sqlx::raw_sql("create table public.users (id uuid primary key, name text)")
        .execute(&mut foreign.connect().await)
        .await
        .unwrap();
    assert!(matches!(moves(&old, &foreign.url()).await, Err(ImportError::Adopted)));

    let server = TestServer::builder().on_sqlite().start().await;
    let used = server.database().url();
    assert!(matches!(moves(&used, &TestDatabase::empty().await.url()).await, Err(ImportError::InUse)));
}
