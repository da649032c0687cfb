//! The server's schema, version by version.
//!
//! The list of applied versions is in the schema itself and not in `public`, where the host may have a list of its own.
//! All missing versions are added in one transaction: a database gets all of them or none.

use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

use super::{LOCK_TIMEOUT, MigrateError};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// The versions that this binary has.
pub(super) fn versions() -> impl Iterator<Item = i64> {
    MIGRATIONS.iter().map(|migration| migration.version)
}

/// Adds the versions that the database lacks. Answers which. Versions that only the database has come from a newer
/// binary and are ignored.
pub(super) async fn bring_up(connection: &mut PgConnection) -> Result<Vec<i64>, MigrateError> {
    let mut tx = connection.begin().await?;
    let is_there: bool = sqlx::query_scalar("select to_regclass('caravana.migration') is not null")
        .persistent(false)
        .fetch_one(&mut *tx)
        .await?;
    if !is_there {
        // This runs only if the schema is missing: `create schema if not exists` needs the right to create a schema
        // even if it exists.
        sqlx::raw_sql(
            "create schema if not exists caravana;
             create table caravana.migration (
                 version bigint primary key,
                 name text not null,
                 checksum bytea not null,
                 applied_at timestamptz not null default now()
             );",
        )
        .execute(&mut *tx)
        .await?;
    }
    let there: Vec<(i64, Vec<u8>)> = sqlx::query_as("select version, checksum from caravana.migration")
        .persistent(false)
        .fetch_all(&mut *tx)
        .await?;
    sqlx::raw_sql(LOCK_TIMEOUT).execute(&mut *tx).await?;
    let mut applied = Vec::new();
    for migration in MIGRATIONS.iter() {
        if let Some((version, checksum)) = there.iter().find(|(version, _)| *version == migration.version) {
            if checksum[..] != migration.checksum[..] {
                return Err(MigrateError::Changed(*version));
            }
            continue;
        }
        sqlx::raw_sql(migration.sql.clone()).execute(&mut *tx).await?;
        sqlx::query("insert into caravana.migration (version, name, checksum) values ($1, $2, $3)")
            .persistent(false)
            .bind(migration.version)
            .bind(migration.description.as_ref())
            .bind(migration.checksum.as_ref())
            .execute(&mut *tx)
            .await?;
        applied.push(migration.version);
    }
    tx.commit().await?;
    Ok(applied)
}
