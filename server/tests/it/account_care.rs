//! Managing one's own account: password, sign-ins, name, export, deletion.

use caravana_protocol::rest::{SignIn, SignInsAnswer};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::database::Foreign;
use crate::support::{Answer, End, PASSWORD, TestServer, TestUser, Wire, jwt, seconds_from_now};

const ANOTHER: &str = "a much better password";

/// The same user on another device.
async fn elsewhere(server: &TestServer, name: &str, password: &str) -> (TestUser, Answer) {
    let device = server.stranger();
    let email = format!("{}@example.org", name.to_lowercase());
    let answer = device.post("/api/v1/auth/login", &json!({"email": email, "password": password})).await;
    (device, answer)
}

async fn sign_ins(user: &TestUser) -> Vec<SignIn> {
    user.get("/api/v1/sessions").await.ok::<SignInsAnswer>().sessions
}

/// Checks that the socket still answers.
async fn lives(wire: &mut Wire) {
    wire.say("unsubscribe", json!({"group_id": uuid::Uuid::now_v7()})).await;
    wire.expect("left").await;
}

#[tokio::test]
async fn a_changed_password_ends_everything_but_the_sign_in_that_changed_it() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let (phone, _) = elsewhere(&server, "Ana", PASSWORD).await;
    let issued = phone.post("/api/v1/ws-ticket", &json!({})).await.json();
    let mut here = Wire::open(&ana).await;
    let own = ana.post("/api/v1/ws-ticket", &json!({})).await.json();
    let mut lent = Wire::open_bare(&server, &format!("/ws?ticket={}", own["ticket"].as_str().unwrap())).await.unwrap();
    let mut there =
        Wire::open_bare(&server, &format!("/ws?ticket={}", issued["ticket"].as_str().unwrap())).await.unwrap();
    let token = ana.post("/api/v1/auth/token", &json!({})).await.json()["access_token"].as_str().unwrap().to_owned();
    let of_host = jwt(&json!({"sub": ana.id(), "exp": seconds_from_now(600), "iat": seconds_from_now(-5)}));

    let before = ana.cookie().to_owned();
    let change = json!({"password": PASSWORD, "new_password": ANOTHER});
    let answer = ana.post("/api/v1/auth/password", &change).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    let fresh = answer.headers["set-cookie"].to_str().unwrap();
    assert!(
        fresh.starts_with("caravana_session=") && fresh.contains("HttpOnly") && !fresh.starts_with(&before),
        "{fresh}"
    );

    assert_eq!(there.end().await, End::Code(4505));
    assert_eq!(lent.end().await, End::Code(4505), "a ticket may be in other hands than the cookie");
    assert_eq!(ana.get("/api/v1/session").await.status, 200, "the fresh cookie is good");
    phone.get("/api/v1/session").await.refused(401, "unauthenticated");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let stolen = client.get(server.url("/api/v1/session")).header("cookie", before).send().await.unwrap();
    assert_eq!(stolen.status(), 401, "whoever had a copy of the old cookie is out");
    for old in [&token, &of_host] {
        assert_eq!(Wire::refused_with_token(&server, old).await, 401);
    }
    // The server's periodic check finds that another sign-in has ended. It must not close the user's own page.
    let tablet = server.stranger();
    let login = tablet.request(Method::POST, "/api/v1/auth/login").header("user-agent", "Firefox/140.0");
    login.json(&json!({"email": "ana@example.org", "password": ANOTHER})).send().await.unwrap();
    let issued = tablet.post("/api/v1/ws-ticket", &json!({})).await.json();
    let mut idle =
        Wire::open_bare(&server, &format!("/ws?ticket={}", issued["ticket"].as_str().unwrap())).await.unwrap();
    server.foreign().await.run("update {ours}session set expires_at = 0 where browser = 'Firefox'").await;
    assert_eq!(idle.end().await, End::Code(4505));
    lives(&mut here).await;
    assert_eq!(elsewhere(&server, "Ana", PASSWORD).await.1.refusal(), (401, "invalid_credentials".into()));
    assert_eq!(elsewhere(&server, "Ana", ANOTHER).await.1.status, 200);
}

#[tokio::test]
async fn a_password_is_changed_only_by_who_knows_it_and_tries_are_counted() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let change = |password: &str, new: &str| json!({"password": password, "new_password": new});
    ana.post("/api/v1/auth/password", &change(PASSWORD, "short")).await.refused(422, "bad_request");
    ana.post("/api/v1/auth/password", &change(PASSWORD, &"x".repeat(129))).await.refused(422, "bad_request");
    ana.post("/api/v1/auth/password", &json!({"password": PASSWORD})).await.refused(422, "bad_request");
    for _ in 0..5 {
        ana.post("/api/v1/auth/password", &change("wrong password", ANOTHER)).await.refused(401, "invalid_credentials");
    }
    let answer = ana.post("/api/v1/auth/password", &change(PASSWORD, ANOTHER)).await;
    answer.refused(429, "rate_limited");
    assert!(answer.headers.contains_key("retry-after"));
    ana.post("/api/v1/account/delete", &json!({"password": PASSWORD})).await.refused(429, "rate_limited");
    assert_eq!(ana.get("/api/v1/session").await.status, 200, "a wrong guess signs nobody out");
}

#[tokio::test]
async fn care_of_an_account_needs_proof_of_our_own_page() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (method, path, body) in [
        (Method::POST, "/api/v1/auth/password", json!({"password": PASSWORD, "new_password": ANOTHER})),
        (Method::DELETE, "/api/v1/sessions", json!({})),
        (Method::PATCH, "/api/v1/account", json!({"display_name": "Eva"})),
        (Method::POST, "/api/v1/account/delete", json!({"password": PASSWORD})),
    ] {
        let request = client.request(method, server.url(path)).header("cookie", ana.cookie()).json(&body);
        let answer = Answer::read(request.header("origin", "https://evil.org").send().await.unwrap()).await;
        answer.refused(403, "csrf");
    }
    for path in ["/account/password", "/account/name", "/account/privacy", "/account/sessions", "/account/delete"] {
        let request = client.post(server.url(path)).header("cookie", ana.cookie()).header("origin", "https://evil.org");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body("password=x");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    assert_eq!(ana.get("/api/v1/session").await.json()["user"]["display_name"], "Ana");
}

#[tokio::test]
async fn somebody_sees_where_they_are_signed_in_and_ends_it() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.register("Ana").await, server.register("Bob").await);
    let phone = server.stranger();
    let login = phone
        .request(Method::POST, "/api/v1/auth/login")
        .header("user-agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1 <b>")
        .json(&json!({"email": "ana@example.org", "password": PASSWORD}));
    assert_eq!(login.send().await.unwrap().status(), 200);
    let wire = Wire::open(&ana).await;
    let list = sign_ins(&ana).await;
    assert_eq!(list.len(), 2);
    let this = list.iter().find(|sign_in| sign_in.current).unwrap();
    let other = list.iter().find(|sign_in| !sign_in.current).unwrap();
    assert!(this.online && !other.online);
    assert_eq!((this.browser.as_deref(), other.browser.as_deref()), (None, Some("Safari · iPhone")));
    assert!(other.last_seen_at >= other.created_at);
    drop(wire);

    // A user can not end another user's sign-in, nor find out whether it exists.
    let path = format!("/api/v1/sessions/{}", other.id);
    bob.delete(&path).await.refused(404, "not_found");
    assert_eq!(phone.get("/api/v1/session").await.status, 200);
    assert_eq!(ana.delete(&path).await.status, 204);
    phone.get("/api/v1/session").await.refused(401, "unauthenticated");
    ana.delete(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn signing_out_everywhere_else_leaves_this_one() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let (phone, _) = elsewhere(&server, "Ana", PASSWORD).await;
    let issued = phone.post("/api/v1/ws-ticket", &json!({})).await.json();
    let mut there =
        Wire::open_bare(&server, &format!("/ws?ticket={}", issued["ticket"].as_str().unwrap())).await.unwrap();
    let mut here = Wire::open(&ana).await;
    assert_eq!(ana.delete("/api/v1/sessions").await.status, 204);
    assert_eq!(there.end().await, End::Code(4505));
    lives(&mut here).await;
    let left = sign_ins(&ana).await;
    assert_eq!(left.iter().map(|sign_in| sign_in.current).collect::<Vec<_>>(), [true]);
}

#[tokio::test]
async fn a_deleted_account_leaves_its_messages_without_an_author_and_nothing_else() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let alone = ana.create_group("Sola").await;
    ana.sends(group, "hola desde Oaxaca").await;
    bob.sends(group, "¿qué tal?").await;
    let other_token = jwt(&json!({"sub": ana.id(), "exp": seconds_from_now(600), "iat": seconds_from_now(300)}));
    let before = bob.get(&format!("/api/v1/groups/{group}/messages")).await.json();
    let (mut of_ana, mut of_bob) = (Wire::open(&ana).await, Wire::open(&bob).await);
    of_bob.follow(group, None).await;

    ana.post("/api/v1/account/delete", &json!({"password": "wrong password"}))
        .await
        .refused(401, "invalid_credentials");
    let answer = ana.post("/api/v1/account/delete", &json!({"password": PASSWORD})).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert!(answer.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));

    assert_eq!(of_ana.end().await, End::Code(4505));
    // Bob becomes the owner and is told that Ana left.
    assert_eq!(of_bob.expect("member_joined").await["role"], "owner");
    let left = of_bob.expect("member_left").await;
    assert_eq!((&left["user_id"], &left["display_name"]), (&json!(ana.id()), &json!("")));

    let after = bob.get(&format!("/api/v1/groups/{group}/messages")).await.json();
    let strip = |list: &Value, name: &str| {
        let mut messages = list["messages"].as_array().unwrap().clone();
        for message in &mut messages {
            message.as_object_mut().unwrap().remove(name);
        }
        messages
    };
    assert_eq!(strip(&before, "user_id"), strip(&after, "user_id"), "texts, ids, seqs and times are as they were");
    assert_eq!((&before["messages"][0]["user_id"], &after["messages"][0]["user_id"]), (&json!(ana.id()), &Value::Null));
    assert_eq!(after["messages"][1]["user_id"], json!(bob.id()));
    let events = bob.get(&format!("/api/v1/groups/{group}/events")).await.json();
    assert_eq!(events["epoch"], before["epoch"]);
    let seqs: Vec<u64> =
        events["events"].as_array().unwrap().iter().map(|event| event["data"]["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=u64::try_from(seqs.len()).unwrap()).collect::<Vec<_>>());

    ana.get("/api/v1/session").await.refused(401, "unauthenticated");
    elsewhere(&server, "Ana", PASSWORD).await.1.refused(401, "invalid_credentials");
    assert_eq!(Wire::refused_with_token(&server, &other_token).await, 401, "no token brings a deleted user back");
    nothing_is_left(&server, &ana, &alone.to_string()).await;
    // The e-mail is free again for a new account.
    let again = server.register("Ana").await;
    assert_ne!(again.id(), ana.id());
    again.get(&format!("/api/v1/groups/{group}")).await.refused(404, "not_found");
}

/// Searches every column of the database for the user's data.
async fn nothing_is_left(server: &TestServer, who: &TestUser, ended_group: &str) {
    let mut foreign = server.foreign().await;
    let id = who.id().to_string();
    for (table, name, column) in foreign.columns().await {
        let mut count = async |text: &str| {
            let count = format!("select count(*) from {table} where cast(\"{column}\" as text) = '{text}'");
            foreign.numbers(&count).await[0]
        };
        for text in ["Ana", "ana@example.org"] {
            assert_eq!(count(text).await, 0, "{name}.{column}: {text}");
        }
        // The id may stay as the actor of «joined» and «left» events, as the creator of a link that others use, in the
        // row without a name that these refer to, and in the row by which tokens are refused.
        let may_stay = ["users.id", "event.actor_id", "invite.created_by", "sign_out.user_id"];
        if !may_stay.contains(&format!("{name}.{column}").as_str()) {
            assert_eq!(count(&id).await, 0, "{name}.{column}");
        }
    }
    let ended = format!(
        "select count(*) from {} where group_id = '{ended_group}' and deleted_at is not null",
        foreign.ours("group")
    );
    assert_eq!(foreign.numbers(&ended).await, [1], "a group with nobody left has ended");
}

/// Regression: five such refusals counted as wrong passwords, and the user could not sign in with the right password.
#[tokio::test]
async fn an_end_that_the_hosts_table_refuses_counts_as_no_wrong_password() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    ana.sends(group, "hola").await;
    let mut foreign = server.foreign().await;
    // Only on PostgreSQL can the host own the table of messages.
    let Foreign::Postgres(_) = foreign else { return };
    foreign.run("alter table group_chat alter user_id set not null").await;
    for _ in 0..7 {
        ana.post("/api/v1/account/delete", &json!({"password": PASSWORD})).await.refused(403, "forbidden");
    }
    let body = json!({"email": "ana@example.org", "password": PASSWORD});
    assert_eq!(server.stranger().post("/api/v1/auth/login", &body).await.status, 200);
}
