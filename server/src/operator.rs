//! The tasks that an operator runs with the binary, apart from serving. Each task works while the server runs, and
//! prints nothing itself.

use crate::auth::{AccountName, RESET_SECONDS, Secret, reset_address};
use crate::clock::unix_seconds;
use crate::database;
use crate::settings::ResetLink;

/// Why a task failed.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The given text can't be the name of an account.
    #[error("this is no e-mail address")]
    NoAddress,
    /// No account has that e-mail.
    #[error("there is no account with this e-mail")]
    NoAccount,
    /// The database could not be used.
    #[error("DATABASE_URL: the database could not be used; has this version of the server been started on it once?")]
    Database(#[from] database::OpenError),
}

/// Makes a link with which the user of this e-mail sets a new password. The first holder who uses the link sets it.
pub async fn reset_link(task: &ResetLink) -> Result<String, TaskError> {
    let name = AccountName::parse(&task.email).ok_or(TaskError::NoAddress)?;
    let (secret, now) = (Secret::generate(), unix_seconds());
    if !database::create_reset(&task.database, name.as_str(), secret.hash(), now, now + RESET_SECONDS).await? {
        return Err(match name {
            AccountName::Address(_) => TaskError::NoAccount,
            AccountName::Former(_) => TaskError::NoAddress,
        });
    }
    Ok(reset_address(&task.site, &secret))
}
