//! Shown where there is no content yet: a picture, a title, and what to do next.

use leptos::prelude::*;

use super::brand::Mark;
use crate::erase::Erase as _;

/// The empty state. Its title is the page's heading if there is no other.
#[component]
pub fn EmptyState(
    /// What it is.
    #[prop(into)]
    title: String,
    /// What to do next.
    #[prop(into)]
    text: String,
    /// Whether the title is the heading of the page.
    #[prop(optional)]
    heading: bool,
    /// A link or button for the next step, if there is one.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let title = if heading {
        view! { <h1 class="empty-title">{title}</h1> }.erase()
    } else {
        view! { <p class="empty-title">{title}</p> }.erase()
    };
    view! {
        <div class="empty">
            <Mark />
            {title}
            <p class="empty-text">{text}</p>
            {children.map(|children| children())}
        </div>
    }
    .erase()
}
