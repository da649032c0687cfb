//! What an account is found by: an e-mail address, or what an earlier version took for one.

use caravana_protocol::{EmailAddress, limits};

/// What somebody signs in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountName {
    /// The address of a mailbox.
    Address(EmailAddress),
    /// No address any more. Accounts that have it are still their people's: they come in with their password, and by a link that
    /// the operator hands over. Nothing is ever sent there, nobody new gets it, and where nobody has it, it is refused like any
    /// other text that is no address.
    Former(String),
}

impl AccountName {
    /// Reads what somebody typed. `None`: there never was a version that kept it.
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
            // Letters that become others in lower case (the Kelvin sign) are no way to somebody else's address.
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
