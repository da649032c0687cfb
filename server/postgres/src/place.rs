//! Detects whether the database is the one that was left here, or another one that replaced it.
//!
//! A database that was restored from an older copy continues at seqs for which its clients already have other messages:
//! a silent fork. So the database stores its place: the cluster's identifier, the cluster's timeline (which changes at
//! a restore to a point in time and at a failover, and both may lose the last commits), the database's id, and the id
//! of the table of heads (which changes when a dump is restored). If the place differs at the start, all groups begin a
//! new epoch, which tells every client to load everything again; that costs each client one page. If the place differs
//! later, on a new connection or in the periodic check, the server sends that database no further queries and begins
//! anew with it ([`Home::left`]). A replacement that looks the same, like a restored disk, must be named by the
//! operator: `--new-epochs`.

use std::sync::Arc;

use sqlx::postgres::{PgConnection, Postgres};
use sqlx::{Connection as _, Executor, Row as _};
use tokio_util::sync::CancellationToken;

/// Both queries give two values: the place (`NULL` if the schema is missing), and whether the schema is complete. A
/// dump creates the triggers last, after all rows.
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

/// The cluster and the timeline that it writes now. (The control file has the timeline of the last checkpoint, which
/// may be a minute behind a failover.)
const WHERE: &str = question!(
    "s.system_identifier || ':' || ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int",
    ", pg_control_system() s"
);

/// For a role that may not read the cluster's identifier. A failover is then not detected.
const WHERE_AS_FAR_AS_KNOWN: &str = question!("'?'", "");

/// The place where the database was when it was opened.
#[derive(Debug, Clone)]
pub(super) struct Home {
    question: &'static str,
    place: Arc<str>,
    left: CancellationToken,
}

impl Home {
    /// Checks that a connection leads to this place. After the first connection that leads elsewhere, the database
    /// counts as left.
    ///
    /// Uses the simple protocol, so that it is one query through a pooler, too.
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
            // A dump is being restored, and must not be touched before it is complete.
            (Some(_), false) | (None, _) => Err(elsewhere()),
        }
    }

    /// Fails after a connection has led elsewhere: other connections may lead there, too.
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

/// The error for a call that reached another database. A retry soon finds a server that has begun anew.
fn elsewhere() -> sqlx::Error {
    std::io::Error::other("this is not the database that was opened").into()
}

/// Compares the place with the stored one, stores the new one, and begins new epochs if needed. Answers the place, and
/// whether it began new epochs.
pub(super) async fn settle(connection: &mut PgConnection, forced: bool) -> Result<(Home, bool), sqlx::Error> {
    let home = home(connection).await?;
    let mut tx = connection.begin().await?;
    // If two servers start at the same time, the second one sees what the first one has stored.
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

/// The database's place, as far as this role may read it.
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
