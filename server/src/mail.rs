//! Mail to users: the port to the mail server, and the letters that this server writes.
//!
//! Owns the queue of requested password links. Promises that a request takes the same time and gets the same answer
//! whether the account exists or not: the request only fills the queue, and the accounts are looked up afterwards.
//! About a letter, only a failure to send it is logged.

mod letters;
mod resets;
mod smtp;

use std::sync::Arc;

use async_trait::async_trait;
use caravana_protocol::EmailAddress;

use crate::settings::Settings;

pub use resets::ResetMail;
pub use smtp::Smtp;

/// A letter, in plain text.
#[derive(Clone)]
pub struct Letter {
    /// The address, without a name.
    pub to: EmailAddress,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Sends letters.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Sends a letter. `Ok` means that the mail server has accepted it, not that it has arrived.
    async fn send(&self, letter: Letter) -> Result<(), MailError>;
}

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address of the mail server or of the letter can't be used.
    #[error("not an address that mail can be sent to")]
    Address,
    /// The mail server did not accept the letter.
    #[error("the mail server did not take a letter")]
    Server(#[source] lettre::transport::smtp::Error),
}

/// The mailer of this server. `None` if it sends no mail.
pub fn mailer(settings: &Settings) -> Result<Option<Arc<dyn Mailer>>, MailError> {
    match &settings.mail {
        Some(settings) => Ok(Some(Arc::new(Smtp::new(settings)?))),
        None => Ok(None),
    }
}
