//! Who asks for a connection that lasts: a socket or a stream of events. Both pass the same door.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use caravana_protocol::ErrorCode;

use super::admission::Place;
use super::error::ApiError;
use super::peer::{self, ClientAddress, Peer};
use super::state::Shared;

/// Where it would lead to.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// `None` only where the accept loop has not made the request.
    peer: Option<Peer>,
    address: Option<IpAddr>,
}

/// Places that a lasting connection holds to its end.
#[derive(Debug)]
pub(super) struct Places {
    _socket: Arc<Place>,
    _behind_proxy: Option<Place>,
}

impl Visitor {
    pub(super) fn of(parts: &Parts, state: &Shared) -> Self {
        let ClientAddress(address) = ClientAddress::of(parts, state);
        Self { peer: parts.extensions.get::<Peer>().cloned(), address }
    }

    /// Whether the server goes on, and its address has not opened too many at once. Asked before anything is looked up.
    pub(super) fn may_come_in(&self, state: &Shared) -> Result<(), ApiError> {
        if state.shutdown.is_triggered() {
            let soon = Duration::from_secs(1);
            return Err(ApiError::new(ErrorCode::TemporarilyUnavailable, "this server is restarting").after(soon));
        }
        state
            .handshakes
            .take(self.address, Instant::now())
            .map_err(|wait| ApiError::new(ErrorCode::RateLimited, "too many connections at once").after(wait))
    }

    /// Takes a place. Behind a proxy the socket's own says nothing about the client, who needs one beside it.
    pub(super) fn take_place(self, state: &Shared) -> Result<Places, ApiError> {
        let peer = self.peer.ok_or_else(ApiError::internal)?;
        let is_proxy = state.settings.trusted_proxies.contains(peer.address.ip());
        let behind_proxy =
            is_proxy.then(|| state.admission.enter_behind_proxy(self.address)).transpose().map_err(peer::refusal)?;
        Ok(Places { _socket: peer.place, _behind_proxy: behind_proxy })
    }
}

impl FromRequestParts<Shared> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Infallible> {
        Ok(Self::of(parts, state))
    }
}
