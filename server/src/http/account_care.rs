//! The user's own account: password, name, deletion. Only with a cookie: no token changes the sign-in data of a user.

use std::net::IpAddr;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use caravana_hub::broker::Signal;
use caravana_hub::budgets::Act;
use caravana_protocol::rest::{AccountPatch, ChangePassword, DeleteAccount, User, UserAnswer};
use caravana_protocol::{DisplayName, ErrorCode};
use caravana_store::{PasswordChange, SharingPatch, StoreError};
use caravana_telemetry::causes;

use super::client::Client;
use super::error::{ApiError, Named as _};
use super::extract::Json;
use super::identity::{Identity, SignedIn};
use super::signing_in::{self, Proven};
use super::state::Shared;
use crate::auth::{Passwords, Secret};
use crate::clock::unix_seconds;
use crate::pruning;
use crate::sign_ins;

/// How long the answer to a deletion waits for the account to be removed from its messages.
const FORGET_WITHIN: Duration = Duration::from_secs(5);

/// Changes one's password.
///
/// A wrong current password is `invalid_credentials`, and attempts are counted like sign-ins. Everything else that the
/// user is signed in with ends, and its sockets close; this sign-in continues with the cookie of the answer.
#[utoipa::path(
    post,
    path = "/auth/password",
    tag = "accounts",
    request_body = ChangePassword,
    security(("cookie" = [])),
    responses((status = 204, description = "Changed.", headers(("set-cookie" = String, description = "The session cookie.")))),
    extensions(("x-refusals" = json!(["forbidden", "invalid_credentials", "rate_limited", "overloaded"])))
)]
pub(super) async fn change_password(
    State(state): State<Shared>,
    SignedIn(identity): SignedIn,
    client: Client,
    Json(asked): Json<ChangePassword>,
) -> Result<impl IntoResponse, ApiError> {
    let cookie = change(&state, &identity, client.address, asked).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])))
}

/// Changes one's account.
///
/// Members who have a group open see a new name when they load the group again. Whoever does not share how far they have read,
/// or that they are typing, does not see that of others.
#[utoipa::path(
    patch,
    path = "/account",
    tag = "accounts",
    operation_id = "update_account",
    request_body = AccountPatch,
    security(("cookie" = [])),
    responses((status = 200, description = "The person, as they are now.", body = UserAnswer))
)]
pub(super) async fn update(
    State(state): State<Shared>,
    SignedIn(identity): SignedIn,
    Json(patch): Json<AccountPatch>,
) -> Result<Answer<UserAnswer>, ApiError> {
    let AccountPatch { display_name, share_reads, share_typing, share_last_seen } = patch;
    let name = display_name.map(|name| DisplayName::parse(&name)).transpose()?;
    let patch = SharingPatch { share_reads, share_typing, share_last_seen };
    let shares = patch != SharingPatch::default();
    if name.is_some() || shares {
        identity.spends(&state, Act::ChangeAccount)?;
    }
    let mut user = identity.user;
    if let Some(name) = name {
        state.store.rename_user(user.id, name.as_str()).await?;
        user.display_name = name.as_str().to_owned();
    }
    if shares {
        user.sharing = state.store.share(user.id, patch).await?;
    }
    Ok(Answer(UserAnswer { user }))
}

/// Ends one's account, for ever.
///
/// Requires the password; a wrong one is `invalid_credentials`, and every attempt is counted. The user leaves all
/// groups (a group that the user owns goes to the longest-serving admin, or without an admin to the longest-serving
/// member; without other members it ends), and all data stored about the user is deleted. The user's messages stay,
/// without an author. All sockets close with 4505.
#[utoipa::path(
    post,
    path = "/account/delete",
    tag = "accounts",
    operation_id = "delete_account",
    request_body = DeleteAccount,
    security(("cookie" = [])),
    responses((status = 204, description = "Gone; the cookie is taken back.", headers(("set-cookie" = String, description = "The session cookie.")))),
    extensions(("x-refusals" = json!(["forbidden", "invalid_credentials", "rate_limited", "overloaded"])))
)]
pub(super) async fn delete(
    State(state): State<Shared>,
    SignedIn(identity): SignedIn,
    client: Client,
    Json(proof): Json<DeleteAccount>,
) -> Result<impl IntoResponse, ApiError> {
    let cookie = end(&state, &identity, client.address, proof.password).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])))
}

/// Changes the password. Returns the header with the new cookie of this sign-in.
pub(super) async fn change(
    state: &Shared,
    identity: &Identity,
    address: Option<IpAddr>,
    change: ChangePassword,
) -> Result<HeaderValue, ApiError> {
    Passwords::check(&change.new_password)?;
    identity.spends(state, Act::ChangeAccount)?;
    let session = identity.proof.session.ok_or_else(ApiError::unauthenticated)?;
    let email = email(identity)?;
    let Proven { user, password_hash: known } = prove(state, identity, address, change.password).await?;
    state.throttle.succeeded(email, address);
    let password_hash = state.passwords.hash(change.new_password).await?;
    let secret = Secret::generate();
    let renewed = secret.hash();
    let change = PasswordChange { user: user.id, known, password_hash, session, renewed, now: unix_seconds() };
    state.store.change_password(change).await.named(ErrorCode::IdConflict, overtaken())?;
    // The user's own pages stay open: their sockets now depend on the new secret.
    state.hub.signal(Signal::Renewed { user_id: user.id, session, renewed });
    sign_ins::close_all(&state.hub, user.id, Some(renewed));
    state.session_cookie.set(&secret).ok_or_else(ApiError::internal)
}

/// Renames the user.
pub(super) async fn rename(state: &Shared, identity: Identity, name: &str) -> Result<User, ApiError> {
    let display_name = DisplayName::parse(name)?.as_str().to_owned();
    identity.spends(state, Act::ChangeAccount)?;
    let user = identity.user;
    state.store.rename_user(user.id, &display_name).await?;
    Ok(User { display_name, ..user })
}

/// Changes what the user lets others see.
pub(super) async fn share(state: &Shared, identity: &Identity, patch: SharingPatch) -> Result<(), ApiError> {
    identity.spends(state, Act::ChangeAccount)?;
    state.store.share(identity.user.id, patch).await?;
    Ok(())
}

/// Deletes the account. Returns the header that clears the cookie.
pub(super) async fn end(
    state: &Shared,
    identity: &Identity,
    address: Option<IpAddr>,
    password: String,
) -> Result<HeaderValue, ApiError> {
    // The attempt stays counted, so that deleting many accounts costs more than making them.
    let Proven { user, password_hash } = prove(state, identity, address, password).await?;
    state
        .store
        .delete_account(user.id, &password_hash)
        .await
        .inspect_err(|error| {
            // The account was not deleted, and the password was right.
            if matches!(error, StoreError::Forbidden) {
                state.throttle.take_back(email(identity).unwrap_or_default(), address);
            }
        })
        .named(ErrorCode::IdConflict, overtaken())
        .named(ErrorCode::Forbidden, authors_stay())?;
    sign_ins::close_all(&state.hub, user.id, None);
    // The account is already deleted. If its messages are not finished in time, pruning completes them.
    match tokio::time::timeout(FORGET_WITHIN, pruning::forget_authors(&*state.store)).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = %causes(&error), "an ended account still stands at some messages");
        }
    }
    state.session_cookie.clear().ok_or_else(ApiError::internal)
}

async fn prove(
    state: &Shared,
    identity: &Identity,
    address: Option<IpAddr>,
    password: String,
) -> Result<Proven, ApiError> {
    let proven = signing_in::prove(state, address, email(identity)?, password).await?;
    // An e-mail leads to one account for ever. This check guards against a later change of that rule.
    if proven.user.id == identity.user.id { Ok(proven) } else { Err(ApiError::wrong_credentials()) }
}

fn email(identity: &Identity) -> Result<&str, ApiError> {
    identity.user.email.as_deref().ok_or_else(|| ApiError::new(ErrorCode::Forbidden, "there is no password here"))
}

/// The password was changed, or the account deleted, while this request was running.
fn overtaken() -> ApiError {
    ApiError::wrong_credentials()
}

/// The host's table does not allow messages without an author.
fn authors_stay() -> ApiError {
    ApiError::new(ErrorCode::Forbidden, "messages here need an author, so no account can end")
}
