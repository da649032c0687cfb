//! Whether the database is the one that was left, or another that was put in its place.
//!
//! A database that was restored from an older copy goes on at seqs that its clients have seen already with other messages:
//! a silent fork. So it remembers where it is: the cluster's identifier, its timeline (which a restore to a point in time
//! and a failover change, and both may lose the last commits), the database, and the table of heads, which a dump that is
//! played back makes anew. Found in another place at the start, all groups begin a new epoch, which tells every client to
//! begin afresh; that costs each of them one page. Found in another place later, by a connection that was made anew or by a
//! look now and then, nothing more is asked of it: the server begins anew with it ([`Home::left`]). What looks the same, like
//! a disk that was put back, the operator has to name: `--new-epochs`.

use std::sync::Arc;

use sqlx::postgres::{PgConnection, Postgres};
use sqlx::{Connection as _, Executor, Row as _};
use tokio_util::sync::CancellationToken;

/// Both questions have two answers: where it is (`NULL` where the schema is not there), and whether it is whole. A dump brings
/// the triggers last, when all rows are there.
macro_rules! question {
    ($cluster:literal, $from:literal) => {
        concat!(
            "select ",
            $cluster,
            " || ':' || d.oid || ':' || to_regclass('caravana.head')::oid, \
               exists (select from pg_catalog.pg_trigger t \
                 where t.tgrelid = to_regclass('public.group_chat') and t.tgname = 'caravana_chat_updated') \
             from pg_catalog.pg_database d",
            $from,
            " where d.datname = current_database()"
        )
    };
}

/// The cluster and its timeline as it is written to now: the control file names the timeline of the last checkpoint, which
/// may be a minute behind a failover.
const WHERE: &str = question!(
    "s.system_identifier || ':' || ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int",
    ", pg_control_system() s"
);

/// For a role that may not know the cluster's: a failover is not noticed then.
const WHERE_AS_FAR_AS_KNOWN: &str = question!("'?'", "");

/// The place that the database was found in when it was opened.
#[derive(Debug, Clone)]
pub(super) struct Home {
    question: &'static str,
    place: Arc<str>,
    left: CancellationToken,
}

impl Home {
    /// Makes sure that a connection leads there. From the first that does not, the database counts as left.
    ///
    /// By the simple protocol, so that it is one question also for a pooler.
    pub(super) async fn check<'c>(
        &self,
        connection: impl Executor<'c, Database = Postgres>,
    ) -> Result<(), sqlx::Error> {
        self.is_still_there()?;
        match ask(self.question, connection).await? {
            (Some(place), _) if *place == *self.place => Ok(()),
            (Some(_), true) => {
                self.left.cancel();
                Err(elsewhere())
            }
            // A dump is just being played back, and must not be touched before it is all there.
            (Some(_), false) | (None, _) => Err(elsewhere()),
        }
    }

    /// Refuses where a connection has led elsewhere: others may lead there, too.
    pub(super) fn is_still_there(&self) -> Result<(), sqlx::Error> {
        if self.is_left() { Err(elsewhere()) } else { Ok(()) }
    }

    /// Whether a connection has led elsewhere.
    pub(super) fn is_left(&self) -> bool {
        self.left.is_cancelled()
    }

    /// Waits until a connection leads elsewhere.
    pub(super) async fn left(&self) {
        self.left.cancelled().await;
    }
}

/// What whoever meets another database is told: the same again, soon, finds a server that has begun anew.
fn elsewhere() -> sqlx::Error {
    std::io::Error::other("this is not the database that was opened").into()
}

/// Compares, remembers, and begins new epochs where it must be. Answers where it is, and whether it did.
pub(super) async fn settle(connection: &mut PgConnection, forced: bool) -> Result<(Home, bool), sqlx::Error> {
    let home = home(connection).await?;
    let mut tx = connection.begin().await?;
    // Of two servers that start at once the second finds what the first has written.
    let known: Option<String> = sqlx::query_scalar("select place from caravana.database for update")
        .persistent(false)
        .fetch_one(&mut *tx)
        .await?;
    let was_moved = known.as_ref().is_some_and(|known| **known != *home.place);
    let is_rewritten = forced || was_moved;
    if is_rewritten {
        sqlx::query("update caravana.head set epoch = gen_random_uuid()").persistent(false).execute(&mut *tx).await?;
    }
    if known.as_deref() != Some(&*home.place) {
        let remembering = sqlx::query("update caravana.database set place = $1").persistent(false);
        remembering.bind(&*home.place).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok((home, is_rewritten))
}

/// Where the database is, as far as this role may know.
async fn home(connection: &mut PgConnection) -> Result<Home, sqlx::Error> {
    let (question, place) = match ask(WHERE, &mut *connection).await {
        Ok((place, _)) => (WHERE, place),
        Err(sqlx::Error::Database(error)) => {
            tracing::info!(%error, "the cluster's identifier may not be read; a failover is not noticed by itself");
            (WHERE_AS_FAR_AS_KNOWN, ask(WHERE_AS_FAR_AS_KNOWN, connection).await?.0)
        }
        Err(error) => return Err(error),
    };
    let place = place.ok_or_else(|| sqlx::Error::Protocol("there is no table caravana.head".into()))?;
    Ok(Home { question, place: place.into(), left: CancellationToken::new() })
}

async fn ask<'c>(
    question: &'static str,
    connection: impl Executor<'c, Database = Postgres>,
) -> Result<(Option<String>, bool), sqlx::Error> {
    let row = connection.fetch_one(sqlx::raw_sql(question)).await?;
    Ok((row.try_get_unchecked(0)?, row.try_get_unchecked(1)?))
}
