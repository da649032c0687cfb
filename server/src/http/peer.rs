//! Where a request comes from.

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

/// The other end of the socket that a request came by. The accept loop puts it into every request.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// Its address.
    pub(super) address: SocketAddr,
    /// Its place, held by the connection and by what grows out of it.
    pub(super) place: Arc<Place>,
}

/// It is the proxy's way of writing, so the next request would say the same.
static TOLD: Once = Once::new();
/// Of what a proxy wrote so much is logged.
const TOLD_CHARACTERS: usize = 64;

/// The client's address: the socket's peer, or what a proxy that we trust says. `None`: that proxy does not say, and what it writes
/// may be the same for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientAddress(pub(super) Option<IpAddr>);

impl ClientAddress {
    pub(super) fn of(parts: &Parts, state: &Shared) -> Self {
        let peer = parts
            .extensions
            .get::<Peer>()
            .map_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), |peer| peer.address.ip());
        // In bytes: what a client has put in front must not hide what the proxy wrote behind it.
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

/// Who tries to sign in: from where, and with what.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// The address, for the brake.
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

/// Refuses what comes by a socket that is over a limit. Probes are answered all the same: a full server is alive.
pub(super) async fn shed(State(_): State<Shared>, request: Request, next: Next) -> Response {
    let refused = request.extensions().get::<Peer>().and_then(|peer| peer.place.refused());
    let Some(shed) = refused.filter(|_| !matches!(request.uri().path(), "/healthz" | "/readyz")) else {
        return next.run(request).await;
    };
    refusal(shed).into_response()
}

/// What a shed request is told.
pub(super) fn refusal(shed: Shed) -> ApiError {
    let wait = std::time::Duration::from_secs(5);
    match shed {
        Shed::Full => ApiError::new(ErrorCode::Overloaded, "this server is full").after(wait),
        Shed::Address => ApiError::new(ErrorCode::RateLimited, "too many connections of this address").after(wait),
    }
}
