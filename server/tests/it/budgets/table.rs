//! The table: what limits the use of each route, frame and form.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::PASSWORD;

/// What limits the use of a route or frame.
pub(super) enum Kept {
    /// A budget: repeating the same request is refused at some point.
    Budget(Value),
    /// Another limit, described in words.
    By(&'static str),
}

use Kept::{Budget, By};

pub(super) const READ: &str = "turns: one user has few reads under way at once";
const CHEAP: &str = "one look into memory, or at one row";
const THROTTLE: &str = "the throttle counts tries; hashing runs few at once";

pub(super) fn routes() -> Vec<(&'static str, &'static str, Kept)> {
    let stranger = json!({"email": "b@example.org", "password": PASSWORD, "display_name": "Bo"});
    vec![
        ("get", "/healthz", By(CHEAP)),
        ("get", "/readyz", By(CHEAP)),
        ("get", "/version", By(CHEAP)),
        ("get", "/openapi.json", By(CHEAP)),
        ("get", "/chat/{group_id}/connections", By(CHEAP)),
        ("post", "/api/v1/auth/register", Budget(stranger)),
        ("post", "/api/v1/auth/login", Budget(json!({"email": "ana@example.org", "password": PASSWORD}))),
        ("post", "/api/v1/auth/logout", By("a sign-in ends once; what is none costs a read")),
        ("get", "/api/v1/session", By(CHEAP)),
        ("post", "/api/v1/auth/token", Budget(Value::Null)),
        ("post", "/api/v1/ws-ticket", Budget(Value::Null)),
        ("post", "/api/v1/auth/password", Budget(json!({"password": "wrong password", "new_password": PASSWORD}))),
        ("get", "/api/v1/auth/reset", By(CHEAP)),
        ("post", "/api/v1/auth/reset", By("letters are counted like failed sign-ins; five links of an account live")),
        ("post", "/api/v1/auth/reset/{token}", By("a link works once; what is none costs a read")),
        ("get", "/api/v1/sessions", By("as many rows as a user has sign-ins, which are bounded")),
        ("delete", "/api/v1/sessions", Budget(Value::Null)),
        ("delete", "/api/v1/sessions/{session_id}", Budget(Value::Null)),
        ("patch", "/api/v1/account", Budget(json!({"display_name": "Ana"}))),
        ("get", "/api/v1/account/export", Budget(Value::Null)),
        ("post", "/api/v1/account/delete", By(THROTTLE)),
        ("get", "/api/v1/groups", By(READ)),
        ("post", "/api/v1/groups", Budget(json!({"name": "Faro"}))),
        ("post", "/api/v1/direct", Budget(json!({"user_id": Uuid::now_v7()}))),
        ("get", "/api/v1/blocks", By(READ)),
        ("put", "/api/v1/blocks/{user_id}", Budget(Value::Null)),
        ("delete", "/api/v1/blocks/{user_id}", Budget(Value::Null)),
        ("get", "/api/v1/groups/{group_id}", By(READ)),
        ("patch", "/api/v1/groups/{group_id}", Budget(json!({"name": "Sintra"}))),
        ("patch", "/api/v1/groups/{group_id}/me", Budget(json!({"favourite": true}))),
        ("delete", "/api/v1/groups/{group_id}", By("a group ends once, and how many are made has a budget")),
        ("get", "/api/v1/groups/{group_id}/members", By(READ)),
        ("patch", "/api/v1/groups/{group_id}/members/{user_id}", Budget(json!({"role": "admin"}))),
        ("delete", "/api/v1/groups/{group_id}/members/{user_id}", Budget(Value::Null)),
        ("post", "/api/v1/groups/{group_id}/invites", Budget(json!({}))),
        ("get", "/api/v1/groups/{group_id}/invites", By(READ)),
        ("delete", "/api/v1/groups/{group_id}/invites/{invite_id}", Budget(Value::Null)),
        ("get", "/api/v1/invites/{token}", By("one link; and its group's members, which are bounded, are counted")),
        ("post", "/api/v1/invites/{token}/accept", Budget(Value::Null)),
        ("get", "/api/v1/groups/{group_id}/messages", By(READ)),
        ("post", "/api/v1/groups/{group_id}/messages", Budget(json!({"message": "hola"}))),
        ("get", "/api/v1/groups/{group_id}/messages/{message_id}", By(READ)),
        ("patch", "/api/v1/groups/{group_id}/messages/{message_id}", Budget(json!({"message": "hola"}))),
        ("delete", "/api/v1/groups/{group_id}/messages/{message_id}", Budget(Value::Null)),
        ("put", "/api/v1/groups/{group_id}/messages/{message_id}/reactions/{emoji}", Budget(Value::Null)),
        ("delete", "/api/v1/groups/{group_id}/messages/{message_id}/reactions/{emoji}", Budget(Value::Null)),
        ("put", "/api/v1/groups/{group_id}/messages/{message_id}/pin", Budget(Value::Null)),
        ("delete", "/api/v1/groups/{group_id}/messages/{message_id}/pin", Budget(Value::Null)),
        (
            "get",
            "/api/v1/groups/{group_id}/messages/{message_id}/reads",
            By("takes a turn as the pages do; for the message's author only"),
        ),
        ("get", "/api/v1/groups/{group_id}/pins", By(READ)),
        ("get", "/api/v1/groups/{group_id}/events", By(READ)),
        ("get", "/api/v1/search", Budget(Value::Null)),
    ]
}

pub(super) fn frames() -> Vec<(&'static str, Kept)> {
    let (group, id) = (Uuid::now_v7(), Uuid::now_v7());
    vec![
        ("send_message", Budget(json!({"group_id": group, "message": "hola"}))),
        ("edit_message", Budget(json!({"id": id, "message": "hola"}))),
        ("delete_message", Budget(json!({"id": id}))),
        ("react", Budget(json!({"id": id, "emoji": "🎉", "on": true}))),
        ("pin_message", Budget(json!({"id": id, "on": true}))),
        ("mark_read", Budget(json!({"group_id": group, "seq": 1}))),
        ("typing", By("taken once in two seconds, else dropped")),
        ("stop_typing", By("changes only what typing has begun")),
        (
            "subscribe",
            By("one at a time on a socket, few read at once in the process; a socket follows a bounded number"),
        ),
        ("sync", By("as `subscribe`")),
        ("unsubscribe", By(CHEAP)),
        ("auth", By("one at a time on a socket")),
    ]
}

const PAGE: &str = "what a page reads is read as by the routes";
const LEADS: &str = "leads to a page";

/// Routes that the OpenAPI document does not describe: pages, sockets, and forms with the fields that use the budget of
/// their route.
pub(super) fn for_browsers() -> Vec<(&'static str, &'static str, Kept)> {
    let sockets = "upgrades of an address a second; sockets of a user, of an address, and of the process";
    let account = json!({"email": "c@example.org", "password": PASSWORD, "display_name": "Cleo"});
    let change = json!({"password": "wrong password", "new_password": PASSWORD});
    vec![
        ("get", "/ws", By(sockets)),
        ("get", "/ws/chat/{group_id}", By(sockets)),
        ("get", "/login", By(PAGE)),
        ("post", "/login", Budget(json!({"email": "ana@example.org", "password": PASSWORD}))),
        ("get", "/register", By(PAGE)),
        ("post", "/register", Budget(account)),
        ("get", "/logout", By(PAGE)),
        ("post", "/logout", By("a sign-in ends once; what is none costs a read")),
        ("get", "/account", By(PAGE)),
        ("get", "/account/name", By(LEADS)),
        ("post", "/account/name", Budget(json!({"display_name": "Ana"}))),
        ("get", "/account/privacy", By(LEADS)),
        ("post", "/account/privacy", Budget(json!({"share_reads": "on"}))),
        ("get", "/account/password", By(LEADS)),
        ("post", "/account/password", Budget(change)),
        ("get", "/account/sessions", By(LEADS)),
        ("post", "/account/sessions", Budget(json!({}))),
        ("get", "/account/delete", By(LEADS)),
        ("post", "/account/delete", By(THROTTLE)),
        ("get", "/reset", By(PAGE)),
        ("post", "/reset", By("letters are counted like failed sign-ins; five links of an account live")),
        ("get", "/reset/{token}", By(PAGE)),
        ("post", "/reset/{token}", By("a link works once; what is none costs a read")),
        ("get", "/groups", By(PAGE)),
        ("post", "/groups", Budget(json!({"name": "Faro"}))),
        ("get", "/g/{group_id}", By(PAGE)),
        ("post", "/g/{group_id}", Budget(json!({"message": "hola"}))),
        ("get", "/i/{token}", By(PAGE)),
        ("post", "/i/{token}", Budget(json!({}))),
    ]
}
