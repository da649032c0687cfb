//! The settings for sending mail.

use lettre::message::Mailbox;
use secrecy::{ExposeSecret as _, SecretString};

use super::{AppEnv, SettingError};
use crate::origin::Origin;

const SERVER: &str = "SMTP_URL";
const SENDER: &str = "MAIL_FROM";

/// A mail server, and the sender of the mails.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// `smtps://…` or `smtp://…`, with a password where there is one.
    pub smtp_url: SecretString,
    /// The sender.
    pub from: Mailbox,
}

/// Reads both settings. Without a server there is no mail, and a sender alone has no effect.
pub(super) fn mail(
    url: Option<SecretString>,
    from: Option<String>,
    app_env: AppEnv,
) -> Result<Option<MailSettings>, SettingError> {
    let Some(smtp_url) = url.filter(|url| !url.expose_secret().is_empty()) else { return Ok(None) };
    super::database::check_signs(SERVER, smtp_url.expose_secret())?;
    let open = is_open(smtp_url.expose_secret())?;
    if open && app_env == AppEnv::Production {
        return Err(SettingError::new(
            SERVER,
            "links in open letters can be read on their way; use smtps:// or ?tls=required",
        ));
    }
    let from = from.ok_or_else(|| SettingError::new(SENDER, "letters need a sender, like chat@example.org"))?;
    let from = from.parse().map_err(|_| SettingError::new(SENDER, "not an address like chat@example.org"))?;
    Ok(Some(MailSettings { smtp_url, from }))
}

/// Whether the connection to the mail server is not encrypted, so that others can read it. The error does not repeat the
/// address.
fn is_open(url: &str) -> Result<bool, SettingError> {
    let refuse = || SettingError::new(SERVER, "not understood; use smtps://user:password@host or smtp://host:port");
    let (scheme, rest) = url.split_once("://").ok_or_else(refuse)?;
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let host = authority.trim_end_matches('/').rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.is_empty() {
        return Err(refuse());
    }
    match scheme {
        "smtps" => Ok(false),
        "smtp" => {
            let here = Origin::parse(&format!("http://{}", host.trim_end_matches('/')))
                .is_ok_and(|origin| origin.is_loopback());
            Ok(!here && !query.split('&').any(|pair| pair == "tls=required"))
        }
        _ => Err(refuse()),
    }
}
