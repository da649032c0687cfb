//! Whether the database is the one that was left, or a copy that was put in its place.
//!
//! A database that was restored from an older copy goes on at seqs that its clients have seen already with other messages:
//! a silent fork. So it remembers where it is: the cluster's identifier, its timeline (which a restore to a point in time
//! and a failover change, and both may lose the last commits), the database, and the table of heads, which a dump that is
//! played back makes anew. Found in another place all groups begin a new epoch, which tells every client to begin afresh;
//! that costs each of them one page. What looks the same, like a disk that was put back, the operator has to name:
//! `--new-epochs`.

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

/// Compares, remembers, and begins new epochs where it must be. Answers whether it did.
pub(super) async fn settle(connection: &mut PgConnection, forced: bool) -> Result<bool, sqlx::Error> {
    let place = place(connection).await?;
    let mut tx = connection.begin().await?;
    // Of two servers that start at once the second finds what the first has written.
    let known: Option<String> = sqlx::query_scalar("select place from caravana.database for update")
        .persistent(false)
        .fetch_one(&mut *tx)
        .await?;
    let was_moved = known.as_ref().is_some_and(|known| *known != place);
    let is_rewritten = forced || was_moved;
    if is_rewritten {
        sqlx::query("update caravana.head set epoch = gen_random_uuid()").persistent(false).execute(&mut *tx).await?;
    }
    if known.as_ref() != Some(&place) {
        sqlx::query("update caravana.database set place = $1").persistent(false).bind(place).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(is_rewritten)
}

/// Where the database is, as far as this role may know.
async fn place(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    let here: String = sqlx::query_scalar(
        "select d.oid || ':' || 'caravana.head'::regclass::oid from pg_catalog.pg_database d
         where d.datname = current_database()",
    )
    .persistent(false)
    .fetch_one(&mut *connection)
    .await?;
    let mut tx = connection.begin().await?;
    let cluster: Result<String, sqlx::Error> = sqlx::query_scalar(
        "select s.system_identifier || ':' || c.timeline_id from pg_control_system() s, pg_control_checkpoint() c",
    )
    .persistent(false)
    .fetch_one(&mut *tx)
    .await;
    tx.rollback().await?;
    match cluster {
        Ok(cluster) => Ok(format!("{cluster}:{here}")),
        Err(sqlx::Error::Database(error)) => {
            tracing::info!(%error, "the cluster's identifier may not be read; a failover is not noticed by itself");
            Ok(format!("?:{here}"))
        }
        Err(error) => Err(error),
    }
}
