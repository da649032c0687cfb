//! The pages: each loads its data and connects components with the chat.

#![expect(
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    reason = "a component is called by the view macro, which uses its view and hands its properties over by value"
)]

pub mod account;
pub mod account_care;
pub mod chat;
pub mod group;
pub mod invite;
pub mod not_found;
pub mod reset;
pub mod welcome;

use std::fmt::Write as _;

use caravana_protocol::ErrorCode;
use leptos::prelude::ReadUntracked as _;

use crate::i18n::{explain, use_words};

pub use account::{LoginPage, RegisterPage};
pub use account_care::AccountCarePage;
pub use chat::{ChatPage, NoGroup};
pub use group::{GroupPage, Opened};
pub use invite::InvitePage;
pub use not_found::{FailedPage, NotFoundPage};
pub use reset::{ResetPage, SetPasswordPage};
pub use welcome::WelcomePage;

/// The error of a form that the browser submitted itself, from the query.
#[must_use]
pub fn refused() -> Option<ErrorCode> {
    let word = leptos_router::hooks::use_query_map().read_untracked().get_str("error").map(ErrorCode::from_word);
    word.map(|code| code.unwrap_or(ErrorCode::BadRequest))
}

/// The same, as a text in the reader's language.
#[must_use]
pub fn posted_error() -> Option<String> {
    refused().map(|code| explain(use_words(), Some(code)))
}

/// The result of a form that the browser submitted itself: the forms' own identifier.
#[must_use]
pub fn posted_done() -> Option<String> {
    leptos_router::hooks::use_query_map().read_untracked().get("done")
}

/// A path of this site to go to. Anybody may have written the query, so a value that does not begin with exactly one
/// slash becomes `/`.
#[must_use]
pub fn own_path(path: Option<&str>) -> String {
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
pub fn encode_path(path: &str) -> String {
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
