//! A write of an operator's command, while a server may be running on the same file.
//!
//! It ignores the `.lock` file, which only keeps a second server away. The write is one statement, like that of any
//! other program, and the server detects its commit in the same way.

use std::path::Path;
use std::str::FromStr as _;

use caravana_store::SecretHash;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::{BUSY_TIMEOUT, OpenError, resets};

/// [`create_reset`](caravana_store::Resets::create_reset) beside a running server, without the limit on valid links.
/// Answers whether there is such an account.
pub async fn create_reset(
    path: &Path,
    email: &str,
    token: SecretHash,
    now: i64,
    expires_at: i64,
) -> Result<bool, OpenError> {
    let mut connection = connect(path).await?;
    let made = resets::insert(&mut connection, email, token, (now, expires_at), u32::MAX).await?;
    connection.close().await?;
    Ok(made)
}

/// Does not create a missing file: the address must be a mistake.
async fn connect(path: &Path) -> Result<SqliteConnection, OpenError> {
    let options = SqliteConnectOptions::from_str("sqlite:")?
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    Ok(options.connect().await?)
}
