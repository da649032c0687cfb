//! Links that replace a lost password: by mail, and from the operator's command line.

use std::process::Command;

use serde_json::json;

use crate::support::{End, PASSWORD, PostOffice, TestServer, TestUser, Wire};

const ANOTHER: &str = "a much better password";

/// A server that sends mail, and the mail server that receives it.
async fn with_mail() -> (TestServer, PostOffice) {
    let office = PostOffice::open().await;
    let server =
        TestServer::builder().flag(&office.flag()).flag("--mail-from=Caravana <chat@example.org>").start().await;
    (server, office)
}

async fn ask(server: &TestServer, email: &str) -> u16 {
    server.stranger().post("/api/v1/auth/reset", &json!({ "email": email })).await.status.as_u16()
}

/// The path of the route that uses the link in this text.
fn route(text: &str) -> String {
    let (_, rest) = text.split_once("/reset/").unwrap_or_else(|| panic!("no link in {text}"));
    format!("/api/v1/auth/reset/{}", rest.split_whitespace().next().unwrap())
}

async fn signs_in(server: &TestServer, password: &str) -> bool {
    let body = json!({"email": "ana@example.org", "password": password});
    server.stranger().post("/api/v1/auth/login", &body).await.status == 200
}

#[tokio::test]
async fn a_link_comes_by_mail_works_once_and_signs_out_everywhere() {
    let (server, office) = with_mail().await;
    let ana = server.register("Ana").await;
    let mut socket = Wire::open(&ana).await;
    assert_eq!(server.stranger().get("/api/v1/auth/reset").await.json(), json!({"by_mail": true}));
    let asked = server.stranger();
    let answer = asked.request(reqwest::Method::POST, "/api/v1/auth/reset").header("accept-language", "en");
    assert_eq!(answer.json(&json!({"email": " ANA@example.org "})).send().await.unwrap().status(), 204);
    let letter = office.until(1).await.remove(0);
    assert_eq!(letter.to, "ana@example.org");
    assert!(letter.headers.contains("From: Caravana <chat@example.org>"), "{}", letter.headers);
    assert!(letter.text.contains("You asked for a new password"), "{}", letter.text);
    assert!(letter.text.contains(&format!("{}/reset/", server.origin())), "{}", letter.text);
    assert!(!letter.text.contains("Ana"), "nothing that somebody could have written to a stranger this way");

    for _ in 0..5 {
        assert!(!signs_in(&server, "wrong password").await);
    }
    let (path, anybody) = (route(&letter.text), server.stranger());
    anybody.post(&path, &json!({"password": "short"})).await.refused(422, "bad_request");
    assert_eq!(anybody.post(&path, &json!({"password": ANOTHER})).await.status, 204);
    assert_eq!(socket.end().await, End::Code(4505));
    ana.get("/api/v1/session").await.refused(401, "unauthenticated");
    assert!(signs_in(&server, ANOTHER).await, "and does not wait for the tries before");
    assert!(!signs_in(&server, PASSWORD).await);
    anybody.post(&path, &json!({"password": PASSWORD})).await.refused(410, "gone");
    for token in ["x".to_owned(), "a".repeat(43)] {
        let path = format!("/api/v1/auth/reset/{token}");
        anybody.post(&path, &json!({"password": PASSWORD})).await.refused(410, "gone");
    }
}

#[tokio::test]
async fn who_was_on_the_way_to_an_invitation_is_still_on_it_afterwards() {
    let (server, office) = with_mail().await;
    server.register("Ana").await;
    let post = async |path: &str, cookie: Option<&str>, form: &[(&str, &str)]| {
        let nobody = server.stranger();
        let mut request = nobody
            .request(reqwest::Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(serde_urlencoded::to_string(form).unwrap());
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (header("location").unwrap(), header("set-cookie"))
    };
    let invitation = "/i/abc?x=1";
    let ana = ("email", "ana@example.org");
    let (at, _) = post("/reset", None, &[("email", "no address"), ("next", invitation)]).await;
    assert_eq!(at, "/reset?error=bad_request&at=reset&next=%2Fi%2Fabc%3Fx%3D1", "a mistake loses nothing");
    let (at, kept) = post("/reset", None, &[ana, ("next", invitation)]).await;
    assert_eq!(at, "/reset?done=sent&next=%2Fi%2Fabc%3Fx%3D1");
    let kept = kept.unwrap();
    assert_eq!(kept, "caravana_going_to=/i/abc?x=1; Path=/reset; Max-Age=3600; HttpOnly; SameSite=Lax");
    let letter = office.until(1).await.remove(0);
    assert!(!letter.text.contains("abc"), "who asks for another's letter chooses nothing in it");
    let link = route(&letter.text).replace("/api/v1/auth", "");
    let cookie = kept.split_once(';').unwrap().0;
    let (at, gone) = post(&link, Some(cookie), &[("password", ANOTHER)]).await;
    assert_eq!(at, "/login?done=reset&next=%2Fi%2Fabc%3Fx%3D1");
    assert!(gone.unwrap().starts_with("caravana_going_to=; Path=/reset; Max-Age=0"));

    // Only a path of this site is accepted as the target, whatever the source of the value.
    for elsewhere in ["//evil.example", "https://evil.example", "/a;b", "/a\"b"] {
        let (at, kept) = post("/reset", None, &[ana, ("next", elsewhere)]).await;
        assert!(!at.contains("evil") && kept.unwrap().starts_with("caravana_going_to=;"), "{at}");
    }
    let link = route(&office.until(2).await[1].text).replace("/api/v1/auth", "");
    let (at, _) = post(&link, Some("caravana_going_to=//evil.example"), &[("password", PASSWORD)]).await;
    assert_eq!(at, "/login?done=reset");
}

#[tokio::test]
async fn nobody_learns_who_has_an_account_and_nobody_is_flooded() {
    let (server, office) = with_mail().await;
    server.register("Ana").await;
    for _ in 0..5 {
        assert_eq!((ask(&server, "ana@example.org").await, ask(&server, "nobody@example.org").await), (204, 204));
    }
    assert_eq!((ask(&server, "ana@example.org").await, ask(&server, "nobody@example.org").await), (429, 429));
    assert_eq!(ask(&server, "no address").await, 422);
    let letters = office.until(5).await;
    assert!(letters.iter().all(|letter| letter.to == "ana@example.org"));
    assert!(letters[0].text.contains("Pediste una contraseña nueva"), "Spanish, where nothing else is asked for");
    assert!(signs_in(&server, PASSWORD).await, "asking is no failed sign-in");
    // Each link is different, and using one ends the others.
    let (first, second) = (route(&letters[0].text), route(&letters[1].text));
    assert_ne!(first, second);
    assert_eq!(server.stranger().post(&first, &json!({"password": ANOTHER})).await.status, 204);
    server.stranger().post(&second, &json!({"password": PASSWORD})).await.refused(410, "gone");
}

/// Regression: each used link removed one failure from the count of its address, although it had added none. An
/// attacker with own accounts got so many more guesses.
#[tokio::test]
async fn a_used_link_gives_nobody_more_guesses_on_other_accounts() {
    let (server, office) = with_mail().await;
    server.register("Ana").await;
    ask(&server, "ana@example.org").await;
    let link = route(&office.until(1).await[0].text);
    let guess = async |n: usize| {
        let body = json!({"email": format!("n{n}@example.org"), "password": "wrong password"});
        server.stranger().post("/api/v1/auth/login", &body).await.status.as_u16()
    };
    let mut guessed = 0;
    while guess(guessed).await == 401 {
        guessed += 1;
    }
    assert_eq!(guessed, 30);
    assert_eq!(server.stranger().post(&link, &json!({"password": ANOTHER})).await.status, 204);
    assert_eq!(guess(guessed).await, 429);
}

/// Regression: a request that failed because the mail queue was full used up the budget of letters. After five such
/// requests the user could not ask any more.
#[tokio::test]
async fn a_letter_that_found_no_room_was_not_asked_for() {
    // A mail server that never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = TestServer::builder()
        .flag(&format!("--smtp-url=smtp://{}", silent.local_addr().unwrap()))
        .flag("--mail-from=Caravana <chat@example.org>")
        .flag("--trusted-proxies=127.0.0.1")
        .start()
        .await;
    server.register("Ana").await;
    let ask = async |email: &str, from: &str| {
        let request = server.stranger().request(reqwest::Method::POST, "/api/v1/auth/reset");
        let request = request.header("x-forwarded-for", from).json(&json!({ "email": email }));
        request.send().await.unwrap().status().as_u16()
    };
    for _ in 0..4 {
        assert_eq!(ask("ana@example.org", "9.9.9.1").await, 204, "on its way, for ever");
    }
    let mut waiting = 0;
    while ask(&format!("n{waiting}@example.org"), &format!("9.8.{waiting}.1")).await == 204 {
        waiting += 1;
        assert!(waiting < 200, "letters without end");
    }
    for _ in 0..8 {
        assert_eq!(ask("eva@example.org", "9.7.7.7").await, 503);
    }
}

#[tokio::test]
async fn a_link_ends_after_an_hour_and_with_a_changed_password() {
    let (server, office) = with_mail().await;
    let ana = server.register("Ana").await;
    for _ in 0..2 {
        ask(&server, "ana@example.org").await;
    }
    let letters = office.until(2).await;
    let mut foreign = server.foreign().await;
    let ends = foreign.numbers("select expires_at from {ours}reset").await;
    let now = crate::support::seconds_from_now(0);
    assert!(ends.iter().all(|end| (3_590..=3_600).contains(&(end - now))), "{ends:?}");
    foreign.run(&format!("update {{ours}}reset set expires_at = {now}")).await;
    let path = route(&letters[0].text);
    server.stranger().post(&path, &json!({"password": ANOTHER})).await.refused(410, "gone");
    foreign.run(&format!("update {{ours}}reset set expires_at = {}", now + 600)).await;
    let change = json!({"password": PASSWORD, "new_password": ANOTHER});
    assert_eq!(ana.post("/api/v1/auth/password", &change).await.status, 204);
    server.stranger().post(&path, &json!({"password": PASSWORD})).await.refused(410, "gone");
    assert!(signs_in(&server, ANOTHER).await);
}

#[tokio::test]
async fn without_a_mail_server_the_operator_is_named() {
    let server = TestServer::start().await;
    assert_eq!(server.stranger().get("/api/v1/auth/reset").await.json(), json!({"by_mail": false}));
    server.stranger().post("/api/v1/auth/reset", &json!({"email": "ana@example.org"})).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_mail_server_that_is_down_changes_no_answer() {
    let nobody = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let url = format!("--smtp-url=smtp://{nobody}");
    let server = TestServer::builder().flag(&url).flag("--mail-from=chat@example.org").start().await;
    server.register("Ana").await;
    assert_eq!(ask(&server, "ana@example.org").await, 204);
    assert!(signs_in(&server, PASSWORD).await);
}

#[tokio::test]
async fn the_operator_makes_a_link_while_the_server_runs() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let mut socket = Wire::open(&ana).await;
    let task = |email: &'static str| {
        let url = format!("--database-url={}", server.database().url());
        let mut command = Command::new(crate::support::server_binary());
        command.args(["reset-link", email, &url, "--public-url=https://chat.example.org"]).env_remove("JWT_SECRET");
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let unknown = task("nobody@example.org").await.unwrap();
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no account"), "{unknown:?}");
    let made = task("Ana@example.org").await.unwrap();
    let link = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success() && link.starts_with("https://chat.example.org/reset/"), "{link}");
    assert_eq!(server.stranger().post(&route(&link), &json!({"password": ANOTHER})).await.status, 204);
    assert_eq!(socket.end().await, End::Code(4505));
    assert!(signs_in(&server, ANOTHER).await);
}

/// Regression: `a1<victim@x.org>` could register. The letter for its lost password went to `victim@x.org`, and with
/// different prefixes an attacker bypassed the limit on letters to one mailbox.
#[tokio::test]
async fn every_door_refuses_the_same_texts_and_no_letter_goes_past_them() {
    let (server, office) = with_mail().await;
    server.register("Ana").await;
    let visitor = server.stranger();
    let long = format!("{}@example.org", "a".repeat(300));
    for text in [
        "",
        "ana",
        "a1<ana@example.org>",
        "<ana@example.org>",
        "Ana <ana@example.org>",
        "ana@example.org,ana@example.org",
        "ana(1)@example.org",
        "\"a b\"@example.org",
        "ana@example.org\r\nBcc: eva@example.org",
        "ana\0@example.org",
        "ana\u{200B}@example.org",
        "ana@[127.0.0.1]",
        &long,
    ] {
        let account = json!({"email": text, "password": PASSWORD, "display_name": "Eva"});
        for path in ["/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/reset"] {
            visitor.post(path, &account).await.refused(422, "bad_request");
        }
    }
    for _ in 0..6 {
        visitor
            .post("/api/v1/auth/login", &json!({"email": "a1<b@c.d>", "password": "x"}))
            .await
            .refused(422, "bad_request");
    }
    // Another spelling is the same mailbox with the same budget.
    for spelling in ["ana@example.org", " ANA@example.org", "Ana@Example.Org ", "aNa@example.org", "ana@EXAMPLE.org"] {
        assert_eq!(ask(&server, spelling).await, 204);
    }
    assert_eq!(ask(&server, "anA@example.org").await, 429);
    assert!(office.until(5).await.iter().all(|letter| letter.to == "ana@example.org"));
    let url = format!("--database-url={}", server.database().url());
    let mut command = Command::new(crate::support::server_binary());
    command
        .args(["reset-link", "a1<ana@example.org>", &url, "--public-url=https://chat.example.org"])
        .env_remove("JWT_SECRET");
    let made = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(!made.status.success() && String::from_utf8_lossy(&made.stderr).contains("no e-mail address"), "{made:?}");
}

/// Regression: these e-mails were valid at sign-up. After the rules became stricter, the users could neither sign in
/// nor request a link, and the operator could not make one.
#[tokio::test]
async fn whose_address_is_none_any_more_still_comes_in_and_nothing_is_sent_there() {
    let (server, office) = with_mail().await;
    let ana = server.register("Ana").await;
    let url = format!("--database-url={}", server.database().url());
    for (n, former) in ["ana@пример.рф", "ana@my_host.lan", "jose\u{301}@example.org"].into_iter().enumerate() {
        let stored = format!("update {{ours}}account set email = '{former}' where user_id = {{id}}");
        let stored = stored.replace("{id}", &server.database().uuid(ana.id()));
        server.foreign().await.run(&stored).await;
        let visitor = server.stranger();
        let login = async |email: &str, password: &str| {
            visitor.post("/api/v1/auth/login", &json!({"email": email, "password": password})).await
        };
        let present = if n == 0 { PASSWORD } else { ANOTHER };
        assert_eq!(login(&format!(" {} ", former.to_uppercase()), present).await.status, 200, "{former}");
        // The answer must not reveal that an account has this e-mail, on any route.
        for (email, password) in [(former, "wrong password"), ("eva@my_host.lan", PASSWORD), ("eva@пример.рф", "x")]
        {
            let answer = login(email, password).await;
            answer.refused(422, "bad_request");
            assert_eq!(answer.json()["error"]["message"], "`email` is no e-mail address");
        }
        assert_eq!(ask(&server, former).await, 422);
        let account = json!({"email": former, "password": PASSWORD, "display_name": "Eva"});
        visitor.post("/api/v1/auth/register", &account).await.refused(422, "bad_request");

        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.args(["reset-link", former, &url, "--public-url=https://chat.example.org"]).env_remove("JWT_SECRET");
        let made = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let link = String::from_utf8(made.stdout).unwrap();
        assert_eq!(visitor.post(&route(&link), &json!({"password": ANOTHER})).await.status, 204, "{former}");
        assert_eq!(login(former, ANOTHER).await.status, 200, "{former}");
    }
    assert!(office.letters().is_empty());
}

#[tokio::test]
async fn the_forms_work_without_scripts() {
    let (server, office) = with_mail().await;
    server.register("Ana").await;
    let visitor: TestUser = server.stranger();
    for (email, place) in [("x", "/reset?error=bad_request&at=reset"), ("ana@example.org", "/reset?done=sent")] {
        assert_eq!(visitor.form_leads_to("/reset", &[("email", email)]).await, place);
    }
    let path = route(&office.until(1).await[0].text).replace("/api/v1/auth", "");
    let refused = |code: &str| format!("{path}?error={code}&at=reset");
    assert_eq!(visitor.get(&path).await.status, 200, "looking changes nothing");
    for (password, place) in
        [("short", refused("bad_request")), (ANOTHER, "/login?done=reset".to_owned()), (ANOTHER, refused("gone"))]
    {
        assert_eq!(visitor.form_leads_to(&path, &[("password", password)]).await, place);
    }
    assert!(signs_in(&server, ANOTHER).await);
}
