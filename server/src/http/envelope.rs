//! Wraps every request: adds its id, the body of refusals, and the log line.
//!
//! This is the outermost layer, so that a refusal by any other layer, and a panic, is answered in the same shape: JSON
//! for programs, a page for users who see the answer on their screen.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use caravana_telemetry::{self as telemetry, Seldom, metrics};
use uuid::Uuid;

use super::error::ApiError;
use super::reader::Reader;
use super::refusal_page;
use super::state::Shared;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A client that can make one request fail can make thousands fail.
static FAILED: Seldom = Seldom::up_to(20);

/// Gives the request an id, and adds the body of refusals.
pub(super) async fn around(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = Uuid::new_v4().simple().to_string();
    let request_method = request.method().clone();
    // The declared route, because paths contain invite tokens and queries contain tickets.
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let reader = refusal_page::is_for(&request).then(|| Reader::of(request.headers()));
    let mut response = next.run(request).await;
    let code = response.extensions_mut().remove::<ApiError>().map(|error| {
        match reader {
            Some(reader) => refusal_page::write(&mut response, &error, reader, &state),
            None => write_body(&mut response, &error, &id),
        }
        error.code.as_str()
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    // A method may be any text.
    let method = || telemetry::user_value(request_method.as_str());
    let is_failure = response.status().is_server_error();
    let (status, took) = (response.status().as_u16(), started.elapsed());
    metrics::answered(request_method.as_str(), &route, status, took);
    let ms = took.as_secs_f64() * 1_000.0;
    if let Some(times) = is_failure.then(|| FAILED.happened()).flatten() {
        tracing::warn!(request_id = id, method = method(), route, status, ms, code, times, "answered");
    } else {
        tracing::debug!(request_id = id, method = method(), route, status, ms, code, "answered");
    }
    response
}

fn write_body(response: &mut Response, error: &ApiError, id: &str) {
    let Ok(body) = serde_json::to_vec(&error.envelope(id)) else { return };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.remove(header::CONTENT_LENGTH);
    *response.body_mut() = body.into();
}

/// The answer after a panic in a handler.
#[expect(clippy::needless_pass_by_value, reason = "the shape that the layer calls")]
pub(super) fn after_panic(panic: Box<dyn std::any::Any + Send>) -> Response {
    use axum::response::IntoResponse as _;
    tracing::error!(panic = telemetry::words(&*panic), "a request panicked");
    ApiError::internal().into_response()
}
