//! Links for a new password, by mail.

use std::sync::Arc;

use caravana_app::i18n::Lang;
use caravana_protocol::EmailAddress;
use caravana_store::Resets;
use caravana_telemetry::causes;
use futures::{StreamExt as _, stream};
use tokio::sync::mpsc;

use super::{Mailer, letters};
use crate::auth::{RESET_SECONDS, Secret, reset_address};
use crate::clock::unix_seconds;
use crate::origin::Origin;
use crate::shutdown::Shutdown;

/// Mails that may wait; further ones are refused, so that a flood costs bounded memory.
const QUEUE: usize = 64;
/// Mails that are sent at the same time, so that one slow mail does not delay the others.
const AT_ONCE: usize = 4;

/// The sending end of the queue.
pub struct ResetMail {
    queue: mpsc::Sender<Asked>,
}

/// A request for a link. It is not known yet whether the account exists.
struct Asked {
    email: EmailAddress,
    lang: Lang,
}

/// What the task at the receiving end of the queue needs.
#[derive(Clone)]
struct Post {
    mailer: Arc<dyn Mailer>,
    resets: Arc<dyn Resets>,
    site: Origin,
}

impl ResetMail {
    /// Starts the task that takes mails out of the queue, until the process ends. Mails that wait then are not sent; the user
    /// has to ask again.
    pub fn start(mailer: Arc<dyn Mailer>, resets: Arc<dyn Resets>, site: Origin, shutdown: &Shutdown) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (post, end) = (Post { mailer, resets, site }, shutdown.clone());
        shutdown.spawn(Box::pin(async move {
            let asked = stream::unfold(waiting, |mut waiting| async move { Some((waiting.recv().await?, waiting)) });
            let send = asked.for_each_concurrent(AT_ONCE, |asked| post.clone().send(asked));
            tokio::select! {
                () = send => {}
                () = end.triggered() => {}
            }
        }));
        Self { queue }
    }

    /// Queues a mail to this e-mail. Returns whether there was room.
    #[must_use]
    pub fn ask(&self, email: EmailAddress, lang: Lang) -> bool {
        self.queue.try_send(Asked { email, lang }).is_ok()
    }
}

impl Post {
    async fn send(self, Asked { email, lang }: Asked) {
        let (secret, now) = (Secret::generate(), unix_seconds());
        let made = self.resets.create_reset(email.as_str(), secret.hash(), now, now + RESET_SECONDS).await;
        match made {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(error = %causes(&error), "a link for a new password was not made");
                return;
            }
        }
        let letter = letters::reset(lang, email, &reset_address(&self.site, &secret));
        if let Err(error) = self.mailer.send(letter).await {
            // Mail servers repeat the e-mail address in their answers, so the log has only the kind of the error.
            let kind = match &error {
                super::MailError::Address => "address",
                super::MailError::Server(error) if error.is_timeout() => "timeout",
                super::MailError::Server(error) if error.is_transient() => "refused for now",
                super::MailError::Server(error) if error.is_permanent() => "refused",
                super::MailError::Server(error) if error.is_tls() => "TLS",
                super::MailError::Server(_) => "connection",
            };
            tracing::warn!(kind, "SMTP_URL: a letter could not be sent");
        }
    }
}
