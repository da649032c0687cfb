//! What a failure in the database means for the transaction that it happened in.

use caravana_store::StoreError;
use caravana_store::error::sqlx::sqlite::BUSY;

pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    // The lower byte is the primary code; the rest gives details about the lock.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == BUSY)
}

/// Whether only one statement failed, for example by a constraint: the transaction goes on, and the writes of others in
/// it must not fail with this one.
pub(super) fn is_of_statement(error: &StoreError) -> bool {
    match error.driver() {
        Some(sqlx::Error::Database(error)) => {
            let code = error.code().and_then(|code| code.parse::<i32>().ok());
            // ERROR, TOOBIG, CONSTRAINT, MISMATCH and RANGE, by the lower byte.
            code.is_some_and(|code| matches!(code & 0xff, 1 | 18 | 19 | 20 | 25))
        }
        Some(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound) => true,
        Some(_) | None => false,
    }
}

pub(super) fn is_full(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("13"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqliteStore;

    /// Once, a constraint that one write broke failed all writes of the same commit.
    #[tokio::test]
    async fn a_write_whose_statement_fails_fails_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("x.db"), false).await.unwrap();
        let insert = |id: &'static str| {
            store.writer.run(move |tx, _| {
                Box::pin(async move {
                    sqlx::query("insert into users (id, display_name) values (?1, 'Ana')").bind(id).execute(tx).await?;
                    Ok(())
                })
            })
        };
        insert("taken").await.unwrap();
        // All three are queued before the first one is begun.
        let (before, taken, after) = tokio::join!(insert("before"), insert("taken"), insert("after"));
        assert!(matches!(taken, Err(StoreError::Failed(_))), "{taken:?}");
        before.unwrap();
        after.unwrap();
        let names: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&store.readers).await.unwrap();
        assert_eq!(names, 3);
    }
}
