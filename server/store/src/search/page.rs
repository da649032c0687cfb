//! A page of hits, from the candidates of an index.

use async_trait::async_trait;
use caravana_protocol::Message;
use caravana_protocol::limits::HISTORY_PAGE_BYTES;
use caravana_protocol::rest::{Hit, HitGroup, SearchAnswer};

use super::{Cursor, Search, StoreError, Tier};

/// How often an index is asked for one page. After that the page ends, and `next` continues.
const ROUNDS: usize = 12;

/// The index of a database, asked by one viewer.
#[async_trait]
pub trait Candidates: Send {
    /// Candidates of this part below the cursor, the newest first: about `most`, all with a number of their own.
    async fn below(&mut self, cursor: Cursor, most: usize) -> Result<Batch, StoreError>;
}

/// A few candidates.
#[derive(Debug)]
pub struct Batch {
    /// In descending order of their numbers.
    pub candidates: Vec<Candidate>,
    /// The number below which there may be more; `None` at the end of the part.
    pub rest: Option<i64>,
}

/// A message that an index has found.
#[derive(Debug)]
pub struct Candidate {
    /// Its number.
    pub number: i64,
    /// The message in its present state.
    pub message: Message,
    /// The name of its author.
    pub author: Option<String>,
    /// The name of its group.
    pub group: String,
}

/// Reads a page: judges candidates until there are enough hits, and one more to know whether there is a next page.
pub async fn page(search: &Search, index: &mut dyn Candidates) -> Result<SearchAnswer, StoreError> {
    let mut cursor = search.before.unwrap_or(Cursor::beginning(Tier::Spelling));
    let mut page = Page { hits: Vec::new(), bytes: 0, last: cursor };
    if search.query.is_empty() {
        return Ok(page.ends(None));
    }
    for _ in 0..ROUNDS {
        let batch = index.below(cursor, search.limit + 1).await?;
        for candidate in batch.candidates {
            let here = Cursor { below: candidate.number, ..cursor };
            let Some(hit) = judge(search, candidate) else { continue };
            if page.is_full(search.limit) {
                let next = page.last;
                return Ok(page.ends(Some(next)));
            }
            page.add(hit, here);
        }
        cursor = match (batch.rest, cursor.tier.next()) {
            (Some(below), _) => Cursor { below, ..cursor },
            (None, Some(tier)) => Cursor::beginning(tier),
            (None, None) => return Ok(page.ends(None)),
        };
    }
    Ok(page.ends(Some(cursor)))
}

struct Page {
    hits: Vec<Hit>,
    bytes: usize,
    last: Cursor,
}

impl Page {
    fn add(&mut self, hit: Hit, at: Cursor) {
        self.bytes += hit.message.content.body.len();
        self.hits.push(hit);
        self.last = at;
    }

    fn is_full(&self, limit: usize) -> bool {
        self.hits.len() >= limit || self.bytes > HISTORY_PAGE_BYTES
    }

    fn ends(self, next: Option<Cursor>) -> SearchAnswer {
        SearchAnswer { hits: self.hits, next: next.map(|cursor| cursor.to_string()) }
    }
}

/// The index may be wider than the search, and its rows may be about to change.
fn judge(search: &Search, candidate: Candidate) -> Option<Hit> {
    let Candidate { message, author, group, .. } = candidate;
    let is_wanted = message.status
        && search.group.is_none_or(|wanted| message.group_id == wanted)
        && search.from.is_none_or(|wanted| message.user_id == Some(wanted))
        && search.since.is_none_or(|since| message.created_at >= since)
        && search.until.is_none_or(|until| message.created_at <= until);
    if !is_wanted {
        return None;
    }
    let parts = search.query.judge(&message.content.body)?;
    let display_name = author.filter(|name| !name.is_empty());
    Some(Hit { group: HitGroup { id: message.group_id, name: group }, display_name, message, parts })
}
