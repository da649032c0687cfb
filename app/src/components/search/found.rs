//! The messages that match what is written in a field of another component.

use leptos::prelude::*;

use super::FoundParts;
use super::finder::Finder;
use super::results::Links;
use crate::erase::Erase as _;

/// The messages, as links.
#[component]
pub fn Found(
    /// What it needs.
    parts: FoundParts,
) -> impl IntoView {
    let FoundParts { text, scope, reader, actions } = parts;
    let finder = Finder::new(scope, reader, actions);
    Effect::new(move |_| finder.type_text(text.get()));
    view! { <div class="found" data-testid="found-messages"><Links finder /></div> }.erase()
}
