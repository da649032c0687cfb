//! The mails to users, in their language.

use caravana_app::i18n::Lang;
use caravana_protocol::EmailAddress;

use super::Letter;

/// The mail with a link for a new password. It contains no text that the owner of the account chose: the e-mail of an account
/// is not verified, so an account with a foreign e-mail could otherwise be used to write to strangers.
pub(super) fn reset(lang: Lang, to: EmailAddress, link: &str) -> Letter {
    let (subject, text) = match lang {
        Lang::Es => (
            "Tu enlace para crear una contraseña nueva",
            format!(
                "Hola:\n\nPediste una contraseña nueva para Caravana. Abre este enlace y elígela:\n\n{link}\n\n\
                 Vale una hora y una sola vez. Al usarlo se cierran todas tus sesiones.\n\n\
                 Si no lo pediste tú, no tienes que hacer nada: tu contraseña sigue siendo la misma.\n"
            ),
        ),
        Lang::En => (
            "Your link for a new password",
            format!(
                "Hello,\n\nYou asked for a new password for Caravana. Open this link and choose one:\n\n{link}\n\n\
                 It is good for an hour and can be used once. Using it signs you out everywhere.\n\n\
                 If this was not you, there is nothing to do: your password has not changed.\n"
            ),
        ),
    };
    Letter { to, subject: subject.to_owned(), text }
}
