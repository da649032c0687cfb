//! The built site's files.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::site_files::SiteFiles;

/// A file whose name contains a hash of its content never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Cached, but revalidated each time; the answer is usually an empty 304.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// The longest path in bytes that is looked for. For longer names a file system returns an error, which the library
/// would log for each request.
const PATH_BYTES: usize = 255;
/// The minimum length of a content hash in a file's name; shorter parts are words.
const HASH_CHARACTERS: usize = 16;

/// The file of this request, in the smallest encoding that the browser accepts. `None`: the file does not exist.
pub(super) async fn file(site: &SiteFiles, request: Request<Body>) -> Option<Response> {
    // The folder itself is a page.
    let path = request.uri().path();
    if path.ends_with('/') || path.len() > PATH_BYTES {
        return None;
    }
    let caching = if is_hashed(request.uri().path()) { FOR_EVER } else { ASK_AGAIN };
    let mut response = site.answer(request).await;
    match response.status() {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::TEMPORARY_REDIRECT => None,
        _ => {
            response.headers_mut().insert(header::CACHE_CONTROL, caching);
            // A proxy must not send the brotli file to a browser that can't decode it.
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
            Some(response)
        }
    }
}

fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_hash = |part: &str| {
        part.len() >= HASH_CHARACTERS && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // Skips the first part, which is a name, and the last, which is the extension.
    let parts: Vec<&str> = name.split('.').collect();
    parts.len() > 2 && parts[1..parts.len() - 1].iter().any(|part| is_hash(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        assert!(is_hashed("/pkg/caravana.Zk1LmN0pQr5sUu8yAbCd_w.js"));
        for path in
            ["/pkg/caravana.js", "/pkg/caravana_bg.wasm", "/favicon.svg", "/averyveryverylongfilename.css", "/x"]
        {
            assert!(!is_hashed(path), "{path}");
        }
    }
}
