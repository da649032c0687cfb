//! The description of the API, as an OpenAPI document and as a page for readers.
//!
//! Owns `GET /openapi.json` and `GET /docs/api`. Promises that both are made from the handlers: a handler's path,
//! method, body and answers are written above it, it is registered with that description, and the refusals that follow
//! from its parameters are added here, once for all ([`refusals`]). Both do not depend on the request, so they are made
//! once per process. Called by the router.

mod page;
mod params;
mod refusals;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use caravana_protocol::rest::ErrorAnswer;
use caravana_protocol::{ErrorCode, limits};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};

use super::state::Shared;
use crate::BUILD;

pub(super) use params::{HistoryQuery, LogQuery, SearchQuery};

/// The names of the session cookie and of a bearer token in the document.
const COOKIE: &str = "cookie";
const BEARER: &str = "bearer";

/// The whole document, made once.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| complete(super::all_routes().1));

/// Serves the document.
///
/// OpenAPI 3.1, made from the code that answers.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operations",
    operation_id = "openapi",
    security(()),
    responses((status = 200, description = "This document.", body = Object))
)]
pub(super) async fn document() -> impl IntoResponse {
    axum::Json(&*DOCUMENT)
}

/// The page, and its style.
pub(super) fn pages() -> Router<Shared> {
    Router::new().route("/docs/api", get(page::page)).route("/docs/api.css", get(page::style))
}

/// The document before any routes are added.
pub(super) fn head() -> OpenApi {
    let mut schemas = Vec::new();
    ErrorAnswer::schemas(&mut schemas);
    let licence = LicenseBuilder::new().name("MIT OR Apache-2.0").build();
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Caravana").version(BUILD).description(Some(DESCRIPTION)).license(Some(licence)))
        .components(Some(
            ComponentsBuilder::new()
                .schema(ErrorAnswer::name(), <ErrorAnswer as utoipa::PartialSchema>::schema())
                .schemas_from_iter(schemas)
                .schema(ErrorCode::name(), <ErrorCode as utoipa::PartialSchema>::schema())
                .build(),
        ))
        .build()
}

/// Adds to the document what the descriptions above the handlers need not repeat.
fn complete(document: OpenApi) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["servers"] = json!([{"url": "/"}]);
    document["security"] = json!([{BEARER: []}, {COOKIE: []}]);
    document["tags"] = TAGS.map(|(name, description)| json!({"name": name, "description": description})).into();
    document["components"]["securitySchemes"] = json!({
        COOKIE: {
            "type": "apiKey",
            "in": "cookie",
            "name": "caravana_session",
            "description": "The sign-in of a person at the page; where the site has TLS its name begins with `__Host-`. \
                            Writes need a same-origin proof: `Sec-Fetch-Site`, else `Origin`.",
        },
        BEARER: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token from `POST /api/v1/auth/token`, or of the host's own backend.",
        },
    });
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            refusals::add(path, method, operation);
        }
    }
    document
}

/// The groups of operations, in the order of the page.
const TAGS: [(&str, &str); 6] = [
    ("accounts", "Who somebody is: sign up, sign in, and the short-lived proofs that grow out of it."),
    ("groups", "A trip's chat. Unknown group and not a member look the same: 404 `not_found`."),
    ("members", "A user in a group, and who is there now."),
    ("invites", "Links that lead into a group."),
    ("messages", "What was written, and the log of everything that happened."),
    ("operations", "What load balancers, operators and programs ask."),
];

const DESCRIPTION: &str = "Group chat for people who travel together.\n\n\
    Who asks is known by the session cookie or by `Authorization: Bearer`; a token in the address is refused with \
    `token_in_url`. Bodies are JSON objects of at most 64 KiB; unknown fields and unknown query parameters are ignored, \
    and `null` in an optional field is the same as leaving it out. Every refusal has one shape, `ErrorAnswer`, whose \
    `code` is for programs.\n\n\
    Live events come by WebSocket, which OpenAPI can't describe: `GET /ws` (many groups on one socket) and \
    `GET /ws/chat/{group_id}`.";

/// The maximum size of a body, as the refusals name it.
const BODY_KIB: usize = limits::FRAME_BYTES / 1024;
