//! Signing in and making an account.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Redirect;
use leptos_router::hooks::use_query_map;

use super::{ask, posted_done, refused};
use crate::components::{AccountForm, AccountKind, Brand, Mark, Preferences};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::paths::{encode_path, own_path};
use crate::ports::Api;

/// `/login`.
#[component]
pub fn LoginPage() -> impl IntoView {
    view! { <AccountPage kind=AccountKind::Login /> }.erase()
}

/// `/register`.
#[component]
pub fn RegisterPage() -> impl IntoView {
    view! { <AccountPage kind=AccountKind::Register /> }.erase()
}

/// Who is signed in already goes on to where the form would lead. If that is not known, the form is shown.
#[component]
fn AccountPage(kind: AccountKind) -> impl IntoView {
    let api = use_context::<Api>();
    let next = own_path(use_query_map().get_untracked().get_str("next"));
    let person = Resource::new_blocking(|| (), move |()| ask(api.as_ref(), |api| api.session()));
    let body = move || {
        let next = next.clone();
        Suspend::new(async move {
            match person.await {
                Ok(Some(_)) => view! { <Redirect path=next /> }.erase(),
                Ok(None) | Err(_) => view! { <Entrance kind next /> }.erase(),
            }
        })
    };
    view! { <Suspense>{body}</Suspense> }.erase()
}

#[component]
fn Entrance(kind: AccountKind, next: String) -> impl IntoView {
    let words = use_words();
    let error = refused();
    let done = match posted_done().as_deref() {
        Some("reset") => Some(words.reset_done),
        Some("deleted") => Some(words.account_deleted),
        Some(_) | None => None,
    };
    let forgot = (kind == AccountKind::Login).then(|| {
        let href = format!("/reset?next={}", encode_path(&next));
        view! { <p class="card-foot"><a href=href data-testid="forgot">{words.forgot_password}</a></p> }
    });
    let (title, question, other, other_path) = match kind {
        AccountKind::Login => (words.sign_in_title, words.no_account, words.sign_up, "/register"),
        AccountKind::Register => (words.sign_up_title, words.have_account, words.sign_in, "/login"),
    };
    let other_href = format!("{other_path}?next={}", encode_path(&next));
    view! {
        <Title text=if kind == AccountKind::Login { words.sign_in } else { words.sign_up } />
        <div class="plain">
            <header class="plain-bar">
                <Brand />
                <Preferences />
            </header>
            <main class="plain-main" id="content">
                <section class="card">
                    <Mark />
                    <h1 class="card-title">{title}</h1>
                    {done.map(|text| view! { <p class="form-done" role="status">{text}</p> })}
                    <AccountForm kind next error />
                    {forgot}
                    <p class="card-foot">{question} " " <a href=other_href>{other}</a></p>
                </section>
            </main>
        </div>
    }
    .erase()
}
