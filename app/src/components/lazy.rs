//! Parts of the screen whose code is loaded when they are first shown.
//!
//! Owns [`fn@lazy`] and what is shown while a chunk is on its way or did not come. A chunk is the code that only the
//! functions marked with `#[wasm_split]` of one name need; the build cuts it out of the bundle. Guarantees that a part
//! whose chunk is there is rendered at once, in the same step as everything around it: on the server always, and in the
//! browser at hydration, because the browser's entry waits for [`crate::pages::load_for`] before it hydrates. A part that
//! begins with a field has a field of the same kind from the first moment, so that no key is lost or goes elsewhere.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use leptos::html::Input;
use leptos::prelude::*;
use wasm_split_helpers::SplitLoaderError;

use super::empty_state::EmptyState;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;

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

/// What the reader has typed while a part was on its way.
#[derive(Clone, Copy)]
struct Typed(StoredValue<String>);

/// Takes what the reader has typed while this part was on its way. For its field; the caret belongs behind the text.
pub(crate) fn take_typed() -> String {
    use_context::<Typed>().and_then(|typed| typed.0.try_update_value(std::mem::take)).unwrap_or_default()
}

/// Gives a field the focus, and what the reader has typed while this part was on its way. Returns the text.
pub(crate) fn go_on_typing(field: NodeRef<Input>) -> String {
    let typed = take_typed();
    let text = typed.clone();
    Effect::new(move |_| {
        let Some(field) = field.get() else { return };
        if !text.is_empty() {
            field.set_value(&text);
        }
        drop(field.focus());
    });
    typed
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
    part(load, show, None)
}

/// The same for a part that begins with a field. Where there is a keyboard, the reader may type at once, and the field
/// takes it over ([`take_typed`]).
pub(crate) fn lazy_field<L, S>(
    load: impl Fn() -> L + Send + Sync + 'static,
    show: impl Fn() -> S + Send + Sync + 'static,
) -> AnyView
where
    L: Future<Output = Result<(), NotLoaded>> + 'static,
    S: Future<Output = Result<AnyView, NotLoaded>>,
{
    part(load, show, Some(Typed(StoredValue::new(String::new()))))
}

fn part<L, S>(
    load: impl Fn() -> L + Send + Sync + 'static,
    show: impl Fn() -> S + Send + Sync + 'static,
    typed: Option<Typed>,
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
        Chunk::Loading => view! { <Waiting typed /> }.erase(),
        Chunk::Here => {
            if let Some(typed) = typed {
                provide_context(typed);
            }
            now(show()).and_then(Result::ok).unwrap_or_else(|| ().erase())
        }
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
fn Waiting(typed: Option<Typed>) -> impl IntoView {
    let words = use_words();
    let has_keyboard = use_device().is_some_and(|device| !device.touch());
    let field = typed.filter(|_| has_keyboard).map(|typed| view! { <StandIn typed /> });
    view! {
        <div class="lazy" aria-busy="true">
            {field}
            <p class="visually-hidden" role="status">{words.loading}</p>
        </div>
    }
    .erase()
}

/// The field in place of the one that is on its way.
#[component]
fn StandIn(typed: Typed) -> impl IntoView {
    let words = use_words();
    let field = NodeRef::<Input>::new();
    let focus = move || drop(field.try_get_untracked().flatten().map(|field| field.focus()));
    Effect::new(move |_| {
        field.track();
        focus();
        // What is around it may be shown only with the next frame, and only then it can take the focus.
        request_animation_frame(focus);
    });
    view! {
        <input
            class="input lazy-field"
            type="text"
            autofocus
            autocomplete="off"
            aria-label=words.loading
            data-testid="lazy-field"
            node_ref=field
            prop:value=typed.0.try_get_value().unwrap_or_default()
            on:input=move |event| {
                typed.0.try_set_value(event_target_value(&event));
            }
        />
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
