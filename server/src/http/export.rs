//! The export of all data about a user: one JSON document, written while it is read.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use caravana_hub::budgets::Act;
use caravana_protocol::UserId;
use caravana_protocol::rest::User;
use caravana_store::{Belongings, StoreError};
use futures::stream;
use serde_json::{Value, json};

use super::error::ApiError;
use super::identity::SignedIn;
use super::sessions;
use super::state::Shared;
use crate::clock::to_timestamp;

/// Messages per read. An export needs the memory of one page, however much the user has written.
const PAGE: u32 = 500;

/// Exports all data that is stored about the user of the request.
///
/// A download: profile, memberships, blocked people, invites, sign-ins, and every message that the user has written, also in groups
/// that the user has left.
#[utoipa::path(
    get,
    path = "/account/export",
    tag = "accounts",
    operation_id = "export_account",
    security(("cookie" = [])),
    responses((status = 200, description = "One JSON object, with `user`, `memberships`, `blocked`, `invites`, `sessions`, `messages`.", body = Object))
)]
pub(super) async fn export(State(state): State<Shared>, SignedIn(identity): SignedIn) -> Result<Response, ApiError> {
    identity.spends(&state, Act::Export)?;
    let user = identity.user.id;
    let mut document = profile(state.store.belongings(user).await?);
    document["sessions"] = json!(sessions::of(&state, &identity).await?);
    // The closing brace is written after the messages.
    let mut head = document.to_string();
    head.pop();
    head.push_str(",\"messages\":[");
    let parts = stream::try_unfold(Part::Head(head), move |part| next(Arc::clone(&state), user, part));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"caravana.json\"")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// The next part of the document.
enum Part {
    /// Everything but the messages.
    Head(String),
    /// The messages after this position, and whether any came before.
    Messages(Option<String>, bool),
    /// Nothing.
    End,
}

/// A failed read aborts the answer, so that a partial export is not mistaken for a complete one.
async fn next(state: Shared, user: UserId, part: Part) -> Result<Option<(Bytes, Part)>, StoreError> {
    let (after, mut is_first) = match part {
        Part::Head(head) => return Ok(Some((head.into(), Part::Messages(None, true)))),
        Part::Messages(after, some_before) => (after, some_before),
        Part::End => return Ok(None),
    };
    let turn = state.turns.export(user).await;
    let page = state.store.messages_of(user, after, PAGE).await?;
    drop(turn);
    let mut text = String::new();
    for message in page.messages {
        if !std::mem::take(&mut is_first) {
            text.push(',');
        }
        text.push_str(&json!(message).to_string());
    }
    let part = if let Some(next) = page.next {
        Part::Messages(Some(next), is_first)
    } else {
        text.push_str("]}");
        Part::End
    };
    Ok(Some((text.into(), part)))
}

fn profile(belongings: Belongings) -> Value {
    let Belongings { user, created_at, memberships, blocked, invites } = belongings;
    let memberships: Vec<Value> = memberships
        .into_iter()
        .map(|membership| {
            json!({
                "group_id": membership.group,
                "kind": membership.kind,
                "name": membership.name,
                "role": membership.role,
                "joined_at": membership.joined_at,
                "last_read": membership.last_read,
                "me": membership.mine,
            })
        })
        .collect();
    let invites: Vec<Value> = invites
        .into_iter()
        .map(|invite| {
            json!({
                "group_id": invite.group,
                "max_uses": invite.max_uses,
                "uses": invite.uses,
                "expires_at": to_timestamp(invite.expires_at),
            })
        })
        .collect();
    // The user's own list is in `blocked`, with names.
    let user = User { blocked: Vec::new(), ..user };
    json!({"user": user, "created_at": created_at, "memberships": memberships, "blocked": blocked, "invites": invites})
}
