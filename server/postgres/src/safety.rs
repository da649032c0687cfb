//! Checks whether a database can be trusted with commits, and what kind of connection leads to it.

use std::net::IpAddr;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions as _, Executor as _};

use super::OpenError;

/// Reads the settings that durability depends on (G1), and answers the value to set `synchronous_commit` to.
///
/// `on` waits until a commit is on the database's own disk and, if there are synchronous standbys, on theirs. Any lower
/// value loses acknowledged messages at a power cut or a failover. It is not enough to set it for the server's own
/// connections: the commits of another program that does not wait are delivered, too. If such a commit is then lost,
/// its seq is given to another event. So the database's own setting must be right. `fsync` and `full_page_writes` are
/// checked only in production: a database for tests may run without them.
pub(super) async fn durability(
    connection: &mut PgConnection,
    is_production: bool,
    allows_unsafe: bool,
) -> Result<&'static str, OpenError> {
    let (commit, fsync, pages): (String, String, String) = sqlx::query_as(
        "select current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes')",
    )
    .persistent(false)
    .fetch_one(connection)
    .await?;
    let held_at = match commit.as_str() {
        "on" => Ok("on"),
        "remote_apply" => Ok("remote_apply"),
        "remote_write" => Err("remote_write"),
        "local" => Err("local"),
        _ => Err("off"),
    };
    let danger = if held_at.is_err() {
        Some(("synchronous_commit", commit))
    } else if is_production && fsync != "on" {
        Some(("fsync", fsync))
    } else if is_production && pages != "on" {
        Some(("full_page_writes", pages))
    } else {
        None
    };
    match danger {
        Some((setting, value)) if allows_unsafe => {
            tracing::warn!(setting, value, "acknowledged messages may be lost, as ALLOW_UNSAFE_DURABILITY permits");
        }
        Some((setting, value)) => return Err(OpenError::Unsafe { setting, value }),
        None => {}
    }
    Ok(held_at.unwrap_or_else(|weaker| weaker))
}

/// How well the connection to the database is protected against eavesdropping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It does not leave this machine.
    Local,
    /// Encrypted, and the server's certificate is verified.
    Verified,
    /// Encrypted, but the server is not verified.
    Encrypted,
    /// Not encrypted, or only if the server wants it.
    Open,
}

/// Judges by the address alone.
pub(super) fn way(options: &PgConnectOptions) -> Way {
    let host = options.get_host();
    let is_here = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback());
    match options.get_ssl_mode() {
        _ if is_here => Way::Local,
        PgSslMode::VerifyFull => Way::Verified,
        PgSslMode::Require | PgSslMode::VerifyCa => Way::Encrypted,
        PgSslMode::Prefer | PgSslMode::Allow | PgSslMode::Disable => Way::Open,
    }
}

/// The number of connections that are held at once, so that a pooler must share or switch backends.
const WITNESSES: usize = 3;
/// How often the first connection is asked again. A busy pooler lends it any of its backends, and sometimes the same
/// one.
const QUESTIONS: usize = 12;

/// Whether there is a pooler in transaction mode: two connections have the same backend process, or one connection
/// changes its backend.
pub(super) async fn is_pooled(options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let options = options.clone().statement_cache_capacity(0);
    let mut first = options.connect().await?;
    let before = process_id(&mut first).await?;
    let mut holding = Vec::with_capacity(WITNESSES);
    let mut is_pooled = false;
    for _ in 0..WITNESSES {
        let mut other = options.connect().await?;
        other.execute("begin").await?;
        is_pooled |= process_id(&mut other).await? == before;
        holding.push(other);
    }
    // While the other connections hold their backends.
    for _ in 0..QUESTIONS {
        is_pooled = is_pooled || process_id(&mut first).await? != before;
    }
    for mut other in holding {
        other.execute("rollback").await?;
    }
    Ok(is_pooled)
}

/// Uses the simple protocol, which needs no prepared statement.
async fn process_id(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    use sqlx::Row as _;
    sqlx::raw_sql("select pg_backend_pid()::text").fetch_one(connection).await?.try_get_unchecked(0)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    #[test]
    fn a_way_is_as_safe_as_its_address_says() {
        for (url, expected) in [
            ("postgres://u@127.0.0.1/db", Way::Local),
            ("postgres://u@[::1]/db?sslmode=disable", Way::Local),
            ("postgres://u@localhost/db", Way::Local),
            ("postgres://u@%2Frun%2Fpostgresql/db", Way::Local),
            ("postgres://u@db.example.org/db", Way::Open),
            ("postgres://u@10.0.0.1/db?sslmode=disable", Way::Open),
            ("postgres://u@db.example.org/db?sslmode=require", Way::Encrypted),
            ("postgres://u@db.example.org/db?sslmode=verify-full", Way::Verified),
        ] {
            assert_eq!(way(&PgConnectOptions::from_str(url).unwrap()), expected, "{url}");
        }
    }
}
