//! Pages for a missing address and for a failed load.

use caravana_protocol::ErrorCode;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{Brand, EmptyState, Preferences};
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::ports::{ApiError, respond};

/// No such page.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    let words = use_words();
    respond(404);
    view! {
        <Title text=words.not_found_title />
        <div class="plain">
            <header class="plain-bar">
                <Brand />
                <Preferences />
            </header>
            <main class="plain-main" id="content">
                <EmptyState title=words.not_found_title text=words.not_found_text heading=true>
                    <a class="button" href="/">{words.go_home}</a>
                </EmptyState>
            </main>
        </div>
    }
    .erase()
}

/// A page that could not be loaded.
#[component]
pub fn FailedPage(
    /// Why.
    error: ApiError,
) -> impl IntoView {
    let words = use_words();
    let missing = error.code() == Some(ErrorCode::NotFound);
    let (status, title, text) = if missing {
        (404, words.not_found_title, words.not_found_text.to_owned())
    } else {
        (503, words.error_title, explain(words, error.code()))
    };
    respond(status);
    view! {
        <Title text=title />
        <div class="pane-empty" role="alert">
            <EmptyState title text heading=true>
                <a class="button" href="/" rel="external">{words.go_home}</a>
            </EmptyState>
        </div>
    }
    .erase()
}
