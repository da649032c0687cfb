//! The search in the messages of one's own groups.

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use caravana_hub::budgets::Act;
use caravana_protocol::rest::SearchAnswer;
use caravana_protocol::{Timestamp, UserId, limits};
use caravana_store::Search;
use caravana_store::search::Query as Words;

use super::error::ApiError;
use super::extract::{self, Query};
use super::identity::Identity;
use super::openapi::SearchQuery;
use super::state::Shared;
use super::taken::until_taken;

/// Searches the messages of one's own groups.
///
/// Each word of `q` is the beginning of a word of the text, in any order; accents and case are ignored. Messages that
/// have all words exactly as they are spelled come first, and within that the newest first. Deleted messages and groups
/// that one has left are not found. A query without a letter or digit finds nothing. A page may have fewer hits than
/// `limit`, even none, although there is a `next`.
#[utoipa::path(
    get,
    path = "/search",
    tag = "messages",
    operation_id = "search_messages",
    params(SearchQuery),
    responses((status = 200, description = "The hits.", body = SearchAnswer)),
    extensions(("x-refusals" = json!(["not_found", "rate_limited"])))
)]
pub(super) async fn search(
    State(state): State<Shared>,
    identity: Identity,
    query: Query,
) -> Result<Response, ApiError> {
    let viewer = identity.user.id;
    state.hub.budgets().charge(Act::Search, viewer)?;
    let search = asked(&query)?;
    let turn = state.turns.answer(viewer).await;
    let read = state.turns.read(viewer).await;
    let page = page(&state, viewer, &search).await?;
    drop(read);
    Ok(until_taken(turn, Answer(page).into_response()))
}

/// A page of hits. The caller has charged the viewer for it.
pub(super) async fn page(state: &Shared, viewer: UserId, search: &Search) -> Result<SearchAnswer, ApiError> {
    state.store.search(viewer, search).await?.ok_or_else(ApiError::not_found)
}

fn asked(query: &Query) -> Result<Search, ApiError> {
    let text = query.text("q")?.ok_or_else(|| extract::invalid("q", "is missing"))?;
    if !(limits::SEARCH_MIN_CHARACTERS..=limits::SEARCH_MAX_CHARACTERS).contains(&text.chars().count()) {
        return Err(extract::invalid("q", "has 2 to 100 characters"));
    }
    let limit = query.parsed("limit")?.unwrap_or(limits::SEARCH_PAGE_DEFAULT);
    if !(1..=limits::SEARCH_PAGE).contains(&limit) {
        return Err(extract::invalid("limit", "is 1 to 50"));
    }
    Ok(Search {
        query: Words::of(text),
        group: query.parsed("group_id")?,
        from: query.parsed("from")?,
        since: moment(query, "since", "T00:00:00Z")?,
        until: moment(query, "until", "T23:59:59.999999Z")?,
        before: query.parsed("before")?,
        limit,
    })
}

/// A moment, or a day of UTC: its beginning or its end.
fn moment(query: &Query, name: &str, of_day: &str) -> Result<Option<Timestamp>, ApiError> {
    /// `2027-04-03`
    const DAY: usize = 10;
    let Some(text) = query.text(name)? else { return Ok(None) };
    let parsed = if text.len() == DAY { format!("{text}{of_day}").parse() } else { text.parse() };
    parsed.map(Some).map_err(|_| extract::invalid(name, "is a date or an RFC 3339 time"))
}
