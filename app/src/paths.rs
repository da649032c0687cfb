//! Paths of this site in queries.

use std::fmt::Write as _;

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
    fn a_path_survives_the_query() {
        assert_eq!(encode_path("/i/a-b?x=1&y=ñ"), "/i/a-b%3Fx%3D1%26y%3D%C3%B1");
    }
}
