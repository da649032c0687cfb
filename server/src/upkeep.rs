//! What an operator does for the database: brings it up to date, and has it examined.
//!
//! Prints nothing itself; the binary does.

use std::str::FromStr as _;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::store::doctor::{Finding, State};
use crate::store::{postgres, sqlite};

/// Why the database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// The address is not understood. It is not repeated, because it may have a password in it.
    #[error("{0}: not understood; use sqlite://path/to/file.db or postgres://…")]
    Address(&'static str),
    /// The SQLite file could not be opened.
    #[error("DATABASE_URL: the database could not be opened")]
    Sqlite(#[from] sqlite::OpenError),
    /// The PostgreSQL database could not be brought up to date.
    #[error("DATABASE_URL: the database could not be brought up to date")]
    Postgres(#[from] postgres::MigrateError),
}

/// Brings the database up to date, and repairs what was written past the triggers. Answers what was done, in sentences.
pub async fn migrate(database_url: &SecretString) -> Result<Vec<String>, UpkeepError> {
    let Some(options) = postgres_address("DATABASE_URL", database_url)? else {
        sqlite::SqliteStore::open(database_url.expose_secret(), false).await?.close().await;
        return Ok(vec!["the schema is up to date".to_owned()]);
    };
    let report = postgres::migrate_and_repair(&options).await?;
    let mut said = vec![match report.applied.as_slice() {
        [] => "the schema is up to date".to_owned(),
        versions => format!("versions {versions:?} of the schema were added"),
    }];
    if report.backfilled > 0 {
        said.push(format!("{} messages got their place in their groups' logs", report.backfilled));
    }
    said.extend(report.sign_up_off.map(|reason| format!("nobody can sign up here: {reason}")));
    said.extend(report.groups_off.map(|reason| format!("nobody can make a group here: {reason}")));
    said.extend(report.warnings);
    Ok(said)
}

/// Examines the database.
pub async fn examine(
    database_url: &SecretString,
    listen_url: Option<&SecretString>,
) -> Result<Vec<Finding>, UpkeepError> {
    let Some(options) = postgres_address("DATABASE_URL", database_url)? else {
        return Ok(sqlite::examine(database_url.expose_secret()).await?);
    };
    let listen = match listen_url.filter(|url| !url.expose_secret().is_empty()) {
        Some(url) => postgres_address("DATABASE_LISTEN_URL", url)?,
        None => None,
    };
    Ok(postgres::examine(&options, listen.as_ref()).await)
}

/// Whether something must be done.
#[must_use]
pub fn is_wrong(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.state == State::Wrong)
}

fn postgres_address(variable: &'static str, url: &SecretString) -> Result<Option<PgConnectOptions>, UpkeepError> {
    let url = url.expose_secret();
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Ok(None);
    }
    let options = PgConnectOptions::from_str(url).map_err(|_| UpkeepError::Address(variable))?;
    // A pooler takes no connection that begins with a setting which it does not know.
    Ok(Some(options.extra_float_digits(None)))
}
