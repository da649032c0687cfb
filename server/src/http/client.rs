//! The address and the socket of a request.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Once};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use caravana_protocol::ErrorCode;

use super::admission::{Place, Shed};
use super::error::ApiError;
use super::state::Shared;

/// The client's end of the socket of a request. The accept loop adds it to every request.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    /// Its address.
    pub(super) address: SocketAddr,
    /// Its place, held by the connection and by the sockets or streams that it becomes.
    pub(super) place: Arc<Place>,
}

/// Logged once: the cause is the configuration of the proxy, so the next request would repeat it.
static TOLD: Once = Once::new();
/// How many characters of a proxy's header are logged.
const TOLD_CHARACTERS: usize = 64;

/// The client's address: the socket's peer, or the address that a trusted proxy reports. `None`: the proxy reports
/// none, and its text may be the same for all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientAddress(pub(super) Option<IpAddr>);

impl ClientAddress {
    pub(super) fn of(parts: &Parts, state: &Shared) -> Self {
        let peer = parts
            .extensions
            .get::<Remote>()
            .map_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), |peer| peer.address.ip());
        // Split as bytes: invalid text from the client must not hide the part that the proxy appended.
        let forwarded: Vec<Cow<'_, str>> = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .flat_map(|header| header.as_bytes().split(|byte| *byte == b','))
            .map(String::from_utf8_lossy)
            .collect();
        let client = state.settings.trusted_proxies.client(peer, forwarded.iter().map(AsRef::as_ref));
        if let Err(hop) = client {
            TOLD.call_once(|| {
                let written: String = hop.chars().take(TOLD_CHARACTERS).collect();
                tracing::warn!(%peer, ?written, "X-Forwarded-For: a proxy of TRUSTED_PROXIES writes no address, so limits per address do not hold; said once");
            });
        }
        Self(client.ok())
    }
}

/// The client of a sign-in: its address and its headers.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// The address, for the throttle.
    pub(super) address: Option<IpAddr>,
    /// The request's headers.
    pub(super) headers: HeaderMap,
}

impl FromRequestParts<Shared> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Infallible> {
        Ok(Self { address: ClientAddress::of(parts, state).0, headers: parts.headers.clone() })
    }
}

/// Refuses requests on a socket over a limit. Probes are still answered: a full server is alive.
pub(super) async fn shed(State(_): State<Shared>, request: Request, next: Next) -> Response {
    let refused = request.extensions().get::<Remote>().and_then(|peer| peer.place.refused());
    let Some(shed) = refused.filter(|_| !matches!(request.uri().path(), "/healthz" | "/readyz")) else {
        return next.run(request).await;
    };
    refusal(shed).into_response()
}

/// The refusal of a request on a socket over a limit.
pub(super) fn refusal(shed: Shed) -> ApiError {
    let wait = std::time::Duration::from_secs(5);
    match shed {
        Shed::Full => ApiError::new(ErrorCode::Overloaded, "this server is full").after(wait),
        Shed::Address => ApiError::new(ErrorCode::RateLimited, "too many connections of this address").after(wait),
    }
}
