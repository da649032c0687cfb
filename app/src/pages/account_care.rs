//! `/account`: the person's name, password, sign-ins and data, and the deletion of the account.
//!
//! The browser submits these forms itself, with or without scripts: they change who is signed in, so the page is loaded
//! again anyway. The query tells the result: `done`, or `error` with `at`.

use caravana_protocol::ErrorCode;
use caravana_protocol::rest::{Sharing, SignIn, User};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Redirect;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

use super::{FailedPage, posted_done};
use crate::components::{BlockedPeople, Brand, CheckedField, Checks, Glyph, Icon, Preferences, Rule, SignInList};
use crate::erase::Erase as _;
use crate::i18n::{Words, explain, use_words};
use crate::ports::{Api, ApiError};

/// The person and all sign-ins.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Account {
    user: User,
    sign_ins: Vec<SignIn>,
    blocked: Vec<User>,
}

async fn load(api: Option<Api>) -> Result<Option<Account>, ApiError> {
    let Api(api) = api.ok_or_else(|| ApiError::unreachable("no api"))?;
    let Some(user) = api.session().await? else { return Ok(None) };
    let sign_ins = api.sign_ins().await?;
    let blocked = api.blocked().await?;
    Ok(Some(Account { user, sign_ins, blocked }))
}

/// The page.
#[component]
pub fn AccountCarePage() -> impl IntoView {
    let api = use_context::<Api>();
    let loaded = Resource::new_blocking(|| (), move |()| load(api.clone()));
    let body = move || {
        Suspend::new(async move {
            match loaded.await {
                Ok(Some(account)) => view! { <Care account /> }.erase(),
                Ok(None) => view! { <Redirect path="/login?next=/account" /> }.erase(),
                Err(error) => view! { <FailedPage error /> }.erase(),
            }
        })
    };
    view! { <Suspense>{body}</Suspense> }.erase()
}

#[component]
fn Care(account: Account) -> impl IntoView {
    let words = use_words();
    let Account { user, sign_ins, blocked } = account;
    let (person, email, sharing) = (user.id, user.email.clone().unwrap_or_default(), user.sharing);
    view! {
        <Title text=words.account />
        <div class="plain">
            <header class="plain-bar">
                <Brand />
                <Preferences person />
            </header>
            <main class="care" id="content">
                <header class="care-head">
                    <a class="icon-button" href="/" aria-label=words.back title=words.back><Icon glyph=Glyph::Back /></a>
                    <h1 class="card-title">{words.account}</h1>
                    <bdi class="care-email">{email}</bdi>
                </header>
                <Done />
                <NameForm user />
                <PrivacyForm sharing />
                <PasswordForm />
                <section class="care-part">
                    <h2 class="care-title">{words.sessions_title}</h2>
                    <Refused at="sessions" />
                    <SignInList sign_ins />
                </section>
                <BlockedPeople people=blocked />
                <section class="care-part">
                    <h2 class="care-title">{words.export_title}</h2>
                    <p class="card-text">{words.export_text}</p>
                    <a class="button button-soft" href="/api/v1/account/export" download="caravana.json" rel="external" data-testid="export">
                        {words.export}
                    </a>
                </section>
                <DeleteForm />
            </main>
        </div>
    }
    .erase()
}

/// The result of the last submission.
#[component]
fn Done() -> impl IntoView {
    let words = use_words();
    let text = match posted_done().as_deref() {
        Some("name") => Some(words.account_saved_name),
        Some("privacy") => Some(words.privacy.saved),
        Some("password") => Some(words.account_saved_password),
        Some("sessions") => Some(words.account_signed_out),
        Some(_) | None => None,
    };
    text.map(|text| view! { <p class="form-done" role="status" data-testid="done">{text}</p> })
}

/// The error of the last submission of this form.
#[component]
fn Refused(at: &'static str) -> impl IntoView {
    let words = use_words();
    let query = use_query_map().get_untracked();
    let code = query.get_str("error").filter(|_| query.get_str("at") == Some(at)).map(ErrorCode::from_word);
    let text = code.map(|code| refusal(words, code.unwrap_or(ErrorCode::BadRequest)));
    view! {
        <div role="alert" class="form-alert">{text.map(|text| view! { <p class="form-error">{text}</p> })}</div>
    }
    .erase()
}

fn refusal(words: &Words, code: ErrorCode) -> String {
    // The person is signed in, so only the password can be wrong, not the e-mail.
    if code == ErrorCode::InvalidCredentials {
        words.error_present_password.to_owned()
    } else {
        explain(words, Some(code))
    }
}

#[component]
fn NameForm(user: User) -> impl IntoView {
    let words = use_words();
    let checks = Checks::new();
    view! {
        <form class="care-part" method="post" action="/account/name" novalidate=move || checks.ready() on:submit=checks.guard()>
            <CheckedField checks rule=Rule::Name label=words.display_name name="display_name" testid="display-name" value=user.display_name />
            <Refused at="name" />
            <button class="button button-soft" type="submit" data-testid="save-name">{words.save}</button>
        </form>
    }
    .erase()
}

/// What others see of what the person does. A browser sends only the switches that are on.
#[component]
fn PrivacyForm(sharing: Sharing) -> impl IntoView {
    let words = use_words();
    let switch = |name: &'static str, label: &'static str, on: bool| {
        view! {
            <label class="check">
                <input type="checkbox" name=name checked=on data-testid=name />
                {label}
            </label>
        }
        .erase()
    };
    view! {
        <form class="care-part" method="post" action="/account/privacy">
            <h2 class="care-title">{words.privacy.title}</h2>
            <p class="card-text">{words.privacy.text}</p>
            {switch("share_reads", words.privacy.reads, sharing.share_reads)}
            {switch("share_typing", words.privacy.typing, sharing.share_typing)}
            <Refused at="privacy" />
            <button class="button button-soft" type="submit" data-testid="save-privacy">{words.save}</button>
        </form>
    }
    .erase()
}

#[component]
fn PasswordForm() -> impl IntoView {
    let words = use_words();
    let checks = Checks::new();
    view! {
        <form class="care-part" method="post" action="/account/password" novalidate=move || checks.ready() on:submit=checks.guard()>
            <h2 class="care-title">{words.password_title}</h2>
            <p class="card-text">{words.change_password_text}</p>
            <CheckedField checks rule=Rule::Secret label=words.present_password name="password" testid="present-password" />
            <CheckedField checks rule=Rule::NewSecret label=words.new_password name="new_password" testid="new-password" />
            <Refused at="password" />
            <button class="button button-soft" type="submit" data-testid="change-password">{words.change_password}</button>
        </form>
    }
    .erase()
}

/// Deleting takes two steps: the person opens the form, and enters the password. The form is already open if a password
/// was just refused.
#[component]
fn DeleteForm() -> impl IntoView {
    let words = use_words();
    let checks = Checks::new();
    let was_refused = use_query_map().read_untracked().get_str("at") == Some("delete");
    view! {
        <section class="care-part">
            <h2 class="care-title">{words.delete_title}</h2>
            <p class="card-text">{words.delete_text}</p>
            <details class="care-end" open=was_refused>
                <summary class="button button-quiet button-danger" data-testid="delete-account">{words.delete_account}</summary>
                <form class="form" method="post" action="/account/delete" novalidate=move || checks.ready() on:submit=checks.guard()>
                    <CheckedField checks rule=Rule::Secret label=words.present_password name="password" testid="delete-password" />
                    <Refused at="delete" />
                    <button class="button button-end" type="submit" data-testid="delete-for-ever">{words.delete_for_ever}</button>
                </form>
            </details>
        </section>
    }
    .erase()
}
