//! Signing in and making an account: one form, two kinds.
//!
//! The browser submits the form itself before hydration. Afterwards the form calls the API and shows the answer in
//! place.

use caravana_protocol::ErrorCode;
use caravana_protocol::rest::{Login, Register, User};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;

use super::checked_field::{CheckedField, Checks, Rule};
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::paths::encode_path;
use crate::ports::{Api, ApiFuture, use_device};
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
    /// Calls the server.
    fn submit(self, kind: AccountKind, api: &Api) -> ApiFuture<User> {
        let (email, password) = (value(self.email).trim().to_owned(), value(self.password));
        match kind {
            AccountKind::Login => api.0.login(Login { email, password }),
            AccountKind::Register => api.0.register(Register { email, password, display_name: value(self.name) }),
        }
    }

    /// Brings the focus to the field that the refusal is about.
    fn blame(self, problem: Problem) {
        let field = match problem {
            Problem::Taken => self.email,
            Problem::Refused(Some(ErrorCode::InvalidCredentials)) => self.password,
            Problem::Refused(_) | Problem::NoCookies => return,
        };
        // Focusing a field that is in the document does not fail.
        let _ = field.get_untracked().map(|input| input.focus());
    }
}

/// Why the sign-in failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    /// No answer, or a refusal.
    Refused(Option<ErrorCode>),
    /// The e-mail has an account already.
    Taken,
    /// The server has signed the person in, but the browser did not keep the cookie.
    NoCookies,
}

/// Which of the two is wrong is not said to anybody.
const WRONG_PAIR: Problem = Problem::Refused(Some(ErrorCode::InvalidCredentials));

/// The id of the sentence about the whole form.
const REFUSAL: &str = "form-refusal";

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
    let (fields, checks) = (Fields::default(), Checks::new());
    checks.begin();
    let problem = RwSignal::new(error.map(|code| Problem::of(kind, Some(code))));
    let busy = RwSignal::new(false);
    let blamed = move |which: fn(Problem) -> bool| problem.get().is_some_and(which).then_some(REFUSAL);
    let of_email = Signal::derive(move || blamed(|problem| matches!(problem, Problem::Taken | WRONG_PAIR)));
    let of_password = Signal::derive(move || blamed(|problem| problem == WRONG_PAIR));
    let secret = if kind == AccountKind::Login { Rule::Secret } else { Rule::NewSecret };
    let action = if kind == AccountKind::Login { "/login" } else { "/register" };
    let submit = {
        let next = next.clone();
        move |event: SubmitEvent| {
            let (Some(api), Some(device)) = (api.clone(), device.clone()) else { return };
            event.prevent_default();
            if busy.get_untracked() {
                return;
            }
            problem.set(None);
            if !checks.pass(words, &*device) {
                return;
            }
            busy.set(true);
            let answer = fields.submit(kind, &api);
            let next = next.clone();
            leptos::task::spawn_local(async move {
                match enter(&api, answer, kind).await {
                    Ok(()) => device.visit(&next),
                    Err(found) => {
                        problem.set(Some(found));
                        busy.set(false);
                        fields.blame(found);
                    }
                }
            });
        }
    };
    let label = if kind == AccountKind::Login { words.sign_in } else { words.sign_up };
    let back = next.clone();
    view! {
        <form class="form" method="post" action=action novalidate=move || checks.ready() on:submit=submit>
            // A browser without scripts submits this with the form, and a refused form brings it back.
            <input type="hidden" name="next" value=next.clone() />
            {(kind == AccountKind::Register).then(|| view! {
                <CheckedField
                    checks
                    rule=Rule::Name
                    label=words.display_name
                    name="display_name"
                    testid="display-name"
                    input=fields.name
                />
            })}
            <CheckedField checks rule=Rule::Email label=words.email name="email" testid="email" input=fields.email refused=of_email />
            <CheckedField checks rule=secret label=words.password name="password" testid="password" input=fields.password refused=of_password />
            <div role="alert" class="form-alert" id=REFUSAL>
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
        Problem::NoCookies => words.error_cookies.to_owned(),
    };
    let way = (problem == Problem::Taken).then(|| {
        let href = format!("/login?next={}", encode_path(&next));
        view! { <a href=href data-testid="taken-sign-in">{words.sign_in}</a> }
    });
    view! { <p class="form-error"><span {..said(text)}></span> " " {way}</p> }.erase()
}
