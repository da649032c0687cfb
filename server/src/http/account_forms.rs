//! The forms of the account pages, posted without JavaScript. Every answer is a 303 back to the page, with `?done=`, or
//! with `?error=` and `at=`, which name the result and the form.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use caravana_protocol::ErrorCode;
use caravana_protocol::rest::ChangePassword;
use caravana_store::SharingPatch;
use serde::Deserialize;

use super::client::Client;
use super::cookies::GoingTo;
use super::error::ApiError;
use super::extract::{Form, TokenInPath};
use super::forms::{left, sign_in_first, to, with_cookie};
use super::identity::SignedIn;
use super::local_path::local;
use super::state::Shared;
use super::{account_care, resets, sessions};
use crate::auth::Secret;

/// The path of the account page.
const PAGE: &str = "/account";

/// The field of `/account/name`.
#[derive(Deserialize)]
pub(super) struct NameForm {
    display_name: String,
}

/// The fields of `/account/privacy`. A browser sends only the switches that are on.
#[derive(Deserialize)]
pub(super) struct PrivacyForm {
    #[serde(default)]
    share_reads: Option<String>,
    #[serde(default)]
    share_typing: Option<String>,
}

/// The fields of `/account/password`.
#[derive(Deserialize)]
pub(super) struct PasswordForm {
    password: String,
    new_password: String,
}

/// The field of `/account/sessions`: the sign-in to end. If it is missing, all others end.
#[derive(Deserialize)]
pub(super) struct SessionForm {
    #[serde(default)]
    session: Option<String>,
}

/// The field of `/account/delete` and of `/reset/{token}`.
#[derive(Deserialize)]
pub(super) struct OnePassword {
    password: String,
}

/// The fields of `/reset`.
#[derive(Deserialize)]
pub(super) struct ResetForm {
    email: String,
    #[serde(default)]
    next: Option<String>,
}

/// GET of a form's address, for a browser that reloads it: redirects to the page with the form.
pub(super) async fn show() -> Response {
    to(PAGE)
}

/// POST `/account/name`.
pub(super) async fn rename(
    State(state): State<Shared>,
    identity: Result<SignedIn, ApiError>,
    Form(form): Form<NameForm>,
) -> Response {
    let SignedIn(identity) = match identity {
        Ok(identity) => identity,
        Err(error) => return refused_entry(error),
    };
    match account_care::rename(&state, identity, &form.display_name).await {
        Ok(_) => done(PAGE, "name"),
        Err(error) => back(PAGE, &error, "name"),
    }
}

/// POST `/account/privacy`.
pub(super) async fn share(
    State(state): State<Shared>,
    identity: Result<SignedIn, ApiError>,
    Form(form): Form<PrivacyForm>,
) -> Response {
    let SignedIn(identity) = match identity {
        Ok(identity) => identity,
        Err(error) => return refused_entry(error),
    };
    let patch = SharingPatch {
        share_reads: Some(form.share_reads.is_some()),
        share_typing: Some(form.share_typing.is_some()),
        share_last_seen: None,
    };
    match account_care::share(&state, &identity, patch).await {
        Ok(()) => done(PAGE, "privacy"),
        Err(error) => back(PAGE, &error, "privacy"),
    }
}

/// POST `/account/password`.
pub(super) async fn change_password(
    State(state): State<Shared>,
    identity: Result<SignedIn, ApiError>,
    client: Client,
    Form(form): Form<PasswordForm>,
) -> Response {
    let SignedIn(identity) = match identity {
        Ok(identity) => identity,
        Err(error) => return refused_entry(error),
    };
    let change = ChangePassword { password: form.password, new_password: form.new_password };
    match account_care::change(&state, &identity, client.address, change).await {
        Ok(cookie) => with_cookie(done(PAGE, "password"), cookie),
        Err(error) => back(PAGE, &error, "password"),
    }
}

/// POST `/account/sessions`.
pub(super) async fn end_sessions(
    State(state): State<Shared>,
    identity: Result<SignedIn, ApiError>,
    Form(form): Form<SessionForm>,
) -> Response {
    let SignedIn(identity) = match identity {
        Ok(identity) => identity,
        Err(error) => return refused_entry(error),
    };
    let ended = match form.session.filter(|id| !id.is_empty()).map(|id| id.parse()) {
        Some(Ok(id)) => sessions::end_one(&state, &identity, id).await,
        Some(Err(_)) => Err(ApiError::new(ErrorCode::InvalidId, "`session` is no UUID")),
        None => sessions::end_all_others(&state, &identity).await,
    };
    match ended {
        Ok(()) => done(PAGE, "sessions"),
        // The sign-in has already ended, which is what the user wanted.
        Err(error) if error.code == ErrorCode::NotFound => done(PAGE, "sessions"),
        Err(error) => back(PAGE, &error, "sessions"),
    }
}

/// POST `/account/delete`.
pub(super) async fn delete(
    State(state): State<Shared>,
    identity: Result<SignedIn, ApiError>,
    client: Client,
    Form(form): Form<OnePassword>,
) -> Response {
    let SignedIn(identity) = match identity {
        Ok(identity) => identity,
        Err(error) => return refused_entry(error),
    };
    match account_care::end(&state, &identity, client.address, form.password).await {
        Ok(cookie) => left(&state, with_cookie(done("/login", "deleted"), cookie)),
        Err(error) => back(PAGE, &error, "delete"),
    }
}

/// POST `/reset`.
pub(super) async fn ask_reset(State(state): State<Shared>, client: Client, Form(form): Form<ResetForm>) -> Response {
    let next = local(form.next.as_deref());
    match resets::request(&state, &client, &form.email) {
        Ok(()) => {
            let kept = GoingTo::keep(next, state.settings.is_secure());
            kept.into_iter().fold(to(&leading_on(done_path("/reset", "sent"), next)), with_cookie)
        }
        Err(error) => to(&leading_on(back_path("/reset", &error, "reset"), next)),
    }
}

/// POST `/reset/{token}`.
pub(super) async fn set_password(
    State(state): State<Shared>,
    TokenInPath(token): TokenInPath,
    client: Client,
    headers: HeaderMap,
    Form(form): Form<OnePassword>,
) -> Response {
    // A text that can't be one of our secrets is not put into an address.
    let Some(secret) = Secret::parse(&token) else { return ApiError::not_found().into_response() };
    match resets::replace(&state, &client, &token, form.password).await {
        Ok(()) => {
            let forgotten = GoingTo::keep(None, state.settings.is_secure());
            let login = leading_on(done_path("/login", "reset"), GoingTo::read(&headers));
            forgotten.into_iter().fold(to(&login), with_cookie)
        }
        Err(error) => back(&format!("/reset/{}", secret.expose()), &error, "reset"),
    }
}

/// Answers a request without a signed-in user, or one whose user could not be determined.
fn refused_entry(error: ApiError) -> Response {
    if error.code == ErrorCode::Unauthenticated { sign_in_first(PAGE) } else { error.into_response() }
}

fn done(page: &str, what: &str) -> Response {
    to(&done_path(page, what))
}

fn done_path(page: &str, what: &str) -> String {
    format!("{page}?done={what}")
}

fn back(page: &str, error: &ApiError, at: &str) -> Response {
    to(&back_path(page, error, at))
}

fn back_path(page: &str, error: &ApiError, at: &str) -> String {
    format!("{page}?error={}&at={at}", error.code.as_str())
}

/// Keeps the final destination in the address of the page, for example an invite.
fn leading_on(page: String, next: Option<&str>) -> String {
    let Some(next) = next else { return page };
    format!("{page}&{}", serde_urlencoded::to_string([("next", next)]).unwrap_or_default())
}
