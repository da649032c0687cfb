//! Pages of the log, and of the messages in it.

use caravana_protocol::{Event, GroupId, Message, Seq};
use caravana_store::{Page, StoreError, pages};
use futures::{Stream, TryStreamExt as _};
use sqlx::{FromRow, SqliteConnection};

use super::super::rows::{LogRow, epoch, log_columns, log_joins, signed, unsigned};

/// An event with its group's epoch and head.
#[derive(FromRow)]
pub(super) struct PageRow {
    epoch: String,
    head: i64,
    #[sqlx(flatten)]
    event: LogRow,
}

/// A page of the log. `None` when there is no row at all: the group does not exist, or the viewer is not a member.
pub(super) async fn page(
    group: GroupId,
    rows: impl Stream<Item = Result<PageRow, sqlx::Error>> + Send,
    most: usize,
) -> Result<Option<Page>, StoreError> {
    let of_row = |row: PageRow| (epoch(&row.epoch), unsigned(row.head), row.event.into_event(group));
    pages::page(rows.map_ok(of_row), most).await
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

/// The other events from one seq to another, ascending; only the newest if they are too many for a page.
pub(super) async fn besides_messages(
    tx: &mut SqliteConnection,
    group: GroupId,
    (first, last): (Seq, Seq),
) -> Result<Vec<Event>, StoreError> {
    let rows = sqlx::query_as::<_, LogRow>(concat!(
        "select ",
        log_columns!(),
        " from caravana_event e ",
        log_joins!(),
        " where e.group_id = ?1 and e.seq between ?2 and ?3 \
         and e.kind in ('member_joined', 'member_left', 'group_updated') order by e.seq desc limit ?4"
    ))
    .bind(group.to_string())
    .bind(signed(first))
    .bind(signed(last))
    .bind(signed(pages::HISTORY_EVENTS as u64))
    .fetch(tx);
    pages::besides(rows.map_ok(|row| row.into_event(group))).await
}

async fn beside(
    tx: &mut SqliteConnection,
    statement: &'static str,
    group: GroupId,
    seq: Seq,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    let rows = sqlx::query_as::<_, LogRow>(statement)
        .bind(group.to_string())
        .bind(signed(seq))
        .bind(signed(limit as u64 + 1))
        .fetch(tx);
    pages::side(rows.map_ok(|row| row.into_event(group)), limit).await
}
