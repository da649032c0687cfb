//! The sign-ins of a user, and ending them.

use std::collections::BTreeSet;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use caravana_hub::broker::{Revoked, Signal};
use caravana_hub::budgets::Act;
use caravana_protocol::rest::{SignIn, SignInsAnswer};
use caravana_store::{SecretHash, SignInRow};
use uuid::Uuid;

use super::cookies::SESSION_SECONDS;
use super::error::ApiError;
use super::extract::OfSession;
use super::identity::{Identity, SignedIn};
use super::state::Shared;
use crate::clock::{to_timestamp, unix_seconds};
use crate::sign_ins;

/// Lists the sign-ins of the user.
#[utoipa::path(
    get,
    path = "/sessions",
    tag = "accounts",
    operation_id = "list_sessions",
    security(("cookie" = [])),
    responses((status = 200, description = "The sign-ins.", body = SignInsAnswer))
)]
pub(super) async fn list(
    State(state): State<Shared>,
    SignedIn(identity): SignedIn,
) -> Result<Answer<SignInsAnswer>, ApiError> {
    Ok(Answer(SignInsAnswer { sessions: of(&state, &identity).await? }))
}

/// Signs out everywhere else.
///
/// Tokens that were made before become invalid, and all sockets of other sign-ins close.
#[utoipa::path(
    delete,
    path = "/sessions",
    tag = "accounts",
    operation_id = "end_other_sessions",
    security(("cookie" = [])),
    responses((status = 204, description = "Only the asking sign-in is left."))
)]
pub(super) async fn end_others(
    State(state): State<Shared>,
    SignedIn(identity): SignedIn,
) -> Result<StatusCode, ApiError> {
    end_all_others(&state, &identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one sign-in, and closes its sockets.
#[utoipa::path(
    delete,
    path = "/sessions/{session_id}",
    tag = "accounts",
    operation_id = "end_session",
    params(OfSession),
    security(("cookie" = [])),
    responses((status = 204, description = "Signed out there."))
)]
pub(super) async fn end(
    State(state): State<Shared>,
    SignedIn(identity): SignedIn,
    OfSession(id): OfSession,
) -> Result<StatusCode, ApiError> {
    end_one(&state, &identity, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The sign-ins of this user.
pub(super) async fn of(state: &Shared, identity: &Identity) -> Result<Vec<SignIn>, ApiError> {
    let rows = state.store.sessions(identity.user.id, unix_seconds()).await?;
    let online: BTreeSet<SecretHash> = state.hub.sessions_of(identity.user.id);
    let sign_in = |row: SignInRow| SignIn {
        id: public_id(&row.token),
        browser: row.browser,
        created_at: to_timestamp(row.created_at),
        last_seen_at: to_timestamp(row.expires_at - SESSION_SECONDS),
        online: online.contains(&row.token),
        current: identity.proof.session == Some(row.token),
    };
    Ok(rows.into_iter().map(sign_in).collect())
}

/// Ends all sign-ins of this user except the one of this request.
pub(super) async fn end_all_others(state: &Shared, identity: &Identity) -> Result<(), ApiError> {
    identity.spends(state, Act::EndSignIns)?;
    Ok(sign_ins::end_all(&state.hub, &*state.store, identity.user.id, identity.proof.session).await?)
}

/// Ends one sign-in of this user.
pub(super) async fn end_one(state: &Shared, identity: &Identity, id: Uuid) -> Result<(), ApiError> {
    identity.spends(state, Act::EndSignIns)?;
    let user = identity.user.id;
    let rows = state.store.sessions(user, unix_seconds()).await?;
    let found = rows.iter().find(|row| public_id(&row.token) == id).ok_or_else(ApiError::not_found)?;
    state.store.delete_session(found.token).await?;
    state.hub.signal(Signal::Revoked(user, Revoked::SignIn(found.token)));
    Ok(())
}

/// The first half of the secret's hash as an id. It reveals neither the secret nor the whole hash.
fn public_id(token: &SecretHash) -> Uuid {
    let mut half = [0; 16];
    half.copy_from_slice(&token[..16]);
    uuid::Builder::from_custom_bytes(half).into_uuid()
}
