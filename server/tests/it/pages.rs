//! Pages and forms, as a browser without JavaScript sees them.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use reqwest::{Method, StatusCode};

use crate::support::{Answer, PASSWORD, TestServer, TestUser};

async fn form(user: &TestUser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = serde_urlencoded::to_string(fields).unwrap();
    let request = user.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
    Answer::read(request.body(body).send().await.unwrap()).await
}

fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.headers["location"].to_str().unwrap()
}

#[tokio::test]
async fn the_first_paint_shows_real_messages_to_members_only() {
    let server = TestServer::start().await;
    let (ana, luis) = (server.register("Ana").await, server.register("Luis").await);
    let group = ana.create_group("Lisboa").await;
    ana.sends(group, "nos vemos en el <b>mirador</b>").await;
    let page = ana.get(&format!("/g/{group}")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("nos vemos en el") && !page.text.contains("<b>mirador"), "{}", page.text);
    assert_eq!(page.headers["cache-control"], "no-store");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(page.text.contains(&format!("nonce=\"{nonce}\"")), "the page's scripts carry its nonce");
    let again = ana.get(&format!("/g/{group}")).await;
    assert!(!again.headers["content-security-policy"].to_str().unwrap().contains(nonce), "a nonce is used once");
    for stranger in [&luis, &server.stranger()] {
        let page = stranger.get(&format!("/g/{group}")).await;
        assert!(!page.text.contains("mirador") && !page.text.contains("Lisboa"), "{}", page.text);
    }
}

/// What stands between two marks, the first of each.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} in {rest}")).0
}

/// What the browser takes over is what it was sent, however many views the server makes on the way to a page and whatever
/// happens meanwhile: otherwise the page in the browser stops at the first difference.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_page_shows_is_what_it_is_taken_over_with() {
    let server = TestServer::start().await;
    let (ana, luis) = (server.register("Ana").await, server.register("Luis").await);
    let group = ana.create_group("Lisboa").await;
    ana.brings(&luis, group).await;
    let path = format!("/g/{group}");
    let numbers = |part: &str| {
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
        part.split("parada ").skip(1).map(digits).collect::<BTreeSet<_>>()
    };
    for round in 0..40 {
        let mut pages: FuturesUnordered<_> = (0..16).map(|_| ana.get(&path)).collect();
        let first = pages.next().await.unwrap();
        let text = format!("parada {round}");
        let (rest, _) = tokio::join!(pages.collect::<Vec<_>>(), luis.sends(group, &text));
        for page in rest.into_iter().chain([first]) {
            let taken = page.text.matches("__RESOLVED_RESOURCES[").count();
            assert_eq!(taken, 2, "the list and the group are loaded once each: {}", page.text);
            let shown = numbers(between(&page.text, "role=\"region\"", "__RESOLVED_RESOURCES"));
            let taken = numbers(between(&page.text, "\\\"messages\\\":", "\\\"has_more_before\\\""));
            assert_eq!(shown, taken);
            assert!((round..=round + 1).contains(&shown.len()), "written meanwhile: {shown:?}");
            let title = between(&page.text, "<title>", "</title>");
            assert!(title.ends_with("Lisboa · Caravana"), "{title}");
        }
    }
}

#[tokio::test]
async fn pages_speak_the_readers_language() {
    let server = TestServer::start().await;
    let page = async |name: &'static str, value: &'static str| {
        let request = server.stranger().request(Method::GET, "/login").header(name, value);
        Answer::read(request.send().await.unwrap()).await.text
    };
    assert!(page("accept-language", "fr, en;q=0.5").await.contains("<html lang=\"en\""));
    assert!(page("accept-language", "de").await.contains("<html lang=\"es\""));
    assert!(page("cookie", "lang=en; theme=dark").await.contains("data-theme=\"dark\""));
}

#[tokio::test]
async fn a_person_without_javascript_signs_up_makes_a_group_and_writes() {
    let server = TestServer::start().await;
    let ana = server.stranger();
    let fields = [("email", "ana@example.org"), ("password", PASSWORD), ("display_name", "Ana"), ("next", "/x")];
    assert_eq!(location(&form(&ana, "/register", &fields).await), "/x");
    let made = form(&ana, "/groups", &[("name", "Lisboa")]).await;
    let page = location(&made).to_owned();
    assert_eq!(location(&form(&ana, &page, &[("message", "hola")]).await), page);
    assert_eq!(location(&form(&ana, &page, &[("message", " ")]).await), format!("{page}?error=empty_message"));
    assert!(ana.get(&page).await.text.contains("hola"));
    assert_eq!(location(&form(&ana, "/logout", &[]).await), "/");
    assert_eq!(
        location(&form(&ana, &page, &[("message", "x")]).await),
        format!("/login?next={}", page.replace('/', "%2F"))
    );
    let wrong = [("email", "ana@example.org"), ("password", "x"), ("next", "//evil.org")];
    assert_eq!(location(&form(&ana, "/login", &wrong).await), "/login?error=invalid_credentials");
    let right = [("email", "ana@example.org"), ("password", PASSWORD), ("next", "//evil.org")];
    assert_eq!(location(&form(&ana, "/login", &right).await), "/");
}

#[tokio::test]
async fn files_of_the_site_come_compressed_and_unknown_pages_are_404() {
    let server = TestServer::start().await;
    std::fs::create_dir(server.site_root().join("pkg")).unwrap();
    for (name, text) in [("caravana.js", "plain"), ("caravana.js.br", "brotli"), ("a.Zk1LmN0pQr5sUu8yAbCd.js", "x")] {
        std::fs::write(server.site_root().join("pkg").join(name), text).unwrap();
    }
    let plain = server.stranger().get("/pkg/caravana.js").await;
    assert_eq!((plain.text.as_str(), plain.headers["cache-control"].to_str().unwrap()), ("plain", "no-cache"));
    let request = server.stranger().request(Method::GET, "/pkg/caravana.js").header("accept-encoding", "br");
    let small = Answer::read(request.send().await.unwrap()).await;
    assert_eq!((small.text.as_str(), small.headers["content-encoding"].to_str().unwrap()), ("brotli", "br"));
    let hashed = server.stranger().get("/pkg/a.Zk1LmN0pQr5sUu8yAbCd.js").await;
    assert!(hashed.headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(server.stranger().get("/nothing/here").await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.stranger().get("/pkg/../../test.db").await.status, StatusCode::NOT_FOUND);
}
