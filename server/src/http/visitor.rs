//! Admits clients to long-lived connections: sockets and event streams. Both use the same checks.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use caravana_protocol::ErrorCode;

use super::admission::Place;
use super::client::{self, ClientAddress, Remote};
use super::error::ApiError;
use super::state::Shared;

/// The client that asks for a connection.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// `None` only if the request did not come through the accept loop.
    peer: Option<Remote>,
    address: Option<IpAddr>,
}

/// The places that a long-lived connection holds until its end.
#[derive(Debug)]
pub(super) struct Places {
    _socket: Arc<Place>,
    _behind_proxy: Option<Place>,
}

impl Visitor {
    pub(super) fn of(parts: &Parts, state: &Shared) -> Self {
        let ClientAddress(address) = ClientAddress::of(parts, state);
        Self { peer: parts.extensions.get::<Remote>().cloned(), address }
    }

    /// Checks that the server is not shutting down, and that the address has not opened too many connections in a short
    /// time. Called before any lookup.
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

    /// Takes a place. Behind a proxy the socket's place says nothing about the client, so the client takes a place in
    /// addition.
    pub(super) fn take_place(self, state: &Shared) -> Result<Places, ApiError> {
        let peer = self.peer.ok_or_else(ApiError::internal)?;
        let is_proxy = state.settings.trusted_proxies.contains(peer.address.ip());
        let behind_proxy =
            is_proxy.then(|| state.admission.enter_behind_proxy(self.address)).transpose().map_err(client::refusal)?;
        Ok(Places { _socket: peer.place, _behind_proxy: behind_proxy })
    }
}

impl FromRequestParts<Shared> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Infallible> {
        Ok(Self::of(parts, state))
    }
}
