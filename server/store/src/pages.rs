//! Pages of the log and of messages, from the rows that an adapter reads.
//!
//! A page is bounded in bytes of frames, because it has to fit into a mailbox. Rows are taken one by one, and no row
//! behind the bound is read.

use std::pin::pin;

use caravana_protocol::limits::{HISTORY_PAGE, HISTORY_PAGE_BYTES, REPLAY_PAGE_EVENTS};
use caravana_protocol::{Epoch, Event, Message, Seq};
use futures::{Stream, TryStreamExt as _};

use super::entry::NAME_CHARACTERS;
use super::{Anchor, History, Page, StoreError};

/// The number of rows of one page.
#[must_use]
pub fn page_limit() -> i64 {
    i64::try_from(REPLAY_PAGE_EVENTS).unwrap_or(i64::MAX)
}

/// A page of the log: the events after a seq, and the group's epoch and head. It takes as many events as fit into
/// `most` bytes of frames, but at least one, and reads no further rows. `None` when there is no row at all.
pub async fn page<E: Into<StoreError>>(
    rows: impl Stream<Item = Result<(Epoch, Seq, Option<Event>), E>> + Send,
    most: usize,
) -> Result<Option<Page>, StoreError> {
    let mut rows = pin!(rows);
    let mut page = None;
    let mut bytes = 0;
    while let Some((epoch, head, event)) = rows.try_next().await.map_err(Into::into)? {
        let Page { events, .. } = page.get_or_insert_with(|| Page { events: Vec::new(), epoch, head });
        let Some(event) = event else { continue };
        bytes += weight(&event);
        if bytes > most && !events.is_empty() {
            break;
        }
        events.push(event);
    }
    Ok(page)
}

/// As many of these messages, from the first, as fit into [`HISTORY_PAGE_BYTES`]; at least one.
#[must_use]
pub fn within(mut messages: Vec<Message>) -> Vec<Message> {
    let mut bytes = 0;
    let fitting = messages.iter().take_while(|message| {
        bytes += ENVELOPE + of_message(message);
        bytes <= HISTORY_PAGE_BYTES
    });
    let fitting = fitting.count().max(1);
    messages.truncate(fitting);
    messages
}

/// An upper bound for the bytes of an event's frame without its texts.
const ENVELOPE: usize = 420;

/// An upper bound for the bytes of the event's frame.
#[must_use]
pub fn weight(event: &Event) -> usize {
    let texts = match event {
        Event::NewMessage(message) => of_message(message),
        Event::MessageEdited(change) | Event::MessageDeleted(change) => of_message(&change.message),
        Event::ReactionChanged(change) => change.emoji.len(),
        Event::MessagePinned(_) | Event::MessageUnpinned(_) => 0,
        Event::MemberJoined(joined) => json_length(&joined.display_name),
        Event::MemberLeft(left) => json_length(&left.display_name),
        Event::GroupUpdated(group) => {
            let given = [&group.time_zone, &group.renamed].into_iter().flatten();
            json_length(&group.name) + given.map(|text| json_length(text)).sum::<usize>()
        }
        // The payload is already JSON.
        Event::Other(other) => other.payload().len(),
    };
    ENVELOPE + texts
}

/// An id in a list.
const LISTED_ID: usize = 39;
/// A reaction or a quote without its texts and ids.
const PART: usize = 96;

fn of_message(message: &Message) -> usize {
    let reactions = message.reactions.iter().map(|one| PART + json_length(&one.emoji) + LISTED_ID * one.users.len());
    json_length(&message.content.body)
        + message.reply.as_ref().map_or(0, |quote| PART + json_length(&quote.text))
        + LISTED_ID * message.content.mentions.len()
        + reactions.sum::<usize>()
}

/// The bytes of a text as a JSON string, without the quotes.
fn json_length(text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 1,
        0x00..0x20 => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(escaped).sum::<usize>()
}

/// The messages on one side of a seq, and whether there are more. `found` has one row more than `limit`. Stops reading
/// at `limit` messages, or when the messages fill a page's bytes.
pub async fn side<E: Into<StoreError>>(
    found: impl Stream<Item = Result<Option<Event>, E>> + Send,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    let mut found = pin!(found);
    let (mut messages, mut bytes) = (Vec::new(), 0);
    while let Some(event) = found.try_next().await.map_err(Into::into)? {
        let Some(event) = event else { continue };
        bytes += weight(&event);
        let Event::NewMessage(message) = event else { continue };
        if messages.len() == limit || bytes > HISTORY_PAGE_BYTES && !messages.is_empty() {
            return Ok((messages, true));
        }
        messages.push(message);
    }
    Ok((messages, false))
}

/// The two reads for a page of messages: how many messages below which seq, and how many above which seq.
pub struct Sides {
    /// Below which seq, and how many messages.
    pub older: Option<(Seq, usize)>,
    /// Above which seq, and how many messages.
    pub newer: Option<(Seq, usize)>,
}

impl Sides {
    /// The reads for a page of at most `limit` messages.
    #[must_use]
    pub fn of(anchor: Anchor, limit: usize) -> Self {
        match anchor {
            Anchor::End => Self { older: Some((Seq::MAX, limit)), newer: None },
            Anchor::Before(seq) => Self { older: Some((seq, limit)), newer: None },
            Anchor::After(seq) => Self { older: None, newer: Some((seq, limit)) },
            Anchor::Around(seq) => {
                let half = limit / 2;
                Self { older: Some((seq, half)), newer: Some((seq.saturating_sub(1), limit - half)) }
            }
        }
    }
}

/// Combines the two sides into a page of messages. `older` is in descending order.
#[must_use]
pub fn history(
    anchor: Anchor,
    (epoch, head): (Epoch, Seq),
    older: Option<(Vec<Message>, bool)>,
    newer: Option<(Vec<Message>, bool)>,
) -> History {
    let (mut messages, has_more_before) =
        older.unwrap_or_else(|| (Vec::new(), matches!(anchor, Anchor::After(seq) if seq > 0)));
    messages.reverse();
    let (newer, has_more_after) = newer.unwrap_or_else(|| (Vec::new(), matches!(anchor, Anchor::Before(_))));
    messages.extend(newer);
    History { messages, events: Vec::new(), epoch, head, has_more_before, has_more_after }
}

/// The most other events in a page of history: as many as the page may have messages.
pub const HISTORY_EVENTS: usize = HISTORY_PAGE;

/// The other events in the part of the log that a page of messages covers, ascending. `found` is in descending order.
pub async fn besides<E: Into<StoreError>>(
    found: impl Stream<Item = Result<Option<Event>, E>> + Send,
) -> Result<Vec<Event>, StoreError> {
    // Rows are converted one by one: the cut-off rest of a row is freed before the next row is read.
    let mut events: Vec<Event> =
        found.try_filter_map(async |event| Ok(event)).try_collect().await.map_err(Into::into)?;
    events.reverse();
    Ok(events)
}

/// The other events need no limit in bytes: with names cut to [`NAME_CHARACTERS`] they are never more than this.
const _: () = assert!(HISTORY_EVENTS * (ENVELOPE + 3 * NAME_CHARACTERS * 6) < HISTORY_PAGE_BYTES / 4);

/// The part of the log that a page covers, from its first seq to its last. It reaches to the next message of the page
/// itself where there are more messages on that side, and otherwise to the end of the log.
#[must_use]
pub fn part(anchor: Anchor, page: &History) -> (Seq, Seq) {
    let first = match anchor {
        Anchor::After(seq) => seq.saturating_add(1),
        Anchor::End | Anchor::Before(_) | Anchor::Around(_) if page.has_more_before => {
            page.messages.first().map_or(0, |message| message.seq)
        }
        Anchor::End | Anchor::Before(_) | Anchor::Around(_) => 0,
    };
    let last = match anchor {
        Anchor::Before(seq) => seq.saturating_sub(1),
        Anchor::End | Anchor::After(_) | Anchor::Around(_) if page.has_more_after => {
            page.messages.last().map_or(page.head, |message| message.seq)
        }
        Anchor::End | Anchor::After(_) | Anchor::Around(_) => page.head,
    };
    (first, last)
}
