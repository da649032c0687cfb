//! Pages of the log, and of the messages in it.

use caravana_protocol::limits::{REPLAY_PAGE_BYTES, REPLAY_PAGE_EVENTS};
use caravana_protocol::{Event, GroupId, Message, Seq};
use sqlx::{FromRow, SqliteConnection};

use super::super::super::{Page, StoreError};
use super::super::rows::{LogRow, epoch, log_columns, log_joins, signed, unsigned};

/// An event beside its group's epoch and head.
#[derive(FromRow)]
pub(super) struct PageRow {
    epoch: String,
    head: i64,
    #[sqlx(flatten)]
    event: LogRow,
}

/// Rows of one page.
pub(super) fn page_limit() -> i64 {
    i64::try_from(REPLAY_PAGE_EVENTS).unwrap_or(i64::MAX)
}

/// `None` when there is no row at all: no such group, or not a member of it.
pub(super) fn page(group: GroupId, rows: Vec<PageRow>) -> Option<Page> {
    let first = rows.first()?;
    let (epoch, head) = (epoch(&first.epoch), unsigned(first.head));
    let mut bytes = 0;
    let mut events = Vec::with_capacity(rows.len());
    for event in rows.into_iter().filter_map(|row| row.event.into_event(group)) {
        bytes += weight(&event);
        if bytes > REPLAY_PAGE_BYTES && !events.is_empty() {
            break;
        }
        events.push(event);
    }
    Some(Page { events, epoch, head })
}

/// Bytes of the frame around a message's text, measured generously.
const ENVELOPE: usize = 420;

/// About how many bytes the event's frame has; escapes can at most double a text in practice.
fn weight(event: &Event) -> usize {
    ENVELOPE
        + match event {
            Event::NewMessage(message) => message.message.len(),
            Event::MessageEdited(change) | Event::MessageDeleted(change) => change.message.message.len(),
            Event::MemberJoined(_) | Event::MemberLeft(_) | Event::GroupUpdated(_) => 0,
        }
}

/// A page of messages on one side of a seq: `?1` the group, `?2` the seq, `?3` one more than the limit.
macro_rules! messages_beside {
    ($comparison:literal, $order:literal) => {
        concat!(
            "select ",
            log_columns!(),
            " from caravana_event e ",
            log_joins!(),
            " where e.group_id = ?1 and e.kind = 'new_message' and e.seq ",
            $comparison,
            " ?2 order by e.seq ",
            $order,
            " limit ?3"
        )
    };
}

/// Messages before `seq`, descending, and whether there are more.
pub(super) async fn older(
    tx: &mut SqliteConnection,
    group: GroupId,
    seq: Seq,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    beside(tx, messages_beside!("<", "desc"), group, seq, limit).await
}

/// Messages after `seq`, ascending, and whether there are more.
pub(super) async fn newer(
    tx: &mut SqliteConnection,
    group: GroupId,
    seq: Seq,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    beside(tx, messages_beside!(">", "asc"), group, seq, limit).await
}

async fn beside(
    tx: &mut SqliteConnection,
    statement: &'static str,
    group: GroupId,
    seq: Seq,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    let rows: Vec<LogRow> = sqlx::query_as(statement)
        .bind(group.to_string())
        .bind(signed(seq))
        .bind(signed(limit as u64 + 1))
        .fetch_all(tx)
        .await?;
    Ok(messages(group, rows, limit))
}

fn messages(group: GroupId, rows: Vec<LogRow>, limit: usize) -> (Vec<Message>, bool) {
    let more = rows.len() > limit;
    let messages = rows
        .into_iter()
        .take(limit)
        .filter_map(|row| match row.into_event(group)? {
            Event::NewMessage(message) => Some(message),
            Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::MemberJoined(_)
            | Event::MemberLeft(_)
            | Event::GroupUpdated(_) => None,
        })
        .collect();
    (messages, more)
}
