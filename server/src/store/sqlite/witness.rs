//! Whether the database is the one that was left here, or a copy that was put in its place.
//!
//! A database that was restored from an older copy goes on at seqs that its clients have seen already with other messages:
//! a silent fork. So it is found out at the start, and then all groups begin a new epoch, which tells every client to begin
//! afresh. Two things are compared:
//! - Every commit of ours is counted inside the database and, once it is durable, in the file `<database>.commits`. A
//!   database that is behind its file is an older copy. The file is never ahead of what is durable and needs no fsync:
//!   after a power cut it may be behind, which means nothing.
//! - The database remembers its place: the lock file beside it by its inode and the time of its last change, which no
//!   program that copies files can carry over. Lying beside another one, it was copied, whole folder or not. Who deletes
//!   the lock file or changes its owner gets new epochs once, too; that costs every client one page.
//!
//! A snapshot of a whole disk carries all of it; for that there is the flag `--new-epochs`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sqlx::SqliteConnection;

/// Digits of the figure in the file: all that a 64-bit number can have, so that every line has one length.
const DIGITS: usize = 20;

/// The writer's end of the file.
pub(super) struct Witness {
    file: File,
    database: String,
    commits: u64,
}

/// Whether the database is the one that was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// It is, or nothing is known.
    Continues,
    /// It is an older copy, or the operator says so: all groups have begun a new epoch.
    Rewritten,
}

impl Witness {
    /// Compares the database with what lies beside it, and begins new epochs where it was rewritten or `forced`.
    pub(super) async fn open(
        path: &Path,
        lock: &File,
        connection: &mut SqliteConnection,
        forced: bool,
    ) -> Result<(Self, Past), sqlx::Error> {
        let (database, known_place, commits): (String, Option<String>, i64) =
            sqlx::query_as("select id, place, commits from caravana_database").fetch_one(&mut *connection).await?;
        let commits = u64::try_from(commits).unwrap_or(0);
        let mut name = path.as_os_str().to_owned();
        name.push(".commits");
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(name)?;
        let seen = seen(&mut file, &database)?;
        let place = place(lock)?;
        let was_moved = known_place.as_ref().is_some_and(|known| *known != place);
        let past = if forced || was_moved || seen > commits { Past::Rewritten } else { Past::Continues };
        let mut witness = Self { file, database, commits };
        if past == Past::Rewritten || known_place.is_none() {
            witness.commits = seen.max(commits) + 1;
            settle(connection, past, &place, witness.commits).await?;
        }
        witness.write()?;
        Ok((witness, past))
    }

    /// A transaction in which the database has counted itself is durable.
    pub(super) fn committed(&mut self) {
        self.commits += 1;
        if let Err(error) = self.write() {
            // Nothing is lost by it but the warning that this file is for.
            tracing::warn!(%error, "the number of commits could not be written down");
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(line(&self.database, self.commits).as_bytes())
    }
}

/// Writes down where the database lies now, and begins new epochs where its past was rewritten.
async fn settle(connection: &mut SqliteConnection, past: Past, place: &str, commits: u64) -> Result<(), sqlx::Error> {
    sqlx::query("begin immediate").execute(&mut *connection).await?;
    if past == Past::Rewritten {
        sqlx::query("update caravana_head set epoch = lower(hex(randomblob(16)))").execute(&mut *connection).await?;
    }
    sqlx::query("update caravana_database set place = ?1, commits = ?2")
        .bind(place)
        .bind(i64::try_from(commits).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?;
    sqlx::query("commit").execute(&mut *connection).await?;
    Ok(())
}

/// The lock file as no copy of it can be.
fn place(lock: &File) -> io::Result<String> {
    let lock = lock.metadata()?;
    Ok(format!("{}:{}.{:09}", lock.ino(), lock.ctime(), lock.ctime_nsec()))
}

fn line(database: &str, commits: u64) -> String {
    format!("{database} {commits:0DIGITS$}\n")
}

/// The figure that the file has for this database; zero when it has none, or one that can't be read.
fn seen(file: &mut File, database: &str) -> io::Result<u64> {
    let mut bytes = Vec::new();
    file.take(256).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut words = text.split_whitespace();
    let is_ours = words.next() == Some(database);
    Ok(words.next().filter(|_| is_ours).and_then(|figure| figure.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen_in(content: &str) -> u64 {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file.rewind().unwrap();
        seen(&mut file, "abc").unwrap()
    }

    #[test]
    fn a_figure_is_read_as_it_was_written() {
        assert_eq!(seen_in(&line("abc", 4_711)), 4_711);
    }

    #[test]
    fn of_another_database_or_of_a_broken_file_nothing_is_known() {
        assert_eq!(seen_in(&line("abd", 4_711)), 0);
        assert_eq!(seen_in(""), 0);
        assert_eq!(seen_in("abc"), 0);
        assert_eq!(seen_in("abc 12x"), 0);
    }
}
