//! A refusal as a page: in the reader's language, with a link to continue. Programs get the JSON of
//! [`super::envelope`].

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use caravana_app::refusal::{Refusal, document};
use caravana_protocol::ErrorCode;

use super::error::ApiError;
use super::reader::Reader;
use super::state::Shared;

/// The page has a style and an icon; it runs nothing and posts nothing.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; object-src 'none'",
);

/// Whether the answer to this request is shown directly to a user: a browser opens an address, or posts a form.
/// Requests by scripts do not accept `text/html`, and all paths below the API's prefix are for programs.
pub(super) fn is_for(request: &Request) -> bool {
    let path = request.uri().path();
    let is_program = path == "/api" || path.starts_with("/api/") || path.starts_with("/ws");
    let mut accepted = request.headers().get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    !is_program && accepted.any(|value| value.contains("text/html"))
}

/// Writes the page into the refusal.
pub(super) fn write(response: &mut Response, error: &ApiError, reader: Reader, state: &Shared) {
    let is_elsewhere = matches!(error.code, ErrorCode::Csrf | ErrorCode::OriginNotAllowed);
    let page = document(&Refusal {
        lang: reader.lang,
        theme: reader.theme,
        code: error.code,
        // A user at a wrong address gets a link to the right one; all others stay at their address.
        site: if is_elsewhere { state.origins.own().as_str() } else { "" },
        style: &format!("/{}/{}.css", state.site.pkg(), state.settings.output_name),
    });
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("cookie, accept, accept-language"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
    headers.remove(header::CONTENT_LENGTH);
    *response.body_mut() = page.into();
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn is_page(path: &str, accept: &str) -> bool {
        is_for(&Request::builder().uri(path).header("accept", accept).body(Body::empty()).unwrap())
    }

    #[test]
    fn people_get_pages_and_programs_get_json() {
        const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for path in ["/logout", "/login?next=/g/1", "/g/1", "/nothing", "/apify"] {
            assert!(is_page(path, BROWSER), "{path}");
            assert!(!is_page(path, "*/*") && !is_page(path, "application/json"), "{path}");
        }
        for path in ["/api", "/api/v1/groups", "/ws", "/ws/chat/1"] {
            assert!(!is_page(path, BROWSER), "{path}");
        }
    }
}
