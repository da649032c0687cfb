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
pub mod plain;
pub mod reset;
pub mod welcome;

use caravana_protocol::ErrorCode;
use leptos::prelude::{Read as _, ReadUntracked as _};

use crate::chat::Bridge;
use crate::chat::store::ChatStateStoreFields as _;
use crate::i18n::{explain, use_words};
use crate::ports::{Api, ApiError, ApiFuture, ChatApi};

pub use chat::{ChatPage, NoGroup};
pub use group::GroupPage;
pub use not_found::{FailedPage, NotFoundPage};
pub use plain::{PlainPage, load_for};
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

/// The number of all unread messages, for the page's title, without those of muted groups; `None` if the chat is gone.
fn unread_of_all(bridge: Bridge) -> Option<u64> {
    let groups = bridge.chat.groups().try_read()?;
    Some(groups.iter().filter(|group| !group.muted).map(|group| group.unread).sum())
}

/// Asks the server, if the context has an interface to it.
fn ask<T: Send + 'static>(api: Option<&Api>, question: impl FnOnce(&dyn ChatApi) -> ApiFuture<T>) -> ApiFuture<T> {
    match api {
        Some(Api(api)) => question(&**api),
        None => Box::pin(async { Err(ApiError::unreachable("no api")) }),
    }
}
