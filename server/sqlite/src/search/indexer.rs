//! The task that brings waiting messages into the indexes, and changed ones out of them.
//!
//! It works in short writes, so that a send does not wait long behind one. A killed process leaves whole writes. Until
//! a message is in the indexes, a search looks at its row (see [`super::waiting`]).

use std::time::Duration;

use caravana_store::StoreError;
use caravana_store::search::IndexedWords;
use caravana_telemetry::causes;
use sqlx::{SqliteConnection, SqlitePool};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::super::writer::Writer;

/// How often the task looks for work. What waits is searched row by row, which at a thousand messages a second takes
/// a few milliseconds.
const EVERY: Duration = Duration::from_secs(1);
/// Messages in one write: about 15 ms.
const BATCH: i64 = 400;
/// The bytes of their texts after which a write is full with fewer: 4,000 bytes take as long as many short messages.
const BATCH_BYTES: usize = 64 * 1024;
/// The pause behind a full write, so that sends come in between when a whole database is indexed.
const PAUSE: Duration = Duration::from_millis(5);

/// Starts the task. It ends when it is aborted.
pub(in super::super) fn start(readers: SqlitePool, writer: Writer) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = work_off(&readers, &writer).await {
                tracing::warn!(error = %causes(&error), "messages wait for the index of the search");
            }
        }
    })
}

async fn work_off(readers: &SqlitePool, writer: &Writer) -> Result<(), StoreError> {
    loop {
        let is_waiting: bool = sqlx::query_scalar(
            "select exists (select 1 from caravana_search_text where not is_indexed) \
             or exists (select 1 from caravana_search_stale)",
        )
        .fetch_one(readers)
        .await?;
        if !is_waiting {
            return Ok(());
        }
        writer.run(|tx, _| Box::pin(async move { Ok(write(tx).await?) })).await?;
        tokio::time::sleep(PAUSE).await;
    }
}

/// One write: first what has to go, because a changed message may be in both lists.
async fn write(tx: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    // Invalid UTF-8 in a text of another program is replaced, as it is for readers.
    let stale: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
        "select rowid, place, cast(text as blob) from caravana_search_stale order by place, rowid limit ?1",
    )
    .bind(BATCH)
    .fetch_all(&mut *tx)
    .await?;
    let stale = &stale[..filling(stale.iter().map(|(.., text)| text.len()))];
    if !stale.is_empty() {
        let texts: Vec<_> = stale.iter().map(|(_, place, text)| (*place, String::from_utf8_lossy(text))).collect();
        let (folded, spelled) = words(texts.iter().map(|(place, text)| (*place, text.as_ref())));
        for (statement, list) in [
            (
                "insert into caravana_search_word (caravana_search_word, rowid, words) \
                 select 'delete', value ->> 0, value ->> 1 from json_each(?1)",
                folded,
            ),
            (
                "insert into caravana_search_spelling (caravana_search_spelling, rowid, words) \
                 select 'delete', value ->> 0, value ->> 1 from json_each(?1)",
                spelled,
            ),
        ] {
            sqlx::query(statement).bind(list).execute(&mut *tx).await?;
        }
        let rows: Vec<i64> = stale.iter().map(|(row, ..)| *row).collect();
        sqlx::query("delete from caravana_search_stale where rowid in (select value from json_each(?1))")
            .bind(serde_json::to_string(&rows).unwrap_or_default())
            .execute(&mut *tx)
            .await?;
        return Ok(());
    }
    let waiting: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "select place, cast(text as blob) from caravana_search_text indexed by caravana_search_next \
         where not is_indexed order by place & 1099511627775 limit ?1",
    )
    .bind(BATCH)
    .fetch_all(&mut *tx)
    .await?;
    let most = filling(waiting.iter().map(|(_, text)| text.len()));
    let mut waiting: Vec<(i64, String)> = waiting
        .into_iter()
        .take(most)
        .map(|(place, text)| (place, String::from_utf8_lossy(&text).into_owned()))
        .collect();
    // In this order FTS5 keeps all of them in memory until the end of the statement.
    waiting.sort_unstable();
    let (folded, spelled) = words(waiting.iter().map(|(place, text)| (*place, text.as_str())));
    for (statement, list) in [
        ("insert into caravana_search_word (rowid, words) select value ->> 0, value ->> 1 from json_each(?1)", folded),
        (
            "insert into caravana_search_spelling (rowid, words) select value ->> 0, value ->> 1 from json_each(?1)",
            spelled,
        ),
    ] {
        sqlx::query(statement).bind(list).execute(&mut *tx).await?;
    }
    let places: Vec<i64> = waiting.iter().map(|(place, _)| *place).collect();
    sqlx::query("update caravana_search_text set is_indexed = true where place in (select value from json_each(?1))")
        .bind(serde_json::to_string(&places).unwrap_or_default())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// How many texts of these lengths fill a write: at least one.
fn filling(lengths: impl Iterator<Item = usize>) -> usize {
    let before = |bytes: &mut usize, length: usize| Some(std::mem::replace(bytes, *bytes + length));
    lengths.scan(0, before).take_while(|bytes| *bytes < BATCH_BYTES).count()
}

/// The words of texts for the two indexes: JSON lists of place and words.
fn words<'a>(texts: impl Iterator<Item = (i64, &'a str)>) -> (String, String) {
    let (mut folded, mut spelled) = (Vec::new(), Vec::new());
    for (place, text) in texts {
        let words = IndexedWords::of(text);
        folded.push((place, words.folded));
        spelled.push((place, words.spelled));
    }
    (serde_json::to_string(&folded).unwrap_or_default(), serde_json::to_string(&spelled).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_full_by_its_bytes_and_is_never_empty_while_something_waits() {
        assert_eq!(filling(std::iter::empty()), 0);
        assert_eq!(filling([10 * BATCH_BYTES, 1].into_iter()), 1);
        assert_eq!(filling([BATCH_BYTES / 2; 5].into_iter()), 2);
        assert_eq!(filling([60; 400].into_iter()), 400);
    }
}
