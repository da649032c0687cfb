//! Each route, each frame and each form has a budget, or a reason why it needs none.
//!
//! The tests compare the table with the routes and frames that exist, as in `permissions`. A new route or frame without
//! a row fails.

mod table;
mod turns;

use std::collections::BTreeSet;

use caravana_protocol::ClientFrame;
use caravana_server::http::FOR_BROWSERS;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, TestServer, TestUser, Wire};
use table::Kept::{Budget, By};
use table::{for_browsers, frames, routes};

/// A server with the smallest possible budgets: one request at once, and one per second or per day.
async fn scarce() -> (TestServer, TestUser, String, String) {
    let server = TestServer::builder()
        .flag("--budget-factor=0.000001")
        .flag("--send-rate-per-user=1")
        .flag("--send-burst-per-user=1")
        .start()
        .await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await.to_string();
    let invite = ana.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await.json();
    let token = invite["token"].as_str().unwrap().to_owned();
    (server, ana, group, token)
}

#[tokio::test]
async fn every_route_has_a_budget_or_a_reason() {
    let (_server, ana, group, token) = scarce().await;
    let document = ana.get("/openapi.json").await.json();
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (method.clone(), path.clone())))
        .collect();
    let rows = routes().iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(described, rows, "left: described routes; right: rows of the table");
    let mut endless = Vec::new();
    for (method, path, kept) in routes() {
        let body = match kept {
            Budget(body) => Some(body).filter(|body| !body.is_null()),
            By(reason) => {
                assert!(!reason.is_empty());
                continue;
            }
        };
        let address = path.replace("{group_id}", &group).replace("{token}", &token).replace("{emoji}", "%F0%9F%8E%89");
        // The other ids do not exist. A refused request uses the budget too.
        let nobody = Uuid::now_v7().to_string();
        let address = ["{message_id}", "{user_id}", "{session_id}", "{invite_id}"]
            .iter()
            .fold(address, |address, name| address.replace(name, &nobody));
        match refused(&ana, method, &address, body.as_ref()).await {
            Some(answer) => {
                answer.refused(429, "rate_limited");
                let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
                assert!(wait >= 1, "{method} {path}");
            }
            None => endless.push(format!("{method} {path}")),
        }
    }
    assert!(endless.is_empty(), "without a budget: {endless:#?}");
}

/// Repeats the request until it is refused, up to 20 times.
async fn refused(user: &TestUser, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
    for _ in 0..20 {
        let answer = user.call(method.to_uppercase().parse().unwrap(), path, body).await;
        if answer.status == 429 {
            return Some(answer);
        }
    }
    None
}

#[tokio::test]
async fn every_frame_has_a_budget_or_a_reason() {
    let rows: BTreeSet<&str> = frames().iter().map(|(kind, _)| *kind).collect();
    assert_eq!(rows, ClientFrame::KINDS.into_iter().collect());
    let (_server, ana, ..) = scarce().await;
    for (kind, kept) in frames() {
        let Budget(data) = kept else { continue };
        let mut wire = Wire::open(&ana).await;
        let mut heard = Vec::new();
        while heard.last().is_none_or(|code| code != "rate_limited") {
            assert!(heard.len() < 20, "{kind} without end: {heard:?}");
            wire.say(kind, data.clone()).await;
            heard.push(wire.error().await);
        }
    }
}

/// Regression: the forms had a list of their own, so no test noticed a new form or a new way to open a socket.
#[tokio::test]
async fn a_form_spends_the_budget_of_its_route_and_says_so_on_its_page() {
    let served: BTreeSet<(&str, &str)> =
        FOR_BROWSERS.iter().flat_map(|(path, methods)| methods.iter().map(move |method| (*method, *path))).collect();
    let rows = for_browsers().iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(served, rows, "left: what is for browsers; right: rows of the table");
    let (_server, ana, group, token) = scarce().await;
    for (method, path, kept) in for_browsers() {
        let Budget(Value::Object(fields)) = kept else { continue };
        assert_eq!(method, "post", "{path}");
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let path = path.replace("{group_id}", &group).replace("{token}", &token);
        let mut leads = Vec::new();
        while leads.last().is_none_or(|to: &String| !to.contains("error=rate_limited")) {
            assert!(leads.len() < 20, "{path} without end: {leads:?}");
            leads.push(ana.form_leads_to(&path, &fields).await);
        }
    }
}

/// Regression: a non-member could find out that a group existed and was busy, because the refusal said that its budget
/// was used up.
#[tokio::test]
async fn that_a_groups_budget_is_used_up_is_told_to_its_members_only() {
    let server = TestServer::builder().flag("--budget-factor=0.000001").flag("--send-rate-per-group=1").start().await;
    // The budget allows one account per address, so the stranger is a guest.
    let (ana, stranger) = (server.register("Ana").await, server.guest("Otto").await);
    let group = ana.create_group("Oaxaca").await;
    let id = ana.sends(group, "hola").await.json()["message"]["id"].clone();
    let frames = [
        ("send_message", json!({"group_id": group, "message": "hola"})),
        ("edit_message", json!({"id": id, "message": "otra"})),
        ("delete_message", json!({"id": id})),
        ("mark_read", json!({"group_id": group, "seq": 1})),
    ];
    let (mut inside, mut outside) = (Wire::open(&ana).await, Wire::open(&stranger).await);
    for (kind, data) in frames {
        // One per second is allowed, so some of five are refused.
        for _ in 0..5 {
            inside.say(kind, data.clone()).await;
        }
        assert_eq!(inside.error().await, "rate_limited", "{kind}");
        outside.say(kind, data).await;
        assert_eq!(outside.error().await, "not_found", "{kind}");
        if kind == "send_message" {
            outside.say(kind, json!({"group_id": group, "message": "  "})).await;
            assert_eq!(outside.error().await, "empty_message", "as of no group");
        }
    }
}

/// Regression: over the limit, a text that can not be a message was refused for that reason only if its id was known.
#[tokio::test]
async fn over_the_limit_nobody_learns_which_ids_there_are() {
    let server = TestServer::builder().flag("--send-rate-per-user=1").flag("--send-burst-per-user=1").start().await;
    let (ana, stranger) = (server.register("Ana").await, server.register("Otto").await);
    let group = ana.create_group("Oaxaca").await;
    let stored = ana.sends(group, "hola").await.json()["message"]["id"].clone();
    let mut outside = Wire::open(&stranger).await;
    for _ in 0..3 {
        outside.say("send_message", json!({"group_id": group, "message": "hola"})).await;
        outside.error().await;
    }
    for id in [stored, json!(uuid::Uuid::now_v7())] {
        outside.say("send_message", json!({"group_id": group, "message": "", "id": id})).await;
        assert_eq!(outside.error().await, "empty_message", "{id}");
        outside.say("send_message", json!({"group_id": group, "message": "hola", "id": id})).await;
        assert_eq!(outside.error().await, "rate_limited", "{id}");
    }
}

/// Regression: members who revoked a revoked link again used up the group's budget, so the owner could not revoke.
#[tokio::test]
async fn a_link_that_is_revoked_again_costs_the_group_nothing() {
    // A user's budget is 4 and a group's is 8.
    let server = TestServer::builder().flag("--budget-factor=0.02").start().await;
    let (ana, bob, group) = server.couple().await;
    let eva = server.register("Eva").await;
    ana.brings(&eva, group).await;
    let links = format!("/api/v1/groups/{group}/invites");
    let link = async |user: &TestUser| {
        let made = user.post(&links, &json!({})).await.json();
        format!("{links}/{}", made["id"].as_str().unwrap())
    };
    for member in [&bob, &eva] {
        let link = link(member).await;
        for _ in 0..4 {
            assert_eq!(member.delete(&link).await.status, 204);
        }
        member.delete(&link).await.refused(429, "rate_limited");
    }
    assert_eq!(ana.delete(&link(&ana).await).await.status, 204);
}

/// Regression: five thousand people with one link could all become members at once. Then every member's cursor was too
/// old to resume from.
#[tokio::test]
async fn many_people_together_neither_join_a_group_nor_make_links_without_end() {
    // A group's budget is 1 for joins and 2 for links.
    let server = TestServer::builder().flag("--budget-factor=0.005").start().await;
    let (ana, bob, group) = server.couple().await;
    let (eva, leo) = (server.register("Eva").await, server.register("Leo").await);
    let links = format!("/api/v1/groups/{group}/invites");
    let token = bob.post(&links, &json!({})).await.json()["token"].as_str().unwrap().to_owned();
    let accept = format!("/api/v1/invites/{token}/accept");
    eva.post(&accept, &json!({})).await.refused(429, "rate_limited");
    leo.post(&accept, &json!({})).await.refused(429, "rate_limited");
    assert_eq!(ana.post(&accept, &json!({})).await.status, 200, "a member goes on to the group");
    ana.post(&links, &json!({})).await.refused(429, "rate_limited");
    let nobody = accept.replace(&token, &"x".repeat(token.len()));
    eva.post(&nobody, &json!({})).await.refused(404, "not_found");
    eva.post(&nobody, &json!({})).await.refused(429, "rate_limited");
}

/// Regression: all of these had no limit: 3,000 groups by one account in nine seconds, 617 edits a second.
#[tokio::test]
async fn at_default_settings_people_do_what_people_do_and_machines_do_not() {
    let server = TestServer::builder()
        .flag("--budget-factor=1")
        .flag("--send-rate-per-user=2")
        .flag("--send-burst-per-user=10")
        .start()
        .await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let mut made = 1;
    while ana.post("/api/v1/groups", &json!({"name": format!("Viaje {made}")})).await.status == 201 {
        made += 1;
        assert!(made < 400, "groups without end");
    }
    assert!(made >= 100, "{made} groups in a row");

    let id = ana.sends(group, "hola").await.json()["message"]["id"].clone();
    let mut wire = Wire::open(&ana).await;
    let start = std::time::Instant::now();
    for n in 0..200 {
        wire.say("edit_message", json!({"id": id, "message": format!("hola {n}")})).await;
    }
    wire.say_text(r#"{"type": "sentinel", "data": {}, "ref": "after"}"#).await;
    let mut refused = 0;
    loop {
        let frame = wire.next().await.unwrap();
        if frame["ref"] == "after" {
            break;
        }
        refused += u64::from(frame["code"] == "rate_limited");
    }
    let possible = 10 + 2 * (start.elapsed().as_secs() + 1);
    assert!((10..=possible).contains(&(200 - refused)), "{} edits passed", 200 - refused);
}
