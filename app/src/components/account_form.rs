//! Signing in and making an account: one form, two kinds.
//!
//! It posts by itself before the page has been taken over; afterwards it asks the API and shows the answer in place.

use caravana_protocol::limits::{DISPLAY_NAME_CHARACTERS, PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS};
use caravana_protocol::rest::{Login, Register};
use caravana_protocol::{DisplayName, ErrorCode};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::ports::{Api, ApiError, ApiFuture, Browser, use_device};

/// What the form does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// Sign in.
    Login,
    /// Make an account.
    Register,
}

/// The fields. Their values stay in the document, so that what was typed before the page was taken over is kept.
#[derive(Clone, Copy, Default)]
struct Fields {
    name: NodeRef<Input>,
    email: NodeRef<Input>,
    password: NodeRef<Input>,
}

fn value(field: NodeRef<Input>) -> String {
    field.get_untracked().map(|input| input.value()).unwrap_or_default()
}

impl Fields {
    fn submit(self, kind: AccountKind, api: &Api, device: &dyn Browser) -> ApiFuture<caravana_protocol::rest::User> {
        let (email, password) = (value(self.email).trim().to_owned(), value(self.password));
        match kind {
            AccountKind::Login => api.0.login(Login { email, password }),
            AccountKind::Register => {
                let display_name = value(self.name);
                if DisplayName::parse_with(&display_name, device).is_err() {
                    return Box::pin(async { Err(ApiError::new(ErrorCode::BadRequest, "name")) });
                }
                api.0.register(Register { email, password, display_name })
            }
        }
    }
}

/// The form.
#[component]
pub fn AccountForm(
    /// What it does.
    kind: AccountKind,
    /// Where it leads afterwards; a path of this site.
    next: String,
    /// What a plain post came back with.
    error: Option<String>,
) -> impl IntoView {
    let words = use_words();
    let (api, device) = (use_context::<Api>(), use_device());
    let fields = Fields::default();
    let problem = RwSignal::new(error);
    let busy = RwSignal::new(false);
    let path = if kind == AccountKind::Login { "/login" } else { "/register" };
    let action = format!("{path}?next={}", crate::pages::encode_path(&next));
    let submit = {
        let next = next.clone();
        move |event: SubmitEvent| {
            let (Some(api), Some(device)) = (api.clone(), device.clone()) else { return };
            event.prevent_default();
            if busy.get_untracked() {
                return;
            }
            busy.set(true);
            problem.set(None);
            let (answer, next) = (fields.submit(kind, &api, &*device), next.clone());
            leptos::task::spawn_local(async move {
                match answer.await {
                    Ok(_) => device.visit(&next),
                    Err(error) => {
                        problem.set(Some(explain(words, error.code())));
                        busy.set(false);
                    }
                }
            });
        }
    };
    let label = if kind == AccountKind::Login { words.sign_in } else { words.sign_up };
    view! {
        <form class="form" method="post" action=action on:submit=submit>
            {(kind == AccountKind::Register).then(|| view! { <NameField field=fields.name /> })}
            <label class="field">
                <span class="field-label">{words.email}</span>
                <input
                    class="input"
                    type="email"
                    name="email"
                    autocomplete="username"
                    required
                    data-testid="email"
                    node_ref=fields.email
                />
            </label>
            <PasswordField kind field=fields.password />
            <div role="alert" class="form-alert">
                {move || problem.get().map(|text| view! { <p class="form-error">{text}</p> })}
            </div>
            <button class="button" type="submit" data-testid="submit" aria-disabled=move || busy.get().to_string()>
                {label}
            </button>
        </form>
    }
    .erase()
}

#[component]
fn NameField(field: NodeRef<Input>) -> impl IntoView {
    let words = use_words();
    view! {
        <label class="field">
            <span class="field-label">{words.display_name}</span>
            <input
                class="input"
                name="display_name"
                autocomplete="name"
                required
                maxlength=DISPLAY_NAME_CHARACTERS.to_string()
                data-testid="display-name"
                node_ref=field
            />
            <span class="field-hint">{words.display_name_hint}</span>
        </label>
    }
    .erase()
}

#[component]
fn PasswordField(kind: AccountKind, field: NodeRef<Input>) -> impl IntoView {
    let words = use_words();
    let (register, autocomplete) = match kind {
        AccountKind::Login => (false, "current-password"),
        AccountKind::Register => (true, "new-password"),
    };
    view! {
        <label class="field">
            <span class="field-label">{words.password}</span>
            <input
                class="input"
                type="password"
                name="password"
                autocomplete=autocomplete
                required
                minlength=register.then(|| PASSWORD_MIN_CHARACTERS.to_string())
                maxlength=PASSWORD_MAX_CHARACTERS.to_string()
                data-testid="password"
                node_ref=field
            />
            {register.then(|| view! { <span class="field-hint">{words.password_hint}</span> })}
        </label>
    }
    .erase()
}
