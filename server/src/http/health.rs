//! What load balancers and operators ask.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use caravana_protocol::limits::SUBPROTOCOL;
use serde::Serialize;

use crate::state::{BUILD, Shared};

/// A word about the process.
#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
}

/// GET `/healthz`: the process answers.
pub(super) async fn alive() -> Answer<Health> {
    Answer(Health { status: "alive" })
}

/// GET `/readyz`: whether new work should come here.
pub(super) async fn ready(State(state): State<Shared>) -> (StatusCode, Answer<Health>) {
    if state.shutdown.is_triggered() {
        return (StatusCode::SERVICE_UNAVAILABLE, Answer(Health { status: "draining" }));
    }
    match state.store.ping().await {
        Ok(()) => (StatusCode::OK, Answer(Health { status: "ready" })),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready: the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, Answer(Health { status: "store unavailable" }))
        }
    }
}

/// The build and what it speaks.
#[derive(Serialize)]
pub(super) struct Version {
    version: &'static str,
    protocol: &'static str,
}

/// GET `/version`.
pub(super) async fn version() -> Answer<Version> {
    Answer(Version { version: BUILD, protocol: SUBPROTOCOL })
}
