//! The name «Caravana» and its mark: three travellers on a dune, which are also the dots of somebody typing.

use leptos::prelude::*;

use crate::erase::Erase as _;

/// The mark alone; decorative.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 40 40" aria-hidden="true" focusable="false">
            <rect class="mark-sky" width="40" height="40" rx="12" />
            <path class="mark-dune" d="M0 27.5C7 20 13.5 19.5 20 23.5S33.5 27.5 40 19.5V28a12 12 0 0 1-12 12H12A12 12 0 0 1 0 28Z" />
            <circle class="mark-dot" cx="9" cy="16" r="3.1" />
            <circle class="mark-dot" cx="18.5" cy="15.6" r="3.1" />
            <circle class="mark-dot mark-lead" cx="28" cy="16.5" r="3.1" />
        </svg>
    }
    .erase()
}

/// The mark with the name, as a way home.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <a class="brand" href="/">
            <Mark />
            <span class="brand-name">"Caravana"</span>
        </a>
    }
    .erase()
}
