//! The name by which an account is found: an e-mail address, or a text that an earlier version accepted as one.

use caravana_protocol::{EmailAddress, limits};

/// The name that a user signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountName {
    /// The address of a mailbox.
    Address(EmailAddress),
    /// A text that is no longer accepted as an address. Existing accounts with such a name still work: their users sign
    /// in with their password, or with a link from the operator. The server never sends mail to it and never gives it
    /// to a new account. If no account has it, it is refused like any other text that is not an address.
    Former(String),
}

impl AccountName {
    /// Parses what a user typed. `None`: no version ever accepted this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = EmailAddress::parse(text) {
            return Some(Self::Address(address));
        }
        let name = text.trim().to_lowercase();
        let was_taken = text.chars().count() <= limits::EMAIL_CHARACTERS
            && name
                .rsplit_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && domain.split('.').all(|label| !label.is_empty()))
            && !name.chars().any(|c| c.is_whitespace() || c.is_control())
            // Some characters change to other letters in lower case (the Kelvin sign). They must not lead to another
            // user's address.
            && EmailAddress::parse(&name).is_err();
        was_taken.then_some(Self::Former(name))
    }

    /// The spelling that is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Address(address) => address.as_str(),
            Self::Former(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_an_address_once_is_found_in_its_spelling() {
        for (text, kept) in [
            (" Ana@Пример.РФ ", "ana@пример.рф"),
            ("x@My_Host.lan", "x@my_host.lan"),
            ("ana\u{301}@x.org", "ana\u{301}@x.org"),
            ("a1<victim@x.org>", "a1<victim@x.org>"),
        ] {
            assert_eq!(AccountName::parse(text), Some(AccountName::Former(kept.into())));
        }
        assert!(matches!(AccountName::parse(" ANA@example.org"), Some(AccountName::Address(_))));
        for text in [
            "",
            "ana",
            "@example.org",
            "ana@",
            "ana@example..org",
            "a b@c.de",
            "a\n@b.c",
            "a\0@b.c",
            "\u{212a}@z.org",
            &"a@".repeat(150),
        ] {
            assert_eq!(AccountName::parse(text), None, "{text:?}");
        }
    }
}
