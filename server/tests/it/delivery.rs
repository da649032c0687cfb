//! How the page and the site's files reach a browser: encodings, caching, continued downloads, the reader's zone.

use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use reqwest::{Method, Response, StatusCode};

use crate::support::{TestServer, TestUser};

const BUILD: &str = "0123456789abcdef";
const SCRIPT: &str = "/pkg/0123456789abcdef/caravana.js";

/// Lays out a site as `cargo xtask build` does.
fn lay_out(site: &Path, build: &str, files: &[(&str, &str)]) {
    let pkg = site.join("pkg").join(build);
    std::fs::create_dir_all(&pkg).unwrap();
    std::fs::write(site.join("build.txt"), format!("{build}\n")).unwrap();
    for (name, text) in [("caravana.js", "plain"), ("caravana.js.br", "brotli"), ("caravana.js.gz", "gzip")] {
        std::fs::write(pkg.join(name), text).unwrap();
    }
    for (name, text) in files {
        std::fs::write(site.join(name), text).unwrap();
    }
}

async fn with_site(site: &Path) -> TestServer {
    TestServer::builder().flag(&format!("--site-root={}", site.display())).start().await
}

async fn ask(user: &TestUser, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = user.request(method, path);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

async fn get(user: &TestUser, path: &str, headers: &[(&str, &str)]) -> Response {
    ask(user, Method::GET, path, headers).await
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The length of a page as it was sent, and its text.
async fn unpacked(answer: Response) -> (usize, String) {
    let encoding = header(&answer, "content-encoding").to_owned();
    let packed = answer.bytes().await.unwrap();
    let mut text = String::new();
    match encoding.as_str() {
        "br" => brotli::Decompressor::new(&packed[..], 4_096).read_to_string(&mut text).unwrap(),
        "gzip" => flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap(),
        _ => (&packed[..]).read_to_string(&mut text).unwrap(),
    };
    (packed.len(), text)
}

#[tokio::test]
async fn the_files_of_a_build_are_kept_for_a_year_in_the_smallest_encoding() {
    let site = tempfile::tempdir().unwrap();
    lay_out(site.path(), BUILD, &[("favicon.svg", "<svg/>")]);
    let server = with_site(site.path()).await;
    let nobody = server.stranger();
    for (accepted, encoding, text) in [
        ("gzip, deflate, br", "br", "brotli"),
        ("gzip", "gzip", "gzip"),
        ("identity", "", "plain"),
        ("br;q=0", "", "plain"),
    ] {
        let answer = get(&nobody, SCRIPT, &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, "content-encoding"), encoding);
        assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&answer, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(header(&answer, "vary"), "accept-encoding");
        assert_eq!(answer.text().await.unwrap(), text);
    }
    // The page names these files, and nothing else of the build.
    let page = nobody.get("/").await.text;
    for file in ["caravana.css", "caravana.js", "caravana.wasm"] {
        assert!(page.contains(&format!("\"/pkg/{BUILD}/{file}\"")), "{file} in {page}");
    }
    assert!(!page.contains("\"/pkg/caravana"), "{page}");
    assert_eq!(nobody.get("/build.txt").await.status, StatusCode::NOT_FOUND);
}

/// A page that was loaded before an update asks for a file that is gone. The answer must be short, and must not be kept:
/// after a rollback the file exists again.
#[tokio::test]
async fn a_file_of_another_build_is_not_found_and_that_is_not_kept() {
    let site = tempfile::tempdir().unwrap();
    lay_out(site.path(), BUILD, &[]);
    let server = with_site(site.path()).await;
    let answer = get(&server.stranger(), "/pkg/ffffffffffffffff/caravana.js", &[("accept", "*/*")]).await;
    assert_eq!((answer.status(), header(&answer, "cache-control")), (StatusCode::NOT_FOUND, "no-store"));
    assert!(answer.text().await.unwrap().len() < 300);
}

/// Once, an unchanged file was recognised by its time. After a rollback the older file has an older time, so browsers were
/// told that the newer one, which they had, was still right.
#[tokio::test]
async fn after_a_rollback_no_browser_keeps_the_newer_file() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lay_out(old.path(), BUILD, &[("favicon.svg", "old")]);
    lay_out(new.path(), "1111111111111111", &[("favicon.svg", "new")]);
    let long_ago = SystemTime::now() - Duration::from_hours(24 * 30);
    let file = std::fs::File::options().write(true).open(old.path().join("favicon.svg")).unwrap();
    file.set_modified(long_ago).unwrap();

    let updated = with_site(new.path()).await;
    let first = get(&updated.stranger(), "/favicon.svg", &[]).await;
    assert_eq!((header(&first, "cache-control"), header(&first, "last-modified")), ("no-cache", ""));
    let etag = header(&first, "etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "a strong tag: {etag}");
    let known = [("if-none-match", etag.as_str()), ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")];
    let again = get(&updated.stranger(), "/favicon.svg", &known).await;
    assert_eq!((again.status(), header(&again, "etag")), (StatusCode::NOT_MODIFIED, etag.as_str()));
    assert_eq!((header(&again, "cache-control"), header(&again, "vary")), ("no-cache", "accept-encoding"));
    assert!(again.bytes().await.unwrap().is_empty());

    let rolled_back = with_site(old.path()).await;
    let answer = get(&rolled_back.stranger(), "/favicon.svg", &known).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.text().await.unwrap(), "old");
}

#[tokio::test]
async fn a_tag_is_known_in_every_form_and_belongs_to_one_encoding() {
    let site = tempfile::tempdir().unwrap();
    lay_out(site.path(), BUILD, &[]);
    let server = with_site(site.path()).await;
    let nobody = server.stranger();
    let brotli = header(&get(&nobody, SCRIPT, &[("accept-encoding", "br")]).await, "etag").to_owned();
    for tag in [brotli.clone(), format!("W/{brotli}"), format!("\"x\", {brotli}"), "*".to_owned()] {
        let answer = get(&nobody, SCRIPT, &[("accept-encoding", "br"), ("if-none-match", &tag)]).await;
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{tag}");
    }
    let other = get(&nobody, SCRIPT, &[("accept-encoding", "gzip"), ("if-none-match", &brotli)]).await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_download_that_broke_off_is_continued_if_the_file_is_the_same() {
    let site = tempfile::tempdir().unwrap();
    lay_out(site.path(), BUILD, &[("LICENSES.txt", "0123456789")]);
    let server = with_site(site.path()).await;
    let nobody = server.stranger();
    let etag = header(&get(&nobody, "/LICENSES.txt", &[]).await, "etag").to_owned();
    for (range, content_range, text) in
        [("bytes=4-", "bytes 4-9/10", "456789"), ("bytes=0-0", "bytes 0-0/10", "0"), ("bytes=-2", "bytes 8-9/10", "89")]
    {
        let part = get(&nobody, "/LICENSES.txt", &[("range", range), ("if-range", &etag)]).await;
        assert_eq!((part.status(), header(&part, "content-range")), (StatusCode::PARTIAL_CONTENT, content_range));
        assert_eq!((header(&part, "accept-ranges"), header(&part, "etag")), ("bytes", etag.as_str()));
        assert_eq!(part.text().await.unwrap(), text);
    }
    // Of another content, and what is no range or several, gets everything.
    for headers in [
        [("range", "bytes=4-"), ("if-range", "\"another\"")],
        [("range", "bytes=4-"), ("if-range", "Fri, 01 Jan 2100 00:00:00 GMT")],
        [("range", "lines=1"), ("accept", "*/*")],
        [("range", "bytes=0-1,4-5"), ("accept", "*/*")],
    ] {
        let whole = get(&nobody, "/LICENSES.txt", &headers).await;
        assert_eq!(whole.status(), StatusCode::OK, "{headers:?}");
        assert_eq!(whole.text().await.unwrap(), "0123456789");
    }
    let beyond = get(&nobody, "/LICENSES.txt", &[("range", "bytes=10-")]).await;
    assert_eq!((beyond.status().as_u16(), header(&beyond, "content-range")), (416, "bytes */10"));
    // The part is a part of the bytes that are sent: the compressed ones.
    let packed = get(&nobody, SCRIPT, &[("accept-encoding", "br"), ("range", "bytes=2-")]).await;
    assert_eq!((header(&packed, "content-encoding"), header(&packed, "content-range")), ("br", "bytes 2-5/6"));
    assert_eq!(packed.text().await.unwrap(), "otli");
}

#[tokio::test]
async fn head_says_what_get_would_send() {
    let site = tempfile::tempdir().unwrap();
    lay_out(site.path(), BUILD, &[]);
    let server = with_site(site.path()).await;
    for (accepted, length) in [("br", "6"), ("identity", "5")] {
        let head = ask(&server.stranger(), Method::HEAD, SCRIPT, &[("accept-encoding", accepted)]).await;
        let get = get(&server.stranger(), SCRIPT, &[("accept-encoding", accepted)]).await;
        for name in ["content-length", "content-type", "content-encoding", "etag", "cache-control", "vary"] {
            assert_eq!(header(&head, name), header(&get, name), "{name}");
        }
        assert_eq!(header(&head, "content-length"), length);
        assert!(head.bytes().await.unwrap().is_empty());
    }
    let post = ask(&server.stranger(), Method::POST, SCRIPT, &[]).await;
    assert!(post.status().is_client_error());
}

#[tokio::test]
async fn a_page_is_sent_compressed_and_says_the_same() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    ana.sends(group, "nos vemos en el mirador").await;
    let path = format!("/g/{group}");
    let plain = get(&ana, &path, &[("accept-encoding", "identity")]).await;
    assert_eq!(header(&plain, "content-encoding"), "");
    let (_, plain) = unpacked(plain).await;
    for (accepted, encoding) in [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip")] {
        let answer = get(&ana, &path, &[("accept-encoding", accepted)]).await;
        assert_eq!(header(&answer, "content-encoding"), encoding);
        let vary: Vec<_> = answer.headers().get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(vary.join(", "), "cookie, accept-language, accept-encoding");
        assert_eq!(header(&answer, "cache-control"), "no-store");
        let (packed, text) = unpacked(answer).await;
        assert!(packed < plain.len() / 3, "{packed} of {}", plain.len());
        assert!(text.contains("nos vemos en el mirador") && text.contains("</html>"), "{text}");
    }
    let head = ask(&ana, Method::HEAD, &path, &[("accept-encoding", "br")]).await;
    assert_eq!((head.status(), header(&head, "content-encoding")), (StatusCode::OK, "br"));
    // Answers for programs contain tokens.
    let api = get(&ana, "/api/v1/groups", &[("accept-encoding", "br")]).await;
    assert_eq!(header(&api, "content-encoding"), "");
}

/// BREACH: the length of a compressed page says whether a text that another site placed in the page is alike to a text
/// of the person's. It takes hundreds of loads, which only another site can cause.
#[tokio::test]
async fn a_page_that_another_site_opens_with_a_persons_cookie_is_not_compressed() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    for (path, user, site, encoding) in [
        (format!("/g/{group}"), &ana, "cross-site", ""),
        (format!("/g/{group}?error=x"), &ana, "same-site", ""),
        (format!("/g/{group}"), &ana, "none", "br"),
        (format!("/g/{group}"), &ana, "same-origin", "br"),
        // A stranger's page contains nothing of anybody.
        ("/".to_owned(), &server.stranger(), "cross-site", "br"),
    ] {
        let headers = [("accept-encoding", "br"), ("sec-fetch-site", site), ("sec-fetch-mode", "navigate")];
        let answer = get(user, &path, &headers).await;
        assert_eq!((answer.status(), header(&answer, "content-encoding")), (StatusCode::OK, encoding), "{site} {path}");
    }
}

/// Once, a page showed the hours of UTC until the WASM had come: up to 13 s.
#[tokio::test]
async fn a_page_shows_the_hours_of_the_zone_that_the_browser_told() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    let sent = ana.sends(group, "hola").await.json();
    let at: caravana_protocol::Timestamp = sent["message"]["created_at"].as_str().unwrap().parse().unwrap();
    let minute = at.unix_millis().div_euclid(60_000);
    let clock = |offset: i64| {
        let of_day = (minute + offset).rem_euclid(24 * 60);
        format!(">{:02}:{:02}</time>", of_day / 60, of_day % 60)
    };
    // 14 hours, so that the day is another one in one of the two; and a zone that changed long ago.
    for (zone, offset) in [("840", 840), ("-720", -720), ("0_1000000.345", 345)] {
        let cookie = format!("{}; zone={zone}", ana.cookie());
        let page = reqwest::Client::new().get(server.url(&format!("/g/{group}"))).header("cookie", cookie);
        let page = page.send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&clock(offset)), "{zone}: {page}");
        assert!(page.contains(&format!("data-zone=\"{zone}\"")) && page.contains("data-now=\""), "{page}");
        assert!(page.contains("<span>Hoy</span>") || page.contains("<span>Today</span>"), "{page}");
    }
    for zone in ["\"><script>", "1e9", "99999"] {
        let cookie = format!("{}; zone={zone}", ana.cookie());
        let page = reqwest::Client::new().get(server.url(&format!("/g/{group}"))).header("cookie", cookie);
        let page = page.send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&clock(0)) && !page.contains("data-zone"), "{zone}: {page}");
    }
}
