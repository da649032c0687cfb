//! Parts of the screen whose code is loaded when they are first shown.
//!
//! Owns [`fn@lazy`] and what is shown while a chunk is on its way or did not come. A chunk is the code that only the
//! functions marked with `#[wasm_split]` of one name need; the build cuts it out of the bundle. Guarantees that a part
//! whose chunk is there is rendered at once, in the same step as everything around it: on the server always, and in the
//! browser at hydration, because the browser's entry waits for [`crate::pages::load_for`] before it hydrates.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use leptos::prelude::*;
use wasm_split_helpers::SplitLoaderError;

use super::empty_state::EmptyState;
use crate::erase::Erase as _;
use crate::i18n::use_words;

/// A chunk could not be loaded; the next attempt starts afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of the page could not be loaded")]
pub struct NotLoaded;

impl From<SplitLoaderError> for NotLoaded {
    fn from(_: SplitLoaderError) -> Self {
        Self
    }
}

/// What is known of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    Loading,
    Here,
    Missing,
}

/// Shows a part of the screen, once its chunk is loaded: `load` loads it, and `show` calls into it.
pub(crate) fn lazy<L, S>(
    load: impl Fn() -> L + Send + Sync + 'static,
    show: impl Fn() -> S + Send + Sync + 'static,
) -> AnyView
where
    L: Future<Output = Result<(), NotLoaded>> + 'static,
    S: Future<Output = Result<AnyView, NotLoaded>>,
{
    if now(load()) == Some(Ok(())) {
        return now(show()).and_then(Result::ok).unwrap_or_else(|| ().erase());
    }
    let chunk = RwSignal::new(Chunk::Loading);
    let fetch = move || {
        chunk.set(Chunk::Loading);
        let loaded = load();
        leptos::task::spawn_local(async move {
            let state = if loaded.await.is_ok() { Chunk::Here } else { Chunk::Missing };
            // The part may have left the screen.
            chunk.try_set(state);
        });
    };
    fetch();
    let retry = Callback::new(move |()| fetch());
    let part = move || match chunk.get() {
        Chunk::Loading => view! { <Waiting /> }.erase(),
        Chunk::Here => now(show()).and_then(Result::ok).unwrap_or_else(|| ().erase()),
        Chunk::Missing => view! { <Missing retry /> }.erase(),
    };
    (move || part()).erase()
}

/// The result of a future that need not wait; `None` if it must.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[component]
fn Waiting() -> impl IntoView {
    let words = use_words();
    view! {
        <div class="lazy" aria-busy="true"><p class="visually-hidden" role="status">{words.loading}</p></div>
    }
    .erase()
}

#[component]
fn Missing(retry: Callback<()>) -> impl IntoView {
    let words = use_words();
    view! {
        <div class="lazy" role="alert">
            <EmptyState title=words.part_missing_title text=words.part_missing_text>
                <button class="button" type="button" data-testid="load-again" on:click=move |_| retry.run(())>
                    {words.retry}
                </button>
            </EmptyState>
        </div>
    }
    .erase()
}
