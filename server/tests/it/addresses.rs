//! The address at which a site was opened: what is refused at a wrong one, and how the refusal explains it.

use caravana_protocol::rest::Invite;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::{Answer, PASSWORD, PostOffice, TestServer, TestUser};

/// The `Accept` header that a browser sends for a navigation.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Posts the fields of a form.
fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(serde_urlencoded::to_string(fields).unwrap())
}

async fn answer(request: RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}

/// A request from a page at this origin, without `Sec-Fetch-Site`, which browsers send only to trustworthy origins.
fn from_page(server: &TestServer, user: &TestUser, origin: &str, method: Method, path: &str) -> RequestBuilder {
    let (_, host) = origin.split_once("://").unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let request = client.request(method, server.url(path)).header("origin", origin).header("host", host);
    request.header("accept", BROWSER).header("cookie", user.cookie())
}

/// Regression: the page of a fresh checkout was opened on a phone by the machine's network address. Reading worked, but
/// writes were refused as `csrf`, the socket was refused for ever, and invite links led to the phone itself.
#[tokio::test]
async fn without_public_url_a_site_works_by_any_address_of_its_machine() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    for origin in
        ["http://192.168.1.7:3000", "http://[fd00::7]:3000", "http://laptop.local:3000", "http://localhost:8080"]
    {
        let path = format!("/api/v1/groups/{group}/invites");
        let made = answer(from_page(&server, &ana, origin, Method::POST, &path).json(&json!({}))).await;
        let invite: Invite = made.ok();
        assert!(invite.url.starts_with(&format!("{origin}/i/")), "{}", invite.url);
        let page = answer(from_page(&server, &ana, origin, Method::GET, "/login")).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(origin.contains('[') || policy.contains(&origin.replacen("http", "ws", 1)), "{policy}");
        assert!(page.text.contains(&format!("data-site=\"{origin} ")), "{}", page.text);
        let mut socket = ana.handshake("/ws");
        socket.headers_mut().insert("origin", origin.parse().unwrap());
        socket.headers_mut().insert("host", origin.split_once("://").unwrap().1.parse().unwrap());
        tokio_tungstenite::connect_async(socket).await.unwrap();
    }
    // A stranger can point a domain name to this machine (DNS rebinding). Then the page and the request agree on the
    // host, but it is not our site.
    let rebound = from_page(&server, &ana, "http://evil.example:3000", Method::POST, "/api/v1/groups");
    answer(rebound.json(&json!({"name": "x"}))).await.refused(403, "csrf");
}

/// The client that requests a letter chooses the `Host`. If the link in the letter used it, the attacker's site would
/// get the secret of another user.
#[tokio::test]
async fn a_letter_leads_to_the_site_whatever_address_it_was_asked_for_by() {
    let office = PostOffice::open().await;
    let from = "--mail-from=Caravana <chat@example.org>";
    let server = TestServer::builder().flag(&office.flag()).flag(from).start().await;
    server.register("Ana").await;
    for host in ["192.168.1.7:3000", "evil.example"] {
        let asked = server.stranger().request(Method::POST, "/api/v1/auth/reset").header("host", host);
        let body = json!({"email": "ana@example.org"});
        assert_eq!(asked.json(&body).send().await.unwrap().status(), 204);
    }
    for letter in office.until(2).await {
        assert!(letter.text.contains(&format!("{}/reset/", server.origin())), "{}", letter.text);
    }
}

/// Regression: after opening the site by another name of the server, a user got pages, «No pudimos completar la
/// acción.» and a socket that never connected. The log said nothing about it.
#[tokio::test]
async fn at_another_address_than_public_url_page_and_log_say_which_is_right() {
    const SITE: &str = "http://chat.example.net";
    let mut server = TestServer::builder().own_process().flag(&format!("--public-url={SITE}")).start().await;
    let ana = TestUser::stranger(&server);
    let body = json!({"email": "ana@example.org", "password": PASSWORD, "display_name": "Ana"});
    let sign_up = |origin| from_page(&server, &ana, origin, Method::POST, "/api/v1/auth/register").json(&body);
    let refused = answer(sign_up("http://192.168.1.7:3000")).await;
    refused.refused(403, "csrf");
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains(SITE), "{}", refused.text);
    let made = answer(sign_up(SITE)).await;
    let cookie = made.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();

    let page = answer(from_page(&server, &ana, "http://192.168.1.7:3000", Method::GET, "/login")).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(&format!("data-site=\"{SITE}\"")), "the page can compare: {}", page.text);
    for _ in 0..3 {
        let mut socket = ana.handshake("/ws");
        socket.headers_mut().insert("origin", "http://localhost:3000".parse().unwrap());
        socket.headers_mut().insert("cookie", cookie.parse().unwrap());
        assert!(tokio_tungstenite::connect_async(socket).await.is_err());
        answer(sign_up("http://192.168.1.7:3000")).await.refused(403, "csrf");
    }
    server.stop().await;
    let told: Vec<String> = server.log().into_iter().filter(|line| line.contains("another address")).collect();
    assert_eq!(told.len(), 2, "each name once: {told:#?}");
    assert!(told.iter().all(|line| line.contains(SITE) && line.contains("PUBLIC_URL")), "{told:#?}");
}

/// Regression: on plain http, except loopback, browsers send no `Sec-Fetch-Site`. With the policy `no-referrer` they
/// sent `Origin: null` with every form, so signing out showed raw JSON.
#[tokio::test]
async fn pages_tell_browsers_to_say_where_a_form_is_from() {
    let server = TestServer::start().await;
    let user = server.stranger();
    for path in ["/", "/login", "/i/nothing", "/reset/nothing", "/nothing", "/docs/api"] {
        assert_eq!(user.get(path).await.headers["referrer-policy"], "same-origin", "{path}");
    }
}

#[tokio::test]
async fn a_refused_form_is_a_page_in_the_readers_language() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let from = |origin: &'static str, path: &'static str| {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(server.url(path)).header("origin", origin).header("accept", BROWSER);
        form(request.header("cookie", ana.cookie()), &[("name", "x")])
    };
    for path in ["/logout", "/groups", "/account/delete", "/g/1", "/login"] {
        let page = answer(from("null", path)).await;
        assert_eq!(
            (page.status.as_u16(), page.headers["content-type"].to_str().unwrap()),
            (403, "text/html; charset=utf-8")
        );
        assert!(page.text.contains("No aceptamos lo que se envió"), "{path}: {}", page.text);
        assert!(page.text.contains(&format!("href=\"{}\"", server.origin())), "the right address: {}", page.text);
        assert!(!page.text.contains("<script") && page.headers.contains_key("x-request-id"), "{}", page.text);
        let english = answer(from("https://evil.example", path).header("accept-language", "en")).await;
        assert!(english.text.contains("not at the site’s own address"), "{}", english.text);
    }
}

/// Other requests that can be refused and whose answer the browser shows as it is.
#[tokio::test]
async fn every_refusal_on_a_screen_is_a_page() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let shown = async |request: RequestBuilder, status: u16| {
        let page = answer(request.header("accept", BROWSER)).await;
        assert_eq!(
            (page.status.as_u16(), page.headers["content-type"].to_str().unwrap()),
            (status, "text/html; charset=utf-8")
        );
        assert!(page.text.starts_with("<!DOCTYPE html><html lang=\"es\""), "{}", page.text);
        assert_eq!(page.headers["cache-control"], "no-store");
    };
    shown(form(ana.request(Method::POST, "/groups"), &[("nothing", "x")]), 422).await;
    shown(ana.request(Method::POST, "/groups").json(&json!({})), 415).await;
    shown(form(ana.request(Method::POST, "/groups"), &[("name", &"x".repeat(70_000))]), 413).await;
    shown(ana.request(Method::GET, "/g/1?token=x"), 400).await;
    shown(ana.request(Method::DELETE, "/account"), 405).await;
    shown(form(ana.request(Method::POST, "/nothing"), &[("name", "x")]), 404).await;
    // Requests of scripts and programs still get JSON.
    ana.get("/g/1?token=x").await.refused(400, "token_in_url");
    answer(ana.request(Method::GET, "/api/v1/nothing").header("accept", BROWSER)).await.refused(404, "not_found");
}
