//! Identifies the user of a request. Used for HTTP and for upgrades.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use caravana_hub::budgets::Act;
use caravana_protocol::ErrorCode;
use caravana_protocol::rest::User;
use caravana_store::{NewSession, Proof};

use super::browser;
use super::cookies::SESSION_SECONDS;
use super::error::{ApiError, Named as _};
use super::state::Shared;
use crate::auth::{self, BearerError, Secret};
use crate::clock::unix_seconds;

/// A sign-in's expiry is extended when this much of it is used up: one write an hour, not one per request. So the
/// expiry also shows, to the hour, when the sign-in was last used.
const EXTEND_AFTER: i64 = 60 * 60;
/// When a client should retry whose token could not be checked.
const KEYS_LATER: Duration = Duration::from_secs(5);

/// A user who is authenticated.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// The user.
    pub(super) user: User,
    /// Whether the user is a guest, who has not signed up anywhere. Guests read and write where they are invited, and
    /// may do nothing else. The first token that says otherwise ends the guest state for all tokens of the user.
    pub(super) is_guest: bool,
    /// The credential, whose end also closes the user's sockets.
    pub(super) proof: Proof,
    /// Whether the credential itself came with the request, and not a ticket that was made with it.
    pub(super) is_direct: bool,
}

impl Identity {
    /// Refuses guests.
    pub(super) fn no_guest(&self) -> Result<(), ApiError> {
        if self.is_guest {
            Err(ApiError::new(ErrorCode::Forbidden, "guests may not do this; sign up first"))
        } else {
            Ok(())
        }
    }

    /// Charges the user's budget.
    pub(super) fn spends(&self, state: &Shared, act: Act) -> Result<(), ApiError> {
        Ok(state.hub.budgets().charge(act, self.user.id)?)
    }
}

/// A user signed in by cookie. This is more than a token: only a person at the page has the cookie.
pub(super) struct SignedIn(pub(super) Identity);

/// The identity of the session cookie. `None` if there is no cookie, or its sign-in does not exist.
pub(super) async fn by_cookie(parts: &Parts, state: &Shared) -> Result<Option<Identity>, ApiError> {
    let Some(hash) = state.session_cookie.read(&parts.headers).map(|secret| secret.hash()) else { return Ok(None) };
    let now = unix_seconds();
    let Some((user, expires_at)) = state.store.session(hash, now).await? else { return Ok(None) };
    if expires_at - now < SESSION_SECONDS - EXTEND_AFTER {
        state.store.extend_session(hash, now + SESSION_SECONDS).await?;
        if let Some(renewed) = parts.extensions.get::<Renewed>() {
            let _ = renewed.0.set(());
        }
    }
    let proof = Proof { session: Some(hash), ..Proof::default() };
    Ok(Some(Identity { user, is_guest: false, proof, is_direct: true }))
}

/// The identity of a token. An invalid token is refused; it does not count as a missing one.
pub(super) async fn by_token(token: &str, state: &Shared) -> Result<Identity, ApiError> {
    let bearer =
        auth::bearer(&state.tokens, &*state.store, token, unix_seconds()).await.map_err(|error| match error {
            BearerError::Refused => ApiError::unauthenticated(),
            BearerError::KeysUnknown => {
                ApiError::new(ErrorCode::TemporarilyUnavailable, "tokens can't be checked now").after(KEYS_LATER)
            }
            BearerError::Store(error) => error.into(),
        })?;
    Ok(Identity { user: bearer.user, is_guest: bearer.is_guest, proof: bearer.proof, is_direct: true })
}

/// The token of `Authorization: Bearer`. Another scheme is an unknown credential, which is refused.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(ApiError::unauthenticated)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(ApiError::unauthenticated()) }
}

/// A token in the URL gets into logs, histories and referrers, so it is refused even if it is valid.
pub(super) fn refuse_token_in_url(parts: &Parts) -> Result<(), ApiError> {
    let names_a_token = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        matches!(name, "token" | "access_token")
    };
    if parts.uri.query().unwrap_or_default().split('&').any(names_a_token) {
        return Err(ApiError::new(ErrorCode::TokenInUrl, "send the token in a header, never in the address"));
    }
    Ok(())
}

/// Identifies the user by cookie or token. `None` if the request has no credential.
pub(super) async fn authenticate(parts: &Parts, state: &Shared) -> Result<Option<Identity>, ApiError> {
    refuse_token_in_url(parts)?;
    if let Some(identity) = by_cookie(parts, state).await? {
        return Ok(Some(identity));
    }
    match bearer(&parts.headers)? {
        Some(token) => by_token(token, state).await.map(Some),
        None => Ok(None),
    }
}

impl FromRequestParts<Shared> for Identity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        authenticate(parts, state).await?.ok_or_else(ApiError::unauthenticated)
    }
}

impl OptionalFromRequestParts<Shared> for Identity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Option<Self>, ApiError> {
        authenticate(parts, state).await
    }
}

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        by_cookie(parts, state).await?.map(Self).ok_or_else(ApiError::unauthenticated)
    }
}

/// Set when this request extended its sign-in, so that the cookie's expiry is extended too.
#[derive(Debug, Clone, Default)]
struct Renewed(Arc<OnceLock<()>>);

/// Sends the cookie again if the sign-in was extended.
pub(super) async fn renew_cookie(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    let Some(secret) = state.session_cookie.read(request.headers()) else { return next.run(request).await };
    let renewed = Renewed::default();
    request.extensions_mut().insert(renewed.clone());
    let mut response = next.run(request).await;
    // If a handler sets or clears the cookie itself, its header is kept.
    if renewed.0.get().is_some()
        && !response.headers().contains_key(header::SET_COOKIE)
        && let Some(header) = state.session_cookie.set(&secret)
    {
        response.headers_mut().append(header::SET_COOKIE, header);
    }
    response
}

/// Signs a user in whose password matched that hash: makes a new secret, of which the database stores the hash. If the
/// password was changed in the meantime, the sign-in is refused.
pub(super) async fn sign_in(
    (user, password_hash): (&User, String),
    headers: &HeaderMap,
    state: &Shared,
) -> Result<HeaderValue, ApiError> {
    let (secret, now) = (Secret::generate(), unix_seconds());
    let session = NewSession {
        token: secret.hash(),
        user: user.id,
        password_hash,
        browser: browser::name(headers),
        now,
        expires_at: now + SESSION_SECONDS,
    };
    state.store.create_session(session).await.named(ErrorCode::IdConflict, ApiError::wrong_credentials())?;
    state.session_cookie.set(&secret).ok_or_else(ApiError::internal)
}
