//! The HTTP side: routes, upgrades, pages.
//!
//! Owns the way from a TCP connection to a handler, and what every answer has in common. Promises that whoever asks is
//! known by one function ([`identity`]), that every refusal has one shape ([`envelope`]), and that nothing a client
//! sends is read without a bound. Decides nothing about groups and messages: that is the store's and the hub's.

mod accept;
mod accounts;
mod admission;
mod cookies;
mod envelope;
mod error;
mod extract;
mod files;
mod forms;
mod groups;
mod headers;
mod health;
mod identity;
mod invites;
mod members;
mod messages;
mod origins;
mod peer;
mod site;
mod upgrade;

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, delete, get, patch, post};
use caravana_protocol::ErrorCode;
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use accept::accept;
pub use admission::Admission;
pub use cookies::SessionCookie;
pub use error::ApiError;
pub use origins::Origins;

use crate::state::Shared;

/// A request whose body does not arrive, or that waits for something, is answered after this time.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// All routes.
pub(crate) fn router(state: &Shared) -> Router {
    site::prepare();
    Router::new()
        .nest("/api/v1", api())
        .route("/api", any(unknown))
        .route("/api/", any(unknown))
        .route("/api/{*rest}", any(unknown))
        .route("/chat/{group_id}/connections", get(members::connections))
        .route("/ws", get(upgrade::many))
        .route("/ws/chat/{group_id}", get(upgrade::one_group))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/version", get(health::version))
        .merge(pages())
        .fallback(site::page)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(state.clone(), identity::renew_cookie))
        .layer(from_fn_with_state(state.clone(), origins::guard_writes))
        .layer(from_fn(time_limit))
        .layer(CatchPanicLayer::custom(envelope::after_panic))
        .layer(from_fn_with_state(state.clone(), peer::shed))
        .layer(from_fn_with_state(state.clone(), headers::secure))
        .layer(from_fn(envelope::around))
        .with_state(state.clone())
}

/// PROTOCOL §3.
fn api() -> Router<Shared> {
    Router::new()
        .route("/auth/register", post(accounts::register))
        .route("/auth/login", post(accounts::login))
        .route("/auth/logout", post(accounts::logout))
        .route("/auth/token", post(accounts::token))
        .route("/session", get(accounts::session))
        .route("/ws-ticket", post(accounts::ticket))
        .route("/groups", get(groups::list).post(groups::create))
        .route("/groups/{group_id}", get(groups::show).patch(groups::update).delete(groups::delete))
        .route("/groups/{group_id}/members", get(members::list))
        .route("/groups/{group_id}/members/{user_id}", patch(members::set_role).delete(members::remove))
        .route("/groups/{group_id}/invites", post(invites::create))
        .route("/groups/{group_id}/messages", get(messages::list).post(messages::send))
        .route("/groups/{group_id}/messages/{message_id}", patch(messages::edit).merge(delete(messages::delete)))
        .route("/groups/{group_id}/events", get(messages::events))
        .route("/invites/{token}", get(invites::preview))
        .route("/invites/{token}/accept", post(invites::accept))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
}

/// Pages whose forms also post to their own address.
fn pages() -> Router<Shared> {
    Router::new()
        .route("/login", get(site::page).post(forms::login))
        .route("/register", get(site::page).post(forms::register))
        .route("/logout", get(site::page).post(forms::logout))
        .route("/groups", get(site::page).post(forms::create_group))
        .route("/g/{group_id}", get(site::page).post(forms::send))
        .route("/i/{token}", get(site::page).post(forms::accept_invite))
}

async fn unknown() -> ApiError {
    ApiError::not_found()
}

async fn wrong_method() -> ApiError {
    ApiError::bad_request("this address does not take this method").with_status(StatusCode::METHOD_NOT_ALLOWED)
}

async fn time_limit(request: Request, next: Next) -> Response {
    tokio::time::timeout(REQUEST_TIME, next.run(request)).await.unwrap_or_else(|_| {
        ApiError::new(ErrorCode::TemporarilyUnavailable, "this request took too long")
            .with_status(StatusCode::REQUEST_TIMEOUT)
            .into_response()
    })
}
