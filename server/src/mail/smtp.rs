//! Sends mails by SMTP.

use std::time::Duration;

use async_trait::async_trait;
use caravana_protocol::EmailAddress;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::ExposeSecret as _;

use super::{Letter, MailError, Mailer};
use crate::settings::MailSettings;

/// How long to wait for an answer of the mail server.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// Connects only for the first mail, so that a mail server that is down does not delay the start.
    pub fn new(settings: &MailSettings) -> Result<Self, MailError> {
        // The error is dropped: lettre may repeat an address that it can't parse, with the password in it.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(settings.smtp_url.expose_secret())
            .map_err(|_| MailError::Address)?;
        // Greets with the sender's domain, which mail servers check, and does not reveal the machine's name.
        let name = ClientId::Domain(settings.from.email.domain().to_owned());
        Ok(Self { transport: builder.timeout(Some(PATIENCE)).hello_name(name).build(), from: settings.from.clone() })
    }
}

/// Makes a mailbox of exactly this address. The text is not parsed as a header, whose grammar could find a name or other
/// addresses in it.
fn mailbox(address: &EmailAddress) -> Result<Mailbox, MailError> {
    let (user, domain) = address.as_str().split_once('@').ok_or(MailError::Address)?;
    Ok(Mailbox::new(None, Address::new(user, domain).map_err(|_| MailError::Address)?))
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, letter: Letter) -> Result<(), MailError> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(mailbox(&letter.to)?)
            .subject(letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text)
            .map_err(|_| MailError::Address)?;
        self.transport.send(message).await.map(|_| ()).map_err(MailError::Server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_that_is_taken_can_be_written_to_and_only_to_itself() {
        for text in ["ana@example.org", "ana+x@localhost", "o'hara_{x}|y~@a-b.example", "!#$%&'*+-/=?^_`{|}~@x.org"] {
            let address = EmailAddress::parse(text).unwrap();
            let mailbox = mailbox(&address).unwrap();
            assert_eq!((mailbox.name, mailbox.email.to_string()), (None, text.to_owned()));
        }
        let accented = EmailAddress::parse("Ñandú@example.org").unwrap();
        assert_eq!(mailbox(&accented).unwrap().email.to_string(), "ñandú@example.org");
    }
}
