//! Checks of the PostgreSQL server and of the connection to it.

use std::time::{Duration, SystemTime};

use caravana_store::doctor::Finding;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Connection, PgConnection};

use super::super::safety::{self, Way};
use super::connect;

/// The channel of the self-test. Servers listen to another one.
const CHANNEL: &str = "caravana_doctor";
/// How long a notification may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// If the clocks differ by more seconds than this, the finding is a note.
const CLOCK_NOTE: f64 = 2.0;
/// If they differ by more seconds than this, which is the tokens' leeway, the finding is a fault.
const CLOCK_WRONG: f64 = 30.0;

pub(super) async fn version(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let (number, name): (i32, String) =
        sqlx::query_as("select current_setting('server_version_num')::int, current_setting('server_version')")
            .persistent(false)
            .fetch_one(connection)
            .await?;
    findings.push(if number < 150_000 {
        Finding::wrong(format!("PostgreSQL {name} is too old"), "upgrade to 15 or later")
    } else {
        Finding::good(format!("PostgreSQL {name}"))
    });
    Ok(())
}

/// The encryption that the address asks for; behind a pooler, that of the connection to the pooler.
pub(super) fn encryption(options: &PgConnectOptions, findings: &mut Vec<Finding>) {
    findings.push(match safety::way(options) {
        Way::Local => Finding::good("the way to the database does not leave this machine"),
        Way::Verified => Finding::good("the way to the database is encrypted, and the other end shows its certificate"),
        Way::Encrypted => Finding::note(
            "the way to the database is encrypted, but to whoever answers",
            "use sslmode=verify-full, with sslrootcert=<file> where the provider has an authority of its own",
        ),
        Way::Open => Finding::note(
            "others on the way to the database may read along",
            "add ?sslmode=verify-full to DATABASE_URL, unless the network is yours alone",
        ),
    });
}

pub(super) async fn durability(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let (fsync, pages, commit): (String, String, String) = sqlx::query_as(
        "select current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')",
    )
    .persistent(false)
    .fetch_one(connection)
    .await?;
    let before = findings.len();
    if fsync != "on" {
        findings.push(Finding::wrong(
            "fsync is off: a power cut can destroy the database",
            "set fsync = on in postgresql.conf",
        ));
    }
    if pages != "on" {
        findings.push(Finding::wrong(
            "full_page_writes is off: a power cut can destroy the database",
            "set full_page_writes = on, unless the file system never tears a page",
        ));
    }
    if commit == "off" {
        findings.push(Finding::wrong(
            "synchronous_commit is off: a crash loses messages that were acknowledged",
            "alter role … (or database …) set synchronous_commit = on",
        ));
    }
    if findings.len() == before {
        findings.push(Finding::good(format!("commits are durable (fsync on, synchronous_commit {commit})")));
    }
    Ok(())
}

pub(super) async fn writable(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let (standby, read_only): (bool, bool) =
        sqlx::query_as("select pg_is_in_recovery(), current_setting('transaction_read_only')::bool")
            .persistent(false)
            .fetch_one(connection)
            .await?;
    if standby {
        findings.push(Finding::wrong("this is a standby, which takes no writes", "let DATABASE_URL name the primary"));
    } else if read_only {
        findings.push(Finding::wrong(
            "transactions are read-only here",
            "alter database (or role) … reset default_transaction_read_only; hosted databases switch it on when their disk is full",
        ));
    }
    Ok(())
}

pub(super) async fn clock(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let seconds = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let before = seconds();
    let theirs: f64 = sqlx::query_scalar("select extract(epoch from clock_timestamp())::float8")
        .persistent(false)
        .fetch_one(connection)
        .await?;
    let difference = theirs - f64::midpoint(before, seconds());
    let words = format!("the database's clock differs from this machine's by {difference:.1} s");
    let advice = "let both keep their time by NTP; sign-ins and tokens end by this machine's clock";
    findings.push(if difference.abs() > CLOCK_WRONG {
        Finding::wrong(words, advice)
    } else if difference.abs() > CLOCK_NOTE {
        Finding::note(words, advice)
    } else {
        Finding::good("both clocks agree")
    });
    Ok(())
}

/// Whether there is a pooler in transaction mode: then two connections share a backend, or one connection changes its
/// backend.
pub(super) async fn pooler(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    findings: &mut Vec<Finding>,
) -> Result<bool, sqlx::Error> {
    let first = process_id(connection).await?;
    let mut other = connect(options).await?;
    let mut tx = other.begin().await?;
    let second = process_id(&mut tx).await?;
    let third = process_id(connection).await?;
    tx.rollback().await?;
    let pooled = first == second || first != third;
    findings.push(if pooled {
        Finding::note(
            "this way leads through a pooler in transaction mode, through which nobody can listen",
            "let DATABASE_LISTEN_URL name the direct address or the session mode's port; without it the server polls every 250 ms",
        )
    } else {
        Finding::good("each connection has its own backend (direct, or a pooler in session mode)")
    });
    Ok(pooled)
}

async fn process_id(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("select pg_backend_pid()").persistent(false).fetch_one(connection).await
}

/// Sends a test notification and waits for it, as the server does at its start. It does not listen through a pooler in
/// transaction mode: the backend would go on listening for the pooler's next client.
pub(super) async fn notifications(
    connection: &mut PgConnection,
    listen: Option<&PgConnectOptions>,
    findings: &mut Vec<Finding>,
) -> Result<(), sqlx::Error> {
    let off: bool = sqlx::query_scalar(
        "select lower(coalesce(current_setting('caravana.notify', true), '')) in ('off', 'false', 'no', '0')",
    )
    .persistent(false)
    .fetch_one(&mut *connection)
    .await?;
    if off {
        findings.push(Finding::note(
            "notifications are switched off (caravana.notify): the server polls every 250 ms",
            "alter database (or role) … reset caravana.notify, if that is not what you want",
        ));
    }
    let Some(listen) = listen else { return Ok(()) };
    let round = async {
        let pool =
            PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_with(listen.clone()).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        sqlx::query("select pg_notify($1, '')").persistent(false).bind(CHANNEL).execute(&mut *connection).await?;
        listener.recv().await
    };
    findings.push(match tokio::time::timeout(PATIENCE, round).await {
        Ok(Ok(_)) => Finding::good("a notification came through"),
        Ok(Err(error)) => Finding::wrong(
            format!("notifications can't be listened to: {error}"),
            "check DATABASE_LISTEN_URL; until then the server polls every 250 ms",
        ),
        Err(_) => Finding::wrong(
            "a notification did not come through",
            "let DATABASE_LISTEN_URL name the direct address of the same database; until then the server polls every 250 ms",
        ),
    });
    Ok(())
}
