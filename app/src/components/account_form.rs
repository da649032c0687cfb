//! Signing in and making an account: one form, two kinds.
//!
//! The browser submits the form itself before hydration. Afterwards the form calls the API and shows the answer in
//! place.

use caravana_protocol::limits::{DISPLAY_NAME_CHARACTERS, PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS};
use caravana_protocol::rest::{Login, Register, User};
use caravana_protocol::{DisplayName, ErrorCode};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::paths::encode_path;
use crate::ports::{Api, ApiFuture, Device, use_device};
use crate::says::said;

/// What the form does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// Sign in.
    Login,
    /// Make an account.
    Register,
}

/// The fields. Their values stay in the document, so that text which was typed before hydration is kept.
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
    /// Calls the server; `None` if the name is not valid.
    fn submit(self, kind: AccountKind, api: &Api, device: &dyn Device) -> Option<ApiFuture<User>> {
        let (email, password) = (value(self.email).trim().to_owned(), value(self.password));
        match kind {
            AccountKind::Login => Some(api.0.login(Login { email, password })),
            AccountKind::Register => {
                let display_name = value(self.name);
                DisplayName::parse_with(&display_name, device).ok()?;
                Some(api.0.register(Register { email, password, display_name }))
            }
        }
    }
}

/// Why the sign-in failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    /// No answer, or a refusal.
    Refused(Option<ErrorCode>),
    /// The e-mail has an account already.
    Taken,
    /// The name is not valid.
    Name,
    /// The server has signed the person in, but the browser did not keep the cookie.
    NoCookies,
}

impl Problem {
    fn of(kind: AccountKind, code: Option<ErrorCode>) -> Self {
        match (kind, code) {
            (AccountKind::Register, Some(ErrorCode::IdConflict)) => Self::Taken,
            (AccountKind::Register | AccountKind::Login, code) => Self::Refused(code),
        }
    }
}

/// Signs in, and checks that the cookie was kept. Otherwise a browser that refuses cookies would go to a page that asks
/// for a sign-in again.
async fn enter(api: &Api, answer: ApiFuture<User>, kind: AccountKind) -> Result<(), Problem> {
    answer.await.map_err(|error| Problem::of(kind, error.code()))?;
    match api.0.session().await {
        Ok(None) => Err(Problem::NoCookies),
        // Without an answer, the next page will show the problem.
        Ok(Some(_)) | Err(_) => Ok(()),
    }
}

/// The form.
#[component]
pub fn AccountForm(
    /// What it does.
    kind: AccountKind,
    /// Where to go afterwards; a path of this site.
    next: String,
    /// The error of a form that the browser submitted itself.
    error: Option<ErrorCode>,
) -> impl IntoView {
    let words = use_words();
    let (api, device) = (use_context::<Api>(), use_device());
    let fields = Fields::default();
    let problem = RwSignal::new(error.map(|code| Problem::of(kind, Some(code))));
    let busy = RwSignal::new(false);
    let action = if kind == AccountKind::Login { "/login" } else { "/register" };
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
            let Some(answer) = fields.submit(kind, &api, &*device) else {
                problem.set(Some(Problem::Name));
                busy.set(false);
                return;
            };
            let next = next.clone();
            leptos::task::spawn_local(async move {
                match enter(&api, answer, kind).await {
                    Ok(()) => device.visit(&next),
                    Err(found) => {
                        problem.set(Some(found));
                        busy.set(false);
                    }
                }
            });
        }
    };
    let label = if kind == AccountKind::Login { words.sign_in } else { words.sign_up };
    let back = next.clone();
    view! {
        <form class="form" method="post" action=action on:submit=submit>
            // A browser without scripts submits this with the form, and a refused form brings it back.
            <input type="hidden" name="next" value=next.clone() />
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
                {move || problem.get().map(|problem| view! { <Refused problem next=back.clone() /> })}
            </div>
            <button class="button" type="submit" data-testid="submit" aria-disabled=move || busy.get().to_string()>
                {label}
            </button>
        </form>
    }
    .erase()
}

#[component]
fn Refused(problem: Problem, next: String) -> impl IntoView {
    let words = use_words();
    let text = match problem {
        Problem::Refused(code) => explain(words, code),
        Problem::Taken => words.error_taken.to_owned(),
        Problem::Name => words.error_name.to_owned(),
        Problem::NoCookies => words.error_cookies.to_owned(),
    };
    let way = (problem == Problem::Taken).then(|| {
        let href = format!("/login?next={}", encode_path(&next));
        view! { <a href=href data-testid="taken-sign-in">{words.sign_in}</a> }
    });
    view! { <p class="form-error"><span {..said(text)}></span> " " {way}</p> }.erase()
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
