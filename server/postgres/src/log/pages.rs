//! Pages of the log, and of the messages in it.

use caravana_protocol::{Epoch, Event, GroupId, Message, Seq};
use caravana_store::pages::{self, page_limit};
use caravana_store::{Page, StoreError};
use futures::{Stream, TryStreamExt as _};
use sqlx::FromRow;
use uuid::Uuid;

use super::super::access::Access;
use super::super::backend::Backend;
use super::super::rows::{LogRow, log_columns, log_joins, micros, signed, unsigned};

/// An event with its group's epoch and head.
#[derive(FromRow)]
pub(super) struct PageRow {
    epoch: Uuid,
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
    let of_row = |row: PageRow| (Epoch::new(row.epoch), unsigned(row.head), row.event.into_event(group));
    pages::page(rows.map_ok(of_row), most).await
}

/// The last seq of a page that begins after this one. A log has no holes, so the page is a range of seqs: the database
/// reads exactly these rows, whatever its statistics about the table say.
pub(super) fn page_end(after: Seq) -> i64 {
    signed(after).saturating_add(page_limit())
}

/// A page of messages on one side of a seq: `$1` the group, `$2` the seq, `$3` one more than the limit.
macro_rules! messages_beside {
    ($comparison:literal, $order:literal) => {
        concat!(
            "select ",
            log_columns!(),
            " from caravana.event e ",
            log_joins!(),
            " where e.group_id = $1 and e.kind = 'new_message' and e.seq ",
            $comparison,
            " $2 order by e.seq ",
            $order,
            " limit $3"
        )
    };
}

/// Messages before `seq`, descending, and whether there are more.
pub(super) async fn older(
    access: &Access,
    backend: &mut Backend,
    group: GroupId,
    seq: Seq,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    beside(access, backend, messages_beside!("<", "desc"), group, seq, limit).await
}

/// Messages after `seq`, ascending, and whether there are more.
pub(super) async fn newer(
    access: &Access,
    backend: &mut Backend,
    group: GroupId,
    seq: Seq,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    beside(access, backend, messages_beside!(">", "asc"), group, seq, limit).await
}

/// The other events from one seq to another, ascending; only the newest if they are too many for a page.
pub(super) async fn besides_messages(
    access: &Access,
    backend: &mut Backend,
    group: GroupId,
    (first, last): (Seq, Seq),
) -> Result<Vec<Event>, StoreError> {
    let statement = access.sql(concat!(
        "select ",
        log_columns!(),
        " from caravana.event e ",
        log_joins!(),
        " where e.group_id = $1 and e.seq between $2 and $3 \
         and e.kind in ('member_joined', 'member_left', 'group_updated') order by e.seq desc limit $4"
    ));
    let question = sqlx::query_as(statement).bind(group.uuid()).bind(signed(first)).bind(signed(last));
    let rows = question.bind(signed(pages::HISTORY_EVENTS as u64)).fetch(backend);
    pages::besides(rows.map_ok(|row: LogRow| row.into_event(group))).await
}

async fn beside(
    access: &Access,
    backend: &mut Backend,
    statement: &'static str,
    group: GroupId,
    seq: Seq,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    let question =
        sqlx::query_as(access.sql(statement)).bind(group.uuid()).bind(signed(seq)).bind(signed(limit as u64 + 1));
    let rows = question.fetch(backend).map_ok(|row: LogRow| row.into_event(group));
    pages::side(rows, limit).await
}
