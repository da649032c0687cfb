//! Detects whether the database is the one that was left here, or a copy that replaced it.
//!
//! A database that was restored from an older copy continues at seqs for which its clients already have other messages:
//! a silent fork. So the server detects this at the start, and then all groups begin a new epoch, which tells every
//! client to load everything again. It compares two things:
//! - Every commit of the server is counted inside the database and, once it is durable, in the file
//!   `<database>.commits`. A database whose count is lower than that of the file is an older copy. The file is written
//!   after the commit is durable and needs no fsync: after a power cut its count may be too low, which has no effect.
//! - The database stores its place: the inode and the time of the last change of the lock file beside it, which no
//!   copying program can preserve. If the lock file is another one, the database was copied, alone or with its folder.
//!   An operator who deletes the lock file or changes its owner also gets new epochs once; that costs every client one
//!   page.
//!
//! A snapshot of a whole disk preserves both; for that case there is the flag `--new-epochs`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sqlx::SqliteConnection;

/// Digits of the number in the file: enough for any 64-bit number, so that every line has the same length.
const DIGITS: usize = 20;

/// The file `<database>.commits`, as the writer updates it.
pub(super) struct Witness {
    file: File,
    database: String,
    commits: u64,
}

/// Whether the database is the one that was left here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// It is, or there is no record.
    Continues,
    /// It is an older copy, or the operator says so. All groups have begun a new epoch.
    Rewritten,
}

impl Witness {
    /// Compares the database with the files beside it. Begins new epochs if it is an older copy or if `forced` is set.
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

    /// Records that a transaction, in which the database has counted itself, is durable.
    pub(super) fn committed(&mut self) {
        self.commits += 1;
        if let Err(error) = self.write() {
            // No data is lost; only the detection of an older copy gets weaker.
            tracing::warn!(%error, "the number of commits could not be written down");
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(line(&self.database, self.commits).as_bytes())
    }
}

/// Stores the database's present place, and begins new epochs if it is an older copy.
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

/// An identity of the lock file that no copy of it can have.
fn place(lock: &File) -> io::Result<String> {
    let lock = lock.metadata()?;
    Ok(format!("{}:{}.{:09}", lock.ino(), lock.ctime(), lock.ctime_nsec()))
}

fn line(database: &str, commits: u64) -> String {
    format!("{database} {commits:0DIGITS$}\n")
}

/// The count in the file for this database; zero if there is none or it is unreadable.
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
