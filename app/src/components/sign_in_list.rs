//! The person's sign-ins, with buttons that end them.

use caravana_protocol::rest::SignIn;
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::{Words, use_words};
use crate::reader::use_reader;
use crate::says::says;
use crate::time::Reader;

/// The list.
#[component]
pub fn SignInList(
    /// The sign-ins; one of them is this page's.
    sign_ins: Vec<SignIn>,
) -> impl IntoView {
    let words = use_words();
    let reader = use_reader();
    let others = sign_ins.iter().any(|sign_in| !sign_in.current).then(|| {
        view! {
            <form method="post" action="/account/sessions">
                <button class="button button-soft" type="submit" data-testid="end-other-sessions">
                    {words.end_other_sessions}
                </button>
            </form>
        }
    });
    let rows: Vec<_> = sign_ins.into_iter().map(|sign_in| view! { <Row sign_in reader /> }).collect();
    view! {
        <ul class="sign-ins">{rows}</ul>
        {others}
    }
    .erase()
}

#[component]
fn Row(sign_in: SignIn, reader: RwSignal<Reader>) -> impl IntoView {
    let words = use_words();
    let SignIn { id, browser, created_at, last_seen_at, online, current } = sign_in;
    let name = browser.unwrap_or_else(|| words.unknown_browser.to_owned());
    let when = move || {
        let date = |at| (words.short_date)(reader.get().civil(at));
        format!("{} · {}", (words.signed_in_since)(&date(created_at)), seen(words, online, &date(last_seen_at)))
    };
    let end = if current {
        view! { <span class="tag">{words.this_device}</span> }.erase()
    } else {
        view! {
            <form method="post" action="/account/sessions">
                <input type="hidden" name="session" value=id.to_string() />
                <button class="button button-quiet" type="submit" data-testid="end-session" aria-label=format!("{}: {name}", words.end_session)>
                    {words.end_session}
                </button>
            </form>
        }
        .erase()
    };
    view! {
        <li class="sign-in" data-testid="sign-in">
            <span class="sign-in-text">
                <span class="sign-in-name">{name.clone()}</span>
                <span class="field-hint" {..says(when)}></span>
            </span>
            {end}
        </li>
    }
    .erase()
}

fn seen(words: &Words, online: bool, date: &str) -> String {
    if online { words.online.to_owned() } else { (words.last_seen)(date) }
}
