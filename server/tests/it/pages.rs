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

#[tokio::test]
async fn the_first_visitor_of_a_new_server_is_greeted_as_its_operator() {
    let server = TestServer::start().await;
    let greeted = async || {
        let page = server.stranger().get("/").await;
        assert_eq!(page.status, StatusCode::OK);
        let (told, shown) = (page.text.contains("data-new"), page.text.contains("first-visitor"));
        assert_eq!(told, shown, "the browser takes over what the server showed: {}", page.text);
        shown
    };
    assert!(greeted().await);
    assert!(greeted().await, "a visit alone changes nothing");
    server.register("Ana").await;
    assert!(!greeted().await, "the server has a user");
}

/// The text between the first `from` and the first `to` after it.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} in {rest}")).0
}

/// The data with which the browser hydrates a page must equal what the page shows, however often the server renders its
/// views and whatever happens meanwhile. Otherwise hydration stops at the first difference.
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

/// What a browser without scripts posts for the page's form: its hidden fields and the typed values.
fn fill_in<'a>(page: &'a str, typed: &[(&'a str, &'a str)]) -> (String, Vec<(&'a str, &'a str)>) {
    let form = between(page, "<form ", "</form>");
    let action = between(form, "action=\"", "\"").replace("&amp;", "&");
    let hidden = form.split("<input").filter(|input| input.contains("type=\"hidden\""));
    let fields = hidden.map(|input| (between(input, "name=\"", "\""), between(input, "value=\"", "\"")));
    (action, fields.chain(typed.iter().copied()).collect())
}

/// Regression: the target after sign-in was in the form's address, but the server read it from the fields. A user who
/// signed up or in without scripts, or before they ran, got an empty list and lost the invitation.
#[tokio::test]
async fn an_invitation_survives_signing_up_and_in_without_scripts_and_a_mistake_on_the_way() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    let invite = ana.post(&format!("/api/v1/groups/{group}/invites"), &serde_json::json!({})).await.json();
    let path = format!("/i/{}", invite["token"].as_str().unwrap());
    let mut luis = server.stranger();
    let invitation = luis.get(&path).await.text;
    for (page, wrong, right) in [
        (
            "/register",
            &[("email", "ana@example.org"), ("password", PASSWORD), ("display_name", "Luis")][..],
            &[("email", "luis@example.org"), ("password", PASSWORD), ("display_name", "Luis")][..],
        ),
        (
            "/login",
            &[("email", "luis@example.org"), ("password", "not the password")],
            &[("email", "luis@example.org"), ("password", PASSWORD)],
        ),
    ] {
        // Who is signed in is led on from the forms.
        luis = server.stranger();
        let way = between(&invitation, &format!("href=\"{page}"), "\"").replace("&amp;", "&");
        let mut at = format!("{page}{way}");
        for _ in 0..2 {
            let shown = luis.get(&at).await.text;
            let (action, fields) = fill_in(&shown, wrong);
            location(&form(&luis, &action, &fields).await).clone_into(&mut at);
            assert!(at.starts_with(&format!("{page}?error=")), "{at}");
        }
        let shown = luis.get(&at).await.text;
        let (action, fields) = fill_in(&shown, right);
        assert_eq!(location(&form(&luis, &action, &fields).await), path, "{page}");
    }
    assert_eq!(location(&form(&luis, &path, &[]).await), format!("/g/{group}"));
}

/// The related case: the target in a form can come from an attacker.
#[tokio::test]
async fn signing_in_leads_to_no_other_site() {
    let server = TestServer::start().await;
    server.register("Ana").await;
    for next in
        ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0aset-cookie:x"]
    {
        let user = server.stranger();
        let query = serde_urlencoded::to_string([("next", next)]).unwrap();
        let shown = user.get(&format!("/login?{query}")).await.text;
        let (action, fields) = fill_in(&shown, &[("email", "ana@example.org"), ("password", PASSWORD)]);
        let own = |place: &str| place == "/" || place == "/%0d%0aset-cookie:x";
        let place = form(&user, &action, &fields).await;
        assert!(own(location(&place)), "{next}: {}", location(&place));
        for (path, field) in [("/login".to_owned(), next), (format!("/login?{query}"), "")] {
            let mut fields = vec![("email", "ana@example.org"), ("password", PASSWORD)];
            fields.extend(Some(("next", field)).filter(|(_, field)| !field.is_empty()));
            let place = form(&user, &path, &fields).await;
            assert!(own(location(&place)), "{path} {field}: {}", location(&place));
        }
    }
}

/// Regression: the page said only «Revisa los datos» for a taken e-mail.
#[tokio::test]
async fn a_taken_email_is_named_with_the_way_to_sign_in() {
    let server = TestServer::start().await;
    server.register("Ana").await;
    let user = server.stranger();
    let taken = [("email", "ana@example.org"), ("password", PASSWORD), ("display_name", "Ana"), ("next", "/i/abc")];
    let back = location(&form(&user, "/register", &taken).await).to_owned();
    let page = user.get(&back).await.text;
    assert!(page.contains("Ya hay una cuenta con este correo."), "{page}");
    assert!(page.contains("href=\"/login?next=/i/abc\""), "{page}");
}

/// Regression: after signing out or deleting the account by a form, drafts and unsent messages stayed in the browser.
#[tokio::test]
async fn who_leaves_by_a_form_tells_the_browser_to_forget() {
    for (flag, is_secure) in
        [("--public-url=https://chat.example.net", true), ("--public-url=http://chat.example.net", false)]
    {
        let server = TestServer::builder().flag(flag).start().await;
        let origin = flag.split_once('=').unwrap().1;
        for (path, fields) in [("/logout", &[][..]), ("/account/delete", &[("password", PASSWORD)])] {
            let send = async |path: &str, fields: &[(&str, &str)], cookie: &str| {
                let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
                let request = client.unwrap().post(server.url(path)).header("origin", origin).header("cookie", cookie);
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                Answer::read(request.body(serde_urlencoded::to_string(fields).unwrap()).send().await.unwrap()).await
            };
            let name = path.replace('/', "");
            let email = format!("{name}@example.org");
            let account = [("email", email.as_str()), ("password", PASSWORD), ("display_name", &name)];
            let made = send("/register", &account, "").await;
            let cookie = made.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
            let left = send(path, fields, &cookie).await;
            assert_eq!(left.status, StatusCode::SEE_OTHER, "{path}: {}", left.text);
            let cookies: Vec<&str> = left.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
            assert!(cookies[0].contains("caravana_session=;"), "{cookies:?}");
            assert!(
                cookies[1].starts_with("signed_out=1; Path=/; ") && !cookies[1].contains("HttpOnly"),
                "{cookies:?}"
            );
            assert_eq!(cookies[1].contains("; Secure"), is_secure);
            let cleared = left.headers.get("clear-site-data").map(|value| value.to_str().unwrap());
            assert_eq!(cleared, is_secure.then_some("\"storage\""), "browsers heed it where TLS is");
        }
    }
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
    std::fs::write(server.site_root().join("LICENSES.txt"), "x".repeat(2_000)).unwrap();
    let text = server.stranger().get("/LICENSES.txt").await;
    let policy = text.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("style-src 'unsafe-inline'"), "a browser's own element for it breaks the lines: {policy}");
    assert_eq!(server.stranger().get("/nothing/here").await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.stranger().get("/pkg/../../test.db").await.status, StatusCode::NOT_FOUND);
}

/// Regression: the file system refused names of that length with an error, which a library logged for each request: 10
/// MB in 5 s, for any client.
#[tokio::test]
async fn a_path_that_no_file_can_have_is_an_unknown_page_and_no_line_in_the_log() {
    let mut server = TestServer::builder().own_process().environment("RUST_LOG", "info").start().await;
    let nobody = server.stranger();
    for path in
        [format!("/{}", "a".repeat(300)), format!("/pkg/{}", "a".repeat(300)), format!("/x/{}", "a/".repeat(3_000))]
    {
        assert_eq!(nobody.get(&path).await.status, 404, "{}", path.len());
    }
    nobody.get(&format!("/reset/{}", "a".repeat(50_000))).await;
    server.stop().await;
    let log = server.log();
    let errors: Vec<&String> = log.iter().filter(|line| line.contains(r#""level":"ERROR""#)).collect();
    assert!(errors.is_empty(), "{errors:?}");
}
