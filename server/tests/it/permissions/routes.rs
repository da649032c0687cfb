//! Each documented route × each column.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::people::{COLUMNS, NAMES, People, Place, ask, member};
use crate::support::{PASSWORD, TestServer, TestUser};

/// The object of a row's request. It is made again for every cell, because the previous cell may have used it up.
#[derive(Clone, Copy)]
enum Target {
    /// Only the group.
    Group,
    /// A message of another user.
    AnothersMessage,
    /// A message of the requesting user, if the user can write.
    OwnMessage,
    /// Another member, who is added again if removed.
    Victim,
    /// The requesting user.
    Oneself,
    /// The owner.
    Owner,
    /// A new group for every cell.
    FreshGroup,
    /// A sign-in of another user.
    AnothersSession,
    /// The group, in the query of a search.
    Searched,
}

struct Row {
    method: &'static str,
    path: &'static str,
    target: Target,
    body: Option<Value>,
    /// In the columns' order.
    statuses: [u16; COLUMNS],
}

fn row(method: &'static str, path: &'static str, target: Target, body: Option<Value>, statuses: [u16; COLUMNS]) -> Row {
    Row { method, path, target, body, statuses }
}

/// The authorisation of the whole REST interface. Columns: owner, admin, member, former member, member of another
/// group, guest, anonymous.
fn table() -> Vec<Row> {
    use Target::{AnothersMessage, AnothersSession, FreshGroup, Group, Oneself, OwnMessage, Owner, Searched, Victim};
    let text = || Some(json!({"message": "buenas"}));
    let account = json!({"email": "nadie", "password": PASSWORD, "display_name": "Nadie"});
    let again = json!({"password": PASSWORD, "new_password": PASSWORD});
    let reads = [200, 200, 200, 404, 404, 200, 401];
    let manages = |ok| [ok, ok, 403, 404, 404, 403, 401];
    let mut rows = vec![
        row("get", "/api/v1/search", Searched, None, reads),
        row("get", "/healthz", Group, None, [200; COLUMNS]),
        row("get", "/readyz", Group, None, [200; COLUMNS]),
        row("get", "/version", Group, None, [200; COLUMNS]),
        row("get", "/openapi.json", Group, None, [200; COLUMNS]),
        row("post", "/api/v1/auth/register", Group, Some(account), [422; COLUMNS]),
        // Without credentials, because failed sign-ins are counted.
        row("post", "/api/v1/auth/login", Group, Some(json!({})), [422; COLUMNS]),
        row("get", "/api/v1/session", Group, None, [200, 200, 200, 200, 200, 200, 401]),
        row("post", "/api/v1/auth/token", Group, None, [200, 200, 200, 200, 200, 401, 401]),
        row("post", "/api/v1/ws-ticket", Group, None, [200, 200, 200, 200, 200, 200, 401]),
        // The new password equals the old one. The request still ends the user's other sign-ins.
        row("post", "/api/v1/auth/password", Group, Some(again), COOKIE_204),
        row("get", "/api/v1/auth/reset", Group, None, [200; COLUMNS]),
        // This server sends no mail.
        row("post", "/api/v1/auth/reset", Group, Some(json!({"email": "olga@example.org"})), [403; COLUMNS]),
        // An invite's secret is not valid as a link for a new password.
        row("post", "/api/v1/auth/reset/{token}", Group, Some(json!({"password": PASSWORD})), [410; COLUMNS]),
        row("get", "/api/v1/sessions", Group, None, COOKIE_200),
        row("delete", "/api/v1/sessions", Group, None, COOKIE_204),
        row("delete", "/api/v1/sessions/{session_id}", AnothersSession, None, [404, 404, 404, 404, 404, 401, 401]),
        row("patch", "/api/v1/account", Group, Some(json!({})), COOKIE_200),
        row("get", "/api/v1/account/export", Group, None, COOKIE_200),
        // Without credentials, because later rows need the accounts.
        row("post", "/api/v1/account/delete", Group, Some(json!({})), [422, 422, 422, 422, 422, 401, 401]),
        row("get", "/api/v1/groups", Group, None, [200, 200, 200, 200, 200, 200, 401]),
        // With somebody who shares no group, nobody is there.
        row("post", "/api/v1/direct", Group, Some(json!({"user_id": VICTIM})), [201, 201, 201, 404, 404, 201, 401]),
        row("get", "/api/v1/blocks", Group, None, [200, 200, 200, 200, 200, 200, 401]),
        row("put", "/api/v1/blocks/{user_id}", Victim, None, [204, 204, 204, 404, 404, 204, 401]),
        row("put", "/api/v1/blocks/{user_id}", Oneself, None, [422, 422, 422, 422, 422, 422, 401]),
        row("delete", "/api/v1/blocks/{user_id}", Victim, None, [204, 204, 204, 204, 204, 204, 401]),
        row("get", "/api/v1/groups/{group_id}", Group, None, reads),
        row("get", "/api/v1/groups/{group_id}/members", Group, None, reads),
        row("get", "/api/v1/groups/{group_id}/messages", Group, None, reads),
        row("get", "/api/v1/groups/{group_id}/events", Group, None, reads),
        row("get", "/api/v1/groups/{group_id}/invites", Group, None, reads),
        row("get", "/chat/{group_id}/connections", Group, None, reads),
        row("get", "/api/v1/invites/{token}", Group, None, [200; COLUMNS]),
        row("post", "/api/v1/groups", Group, Some(json!({"name": "Faro"})), [201, 201, 201, 201, 201, 403, 401]),
        row("post", "/api/v1/groups/{group_id}/invites", Group, Some(json!({})), [201, 201, 201, 404, 404, 403, 401]),
        row("post", "/api/v1/groups/{group_id}/messages", Group, text(), [201, 201, 201, 404, 404, 201, 401]),
        row("patch", "/api/v1/groups/{group_id}", Group, Some(json!({"name": "Sintra"})), manages(200)),
        row("patch", MINE, Group, Some(json!({"favourite": true})), [204, 204, 204, 404, 404, 204, 401]),
        row("patch", MESSAGE, OwnMessage, text(), [200, 200, 200, 404, 404, 200, 401]),
        row("patch", MESSAGE, AnothersMessage, text(), [403, 403, 403, 404, 404, 403, 401]),
        row("delete", MESSAGE, OwnMessage, None, [204, 204, 204, 404, 404, 204, 401]),
        row("delete", MESSAGE, AnothersMessage, None, manages(204)),
        row("get", MESSAGE, AnothersMessage, None, [200, 200, 200, 404, 404, 200, 401]),
        row("put", REACTION, AnothersMessage, None, [204, 204, 204, 404, 404, 204, 401]),
        row("delete", REACTION, AnothersMessage, None, [204, 204, 204, 404, 404, 204, 401]),
        row("put", PIN, AnothersMessage, None, [204, 204, 204, 404, 404, 204, 401]),
        row("delete", PIN, AnothersMessage, None, [204, 204, 204, 404, 404, 204, 401]),
        row("get", READS, OwnMessage, None, [200, 200, 200, 404, 404, 200, 401]),
        row("get", READS, AnothersMessage, None, [403, 403, 403, 404, 404, 403, 401]),
        row("get", "/api/v1/groups/{group_id}/pins", Group, None, reads),
        row("patch", MEMBER, Victim, Some(json!({"role": "member"})), [204, 403, 403, 404, 404, 403, 401]),
        row("patch", MEMBER, Victim, Some(json!({"role": "admin"})), [204, 403, 403, 404, 404, 403, 401]),
        // Making the owner the owner changes nothing.
        row("patch", MEMBER, Oneself, Some(json!({"role": "owner"})), [204, 403, 403, 404, 404, 403, 401]),
        row("delete", MEMBER, Victim, None, manages(204)),
        row("delete", MEMBER, Owner, None, [204, 403, 403, 404, 404, 403, 401]),
        row("delete", "/api/v1/groups/{group_id}", FreshGroup, None, [204, 403, 403, 404, 404, 403, 401]),
    ];
    rows.push(row("delete", MEMBER, Oneself, None, [204, 204, 204, 404, 404, 204, 401]));
    // A link of another member is visible only to those who manage the group.
    rows.push(row("delete", INVITE, FreshGroup, None, [204, 204, 404, 404, 404, 404, 401]));
    // These come last, because they end what the other rows need.
    rows.push(row("post", "/api/v1/invites/{token}/accept", FreshGroup, None, [200, 200, 200, 200, 200, 200, 401]));
    rows.push(row("post", "/api/v1/auth/logout", Group, None, [204; COLUMNS]));
    rows
}

/// The statuses of requests that need a cookie: a token is not enough.
const COOKIE_200: [u16; COLUMNS] = [200, 200, 200, 200, 200, 401, 401];
const COOKIE_204: [u16; COLUMNS] = [204, 204, 204, 204, 204, 401, 401];
/// Stands in a body for the id of the victim.
const VICTIM: &str = "victim";
const MINE: &str = "/api/v1/groups/{group_id}/me";
const MESSAGE: &str = "/api/v1/groups/{group_id}/messages/{message_id}";
const REACTION: &str = "/api/v1/groups/{group_id}/messages/{message_id}/reactions/{emoji}";
const PIN: &str = "/api/v1/groups/{group_id}/messages/{message_id}/pin";
const READS: &str = "/api/v1/groups/{group_id}/messages/{message_id}/reads";
const INVITE: &str = "/api/v1/groups/{group_id}/invites/{invite_id}";
const MEMBER: &str = "/api/v1/groups/{group_id}/members/{user_id}";

#[tokio::test]
async fn every_route_knows_who_may() {
    let server = TestServer::start().await;
    let people = People::arrive(&server).await;
    let mut place = people.meet().await;
    let mut wrong = Vec::new();
    for row in table() {
        for ((name, user), expected) in NAMES.iter().zip(people.columns()).zip(row.statuses) {
            if matches!(row.target, Target::FreshGroup | Target::Oneself | Target::Owner) {
                place = people.meet().await;
            }
            let path = path(&row, &people, &place, user).await;
            let mut body = row.body.clone();
            if let Some(id) = body.as_mut().and_then(|body| body.get_mut("user_id")).filter(|id| *id == VICTIM) {
                *id = json!(people.victim.id());
            }
            let answer = ask(user, row.method, &path, body).await;
            if answer.status.as_u16() != expected {
                let (method, status) = (row.method, answer.status.as_u16());
                wrong.push(format!("{method} {path} by {name}: {status}, not {expected}: {}", answer.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The path of a cell. Creates its target.
async fn path(row: &Row, people: &People, place: &Place, user: &TestUser) -> String {
    let group = place.group;
    let path = row.path.replace("{group_id}", &group.to_string()).replace("{token}", &place.invite);
    let path = path.replace("{invite_id}", &place.invite_id).replace("{emoji}", "%F0%9F%8E%89");
    let is_inside = [&people.owner, &people.admin, &people.member, &people.guest]
        .into_iter()
        .any(|inside| std::ptr::eq(inside, user));
    match row.target {
        Target::Group | Target::FreshGroup => path,
        Target::OwnMessage => {
            let author = if is_inside { user } else { &people.owner };
            path.replace("{message_id}", &people.message_of(author, group).await)
        }
        Target::AnothersMessage => path.replace("{message_id}", &people.message_of(&people.victim, group).await),
        Target::Victim => {
            people.owner.brings(&people.victim, group).await;
            // Resets the role to `member`.
            people.owner.patch(&member(group, people.victim.id()), &json!({"role": "member"})).await;
            path.replace("{user_id}", &people.victim.id().to_string())
        }
        Target::Oneself => {
            let id = if std::ptr::eq(user, &raw const people.anonymous) { people.victim.id() } else { user.id() };
            path.replace("{user_id}", &id.to_string())
        }
        Target::AnothersSession => {
            let sessions = people.victim.get("/api/v1/sessions").await.json();
            path.replace("{session_id}", sessions["sessions"][0]["id"].as_str().unwrap())
        }
        Target::Searched => format!("{path}?q=buenas&group_id={group}"),
        Target::Owner => path.replace("{user_id}", &people.owner.id().to_string()),
    }
}

#[tokio::test]
async fn every_described_route_has_a_row() {
    let server = TestServer::start().await;
    let document = server.stranger().get("/openapi.json").await.json();
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (method.to_owned(), path.to_owned()))
        })
        .collect();
    let rows = table().into_iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    assert_eq!(described, rows, "left: described routes; right: rows of the table");
}
