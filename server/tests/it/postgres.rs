//! The SQL side of PostgreSQL: the schema, its triggers and the adoption of existing tables. The tests use plain
//! statements on a real server, as any other program would.

mod adoption;
mod directs;
mod doctor;
mod down;
mod ends;
mod members;
mod promises;
mod schema;
mod start;
mod subscribers;
mod writers;

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

/// A group id by number.
fn group(number: u8) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

/// A user id by number.
fn user(number: u8) -> Uuid {
    Uuid::from_u128(0xa0 + u128::from(number))
}

async fn run(connection: &mut PgConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(connection).await.unwrap();
}

async fn head(connection: &mut PgConnection, group: Uuid) -> i64 {
    sqlx::query_scalar("select coalesce(max(head), 0) from caravana.head where group_id = $1")
        .bind(group)
        .fetch_one(connection)
        .await
        .unwrap()
}
