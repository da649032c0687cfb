//! One contract for both sources: the same files give the same answers.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use rust_embed::Embed;

use super::embedded::Embedded;
use super::*;

/// A small site with compressed twins. Each twin has a text of its own, so that a test sees which one was sent.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site");

#[derive(Embed)]
#[folder = "tests/site"]
struct Fixture;

const EMBEDDED: Embedded = Embedded::new(Fixture::get);

/// A copy of the fixture in a folder. Its times are whole seconds, which is how exactly they are known inside the binary.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in Fixture::iter() {
        let (from, to) = (Path::new(FIXTURE).join(&*name), folder.path().join(&*name));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, &to).unwrap();
        let seconds = Fixture::get(&name).unwrap().metadata.last_modified().unwrap();
        let file = std::fs::File::options().write(true).open(&to).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    }
    folder
}

#[derive(Debug, PartialEq)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

async fn read(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// The one answer that both sources give.
async fn ask(folder: &Path, method: &Method, path: &str, headers: &[(header::HeaderName, &str)]) -> Answer {
    let request = || {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        request.body(Body::empty()).unwrap()
    };
    let in_folder = read(SiteFiles::Folder(folder.to_owned()).answer(request()).await).await;
    let embedded = read(answer(ServeDir::with_backend("", EMBEDDED), request()).await).await;
    assert_eq!(embedded, in_folder, "{method} {path} {headers:?}");
    embedded
}

#[tokio::test]
async fn both_sources_answer_alike() {
    let folder = folder();
    let folder = folder.path();
    let (get, head) = (Method::GET, Method::HEAD);
    let encodings = [
        ("", None),
        ("br", Some("br")),
        ("gzip", Some("gzip")),
        ("gzip, br", Some("br")),
        ("br;q=0, gzip", Some("gzip")),
        ("zstd", None),
        ("identity", None),
    ];
    for (accepted, sent) in encodings {
        let headers = [(header::ACCEPT_ENCODING, accepted)];
        let answer = ask(folder, &get, "/pkg/a.css", &headers).await;
        assert_eq!(answer.status, 200, "{accepted}");
        assert_eq!(answer.headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap()), sent);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "text/css");
        assert_eq!(answer.body.trim_end(), sent.unwrap_or("plain"), "{accepted}");
        let heading = ask(folder, &head, "/pkg/a.css", &headers).await;
        assert_eq!((heading.status, heading.body.as_str()), (StatusCode::OK, ""));
        assert_eq!(heading.headers, answer.headers, "HEAD has the headers of GET");
    }
    // Without a twin the file comes as it is, whatever is accepted.
    let plain = ask(folder, &get, "/only-plain.txt", &[(header::ACCEPT_ENCODING, "br, gzip")]).await;
    assert_eq!((plain.status, plain.body.trim_end()), (StatusCode::OK, "only plain"));
    assert!(!plain.headers.contains_key(header::CONTENT_ENCODING));
    for path in
        ["/nothing", "/pkg", "/pkg/", "/pkg/nothing.css", "/pkg/a.css/x", "/../Cargo.toml", "/%2e%2e/Cargo.toml"]
    {
        for method in [&get, &head] {
            let answer = ask(folder, method, path, &[]).await;
            assert_eq!(answer.status, 404, "{path}");
        }
    }
    assert_eq!(ask(folder, &Method::POST, "/pkg/a.css", &[]).await.status, 405);
}

#[tokio::test]
async fn both_sources_know_what_a_browser_has_already() {
    let folder = folder();
    let folder = folder.path();
    for accepted in ["br", "gzip", "identity"] {
        let encoding = (header::ACCEPT_ENCODING, accepted);
        let first = ask(folder, &Method::GET, "/pkg/a.css", &[encoding.clone()]).await;
        let etag = first.headers[header::ETAG].to_str().unwrap();
        let modified = first.headers[header::LAST_MODIFIED].to_str().unwrap();
        for (name, value, status) in [
            (header::IF_NONE_MATCH, etag, 304),
            (header::IF_NONE_MATCH, "*", 304),
            (header::IF_NONE_MATCH, "\"another\"", 200),
            (header::IF_MODIFIED_SINCE, modified, 304),
            (header::IF_MODIFIED_SINCE, "Thu, 01 Jan 1970 00:00:00 GMT", 200),
            (header::IF_MATCH, "\"another\"", 412),
        ] {
            let asked = [encoding.clone(), (name.clone(), value)];
            let again = ask(folder, &Method::GET, "/pkg/a.css", &asked).await;
            assert_eq!(again.status, status, "{name}: {value}");
            assert_eq!(again.body.is_empty(), status != 200);
        }
    }
}

#[tokio::test]
async fn both_sources_send_parts() {
    let folder = folder();
    for (range, status, part) in [
        ("bytes=0-3", 206, "only"),
        ("bytes=5-9", 206, "plain"),
        ("bytes=7-", 206, "ain\n"),
        ("bytes=-4", 206, "ain\n"),
        ("bytes=99-", 416, ""),
        ("bytes=x", 416, ""),
    ] {
        let answer = ask(folder.path(), &Method::GET, "/only-plain.txt", &[(header::RANGE, range)]).await;
        assert_eq!(answer.status, status, "{range}");
        assert_eq!((answer.body.as_str(), status == 206), (part, answer.status.is_success()), "{range}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(SiteFiles::in_folder(folder.path().to_owned()).is_ok());
    let error = SiteFiles::in_folder(folder.path().join("site")).unwrap_err().to_string();
    assert!(error.starts_with("there is no folder ") && error.ends_with("/site"), "{error}");
}
