//! Headers that tell browsers how our answers must not be used.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::state::Shared;

/// For all answers that are not pages: they may load nothing and may not be framed. The image is the site's icon:
/// Firefox requests it for every answer that it shows, and reports an error if the policy forbids it.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; img-src 'self'; frame-ancestors 'none'");
/// For plain texts: browsers show them in an element with an inline style that breaks long lines.
const PLAIN_TEXT: HeaderValue =
    HeaderValue::from_static("default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'");
/// Two years, as the preload lists of browsers require.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=63072000");

const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Addresses contain invites and password links, so they must not leave this site as a referrer. `no-referrer` is
    // not possible: with it browsers send `Origin: null` with our own forms, which is refused (`super::origins`).
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds the headers; a header that a handler has set stays.
pub(super) async fn secure(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    let is_plain_text =
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let policy = if is_plain_text { PLAIN_TEXT } else { NOTHING };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    if state.settings.is_secure() {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(ONLY_TLS);
    }
    if is_api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}
