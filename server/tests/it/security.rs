//! The parts of RELIABILITY §5 without an own file: the content security policy, how secrets are stored, and what
//! production refuses.

use std::process::{Command, Output};

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, PASSWORD, TestServer, TestUser, Wire, end_of};

/// §5.9, word by word, on a site with TLS.
#[tokio::test]
async fn a_page_has_the_policy_to_the_letter_and_a_nonce_of_its_own() {
    let server = TestServer::builder().flag("--public-url=https://chat.example.net").start().await;
    let user = server.stranger();
    for path in ["/login", "/i/nothing", "/nothing/here"] {
        let page = user.get(path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap().to_owned();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(nonce.len() >= 22, "128 bits: {nonce}");
        let expected = "default-src 'none'; script-src 'self' 'nonce-N' 'strict-dynamic' 'wasm-unsafe-eval'; \
                        style-src 'self' 'nonce-N'; connect-src 'self' wss://chat.example.net; img-src 'self' blob: data:; \
                        font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
                        frame-ancestors 'none'; object-src 'none'";
        assert_eq!(policy.replace(&nonce, "N"), expected, "{path}");
        let once = user.get(path).await;
        assert!(!once.headers["content-security-policy"].to_str().unwrap().contains(&nonce), "used once");
        for (name, value) in [
            ("strict-transport-security", "max-age=63072000"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(page.headers[name], value, "{path}");
        }
    }
}

/// §5.5, §5.7: the database file contains no secret that would let its reader act as a user.
#[tokio::test]
async fn no_secret_lies_in_the_database() {
    let mut server = TestServer::builder().on_sqlite().start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    let invite = ana.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await.json();
    let ticket = ana.post("/api/v1/ws-ticket", &json!({})).await.json();
    let token = ana.post("/api/v1/auth/token", &json!({})).await.json();
    drop(Wire::open_with_token(&server, group, token["access_token"].as_str().unwrap()).await);
    let secrets = [
        PASSWORD,
        ana.cookie().split_once('=').unwrap().1,
        invite["token"].as_str().unwrap(),
        ticket["ticket"].as_str().unwrap(),
        token["access_token"].as_str().unwrap(),
    ];
    // While the server runs, with data still in the write-ahead log, and after it has ended.
    for _ in 0..2 {
        let files = std::fs::read_dir(server.file().parent().unwrap()).unwrap();
        let files: Vec<Vec<u8>> = files.filter_map(|file| std::fs::read(file.unwrap().path()).ok()).collect();
        let holds = |text: &str| files.iter().any(|file| file.windows(text.len()).any(|part| part == text.as_bytes()));
        assert!(holds("Lisboa") && holds("ana@example.org"), "these are the files");
        // Only the beginning of each secret is searched, so that a stored part of a secret is found too.
        for secret in secrets {
            assert!(!holds(&secret[..24]), "{secret}");
        }
        server.stop().await;
    }
}

/// §5.1: with compression, a stranger's text could reveal another user's secret by its size. It also costs memory for
/// every socket.
#[tokio::test]
async fn no_extension_of_websockets_is_agreed_on() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let mut request = ana.handshake("/ws");
    request.headers_mut().insert(
        "sec-websocket-extensions",
        "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame".parse().unwrap(),
    );
    let (mut socket, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert!(!response.headers().contains_key("sec-websocket-extensions"));
    assert!(socket.next().await.unwrap().unwrap().to_text().unwrap().contains("hello"));
}

/// §5.10: any future route that accepts the cookie has the same check.
#[tokio::test]
async fn a_write_to_any_address_needs_proof_of_our_own_page() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    for path in ["/api/v1/groups", "/api/unknown", "/api/login123", "/groups", "/logout", "/nothing"] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let foreign = reqwest::Client::new()
                .request(method, server.url(path))
                .header("cookie", ana.cookie())
                .header("origin", "https://evil.example");
            Answer::read(foreign.send().await.unwrap()).await.refused(403, "csrf");
        }
    }
    assert_eq!(ana.get("/api/v1/groups").await.json(), json!({"groups": []}));
}

/// §5.13, with the real binary: it exits, names the variable and prints no secret.
#[test]
fn production_does_not_start_with_what_is_unsafe() {
    const STRONG: &str = "--jwt-secret=3q2-7wFvT9x_Zk1LmN0pQr5sUu8yAbCd";
    const SITE: &str = "--public-url=https://chat.example.org";
    for (flags, name) in [
        (&[SITE][..], "JWT_SECRET"),
        (&[SITE, "--jwt-secret="], "JWT_SECRET"),
        (&[SITE, "--jwt-secret=zu-kurz-und-geheim"], "JWT_SECRET"),
        (&[SITE, "--jwt-secret=geheimgeheimgeheimgeheimgeheimgeheimgeheim"], "JWT_SECRET"),
        (&[STRONG], "PUBLIC_URL"),
        (&[STRONG, SITE, "--supabase-url=http://kong:8000"], "SUPABASE_URL"),
        (
            &[STRONG, SITE, "--supabase-url=https://a.supabase.co", "--supabase-jwt-secret=geheim"],
            "SUPABASE_JWT_SECRET",
        ),
        (&[STRONG, SITE, "--database-url=sqlite::memory:"], "DATABASE_URL"),
        (&[STRONG, SITE, "--database-url=sqlite://x.db?synchronous=off"], "DATABASE_URL"),
    ] {
        let (output, files) = start(flags);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{flags:?} started");
        assert!(text.starts_with(&format!("error: {name}: ")), "{flags:?}: {text}");
        assert!(!text.contains("geheim"), "{text}");
        assert!(files.is_empty(), "{flags:?} left {files:?}");
    }
}

/// Starts the binary for production in an empty folder. Returns its output and the files that it left.
fn start(flags: &[&str]) -> (Output, Vec<std::path::PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Command::new(crate::support::server_binary());
    server.args(flags).args(["--app-env=production", "--site-addr=127.0.0.1:0"]);
    let output = end_of(server.current_dir(folder.path()).env_clear());
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    (output, files)
}

/// §5.5: without the cookie's prefix, a page on a neighbouring host could sign a user in to another account.
#[tokio::test]
async fn a_session_cookie_opens_nothing_under_a_name_that_a_neighbour_could_set() {
    let server = TestServer::builder().flag("--public-url=https://chat.example.net").start().await;
    let body = json!({"email": "ana@example.org", "password": PASSWORD, "display_name": "Ana"});
    let request = TestUser::stranger(&server).request(Method::POST, "/api/v1/auth/register");
    let answer = Answer::read(request.header("sec-fetch-site", "same-origin").json(&body).send().await.unwrap()).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let session = async |cookie: &str| {
        let request = TestUser::stranger(&server).request(Method::GET, "/api/v1/session").header("cookie", cookie);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(session(&cookie).await, 200);
    assert_eq!(session(cookie.trim_start_matches("__Host-")).await, 401);
}
