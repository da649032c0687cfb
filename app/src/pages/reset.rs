//! Replacing a lost password: the form that requests a link, and the page that the link opens. The browser submits both
//! forms itself.

use caravana_protocol::rest::ResetWays;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{posted_done, posted_error};
use crate::components::{Brand, CheckedField, Checks, Mark, Preferences, Rule};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::paths::{encode_path, own_path};
use crate::ports::{Api, ApiError};

/// Where to go after the reset.
fn next() -> String {
    own_path(use_query_map().read_untracked().get_str("next"))
}

async fn load(api: Option<Api>) -> Result<ResetWays, ApiError> {
    let Api(api) = api.ok_or_else(|| ApiError::unreachable("no api"))?;
    api.reset_ways().await
}

/// `/reset`.
#[component]
pub fn ResetPage() -> impl IntoView {
    let words = use_words();
    let api = use_context::<Api>();
    let loaded = Resource::new_blocking(|| (), move |()| load(api.clone()));
    let sent = posted_done().as_deref() == Some("sent");
    let body = move || {
        Suspend::new(async move {
            match loaded.await {
                Ok(ResetWays { by_mail: false }) => {
                    view! { <p class="card-text" data-testid="ask-operator">{words.reset_ask_operator}</p> }.erase()
                }
                _ if sent => view! { <p class="form-done" role="status">{words.reset_sent}</p> }.erase(),
                Ok(ResetWays { by_mail: true }) | Err(_) => view! { <AskForm next=next() /> }.erase(),
            }
        })
    };
    frame(view! { <Suspense>{body}</Suspense> }.erase())
}

/// `/reset/:token`. Opening the page changes nothing, because mail programs open links in advance.
#[component]
pub fn SetPasswordPage() -> impl IntoView {
    let words = use_words();
    let token = use_params_map().read_untracked().get("token").unwrap_or_default();
    let is_gone = use_query_map().read_untracked().get_str("error") == Some("gone");
    let body = if is_gone {
        view! {
            <p class="form-error" role="alert">{words.reset_gone}</p>
            <a class="button" href="/reset">{words.reset_ask_again}</a>
        }
        .erase()
    } else {
        let checks = Checks::new();
        checks.begin();
        view! {
            <form class="form" method="post" action=format!("/reset/{}", encode_path(&token)) novalidate=move || checks.ready() on:submit=checks.guard()>
                <p class="card-text">{words.reset_new_text}</p>
                <CheckedField checks rule=Rule::NewSecret label=words.new_password name="password" testid="new-password" />
                <PostedError />
                <button class="button" type="submit" data-testid="submit">{words.save}</button>
            </form>
        }
        .erase()
    };
    frame(body)
}

#[component]
fn AskForm(next: String) -> impl IntoView {
    let words = use_words();
    let checks = Checks::new();
    checks.begin();
    view! {
        <form class="form" method="post" action="/reset" novalidate=move || checks.ready() on:submit=checks.guard()>
            <input type="hidden" name="next" value=next />
            <p class="card-text">{words.reset_text}</p>
            <CheckedField checks rule=Rule::Email label=words.email name="email" testid="email" />
            <PostedError />
            <button class="button" type="submit" data-testid="submit">{words.reset_send}</button>
        </form>
    }
    .erase()
}

#[component]
fn PostedError() -> impl IntoView {
    let error = posted_error();
    view! {
        <div role="alert" class="form-alert">{error.map(|text| view! { <p class="form-error">{text}</p> })}</div>
    }
    .erase()
}

fn frame(body: AnyView) -> impl IntoView {
    let words = use_words();
    let sign_in = format!("/login?next={}", encode_path(&next()));
    view! {
        <Title text=words.reset_title />
        <div class="plain">
            <header class="plain-bar">
                <Brand />
                <Preferences />
            </header>
            <main class="plain-main" id="content">
                <section class="card">
                    <Mark />
                    <h1 class="card-title">{words.reset_title}</h1>
                    {body}
                    <p class="card-foot"><a href=sign_in>{words.sign_in}</a></p>
                </section>
            </main>
        </div>
    }
    .erase()
}
