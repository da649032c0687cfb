//! The state of the link to the server: always in the header, and in a strip below it if the reader can do something.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::chat::store::LinkView;
use crate::erase::Erase as _;
use crate::i18n::{Words, use_words};
use crate::says::{said, says};

fn short(words: &'static Words, link: LinkView) -> &'static str {
    match link {
        LinkView::Quiet | LinkView::Connecting => words.connecting,
        LinkView::Online => words.connected,
        LinkView::CatchingUp => words.catching_up,
        LinkView::Restored => words.restored,
        LinkView::Reconnecting(_) => words.reconnecting,
        LinkView::NoInternet | LinkView::Unreachable(_) | LinkView::Ended | LinkView::Stopped => words.offline,
    }
}

/// The line in the header: the state of the link while it is not good, else `calm`.
#[component]
pub fn ConnectionStatus(
    /// The state.
    #[prop(into)]
    link: Signal<LinkView>,
    /// What the line says while all is well.
    #[prop(into)]
    calm: Signal<String>,
) -> impl IntoView {
    let words = use_words();
    let is_calm = move || matches!(link.get(), LinkView::Quiet | LinkView::Online);
    let text = move || if is_calm() { calm.get() } else { short(words, link.get()).to_owned() };
    // Who is online changes all the time and is not announced.
    let announced = move || if is_calm() { String::new() } else { short(words, link.get()).to_owned() };
    view! {
        <p class="status" data-testid="connection" data-state=move || link.get().word()>
            <span class="status-dot" aria-hidden="true"></span>
            <span class="status-text" {..says(text)}></span>
        </p>
        <p class="visually-hidden" role="status" {..says(announced)}></p>
    }
    .erase()
}

/// The strip below the header; empty while the link works.
#[component]
pub fn ConnectionBanner(
    /// The state.
    #[prop(into)]
    link: Signal<LinkView>,
    /// Connect now instead of after the wait.
    retry: Callback<()>,
    /// The path to return to after signing in.
    #[prop(into)]
    next: Signal<String>,
) -> impl IntoView {
    let words = use_words();
    let text = move |text: &'static str| view! { <span {..said(text)}></span> };
    let waiting = move |seconds: Option<u64>| {
        view! {
            {seconds.map(|seconds| view! { <span class="banner-wait" {..said((words.retry_in)(seconds))}></span> })}
            <button class="banner-action" type="button" on:click=move |_| retry.run(())>{words.retry_now}</button>
        }
    };
    move || {
        let body = match link.get() {
            LinkView::Quiet | LinkView::Connecting | LinkView::Online | LinkView::CatchingUp | LinkView::Restored => {
                return None;
            }
            LinkView::NoInternet => text(words.no_internet).erase(),
            LinkView::Reconnecting(None) => return None,
            LinkView::Reconnecting(seconds) => view! { {text(words.reconnecting)} {waiting(seconds)} }.erase(),
            LinkView::Unreachable(seconds) => view! { {text(words.unreachable)} {waiting(seconds)} }.erase(),
            LinkView::Stopped => view! { {text(words.error_title)} {waiting(None)} }.erase(),
            LinkView::Ended => {
                let href = move || format!("/login?next={}", next.get());
                view! { {text(words.session_ended)} <a class="banner-action" href=href rel="external">{words.sign_in}</a> }
                    .erase()
            }
        };
        Some(view! {
            <div class="banner" data-state=link.get().word()>
                <Icon glyph=Glyph::Alert />
                <div class="banner-body">{body}</div>
            </div>
        })
    }
}
