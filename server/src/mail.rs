//! Letters to people: the port to whoever carries them, and the ones that are written here.
//!
//! Owns the queue of links for a new password. Promises that asking for a link takes as long and looks the same whether
//! there is such an account or not: whoever asks only fills the queue, and what it holds is looked up afterwards. Nothing
//! about a letter is logged but that it could not be sent.

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
    /// The address, with no name beside it.
    pub to: EmailAddress,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
}

/// Who carries letters.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Hands a letter over. An answer means that somebody else has taken it, not that it has arrived.
    async fn send(&self, letter: Letter) -> Result<(), MailError>;
}

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address of the mail server, or the letter's own.
    #[error("not an address that mail can be sent to")]
    Address,
    /// The mail server did not take it.
    #[error("the mail server did not take a letter")]
    Server(#[source] lettre::transport::smtp::Error),
}

/// Who carries this server's letters; `None` where it sends none.
pub fn mailer(settings: &Settings) -> Result<Option<Arc<dyn Mailer>>, MailError> {
    match &settings.mail {
        Some(settings) => Ok(Some(Arc::new(Smtp::new(settings)?))),
        None => Ok(None),
    }
}
