//! Answers with the files of the built site.
//!
//! Promises: a file whose address contains a hash may be kept for a year; every other file is asked for again, and an
//! unchanged one costs an empty 304; what "unchanged" means is decided by the content alone ([`File::etag`]). A
//! download that broke off can be continued (`Range` with `If-Range`), which browsers do with large files.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;

use super::error::ApiError;
use crate::built_site::{BuiltSite, Encoding, File};

/// A file whose address contains a hash of its content never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Cached, but revalidated each time; the answer is usually an empty 304.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// A file of another build may exist again in a moment, on the next server or after a rollback.
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");

/// The file of this request, in the smallest encoding that the browser accepts. `None`: there is no such file, and the
/// address may be a page.
pub(super) async fn file(site: &BuiltSite, pkg: &str, request: &Parts) -> Option<Response> {
    let path = request.uri.path();
    match site.file(path).await {
        Some(file) => Some(answer(&file, &request.headers)),
        // Nothing below this folder is a page. The browser asks for it from a script.
        None if path.strip_prefix('/').and_then(|path| path.strip_prefix(pkg)?.strip_prefix('/')).is_some() => {
            Some(([(header::CACHE_CONTROL, NOT_KEPT)], ApiError::not_found()).into_response())
        }
        None => None,
    }
}

fn answer(file: &File, asked: &HeaderMap) -> Response {
    let encoding = [Encoding::Brotli, Encoding::Gzip]
        .into_iter()
        .find(|encoding| file.bytes(*encoding).is_some() && is_accepted(asked, *encoding))
        .unwrap_or(Encoding::Plain);
    let bytes = file.bytes(encoding).cloned().unwrap_or_default();
    let etag = file.etag(encoding);
    let mut response = if is_known(asked, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        whole_or_part(bytes, asked, &etag)
    };
    let status = response.status();
    let headers = response.headers_mut();
    if matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        insert(headers, header::CONTENT_TYPE, &file.content_type);
        if let Some(word) = word(encoding) {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(word));
        }
    }
    insert(headers, header::ETAG, &etag);
    headers.insert(header::CACHE_CONTROL, if file.is_immutable { FOR_EVER } else { ASK_AGAIN });
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // A proxy must not send the brotli file to a browser that can't decode it.
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

/// All the bytes, or the range that was asked for. A request for several ranges gets all: nobody's browser sends one.
fn whole_or_part(bytes: Bytes, asked: &HeaderMap, etag: &str) -> Response {
    let length = bytes.len();
    // The client has a part of another content or of another encoding.
    let is_of_another = asked.get(header::IF_RANGE).is_some_and(|part| part.as_bytes() != etag.as_bytes());
    let range = asked.get(header::RANGE).filter(|_| !is_of_another).and_then(|range| range.to_str().ok());
    let Some(ranges) = range.and_then(|range| http_range_header::parse_range_header(range).ok()) else {
        return with_length(StatusCode::OK, bytes);
    };
    match ranges.validate(length as u64).as_deref() {
        Ok([range]) => {
            let place = |at: u64| usize::try_from(at).unwrap_or(length).min(length);
            let (first, last) = (place(*range.start()), place(*range.end()));
            let part = bytes.slice(first..last.saturating_add(1).min(length));
            let mut response = with_length(StatusCode::PARTIAL_CONTENT, part);
            insert(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"));
            response
        }
        Ok(_) => with_length(StatusCode::OK, bytes),
        Err(_) => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            insert(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{length}"));
            response
        }
    }
}

/// The length is set here, so that the answer to HEAD has it, too.
fn with_length(status: StatusCode, bytes: Bytes) -> Response {
    (status, [(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()))], Body::from(bytes)).into_response()
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

const fn word(encoding: Encoding) -> Option<&'static str> {
    match encoding {
        Encoding::Plain => None,
        Encoding::Brotli => Some("br"),
        Encoding::Gzip => Some("gzip"),
    }
}

/// The parts of all headers of this name, which are separated by commas.
fn list(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// Whether the client accepts this encoding. A quality of 0 refuses it; the client's order does not matter to us.
fn is_accepted(headers: &HeaderMap, encoding: Encoding) -> bool {
    list(headers, header::ACCEPT_ENCODING).any(|offer| {
        let (name, quality) = offer.split_once(';').unwrap_or((offer, ""));
        let quality = quality.trim().strip_prefix("q=").and_then(|value| value.parse::<f32>().ok()).unwrap_or(1.0);
        word(encoding).is_some_and(|word| name.trim().eq_ignore_ascii_case(word)) && quality > 0.0
    })
}

/// Whether the client already has what this tag names. Our tags contain no comma.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    list(headers, header::IF_NONE_MATCH).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &'static str) -> [bool; 2] {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]);
        [Encoding::Brotli, Encoding::Gzip].map(|encoding| is_accepted(&headers, encoding))
    }

    #[test]
    fn only_an_encoding_that_the_client_accepts_is_sent() {
        assert_eq!(accepts("gzip, deflate, br, zstd"), [true, true]);
        assert_eq!(accepts("br;q=0, GZIP;q=0.5"), [false, true]);
        assert_eq!(accepts("br;q=0.000, identity, brotli"), [false, false]);
        assert_eq!(accepts(""), [false, false]);
    }
}
