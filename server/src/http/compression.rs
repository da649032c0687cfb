//! Compresses pages.
//!
//! Compression can betray a secret (BREACH): who can place a guess into a page beside the secret, and see how long the
//! encrypted answer is, sees whether both are alike. Our pages contain no credential: the session cookie, tokens, tickets
//! and the secrets of invite links are not in the HTML, and forms have no CSRF token. But a page of a signed-in person
//! contains messages, and other people can place text beside them: another member by writing, another site by the
//! address. A guess needs hundreds of such page loads, and only another site can cause them. So a page that another site
//! caused ([`is_caused_elsewhere`]) is not compressed for a person with a cookie. Answers of the API are not compressed
//! either: they contain tokens and links.

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Response, header};
use axum::middleware::Next;
use tower_http::CompressionLevel;
use tower_http::compression::{CompressionLayer, Predicate};

use super::state::Shared;

/// The level of brotli and gzip. With brotli, a page of 222 kB becomes 14.8 kB. Higher levels were not measured.
const LEVEL: CompressionLevel = CompressionLevel::Precise(4);
/// A smaller page fits into one packet anyway.
const WORTH_COMPRESSING: u64 = 1024;
/// Browsers since 2023 say with it who caused a request.
const CAUSED_BY: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Compresses answers that are pages, as they are sent.
pub(super) fn layer() -> CompressionLayer<Pages> {
    CompressionLayer::new().br(true).gzip(true).quality(LEVEL).compress_when(Pages)
}

/// Whether an answer is a page.
#[derive(Clone, Copy)]
pub(super) struct Pages;

impl Predicate for Pages {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let kind = response.headers().get(header::CONTENT_TYPE);
        let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        is_page && response.body().size_hint().upper().is_none_or(|length| length >= WORTH_COMPRESSING)
    }
}

/// Lets a page be sent as it is if another site caused the request with a person's cookie.
pub(super) async fn guard(State(state): State<Shared>, mut request: Request, next: Next) -> axum::response::Response {
    if is_caused_elsewhere(request.headers()) && state.session_cookie.is_in(request.headers()) {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    next.run(request).await
}

/// Whether a page of another site caused this request. A person who types an address, follows a bookmark or opens a
/// link from another program is `none`. A browser that does not say is an old one, or the site has no TLS and its length
/// is no secret.
fn is_caused_elsewhere(headers: &HeaderMap) -> bool {
    headers.get(CAUSED_BY).is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn another_site_and_a_neighbour_are_elsewhere() {
        let caused = |site| is_caused_elsewhere(&HeaderMap::from_iter([(CAUSED_BY, HeaderValue::from_static(site))]));
        assert!(caused("cross-site") && caused("same-site") && caused("a new word"));
        assert!(!caused("same-origin") && !caused("none") && !is_caused_elsewhere(&HeaderMap::new()));
    }
}
