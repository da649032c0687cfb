//! A lost password: a link by mail, and the new password that it sets.
//!
//! Nothing here reveals whether an e-mail has an account: a request only puts the e-mail into a queue, and the task
//! that takes it out looks up the account.

use std::time::{Duration, Instant};

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use caravana_protocol::ErrorCode;
use caravana_protocol::rest::{AskReset, NewPassword, ResetWays};

use super::client::Client;
use super::error::ApiError;
use super::extract::{Json, TokenInPath};
use super::reader::Reader;
use super::signing_in;
use super::state::Shared;
use crate::auth::{Passwords, Secret};
use crate::clock::unix_seconds;
use crate::sign_ins;

/// When to retry after the queue was full. Normally letters are sent faster; a full queue means that the mail server is
/// slow.
const QUEUE_LATER: Duration = Duration::from_secs(30);

/// Tells how a lost password can be replaced on this server.
#[utoipa::path(
    get,
    path = "/auth/reset",
    tag = "accounts",
    operation_id = "reset_ways",
    security(()),
    responses((status = 200, description = "By mail, or by the operator.", body = ResetWays))
)]
pub(super) async fn ways(State(state): State<Shared>) -> Answer<ResetWays> {
    Answer(ResetWays { by_mail: state.reset_mail.is_some() })
}

/// Asks for a link by which a lost password is replaced.
///
/// The answer is the same whether or not the account exists. The link comes by mail, in the language of the page or of
/// `Accept-Language`, and can be used once, within an hour. If this server sends no mail, the answer is `forbidden`.
#[utoipa::path(
    post,
    path = "/auth/reset",
    tag = "accounts",
    operation_id = "ask_reset",
    request_body = AskReset,
    security(()),
    responses((status = 204, description = "If there is such an account, a link is on its way.")),
    extensions(("x-refusals" = json!(["forbidden", "rate_limited", "overloaded"])))
)]
pub(super) async fn ask(
    State(state): State<Shared>,
    client: Client,
    Json(asked): Json<AskReset>,
) -> Result<StatusCode, ApiError> {
    request(&state, &client, &asked.email)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a new password by a link.
///
/// Everything that the user was signed in with ends; the user signs in with the new password. A link that is unknown,
/// used or expired is `gone`.
#[utoipa::path(
    post,
    path = "/auth/reset/{token}",
    tag = "accounts",
    operation_id = "set_password",
    params(TokenInPath),
    request_body = NewPassword,
    security(()),
    responses((status = 204, description = "The account has this password now.")),
    extensions(("x-refusals" = json!(["gone", "overloaded"])))
)]
pub(super) async fn set(
    State(state): State<Shared>,
    TokenInPath(token): TokenInPath,
    client: Client,
    Json(new): Json<NewPassword>,
) -> Result<StatusCode, ApiError> {
    replace(&state, &client, &token, new.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Queues a letter, which is sent if an account has that e-mail.
pub(super) fn request(state: &Shared, client: &Client, email: &str) -> Result<(), ApiError> {
    let mail = state
        .reset_mail
        .as_ref()
        .ok_or_else(|| ApiError::new(ErrorCode::Forbidden, "this server sends no mail; ask who runs it for a link"))?;
    let email = signing_in::email(email)?;
    state.letters.begin(email.as_str(), client.address, Instant::now()).map_err(signing_in::too_often)?;
    if mail.ask(email.clone(), Reader::of(&client.headers).lang) {
        Ok(())
    } else {
        // No letter was queued, so the request does not count against the limit.
        state.letters.take_back(email.as_str(), client.address);
        Err(ApiError::new(ErrorCode::Overloaded, "too many letters are waiting").after(QUEUE_LATER))
    }
}

/// Sets the new password, and uses up the link.
pub(super) async fn replace(state: &Shared, client: &Client, token: &str, password: String) -> Result<(), ApiError> {
    Passwords::check(&password)?;
    let over = || ApiError::new(ErrorCode::Gone, "this link can't be used any more");
    let token = Secret::parse(token).ok_or_else(over)?.hash();
    // This check comes before the expensive hashing: a guessed link costs only a read.
    let holder = state.store.reset_holder(token, unix_seconds()).await?.ok_or_else(over)?;
    let password_hash = state.passwords.hash(password).await?;
    let user = state.store.reset_password(token, password_hash, unix_seconds()).await?.ok_or_else(over)?;
    sign_ins::close_all(&state.hub, user, None);
    // A user who needed a link has usually tried passwords before, and should not have to wait for those failures.
    state.throttle.forgive(&holder.email.unwrap_or_default(), client.address);
    Ok(())
}
