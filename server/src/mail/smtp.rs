//! Letters by SMTP.

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::ExposeSecret as _;

use super::{Letter, MailError, Mailer};
use crate::settings::MailSettings;

/// A mail server that says nothing for this long is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// Connects with the first letter, so that a mail server that is down does not hold up the start.
    pub fn new(settings: &MailSettings) -> Result<Self, MailError> {
        // What lettre says of an address it can't read may hold the password that stands in it.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(settings.smtp_url.expose_secret())
            .map_err(|_| MailError::Address)?;
        // The machine's name is nobody's business; mail servers go by the sender's domain.
        let name = ClientId::Domain(settings.from.email.domain().to_owned());
        Ok(Self { transport: builder.timeout(Some(PATIENCE)).hello_name(name).build(), from: settings.from.clone() })
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, letter: Letter) -> Result<(), MailError> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(letter.to.parse().map_err(|_| MailError::Address)?)
            .subject(letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text)
            .map_err(|_| MailError::Address)?;
        self.transport.send(message).await.map(|_| ()).map_err(MailError::Server)
    }
}
