//! A lost password: a link by mail, and the new password that it sets.
//!
//! Whether there is an account with an e-mail is told nowhere here: asking only puts the e-mail into a queue, and who
//! takes it out looks.

use std::time::{Duration, Instant};

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use caravana_protocol::ErrorCode;
use caravana_protocol::rest::{AskReset, NewPassword, ResetWays};

use super::accounts;
use super::error::ApiError;
use super::extract::{InviteToken, Json};
use super::peer::Client;
use super::reader::Reader;
use super::state::Shared;
use crate::auth::{Passwords, Secret};
use crate::clock::unix_seconds;
use crate::sign_ins;

/// Letters are sent faster than that; when the queue is full, the mail server is slow.
const QUEUE_LATER: Duration = Duration::from_secs(30);

/// Says how a lost password is replaced here.
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
/// The answer is the same whether there is such an account or not. The link comes by mail, in the language of the page or of
/// `Accept-Language`, can be used once and for an hour. Where this server sends no mail it is `forbidden`.
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
/// Everything that the person was signed in by ends; they sign in with the new password. A link that is unknown, used or
/// over is `gone`.
#[utoipa::path(
    post,
    path = "/auth/reset/{token}",
    tag = "accounts",
    operation_id = "set_password",
    params(InviteToken),
    request_body = NewPassword,
    security(()),
    responses((status = 204, description = "The account has this password now.")),
    extensions(("x-refusals" = json!(["gone", "overloaded"])))
)]
pub(super) async fn set(
    State(state): State<Shared>,
    InviteToken(token): InviteToken,
    client: Client,
    Json(new): Json<NewPassword>,
) -> Result<StatusCode, ApiError> {
    replace(&state, &client, &token, new.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a letter on its way, if somebody here has that e-mail.
pub(super) fn request(state: &Shared, client: &Client, email: &str) -> Result<(), ApiError> {
    let mail = state
        .reset_mail
        .as_ref()
        .ok_or_else(|| ApiError::new(ErrorCode::Forbidden, "this server sends no mail; ask who runs it for a link"))?;
    let email = accounts::email(email)?;
    state.letters.begin(email.as_str(), client.address, Instant::now()).map_err(accounts::too_often)?;
    if mail.ask(email.clone(), Reader::of(&client.headers).lang) {
        Ok(())
    } else {
        // None of the letters that may be asked for was.
        state.letters.take_back(email.as_str(), client.address);
        Err(ApiError::new(ErrorCode::Overloaded, "too many letters are waiting").after(QUEUE_LATER))
    }
}

/// Uses a link up.
pub(super) async fn replace(state: &Shared, client: &Client, token: &str, password: String) -> Result<(), ApiError> {
    Passwords::check(&password)?;
    let over = || ApiError::new(ErrorCode::Gone, "this link can't be used any more");
    let token = Secret::parse(token).ok_or_else(over)?.hash();
    // Before the costly part: who only guesses costs a read.
    let holder = state.store.reset_holder(token, unix_seconds()).await?.ok_or_else(over)?;
    let password_hash = state.passwords.hash(password).await?;
    let user = state.store.reset_password(token, password_hash, unix_seconds()).await?.ok_or_else(over)?;
    sign_ins::close_all(&state.hub, user, None);
    // Who had to ask for a link has tried before, and shall not wait for that.
    state.throttle.forgive(&holder.email.unwrap_or_default(), client.address);
    Ok(())
}
