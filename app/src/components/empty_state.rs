//! What stands where there is nothing yet: a picture, what it is, what to do next.

use leptos::prelude::*;

use super::brand::Mark;
use crate::erase::Erase as _;

/// An empty place. Its title is the page's heading where nothing else is.
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
    /// The way on, if there is one.
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
