//! History, sending and the log by REST.

use caravana_protocol::rest::MessagesAnswer;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestServer, TestUser};

async fn conversation() -> (TestServer, TestUser, TestUser, String) {
    let server = TestServer::start().await;
    let (ana, luis) = (server.register("Ana").await, server.register("Luis").await);
    let group = ana.create_group("Lisboa").await;
    ana.brings(&luis, group).await;
    (server, ana, luis, format!("/api/v1/groups/{group}"))
}

#[tokio::test]
async fn the_same_id_is_stored_once_and_answered_alike() {
    let (_server, ana, luis, group) = conversation().await;
    let (path, id) = (format!("{group}/messages"), Uuid::now_v7());
    let body = json!({"id": id, "message": "hola\r\nqué tal"});
    let first = ana.post(&path, &body).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let message = first.json()["message"].clone();
    assert_eq!((message["id"].clone(), message["message"].clone()), (json!(id), json!("hola\nqué tal")));
    let again = ana.post(&path, &body).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, json!({"message": message, "duplicate": true})));
    ana.post(&path, &json!({"id": id, "message": "another"})).await.refused(409, "id_conflict");
    luis.post(&path, &body).await.refused(409, "id_conflict");
    let list = luis.get(&path).await.ok::<MessagesAnswer>();
    assert_eq!(list.messages.len(), 1);
}

#[tokio::test]
async fn history_comes_in_pages_in_both_directions() {
    let (_server, ana, luis, group) = conversation().await;
    let mut seqs = Vec::new();
    for n in 0..7 {
        let sent = ana.post(&format!("{group}/messages"), &json!({"message": format!("{n}")})).await.json();
        seqs.push(sent["message"]["seq"].as_u64().unwrap());
    }
    let page = async |query: &str| {
        let page = luis.get(&format!("{group}/messages?{query}")).await.ok::<MessagesAnswer>();
        let texts: String = page.messages.iter().map(|message| message.content.body.as_str()).collect();
        (texts, page.has_more_before, page.has_more_after)
    };
    assert_eq!(page("").await, ("0123456".into(), false, false));
    assert_eq!(page("limit=3").await, ("456".into(), true, false));
    assert_eq!(page(&format!("limit=3&before={}", seqs[4])).await, ("123".into(), true, true));
    assert_eq!(page(&format!("limit=3&after={}", seqs[4])).await, ("56".into(), true, false));
    let (around, _, _) = page(&format!("limit=3&around={}", seqs[3])).await;
    assert!(around.contains('3'), "{around}");
}

#[tokio::test]
async fn page_parameters_are_checked() {
    let (_server, ana, _luis, group) = conversation().await;
    for query in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=abc",
        "limit=",
        "before=1&after=1",
        "around=1&before=1",
        "before=-1",
        "before=x",
        "after=9223372036854775808",
        "limit=1&limit=2",
    ] {
        ana.get(&format!("{group}/messages?{query}")).await.refused(400, "invalid_param");
    }
    assert_eq!(ana.get(&format!("{group}/messages?limit=200&unknown=1")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn messages_are_edited_by_their_author_and_deleted_by_those_who_manage() {
    let (_server, ana, luis, group) = conversation().await;
    let sent = luis.post(&format!("{group}/messages"), &json!({"message": "hola"})).await.json();
    let path = format!("{group}/messages/{}", sent["message"]["id"].as_str().unwrap());
    ana.patch(&path, &json!({"message": "adiós"})).await.refused(403, "forbidden");
    let edited = luis.patch(&path, &json!({"message": "buenas"})).await.json();
    assert_eq!(edited["message"]["message"], "buenas");
    assert!(edited["message"]["edited_at"].is_string());
    luis.patch(&path, &json!({"message": "  "})).await.refused(422, "empty_message");
    assert_eq!(ana.delete(&path).await.status, StatusCode::NO_CONTENT);
    ana.delete(&path).await.refused(410, "gone");
    luis.patch(&path, &json!({"message": "otra vez"})).await.refused(410, "gone");
    let own = ana.post(&format!("{group}/messages"), &json!({"message": "mía"})).await.json();
    let own = format!("{group}/messages/{}", own["message"]["id"].as_str().unwrap());
    luis.delete(&own).await.refused(403, "forbidden");
    luis.delete(&format!("{group}/messages/{}", Uuid::new_v4())).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_message_of_another_group_does_not_exist_here() {
    let (_server, ana, _luis, group) = conversation().await;
    let other = ana.create_group("Porto").await;
    let sent = ana.sends(other, "hola").await.json();
    let path = format!("{group}/messages/{}", sent["message"]["id"].as_str().unwrap());
    ana.patch(&path, &json!({"message": "x"})).await.refused(404, "not_found");
    ana.delete(&path).await.refused(404, "not_found");
    let answer = json!({"message": "re", "reply_to": sent["message"]["id"]});
    let answer = ana.post(&format!("{group}/messages"), &answer).await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
}

#[tokio::test]
async fn the_log_is_read_in_pages_from_any_cursor() {
    let (_server, ana, luis, group) = conversation().await;
    ana.post(&format!("{group}/messages"), &json!({"message": "hola"})).await;
    let log = luis.get(&format!("{group}/events")).await.json();
    let kinds: Vec<&str> =
        log["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["member_joined", "member_joined", "new_message"]);
    assert_eq!((log["head"].clone(), log["more"].clone()), (json!(3), json!(false)));
    let epoch = log["epoch"].as_str().unwrap();
    let rest = luis.get(&format!("{group}/events?after=2&epoch={epoch}")).await.json();
    assert_eq!(rest["events"][0], log["events"][2]);
    let nothing = luis.get(&format!("{group}/events?after=3&epoch={epoch}")).await.json();
    assert_eq!(nothing["events"], Value::Array(Vec::new()));
    luis.get(&format!("{group}/events?after=4")).await.refused(410, "gone");
    luis.get(&format!("{group}/events?after=2&epoch={}", Uuid::new_v4())).await.refused(410, "gone");
    luis.get(&format!("{group}/events?after=2&epoch=x")).await.refused(400, "invalid_param");
}

#[tokio::test]
async fn texts_that_can_not_be_messages_are_refused() {
    let (_server, ana, _luis, group) = conversation().await;
    let path = format!("{group}/messages");
    for (body, status, code) in [
        (json!({"message": ""}), 422, "empty_message"),
        (json!({"message": " \u{200b}\n"}), 422, "empty_message"),
        (json!({"message": "a\u{0}b"}), 422, "invalid_message"),
        (json!({"message": "ñ".repeat(4_001)}), 422, "message_too_long"),
        (json!({"message": 7}), 422, "bad_request"),
        (json!({}), 422, "bad_request"),
        (json!({"message": "x", "id": "7"}), 400, "invalid_id"),
        (json!({"message": "x", "id": 7}), 422, "bad_request"),
        (json!({"message": "x", "reply_to": "nobody"}), 400, "invalid_id"),
    ] {
        ana.post(&path, &body).await.refused(status, code);
    }
    assert_eq!(ana.post(&path, &json!({"message": "ñ".repeat(4_000)})).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_flood_is_told_when_it_may_go_on() {
    let server = TestServer::builder().flag("--send-rate-per-user=1").flag("--send-burst-per-user=2").start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    ana.sends(group, "1").await;
    ana.sends(group, "2").await;
    let answer = ana.sends(group, "3").await;
    answer.refused(429, "rate_limited");
    assert!(answer.headers.contains_key("retry-after"));
}

/// Regression: a page of history held only messages. Joins, leaves and renames were shown until the page was reloaded,
/// and then were missing.
#[tokio::test]
async fn a_page_of_history_brings_what_else_happened_in_its_part_of_the_log() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.register("Ana").await, server.register("Bob").await);
    let group = ana.create_group("Lisboa").await;
    let path = format!("/api/v1/groups/{group}");
    for text in ["m1", "m2"] {
        ana.sends(group, text).await;
    }
    ana.patch(&path, &json!({"name": "Porto"})).await;
    ana.brings(&bob, group).await;
    ana.delete(&format!("{path}/members/{}", bob.id())).await;
    for text in ["m3", "m4"] {
        ana.sends(group, text).await;
    }
    ana.patch(&path, &json!({"members_can_invite": false})).await;
    ana.patch(&path, &json!({"name": "Sintra"})).await;
    let page = async |query: &str| ana.get(&format!("{path}/messages?{query}")).await.json();
    let shown = |page: &Value| -> Vec<String> {
        let event = |event: &Value| {
            let data = &event["data"];
            let detail = data["renamed"].as_str().or(data["display_name"].as_str()).unwrap_or("-");
            format!("{} {} {detail}", data["seq"], event["type"].as_str().unwrap())
        };
        page["events"].as_array().map(|events| events.iter().map(event).collect()).unwrap_or_default()
    };
    let all = [
        "1 member_joined Ana",
        "4 group_updated Porto",
        "5 member_joined Bob",
        "6 member_left Bob",
        "9 group_updated -",
        "10 group_updated Sintra",
    ];
    let newest = page("limit=2").await;
    assert_eq!(shown(&newest), all[4..]);
    assert_eq!(newest["events"][0]["data"]["name"], "Sintra", "the present name, as in a replay");
    // The next page ends where this one begins: nothing is missing between them and nothing is repeated.
    assert_eq!(shown(&page(&format!("limit=1&before={}", newest["messages"][0]["seq"])).await), all[1..4]);
    assert_eq!(shown(&page("limit=2&before=7").await), all[..4]);
    assert_eq!(shown(&page("limit=1&after=3").await), all[1..4]);
    assert_eq!(shown(&page("limit=50&after=3").await), all[1..]);
    assert_eq!(shown(&page("limit=2&around=7").await), all[1..4]);
    assert_eq!(shown(&page("limit=200").await), all);
    // A group without messages has a page with events only.
    let quiet = ana.create_group("Callado").await;
    let quiet = ana.get(&format!("/api/v1/groups/{quiet}/messages")).await.json();
    assert_eq!((shown(&quiet), quiet["messages"].as_array().map(Vec::len)), (vec![all[0].to_owned()], Some(0)));
}

/// Thousands of users join. The size of a page stays bounded.
#[tokio::test]
async fn of_very_many_joinings_a_page_brings_the_newest_two_hundred() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    ana.sends(group, "hola").await;
    let mut foreign = server.foreign().await;
    let place = server.database().uuid(group);
    for _ in 0..300 {
        let user = server.database().uuid(uuid::Uuid::now_v7());
        foreign.run(&format!("insert into users (id, display_name) values ({user}, 'Otra')")).await;
        foreign
            .run(&format!("insert into {{ours}}member (group_id, user_id, role) values ({place}, {user}, 'member')"))
            .await;
    }
    let page = ana.get(&format!("/api/v1/groups/{group}/messages")).await.json();
    let seqs: Vec<u64> =
        page["events"].as_array().unwrap().iter().map(|event| event["data"]["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (103..=302).collect::<Vec<_>>());
}
