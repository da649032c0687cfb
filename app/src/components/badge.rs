//! A number of unread messages.

use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::says::{said, says};

/// A number of messages, as short as a badge needs it.
fn number(count: u64) -> String {
    if count > 99 { "99+".to_owned() } else { count.to_string() }
}

/// The number of unread messages; nothing if there are none.
#[component]
pub fn Badge(
    /// How many.
    #[prop(into)]
    count: Signal<u64>,
    /// The reader wants to be told nothing of them.
    #[prop(into)]
    quiet: Signal<bool>,
) -> impl IntoView {
    let words = use_words();
    let any = Memo::new(move |_| count.get() > 0);
    (move || {
        any.get().then(|| {
            view! {
                <span class="badge" class:badge-quiet=quiet>
                    <span aria-hidden="true" {..says(move || number(count.get()))}></span>
                    <span class="visually-hidden" {..says(move || (words.unread)(count.get()))}></span>
                </span>
            }
        })
    })
    .erase()
}

/// Somebody mentions the reader in so many of them; nothing if nobody does.
#[component]
pub fn MentionBadge(
    /// In how many.
    #[prop(into)]
    count: Signal<u64>,
) -> impl IntoView {
    let words = use_words();
    (move || {
        let count = count.get();
        (count > 0).then(|| {
            view! {
                <span class="badge badge-mention">
                    <span aria-hidden="true">"@"</span>
                    <span class="visually-hidden" {..said((words.list.mentioned)(count))}></span>
                </span>
            }
        })
    })
    .erase()
}
