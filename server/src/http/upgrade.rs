//! Turns an HTTP request into a socket of the hub.
//!
//! All refusals happen here, with an HTTP status, before the upgrade. Afterwards the plain TCP stream goes to
//! [`crate::socket`], and no HTTP state stays in memory.

use std::task::{Context, Waker};
use std::time::Duration;

use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use caravana_hub::{Caller, Scope};
use caravana_protocol::limits::SUBPROTOCOL;
use caravana_protocol::{Cursor, Epoch, ErrorCode};
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};
use tokio::net::TcpStream;

use super::error::ApiError;
use super::extract::{InGroup, Query, invalid};
use super::identity::{self, Identity};
use super::state::Shared;
use super::visitor::Visitor;
use crate::auth::{LEEWAY, Secret};
use crate::clock::unix_seconds;

/// The suffix that RFC 6455 appends to the key before hashing it.
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// How long the 101 response may take to be written. Then the stream is ours; a peer that does not read even that
/// counts as gone.
const HANDOVER: Duration = Duration::from_secs(10);
/// The prefix of a token that is offered as a subprotocol.
const BEARER: &str = "bearer.";

/// GET `/ws`: many groups on one socket.
pub(super) async fn many(State(state): State<Shared>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let (identity, accept) = admit(&parts, &state).await?;
    switch(&state, Request::from_parts(parts, body), &identity, Scope::Many, &accept)
}

/// GET `/ws/chat/{group_id}`: the seed's endpoint, which joins one group at once.
pub(super) async fn one_group(State(state): State<Shared>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let (identity, accept) = admit(&parts, &state).await?;
    let InGroup(group) = InGroup::from_request_parts(&mut parts, &state).await?;
    state.store.role(group, identity.user.id).await?.ok_or_else(ApiError::not_found)?;
    let cursor = cursor(&Query::read(&parts)?)?;
    switch(&state, Request::from_parts(parts, body), &identity, Scope::Group(group, cursor), &accept)
}

/// `?epoch=…&after=<seq>`.
fn cursor(query: &Query) -> Result<Option<Cursor>, ApiError> {
    match (query.parsed::<Epoch>("epoch")?, query.seq("after")?) {
        (Some(epoch), Some(seq)) => Ok(Some(Cursor { epoch, seq })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(invalid("after", "is missing beside `epoch`")),
        (None, Some(_)) => Err(invalid("epoch", "is missing beside `after`")),
    }
}

/// Checks that there is room and that the handshake is valid, and identifies the user. Returns the identity and the
/// value of `Sec-WebSocket-Accept`.
async fn admit(parts: &Parts, state: &Shared) -> Result<(Identity, HeaderValue), ApiError> {
    Visitor::of(parts, state).may_come_in(state)?;
    let accept = handshake(parts)?;
    let identity = who(parts, state).await?.ok_or_else(ApiError::unauthenticated)?;
    Ok((identity, accept))
}

/// Checks the handshake of RFC 6455 §4.2.1.
fn handshake(parts: &Parts) -> Result<HeaderValue, ApiError> {
    let headers = &parts.headers;
    let is_upgrade = parts.method == Method::GET
        && parts.version == Version::HTTP_11
        && lists(headers, &header::CONNECTION).any(|word| word.eq_ignore_ascii_case("upgrade"))
        && lists(headers, &header::UPGRADE).any(|word| word.eq_ignore_ascii_case("websocket"));
    let version = headers.get(header::SEC_WEBSOCKET_VERSION);
    if !is_upgrade || version.is_none_or(|version| version != "13") {
        return Err(ApiError::bad_request("a WebSocket handshake of version 13 is needed here")
            .with_status(StatusCode::UPGRADE_REQUIRED));
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let key = match (keys.next(), keys.next()) {
        (Some(key), None) => Some(key.as_bytes()),
        (None | Some(_), _) => None,
    };
    let key = key
        .filter(|key| STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16))
        .ok_or_else(|| ApiError::bad_request("`Sec-WebSocket-Key` is wrong").with_status(StatusCode::BAD_REQUEST))?;
    let digest = Sha1::new().chain_update(key).chain_update(KEY_SUFFIX).finalize();
    HeaderValue::try_from(STANDARD.encode(digest)).map_err(|_| ApiError::internal())
}

/// The items of a header that is a list.
fn lists<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).map(str::trim)
}

/// Identifies the user by cookie, `Authorization`, subprotocol or ticket, in this order.
async fn who(parts: &Parts, state: &Shared) -> Result<Option<Identity>, ApiError> {
    identity::refuse_token_in_url(parts)?;
    let token = match identity::bearer(&parts.headers)? {
        Some(token) => Some(token),
        None => lists(&parts.headers, &header::SEC_WEBSOCKET_PROTOCOL).find_map(|word| word.strip_prefix(BEARER)),
    };
    let query = Query::read(parts)?;
    let ticket = query.text("ticket")?;
    if state.session_cookie.is_in(&parts.headers) {
        // Browsers send the cookie with every socket, whatever page opens it. For a foreign page the cookie is ignored;
        // it needs a credential of its own.
        let foreign = state.origins.allow(&parts.headers) == Some(false);
        if foreign && token.is_none() && ticket.is_none() {
            return Err(state.origins.refuse(ErrorCode::OriginNotAllowed, &parts.headers));
        }
        if !foreign && let Some(identity) = identity::by_cookie(parts, state).await? {
            return Ok(Some(identity));
        }
    }
    match (token, ticket) {
        (Some(token), _) => identity::by_token(token, state).await.map(Some),
        (None, Some(ticket)) => by_ticket(ticket, state).await.map(Some),
        (None, None) => Ok(None),
    }
}

/// A ticket is valid only as long as the credential that it was made with.
async fn by_ticket(ticket: &str, state: &Shared) -> Result<Identity, ApiError> {
    let (hash, now) = (Secret::parse(ticket).ok_or_else(ApiError::unauthenticated)?.hash(), unix_seconds());
    let (user, proof) = state.store.take_ticket(hash, now).await?.ok_or_else(ApiError::unauthenticated)?;
    if proof.expires_at.is_some_and(|end| end.saturating_add_unsigned(LEEWAY.as_secs()) <= now) {
        return Err(ApiError::unauthenticated());
    }
    let user = state.store.user(user).await?.ok_or_else(ApiError::unauthenticated)?;
    // A socket offers nothing that is forbidden to guests, so this need not be known here.
    Ok(Identity { user, is_guest: false, proof, is_direct: false })
}

/// Answers 101, and passes on the stream once the answer is written.
fn switch(
    state: &Shared,
    mut request: Request,
    identity: &Identity,
    scope: Scope,
    accept: &HeaderValue,
) -> Result<Response, ApiError> {
    let (head, body) = request.into_parts();
    let places = Visitor::of(&head, state).take_place(state)?;
    let offers_ours = lists(&head.headers, &header::SEC_WEBSOCKET_PROTOCOL).any(|word| word == SUBPROTOCOL);
    request = Request::from_parts(head, body);
    let upgrade = hyper::upgrade::on(&mut request);
    let hub = std::sync::Arc::clone(&state.hub);
    let identity = Caller {
        user_id: identity.user.id,
        proof: identity.proof,
        is_direct: identity.is_direct,
        sharing: identity.user.sharing,
    };
    state.shutdown.spawn(async move {
        let _places = places;
        let Ok(Ok(upgraded)) = tokio::time::timeout(HANDOVER, upgrade).await else { return };
        let Ok(bare) = upgraded.downcast::<TokioIo<TcpStream>>() else {
            tracing::error!("an upgraded connection is no TCP stream");
            return;
        };
        // Copied, so that hyper's buffer of 8 KiB does not live as long as the socket.
        let (stream, early) = (bare.io.into_inner(), bare.read_buf.to_vec());
        drop(bare.read_buf);
        forget_reader(&stream);
        let connection = hub.connect(&identity, scope);
        drop(hub);
        crate::socket::drive(stream, &early, connection).await;
    });
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept.clone());
    if offers_ours {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    Ok(response)
}

/// Lets go of the task that read the request: the stream would keep its waker, and so its memory (1 KiB), until another
/// waker takes the place. [`crate::socket`] waits in another way, which leaves this one as it is.
fn forget_reader(stream: &TcpStream) {
    let _ = stream.poll_read_ready(&mut Context::from_waker(Waker::noop()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/ws");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    const GOOD: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    #[test]
    fn the_key_of_the_rfc_gets_the_answer_of_the_rfc() {
        assert_eq!(handshake(&parts(&GOOD)).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_handshake_is_refused() {
        for (index, value, status) in [
            (0, "close", StatusCode::UPGRADE_REQUIRED),
            (1, "h2c", StatusCode::UPGRADE_REQUIRED),
            (2, "8", StatusCode::UPGRADE_REQUIRED),
            (3, "short", StatusCode::BAD_REQUEST),
        ] {
            let mut headers = GOOD;
            headers[index].1 = value;
            assert_eq!(handshake(&parts(&headers)).unwrap_err().status, status, "{value}");
        }
        assert!(handshake(&parts(&GOOD[..3])).is_err());
    }
}
