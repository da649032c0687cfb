//! Whether a database can be trusted with commits, and what leads to it.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Executor as _};

use super::OpenError;

/// Reads what durability rests on (G1) and answers what `synchronous_commit` is held at.
///
/// `on` waits until a commit is on the database's own disk, and where there are synchronous standbys on theirs; less than
/// that loses acknowledged messages at a power cut or at a failover. It is not enough to set it for our own connections:
/// what another program commits without waiting is seen and passed on, and if it is lost then, its seq is given to
/// something else. So it is the database's own setting that must be right. `fsync` and `full_page_writes` are asked only
/// in production: a database for tests or for play may do without.
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

/// Connections that are asked for at once, so that a pooler has to show its hand.
const WITNESSES: usize = 3;

/// Whether there is a pooler that lends its connections for a transaction only: two of our connections have the same
/// process at their other end, or one has not the same as before.
pub(super) async fn is_pooled(options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let options = options.clone().statement_cache_capacity(0);
    let mut first = options.connect().await?;
    let before = backend(&mut first).await?;
    let mut holding = Vec::with_capacity(WITNESSES);
    let mut is_pooled = false;
    for _ in 0..WITNESSES {
        let mut other = options.connect().await?;
        other.execute("begin").await?;
        is_pooled |= backend(&mut other).await? == before;
        holding.push(other);
    }
    // While the others hold theirs.
    is_pooled |= backend(&mut first).await? != before;
    for mut other in holding {
        other.execute("rollback").await?;
    }
    Ok(is_pooled)
}

/// By the simple protocol, which needs no prepared statement.
async fn backend(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    use sqlx::Row as _;
    sqlx::raw_sql("select pg_backend_pid()::text").fetch_one(connection).await?.try_get_unchecked(0)
}
