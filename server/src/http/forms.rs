//! The forms of the pages, posted without JavaScript. Every answer is a 303: to the next page, or back with `?error=`.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use caravana_hub::Posted;
use caravana_protocol::rest::{Login, NewGroup, Register};
use caravana_protocol::{Content, ErrorCode, MessageId};
use serde::Deserialize;

use super::client::Client;
use super::error::ApiError;
use super::extract::{Form, InGroup, Query, TokenInPath};
use super::identity::Identity;
use super::local_path::local;
use super::state::Shared;
use super::{groups, invites, messages, signing_in};

/// The fields of `/login`.
#[derive(Deserialize)]
pub(super) struct LoginForm {
    email: String,
    password: String,
    #[serde(default)]
    next: Option<String>,
}

/// The fields of `/register`.
#[derive(Deserialize)]
pub(super) struct RegisterForm {
    email: String,
    password: String,
    display_name: String,
    #[serde(default)]
    next: Option<String>,
}

/// The fields of `/groups`.
#[derive(Deserialize)]
pub(super) struct GroupForm {
    name: String,
    #[serde(default)]
    time_zone: Option<String>,
}

/// The fields of `/g/{group_id}`.
#[derive(Deserialize)]
pub(super) struct MessageForm {
    message: String,
    #[serde(default)]
    id: Option<String>,
}

/// POST `/login`.
pub(super) async fn login(
    State(state): State<Shared>,
    client: Client,
    query: Query,
    Form(form): Form<LoginForm>,
) -> Response {
    let next = next(form.next.as_deref(), &query);
    let credentials = Login { email: form.email, password: form.password };
    match signing_in::sign_in(&state, &client, credentials).await {
        Ok((_, cookie)) => with_cookie(to(next.unwrap_or("/")), cookie),
        Err(error) => back("/login", &error, next),
    }
}

/// POST `/register`.
pub(super) async fn register(
    State(state): State<Shared>,
    client: Client,
    query: Query,
    Form(form): Form<RegisterForm>,
) -> Response {
    let next = next(form.next.as_deref(), &query);
    let account = Register { email: form.email, password: form.password, display_name: form.display_name };
    match signing_in::sign_up(&state, &client, account).await {
        Ok((_, cookie)) => with_cookie(to(next.unwrap_or("/")), cookie),
        Err(error) => back("/register", &error, next),
    }
}

/// POST `/logout`.
pub(super) async fn logout(State(state): State<Shared>, headers: HeaderMap) -> Response {
    match signing_in::sign_out(&state, &headers).await {
        Ok(cookie) => left(&state, with_cookie(to("/"), cookie)),
        Err(error) => back("/", &error, None),
    }
}

/// POST `/groups`.
pub(super) async fn create_group(
    State(state): State<Shared>,
    identity: Option<Identity>,
    Form(form): Form<GroupForm>,
) -> Response {
    let Some(identity) = identity else { return to("/login") };
    let time_zone = form.time_zone.filter(|zone| !zone.is_empty());
    let group = NewGroup { time_zone, ..NewGroup::named(form.name) };
    match groups::make(&state, &identity, group).await {
        Ok(group) => to(&format!("/g/{}", group.id)),
        Err(error) => back("/", &error, None),
    }
}

/// POST `/g/{group_id}`: sends a message. The page's form carries an id, so that posting it twice sends once.
pub(super) async fn send(
    State(state): State<Shared>,
    identity: Option<Identity>,
    InGroup(group_id): InGroup,
    Form(form): Form<MessageForm>,
) -> Response {
    let page = format!("/g/{group_id}");
    let Some(identity) = identity else { return sign_in_first(&page) };
    let id: Result<Option<MessageId>, _> = form.id.filter(|id| !id.is_empty()).map(|id| id.parse()).transpose();
    let Ok(id) = id else {
        return back(&page, &ApiError::new(ErrorCode::InvalidId, "`id` is no UUID"), None);
    };
    let posted = Posted { user_id: identity.user.id, group_id, id, content: Content::text(form.message) };
    match messages::post(&state, posted).await {
        Ok(_) => to(&page),
        Err(error) => back(&page, &error, None),
    }
}

/// POST `/i/{token}`: joins the group.
pub(super) async fn accept_invite(
    State(state): State<Shared>,
    identity: Option<Identity>,
    TokenInPath(token): TokenInPath,
) -> Response {
    // A text that can't be one of our secrets is not put into an address.
    let Some(secret) = crate::auth::Secret::parse(&token) else { return ApiError::not_found().into_response() };
    let page = format!("/i/{}", secret.expose());
    let Some(identity) = identity else { return sign_in_first(&page) };
    match invites::join(&state, identity.user.id, &token).await {
        Ok(group) => to(&format!("/g/{}", group.id)),
        Err(error) => back(&page, &error, None),
    }
}
/// The page after a sign-in: the form's field, else the query of the address that the form was posted to.
fn next<'a>(field: Option<&'a str>, query: &'a Query) -> Option<&'a str> {
    local(field.or_else(|| query.text("next").ok().flatten()))
}

/// Completes the answer to a sign-out by form: the browser deletes what our pages store for the user. With TLS the
/// header does this at once, because the standard allows it only there. Otherwise a cookie tells the next page of ours
/// to do it.
pub(super) fn left(state: &Shared, mut response: Response) -> Response {
    if state.settings.is_secure() {
        response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"storage\""));
    }
    match state.session_cookie.signed_out() {
        Some(cookie) => with_cookie(response, cookie),
        None => response,
    }
}

pub(super) fn to(path: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(path) else { return ApiError::internal().into_response() };
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))],
    )
        .into_response()
}

pub(super) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

pub(super) fn sign_in_first(page: &str) -> Response {
    let query = serde_urlencoded::to_string([("next", page)]).unwrap_or_default();
    to(&format!("/login?{query}"))
}

/// Redirects back to the page of the form, which explains the code.
fn back(page: &str, error: &ApiError, next: Option<&str>) -> Response {
    let fields = std::iter::once(("error", error.code.as_str())).chain(next.map(|next| ("next", next)));
    let query = serde_urlencoded::to_string(fields.collect::<Vec<_>>()).unwrap_or_default();
    to(&format!("{page}?{query}"))
}
