//! Stores many messages by one statement (G2: an id is stored once, for ever).
//!
//! SQLite's thread gets one call for all messages of a batch, which often is the whole transaction: each call costs two
//! switches of threads. The statement takes the messages as rows of parameters. `json_each` of one parameter would need
//! only one text of SQL, but takes twice as long for each message. So there is one text for 1, 2, 4, … messages; unused
//! rows stay null and are skipped.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use caravana_protocol::{Event, MessageId, Seq};
use caravana_store::{Appended, Effects, NewMessage, StoreError};
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr, SqliteConnection};

use super::super::log::stored_already;
use super::super::rows::unsigned;
use super::{BATCH, BEGIN};

/// What one call contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The whole transaction.
    Transaction,
    /// Only the statement; the transaction is open and goes on.
    Statement,
}

type Outcome = Result<Appended, StoreError>;

/// Stores messages without `reply_to` and with different ids. The outcomes are in the order of the messages. An error
/// applies to all of them.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    messages: &[NewMessage],
    extent: Extent,
    effects: &mut Effects,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let (inserted, mut seqs) = insert(connection, messages, extent).await?;
    // A trigger of another program may have inserted rows between ours. Then some of ours are not in the list, and the hub
    // reads them from the log.
    let is_complete = messages.iter().filter(|new| seqs.contains_key(&new.id)).count() == inserted;
    let mut outcomes = Vec::with_capacity(messages.len());
    for new in messages {
        if let Some(seq) = seqs.remove(&new.id) {
            let message = new.committed(seq);
            effects.event(Event::NewMessage(message.clone()));
            outcomes.push(Ok(Appended { message, duplicate: false }));
        } else {
            if !is_complete {
                effects.group(new.group_id);
            }
            outcomes.push(stored_already(connection, new).await);
        }
    }
    Ok(outcomes)
}

/// Inserts the messages whose authors are members and whose ids are new. Returns how many these are, and their seqs.
async fn insert(
    connection: &mut SqliteConnection,
    messages: &[NewMessage],
    extent: Extent,
) -> Result<(usize, HashMap<MessageId, Seq>), sqlx::Error> {
    let mut query = sqlx::query_as::<_, (i64, Option<String>)>(text(messages.len(), extent));
    for new in messages {
        query = query
            .bind(new.id.to_string())
            .bind(new.created_at.to_string())
            .bind(new.user_id.to_string())
            .bind(new.group_id.to_string())
            .bind(new.content.body.as_str());
    }
    // All rows of all statements: `fetch_one` would stop before the commit.
    let rows = query.fetch_all(connection).await?;
    let (inserted, places) = rows.into_iter().next().unwrap_or_default();
    let seqs = places.as_deref().unwrap_or_default().split(',').filter_map(place).collect();
    Ok((usize::try_from(inserted).unwrap_or(0), seqs))
}

/// Reads an id and its seq.
fn place(text: &str) -> Option<(MessageId, Seq)> {
    let (id, seq) = text.split_once(' ')?;
    Some((id.parse().ok()?, unsigned(seq.parse().ok()?)))
}

/// The text for at least so many messages.
fn text(messages: usize, extent: Extent) -> SqlStr {
    static TEXTS: LazyLock<Vec<[SqlStr; 2]>> = LazyLock::new(|| {
        let sizes = (0..=BATCH.next_power_of_two().ilog2()).map(|power| 1 << power);
        sizes.map(|rows| [Extent::Transaction, Extent::Statement].map(|extent| written(rows, extent))).collect()
    });
    let power = messages.next_power_of_two().ilog2() as usize;
    TEXTS[power.min(TEXTS.len() - 1)][extent as usize].clone()
}

fn written(rows: usize, extent: Extent) -> SqlStr {
    let (begin, commit) = match extent {
        Extent::Transaction => (BEGIN, "commit"),
        Extent::Statement => ("", ""),
    };
    let mut parameters = "(?, ?, ?, ?, ?)".to_owned();
    for _ in 1..rows {
        parameters.push_str(", (?, ?, ?, ?, ?)");
    }
    let mut text = String::new();
    // `changes()` counts the rows of the insert itself, not those of the triggers. New rows get rowids in ascending order,
    // so the inserted rows are the last ones.
    let _ = write!(
        text,
        "{begin}; \
         insert into group_chat (id, created_at, user_id, group_id, message, status) \
         select n.column1, n.column2, n.column3, n.column4, n.column5, true from (values {parameters}) n \
         where n.column1 is not null \
           and exists (select 1 from caravana_member where group_id = n.column4 and user_id = n.column3) \
           and not exists (select 1 from caravana_message where message_id = n.column1) \
           and not exists (select 1 from caravana_direct where group_id = n.column4 and closed) \
         on conflict (id) do nothing; \
         select changes(), group_concat(c.id || ' ' || m.seq) \
         from group_chat c cross join caravana_message m on m.message_id = c.id \
         where changes() > 0 and c.rowid > last_insert_rowid() - changes(); \
         {commit}"
    );
    // Every part is a constant of this module.
    AssertSqlSafe(text).into_sql_str()
}
