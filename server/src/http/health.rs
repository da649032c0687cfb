//! The endpoints for load balancers and operators.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use caravana_protocol::limits::SUBPROTOCOL;
use caravana_telemetry::causes;
use serde::Serialize;

use super::state::Shared;
use crate::BUILD;

/// The state of the process.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    status: &'static str,
}

/// Whether the process answers.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    operation_id = "healthz",
    security(()),
    responses((status = 200, description = "Alive.", body = Health))
)]
pub(super) async fn alive() -> Answer<Health> {
    Answer(Health { status: "alive" })
}

/// Whether new work should be sent to this process. Still answered, with 503, while draining.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    operation_id = "readyz",
    security(()),
    responses((status = 200, description = "Ready.", body = Health), (status = 503, description = "Not ready: draining, or the store does not answer.", body = Health))
)]
pub(super) async fn ready(State(state): State<Shared>) -> (StatusCode, Answer<Health>) {
    if state.shutdown.is_triggered() {
        return (StatusCode::SERVICE_UNAVAILABLE, Answer(Health { status: "draining" }));
    }
    match state.store.ping().await {
        Ok(()) => (StatusCode::OK, Answer(Health { status: "ready" })),
        Err(error) => {
            tracing::warn!(error = %causes(&error), "not ready: the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, Answer(Health { status: "store unavailable" }))
        }
    }
}

/// The build and its protocol.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Version {
    version: &'static str,
    protocol: &'static str,
}

/// The build, and the protocol that it supports.
#[utoipa::path(
    get,
    path = "/version",
    tag = "operations",
    security(()),
    responses((status = 200, description = "This build.", body = Version))
)]
pub(super) async fn version() -> Answer<Version> {
    Answer(Version { version: BUILD, protocol: SUBPROTOCOL })
}
