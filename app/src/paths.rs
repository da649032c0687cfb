//! Paths of this site: those of groups and messages, and paths in queries.

use std::fmt::{Display, Write as _};

use caravana_protocol::MessageId;

/// The page of a group, whose id may be text.
#[must_use]
pub(crate) fn group(group: impl Display) -> String {
    format!("/g/{group}")
}

/// The page of a group's details.
#[must_use]
pub(crate) fn members(group: impl Display) -> String {
    format!("/g/{group}/miembros")
}

/// A link to a message.
#[must_use]
pub(crate) fn message(group: impl Display, message: MessageId) -> String {
    format!("/g/{group}/m/{message}")
}

/// The message to which a path leads, if it is one of this group.
#[must_use]
pub(crate) fn linked(path: &str, group: impl Display) -> Option<MessageId> {
    path.strip_prefix(&format!("/g/{group}/m/"))?.parse().ok()
}

/// A path of this site to go to. Anybody may have written the query, so a value that does not begin with exactly one
/// slash becomes `/`.
#[must_use]
pub(crate) fn own_path(path: Option<&str>) -> String {
    let own = |path: &&str| {
        let mut letters = path.chars();
        letters.next() == Some('/')
            && !matches!(letters.next(), Some('/' | '\\'))
            && !path.chars().any(|c| c.is_control() || c == '\\')
    };
    path.filter(own).unwrap_or("/").to_owned()
}

/// A path as the value of a query parameter.
#[must_use]
pub(crate) fn encode_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_followed() {
        assert_eq!(own_path(Some("/i/abc?x=1")), "/i/abc?x=1");
        for path in ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "", "/a\nb", "g/1"] {
            assert_eq!(own_path(Some(path)), "/", "{path}");
        }
        assert_eq!(own_path(None), "/");
    }

    #[test]
    fn a_link_leads_to_its_message() {
        let (trip, other) = ("trip", "other");
        let id = MessageId::new(uuid::Uuid::from_u128(7));
        assert_eq!(linked(&message(trip, id), trip), Some(id));
        assert_eq!((linked(&message(other, id), trip), linked(&members(trip), trip)), (None, None));
    }

    #[test]
    fn a_path_survives_the_query() {
        assert_eq!(encode_path("/i/a-b?x=1&y=ñ"), "/i/a-b%3Fx%3D1%26y%3D%C3%B1");
    }
}
