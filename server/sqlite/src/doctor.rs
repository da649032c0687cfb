//! Examines a SQLite database. Reads only; works while a server runs on it.

use std::fs::File;
use std::path::Path;

use caravana_store::doctor::Finding;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;

use super::{MIGRATIONS, OpenError, SAFE_VERSION};

/// Runs all checks.
pub async fn examine(path: &Path) -> Result<Vec<Finding>, OpenError> {
    if !path.is_file() {
        let advice = "start the server on it, or call `server migrate`";
        return Ok(vec![Finding::wrong(format!("there is no database at {}", path.display()), advice)]);
    }
    // Not read-only: if no process has a WAL database open, SQLite must create its index file even for a read.
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let mut connection = sqlx::ConnectOptions::connect(&options).await?;
    let mut findings = vec![version(&mut connection).await?, durability(&mut connection).await?];
    findings.push(schema(&mut connection).await?);
    findings.push(integrity(&mut connection).await?);
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let held = File::open(lock).is_ok_and(|file| file.try_lock().is_err());
    findings.push(Finding::good(if held { "a server is running on it" } else { "no server is running on it" }));
    Ok(findings)
}

async fn version(connection: &mut SqliteConnection) -> Result<Finding, sqlx::Error> {
    let version: String = sqlx::query_scalar("select sqlite_version()").fetch_one(connection).await?;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    Ok(if (next(), next(), next()) < SAFE_VERSION {
        Finding::wrong(format!("SQLite {version} may lose commits"), "build the server with SQLite 3.51.3 or later")
    } else {
        Finding::good(format!("SQLite {version}"))
    })
}

async fn durability(connection: &mut SqliteConnection) -> Result<Finding, sqlx::Error> {
    let mode: String = sqlx::query_scalar("pragma journal_mode").fetch_one(connection).await?;
    Ok(if mode == "wal" {
        Finding::good("commits are durable (WAL; the server itself sets synchronous=FULL)")
    } else {
        Finding::note(
            format!("the journal is {mode}"),
            "the server sets WAL at its next start; no other program should change it",
        )
    })
}

async fn schema(connection: &mut SqliteConnection) -> Result<Finding, sqlx::Error> {
    let is_there: Option<i64> = sqlx::query_scalar("select 1 from sqlite_schema where name = '_sqlx_migrations'")
        .fetch_optional(&mut *connection)
        .await?;
    let there: Vec<i64> = match is_there {
        Some(_) => {
            sqlx::query_scalar("select version from _sqlx_migrations where success").fetch_all(connection).await?
        }
        None => Vec::new(),
    };
    let pending: Vec<i64> =
        MIGRATIONS.iter().map(|one| one.version).filter(|version| !there.contains(version)).collect();
    Ok(if pending.is_empty() {
        Finding::good(format!("the schema is up to date (version {})", there.into_iter().max().unwrap_or(0)))
    } else {
        Finding::wrong(
            format!("versions {pending:?} of the schema are missing"),
            "start the server on it, or call `server migrate`",
        )
    })
}

async fn integrity(connection: &mut SqliteConnection) -> Result<Finding, sqlx::Error> {
    let said: Vec<String> = sqlx::query_scalar("pragma quick_check(10)").fetch_all(connection).await?;
    Ok(if said == ["ok"] {
        Finding::good("the file is sound (quick_check)")
    } else {
        Finding::wrong(
            format!("the file is damaged: {}", said.join("; ")),
            "restore a copy, or save what can be read with `sqlite3 … .recover`",
        )
    })
}
