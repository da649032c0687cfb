//! E-mail addresses: exactly the text that may stand in `RCPT TO:<…>`.

use std::fmt;

use crate::limits::{EMAIL_CHARACTERS, EMAIL_LABEL_CHARACTERS, EMAIL_LOCAL_CHARACTERS};

/// The text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no e-mail address")]
pub struct EmailError;

/// The address of one mailbox, in the one spelling that is stored, sent to, compared and counted: in lower case,
/// without the white space around it.
///
/// Exactly `local@domain`. The first part is words of letters, digits and the signs of RFC 5322's atoms, joined by
/// single dots; the second part is a domain name. Names, angle brackets, quotes, comments, several addresses and
/// address literals are refused. Beyond ASCII only accented Latin letters are accepted; any other domain is written as
/// its `xn--` name. Some providers ignore dots, or the part after a `+`. Here such spellings are different addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Parses an address as a person typed it.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        if text.chars().count() > EMAIL_CHARACTERS {
            return Err(EmailError);
        }
        let address = text.trim();
        let (local, domain) = address.split_once('@').ok_or(EmailError)?;
        let is_word = |word: &str| !word.is_empty() && word.chars().all(is_local);
        let is_local = local.chars().count() <= EMAIL_LOCAL_CHARACTERS && local.split('.').all(is_word);
        if is_local && domain.split('.').all(is_label) { Ok(Self(address.to_lowercase())) } else { Err(EmailError) }
    }

    /// `local@domain`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 5322's `atext`, and accented letters.
fn is_local(c: char) -> bool {
    is_letter(c) || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

fn is_label(label: &str) -> bool {
    let is_inner = |c| is_letter(c) || c == '-';
    let has_good_ends = label.starts_with(is_letter) && label.ends_with(is_letter);
    has_good_ends && label.chars().count() <= EMAIL_LABEL_CHARACTERS && label.chars().all(is_inner)
}

/// A digit or a Latin letter, except letters that become another letter, or two, in lower case or in a compatible
/// spelling.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{12F}' | '\u{131}'..='\u{131}'
            | '\u{134}'..='\u{13E}' | '\u{141}'..='\u{148}' | '\u{14A}'..='\u{17E}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        for (text, kept) in [
            ("ana@example.org", "ana@example.org"),
            ("  Ana.María@Example.ORG ", "ana.maría@example.org"),
            ("ana+viaje@localhost", "ana+viaje@localhost"),
            ("o'hara_{x}@a-b.example", "o'hara_{x}@a-b.example"),
            ("Ñandú@xn--espaa-rta.es", "ñandú@xn--espaa-rta.es"),
        ] {
            assert_eq!(EmailAddress::parse(text).unwrap().as_str(), kept);
        }
    }

    /// `a1<victim@x.org>` could be registered, and its mail went to the victim, under a name that somebody else had
    /// chosen.
    #[test]
    fn what_stands_around_an_address_is_no_part_of_one() {
        for text in [
            "",
            "ana",
            "@",
            "@example.org",
            "ana@",
            "a1<victim@x.org>",
            "<victim@x.org>",
            "\"Ana\" <ana@x.org>",
            "ana@x.org, eva@x.org",
            "ana@x.org;eva@x.org",
            "ana@x.org eva@x.org",
            "ana@@x.org",
            "ana@x.org@y.org",
            "ana(x)@x.org",
            "ana@x.org(x)",
            "\"ana eva\"@x.org",
            "ana\\@x.org",
            "ana@[127.0.0.1]",
            "ana@x..org",
            ".ana@x.org",
            "ana.@x.org",
            "a..b@x.org",
            "ana@-x.org",
            "ana@x-.org",
            "ana@x.org.",
            "a b@c.de",
            "a\n@b.c",
            "ana@x.org\r\nBcc: e@x",
            "a\0@b.c",
            "ana\u{200B}@x.org",
            "ana\u{202E}@x.org",
            "ana\u{301}@x.org",
            "аna@x.org",
            "ana@ｘ.org",
            "İ@x.org",
            "mailto:ana@x.org",
            "ana@x.org?subject=x",
            "ana@x_y.org",
            "%00@",
        ] {
            assert_eq!(EmailAddress::parse(text), Err(EmailError), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_bounded_in_all_its_parts() {
        let fits = |local: usize, label: usize| {
            EmailAddress::parse(&format!("{}@{}.org", "a".repeat(local), "b".repeat(label)))
        };
        assert!(fits(EMAIL_LOCAL_CHARACTERS, EMAIL_LABEL_CHARACTERS).is_ok());
        assert!(fits(EMAIL_LOCAL_CHARACTERS + 1, 1).is_err() && fits(1, EMAIL_LABEL_CHARACTERS + 1).is_err());
        let long = |length: usize| EmailAddress::parse(&format!("a@{}b", "b.".repeat((length - 3) / 2)));
        assert!(long(EMAIL_CHARACTERS - 1).is_ok() && long(EMAIL_CHARACTERS + 1).is_err());
    }

    /// A stored address is parsed again into the same address.
    #[test]
    fn every_letter_that_is_taken_stays_one_letter() {
        for c in (0..=0x10_FFFF).filter_map(char::from_u32).filter(|c| is_letter(*c)) {
            let text = format!("{c}@{c}.org");
            let once = EmailAddress::parse(&text).unwrap();
            assert_eq!(EmailAddress::parse(once.as_str()), Ok(once.clone()), "{text}");
            assert_eq!(once.as_str().chars().count(), text.chars().count());
        }
    }
}
